"""A Windows drive as plain data: paths without regard to case, files as bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

DRIVES = ("C:", "D:")
"""The drives of a host: Windows' own, and one that may hold anything; it is shown once it does."""


def _parts(path: str) -> list[str]:
    """Split an absolute path, the drive first (a ValueError says why it is none)."""
    drive, colon, rest = path.replace("/", "\\").partition(":")
    if drive.upper() + colon not in DRIVES or (rest and not rest.startswith("\\")):
        raise ValueError(f"{path!r} is not an absolute path on drive {' or '.join(DRIVES)}")
    parts = [part for part in rest.split("\\") if part and part != "."]
    if ".." in parts:
        raise ValueError(f"{path!r} leaves its folder")
    return [drive.upper() + colon, *parts]


def normal(path: str) -> str:
    r"""The path with one kind of slash and none at its end: `C:\a\b`."""
    return "\\".join(_parts(path))


def join(folder: str, *names: str) -> str:
    """A path below `folder`."""
    return normal("\\".join([folder, *names]))


def parent(path: str) -> str:
    """The folder that holds `path`."""
    return normal(path).rpartition("\\")[0]


class PowerCutError(Exception):
    """The power went in the midst of a write."""


class Drive:
    """The drives of one host. Folders come with the files in them, or by `make_folder`.

    `power_left` cuts the next durable write: after so many bytes; one more than there are is before the old file has
    made room, two more before the new one has its name.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.min.replace(tzinfo=UTC)) -> None:
        self.power_left: int | None = None
        self._now = now
        self._written: dict[str, datetime] = {}
        self._files: dict[str, tuple[str, bytes]] = {}
        self._folders: dict[str, str] = {"c:": "C:"}

    def write(self, path: str, content: bytes) -> None:
        """Write a whole file and the folders above it; a name that exists keeps its spelling."""
        spelled = normal(path)
        key = spelled.casefold()
        if key in self._folders:
            raise IsADirectoryError(spelled)
        self.make_folder(parent(spelled))
        self._files[key] = (self._files[key][0] if key in self._files else spelled, content)
        self._written[key] = self._now()

    def copy(self, source: str, target: str) -> None:
        """Copy a file with the moment at which it was written last."""
        self.write(target, self.read(source))
        self._written[normal(target).casefold()] = self.written(source)

    def date(self, moment: datetime) -> None:
        """Have all that is here written at a moment."""
        self._written = dict.fromkeys(self._files, moment)

    def date_file(self, path: str, moment: datetime) -> None:
        """Have a file that is there written at a moment."""
        self.read(path)
        self._written[normal(path).casefold()] = moment

    def touch(self, path: str) -> None:
        """Have a file that is there written now."""
        self.write(path, self.read(path))

    def written(self, path: str) -> datetime:
        """When a file was written last; FileNotFoundError where there is none."""
        self.read(path)
        return self._written[normal(path).casefold()]

    def write_durably(self, path: str, content: bytes) -> None:
        """Write a file as our scripts do: to `<path>.new`, which then takes the place of the old one.

        Raises PowerCutError where `power_left` cuts it off.
        """
        new, left = path + ".new", self.power_left
        self.power_left = None
        if left is not None and left <= len(content) + 1:
            self.write(new, content[:left])
            if left == len(content) + 1:
                self.remove(path)
            raise PowerCutError(path)
        self.write(path, content)
        self.remove(new)

    def move(self, source: str, target: str) -> None:
        """Give a file another name; what had that name is gone."""
        self.write(target, self.read(source))
        self.remove(source)

    def read(self, path: str) -> bytes:
        """The file's content; FileNotFoundError where there is none."""
        try:
            return self._files[normal(path).casefold()][1]
        except KeyError:
            raise FileNotFoundError(path) from None

    def is_file(self, path: str) -> bool:
        """Whether a file of that name is there."""
        return normal(path).casefold() in self._files

    def is_folder(self, path: str) -> bool:
        """Whether a folder of that name is there."""
        return normal(path).casefold() in self._folders

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it."""
        spelled = normal(path)
        while spelled.casefold() not in self._folders:
            if spelled.casefold() in self._files:
                raise NotADirectoryError(spelled)
            self._folders[spelled.casefold()] = spelled
            if spelled in DRIVES:
                break
            spelled = parent(spelled)

    def remove(self, path: str) -> bool:
        """Remove a file, or a folder with all that is in it; False where there was neither."""
        key = normal(path).casefold()
        if self._files.pop(key, None) is not None:
            return True
        if key not in self._folders:
            return False
        below = key + "\\"
        self._files = {name: file for name, file in self._files.items() if not name.startswith(below)}
        self._folders = {n: folder for n, folder in self._folders.items() if n != key and not n.startswith(below)}
        return True

    def rename(self, folder: str, name: str) -> None:
        """Give a folder another name, which nothing may have, with all that is in it: at once, as Windows does."""
        if self.is_folder(name) or self.is_file(name):
            raise FileExistsError(name)
        files = [(each, content, self.written(join(folder, each))) for each, content in self.below(folder)]
        Drive.make_folder(self, name)
        for each, content, written in files:
            Drive.write(self, join(name, each), content)
            self._written[join(name, each).casefold()] = written
        Drive.remove(self, folder)

    def below(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """Every file below `folder`: its path from there and its content."""
        start = normal(folder).casefold() + "\\"
        for key, (spelled, content) in sorted(self._files.items()):
            if key.startswith(start):
                yield spelled[len(start) :], content

    def files(self) -> Iterator[tuple[str, bytes, datetime]]:
        """Every file: its path as it is spelled, its content, and when it was written last."""
        for key, (spelled, content) in self._files.items():
            yield spelled, content, self._written[key]

    def folders(self) -> Iterator[str]:
        """Every folder as it is spelled, those above a folder before it."""
        yield from sorted(self._folders.values(), key=len)

    def copy_folder(self, source: str, target: str) -> None:
        """Make `target` a copy of `source`; what was in `target` is gone."""
        files = list(self.below(source))
        self.remove(target)
        self.make_folder(target)
        for name, content in files:
            self.write(join(target, name), content)

    def snapshot(self) -> dict[str, str]:
        """Every file with its SHA-256, and every folder (with an empty hash)."""
        found = {folder + "\\": "" for folder in self._folders.values()}
        found.update({spelled: hashlib.sha256(content).hexdigest() for spelled, content in self._files.values()})
        return dict(sorted(found.items()))
