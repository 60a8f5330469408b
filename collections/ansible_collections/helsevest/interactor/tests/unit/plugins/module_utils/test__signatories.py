# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signatories' file as text and the look-up list as a table."""

from __future__ import annotations

import csv
import io
import traceback
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.sheet import SIGNATORY, folded
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.signatory import (
    Signatory,
    SignatoryError,
    read_signatories,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._excel_csv import harmless
from ansible_collections.helsevest.interactor.plugins.module_utils._signatories import (
    COLUMNS,
    from_table,
    lookup_table,
    parse,
    render,
)
from hypothesis import given
from hypothesis import strategies as st

TODAY = date(2027, 5, 10)
CANARY = "Kanarifugl"
PERSON = Signatory("Åse O'Neil", date(1970, 1, 31), "Storgata 1, 5003 Bergen")
SITE: Any = SimpleNamespace(id="1001", name="Prøvesund legekontor", agreement_form="digital")


def read(text: str | bytes) -> dict[str, Signatory]:
    return parse(text.encode() if isinstance(text, str) else text, "file", ["1001", "0047"], TODAY)


def complaint(text: str | bytes) -> str:
    """What is said; no part of it, nor of what caused it, holds the canary."""
    with pytest.raises(SignatoryError) as caught:
        read(text)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def test_a_text_means_what_its_field_says():
    told = read("signatories:\n  1001: {name: No, born: 1970-01-31, address: ~}\n  0047: {name: Li, born: 31.1.1970}\n")
    assert told == {"1001": Signatory("No", date(1970, 1, 31)), "0047": Signatory("Li", date(1970, 1, 31))}


@pytest.mark.parametrize("text", ["signatories:\n", "signatories: {}\n", "---\nsignatories: null\n"])
def test_there_may_be_nobody(text: str):
    assert read(text) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"signatories:\n  1001: {{name: {CANARY}", "file:2:26: is no YAML"),
        (f"signatories:\n  1001:\n    name: {CANARY}\n   born: *{CANARY}\n", "is no YAML"),
        (f"signatories: *{CANARY}\n", "file:1:14: is no YAML"),
        (f"signatories: !{CANARY}!x y\n", "is no YAML"),
        (f"signatories: {CANARY}\n", "file:1: signatories: is no mapping"),
        (f"signatories:\n- {CANARY}\n", "file:2: signatories: is no mapping"),
        (f"{CANARY}\n", "file:1: must hold one field (allowed: signatories)"),
        (f"signatories: {{}}\n{CANARY}: x\n", "must hold one field"),
        ("signatories: {}\nsignatories: {}\n", "must hold one field"),
        ("", "must hold one field"),
        (f"signatories:\n  {CANARY}: {{name: {CANARY}}}\n", "file:2: is no site of the register"),
        (f"signatories:\n  1001: {CANARY}\n", "file:2: site 1001: is no mapping"),
        (
            f"signatories:\n  1001: {{name: [{CANARY}], born: 1970-01-31}}\n",
            "file:2: site 1001: name: is no plain value",
        ),
        (f"signatories:\n  1001: {{name: Li, born: 1970-01-31, [{CANARY}]: x}}\n", "a field that is not known here"),
        (f"signatories:\n  1001: {{name: '{CANARY}1', born: {CANARY}}}\n", "born: is no date"),
        (f"{CANARY}: \x07", "file: is no YAML"),
        (CANARY.encode() + b"\xff", "file: is no text in UTF-8"),
        ("[" * 20_000, "is no YAML"),
    ],
)
def test_what_is_wrong_is_told_without_what_is_there(text: str | bytes, words: str):
    assert words in complaint(text)


def test_what_is_written_is_read_again_and_holds_no_comment():
    people = {"0047": PERSON, "1001": Signatory("Li", date(1980, 2, 29))}
    text = render(people)
    assert read(text) == people
    assert b"#" not in render(read(b"# called\n" + text))


def test_the_list_is_a_table_as_norwegian_excel_opens_it():
    raw = lookup_table([SITE], {"1001": PERSON})
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.decode("utf-8-sig") == (
        "Nr.;Kontor;Navn;Født;Adresse;Signering\r\n"
        "1001;Prøvesund legekontor;Åse O'Neil;31.01.1970;Storgata 1, 5003 Bergen;digitalt\r\n"
    )


@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=40))
def test_no_cell_is_a_formula_and_every_cell_stays_one(text: str):
    (_, row) = csv.reader(
        io.StringIO(lookup_table([SITE], {"1001": Signatory("Li", PERSON.born, text)}).decode("utf-8-sig"), newline=""),
        delimiter=";",
    )
    assert row[4] in (text, f"'{text}")
    assert not row[4].lstrip().startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize("cell", ["=1+1", "+47", "-1", "@x", "\t=1", " =1", "＝1"])
def test_what_a_spreadsheet_takes_for_a_formula_is_made_harmless(cell: str):
    assert harmless(cell) == f"'{cell}"
    assert harmless("Storgata 1-3") == "Storgata 1-3"


HEAD = ["Kontornr", "Navn", "Kontaktperson", "Signatar", "Født", "Privat adresse", "Fødselsnummer"]
ROWS: list[list[Any]] = [
    ["1001", "Prøvesund", "Astrid", "Åse O'Neil", date(1970, 1, 31), "Storgata 1, 5003 Bergen", "310170 00000"],
    [47, "Fjordgata", None, "Li", "31.1.1970", None, None],
    ["1003", "Vågen", "Ola", "Bo", None, None, None],
    ["1004", "Strand", "Ola", None, None, None, None],
]


def told(path: Path) -> tuple[list[tuple[str, int, dict[str, str | None]]], list[str]]:
    entries, incomplete = from_table(path)
    return [(one.site, one.line, {f.name: f.value for f in one.fields or ()}) for one in entries], incomplete


def workbook(path: Path, rows: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for row in rows:
        page.append(row)
    book.save(path)
    return path


def test_of_a_table_only_who_signs_is_read(tmp_path: Path):
    whole = {"name": "Åse O'Neil", "born": "1970-01-31", "address": "Storgata 1, 5003 Bergen"}
    short = {"name": "Li", "born": "31.1.1970"}
    table = workbook(tmp_path / "answers.xlsx", [HEAD, *ROWS])
    assert told(table) == ([("1001", 2, whole), ("47", 3, short)], ["1003"])
    text = "Kontor-ID;Signatar;Fødselsdato;Telefon\n1001;Åse;1970-01-31;1\n"
    (tmp_path / "answers.csv").write_text(text, encoding="utf-8")
    assert told(tmp_path / "answers.csv") == ([("1001", 2, {"name": "Åse", "born": "1970-01-31"})], [])


def test_a_formula_is_no_answer(tmp_path: Path):
    rows = [HEAD, ["1001", "x", "y", f'="{CANARY}"', "31.1.1970", None, None]]
    entries, _ = from_table(workbook(tmp_path / "answers.xlsx", rows))
    with pytest.raises(SignatoryError, match="site 1001: name: is no plain value") as caught:
        parse_entries(entries)
    assert CANARY not in str(caught.value)


def parse_entries(entries: list[Any]) -> dict[str, Signatory]:
    return read_signatories("table", entries, ["1001"], TODAY)


def test_the_columns_are_those_that_every_other_import_leaves_out():
    others = {folded(heading) for heading in SIGNATORY}
    assert {folded(heading) for headings in COLUMNS.values() for heading in headings} <= others
