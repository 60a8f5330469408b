"""A host's drives as folders of this machine, for programs that need real files; both are brought to the same."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from simulator.calls import Unknown
from simulator.files import DRIVES, Drive, normal

_EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND = timedelta(microseconds=1)
_SLACK_NS = 2_000_000_000
_Look = tuple[int, int, int, int]
"""What another file, or another content of one, has otherwise: number, size, moments of content and of entry."""


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND * 1_000


def _moment(nanoseconds: int) -> datetime:
    return _EPOCH + nanoseconds // 1_000 * _MICROSECOND


class Mirror:
    """The drives of one host, and a folder with a folder for each of them (`C`, `D`).

    Args:
        drive: what the host's model sees.
        root: the folder; it is made.
        now: what the host's own clock shows. What a program has just written was written then, whatever real time is.
    """

    def __init__(self, drive: Drive, root: Path, now: Callable[[], datetime]) -> None:
        self._drive = drive
        self._root = root
        self._now = now
        self._kept: dict[str, tuple[bytes, datetime, _Look]] = {}
        self._folders: set[str] = set()
        self._since = 0
        root.mkdir(parents=True, exist_ok=True)

    @property
    def root(self) -> Path:
        """The folder with the drives in it."""
        return self._root

    def path(self, spelled: str) -> Path:
        """Where a file or folder of a drive lies."""
        drive, _colon, below = normal(spelled).partition(":")
        return self._root.joinpath(drive, *below.split("\\")[1:])

    def push(self) -> None:
        """Make the folders what the drives are."""
        folders = set(self._drive.folders())
        files = {spelled: (content, written) for spelled, content, written in self._drive.files()}
        for spelled in [name for name in self._kept if name not in files]:
            self.path(spelled).unlink()
            del self._kept[spelled]
        for spelled in sorted(self._folders - folders, key=len, reverse=True):
            shutil.rmtree(self.path(spelled), ignore_errors=True)
        for spelled in sorted(folders - self._folders, key=len):
            self.path(spelled).mkdir(exist_ok=True)
        self._folders = folders
        for spelled, (content, written) in files.items():
            kept = self._kept.get(spelled)
            if kept is not None and kept[0] is content and kept[1] == written:
                continue
            path = self.path(spelled)
            if kept is None or kept[0] is not content:
                path.write_bytes(content)
            self._keep(spelled, path, content, written)
        self._since = time.time_ns()

    def pull(self) -> None:
        """Make the drives what the folders are. Raises `Unknown` for names that differ in nothing but case."""
        files, folders = self._found()
        for spelled in [name for name in self._kept if name not in files]:
            self._drive.remove(spelled)
            del self._kept[spelled]
        for spelled in sorted(self._folders - folders, key=len, reverse=True):
            self._drive.remove(spelled)
        for spelled in sorted(folders - self._folders, key=len):
            self._drive.make_folder(spelled)
        self._folders = folders
        for spelled, look in files.items():
            kept = self._kept.get(spelled)
            if kept is not None and kept[2] == look:
                continue
            path = self.path(spelled)
            content = path.read_bytes()
            if kept is not None and kept[0] == content:
                content = kept[0]
            written = self._now() if self._is_of_real_time(look[2]) else _moment(look[2])
            self._drive.write(spelled, content)
            self._drive.date_file(spelled, written)
            self._keep(spelled, path, content, written)

    def _is_of_real_time(self, nanoseconds: int) -> bool:
        return self._since - _SLACK_NS <= nanoseconds <= time.time_ns() + _SLACK_NS

    def _keep(self, spelled: str, path: Path, content: bytes, written: datetime) -> None:
        moment = _nanoseconds(written)
        os.utime(path, ns=(moment, moment))
        self._kept[spelled] = (content, written, _look(path.stat()))

    def _found(self) -> tuple[dict[str, _Look], set[str]]:
        files: dict[str, _Look] = {}
        folders: set[str] = set()
        for drive in DRIVES:
            top = self._root / drive[0]
            if top.is_dir():
                folders.add(drive)
                for spelled, entry in _below(drive, top):
                    if entry.is_dir(follow_symlinks=False):
                        folders.add(spelled)
                    else:
                        files[spelled] = _look(entry.stat(follow_symlinks=False))
        seen: dict[str, str] = {}
        for spelled in [*folders, *files]:
            other = seen.setdefault(spelled.casefold(), spelled)
            if other != spelled:
                raise Unknown(f"paths that differ in nothing but case: {other} and {spelled}")
        return files, folders


def _look(stat: os.stat_result) -> _Look:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _below(spelled: str, folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{spelled}\\{entry.name}"
            yield name, entry
            if entry.is_dir(follow_symlinks=False):
                yield from _below(name, Path(entry.path))
