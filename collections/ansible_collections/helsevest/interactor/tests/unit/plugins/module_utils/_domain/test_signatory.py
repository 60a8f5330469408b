# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signatory: what an entry may hold, and that no complaint repeats what it holds."""

from __future__ import annotations

from datetime import date

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.signatory import (
    RawEntry,
    RawField,
    Signatory,
    SignatoryError,
    merge,
    read_signatories,
)
from hypothesis import given
from hypothesis import strategies as st

TODAY = date(2027, 5, 10)
KNOWN = ("1001", "1002")
GOOD = {"name": "Åse O\u2019Neil-Bjørk", "born": "1970-01-31", "address": "Storgata 1, 5003 Bergen"}


def entry(site: str = "1001", line: int = 2, **fields: str | None) -> RawEntry:
    return RawEntry(
        site, line, [RawField(name, line + at, value) for at, (name, value) in enumerate(fields.items(), 1)]
    )


def problems(*entries: RawEntry) -> list[str]:
    with pytest.raises(SignatoryError) as caught:
        read_signatories("file", entries, KNOWN, TODAY)
    return caught.value.problems


def read(**fields: str | None) -> Signatory:
    return read_signatories("file", [entry(**fields)], KNOWN, TODAY)["1001"]


def test_an_entry_is_read():
    assert read(**GOOD) == Signatory("Åse O\u2019Neil-Bjørk", date(1970, 1, 31), "Storgata 1, 5003 Bergen")
    assert read(name=" Li ", born=" 1.2.1970 ", address=None) == Signatory("Li", date(1970, 2, 1))
    assert read(name="Li", born="31.01.1970").address is None


@pytest.mark.parametrize("born", ["2009-05-10", "10.5.2009", "1907-01-01"])
def test_the_youngest_and_the_oldest_who_can_sign(born: str):
    assert read(name="Li", born=born)


@pytest.mark.parametrize(
    ("born", "words"),
    [
        ("2009-05-11", "is no date of birth of somebody who can sign"),
        ("1906-05-10", "is no date of birth of somebody who can sign"),
        ("2027-05-11", "lies in the future"),
        ("2027-05-10", "is no date of birth of somebody who can sign"),
        ("1970-02-30", "is no date"),
        ("70-01-31", "is no date"),
        ("31/1/1970", "is no date"),
        ("1970-1-31", "is no date"),
        ("", "is no date"),
    ],
)
def test_other_dates_are_refused_without_being_repeated(born: str, words: str):
    (told,) = problems(entry(**{**GOOD, "born": born}))
    assert told == f"file:4: site 1001: born: {words} (allowed: 1970-01-31 or 31.1.1970, 18 to 120 years ago)"


def test_born_on_a_leap_day_is_of_age_from_the_first_of_march():
    leap = [entry(name="Li", born="2008-02-29")]
    with pytest.raises(SignatoryError):
        read_signatories("file", leap, KNOWN, date(2026, 2, 28))
    assert read_signatories("file", leap, KNOWN, date(2026, 3, 1))


@pytest.mark.parametrize("name", ["", "=1+1", "Kari\nNordmann", "Kari;Nordmann", "01017012345", "-Kari", "K" * 101])
def test_what_is_no_name(name: str):
    (told,) = problems(entry(**{**GOOD, "name": name}))
    assert told.startswith("file:3: site 1001: name: is no name (allowed: one line")


@pytest.mark.parametrize("address", ["", "a\tb", "a\nb", "a" * 201])
def test_what_is_no_address(address: str):
    (told,) = problems(entry(**{**GOOD, "address": address}))
    assert told.startswith("file:5: site 1001: address: is no address (allowed: one line")


