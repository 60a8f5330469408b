# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a table of answers into the register: what is new is filled in, what differs is told, nothing is lost."""

from __future__ import annotations

import re
import shutil
import tempfile
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ._domain import sheet
from ._domain.cells import same_phone
from ._domain.sheet import SITE_COLUMNS, SITE_REQUIRED, Answers, CellProblem, SheetError
from ._register import RegisterError, load_register, need_pydantic, register_documents
from ._register_edit import Change, Conflict, Edited, edit_register
from ._register_source import Document
from ._register_text import same
from ._sheet import read_table
from ._write_files import must_be

with suppress(ImportError):  # need_pydantic tells
    from ._register_fields import fault, untold

_HIDDEN = "(hidden)"


@dataclass(frozen=True)
class Import:
    """What a table would change in the register.

    `difference` is all that the table says otherwise, as if it were to overwrite, after a line for each conflict;
    `shown` is the same without what may be personal.
    """

    edited: Edited
    difference: str
    shown: str
    conflicts: tuple[dict[str, str], ...]
    left_out: tuple[str, ...]
    new_sites: tuple[str, ...]


def import_table(register: Path, table: Path, *, overwrite: bool = False, new_file: Path | None = None) -> Import:
    """What the table says, brought into the register's texts; nothing is written.

    SheetError with all that is wrong in the table; RegisterError where the register cannot be read, or would not load
    with the answers in it; EditError where a file cannot be edited in place, or is changed meanwhile; ImportError
    where a package is missing.
    """
    need_pydantic()
    headings: list[CellProblem] = []
    sheets = read_table(table, problems=headings)
    answers = sheet.read(sheets)
    documents, problems = register_documents([register])
    problems += [problem for document in documents for problem in document.problems]
    if problems:
        raise RegisterError(problems)
    known = {
        str(entry["id"]).strip(): entry
        for document in documents
        for _, entry in document.entries("sites")
        if entry.get("id") is not None
    }
    _check_values(answers)
    if not headings:  # else what stands below the one that is wrong would be called missing
        _check_new(answers, known)
    if headings or answers.problems:
        raise SheetError([*headings, *answers.problems])
    changes = list(_changes(answers, known))
    new_sites = tuple(change.entry for change in changes if change.new)
    place = new_file if new_sites else None
    edited = edit_register([register], changes, overwrite=overwrite, new_file=place)
    read = {document.path: document.text.encode() for document in documents}
    must_be(edited.before, {path: read.get(path) for path in edited.before})
    told = edited
    if edited.conflicts:
        told = edit_register([register], changes, overwrite=True, new_file=place)
    else:
        _must_load(register, edited.texts)
    return Import(
        edited=edited,
        difference="".join(f"# {line}\n" for line in map(_told, edited.conflicts)) + told.diff(_root(register)),
        shown=_without_personal(told, register, documents),
        conflicts=tuple(_shown(conflict, answers) for conflict in edited.conflicts),
        left_out=tuple(heading for each in sheets for heading in each.left_out),
        new_sites=new_sites,
    )


def _check_values(answers: Answers) -> None:
    """What the register would not take, told by row and column."""
    for (site, path), (name, row, column) in answers.places.items():
        value = answers.values[site].get(path, site)  # of the id, the site itself
        wrong = fault(path, value)
        if wrong:
            shown = _HIDDEN if column.personal else repr(value)[:60]
            answers.problems.append(CellProblem(name, row, column.heading, site, shown, *wrong))


def _check_new(answers: Answers, known: Mapping[str, Mapping[str, Any]]) -> None:
    """What new sites and new clients lack."""
    first: dict[str, tuple[str, int]] = {}
    for (site, _path), (name, row, _column) in answers.places.items():
        first.setdefault(site, (name, row))
    headings = {column.path: column.heading for column in SITE_COLUMNS}
    for site, values in answers.values.items():
        name, row = first[site]
        lacks = [] if site in known else [headings[path] for path in SITE_REQUIRED if path not in values]
        if site not in known and not any(path.startswith("clients.") for path in values):
            lacks.append(f"a row in the table {sheet.CLIENTS}")
        if lacks:
            message = f"is not in the register, and a new site needs: {', '.join(lacks)}"
            answers.problems.append(CellProblem(name, row, "", site, "", message))
        there = {client.get("name") for client in known.get(site, {}).get("clients") or () if isinstance(client, dict)}
        for path in values:
            client = path.split(".")[1] if path.endswith(".name") and path.startswith("clients.") else None
            if client and client not in there and f"clients.{client}.host" not in values:
                place = answers.places[site, path]
                message = f"{client} is not in the register, and a new client needs: Vertsnavn"
                answers.problems.append(CellProblem(place[0], place[1], "", site, "", message))


def _changes(answers: Answers, known: Mapping[str, Mapping[str, Any]]) -> Iterator[Change]:
    for site, values in answers.values.items():
        had = known.get(site, {})
        wanted = {path: value for path, value in values.items() if not _is_told(had, path, value)}
        if any(path.startswith("window.") for path in wanted) and not had.get("window"):
            wanted |= {
                f"window.{end}": values.get(f"window.{end}", untold({}, f"window.{end}")) for end in ("from", "to")
            }
        if site in known:
            yield Change("sites", site, wanted)
        else:
            yield Change("sites", site, _nested({**wanted, "clients": _clients(wanted)}), new=True)


