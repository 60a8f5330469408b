# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all sites owe: the data for letters, and the list for operations."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.helsevest.interactor.plugins.filter.owes import FilterModule


def decided(site: str, *owes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    row = {"name": f"Kontor {site}", "wave": 1}
    return {"language": "nn", "asked": "2027-03-01", "row": row, "owes": list(owes), "warnings": [], **changes}


def owed(code: str, since: str | None, **changes: str) -> dict[str, Any]:
    told = {"code": code, "text": f"{code} is missing", "remedy": "Gjer det", "who": "site", "since": since}
    return {**told, "basis": "measured", **changes}


ANSWER: dict[str, Any] = {
    "now": "2027-05-12T22:30:00Z",
    "as_of": "2027-05-12T07:00:00Z",
    "sites": {
        "1002": decided("1002", owed("P5", "2027-05-11T22:30:00Z"), owed("P4", "2027-04-01", basis="agreement_sent")),
        "1003": decided("1003"),
        "1001": decided("1001", owed("P6.urls", None, basis="not_asked", who="us"), asked=None),
        "1004": decided("1004", owed("CLIENT.1004-pc1", None, basis="unknown"), row={"name": "Kontor", "wave": None}),
    },
}
FILTERS = FilterModule().filters()


def test_letters_get_days_and_language_and_only_sites_that_owe():
    told = FILTERS["owes_data"](ANSWER)
    assert (told["day"], told["as_of"]) == ("2027-05-13", "2027-05-12T07:00:00Z")
    assert [site["site"] for site in told["sites"]] == ["1001", "1002", "1004"]
    second = told["sites"][1]
    assert {**second, "owes": None} == {
        "site": "1002",
        "name": "Kontor 1002",
        "wave": 1,
        "language": "nn",
        "asked": "2027-03-01",
        "owes": None,
        "warnings": [],
    }
    assert second["owes"][0] == {**owed("P5", "2027-05-11T22:30:00Z"), "days": 1}, "days in Norway, not in UTC"
    assert told["sites"][0]["owes"][0]["days"] is None


def test_who_waits_longest_comes_first_and_what_has_no_date_last():
    told = FILTERS["owes_list"](ANSWER)
    assert told["title"] == "What sites still owe: 4 things of 3 sites"
    assert told["rows"] == [
        ["01.04.2027", "42 days", "wave 1", "1002", "Kontor 1002", "P4", "site", "P4 is missing"],
        ["12.05.2027", "1 day", "wave 1", "1002", "Kontor 1002", "P5", "site", "P5 is missing"],
        ["not asked yet", "", "wave 1", "1001", "Kontor 1001", "P6.urls", "us", "P6.urls is missing"],
        ["not known", "", "no wave", "1004", "Kontor", "CLIENT.1004-pc1", "site", "CLIENT.1004-pc1 is missing"],
    ]
    assert {len(row) for row in told["rows"]} == {len(told["headings"])}


def warned(code: str, text: str) -> dict[str, Any]:
    return {"code": code, "title": f"{code} is so", "text": text, "remedy": "Gjer det", "who": "site"}


def test_warnings_are_listed_by_check_with_the_sites_that_they_are_of():
    many = {f"{number}": decided(f"{number}", warnings=[warned("P3", "12 Mbit/s")]) for number in range(2001, 2031)}
    answer = {**ANSWER, "sites": {**many, "1001": decided("1001", warnings=[warned("DISK", "x"), warned("P3", "y")])}}
    told = FILTERS["warnings_list"](answer)
    assert told["title"] == "Warnings, which stop nobody: 32 at 31 sites"
    assert told["rows"][0] == ["DISK", "1", "1001", "DISK is so"]
    check, number, which, title = told["rows"][1]
    assert (check, number, title) == ("P3", "31", "P3 is so")
    assert which.startswith("1001, 2001, 2002, ")
    assert which.endswith(", 2019 and 11 more")
    assert FILTERS["warnings_list"](ANSWER)["rows"] == []


def test_letters_get_warnings_as_well_and_who_has_nothing_else():
    answer = {**ANSWER, "sites": {**ANSWER["sites"], "1003": decided("1003", warnings=[warned("P3", "12 Mbit/s")])}}
    (third,) = [site for site in FILTERS["owes_data"](answer)["sites"] if site["site"] == "1003"]
    assert (third["owes"], third["warnings"]) == ([], [warned("P3", "12 Mbit/s")])


def test_what_a_rollback_would_lose_is_listed_where_one_is_refused_for_it():
    made = [
        {"category": "orders", "id": "ord-2", "at": "2027-05-19T06:40:00Z"},
        {"category": "orders", "id": "ord-1", "at": "2027-05-19T06:10:00Z"},
        {"category": None, "id": "x-1", "at": None},
    ]
    refused = [{"code": "point_of_no_return"}]
    answer = {
        "sites": {
            "1003": {"reasons": refused, "point_of_no_return": {"passed": None, "made": []}},
            "1002": {"reasons": [{"code": "halted"}], "point_of_no_return": {"passed": True, "made": made}},
            "1001": {"reasons": refused, "point_of_no_return": {"passed": True, "made": made}},
        }
    }
    told = FILTERS["lost_list"](answer)
    assert told["rows"] == [
        ["1001", "", "", "x-1"],
        ["1001", "19.05.2027 08:10", "orders", "ord-1"],
        ["1001", "19.05.2027 08:40", "orders", "ord-2"],
        ["1003", "", "", "the cloud does not say what was made in it"],
    ]
    assert {len(row) for row in told["rows"]} == {len(told["headings"])}
    assert FILTERS["lost_list"]({"sites": {}})["rows"] == []


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("answer", [None, {}, {"now": "soon", "sites": {"1001": {}}}])
def test_what_is_no_answer_is_said(name: str, answer: Any):
    with pytest.raises(AnsibleFilterError, match=f"{name}: this is no answer of site_gate"):
        FILTERS[name](answer)
