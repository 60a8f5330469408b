# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A row as a person reads it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.table import (
    COUNTED,
    NARROW,
    SHORT,
    TONES,
    WIDE,
    Column,
    Line,
    cell,
    columns_for,
    local_time,
    site_line,
    summary,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import Category, Outcome, Verdict

ROW: dict[str, Any] = {
    "site": "1004",
    "name": "Fjellsida legekontor",
    "wave": 1,
    "window": "20:00–06:00",
    "state": "moved",
    "verdict": "not_ready",
    "outcome": "uncertain",
    "owes": ["double_proxy", "contact_missing"],
    "upgraded": "2027-05-14T15:31:00Z",
    "started": "2027-05-18T18:00:00Z",
    "finished": "2027-05-18T18:40:00Z",
    "switched": "2027-05-18T22:45:00Z",
    "verified": None,
    "counts": {"orders": "412/412", "started_requisitions": "31/31", "favourite_packages": "11/12"},
    "needs_us": True,
    "why": "one package is missing",
}


def texts(row: dict[str, Any], *parts: str) -> list[str]:
    return [line.text for line in cell(row, Column("", parts))]


@pytest.mark.parametrize(
    ("part", "lines"),
    [
        ("wave", [Line("1")]),
        ("site", [Line("1004")]),
        ("verdict", [Line("not ready", "warn")]),
        ("outcome", [Line("uncertain", "bad"), Line("needs us", "bad")]),
        ("counts", [Line("orders 412/412"), Line("requisitions 31/31"), Line("packages 11/12", "bad")]),
        ("times", [Line("upgraded 14.05 17:31"), Line("moved 19.05 00:45")]),
        ("owes", [Line("double proxy"), Line("contact missing"), Line("one package is missing", "bad")]),
    ],
)
def test_each_part(part: str, lines: list[Line]):
    assert cell(ROW, Column("", (part,))) == lines


def test_why_a_site_stands_is_told_after_what_it_owes():
    calm = {**ROW, "needs_us": False}
    assert texts(calm, "owes") == ["double proxy", "contact missing", "one package is missing"]
    assert cell({**calm, "owes": [], "why": "not released"}, Column("", ("owes",))) == [Line("not released")]
    assert texts(calm, "outcome") == ["uncertain"]


@pytest.mark.parametrize("layout", [WIDE, NARROW])
def test_what_is_not_known_yet_is_a_dash_and_both_layouts_tell_all(layout: tuple[Column, ...]):
    assert [cell({}, column) for column in layout] == [[Line("–")]] * len(layout)
    assert {part for column in layout for part in column.parts} == {part for column in WIDE for part in column.parts}
    told = {line.text for column in layout for line in cell(ROW, column)}
    assert told == {line.text for column in WIDE for line in cell(ROW, column)}


def test_a_word_of_tomorrow_is_shown_as_it_is():
    assert texts({"outcome": "half_done"}, "outcome") == ["half done"]
    assert texts({"counts": {"lab_images": "3/3"}}, "counts") == ["lab images 3/3"]


def test_every_word_has_its_place():
    assert set(COUNTED) == set(Category)
    assert set(TONES) == {*Verdict, *Outcome} - {Outcome.NOT_STARTED}


def test_columns_depend_on_the_width():
    assert columns_for(100) is NARROW
    assert columns_for(160) is WIDE


@pytest.mark.parametrize(
    ("utc", "oslo"),
    [
        ("2027-03-28T00:59:00Z", "28.03 01:59"),
        ("2027-03-28T01:00:00Z", "28.03 03:00"),
        ("2027-12-31T23:30:00Z", "01.01 00:30"),
    ],
)
def test_times_are_those_of_oslo(utc: str, oslo: str):
    assert local_time(utc) == oslo


def test_summary():
    def row(outcome: str | None, needs_us: bool = False) -> dict[str, Any]:
        return {"outcome": outcome, "needs_us": needs_us}

    assert summary([]) == "0 sites"
    assert summary([row("verified")]) == "1 site: 1 verified"
    rows = [row("not_started"), row("uncertain", True), row("verified"), row("verified"), row(None)]
    assert summary(rows) == "5 sites: 2 verified, 1 uncertain, 1 not started, 1 under way; 1 needs us"
    assert summary([row("failed", True), row("rolled_back", True)]).endswith("; 2 need us")


def test_clients_are_told_apart_where_the_office_vouches_for_one():
    def told(**clients: int) -> list[str]:
        counts = {"measured": 0, "self_checked": 0, "confirmed": 0, "missing": 0, **clients}
        return texts({"verdict": "ready", "clients": counts}, "verdict")

    assert told(measured=3) == told(measured=1, missing=2) == ["ready"]
    assert told(measured=3, self_checked=1) == ["ready", "clients: 3 measured, 1 self-checked"]
    assert told(confirmed=2, missing=1) == ["ready", "clients: 2 confirmed, 1 missing"]
    assert texts({"verdict": "ready"}, "verdict") == ["ready"]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"verdict": "ready"}, Line("1004 Fjellsida legekontor: ready", "good")),
        (
            {"owes_since": {"double_proxy": "2027-05-10T07:00:00Z"}},
            Line(
                "1004 Fjellsida legekontor: not ready: double proxy since 10.05; contact missing; "
                "one package is missing",
                "warn",
            ),
        ),
        ({"verdict": "unreachable", "owes": [], "why": ""}, Line("1004 Fjellsida legekontor: unreachable", "warn")),
        (
            {"verdict": "error", "owes": [], "needs_us": True},
            Line("1004 Fjellsida legekontor: error, needs us: one package is missing", "bad"),
        ),
        ({"verdict": None, "owes": [], "why": ""}, Line("1004 Fjellsida legekontor: not measured", "")),
    ],
)
def test_a_row_in_one_line(changes: dict[str, Any], line: Line) -> None:
    assert site_line({**ROW, "needs_us": False, **changes}) == line


@pytest.mark.parametrize("length", [SHORT, SHORT + 1])
def test_a_line_is_short_however_long_the_reasons_are(length: int) -> None:
    text = site_line({**ROW, "owes": [], "why": "x" * length}).text
    wrong = text.rpartition(": ")[2]
    assert len(wrong) == SHORT
    assert wrong.endswith("…") is (length > SHORT)
