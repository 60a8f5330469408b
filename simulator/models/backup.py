"""Copies of files with a manifest, and the way back to them: what _Backup.psm1 does on a real host."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from simulator.files import join, normal
from simulator.models.common import Refused, Work

Files = list[dict[str, Any]]
"""`path`, `bytes` and `sha256` of each file, sorted by path."""

_LEFT_FREE = 2**30
_MB = 2**20


def _folder(work: Work, name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise Refused(f"the name of a backup is '{name}': letters, digits, dot, dash and underscore are allowed")
    return join(work.contract("paths.work"), "backup", name)


def file_list(work: Work, sources: Mapping[str, str]) -> Files:
    """Every file of the sources (by name: the path of a file or folder); a source that is not there has none."""
    found = {}
    for name, path in sources.items():
        if work.host.drive.is_file(path):
            found[name] = work.host.drive.read(path)
        for below, content in work.host.drive.below(path):
            found[f"{name}/{below}".replace("\\", "/")] = content
    return [
        {"path": path, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for path, content in sorted(found.items())
    ]


def compare(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[str]:
    """The paths that differ, are missing or are new, sorted."""
    hashes = {file["path"].casefold(): (file["path"], file["sha256"]) for file in before}
    differ = []
    for file in after:
        _path, sha256 = hashes.pop(file["path"].casefold(), (None, None))
        if sha256 != file["sha256"]:
            differ.append(file["path"])
    return sorted([*differ, *(path for path, _sha256 in hashes.values())])


def saved(work: Work, name: str) -> Files | None:
    """The list of the files that a backup holds; None where there is no backup of that name."""
    folder = _folder(work, name)
    if not work.host.drive.is_folder(folder):
        return None
    manifest = work.read_json("manifest", join(folder, "manifest.json"))
    if manifest is None or not isinstance(manifest.get("files"), list):
        raise Refused(f"backup {folder} has no manifest")
    files: Files = manifest["files"]
    return files


def differing(work: Work, name: str, sources: Mapping[str, str]) -> list[str]:
    """The paths of the sources that are not as a backup has them; refused where there is no backup of that name."""
    files = saved(work, name)
    if files is None:
        raise Refused(f"backup {_folder(work, name)} is not there")
    return compare(_of(files, sources), file_list(work, sources))


def _of(files: Files, sources: Mapping[str, str]) -> Files:
    return [file for file in files if file["path"].partition("/")[0] in sources]


def save(work: Work, name: str, sources: Mapping[str, str]) -> Files:
    """Copy the sources to a backup of that name and answer its files; one that is there already is kept as it is."""
    there = saved(work, name)
    if there is not None:
        return there
    drive, folder = work.host.drive, _folder(work, name)
    for path in sources.values():
        if not drive.is_file(path) and not drive.is_folder(path):
            raise Refused(f"refused: {path} is missing, so there is no backup of it")
    need_room(work, sources)
    files = file_list(work, sources)
    part = f"{folder}.part"
    drive.remove(part)
    for file in files:
        drive.copy(_path(sources, file["path"]), join(part, file["path"]))
    drive.write(join(part, "manifest.json"), json.dumps({"files": files}, ensure_ascii=False).encode())
    # It is whole or not there.
    drive.rename(part, folder)
    return files


def need_room(work: Work, sources: Mapping[str, str]) -> None:
    """Refuse where the drive has no room for a backup of the sources and for what its way back sets aside."""
    size = sum(file["bytes"] for file in file_list(work, sources))
    needed, free = math.ceil((2 * size + _LEFT_FREE) / _MB), math.floor(work.host.machine.free_gb * 2**30 / _MB)
    if free < needed:
        raise Refused(
            f"refused: the backup needs {needed} MB free on drive C: (its {size} bytes twice, and 1024 MB for the "
            f"others), and {free} MB are free"
        )


def remove(work: Work, name: str) -> None:
    """Remove a backup, if there is one of that name; what ways back to it have set aside stays."""
    work.host.drive.remove(_folder(work, name))


def _path(sources: Mapping[str, str], file: str) -> str:
    name, _slash, below = file.partition("/")
    return join(sources[name], below) if below else normal(sources[name])


def restore(work: Work, name: str, sources: Mapping[str, str]) -> list[str]:
    """Bring the sources back to a backup and answer the paths that still differ: none where all is as before.

    What is replaced or removed is kept in the folder `<name>-set-aside` beside the backup.
    """
    drive, folder = work.host.drive, _folder(work, name)
    files = saved(work, name)
    if files is None:
        raise Refused(f"backup {folder} is not there")
    wanted = _of(files, sources)
    known = {file["path"].casefold() for file in wanted}
    for path in compare(wanted, file_list(work, sources)):
        live = _path(sources, path)
        if drive.is_file(live):
            _set_aside(work, live, join(f"{folder}-set-aside", path))
        if path.casefold() in known:
            drive.copy(join(folder, path), live)
        else:
            drive.remove(live)
    return compare(wanted, file_list(work, sources))


def _set_aside(work: Work, path: str, first: str) -> None:
    """Keep a copy; one that is kept already is not kept twice, and nothing that is kept is overwritten."""
    drive, target, number = work.host.drive, first, 1
    while drive.is_file(target):
        if drive.read(target) == drive.read(path):
            return
        number += 1
        target = f"{first}.{number}"
    drive.copy(path, target)
