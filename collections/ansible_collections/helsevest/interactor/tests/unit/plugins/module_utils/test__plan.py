# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner as module and action plugin call it, on small registers and on one of 300 sites."""

from __future__ import annotations

import copy
import itertools
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils import _plan
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.gate import may
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.plan import (
    MAXIMIZED,
    Option,
    Party,
    Problem,
    option_on,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.plan_check import violations
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.plan_room import Room
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.plan_waves import Wave
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import Standing
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.step import Settings, Situation
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import parse_time
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import Step
from ansible_collections.helsevest.interactor.plugins.module_utils._plan import PlanError, answer, read_case
from ansible_collections.helsevest.interactor.plugins.module_utils._solver import solve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .plan_fleet import NIGHT, fleet, site

CONTRACT: dict[str, Any] = {
    "config": {"modes": {"server_in_cloud": {"mode": "server_in_cloud"}, "second": {}}},
    "migration": {"expected_minutes": 60},
}
NOW = datetime(2027, 1, 4, 8, tzinfo=UTC)
WAVE = {"id": 3, "name": "Bølge 3", "dates": {"from": "2027-02-01", "to": "2027-02-05"}, "window": None, "freezes": []}


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Make a plan on the morning of 4 January 2027."""
    monkeypatch.setattr(_plan, "clock_now", lambda _url: NOW)
    return lambda sites, **given: answer(params(sites, **given))["plan"]


def params(sites: list[dict[str, Any]], **given: Any) -> dict[str, Any]:
    names = {"waves", "calendar", "contract", "states", "previous"}
    told = {name: given.pop(name) for name in names & set(given)}
    return {"sites": sites, "waves": [], "calendar": None, "contract": CONTRACT} | {
        **{"states": {}, "previous": None, "clock_url": None},
        **told,
        "settings": {name.rstrip("_"): value for name, value in given.items()},
    }


def dates(plan: dict[str, Any]) -> dict[str, str]:
    return {row["site"]: row["move_date"] for row in plan["sites"]}


def codes(plan: dict[str, Any], of: int | str) -> list[str]:
    return [reason["code"] for out in plan["left_out"] if out["site"] == str(of) for reason in out["reasons"]]


def test_a_site_gets_the_first_night_and_all_that_follows_from_it(plan: Callable[..., dict[str, Any]]) -> None:
    told = plan([site(1001)])
    assert told["sites"] == [
        {
            "site": "1001",
            "name": "Kontor 1001",
            "county": "Vestland",
            "epj": "Journalen",
            "wave": 1,
            "wave_name": "Week 4, 2027",
            "move_date": "2027-01-25",
            "upgrade_date": "2027-01-22",
            "opens": "2027-01-25T19:00:00Z",
            "ends": "2027-01-26T05:00:00Z",
            "morning": "2027-01-26",
            "promised": False,
            "answered": True,
            "signed": True,
            "was": {"wave": None, "move_date": None},
            "shared_server": None,
        }
    ]
    assert (told["status"], told["distance"], told["changed"]) == ("optimal", 0.0, 0)
    assert told["nights"] == [{"date": "2027-01-25", "moves": 1, "capacity": 20, "promised": 0}]
    assert told["mornings"] == [{"date": "2027-01-26", "calls": 1, "capacity": 20}]
    assert told["new_waves"] == [{"id": 1, "name": "Week 4, 2027", "from": "2027-01-25", "to": "2027-01-31"}]
    assert (told["from"], told["to"]) == ("2027-01-25", "2027-07-24")


def test_a_friday_needs_a_contact_on_saturday(plan: Callable[..., dict[str, Any]]) -> None:
    friday = {**NIGHT, "weekdays": ["fri"]}
    there = site(1002, window=friday)
    there["interactor_site"]["contact"]["weekends"] = True
    told = plan([site(1001, window=friday), there])
    assert dates(told) == {"1002": "2027-01-29"}
    assert codes(told, 1001) == ["no_opening", "contact_day_after"]
    assert told["mornings"] == [{"date": "2027-01-30", "calls": 1, "capacity": 5}]


def test_what_is_full_is_told_by_what_fills_it(plan: Callable[..., dict[str, Any]]) -> None:
    week = {"from_": "2027-01-25", "to": "2027-01-26"}
    told = plan([site(number) for number in range(1001, 1006)], **week, moves_per_night=2)
    assert told["goals"][0] == {"goal": "answered", "value": 4, "bound": 4, "distance": 0.0}
    assert [out["reasons"][0]["code"] for out in told["left_out"]] == ["moves_full"]
    told = plan([site(number) for number in range(1001, 1006)], **week, calls_on={"2027-01-26": 1, "2027-01-27": 1})
    assert len(told["sites"]) == 2
    assert {code for out in told["left_out"] for code in codes(told, out["site"])} == {"calls_full"}


def test_who_has_answered_goes_before_who_has_not(plan: Callable[..., dict[str, Any]]) -> None:
    silent = [site(number, contact=None) for number in range(1001, 1004)]
    told = plan([*silent, site(1009)], from_="2027-01-25", to="2027-01-25", moves_per_night=1, answer_days=0)
    assert list(dates(told)) == ["1009"] or codes(told, 1009) == []
    told = plan([site(1001, contact=None)])
    assert told["sites"][0]["answered"] is False
    assert told["sites"][0]["move_date"] == "2027-02-01", "28 days from 4 January"


SENT = {"status": "sent", "form": "digital", "sent": "2027-01-02", "signed": None, "reference": None}


@pytest.mark.parametrize(
    ("of_site", "given", "night"),
    [
        ({}, {}, "2027-01-06"),
        ({"agreement": SENT}, {}, "2027-01-18"),
        ({"agreement": SENT}, {"agreement_days": 16}, "2027-01-20"),
        ({"agreement": SENT}, {"agreement_days": 0}, "2027-01-06"),
        ({"contact": None}, {"answer_days": 28}, "2027-02-01"),
        # The agreement is sent when all answers are there (P7).
        ({"contact": None, "agreement": SENT}, {}, "2027-02-15"),
        ({"contact": None, "agreement": SENT}, {"answer_days": 7, "agreement_days": 8}, "2027-01-19"),
        # By then all is there.
        ({"contact": None, "agreement": SENT}, {"from_": "2027-06-01"}, "2027-06-01"),
    ],
)
def test_answers_and_agreement_take_their_days_from_today(
    plan: Callable[..., dict[str, Any]], of_site: Any, given: Any, night: str
) -> None:
    assert dates(plan([site(1001, **of_site)], **{"from_": "2027-01-06", **given})) == {"1001": night}


def test_what_a_site_waits_for_is_told(plan: Callable[..., dict[str, Any]]) -> None:
    sites = [site(1001, contact=None), site(1002, contact=None, agreement=SENT), site(1003, agreement=SENT)]
    told = plan(sites, from_="2027-01-06", to="2027-01-07")
    assert [out["reasons"][0]["text"].partition(" (so or")[0] for out in told["left_out"]] == [
        "it has not answered, so 2027-02-01 is the first night (answer_days)",
        "it has not answered, so 2027-02-15 is the first night (answer_days and agreement_days)",
        "its agreement is not signed, so 2027-01-18 is the first night (agreement_days)",
    ]


def test_a_date_in_the_future_answers_and_signs_nothing(plan: Callable[..., dict[str, Any]]) -> None:
    signed = {"status": "signed", "form": "digital", "sent": "2027-01-02", "signed": "2072-01-02", "reference": None}
    told = plan([site(1001, agreement=signed)], agreement_days=30)
    assert (told["sites"][0]["signed"], dates(told)) == (False, {"1001": "2027-02-03"})
    told = plan([site(1001, confirmed={"urls": "2072-01-02", "proxy": "2027-01-04"})], answer_days=30)
    assert (told["sites"][0]["answered"], dates(told)) == (False, {"1001": "2027-02-03"})
    told = plan([site(1001, confirmed={"urls": "2027-01-04", "proxy": "2027-01-04"})])
    assert told["sites"][0]["answered"] is True, "today counts"


def test_a_promise_is_kept_counts_and_is_warned_of(plan: Callable[..., dict[str, Any]]) -> None:
    closed = [{"from": "2027-02-02", "to": "2027-02-02"}]
    promised = [site(number, WAVE, move_date="2027-02-02", closed=closed) for number in (1001, 1002)]
    told = plan([*promised, site(1003)], from_="2027-02-02", moves_per_night=1)
    assert dates(told) == {"1001": "2027-02-02", "1002": "2027-02-02", "1003": "2027-02-03"}
    assert told["nights"][0] == {"date": "2027-02-02", "moves": 2, "capacity": 1, "promised": 2}
    assert [row["promised"] for row in told["sites"]] == [True, True, False]
    assert "closed 2027-02-02 to 2027-02-02" in told["warnings"][0]
    assert "2 moves are promised for the night of 2027-02-02, which has room for 1" in told["warnings"]
    told = plan(promised, replan=["1001"])
    assert dates(told) == {"1001": "2027-02-03", "1002": "2027-02-02"}, "the 1st has its morning in the closure"


@pytest.mark.parametrize(
    ("night", "of_site", "warning"),
    [
        ("2027-01-05", {}, None),
        ("2027-01-04", {}, "the upgrade's evening, 2026-12-30, is over"),
        ("2027-01-20", {"mode": "second"}, "mode second is not described by the vendor: vendor_contract."),
        ("2027-01-14", {"agreement": SENT}, "its agreement is not signed (P4)"),
        ("2027-01-18", {"agreement": SENT}, None),
        ("2027-01-20", {"contact": None}, "has not answered everything (P7)"),
    ],
)
def test_a_promise_that_can_hardly_be_kept_is_warned_of(
    plan: Callable[..., dict[str, Any]], night: str, of_site: Any, warning: str | None
) -> None:
    told = plan([site(1001, {**WAVE, "dates": None}, move_date=night, **of_site)])
    assert dates(told) == {"1001": night}
    starts = f"site 1001 keeps its promised date {night}, but "
    assert [text.startswith(starts + (warning or "")) for text in told["warnings"]] == [True] * bool(warning)


def test_the_evening_of_a_promise_does_not_count_once_the_site_is_upgraded(
    plan: Callable[..., dict[str, Any]],
) -> None:
    upgraded = {"1001": {"state": "upgraded", "outcome": None}}
    assert plan([site(1001, {**WAVE, "dates": None}, move_date="2027-01-04")], states=upgraded)["warnings"] == []


def test_a_promise_that_is_given_up_for_nothing_is_warned_of(plan: Callable[..., dict[str, Any]]) -> None:
    promised = [site(1001, WAVE, move_date="2027-02-02"), site(1002, WAVE, move_date="2027-02-02")]
    told = plan(
        promised, replan=["1001"], moves_on={"2027-02-03": 0, "2027-02-02": 1}, from_="2027-02-02", to="2027-02-03"
    )
    assert [row["site"] for row in told["left_out"]] == ["1001"]
    (warning,) = (text for text in told["warnings"] if "site 1001" in text)
    assert warning.startswith("site 1001 found no other night, so the register still says 2027-02-02")
    moving = {"1001": {"state": "moving", "outcome": None}}
    assert not plan(promised, replan=["1001"], states=moving)["warnings"]


def test_a_date_that_has_passed_or_was_rolled_back_is_planned_anew(plan: Callable[..., dict[str, Any]]) -> None:
    past = {**WAVE, "dates": None}
    told = plan([site(1001, past, move_date="2027-01-02"), site(1002, past, move_date="2027-01-20")])
    assert dates(told) == {"1001": "2027-01-25", "1002": "2027-01-20"}
    undone = {"1001": {"state": "upgraded", "outcome": "rolled_back", "rolled_back": True}}
    assert dates(plan([site(1001, past, move_date="2027-01-03")], states=undone)) == {"1001": "2027-01-25"}


def test_a_night_that_was_rolled_back_costs_no_later_promise(plan: Callable[..., dict[str, Any]]) -> None:
    again = {"1001": {"state": "upgraded", "outcome": "rolled_back", "rolled_back": False}}
    by_day = {"weekdays": ["mon"], "from": "08:00", "to": "14:00"}
    told = plan([site(1001, {**WAVE, "dates": None}, move_date="2027-01-04", window=by_day)], states=again)
    assert dates(told) == {"1001": "2027-01-04"}
    assert told["sites"][0]["promised"] is True


PAST_WAVE = {**WAVE, "dates": {"from": "2027-01-02", "to": "2027-01-08"}}


@pytest.mark.parametrize("more", [{}, {"move_date": "2027-01-02"}, {"contact": None}])
def test_a_wave_that_is_over_holds_nobody_back(plan: Callable[..., dict[str, Any]], more: dict[str, Any]) -> None:
    told = plan([site(1001, PAST_WAVE, **more)])
    assert told["left_out"] == []
    (row,) = told["sites"]
    assert row["wave"] != PAST_WAVE["id"]
    assert row["was"] == {"wave": PAST_WAVE["id"], "move_date": more.get("move_date")}, "what the patch has to change"


def test_a_date_that_is_given_up_may_lead_out_of_its_wave_where_it_has_no_other(
    plan: Callable[..., dict[str, Any]],
) -> None:
    week = {**WAVE, "dates": {"from": "2027-02-01", "to": "2027-02-02"}}
    sites = [site(1001, week, move_date="2027-02-02")]
    assert dates(plan(sites, replan=["1001"])) == {"1001": "2027-02-01"}, "another day of its wave comes first"
    full = plan(sites, replan=["1001"], from_="2027-02-03")
    assert [(row["site"], row["wave"] != week["id"]) for row in full["sites"]] == [("1001", True)]


def test_who_waits_for_a_later_wave_keeps_it(plan: Callable[..., dict[str, Any]]) -> None:
    autumn = {**WAVE, "dates": {"from": "2027-10-04", "to": "2027-10-08"}}
    told = plan([site(1001, autumn)])
    assert codes(told, 1001)[0] == "wave_dates"


def test_a_move_takes_as_long_as_the_gate_says(plan: Callable[..., dict[str, Any]]) -> None:
    short = {"weekdays": ["mon", "tue", "wed", "thu"], "from": "20:00", "to": "21:15"}
    assert plan([site(1001, window=short)])["settings"]["move_minutes"] == 60
    slow = {**CONTRACT, "migration": {**CONTRACT["migration"], "expected_minutes": 90}}
    told = plan([site(1001, window=short)], contract=slow)
    assert codes(told, 1001)[0] == "too_short"
    assert plan([site(1001, window=short)], contract=slow, move_minutes=70)["left_out"] == []


def test_who_has_moved_is_left_out_with_its_neighbours(plan: Callable[..., dict[str, Any]]) -> None:
    sites = [site(1001), site(1002), site(1003, shared_server="a"), site(1004, shared_server="a")]
    states = {
        "1001": {"state": "verified", "outcome": "verified"},
        "1002": {"state": "registered", "outcome": "moved_outside"},
        "1003": {"state": "moving", "outcome": None},
    }
    told = plan(sites, states=states)
    assert told["sites"] == []
    assert [codes(told, number) for number in range(1001, 1005)] == [
        ["verified"],
        ["moved_outside"],
        ["moving"],
        ["shared_server"],
    ]


def test_a_mode_that_the_vendor_has_not_described_gets_no_date(plan: Callable[..., dict[str, Any]]) -> None:
    closed = [{"from": "2027-01-25", "to": "2027-07-24"}]
    sites = [
        site(1001, mode="second"),
        site(1002, shared_server="a", mode="second"),
        site(1003, shared_server="a"),
        site(1004, mode="second", closed=closed),
        site(1005),
    ]
    told = plan(sites)
    assert list(dates(told)) == ["1005"]
    assert codes(told, 1001) == ["contact_day_after", "mode_not_described"][::-1]
    because = "mode second is not described by the vendor: vendor_contract.config.modes.second is empty"
    texts = {out["site"]: [reason["text"] for reason in out["reasons"]] for out in told["left_out"]}
    assert texts["1001"][0] == because
    assert texts["1003"][0] == f"site 1002 on the same server: {because}"
    assert sorted(codes(told, 1004))[:2] == ["closed", "contact_day_after"]
    second = {**CONTRACT, "config": {"modes": {**CONTRACT["config"]["modes"], "second": {"mode": "second"}}}}
    assert set(dates(plan(sites, contract=second))) == {"1001", "1002", "1003", "1005"}


def test_what_stands_against_a_neighbour_is_told_kind_by_kind(plan: Callable[..., dict[str, Any]]) -> None:
    window = {**NIGHT, "weekdays": ["mon", "tue", "wed"], "from": "20:00", "to": "20:30"}
    sites = [site(1001, shared_server="a"), site(1002, shared_server="a", window=window)]
    told = plan(sites, from_="2027-02-01", to="2027-02-07")
    texts = [reason["text"] for reason in told["left_out"][0]["reasons"]]
    assert [("do not meet (so or alike on 4 of 7" in text, "for 30 minutes" in text) for text in texts[:2]] == [
        (True, False),
        (False, True),
    ]


def test_the_sites_of_one_server_move_together_and_wait_for_each_other(plan: Callable[..., dict[str, Any]]) -> None:
    away = [{"from": "2027-01-25", "to": "2027-01-31"}]
    sites = [site(1001, shared_server="a"), site(1002, shared_server="a", closed=away)]
    told = plan(sites, moves_per_night=2)
    assert set(dates(told).values()) == {"2027-02-01"}
    assert {row["wave"] for row in told["sites"]} == {1}
    told = plan(sites, moves_per_night=1)
    assert codes(told, 1001) == codes(told, 1002) == ["moves_full"]
    told = plan([site(1001, shared_server="a"), site(1002, shared_server="a", contact=None)])
    assert [row["answered"] for row in told["sites"]] == [False, False]


def test_the_sites_of_one_server_get_one_date_where_the_register_gives_them_two(
    plan: Callable[..., dict[str, Any]],
) -> None:
    days = ("2027-02-02", "2027-02-03")
    sites = [site(1001 + number, WAVE, shared_server="a", move_date=day) for number, day in enumerate(days)]
    told = plan(sites)
    assert len(set(dates(told).values())) == 1
    assert [row["promised"] for row in told["sites"]] == [False, False]


def test_the_sites_of_one_server_are_not_planned_in_two_waves_or_spans_of_history(
    plan: Callable[..., dict[str, Any]],
) -> None:
    sites = [site(1001, WAVE, shared_server="a"), site(1002, shared_server="a", history_months=18)]
    told = plan([*sites, site(1003)])
    assert list(dates(told)) == ["1003"]
    for number in (1001, 1002):
        assert codes(told, number) == ["shared_server", "shared_server"]
    assert [reason["text"] for reason in told["left_out"][0]["reasons"]] == [
        f"the sites of its server have different waves: 1001 {WAVE['id']}, 1002 none",
        "the sites of its server have different months of history: 1001 12, 1002 18",
    ]


def test_every_date_that_a_group_gets_passes_the_gate_for_each_of_its_sites(
    plan: Callable[..., dict[str, Any]],
) -> None:
    """The plan and the gate ask the same of a night: what one gives, the other lets pass."""
    sites = fleet(400, seed=7)
    told = plan(sites)
    rows = {row["site"]: row for row in told["sites"] if row["shared_server"] and not row["promised"]}
    case, register = read_case(params(sites), NOW)
    waves = {**register, **{wave["id"]: Wave.from_vars({**wave, "dates": wave}) for wave in told["new_waves"]}}
    gate_settings = Settings(target_version="6.2.0", described_modes=frozenset({"server_in_cloud"}))
    groups: dict[str, list[Site]] = {}
    for one in case.sites:
        if one.id in rows:
            there = waves[rows[one.id]["wave"]].with_site(one)
            groups.setdefault(str(one.shared_server), []).append(
                replace(there, move_date=date.fromisoformat(rows[one.id]["move_date"]))
            )
    assert len(groups) > 5
    of_the_day = {"closed", "contact_day_after", "wave_dates", "freeze", "no_opening", "too_short", "shared_server"}
    for members in groups.values():
        ids = tuple(one.id for one in members)
        group = [replace(one, together=ids) for one in members]
        opens = parse_time(rows[ids[0]]["opens"])
        situations = [Situation(one, Standing(), case.calendar, gate_settings, opens, "run") for one in group]
        for situation in situations:
            reasons = may(replace(situation, members=tuple(group)), Step.LEASE).reasons
            assert not {reason.code for reason in reasons} & of_the_day, reasons


def test_what_the_sites_of_one_server_have_in_common_must_be_long_enough(plan: Callable[..., dict[str, Any]]) -> None:
    windows = [{**NIGHT, "from": "18:00", "to": "23:00"}, {**NIGHT, "from": "22:00", "to": "06:00"}]
    sites = [site(1001 + number, shared_server="a", window=window) for number, window in enumerate(windows)]
    assert plan(sites, move_minutes=60)["left_out"] == []
    assert codes(plan(sites, move_minutes=61), 1001).count("shared_server") == 2, "in common, and the neighbour's days"


def test_every_reason_of_a_site_that_no_night_fits_is_told(plan: Callable[..., dict[str, Any]]) -> None:
    told = plan(
        [site(1001, WAVE, window={**NIGHT, "from": "20:00", "to": "20:30"}, closed=[WAVE["dates"]])],
        from_="2027-02-01",
        to="2027-02-14",
    )
    assert sorted(codes(told, 1001)) == ["closed", "contact_day_after", "too_short", "wave_dates"]
    assert "14 of 14 nights" in json.dumps(told["left_out"])


def test_windows_that_do_not_meet_and_those_that_are_too_short_are_told_apart(
    plan: Callable[..., dict[str, Any]],
) -> None:
    half_an_hour = {**NIGHT, "weekdays": ["mon", "tue", "wed"], "from": "20:00", "to": "20:30"}
    (out,) = plan([site(1001, window=half_an_hour)], from_="2027-02-01", to="2027-02-07")["left_out"]
    assert [(reason["code"], reason["text"].partition(" (so")[2]) for reason in out["reasons"]] == [
        ("no_opening", " or alike on 4 of 7 nights from 2027-02-01 to 2027-02-07)"),
        ("too_short", " or alike on 3 of 7 nights from 2027-02-01 to 2027-02-07)"),
    ]
    assert "meet for 30 minutes, a move takes 60" in out["reasons"][1]["text"]


def test_the_upgrade_needs_an_evening_that_is_still_to_come(plan: Callable[..., dict[str, Any]]) -> None:
    # On Monday 4 January at 09:00 the evening before Tuesday is tonight; Saturday's contact is asked for on 5 January.
    assert dates(plan([site(1001)], from_="2027-01-05")) == {"1001": "2027-01-05"}


def test_the_upgrade_evening_that_is_over_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_plan, "clock_now", lambda _url: datetime(2027, 1, 4, 20, 31, tzinfo=UTC))
    told = answer(params([site(1001)], from_="2027-01-05"))["plan"]
    assert dates(told) == {"1001": "2027-01-06"}


def test_a_site_without_a_wave_joins_one_that_fits_and_has_room(plan: Callable[..., dict[str, Any]]) -> None:
    narrow = {**WAVE, "id": 2, "window": {**NIGHT, "from": "08:00", "to": "12:00"}}
    sites = [site(number) for number in (1001, 1002, 1003)]
    told = plan(sites, waves=[narrow, WAVE], from_="2027-02-01", wave_size=2)
    assert [row["wave"] for row in told["sites"]] == [3, 3, 4]
    assert [(wave["id"], wave["name"]) for wave in told["new_waves"]] == [(4, "Week 5, 2027")]
    told = plan(sites, from_="2027-02-01", wave_size=2)
    assert [(wave["id"], wave["name"]) for wave in told["new_waves"]] == [(1, "Week 5, 2027"), (2, "Week 5, 2027 (2)")]


def test_no_wave_is_joined_that_moves_the_morning_of_the_calls(plan: Callable[..., dict[str, Any]]) -> None:
    late = {**NIGHT, "to": "10:00"}
    shorter = {**WAVE, "window": NIGHT}
    told = plan([site(1001, window=late)], waves=[shorter], from_="2027-02-01")
    assert [(row["move_date"], row["morning"]) for row in told["sites"]] == [("2027-02-01", "2027-02-03")]
    assert [wave["id"] for wave in told["new_waves"]] == [4]


def test_a_number_that_an_earlier_plan_gave_is_not_given_again(
    plan: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    first = plan([site(1001), site(1002)], waves=[WAVE], wave_size=1)
    assert [wave["id"] for wave in first["new_waves"]] == [4, 5]
    file.write_text(json.dumps(first), encoding="utf-8")
    again = plan([site(1003)], waves=[WAVE], wave_size=1, previous=str(file))
    assert [wave["id"] for wave in again["new_waves"]] == [6]


def test_a_promise_that_is_given_up_does_not_pull(plan: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    sites = [site(1001, {**WAVE, "dates": None}, move_date="2027-02-02")]
    file.write_text(json.dumps(plan(sites)), encoding="utf-8")
    assert dates(plan(sites, replan=["1001"], previous=str(file))) == {"1001": "2027-01-25"}


def test_one_vendors_offices_are_spread_or_kept_together(plan: Callable[..., dict[str, Any]]) -> None:
    sites = [site(1001 + number, epj=epj) for number, epj in enumerate(["A", "B", "A", "B"])]
    spread = plan(sites, epj="spread", epj_per_night=1)
    assert sorted(dates(spread).values()) == ["2027-01-25", "2027-01-25", "2027-01-26", "2027-01-26"]
    together = plan(sites, epj="together", moves_per_night=2)
    assert {(row["epj"], row["move_date"]) for row in together["sites"]} in (
        {("A", "2027-01-25"), ("B", "2027-01-26")},
        {("B", "2027-01-25"), ("A", "2027-01-26")},
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"from_": "soon"}, "settings.from (plan_from): 'soon'; a date YYYY-MM-DD is allowed"),
        ({"from_": "2027-01-04"}, "settings.from (plan_from): 2027-01-04 is not in the future"),
        ({"from_": "2027-02-31"}, "settings.from (plan_from): 2027-02-31 is a date that does not exist"),
        (
            {"from_": "2027-03-01", "to": "2027-02-01"},
            "settings.to (plan_to): 2027-02-01 is before from, 2027-03-01; a date from 2027-03-01 to 2029-03-02",
        ),
        ({"from_": "2027-03-01", "to": "2029-03-03"}, "settings.to (plan_to): 2029-03-03 is too late; a date from"),
        (
            {"moves_per_night": -1},
            "settings.moves_per_night (plan_moves_per_night): -1; a whole number from 0 to 10000 is allowed",
        ),
        ({"moves_per_night": "mange"}, "settings.moves_per_night (plan_moves_per_night): 'mange'; a whole number"),
        (
            {"moves_on": {"2027-13-01": 1}},
            "settings.moves_on (plan_moves_on): 2027-13-01 is a date that does not exist",
        ),
        ({"moves_on": {"May": 1}}, "settings.moves_on (plan_moves_on): 'May'; a date YYYY-MM-DD is allowed"),
        ({"moves_on": {"2027-03-16": "few"}}, "plan_moves_on): 2027-03-16: 'few'; a whole number from 0 to 10000"),
        # What is left of JSON that is typed without quotes around it.
        ({"calls_on": '{"2027-03-16":'}, "numbers by date are allowed, on a command line as -e plan_calls_on=2027-"),
        ({"calls_on": "few"}, "on a command line as -e plan_calls_on=2027-03-16:5,2027-03-17:0"),
        ({"calls_on": "2027-03-16:5,2027-03-16:6"}, "settings.calls_on (plan_calls_on): 2027-03-16 is there twice"),
        (
            {"calls_on": ["2027-03-16"]},
            "(plan_calls_on): ['2027-03-16']; numbers by date are allowed",
        ),
        ({"epj": "apart"}, "settings.epj (plan_epj): 'apart'; one of ignore, spread, together is allowed"),
        ({"epj": "spred"}, "one of ignore, spread, together is allowed; spread was meant?"),
        ({"move_per_night": 1}, "moves_per_night was meant?"),
        ({"replan": ["1010"]}, "settings.replan (plan_replan): '1010' is no site; 1001 was meant?"),
    ],
)
def test_a_setting_that_is_wrong_is_named(plan: Callable[..., dict[str, Any]], changes: Any, words: str) -> None:
    with pytest.raises(PlanError) as told:
        plan([site(1001)], **changes)
    assert words in str(told.value)
    assert str(told.value).count("\n") == 0, "nothing else is wrong"


def test_the_last_day_is_not_judged_by_a_first_one_that_is_wrong(plan: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(PlanError) as told:
        plan([site(1001)], from_="2027-01-32", to="2027-01-10")
    assert "plan_to" not in str(told.value)


@pytest.mark.parametrize(
    "typed",
    [
        '{"2027-01-25": 0, "2027-01-26": "0"}',
        "{2027-01-25: 0, 2027-01-26: 0}",
        "2027-01-25:0,2027-01-26:0",
        " {'2027-01-25':0,'2027-01-26':0} ",
        {"2027-01-25": 0, date(2027, 1, 26): "0"},
    ],
)
def test_numbers_by_date_may_be_typed(plan: Callable[..., dict[str, Any]], typed: Any) -> None:
    told = plan([site(1001)], moves_on=typed)
    assert told["settings"]["moves_on"] == {"2027-01-25": 0, "2027-01-26": 0}
    assert dates(told) == {"1001": "2027-01-27"}
    assert plan([site(1001)], moves_on="{}", calls_on="")["settings"]["moves_on"] == {}


def test_one_of_something_is_told_as_one(plan: Callable[..., dict[str, Any]]) -> None:
    limits: dict[str, Any] = {"moves_per_night": 0, "calls_per_morning": 0}
    promised = [site(1001, WAVE, move_date="2027-02-02")]
    assert plan(promised, **limits)["warnings"] == [
        "1 move is promised for the night of 2027-02-02, which has room for 0",
        "1 call follows from promised moves on the morning of 2027-02-03, which has room for 0",
    ]


def test_all_settings_that_are_wrong_are_named_at_once(plan: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(PlanError, match=r"plan_wave_size\): 0") as told:
        plan([site(1001)], epj="x", wave_size=0)
    assert "(plan_epj): 'x'" in str(told.value)


def test_a_file_that_is_no_plan_is_named(plan: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    assert plan([site(1001)], previous=str(file))["changed"] == 0
    file.write_text('{"schema": 7}', encoding="utf-8")
    with pytest.raises(PlanError, match=r"previous: .*plan\.json is no plan: .*schema 7"):
        plan([site(1001)], previous=str(file))


def test_a_reservation_holds_until_the_site_has_answered(plan: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    others = [site(number, WAVE) for number in range(1002, 1005)]
    first = plan([*others, site(1001, contact=None)], from_="2027-02-01")
    file.write_text(json.dumps(first), encoding="utf-8")
    early = site(1000)
    again = plan([early, *others, site(1001)], waves=[WAVE], from_="2027-02-01", moves_per_night=4, previous=str(file))
    held, kept = (next(row for row in told["sites"] if row["site"] == "1001") for told in (first, again))
    assert (held["answered"], kept["answered"]) == (False, True)
    assert [kept[field] for field in ("move_date", "wave")] == [held[field] for field in ("move_date", "wave")]


def test_what_changed_since_the_previous_plan_is_told_by_site(
    plan: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    first = plan([site(number) for number in range(1001, 1007)], previous=str(file))
    assert (first["previous"], first["changed"], first["changes"]) == (None, 0, [])
    file.write_text(json.dumps(first), encoding="utf-8")
    closed = [{"from": "2027-01-25", "to": "2027-01-25"}]
    always = [{"from": "2027-01-01", "to": "2027-12-31"}]
    sites = [site(1001), site(1002, closed=closed), site(1003, closed=always), site(1004), site(1007)]
    states = {"1004": {"state": "verified", "outcome": "verified"}}
    again = plan(sites, previous=str(file), states=states)
    # Who has moved, has left the register or is new has not changed.
    assert (again["previous"], again["changed"]) == (first["made"], 2)
    assert again["changes"] == [
        {"site": "1002", "from": "2027-01-25", "to": "2027-01-26"},
        {"site": "1003", "from": "2027-01-25", "to": None},
    ]


def test_without_the_solver_it_says_what_to_do() -> None:
    code = (
        "import sys; sys.modules['ortools'] = None\n"
        f"from {_plan.__name__} import PlanError, answer\n"
        "try: answer({})\n"
        "except PlanError as exc: print(exc)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.search(r"'ortools'.*group 'plan'.*make setup.*pip install ortools", told.stdout)


def worth(problem: Problem, nights: dict[str, date]) -> tuple[int, ...]:
    return tuple(problem.value(goal, nights) * (-1 if goal in MAXIMIZED else 1) for goal in problem.goals())


def by_trying_all(problem: Problem) -> tuple[int, ...]:
    best: tuple[int, ...] | None = None
    for choice in itertools.product(*([None, *party.options] for party in problem.parties)):
        room, nights = Room(problem), {}
        for party, option in zip(problem.parties, choice, strict=True):
            if option is None:
                continue
            if room.lacks(party, option):
                break
            room.take(party, option)
            nights[party.id] = option.night
        else:
            best = min(best or worth(problem, nights), worth(problem, nights))
    assert best is not None
    return best


def small_problem(seed: int) -> Problem:
    draw = random.Random(seed)
    first = date(2027, 2, 1)
    nights = [first + timedelta(days=n) for n in range(4)]
    rule = draw.choice(["ignore", "spread", "together"])
    parties = []
    for number in range(draw.randint(1, 5)):
        size = draw.choice([1, 1, 1, 2, 3])
        options = tuple(
            Option(night, ((night + timedelta(days=draw.choice([1, 1, 1, 2])), size),))
            for night in nights
            if draw.random() < 0.7
        )
        parties.append(
            Party(
                id=str(number),
                sites=tuple(f"{number}{letter}" for letter in "abc"[:size]),
                answered=draw.random() < 0.6,
                options=options,
                epjs=() if rule == "ignore" else ((draw.choice("AB"), draw.randint(1, size)),),
                previous=draw.choice([None, *nights]),
            )
        )
    mornings = {morning for party in parties for option in party.options for morning, _calls in option.calls}
    return Problem(
        first=first,
        parties=tuple(parties),
        moves={night: draw.randint(0, 4) for night in nights},
        calls={morning: draw.randint(0, 4) for morning in sorted(mornings)},
        epj={(epj, night): draw.randint(1, 3) for epj in "AB" for night in nights} if rule == "spread" else {},
        together=rule == "together",
        met=frozenset({("A", nights[1])}) if rule == "together" and draw.random() < 0.5 else frozenset(),
    )


@given(st.integers(0, 10_000_000))
@settings(max_examples=60, deadline=None)
def test_the_search_finds_what_trying_all_finds(seed: int) -> None:
    problem = small_problem(seed)
    solution = solve(problem, 30)
    room = Room(problem)
    for party in problem.parties:
        if party.id in solution.nights:
            option = option_on(party, solution.nights[party.id])
            assert option
            assert not room.lacks(party, option)
            room.take(party, option)
    assert worth(problem, dict(solution.nights)) == by_trying_all(problem)
    assert solution.distance == 0


@given(st.integers(1, 40), st.integers(0, 10_000_000), st.sampled_from(["ignore", "spread", "together"]))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_plan_breaks_a_rule_and_every_site_is_told(many: int, seed: int, epj: str) -> None:
    draw = random.Random(seed)
    given_params = params(
        fleet(many, seed),
        from_="2027-02-01",
        to=f"2027-0{draw.randint(2, 6)}-20",
        moves_per_night=draw.randint(0, 4),
        calls_per_morning=draw.randint(0, 4),
        calls_on_days_off=draw.randint(0, 2),
        wave_size=draw.randint(1, 6),
        epj=epj,
        effort=5,
    )
    case, register = read_case(given_params, NOW)
    question = _plan.question_of(case)
    told = _plan.plan_of(case, question, solve(question.problem, 5), register)
    assert violations(told, case, register) == []
    assert {row["site"] for row in told["sites"]} | {out["site"] for out in told["left_out"]} == {
        one.id for one in case.sites
    }
    assert json.loads(json.dumps(told)) == told


def test_the_second_look_sees_every_kind_of_fault(plan: Callable[..., dict[str, Any]]) -> None:
    sites = [site(1001, shared_server="a"), site(1002, shared_server="a"), site(1003, WAVE, move_date="2027-02-02")]
    told = plan(sites)
    case, register = read_case(params(sites), NOW)
    assert violations(told, case, register) == []

    def spoilt(change: Callable[[dict[str, Any]], Any]) -> str:
        other = copy.deepcopy(told)
        change(other)
        return "\n".join(violations(other, case, register))

    assert "server a part" in spoilt(lambda p: p["sites"][0].update(move_date="2027-01-26"))
    assert "was promised 2027-02-02" in spoilt(lambda p: p["sites"][2].update(move_date="2027-02-03"))
    assert "is told 0 times" in spoilt(lambda p: p["sites"].pop())
    assert "is told 2 times" in spoilt(lambda p: p["left_out"].append({"site": "1001", "reasons": ["x"]}))
    assert "outside the plan" in spoilt(lambda p: p["sites"][0].update(move_date="2026-12-01"))
    assert "day off" in spoilt(lambda p: p["sites"][0].update(move_date="2027-01-29"))
    assert "has the morning" in spoilt(lambda p: p["sites"][0].update(morning="2027-01-27"))
    assert "in wave 77" in spoilt(lambda p: p["sites"][0].update(wave=77))
    tight, _ = read_case(params(sites, moves_per_night=1, calls_per_morning=1, wave_size=1), NOW)
    tight_faults = "\n".join(violations(told, tight, register))
    assert "move_date 2027-01-25 has room for 1 only" in tight_faults
    assert "morning 2027-01-26 has room for 1 only" in tight_faults


@pytest.fixture(scope="module")
def register_300() -> list[dict[str, Any]]:
    return fleet(300, 8)


TIGHT: dict[str, Any] = {"from_": "2027-02-01", "to": "2027-05-31", "moves_per_night": 5, "calls_per_morning": 5}


def test_three_hundred_sites_are_planned_best_and_the_same_in_any_order(
    plan: Callable[..., dict[str, Any]], register_300: list[dict[str, Any]]
) -> None:
    told = plan(register_300, **TIGHT)
    assert told["status"] == "optimal"
    shuffled = register_300.copy()
    random.Random(1).shuffle(shuffled)
    assert plan(shuffled, **TIGHT) == told


def test_a_small_change_of_the_register_changes_the_plan_little(
    plan: Callable[..., dict[str, Any]], register_300: list[dict[str, Any]], tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    first = plan(register_300, **TIGHT)
    file.write_text(json.dumps(first), encoding="utf-8")
    same = plan(register_300, **TIGHT, previous=str(file))
    assert same["changed"] == 0
    assert [row["wave"] for row in same["sites"]] == [row["wave"] for row in first["sites"]]
    row = next(row for row in first["sites"] if not row["promised"] and row["answered"] and not row["shared_server"])
    changed = copy.deepcopy(register_300)
    for one in changed:
        if one["interactor_site"]["id"] == row["site"]:
            one["interactor_site"]["closed"] = [{"from": row["move_date"], "to": row["move_date"]}]
    again = plan(changed, **TIGHT, previous=str(file))
    assert len(again["sites"]) == len(first["sites"])
    assert 1 <= again["changed"] <= 3
    assert dates(again)[row["site"]] != row["move_date"]
