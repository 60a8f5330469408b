# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables as files: what goes out comes back the same, and what Excel or a stranger puts into a file does no harm."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import date, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils import _sheet, _workbook
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.sheet import SITE_COLUMNS, SheetError
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import WEEKDAYS
from ansible_collections.helsevest.interactor.plugins.module_utils._register import load_register
from ansible_collections.helsevest.interactor.plugins.module_utils._register_models import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._sheet import read_table, table_bytes
from ansible_collections.helsevest.interactor.plugins.module_utils._sheet_import import import_table
from ansible_collections.helsevest.interactor.plugins.module_utils._write_files import write_files
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904

Book = Callable[..., Path]
MINIMUM = ("gp_office", "Vestland")


def plain(sites: list[Site]) -> list[dict[str, Any]]:
    return [site.model_dump(mode="json", by_alias=True) for site in sites]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """A workbook with these rows under these headings."""

    def book(names: list[str], *rows: list[Any], mac: bool = False, title: str = "Kontor") -> Path:
        made = openpyxl.Workbook()
        if mac:
            made.epoch = CALENDAR_MAC_1904
        page = made.active
        assert page is not None
        page.title = title
        for row in [names, *rows]:
            page.append(row)
        path = tmp_path / "table.xlsx"
        made.save(path)
        return path

    return book


def held(path: Path) -> list[dict[str, Any]]:
    """The rows of the first table, by heading."""
    first = read_table(path)[0]
    return [{first.columns[at].heading: value for at, value in row.items()} for _, row in first.rows]


# Any register, out and in again.

WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=12)
TRICKS = st.sampled_from(
    ("=1+1", "+A1", "-2", "@SUM(1)", "'quoted", "'=x", "007", "1E5", "2027/14", "1-2", "#N/A", '"x";y', "a  b")
)
TEXTS = (WORDS | TRICKS).map(lambda text: text.strip()).filter(lambda text: text and text.isprintable())
DATES = st.dates().map(str)
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,8}", fullmatch=True).filter(lambda name: name != "server")
PHONES = st.from_regex(r"\+?[0-9]( ?[0-9]){4,17}", fullmatch=True)
HOSTS = st.none() | st.sampled_from(("10.0.0.7", "::1", "a.example"))
PORTS = st.integers(1, 65535)
TRANSPORTS = st.sampled_from(("ntlm", "basic", "certificate"))
TIMES = st.sampled_from((("20:00", "06:00"), ("08:15", "16:00"), ("12:00", "00:00")))


def spans() -> st.SearchStrategy[dict[str, str]]:
    return st.tuples(DATES, DATES).map(sorted).map(lambda pair: {"from": pair[0], "to": pair[1]})


@st.composite
def agreements(draw: st.DrawFn) -> dict[str, Any]:
    status = draw(st.sampled_from(("missing", "sent", "signed")))
    sent, signed = sorted((draw(DATES), draw(DATES)))
    return {
        "status": status,
        "form": draw(st.sampled_from(("digital", "paper"))),
        "sent": None if status == "missing" else sent if status == "sent" else draw(st.none() | st.just(sent)),
        "signed": signed if status == "signed" else None,
        "reference": draw(st.none() | TEXTS),
    }


