# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Excel workbooks (.xlsx) by the package openpyxl: rows of cells in and out, and nothing else that a workbook can hold.

No macro, no link to another file and no document type (by which XML can be made to explode) is let in, whether or not
the package defusedxml, which openpyxl uses where it is there, is installed. A formula is seen and never worked out.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from ._domain import cells
from ._domain.cells import Cell, clean
from ._domain.sheet import CLIENTS, SITES, Column, SheetError, folded

try:
    import openpyxl
    from openpyxl.cell.cell import Cell as ExcelCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter
    from openpyxl.utils.datetime import CALENDAR_MAC_1904
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet
    from openpyxl.worksheet.datavalidation import DataValidation
    from openpyxl.worksheet.worksheet import Worksheet
except ImportError as error:
    _MISSING: ImportError | None = error
else:
    _MISSING = None

MOST_BYTES = 20_000_000
_MOST_UNPACKED, _MOST_COLUMNS = 400_000_000, 200
_EXCEL_DAYS = date(1900, 3, 1)
RISKY = re.compile(r"[=+\-@\t\r'].*|(?![1-9][0-9]{0,10}$)[0-9].*", re.DOTALL)
"""What Excel would take for a formula or a number that it then changes."""

Rows = Iterator[tuple[int, Sequence["Found"]]]


@dataclass(frozen=True)
class Found:
    """A cell as it stands in the file."""

    value: Cell | None
    formula: bool = False
    broken: bool = False


_EMPTY = Found(None)


@contextmanager
def workbook_rows(path: Path) -> Iterator[tuple[Iterator[tuple[str, str, Rows]], bool]]:
    """The tables of sites and clients (kind, title, rows), and whether the workbook counts days from 1904.

    SheetError for a file that is no plain workbook; ImportError where openpyxl is missing.
    """
    _need_openpyxl()
    refuse_large(path)
    _look_inside(path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=False, keep_links=False)
        by_name = {folded(page.title): page for page in book.worksheets if isinstance(page, ReadOnlyWorksheet)}
        clients = by_name.pop(folded(CLIENTS), None)
        sites = by_name.get(folded(SITES)) or next(iter(by_name.values()), None)
        pages = [(kind, page) for kind, page in ((SITES, sites), (CLIENTS, clients)) if page]
        if not pages:
            raise SheetError([f"{path}: has no sheet with cells"])
        yield ((kind, page.title, _rows(page)) for kind, page in pages), book.epoch == CALENDAR_MAC_1904
        book.close()
    except SheetError:
        raise
    except Exception as exc:  # openpyxl raises whatever its parsers do, and parses the rows as they are asked for
        raise SheetError([f"{path}: cannot be read as a workbook ({type(exc).__name__})"]) from None


def refuse_large(path: Path) -> None:
    """SheetError for a file that is larger than any table of sites."""
    if path.stat().st_size > MOST_BYTES:
        raise SheetError([f"{path}: is larger than {MOST_BYTES // 1_000_000} MB"])


def _look_inside(path: Path) -> None:
    """Refuse what no table needs, before anything parses it."""
    try:
        with zipfile.ZipFile(path) as packed:
            parts = packed.infolist()
            if sum(part.file_size for part in parts) > _MOST_UNPACKED:
                raise SheetError([f"{path}: unpacks to more than {_MOST_UNPACKED // 1_000_000} MB"])
            for part in parts:
                name = part.filename.lower()
                if "vbaproject" in name or name.startswith("xl/macrosheets"):
                    raise SheetError([f"{path}: holds macros; save it as a workbook without them (.xlsx)"])
                if name.startswith("xl/externallinks"):
                    raise SheetError([f"{path}: has links to other files; break them (Data, Edit links) and save it"])
                if name.endswith((".xml", ".rels")):
                    _refuse_document_type(path, packed, part)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError):
        raise SheetError([f"{path}: is no workbook that can be read (damaged, or with a password)"]) from None


def _refuse_document_type(path: Path, packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    tail = b""
    with packed.open(part) as stream:
        while block := stream.read(1 << 20):
            # In another encoding than UTF-8 the words could not be seen; Excel writes UTF-8.
            if b"<!DOCTYPE" in tail + block or b"<!ENTITY" in tail + block or b"\0" in block:
                raise SheetError([f"{path}: holds XML that Excel does not write; save it anew in Excel"])
            tail = block[-16:]


def _rows(page: ReadOnlyWorksheet) -> Rows:
    page.reset_dimensions()
    for number, row in enumerate(page.iter_rows(max_col=_MOST_COLUMNS), 1):
        yield (
            number,
            [
                Found(clean(_plain(cell.value)), cell.data_type == "f", cell.data_type == "e")
                if cell.value is not None
                else _EMPTY
                for cell in row
            ],
        )


def _plain(value: object) -> Cell:
    return value if isinstance(value, str | int | float | bool | datetime | date | time) else str(value)


def workbook_bytes(tables: Iterable[tuple[str, Sequence[Column], Sequence[Sequence[Cell | None]]]]) -> bytes:
    """A workbook of these tables: title, columns, rows. ImportError where openpyxl is missing."""
    _need_openpyxl()
    book = openpyxl.Workbook()
    for page in book.worksheets:
        book.remove(page)
    for title, columns, rows in tables:
        _fill(book.create_sheet(title), columns, rows)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def _fill(page: Worksheet, columns: Sequence[Column], rows: Sequence[Sequence[Cell | None]]) -> None:
    page.append([column.heading for column in columns])
    for cell in page[1]:
        cell.font = Font(bold=True)
    page.freeze_panes = "B2"
    for number, row in enumerate(rows, 2):
        for at, (value, column) in enumerate(zip(row, columns, strict=True), 1):
            _write(page.cell(number, at), value, column)
    for at, column in enumerate(columns, 1):
        letter = get_column_letter(at)
        longest = max((len(str(row[at - 1] or "")) for row in rows), default=0)
        page.column_dimensions[letter].width = max(10, min(40, max(longest, len(column.heading)) + 2))
        if column.kind.words:
            choice = DataValidation(type="list", formula1=f'"{",".join(column.kind.words)}"', allow_blank=True)
            choice.add(f"{letter}2:{letter}{len(rows) + 200}")
            page.add_data_validation(choice)
    page.auto_filter.ref = page.dimensions


def _write(cell: ExcelCell, value: Cell | None, column: Column) -> None:
    if isinstance(value, date) and value < _EXCEL_DAYS:
        value = cells.norwegian_day(value)
    if column.kind is cells.DATE:
        cell.number_format = "dd.mm.yyyy"
    elif column.kind is not cells.WHOLE:
        cell.number_format = "@"
    if value is None:
        return
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"
        if RISKY.fullmatch(value):
            cell.quotePrefix = True  # text also when somebody edits it


def _need_openpyxl() -> None:
    if _MISSING is not None:
        raise ImportError(f"a workbook needs the Python package openpyxl, 3.1 or later ({_MISSING}); run: make setup")
