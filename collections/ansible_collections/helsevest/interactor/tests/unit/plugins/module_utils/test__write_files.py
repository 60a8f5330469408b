# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are replaced together or not at all, and never over what somebody has saved meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._register_file import EditError
from ansible_collections.helsevest.interactor.plugins.module_utils._write_files import write_files


def test_files_are_replaced_together_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, three = (tmp_path / name for name in "abc")
    one.write_text("old")
    one.chmod(0o640)
    write_files({one: b"new", two: b"fresh"})
    assert (one.read_text(), two.read_text(), one.stat().st_mode & 0o777) == ("new", "fresh", 0o640)

    real = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target == two:
            raise OSError(28, "No space left on device", str(target))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(OSError, match="No space"):
        write_files({three: b"x", one: b"lost", two: b"lost"})
    assert (one.read_text(), two.read_text()) == ("new", "fresh")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_file_that_cannot_be_read_leaves_all_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, three = (tmp_path / name for name in "abc")
    one.write_text("old")
    two.write_text("old")
    real = Path.read_bytes

    def failing(self: Path) -> bytes:
        if self == two:
            raise OSError(5, "Input/output error", str(self))
        return real(self)

    monkeypatch.setattr(Path, "read_bytes", failing)
    with pytest.raises(OSError, match="Input/output"):
        write_files({three: b"new", one: b"new", two: b"new"})
    assert (one.read_text(), two.read_text()) == ("old", "old")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_files_that_were_changed_meanwhile_are_all_told_and_none_is_replaced(tmp_path: Path) -> None:
    same, saved, gone, made = (tmp_path / name for name in ("same", "saved", "gone", "made"))
    same.write_text("old")
    saved.write_text("another save")
    made.write_text("made meanwhile")
    started = {same: b"old", saved: b"old", gone: b"old", made: None}
    with pytest.raises(EditError) as caught:
        write_files(dict.fromkeys(started, b"new"), started=started)
    assert str(caught.value).splitlines() == [
        f"{path} was changed while this ran; nothing is written; run it again" for path in (saved, gone, made)
    ]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "same": "old",
        "saved": "another save",
        "made": "made meanwhile",
    }
    write_files({same: b"new", gone: b"new"}, started={same: b"old", gone: None})
    assert (same.read_text(), gone.read_text()) == ("new", "new")


def test_a_file_that_cannot_be_put_back_is_told_and_the_others_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three = (tmp_path / name for name in "abc")
    for path in (one, two, three):
        path.write_text("old")
    replace, write = Path.replace, Path.write_bytes

    def replacing(self: Path, target: Path) -> Path:
        if target == three:
            raise OSError(28, "No space left on device", str(target))
        return replace(self, target)

    def writing(self: Path, content: bytes) -> int:
        if self == one:
            raise OSError(28, "No space left on device", str(self))
        return write(self, content)

    monkeypatch.setattr(Path, "replace", replacing)
    monkeypatch.setattr(Path, "write_bytes", writing)
    with pytest.raises(EditError) as caught:
        write_files(dict.fromkeys((one, two, three), b"new"))
    assert str(caught.value).splitlines() == [
        f"{three}: No space left on device; the other files are as they were, but for:",
        f"{one} is replaced and cannot be put back: No space left on device",
    ]
    assert [path.read_text() for path in (one, two, three)] == ["new", "old", "old"]