def test_everything_that_is_wrong_is_told_at_once_with_its_place_and_without_a_value():
    secret = "Hemmelig Person"
    told = problems(
        entry(secret, 2, **GOOD),
        RawEntry("1002", 7),
        entry("1001", 9, **{secret: "x", "born": secret}),
        entry("1001", 20, **GOOD),
        RawEntry("1002", 30, [RawField("name", 31, None, plain=False)] * 2),
    )
    assert told == [
        "file:2: is no site of the register (allowed: the id of one of its sites)",
        "file:7: site 1002: is no mapping (allowed: name, born, address)",
        "file:10: site 1001: holds a field that is not known here (allowed: name, born, address)",
        "file:11: site 1001: born: is no date (allowed: 1970-01-31 or 31.1.1970, 18 to 120 years ago)",
        "file:9: site 1001: name: is missing (allowed: one line of at most 100 letters, "
        "with spaces, hyphens, apostrophes and periods between)",
        "file:20: site 1001: stands twice (allowed: one entry for each site)",
        "file:30: site 1002: stands twice (allowed: one entry for each site)",
    ]


def test_a_field_twice_or_with_more_than_a_line_in_it():
    twice = RawEntry("1001", 2, [RawField("name", 3, "Li"), RawField("name", 4, "Bo"), RawField("born", 5, None)])
    assert [told.partition(" (")[0] for told in problems(twice)] == [
        "file:4: site 1001: name: stands twice",
        "file:5: site 1001: born: is missing",
    ]
    deep = RawEntry("1001", 2, [RawField("name", 3, None, plain=False), RawField("born", 4, "1970-01-31")])
    assert [told.partition(" (")[0] for told in problems(deep)] == ["file:3: site 1001: name: is no plain value"]


@given(st.text(min_size=4), st.text(min_size=4), st.text(min_size=4))
def test_whatever_was_typed_no_complaint_repeats_it(name: str, born: str, address: str):
    # Only digits of which the complaint itself has none, so that what is found has been repeated.
    values = [f"\x07{value}\x07" for value in (name, born, address)]
    told = " ".join(problems(entry(name=values[0], born=values[1], address=values[2])))
    assert not [value for value in values if value in told or repr(value)[1:-1] in told]


@given(st.dates(min_value=date(1930, 1, 1), max_value=date(2000, 12, 31)))
def test_a_date_is_read_alike_in_both_forms(born: date):
    forms = (born.isoformat(), f"{born.day}.{born.month}.{born.year}", f"{born:%d.%m.%Y}")
    assert {read(name="Li", born=form).born for form in forms} == {born}


def test_a_signatory_is_never_shown():
    person = read(**GOOD)
    assert repr(person) == str(person) == f"{person!r}" == "Signatory(hidden)"
    assert "Bjørk" not in repr(entry(**GOOD))
    assert "Bjørk" not in repr({"1001": person})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("the office withdrew", False),
        ("wrong person: ÅSE", True),
        ("bjørk has left", True),
        ("born 31.1.1970", True),
        ("born 31.01.1970", True),
        ("310170 is wrong", True),
        ("lives in storgata 1, 5003 bergen", True),
        ("Åsen legekontor closed", False),
    ],
)
def test_a_text_that_tells_of_the_person_is_noticed(text: str, told: bool):
    assert read(**GOOD).is_told_in(text) is told


def test_a_table_adds_and_says_the_same_or_is_refused_with_every_difference():
    old = {"1001": Signatory("Li", date(1970, 1, 31)), "1002": Signatory("Bo", date(1980, 1, 1), "Storgata 1")}
    assert merge("table", old, {}) == merge("table", old, {"1001": old["1001"]}) == old
    new = {"1001": Signatory("Liv", date(1970, 1, 30)), "1002": Signatory("Bo", date(1980, 1, 1))}
    with pytest.raises(SignatoryError) as caught:
        merge("table", old, new)
    assert [told.partition(" is another")[0] for told in caught.value.problems] == [
        "table: site 1001: name:",
        "table: site 1001: born:",
        "table: site 1002: address:",
    ]
    assert merge("table", old, new, overwrite=True) == new
    assert merge("table", {"1002": old["1002"]}, {"1001": new["1001"]}) == {"1002": old["1002"], "1001": new["1001"]}