@st.composite
def sites(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Valid sites, every field of them drawn."""
    ids = draw(
        st.lists(st.from_regex(r"[A-Za-z0-9]{1,6}", fullmatch=True), unique_by=str.casefold, min_size=1, max_size=3)
    )
    result = []
    for number, site in enumerate(ids):
        wave = draw(st.none() | st.just(1))
        first, last = draw(TIMES)
        names = draw(st.lists(NAMES, unique_by=str.casefold, min_size=1, max_size=3))
        result.append(
            {
                "id": site,
                "name": draw(TEXTS),
                "kind": draw(st.sampled_from(("gp_office", "emergency_clinic", "specialist", "nursing_home"))),
                "county": draw(TEXTS),
                "language": draw(st.sampled_from(("nb", "nn"))),
                "epj": draw(st.none() | TEXTS),
                "wave": wave,
                "move_date": draw(st.none() | DATES) if wave else None,
                "mode": draw(st.sampled_from(("server_in_cloud", "second"))),
                "window": {
                    "weekdays": draw(st.lists(st.sampled_from(WEEKDAYS), unique=True, min_size=1)),
                    "from": first,
                    "to": last,
                },
                "asked": draw(st.none() | DATES),
                "closed": draw(st.none() | st.lists(spans(), max_size=3)),
                "contact": draw(
                    st.none()
                    | st.fixed_dictionaries(
                        {
                            "name": TEXTS,
                            "email": st.sampled_from(("kari@x.example", "=cmd@x.example", "+a@x.example")),
                            "phone": PHONES,
                            "weekends": st.booleans(),
                        }
                    )
                ),
                "agreement": draw(agreements()),
                "signatory_known": draw(st.booleans()),
                "ros": {"requested": draw(st.booleans()), "sent": draw(st.none() | DATES)},
                "confirmed": {"urls": draw(st.none() | DATES), "proxy": draw(st.none() | DATES)},
                "close_agreed": draw(st.booleans()),
                "history_months": draw(st.integers(12, 18)),
                "server": {
                    "name": "server",
                    "host": f"srv.k{number}.example",
                    "address": draw(HOSTS),
                    "port": draw(PORTS),
                    "transport": draw(TRANSPORTS),
                    "ca": draw(st.none() | TEXTS),
                    "credential": draw(NAMES),
                },
                "clients": [
                    {
                        "name": name,
                        "host": f"pc{at}.k{number}.example",
                        "address": draw(HOSTS),
                        "port": draw(st.none() | PORTS),
                        "transport": draw(st.none() | TRANSPORTS),
                        "ca": draw(st.none() | TEXTS),
                        "credential": draw(st.none() | NAMES),
                    }
                    for at, name in enumerate(names)
                ],
                "shared_server": None,
            }
        )
    return sorted(result, key=lambda each: each["id"])


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
@pytest.mark.parametrize("start", ["empty", "ids"])
def test_any_register_goes_out_and_comes_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, ending: str, start: str
) -> None:
    @settings(max_examples=60, deadline=None)
    @given(sites())
    def check(wanted: list[dict[str, Any]]) -> None:
        folder = tmp_path_factory.mktemp("round")
        register, table = folder / "register", folder / f"table.{ending}"
        register.mkdir()
        listed = "".join(f'  - id: "{site["id"]}"  # known\n' for site in wanted) if start == "ids" else "  []\n"
        (register / "sites.yml").write_text(f"waves:\n  - {{id: 1, name: One}}\nsites:\n{listed}")

        write_files(table_bytes(wanted, table))
        found = import_table(register, table, new_file=register / "sites.yml")
        assert found.conflicts == ()
        write_files({path: text.encode() for path, text in found.edited.texts.items()})

        assert plain(list(load_register(register).sites)) == wanted
        assert import_table(register, table).edited.texts == {}, "what is there already is no change"

    check()


# Out: nothing that Excel could take for something else.


def test_a_workbook_has_dates_and_texts_and_never_a_formula() -> None:
    site = example(name="=1+1", epj="#N/A", closed=[], move_date="2027-05-18", wave=1)

    content = table_bytes([site], Path("t.xlsx"))[Path("t.xlsx")]
    pages = openpyxl.load_workbook(io.BytesIO(content))

    assert pages.sheetnames == ["Kontor", "Klienter"]
    page = pages["Kontor"]
    at = {cell.value: cell.column_letter for cell in page[1]}
    cells = {name: page[f"{letter}2"] for name, letter in at.items()}
    assert [cells[name].data_type for name in ("Navn", "Journalsystem", "Telefon")] == ["s", "s", "s"]
    assert cells["Navn"].value == "=1+1"
    assert cells["Telefon"].value == "+47 55 00 10 01"
    assert cells["Telefon"].quotePrefix
    assert cells["Flyttedato"].is_date
    assert (cells["Flyttedato"].number_format, cells["Flyttedato"].value.date()) == ("dd.mm.yyyy", date(2027, 5, 18))
    assert cells["Stengt"].value == "ingen"
    assert page.freeze_panes == "B2"
    lists = {
        str(rule.sqref).rstrip("0123456789").split("2")[0]: rule.formula1
        for rule in page.data_validations.dataValidation
    }
    assert lists[at["Avtalestatus"]] == '"mangler,sendt,signert"'
    assert len(lists) == sum(bool(column.kind.words) for column in SITE_COLUMNS)


def test_a_csv_is_as_norwegian_excel_opens_it_and_never_a_formula() -> None:
    site = example(name="=1+1", epj="'=x", county="+A", move_date="2027-05-18", wave=1)
    path = Path("t.csv")

    contents = table_bytes([site], path)

    assert list(contents) == [path, Path("t.klienter.csv")]
    assert contents[path].startswith(b"\xef\xbb\xbfKontornr;Navn;")
    (row,) = csv.DictReader(io.StringIO(contents[path].decode("utf-8-sig"), newline=""), delimiter=";")
    assert (row["Navn"], row["Journalsystem"], row["Fylke"]) == ("'=1+1", "''=x", "'+A")
    assert (row["Telefon"], row["Flyttedato"], row["Kontornr"]) == ("'+47 55 00 10 01", "18.5.2027", "1001")
    assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def example(**more: Any) -> dict[str, Any]:
    raw = {"id": "1001", "name": "Ås", "kind": "gp_office", "county": "Vestland"}
    contact = {"name": "Kari", "email": "kari@x.example", "phone": "+47 55 00 10 01"}
    machines = {"server": {"host": "s.example"}, "clients": [{"name": "pc1", "host": "c.example"}]}
    entry = {
        **raw,
        "contact": contact,
        **machines,
        **{key: str(v) if isinstance(v, int) else v for key, v in more.items()},
    }
    return Site.model_validate(entry).model_dump(mode="json", by_alias=True)


# In: what stands in files.


def test_numbers_and_dates_of_a_workbook_are_kept_with_its_own_calendar(book: Book) -> None:
    path = book(["Kontornr", "Flyttedato", "Telefon", "Vindu fra"], [1001, 44896, 4755001001.0, time(20)], mac=True)

    (found,) = read_table(path)

    assert found.mac
    assert held(path) == [{"Kontornr": 1001, "Flyttedato": 44896, "Telefon": 4755001001, "Vindu fra": time(20)}]


def test_a_formula_and_an_error_are_seen_and_blanks_and_empty_rows_are_not(book: Book) -> None:
    path = book(
        [" Kontornr ", "Navn", "Fylke", None], ["\u00a01001 ", "=A1", "#N/A", " "], [" "], [], ["1002", " Ås\n"]
    )

    (found,) = read_table(path)

    assert found.formulas == {(2, 1)}
    assert found.broken == {(2, 2)}
    assert [row for row, _ in found.rows] == [2, 5]
    assert held(path)[1] == {"Kontornr": "1002", "Navn": "Ås"}


@pytest.mark.parametrize("names", [["Kontornr", "Fødselsdato", "Signatar", "Navn"]])
def test_what_is_personal_of_the_signatory_is_not_even_kept(book: Book, names: list[str]) -> None:
    path = book(names, ["1001", "1.2.1970", "Kanari Fugl", "Ås"])

    (found,) = read_table(path)

    assert found.left_out == ("Fødselsdato", "Signatar")
    assert "Kanari" not in repr(found)
    assert "1970" not in repr(found)


def test_another_reader_can_ask_for_just_these_columns(book: Book) -> None:
    path = book(["ID", "Fødselsdato", "Signatar", "Navn"], ["1001", "1.2.1970", "Kanari Fugl", "Ås"])

    (found,) = read_table(path, only=("signatar",))

    assert [(column.path, column.personal) for column in found.columns.values()] == [("id", False), ("signatar", True)]
    assert [row for _, row in found.rows] == [{0: "1001", 2: "Kanari Fugl"}]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Kontornr;Navn\r\n1001;Ås\r\n".encode("utf-8-sig"), "Ås"),
        ("Kontornr,Navn\n1001,Ås\n".encode(), "Ås"),
        ("Kontornr\tNavn\n1001\tÅs\n".encode("cp1252"), "Ås"),
        ("Kontornr\tNavn\n1001\tÅs\n".encode("utf-16"), "Ås"),
        ("sep=,\nKontornr,Navn\n1001,Ås\n".encode(), "Ås"),
        (b'\n;;\nKontornr;Navn\n;\n1001;"x;\ny"\n', "x;\ny"),
        (b"Kontornr;Navn\n1001;'=x\n", "=x"),
        (b"Kontornr;Navn\n1001;'tHooft\n", "'tHooft"),
    ],
)
def test_a_csv_is_read_whatever_wrote_it(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert held(path) == [{"Kontornr": "1001", "Navn": expected}]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("Kontornr;Navn\n1001;Ås\n".encode("mac-roman"), "encoding"),
        (b"Kontornr;Navn\n1001;\0\n", "encoding"),
        (b"Kontornr;Navn\n1001;\x81\n", "encoding"),
        (b'Kontornr;Navn\n1001;"A\n', "no CSV"),
        (b"", "is empty"),
        (b"Kontornr;Navn\n1001;A;B\n", "row 2: has a value in a column without a heading"),
        (b"Kontornr;Nvn\n1001;A\n", "did you mean 'Navn'"),
        (b"Kontornr;Navn\n" + b"1;A\n" * 50_001, "more than 50000 rows"),
    ],
)
def test_a_csv_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(SheetError, match=words):
        read_table(path)


def repacked(path: Path, name: str, content: bytes) -> None:
    with zipfile.ZipFile(path) as packed:
        parts = {part: packed.read(part) for part in packed.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for part, data in {**parts, name: content}.items():
            packed.writestr(part, data)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("xl/vbaProject.bin", b"x", "macros"),
        ("xl/externalLinks/externalLink1.xml", b"<x/>", "links to other files"),
        ("xl/sharedStrings.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "XML that Excel does not write"),
        ("xl/sharedStrings.xml", "<x/>".encode("utf-16"), "XML that Excel does not write"),
        ("xl/worksheets/sheet1.xml", b"<not", "cannot be read"),
        ("xl/workbook.xml", b"<workbook/>", "has no sheet"),
    ],
)
def test_what_no_table_needs_is_refused(book: Book, name: str, content: bytes, words: str) -> None:
    path = book(["Kontornr"], ["1001"])
    repacked(path, name, content)
    with pytest.raises(SheetError, match=words):
        read_table(path)


def test_a_file_that_is_too_large_or_no_table_is_refused(
    book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, words in (("t.xlsx", "no workbook"), ("t.xls", "neither"), ("none.csv", "no file")):
        if name != "none.csv":
            (tmp_path / name).write_bytes(b"nothing")
        with pytest.raises(SheetError, match=words):
            read_table(tmp_path / name)
    path = book(["Kontornr"], ["1001"])
    monkeypatch.setattr(_workbook, "_MOST_UNPACKED", 100)
    with pytest.raises(SheetError, match="unpacks to more"):
        read_table(path)
    monkeypatch.setattr(_workbook, "MOST_BYTES", 100)
    with pytest.raises(SheetError, match="larger than"):
        read_table(path)


def test_without_openpyxl_it_says_so(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    path = book(["Kontornr"], ["1001"])
    monkeypatch.setattr(_workbook, "_MISSING", ImportError("No module named 'openpyxl'"))
    for call in (lambda: read_table(path), lambda: table_bytes([], path)):
        with pytest.raises(ImportError, match=r"openpyxl, 3\.1 or later"):
            call()
    assert _sheet.table_bytes([], Path("t.csv"))
