# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of the signatories as text, and the look-up list as a table; no error here repeats what they hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import yaml  # Ansible itself needs it, so it is always there

from ._domain.signatory import RawEntry, RawField, Signatory, SignatoryError, read_signatories
from ._domain.site import Site
from ._excel_csv import excel_csv

ROOT = "signatories"
HEADINGS = ("Nr.", "Kontor", "Navn", "Født", "Adresse", "Signering")
FORMS = {"digital": "digitalt", "paper": "på papir"}

COLUMNS = {
    "name": ("Signatar", "Signatarens navn", "Navn signatar", "Signatar navn", "Underskriver", "Den som signerer"),
    "born": ("Fødselsdato", "Født", "Fødd", "Signatar fødselsdato", "Fødselsdato signatar"),
    "address": (
        *("Privat adresse", "Privatadresse", "Alternativ adresse", "Alternativ privat adresse"),
        *("Hjemmeadresse", "Heimeadresse", "Signatar adresse", "Adresse signatar"),
    ),
}
"""The headings of a team's table that tell who signs."""

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))


def parse(text: bytes, file: str, known: Collection[str], today: date) -> dict[str, Signatory]:
    """Read the decrypted file; SignatoryError with every problem as read_signatories says."""
    try:
        root = yaml.compose(text.decode("utf-8-sig"), Loader=yaml.BaseLoader)
    except UnicodeDecodeError:
        raise SignatoryError([f"{file}: is no text in UTF-8"]) from None
    except yaml.MarkedYAMLError as exc:
        # Of PyYAML's words only the place: the others quote the line.
        mark = exc.problem_mark or exc.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise SignatoryError([f"{file}{place}: is no YAML"]) from None
    except (yaml.YAMLError, RecursionError):
        raise SignatoryError([f"{file}: is no YAML"]) from None
    top = dict(_fields(root)) if isinstance(root, yaml.MappingNode) else {}
    nodes = [node for key, node in top.items() if key.value == ROOT]
    if len(top) != 1 or len(nodes) != 1:
        raise SignatoryError([f"{file}:1: must hold one field (allowed: {ROOT})"])
    if _is_null(nodes[0]):
        return {}
    if not isinstance(nodes[0], yaml.MappingNode):
        raise SignatoryError([f"{file}:{_line(nodes[0])}: {ROOT}: is no mapping (allowed: the id of a site for each)"])
    return read_signatories(file, [_entry(key, node) for key, node in _fields(nodes[0])], known, today)


def render(signatories: Mapping[str, Signatory]) -> bytes:
    """The file's text. Comments are not kept, so that none about a person stays."""
    entries = {
        site: {"name": person.name, "born": person.born, "address": person.address}
        for site, person in signatories.items()
    }
    return yaml.safe_dump(
        {ROOT: entries}, allow_unicode=True, sort_keys=False, explicit_start=True, width=1000, encoding="utf-8"
    )


def from_table(path: Path) -> tuple[list[RawEntry], list[str]]:
    """The rows of a team's table (.xlsx, .csv) that tell who signs, and the ids of those that tell only half of it.

    SheetError for a table that cannot be read; ImportError where openpyxl is missing.
    """
    # Imported here, because few runs need it and openpyxl is large.
    from ._domain.sheet import ID, folded
    from ._sheet import read_table

    field_of = {folded(heading): name for name, headings in COLUMNS.items() for heading in headings}
    entries, incomplete = [], []
    for table in read_table(path, only=[heading for headings in COLUMNS.values() for heading in headings]):
        unread = table.formulas | table.broken
        for row, held in table.rows:
            told = {
                number: column for number, column in table.columns.items() if number in held or (row, number) in unread
            }
            site = next((_typed(held[number]) for number, column in told.items() if column.path == ID), "")
            fields = [
                RawField(field_of[column.path], row, _typed(held.get(number)), plain=(row, number) not in unread)
                for number, column in told.items()
                if column.path in field_of
            ]
            if {"name", "born"} <= {one.name for one in fields}:
                entries.append(RawEntry(site, row, fields))
            elif fields:
                incomplete.append(site)
    return entries, incomplete


def _typed(cell: object) -> str:
    """A cell as a person typed it: Excel makes dates of dates and decimals of numbers."""
    if isinstance(cell, date):
        return f"{cell:%Y-%m-%d}"
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def lookup_table(sites: Sequence[Site], signatories: Mapping[str, Signatory]) -> bytes:
    """The look-up list as Norwegian Excel opens it: CSV with semicolons, in UTF-8 with its mark."""
    rows: list[Sequence[str]] = [HEADINGS]
    for site in sites:
        person = signatories[site.id]
        born, address = f"{person.born:%d.%m.%Y}", person.address or ""
        rows.append((site.id, site.name, person.name, born, address, FORMS[site.agreement_form]))
    return excel_csv(rows)


def _fields(node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    yield from node.value


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value in _NULLS


def _key(node: yaml.Node) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else ""


def _entry(key: yaml.Node, node: yaml.Node) -> RawEntry:
    if not isinstance(node, yaml.MappingNode):
        return RawEntry(_key(key), _line(key))
    return RawEntry(_key(key), _line(key), [_field(name, value) for name, value in _fields(node)])


def _field(key: yaml.Node, node: yaml.Node) -> RawField:
    plain = isinstance(node, yaml.ScalarNode)
    return RawField(_key(key), _line(key), node.value if plain and not _is_null(node) else None, plain)
