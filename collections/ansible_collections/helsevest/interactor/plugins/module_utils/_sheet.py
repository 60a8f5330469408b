# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables as files: XLSX and CSV, read without harm and written so that Excel changes nothing in them.

A formula is seen and never worked out.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from ._domain import cells, sheet
from ._domain.cells import Cell, clean
from ._domain.sheet import CLIENT_COLUMNS, CLIENTS, SITE_COLUMNS, SITES, CellProblem, Column, Sheet, SheetError, folded
from ._workbook import RISKY, Found, Rows, refuse_large, workbook_bytes, workbook_rows

MOST_ROWS = 50_000
_NORDIC = frozenset("æøåÆØÅéèêëÉÈÊËóòôöÓÒÔÖüÜáàâäÁÀÂÄíìîïúùûñçßšŠžŽšđ–—\u2018\u2019\u201c\u201d…§°«»´€½•\u00a0")


def read_table(
    path: Path, only: Collection[str] | None = None, *, problems: list[CellProblem] | None = None
) -> list[Sheet]:
    """The tables of an `.xlsx`, or of a `.csv` and the `.klienter.csv` beside it.

    Columns about the person who signs are left out, and their cells are not kept. `only`: the headings to read instead
    of those of the register; then a column holds its cells as text, its path is its folded heading, and all others are
    left out. SheetError with all that is wrong with files and headings; ImportError where openpyxl is missing.
    `problems`: a list that takes what is wrong with headings instead, for who tells it with what is wrong in cells.
    """
    if not path.is_file():
        raise SheetError([f"{path}: is no file"])
    if path.suffix.lower() == ".xlsx":
        with workbook_rows(path) as (tables, mac):
            named = ((f"{path}: {title}", rows, kind) for kind, title, rows in tables)
            return _sheets(named, only, problems, mac=mac)
    if path.suffix.lower() != ".csv":
        raise SheetError([f"{path}: is neither .xlsx nor .csv; save it as one of them"])
    beside = clients_beside(path)
    if path.name.lower().endswith(".klienter.csv"):
        files = [(path, CLIENTS)]
    else:
        files = [(path, SITES), *([(beside, CLIENTS)] if beside.is_file() else [])]
    return _sheets(((str(file), _csv_rows(file), kind) for file, kind in files), only, problems)


def _sheets(
    tables: Iterable[tuple[str, Rows, str]],
    only: Collection[str] | None,
    problems: list[CellProblem] | None,
    *,
    mac: bool = False,
) -> list[Sheet]:
    result: list[Sheet] = []
    told: list[CellProblem] = [] if problems is None else problems
    for name, rows, kind in tables:
        found, wrong = _sheet(name, rows, kind, only, mac=mac)
        result.append(found)
        told += wrong
    if told and problems is None:
        raise SheetError(told)
    return result


def clients_beside(path: Path) -> Path:
    """The file of the clients that belongs to a CSV file of sites."""
    return path.with_name(f"{path.stem}.klienter.csv")


def _csv_rows(path: Path) -> Rows:
    text = _decoded(path)
    first, _, rest = text.partition("\n")
    told = re.fullmatch(r"sep=(.)\r?", first)
    head = next((line for line in text.splitlines() if line.strip(";, \t")), "") if not told else ""
    delimiter = told.group(1) if told else max(";\t,", key=lambda mark: _headings_in(head, mark))
    try:
        reader = csv.reader(io.StringIO(rest if told else text, newline=""), delimiter=delimiter, strict=True)
        for row in reader:
            yield (
                reader.line_num + bool(told),
                [Found(clean(_from_csv(cell)), cell.lstrip().startswith("=")) for cell in row],
            )
    except csv.Error as exc:
        raise SheetError([f"{path}: is no CSV with '{delimiter}' between its cells ({exc})"]) from None


def _headings_in(line: str, delimiter: str) -> tuple[int, int]:
    known = {folded(name) for column in (*SITE_COLUMNS, *CLIENT_COLUMNS) for name in (column.heading, *column.also)}
    names = next(csv.reader([line], delimiter=delimiter), [])
    return sum(folded(name) in known for name in names), len(names)


def _decoded(path: Path) -> str:
    refuse_large(path)
    raw = path.read_bytes()
    # What Excel calls Unicode text is UTF-16; what it calls CSV is the code page of Western Windows.
    marked = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = _or_none(raw, "utf-16" if marked else "utf-8-sig")
    if text is not None and "\0" not in text:
        return text
    text = _or_none(raw, "cp1252")
    if text is None or any(letter > "\x7f" and letter not in _NORDIC for letter in text) or "\0" in text:
        raise SheetError([f"{path}: is in an encoding that is not known here; save it as 'CSV UTF-8'"])
    return text


