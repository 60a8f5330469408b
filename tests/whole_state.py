"""The whole state of a Windows host before and after: what differs, and what of it lies outside of what is ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MISSING = "(not there)"
Path = tuple[str, ...]


def _flat(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _flat(part, (*path, str(name)))
    else:
        yield path, value


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[Path, tuple[Any, Any]]:
    """By its path, each value that is another one now, is gone, or is new."""
    was, now = dict(_flat(before)), dict(_flat(after))
    return {
        path: (was.get(path, MISSING), now.get(path, MISSING))
        for path in sorted({*was, *now})
        if was.get(path, MISSING) != now.get(path, MISSING)
    }


def foreign(
    before: Mapping[str, Any], after: Mapping[str, Any], contract: Mapping[str, Any]
) -> dict[Path, tuple[Any, Any]]:
    """What differs on a host outside Interactor's service, program folder and configuration, our folder and our tasks.

    The data files are Interactor's own, and yet no step may touch them: a move copies.
    """
    paths = contract["paths"]
    folders = [paths["install"], paths["work"]]
    files = [paths["config"], paths["maintenance_flag"]]
    # The folder of ours is made with those above it.
    above = paths["work"].split("\\")
    parents = ["\\".join(above[:count]) for count in range(2, len(above))]

    def is_ours(path: Path, told: tuple[Any, Any]) -> bool:
        kind, name = path[0], path[1].rstrip("\\").casefold() if len(path) > 1 else ""
        if kind == "files":
            below = any(f"{name}\\".startswith(f"{folder.casefold()}\\") for folder in folders)
            made = told[0] == MISSING and name in [parent.casefold() for parent in parents]
            return below or made or name in [file.casefold() for file in files]
        if kind == "services":
            return path[1] == contract["service"]["name"]
        return kind == "tasks" and path[1] in (contract["migration"]["task"], contract["lease"]["task"])

    return {path: told for path, told in differences(before, after).items() if not is_ours(path, told)}
