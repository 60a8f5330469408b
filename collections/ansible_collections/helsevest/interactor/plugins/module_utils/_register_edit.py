# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits register files as text: what is not asked for stays byte for byte, comments, order and quoting included.

Which entry a change is about, and in which file it stands; _register_file.py edits the text. No file is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ._register import register_documents
from ._register_file import Conflict, EditError, RegisterFile
from ._register_source import Document, RegisterError
from ._text_diff import Splice, unified


@dataclass(frozen=True)
class Change:
    """What one entry shall hold: plain data by the dotted path of the field (`contact.phone`, `clients.pc1.host`).

    A mapping as value is the same as its fields one by one; a list is one value. With `new` the entry is added to the
    section, and `values` is all of it (its `id` may be left out).
    """

    section: str
    entry: str
    values: Mapping[str, Any]
    new: bool = False


@dataclass(frozen=True)
class Edited:
    """The new text of each file that changes (to be written as UTF-8, line ends as they are), and what was left."""

    texts: Mapping[Path, str]
    conflicts: tuple[Conflict, ...]
    _old: Mapping[Path, tuple[str | None, tuple[Splice, ...]]] = field(default_factory=dict, repr=False)

    @property
    def before(self) -> dict[Path, bytes | None]:
        """What each of these files held when the edit started; None where there was none."""
        return {path: None if old is None else old.encode() for path, (old, _) in self._old.items()}

    def diff(self, root: Path) -> str:
        """The change as a unified diff with paths relative to `root`, for `git apply` or `patch -p1`."""
        return "".join(self.diffs(root).values())

    def diffs(self, root: Path) -> dict[Path, str]:
        """The same, file by file."""
        return {
            path: unified(path.absolute().relative_to(root.absolute()).as_posix(), old, self.texts[path], splices)
            for path, (old, splices) in sorted(self._old.items())
        }


def edit_register(
    paths: Iterable[str | Path] | str | Path,
    changes: Iterable[Change],
    *,
    overwrite: bool = False,
    new_file: Path | None = None,
) -> Edited:
    """The register at `paths` (as for `load_register`) with `changes` made in it.

    A value is filled in where the register has none. Where it has another one, that is a Conflict and stays, unless
    `overwrite`. A new entry goes to the end of `new_file`, which is made where it is missing; without it, to the file
    that holds the section's last entry. Raises RegisterError where the files cannot be read, EditError where a change
    names an entry that is not there (or, if new, is there), or cannot be made; ImportError where pydantic is missing.
    """
    documents, problems = register_documents([paths] if isinstance(paths, str | Path) else list(paths))
    problems += [problem for document in documents for problem in document.problems]
    if problems:
        raise RegisterError(problems)
    files = [RegisterFile(document, overwrite) for document in documents]
    trees: dict[tuple[str, str], dict[str, Any]] = {}
    added: dict[str, list[dict[str, Any]]] = {}
    for change in changes:
        if change.new:
            added.setdefault(change.section, []).append({"id": _id(change), **change.values})
        else:
            _merge(trees.setdefault((change.section, change.entry), {}), _tree(change.values))
    known = {place: file for file in files for place in file.entries}
    twice = [
        f"{section[:-1]} {entry['id']} is there already"
        for section, entries in added.items()
        for entry in entries
        if (section, str(entry["id"])) in known
    ]
    unknown = [
        f"{section[:-1]} {entry} is not in the register" for section, entry in trees if (section, entry) not in known
    ]
    if twice or unknown:
        raise EditError("\n".join(twice + unknown))
    for place, wanted in trees.items():
        known[place].edit(place, wanted)
    for section, entries in added.items():
        _file_for(section, files, new_file, overwrite).add(section, entries)
    conflicts = [conflict for file in files for conflict in file.conflicts]
    return Edited(
        texts={file.document.path: file.text() for file in files if file.splices},
        conflicts=tuple(sorted(conflicts, key=lambda conflict: (conflict.file, conflict.line, conflict.field))),
        _old={
            file.document.path: (None if file.fresh else file.old, tuple(file.splices))
            for file in files
            if file.splices
        },
    )


def _file_for(section: str, files: list[RegisterFile], new_file: Path | None, overwrite: bool) -> RegisterFile:
    if new_file is None:
        holding = [file for file in files if any(place[0] == section for place in file.entries)]
        return (holding or files)[-1]
    for file in files:
        if file.document.path.absolute() == new_file.absolute():
            return file
    if new_file.exists():
        raise EditError(f"{new_file} is no file of this register")
    files.append(RegisterFile(Document(new_file, str(new_file), f"---\n{section}: []\n"), overwrite, fresh=True))
    return files[-1]


def _id(change: Change) -> str | int:
    return int(change.entry) if change.section == "waves" and change.entry.isdecimal() else change.entry


def _tree(values: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for dotted, value in values.items():
        for part in reversed(dotted.split(".")):
            value = {part: value}
        _merge(tree, value)
    return tree


def _merge(into: dict[str, Any], tree: Mapping[str, Any]) -> None:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            value = _tree(value)
            if isinstance(into.get(key), dict):
                _merge(into[key], value)
                continue
        into[key] = value