def _or_none(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _from_csv(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and RISKY.fullmatch(cell[1:]) else cell


def _to_csv(value: Cell | None, column: Column) -> str:
    """A cell's text; what Excel would make a formula or a number of has an apostrophe before it (docs/register.md)."""
    if value is None:
        return ""
    if isinstance(value, date):
        return cells.norwegian_day(value)
    text = str(value)
    return f"'{text}" if column.kind.text and RISKY.fullmatch(text) else text


def _sheet(
    name: str, rows: Rows, kind: str, only: Collection[str] | None, *, mac: bool = False
) -> tuple[Sheet, list[CellProblem]]:
    """A table from its rows: the first that is not empty holds the headings."""
    known = SITE_COLUMNS if kind == SITES else CLIENT_COLUMNS
    columns: Mapping[int, Column] = {}
    left_out: tuple[str, ...] = ()
    problems: list[CellProblem] = []
    kept: list[tuple[int, dict[int, Cell]]] = []
    formulas: set[tuple[int, int]] = set()
    broken: set[tuple[int, int]] = set()
    began = False
    for number, row in rows:
        if all(cell.value is None for cell in row):
            continue
        if not began:
            began = True
            names = {at: str(cell.value) for at, cell in enumerate(row) if cell.value is not None}
            if only is None:
                columns, left_out, problems = sheet.headings(names, known, name, number)
            else:
                columns, left_out = _chosen(names, only, known[0])
            if problems and not {*known[: 1 if kind == SITES else 2]} <= {*columns.values()}:
                break  # nobody knows whose the rows are
            continue
        if len(kept) == MOST_ROWS:
            raise SheetError([f"{name}: has more than {MOST_ROWS} rows"])
        beyond = [at for at, cell in enumerate(row) if cell.value is not None and at not in names]
        if beyond:
            problems.append(CellProblem(name, number, "", "", "", "has a value in a column without a heading"))
        formulas |= {(number, at) for at, cell in enumerate(row) if cell.formula and at in columns}
        broken |= {(number, at) for at, cell in enumerate(row) if cell.broken and at in columns}
        held = {at: cell.value for at, cell in enumerate(row) if cell.value is not None and at in columns}
        if held:
            kept.append((number, held))
    if not began:
        problems.append(CellProblem(name, 0, "", "", "", "is empty"))
    return Sheet(name, columns, kept, mac, left_out, frozenset(formulas), frozenset(broken)), problems


def _chosen(names: Mapping[int, str], only: Collection[str], site: Column) -> tuple[dict[int, Column], tuple[str, ...]]:
    wanted = {folded(name) for name in only}
    sites = {folded(name) for name in (site.heading, *site.also)}
    columns = {
        at: site if folded(name) in sites else Column(name, folded(name), cells.TEXT, personal=True)
        for at, name in names.items()
        if folded(name) in wanted | sites
    }
    return columns, tuple(name for at, name in names.items() if at not in columns)


def table_bytes(sites: Iterable[Mapping[str, Any]], path: Path) -> dict[Path, bytes]:
    """The files that hold these sites (plain data, as the register gives it): what each is to contain.

    One workbook, or two CSV files. SheetError for another kind of file; ImportError where openpyxl is missing.
    """
    listed = list(sites)
    tables = (
        (SITES, [column for column in SITE_COLUMNS if not column.read_only], [sheet.site_row(site) for site in listed]),
        (CLIENTS, CLIENT_COLUMNS, [sheet.client_row(site, client) for site in listed for client in site["clients"]]),
    )
    if path.suffix.lower() == ".csv":
        names = (path, clients_beside(path))
        return {name: _csv_bytes(columns, rows) for name, (_, columns, rows) in zip(names, tables, strict=True)}
    if path.suffix.lower() != ".xlsx":
        raise SheetError([f"{path}: is neither .xlsx nor .csv"])
    return {path: workbook_bytes(tables)}


def _csv_bytes(columns: Sequence[Column], rows: Iterable[Sequence[Cell | None]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([column.heading for column in columns])
    writer.writerows([_to_csv(cell, column) for cell, column in zip(row, columns, strict=True)] for row in rows)
    return out.getvalue().encode("utf-8-sig")
