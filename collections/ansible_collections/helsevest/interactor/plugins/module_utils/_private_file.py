# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files with personal data: readable by their owner only, whole or not at all, and never where git would take them."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

GIT_SECONDS = 30


class PrivateFileError(Exception):
    """The file must not, or cannot, be used; the text names the file and never what is in it."""


def read_private(path: Path) -> bytes | None:
    """What is in the file, None if there is none; PrivateFileError if others may read it or it cannot be read."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise PrivateFileError(f"{path}: others may read it, mode {mode:04o} (allowed: 0600); chmod 600 {path}")
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise PrivateFileError(f"{path}: cannot be read: {exc.strerror}") from None


def write_private(path: Path, content: bytes) -> None:
    """Write the file whole, mode 0600, in a folder that is made with 0700; PrivateFileError if it cannot be written."""
    before, after = _around(path)
    fresh: Path | None = None
    try:
        for folder in reversed(path.parents):
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=before, suffix=after, dir=path.parent)
        fresh = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        fresh = None
    except OSError as exc:
        raise PrivateFileError(f"{path}: cannot be written: {exc.strerror}") from None
    finally:
        if fresh:
            with suppress(OSError):
                fresh.unlink()


def remove_leftovers(path: Path) -> None:
    """Remove what runs that were killed while they wrote the file have left; PrivateFileError if it cannot be done."""
    before, after = _around(path)
    for left in path.parent.glob(f"{before}????????{after}"):
        remove_private(left)


def remove_private(path: Path) -> None:
    """Remove the file if it is there; PrivateFileError if it cannot be removed."""
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        raise PrivateFileError(f"{path}: cannot be removed: {exc.strerror}") from None


def _around(path: Path) -> tuple[str, str]:
    """What the name of a new file begins and ends with: what ignores the file by its suffix ignores the new one too."""
    after = "".join(path.suffixes[-2:])
    return f".{path.name.removesuffix(after)}-", after


def refuse_git(path: Path) -> None:
    """PrivateFileError if git tracks the file, or would: if it lies in a work tree and is not ignored there.

    `path` is absolute, without links in its folders. Where that cannot be found out the file is refused too.
    """
    if not any((folder / ".git").exists() for folder in path.parents):
        return
    if _git(path, "ls-files", "--error-unmatch") == 0:
        raise PrivateFileError(
            f"{path}: git tracks it, so its history may hold personal data. Take it out (git rm --cached), clean the "
            "history, and keep it where git ignores it"
        )
    ignored = _git(path, "check-ignore", "--quiet")
    if ignored == 1:
        raise PrivateFileError(f"{path}: lies in a git work tree and is not ignored there; add it to .gitignore")
    if ignored != 0:
        raise PrivateFileError(f"{path}: lies in a git work tree, and git cannot say whether it is ignored")


def _git(path: Path, *words: str) -> int:
    folder = next(folder for folder in path.parents if folder.is_dir())
    # A hook that starts a playbook leaves variables that point git at a repository of its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *words, "--", str(path)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=GIT_SECONDS,
            check=False,
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        raise PrivateFileError(
            f"{path}: lies in a git work tree, and git does not answer whether it is ignored"
        ) from None