def _is_told(had: Mapping[str, Any], path: str, value: object) -> bool:
    """Whether the register says so already, by what stands there or by what it means to leave it out."""
    parts = path.split(".")
    here: Any = had
    if parts[0] == "clients":
        listed = had.get("clients") or []
        named = {client.get("name"): client for client in listed if isinstance(client, dict)}
        here, parts = named.get(parts[1], {}), parts[2:]
        return same(here.get(parts[0]), value)
    for part in parts:
        here = here.get(part) if isinstance(here, Mapping) else None
    if path == "contact.phone" and isinstance(here, str) and same_phone(here, str(value)):
        return True
    return same(untold(had, path) if here is None else here, value)


def _clients(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    clients: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        if path.startswith("clients."):
            _, name, key = path.split(".")
            clients.setdefault(name, {"name": name})[key] = value
    return list(clients.values())


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    order = [column.path.split(".")[0] for column in SITE_COLUMNS]
    order.insert(order.index("shared_server"), "clients")
    nested: dict[str, Any] = {}
    for path, value in sorted(values.items(), key=lambda item: order.index(item[0].split(".")[0])):
        *parents, last = path.split(".")
        if parents != [] and parents[0] == "clients":
            continue
        inner = nested
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = value
    return nested


def _must_load(register: Path, texts: Mapping[Path, str]) -> None:
    """Read the register with the new texts in a copy; RegisterError in the words of the real files."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "register"
        if register.is_dir():
            copy.mkdir(mode=0o700)
            for path in register.glob("*.yml"):
                shutil.copyfile(path, copy / path.name)
        for path, text in texts.items():
            (copy / path.name if register.is_dir() else copy).write_bytes(text.encode())
        try:
            load_register(copy)
        except RegisterError as error:
            problems = [
                replace(problem, file=problem.file.replace(str(copy), str(register))) for problem in error.problems
            ]
            raise RegisterError(problems) from None


def _root(register: Path) -> Path:
    here = Path.cwd()
    return here if register.absolute().is_relative_to(here) else register.absolute().parent


def _told(conflict: Conflict) -> str:
    return (
        f"site {conflict.entry}: {conflict.field}: {conflict.file}:{conflict.line} says {conflict.current}, "
        f"the table says {conflict.wanted}"
    )


def _shown(conflict: Conflict, answers: Answers) -> dict[str, str]:
    """A conflict as the log may show it."""
    name, row, column = answers.places[conflict.entry, conflict.field]
    return {
        "site": conflict.entry,
        "field": conflict.field,
        "place": f"{conflict.file}:{conflict.line}",
        "register": _HIDDEN if column.personal else conflict.current,
        "table": _HIDDEN if column.personal else conflict.wanted,
        "cell": f"{name}, row {row}, {column.heading}",
    }


def _without_personal(edited: Edited, register: Path, documents: Sequence[Document]) -> str:
    """The difference without the lines around it, without comments, and without what a contact's lines hold."""
    old = {document.path: document for document in documents}
    shown: list[str] = []
    for path, difference in edited.diffs(_root(register)).items():
        head, other, *lines = difference.split("\n")
        shown += [head, other]
        hidden = (_personal_lines(old.get(path)), _personal_lines(Document(path, path.name, edited.texts[path])))
        at = [0, 0]
        for line in lines:
            if hunk := re.match(r"@@ -(\d+)(?:,\d+)? \+(\d+)", line):
                at = [int(hunk.group(1)) - 1, int(hunk.group(2)) - 1]
                shown.append("@@")
            elif line.startswith(("+", "-")):
                side = line[0] == "+"
                shown.append(line[0] + _cut(line[1:], hidden=at[side] in hidden[side]))
                at[side] += 1
            elif line.startswith(" "):
                at = [at[0] + 1, at[1] + 1]
    return "".join(f"{line}\n" for line in shown)


def _cut(line: str, *, hidden: bool) -> str:
    if hidden:
        return line[: len(line) - len(line.lstrip())] + _HIDDEN
    return re.sub(r"(^|\s)#.*", r"\1#…", line.rstrip("\r"))


def _personal_lines(document: Document | None) -> set[int]:
    """The lines (from 0, as the difference counts them) in which a contact, or who gave a waiver, stands."""
    lines: set[int] = set()
    root = document.root if document else None
    text = document.text.removeprefix("\ufeff") if document else ""  # YAML counts without a byte order mark
    ends = [found.start() for found in re.finditer("\n", text)]  # YAML's own lines end at other characters too
    for section, listed in root.value if isinstance(root, yaml.MappingNode) else ():
        for entry in listed.value if section.value in ("sites", "waivers") and listed.value else ():
            for key, value in entry.value if isinstance(entry, yaml.MappingNode) else ():
                if key.value in ("contact", "who"):
                    end = value.end_mark.index  # of a block, where the next thing stands
                    while text[end - 1].isspace():
                        end -= 1
                    lines |= set(range(bisect_left(ends, key.start_mark.index), bisect_left(ends, end) + 1))
    return lines
