# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The remediation: what may be asked for, until when a night lasts, what is recorded and told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.fix import (
    LONGEST,
    Fixed,
    asked_checks,
    fix_events,
    fix_lists,
    night_end,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Freeze, Span
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.timeline import journal_entries
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import format_time
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import Window
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import EventKind
from hypothesis import given
from hypothesis import strategies as st

from .conftest import SITE

NOW = datetime(2027, 5, 14, 12, tzinfo=UTC)
MOVE_ENDS = datetime(2027, 5, 19, 4, tzinfo=UTC)
CHANGE = {"check": "sleep", "what": "sleep", "name": "state", "before": "1800 seconds", "after": "0 seconds"}
PROXY = {"check": "proxy", "what": "profile 1", "name": "ProxyEnable", "before": "1", "after": "0"}
LEFT = {"check": "proxy", "what": "profile 2", "why": "Group Policy: x"}


def fixed(host: str = "1001-server", *, undo: bool = False, **result: Any) -> Fixed:
    well = {"reached": True, "error": None, "changes": [], "left": [], "until": None}
    return Fixed("1001", host, undo, {**well, **result})


class TestWhatIsAskedFor:
    def test_a_server_for_all_in_order_and_a_client_for_its_proxy(self):
        assert asked_checks(["restart", "proxy", "sleep", "proxy"], "server") == ["proxy", "sleep", "restart"]
        assert asked_checks(["restart", "proxy"], "client") == ["proxy"]
        assert asked_checks(["restart"], "client") == []

    def test_what_is_none_is_named(self):
        with pytest.raises(ValueError, match="preflight_fix_checks: 'dns'; allowed are proxy, sleep, restart"):
            asked_checks(["proxy", "dns"], "client")


class TestTheNight:
    def test_it_is_that_of_the_move_where_that_is_near(self):
        assert night_end(SITE, NOW) == MOVE_ENDS
        assert night_end(SITE, MOVE_ENDS - LONGEST) == MOVE_ENDS
        assert night_end(SITE, MOVE_ENDS - timedelta(seconds=1)) == MOVE_ENDS

    @pytest.mark.parametrize(
        ("now", "ends"),
        [
            # A second too early for the move's night, and the night after it.
            (MOVE_ENDS - LONGEST - timedelta(seconds=1), datetime(2027, 5, 12, 4, tzinfo=UTC)),
            (MOVE_ENDS, datetime(2027, 5, 20, 4, tzinfo=UTC)),
        ],
    )
    def test_else_the_next_one_of_the_site(self, now: datetime, ends: datetime):
        assert night_end(SITE, now) == ends

    def test_of_a_site_without_a_date(self):
        site = replace(SITE, move_date=None, wave_window=Window(frozenset({0}), time(1), time(2)))
        assert night_end(site, NOW) == datetime(2027, 5, 15, 4, tzinfo=UTC)
        assert night_end(site, datetime(2027, 5, 15, 3, tzinfo=UTC)) == datetime(2027, 5, 15, 4, tzinfo=UTC)

    def test_of_a_site_that_opens_once_a_week_and_of_one_that_never_does(self):
        weekly = replace(SITE, move_date=None, window=Window(frozenset({4}), time(8), time(12)))
        assert night_end(weekly, datetime(2027, 5, 14, 10, tzinfo=UTC)) == datetime(2027, 5, 21, 10, tzinfo=UTC)
        vendor = Window(frozenset({0}), time(8), time(12))
        never = replace(
            weekly,
            vendor_windows=(vendor,),
            freezes=(Freeze(Span(date(2027, 1, 1), date(2027, 12, 31)), "x", "vendor"),),
        )
        assert night_end(never, NOW) == NOW + timedelta(days=1)

    @given(after=st.timedeltas(timedelta(days=-130), timedelta(days=230)))
    def test_it_is_always_ahead_and_never_far(self, after: timedelta):
        now = NOW + after
        assert now < night_end(SITE, now) <= now + LONGEST + timedelta(days=1)

    @given(after=st.timedeltas(timedelta(seconds=1), LONGEST))
    def test_what_a_person_says_counts(self, after: timedelta):
        end = (NOW + after).replace(microsecond=0)
        told = format_time(max(end, NOW + timedelta(seconds=1)))
        assert format_time(night_end(SITE, NOW, told)) == told

    @pytest.mark.parametrize("told", ["2027-05-14T12:00:00Z", "2027-05-21T12:00:01Z", "2027-05-14T14:00:00+02:00"])
    def test_unless_it_has_passed_or_is_too_far(self, told: str):
        words = f"preflight_fix_until: is {told}".replace("+", "\\+")
        with pytest.raises(ValueError, match=words):
            night_end(SITE, NOW, told)

    def test_what_is_no_moment(self):
        with pytest.raises(ValueError, match="no moment"):
            night_end(SITE, NOW, "tomorrow")


