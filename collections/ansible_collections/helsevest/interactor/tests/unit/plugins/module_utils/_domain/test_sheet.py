# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cells and headings: what people and Excel write, read as it was meant or told with its place."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain import cells, sheet
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.cells import (
    CellError,
    Kind,
    clean,
    same_phone,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.sheet import (
    CLIENT_COLUMNS,
    SIGNATORY,
    SITE_COLUMNS,
    Sheet,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import WEEKDAYS
from hypothesis import given
from hypothesis import strategies as st

BY_HEADING = {column.heading: column for column in SITE_COLUMNS}
SUMMER = [{"from": date(2027, 7, 5), "to": date(2027, 7, 25)}]


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        (cells.DATE, "2.12.2026", date(2026, 12, 2)),
        (cells.DATE, "02.12.2026", date(2026, 12, 2)),
        (cells.DATE, "2026-12-02", date(2026, 12, 2)),
        (cells.DATE, "2026-12-02 00:00:00", date(2026, 12, 2)),
        (cells.DATE, datetime(2026, 12, 2), date(2026, 12, 2)),  # noqa: DTZ001 as Excel has it
        (cells.DATE, 46358, date(2026, 12, 2)),
        (cells.DATE, 46358.0, date(2026, 12, 2)),
        (cells.DATE, "46358", date(2026, 12, 2)),
        (cells.TIME, "20:00", "20:00"),
        (cells.TIME, "kl. 7.30", "07:30"),
        (cells.TIME, "6", "06:00"),
        (cells.TIME, 20, "20:00"),
        (cells.TIME, time(20, 0), "20:00"),
        (cells.TIME, 0.8333, "20:00"),
        (cells.TIME, 5 / 6, "20:00"),
        (cells.TIME, 0.0, "00:00"),
        (cells.TIME, "0,8333", "20:00"),
        (cells.WINDOW, "20:00–06:00", {"from": "20:00", "to": "06:00"}),
        (cells.WINDOW, "kl. 10-14", {"from": "10:00", "to": "14:00"}),
        (cells.WINDOW, "20.00 til 06.00", {"from": "20:00", "to": "06:00"}),
        (cells.CLOSED, "5.7.2027–25.7.2027", SUMMER),
        (cells.CLOSED, "5.7.–25.7.2027", SUMMER),
        (cells.CLOSED, "2027-07-05 - 2027-07-25;", SUMMER),
        (
            cells.CLOSED,
            "5.7.2027–25.7.2027; 24.12.2027-2.1.2028",
            [*SUMMER, {"from": date(2027, 12, 24), "to": date(2028, 1, 2)}],
        ),
        (cells.CLOSED, "Ingen", []),
        (cells.CLOSED, "17.5.2027", [{"from": date(2027, 5, 17), "to": date(2027, 5, 17)}]),
        (cells.CLOSED, datetime(2027, 5, 17), [{"from": date(2027, 5, 17), "to": date(2027, 5, 17)}]),  # noqa: DTZ001 as Excel has it
        (cells.DAYS, "man–tor", ["mon", "tue", "wed", "thu"]),
        (cells.DAYS, "Man-Fre", list(WEEKDAYS[:5])),
        (cells.DAYS, "alle dager", list(WEEKDAYS)),
        (cells.DAYS, "fredag til måndag", ["fri", "sat", "sun", "mon"]),
        (cells.DAYS, "tir, man og lør.", ["tue", "mon", "sat"]),
        (cells.YES_NO, "Ja", True),
        (cells.YES_NO, "x", True),
        (cells.YES_NO, "NEI", False),
        (cells.YES_NO, True, True),
        (cells.YES_NO, 0, False),
        (cells.WHOLE, 12.0, 12),
        (cells.WHOLE, "18", 18),
        (cells.TEXT, 1001.0, "1001"),
        (cells.TEXT, 7, "7"),
        (cells.PHONE, 4755001001.0, "+4755001001"),
        (cells.PHONE, 55001001, "55001001"),
        (cells.PHONE, "0047 55 00 10 01", "0047 55 00 10 01"),
        (cells.PHONE, "'+47 55 00 10 01", "+47 55 00 10 01"),
        (BY_HEADING["Type"].kind, "Legevakt", "emergency_clinic"),
        (BY_HEADING["Type"].kind, "gp_office", "gp_office"),
        (BY_HEADING["Type"].kind, "sjukeheim", "nursing_home"),
        (BY_HEADING["Målform"].kind, "Nynorsk", "nn"),
        (BY_HEADING["Avtalestatus"].kind, "mangler", "missing"),
        (BY_HEADING["Avtaleform"].kind, "papir", "paper"),
    ],
)
def test_a_cell_is_read_as_it_was_meant(kind: Kind, cell: Any, value: object) -> None:
    assert kind.read(cell, False) == value


