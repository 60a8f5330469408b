# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checklist as data, and what people say that they have seen: everything that is wrong is told at once."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.checklist import (
    Checklist,
    ChecklistError,
    Needs,
    Result,
    Row,
    read_checklist,
    read_seen,
    table,
)

TODAY = date(2027, 5, 12)
ROW: dict[str, Any] = {
    "id": "1",
    "question": "Does it?",
    "needs": "nobody",
    "measure": "m",
    "of": ["a look"],
    "how": "so",
}
PERSON = {"id": "2", "question": "Seen?", "needs": "person", "of": ["b"], "how": "look"}
STEP = {
    "id": "2a",
    "question": "Later?",
    "needs": "step",
    "measure": "m",
    "limits": {"seconds": 3},
    "of": ["a look", "c"],
    "how": "x",
}
FILE = {"rows": [ROW, PERSON, STEP], "passed_on": {"a look": ["model", "engine"], "c": ["model"]}}


def checklist() -> Checklist:
    return read_checklist(FILE, "list.yml", ["m"])


def seen(data: object) -> Any:
    return read_seen(data, "seen.yml", checklist(), "Kari", TODAY)


def faults(data: object) -> list[str]:
    with pytest.raises(ChecklistError) as told:
        seen(data)
    return str(told.value).splitlines()


def test_the_rows_are_read_in_their_order():
    rows = checklist().rows
    assert [row.id for row in rows] == ["1", "2", "2a"]
    assert rows[2] == Row("2a", "Later?", Needs.STEP, ("a look", "c"), "x", "m", {"seconds": 3})


def test_a_row_has_passed_on_what_all_its_steps_have():
    told = checklist()
    assert [told.passed(row) for row in told.rows] == [("model", "engine"), (), ("model",)]
    assert table(told) == [
        ["1", "Does it?", "nobody", "a look", "model, engine", "so"],
        ["2", "Seen?", "a person", "b", "-", "look"],
        ["2a", "Later?", "a later step", "a look, c", "model", "x"],
    ]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({**ROW, "needs": "luck"}, "row '1': needs: is 'luck'; allowed are nobody, person, step"),
        ({**ROW, "measure": "n"}, "row '1': measure: is 'n'; allowed are m"),
        ({**ROW, "measure": None}, "row '1': measure: is missing; what needs nobody is measured"),
        ({**ROW, "of": "a look"}, "row '1': of: is 'a look'; a list of texts is allowed"),
        ({**ROW, "how": " "}, "row '1': how: is ' '; a text is allowed"),
        (
            {**ROW, "colour": 1},
            "row '1': colour: is no field; allowed are id, question, needs, of, how, measure, limits",
        ),
        ({**ROW, "id": 1}, "row 1: id: is 1; a text is allowed"),
        ({"question": "?"}, "row no. 1: id: is missing"),
        ("a", "row no. 1: is 'a'; a mapping is allowed"),
    ],
)
def test_a_row_that_is_wrong(row: object, says: str):
    with pytest.raises(ChecklistError) as told:
        read_checklist({"rows": [row], "passed_on": {}}, "list.yml", ["m"])
    assert f"list.yml: {says}" in str(told.value).splitlines()


def test_an_id_is_one_rows_alone():
    with pytest.raises(ChecklistError, match="row '1': id: '1' stands there twice"):
        read_checklist({"rows": [ROW, ROW], "passed_on": {}}, "list.yml", ["m"])


@pytest.mark.parametrize("data", [None, [], {"rows": []}, {"rows": {}, "passed_on": {}}])
def test_a_file_that_is_no_checklist(data: object):
    with pytest.raises(ChecklistError, match=r"^list\.yml: a mapping with a list `rows`"):
        read_checklist(data, "list.yml", ["m"])


def test_a_word_alone_is_of_who_runs_it_and_of_today():
    assert seen({2: "passed"})["2"].to_dict() == {"result": "passed", "note": "", "who": "Kari", "date": "2027-05-12"}


def test_what_is_told_is_kept():
    told = seen({"2a": {"result": "not applicable", "note": "no PC", "who": "Ola", "date": date(2027, 5, 1)}})["2a"]
    assert (told.result, told.note, told.who, told.day) == (Result.NOT_APPLICABLE, "no PC", "Ola", date(2027, 5, 1))


def test_nothing_is_nothing():
    assert seen(None) == {} == seen({})


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"9": "passed"}, "row '9': is none of the checklist; allowed are 2, 2a"),
        ({"2b": "passed"}, "row '2b': is none of the checklist; allowed are 2, 2a"),
        ({"1": "passed"}, "row '1': is found out by itself; allowed are 2, 2a"),
        ({"2": "okay"}, "row '2': result: is 'okay'; allowed are passed, failed, open, not applicable"),
        ({"2": True}, "row '2': result: is True; allowed are passed, failed, open, not applicable"),
        ({"2": {"note": "x"}}, "row '2': result: is None; allowed are passed, failed, open, not applicable"),
        ({"2": {"result": "passed", "by": 1}}, "row '2': by: is no field; allowed are result, note, who, date"),
        ({"2": {"result": "passed", "who": 1}}, "row '2': who: is 1; a text is allowed"),
        ({"2": {"result": "passed", "date": "May"}}, "row '2': date: is 'May'; a date as 2027-05-18 is allowed"),
        (
            {"2": {"result": "passed", "date": "2027-05-13"}},
            "row '2': date: is 2027-05-13, which is still to come; allowed is a date until 2027-05-12",
        ),
        (["2"], "is ['2']; a mapping of rows to what was seen is allowed"),
    ],
)
def test_an_answer_that_is_wrong_is_told_with_file_row_field_value_and_what_is_allowed(data: object, says: str):
    assert faults(data) == [f"seen.yml: {says}"]


def test_all_that_is_wrong_is_told_at_once():
    assert len(faults({"9": "passed", "2": {"result": "yes", "date": "x"}, "1": "failed", "2a": "passed"})) == 4