class TestTheRecord:
    def test_who_did_something_left_something_or_failed_has_an_event(self):
        results = [
            fixed("a", changes=[CHANGE], until="2027-05-19T04:00:00Z"),
            fixed("b", left=[LEFT], undo=True),
            fixed("c", error="refused: a move is under way"),
            fixed("d"),
            fixed("e", changes=[CHANGE], dry=True),
            fixed("f", reached=False, cause="timeout"),
        ]
        events = fix_events(results)
        assert [(event["host"], event["data"]["undo"]) for event in events] == [("a", False), ("b", True), ("c", False)]
        for event in events:
            Event(**{**event, "kind": EventKind(event["kind"])}, at=NOW)

    @pytest.mark.parametrize(
        ("data", "what", "detail"),
        [
            (
                {"changes": [PROXY], "until": "2027-05-19T04:00:00Z"},
                "1001-pc1: 1 setting put right",
                "proxy, profile 1, ProxyEnable: 0\nsleep and restarts back by themselves after 19.05.2027 06:00",
            ),
            ({"undo": True, "left": [LEFT]}, "1001-pc1: 0 settings put back", "proxy, profile 2 left: Group Policy: x"),
            ({"error": "refused: no"}, "1001-pc1 not put right: refused: no", ""),
        ],
    )
    def test_how_explain_tells_it(self, data: dict[str, Any], what: str, detail: str):
        whole = {"undo": False, "changes": [], "left": [], "until": None, "error": None, **data}
        event = Event(kind=EventKind.FIXED, at=NOW, site="1001", host="1001-pc1", data=whole, run_id="r")
        (entry,) = journal_entries(SITE, [event])
        assert (entry.what, entry.detail) == (what, detail)


class TestTheLists:
    def test_what_was_changed_and_when_it_counts(self):
        results = [
            fixed(changes=[CHANGE], until="2027-05-19T04:00:00Z"),
            fixed("1001-pc1", changes=[PROXY], left=[LEFT]),
            fixed("1001-pc2", error="no"),
            fixed("1001-pc3", reached=False, cause="timeout"),
        ]
        changed, left = fix_lists(results, dry=False)
        assert (changed["title"], left["title"]) == ("Changed", "Left as it is")
        assert [row[-1] for row in changed["rows"]] == [
            "at once, put back by itself after 2027-05-19 06:00",
            "when a program is started anew, at the latest at the next log-on",
        ]
        assert left["rows"] == [
            ["1001-pc1", "proxy", "profile 2", "Group Policy: x"],
            ["1001-pc2", "", "all of it", "no"],
            ["1001-pc3", "", "all of it", "not reached (timeout)"],
        ]

    @pytest.mark.parametrize(
        ("undo", "dry", "title"),
        [(False, True, "Would be changed"), (True, True, "Would be put back"), (True, False, "Put back")],
    )
    def test_a_dry_run_and_an_undo_say_so(self, undo: bool, dry: bool, title: str):
        (only,) = fix_lists([fixed(undo=undo, changes=[CHANGE])], dry=dry)
        assert only["title"] == title
        assert only["rows"][0][-1] == "at once"

    def test_nothing_is_told_as_nothing(self):
        assert fix_lists([], dry=False)[0]["rows"] == [["", "", "", "", "", "nothing"]]