@pytest.mark.parametrize(
    ("kind", "cell", "words"),
    [
        (cells.DATE, "31.2.2027", "does not exist"),
        (cells.DATE, "2.12.26", "no date"),
        (cells.DATE, 2026, "no date"),
        (cells.DATE, 36525, "no day from 2000"),
        (cells.DATE, datetime(2026, 12, 2, 7), "time of day"),  # noqa: DTZ001 as Excel has it
        (cells.DATE, True, "no date"),
        (cells.TIME, "24:00", "no time of day"),
        (cells.TIME, 1.5, "no time of day"),
        (cells.WINDOW, "om kvelden", "no window"),
        (cells.WINDOW, 0.8333, "no window"),
        (cells.CLOSED, "uke 28", "no period"),
        (cells.CLOSED, "25.7.2027–5.7.2027", "ends before it begins"),
        (cells.CLOSED, "31.6.2027-2.7.2027", "does not exist"),
        (cells.DAYS, "man–", "no weekdays"),
        (cells.DAYS, "man-ons-fre", "no weekdays"),
        (cells.YES_NO, "kanskje", "not a word"),
        (cells.YES_NO, 2, "not a word"),
        (cells.WHOLE, 12.5, "no whole number"),
        (cells.TEXT, datetime(2027, 1, 14), "no text"),  # noqa: DTZ001 as Excel has it
        (cells.TEXT, 1.5, "decimals"),
        (cells.PHONE, "4,755E+09", "digits are lost"),
        (cells.PHONE, "4.755E+09", "digits are lost"),
        (cells.PHONE, 46701234567, "may have cut"),
        (cells.PHONE, 5555, "may have cut"),
        (cells.PHONE, 15001001, "may have cut"),
        (cells.PHONE, 55001001.5, "may have cut"),
    ],
)
def test_a_cell_that_could_mean_something_else_is_an_error(kind: Kind, cell: Any, words: str) -> None:
    with pytest.raises(CellError, match=words) as caught:
        kind.read(cell, False)
    assert caught.value.allowed


@pytest.mark.parametrize(("number", "mac", "day"), [(46358, False, "2026-12-02"), (44896, True, "2026-12-02")])
def test_a_serial_number_counts_from_1900_or_1904(number: int, mac: bool, day: str) -> None:
    assert cells.serial_day(number, mac).isoformat() == day
    assert cells.DATE.read(number, mac) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("cell", "value"),
    [(" \u00a0Ås \u200b", "Ås"), ("55\u00a000 10 01", "55 00 10 01"), ("\n", None), ("a\r\nb", "a\nb"), (0, 0)],
)
def test_blanks_do_no_harm(cell: Any, value: object) -> None:
    assert clean(cell) == value


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+47 55 00 10 01", "55001001", True),
        ("004755001001", "+47 55001001", True),
        ("4755001001", "+4755001001", True),
        ("47001001", "+47 47 00 10 01", True),
        ("55001001", "55001002", False),
        ("+46 55001001", "55001001", False),
    ],
)
def test_the_same_number_may_be_written_in_several_ways(one: str, other: str, same: bool) -> None:
    assert same_phone(one, other) is same
    assert same_phone(other, one) is same


DAYS = st.dates()


@given(DAYS)
def test_a_date_comes_back(day: date) -> None:
    assert cells.DATE.read(cells.norwegian_day(day), False) == day
    assert cells.DATE.read(cells.DATE.write(day.isoformat()), False) == day


@given(st.lists(st.tuples(DAYS, DAYS).map(sorted)), st.lists(st.sampled_from(WEEKDAYS), unique=True, min_size=1))
def test_periods_and_weekdays_come_back(periods: list[list[date]], days: list[str]) -> None:
    spans = [{"from": first, "to": last} for first, last in periods]
    assert cells.CLOSED.read(cells.CLOSED.write(spans), False) == spans
    assert cells.DAYS.read(cells.DAYS.write(days), False) == days


def test_every_word_that_is_written_is_read_back_and_the_registers_own_too() -> None:
    for column in SITE_COLUMNS:
        for word in column.kind.words:
            value = column.kind.read(word.upper(), False)
            assert column.kind.write(value) == word
            assert isinstance(value, bool) or column.kind.read(str(value), False) == value


