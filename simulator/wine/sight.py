"""The files of a Wine machine that the simulator's own programs see: brought to the same on both sides."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from simulator.files import Drive, normal
from simulator.wine.machine import Machine


class Sight:
    """Some folders of a machine's drive C: in a host's drive.

    Args:
        drive: what the simulator's programs see.
        machine: whose files they are.
        folders: the folders that are looked at, each with all below it.
    """

    def __init__(self, drive: Drive, machine: Machine, folders: Sequence[str]) -> None:
        self._drive = drive
        self._machine = machine
        self._folders = [normal(folder) for folder in folders]
        self._kept: dict[str, bytes] = {}

    def path(self, spelled: str) -> Path:
        """Where a file or folder of drive C: lies."""
        return self._machine.drive.joinpath(*normal(spelled).split("\\")[1:])

    def push(self) -> None:
        """Give the machine what the simulator's programs have written or removed since the last look."""
        files = {spelled: (content, written) for spelled, content, written in self._drive.files()}
        for spelled in [name for name in self._kept if name not in files]:
            self.path(spelled).unlink(missing_ok=True)
            del self._kept[spelled]
        for spelled, (content, written) in files.items():
            if self._kept.get(spelled) is content:
                continue
            path = self.path(spelled)
            path.parent.mkdir(parents=True, exist_ok=True)
            # Renamed into its place: a program on the machine never reads half of it.
            new = path.with_name(f"{path.name}.simulator")
            new.write_bytes(content)
            moment = self._machine.real(written)
            os.utime(new, (moment, moment))
            new.replace(path)
            self._kept[spelled] = content

    def pull(self) -> None:
        """Give the simulator's programs what the machine's have written or removed."""
        there = dict(self._below())
        below = tuple(f"{folder}\\" for folder in self._folders)
        for spelled in [name for name in self._kept if name.startswith(below) and name not in there]:
            self._drive.remove(spelled)
            del self._kept[spelled]
        for spelled, path in there.items():
            content = path.read_bytes()
            if self._kept.get(spelled) != content:
                self._drive.write(spelled, content)
                self._kept[spelled] = content

    def leap(self, seconds: float) -> None:
        """Let all files stay of the moments that they are of, when the machine's clock is set forward."""
        for _spelled, path in self._below():
            look = path.stat()
            os.utime(path, ns=(look.st_atime_ns, look.st_mtime_ns - round(seconds * 1e9)))

    def _below(self) -> Iterator[tuple[str, Path]]:
        for folder in self._folders:
            top = self.path(folder)
            for path in sorted(top.rglob("*")) if top.is_dir() else ():
                if path.is_file() and not path.is_symlink():
                    yield "\\".join([folder, *path.relative_to(top).parts]), path
