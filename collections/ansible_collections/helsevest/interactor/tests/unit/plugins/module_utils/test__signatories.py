# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signatories' file as text and the look-up list as a table."""

from __future__ import annotations

import csv
import io
import traceback
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.signatory import Signatory, SignatoryError
from ansible_collections.helsevest.interactor.plugins.module_utils._signatories import (
    harmless,
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
        (f"signatories:\n  1001: {{name: [{CANARY}], born: 1970-01-31}}\n", "file:2: site 1001: name: is a list"),
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