def test_a_number_with_a_day_in_1900_is_none() -> None:
    with pytest.raises(CellError):
        cells.serial_day(60, False)


@pytest.mark.parametrize("known", [SITE_COLUMNS, CLIENT_COLUMNS])
def test_no_heading_means_two_columns(known: tuple[sheet.Column, ...]) -> None:
    names = [sheet.folded(name) for column in known for name in {column.heading, *column.also}]
    assert len(names) == len(set(names))
    assert not {sheet.folded(name) for name in SIGNATORY} & set(names)


@pytest.mark.parametrize("name", ["Tlf", "tlf.nr", "TLF NR.", "Telefon", "mobil"])
def test_a_heading_may_be_written_in_several_ways(name: str) -> None:
    columns, left_out, problems = sheet.headings({0: "ID", 3: name}, SITE_COLUMNS, "t", 1)
    assert [column.path for column in columns.values()] == ["id", "contact.phone"]
    assert not left_out
    assert not problems


def test_headings_that_are_unknown_or_twice_or_of_the_signatory_are_told() -> None:
    names = {0: "Kontornr", 1: "Fylkke", 2: "E-post", 3: "Mail", 4: "Fødselsdato", 5: "SIGNATAR"}
    columns, left_out, problems = sheet.headings(names, SITE_COLUMNS, "t", 1)
    assert set(columns) == {0, 2}
    assert left_out == ("Fødselsdato", "SIGNATAR")
    unknown, twice = map(str, problems)
    assert "did you mean 'Fylke'?" in unknown
    assert "Kontornr, Navn" in unknown
    assert "'Mail'" in twice
    assert "already" in twice
    assert "Kontornr: is missing" in str(sheet.headings({0: "Navn"}, SITE_COLUMNS, "t", 1)[2][0])


def test_a_row_of_values_is_no_row_of_headings_and_is_not_shown() -> None:
    names = {0: "1001", 1: "Kanari Fugl", 2: "55001001", 3: "Navn"}
    columns, _, problems = sheet.headings(names, SITE_COLUMNS, "t", 1)
    assert not columns
    assert "is no row of headings: 3 of its 4 cells" in str(problems[0])
    assert "Kanari" not in str(problems)
    assert "55001001" not in str(problems)


def table(*rows: dict[str, Any], formulas: tuple[tuple[int, str], ...] = ()) -> Sheet:
    columns = dict(enumerate(BY_HEADING.values()))
    at = {column.heading: number for number, column in columns.items()}
    cells_of = [(number, {at[name]: value for name, value in row.items()}) for number, row in enumerate(rows, 2)]
    return Sheet("t", columns, cells_of, formulas=frozenset((row, at[name]) for row, name in formulas))


def test_all_that_is_wrong_is_told_at_once_with_its_place_and_nothing_personal() -> None:
    answers = sheet.read(
        [
            table(
                {"Kontornr": 1001.0, "Flyttedato": "snart", "Telefon": "4,7E+09"},
                {"Navn": "Ås"},
                {"Kontornr": "1001"},
                {"Kontornr": "1003", "Vindu fra": "19:00", "Tidsvindu": "20–06"},
                formulas=((2, "E-post"), (5, "Navn")),
            )
        ]
    )
    told = [str(problem) for problem in answers.problems]
    assert [line.split(":")[0] for line in told] == [
        "t, row 2",
        "t, row 2",
        "t, row 2",
        "t, row 3",
        "t, row 4",
        *["t, row 5"] * 2,
    ]
    assert "Flyttedato: site 1001: 'snart' - is no date (allowed: a date as 2.12.2026)" in told[0]
    assert "Telefon: site 1001: (hidden) - " in "".join(told)
    assert "E-post: site 1001: is a formula" in "".join(told)
    assert "4,7E" not in "".join(told)


def test_rows_become_fields() -> None:
    answers = sheet.read(
        [
            table({"Kontornr": "1001", "Tidsvindu": "20–06", "Ukedager": "man"}),
            Sheet("k", dict(enumerate(CLIENT_COLUMNS)), [(2, {0: 1001, 1: "pc1", 2: "pc1.example", 4: 5986.0})]),
        ]
    )
    assert not answers.problems
    assert answers.values == {
        "1001": {
            "window.weekdays": ["mon"],
            "window.from": "20:00",
            "window.to": "06:00",
            "clients.pc1.name": "pc1",
            "clients.pc1.host": "pc1.example",
            "clients.pc1.port": 5986,
        }
    }
