# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files with personal data: their mode, git, and that they are whole or not there."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._private_file import (
    PrivateFileError,
    read_private,
    refuse_git,
    remove_leftovers,
    remove_private,
    write_private,
)

as_a_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / ".gitignore").write_text("*.vault.yml\n/var/\n")
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_written_whole_readable_by_its_owner_in_a_folder_of_his_own(tmp_path: Path):
    path = tmp_path / "new" / "agreements" / "lookup.csv"
    before = os.umask(0)
    try:
        write_private(path, b"one")
    finally:
        os.umask(before)
    assert (mode(path), mode(path.parent), mode(path.parent.parent)) == (0o600, 0o700, 0o700)
    path.chmod(0o644)
    write_private(path, b"two")
    assert (read_private(path), mode(path)) == (b"two", 0o600)
    assert [one.name for one in path.parent.iterdir()] == ["lookup.csv"]


def test_what_cannot_be_written_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "signatories.vault.yml"
    write_private(path, b"old")
    left: list[str] = []

    def full(_handle: int) -> None:
        left.extend(one.name for one in tmp_path.iterdir() if one != path)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PrivateFileError, match=r"signatories\.vault\.yml: cannot be written: No space left on device"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    assert [name.endswith(".vault.yml") for name in left] == [True], "what ignores the file ignores the new one"


@pytest.mark.parametrize("name", ["lookup.csv", "signatories.vault.yml", "list"])
def test_what_a_killed_run_left_is_removed_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    path = tmp_path / name
    kept = [tmp_path / other for other in (".lookup-old.csv", "lookup-12345678.csv", ".list-12345678.csv")]
    for one in (path, *kept):
        one.write_bytes(b"")

    def killed(_handle: int) -> None:
        raise SystemExit

    monkeypatch.setattr(os, "fsync", killed)
    monkeypatch.setattr(Path, "unlink", lambda _path: None)
    with pytest.raises(SystemExit):
        write_private(path, b"secret")
    monkeypatch.undo()
    assert len(list(tmp_path.iterdir())) == 5
    remove_leftovers(path)
    assert sorted(tmp_path.iterdir()) == sorted([path, *kept])


def test_a_folder_in_the_way_is_told(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PrivateFileError, match=r"cannot be written: Not a directory|cannot be written: File exists"):
        write_private(tmp_path / "file" / "lookup.csv", b"")
    with pytest.raises(PrivateFileError, match="cannot be read: Is a directory"):
        read_private(tmp_path)
    with pytest.raises(PrivateFileError, match=r"cannot be removed: Is a directory|Operation not permitted"):
        remove_private(tmp_path)


def test_a_file_that_is_not_there_is_none_and_removed_already(tmp_path: Path):
    assert read_private(tmp_path / "none") is None
    remove_private(tmp_path / "none")


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_reach_is_refused(tmp_path: Path, bits: int):
    path = tmp_path / "file"
    path.write_bytes(b"secret")
    path.chmod(bits)
    with pytest.raises(PrivateFileError, match=rf"others may read it, mode {bits:04o} \(allowed: 0600\)"):
        read_private(path)


def test_outside_a_work_tree_git_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    refuse_git(tmp_path / "file")


def test_ignored_in_a_work_tree_is_fine_also_before_it_is_there(repository: Path):
    refuse_git(repository / "inventories" / "signatories.vault.yml")
    refuse_git(repository / "var" / "agreements" / "lookup.csv")


def test_not_ignored_in_a_work_tree_is_refused(repository: Path):
    with pytest.raises(PrivateFileError, match="is not ignored there"):
        refuse_git(repository / "lookup.csv")


@pytest.mark.parametrize("how", ["add", "add and remove the file"])
def test_tracked_is_refused_although_it_is_ignored(repository: Path, how: str):
    path = repository / "signatories.vault.yml"
    path.write_bytes(b"x")
    subprocess.run(["git", "-C", str(repository), "add", "-f", path.name], check=True)
    if how != "add":
        path.unlink()
    with pytest.raises(PrivateFileError, match="git tracks it"):
        refuse_git(path)


def test_the_repository_that_holds_the_file_is_asked_whatever_the_environment_says(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    (other / ".gitignore").write_text("*\n")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    with pytest.raises(PrivateFileError, match="is not ignored there"):
        refuse_git(repository / "lookup.csv")


def test_where_git_cannot_answer_the_file_is_refused(repository: Path, monkeypatch: pytest.MonkeyPatch):
    (repository / ".git" / "HEAD").unlink()
    with pytest.raises(PrivateFileError, match="cannot say whether it is ignored"):
        refuse_git(repository / "signatories.vault.yml")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PrivateFileError, match="git does not answer"):
        refuse_git(repository / "signatories.vault.yml")


@as_a_user
def test_a_folder_that_may_not_be_written(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(PrivateFileError, match="cannot be written: Permission denied"):
        write_private(tmp_path / "lookup.csv", b"")
