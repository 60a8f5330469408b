# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Release, halt and resume: what a person may say, and what comes of it."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.release import (
    Judged,
    end_of_day,
    judge,
    parse_until,
    read_wish,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import parse_time
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import OSLO
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import EventKind
from hypothesis import given
from hypothesis import strategies as st

NOW = parse_time("2027-05-10T08:00:00Z")
SAID = {"wave": "1", "name": "Kari", "reason": "all have answered", "until": "2027-05-21"}
RELEASED, HALTED, RESUMED = EventKind.RELEASED, EventKind.HALTED, EventKind.RESUMED
WAVES = ("10", "2", "1")
DATES = (date(2027, 5, 18), date(2027, 5, 19))


def errors(kind: EventKind = RELEASED, **changes: str | None) -> list[str]:
    with pytest.raises(ValueError, match="release_") as caught:
        read_wish(kind, {**SAID, **changes}, WAVES, NOW)
    return str(caught.value).splitlines()


class TestUntil:
    @pytest.mark.parametrize(
        ("text", "until"),
        [
            ("2027-05-21", "2027-05-21T22:00:00Z"),
            ("2027-12-01", "2027-12-01T23:00:00Z"),
            # The day on which the clocks go back, and the one on which they go forward.
            ("2027-10-31", "2027-10-31T23:00:00Z"),
            ("2028-03-26", "2028-03-26T22:00:00Z"),
            ("2027-05-21T22:00:00+02:00", "2027-05-21T20:00:00Z"),
            ("2027-05-21 22:00+02:00", "2027-05-21T20:00:00Z"),
            ("2027-05-21T20:00:00Z", "2027-05-21T20:00:00Z"),
        ],
    )
    def test_a_date_is_its_end_in_norway_and_a_moment_is_itself(self, text: str, until: str) -> None:
        assert parse_until(text, NOW) == parse_time(until)

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("2027-02-30", "'2027-02-30' is no date and no moment"),
            ("2027-13-01", "is no date and no moment"),
            ("21.05.2027", "is no date and no moment"),
            ("Friday", "is no date and no moment"),
            ("", "is missing"),
            ("2027-05-21T22:00:00", "has no offset"),
            ("2027-05-21T25:00:00+02:00", "is no date and no moment"),
            ("9999-12-31", "is no date and no moment"),
            ("9999-12-31T23:59:59-12:00", "is no date and no moment"),
            ("9999-12-31T23:59:59Z", "is no date and no moment"),
            ("\N{ARABIC-INDIC DIGIT TWO}027-05-21", "is no date and no moment"),
            ("2027-05-09", "'2027-05-09' has passed"),
            ("2027-05-10T10:00:00+02:00", "has passed"),
        ],
    )
    def test_anything_else_is_refused_with_what_is_allowed(self, text: str, why: str) -> None:
        with pytest.raises(ValueError, match=re.escape(why)) as caught:
            parse_until(text, NOW)
        assert "allowed: a date as 2027-05-21 (the end of that day in Norway)" in str(caught.value)
        assert "later than now (2027-05-10 10:00 in Norway)" in str(caught.value)

    def test_today_counts_to_its_end_also_where_utc_has_another_day(self) -> None:
        late = parse_time("2027-05-10T22:30:00Z")
        assert parse_until("2027-05-11", late) == parse_time("2027-05-11T22:00:00Z")
        with pytest.raises(ValueError, match="has passed"):
            parse_until("2027-05-10", late)
        assert parse_until("2027-05-10", parse_time("2027-05-10T21:59:59Z")) == parse_time("2027-05-10T22:00:00Z")

    @given(st.dates(date(2027, 5, 11), date(2040, 12, 31)))
    def test_the_end_of_a_day_is_the_first_moment_of_the_next(self, day: date) -> None:
        until = parse_until(day.isoformat(), NOW)
        assert until == end_of_day(day)
        assert until.astimezone(OSLO).date() == day + timedelta(days=1)
        assert (until - timedelta(seconds=1)).astimezone(OSLO).date() == day

    @given(st.integers(1, 10**9), st.integers(-14 * 60, 14 * 60))
    def test_a_moment_is_the_same_whatever_its_offset(self, seconds: int, minutes: int) -> None:
        moment = NOW + timedelta(seconds=seconds)
        told = moment.astimezone(timezone(timedelta(minutes=minutes))).isoformat()
        assert parse_until(told, NOW) == moment

    @given(st.text(max_size=30))
    def test_any_text_is_a_later_moment_or_refused(self, text: str) -> None:
        with suppress(ValueError):
            assert parse_until(text, NOW) > NOW


class TestTheWish:
    def test_texts_are_put_on_one_line(self) -> None:
        wish = read_wish(RELEASED, {**SAID, "name": "  Kari\n Nordmann ", "wave": " 10 "}, WAVES, NOW)
        assert (wish.scope, wish.name) == ("10", "Kari Nordmann")
        assert wish.data == {"name": "Kari Nordmann", "reason": SAID["reason"], "until": "2027-05-21T22:00:00Z"}

    def test_everything_that_is_wrong_is_told_at_once(self) -> None:
        told = errors(wave="7", name=None, reason=" \t", until="soon")
        assert told[0] == "release_wave: '7' is no wave of the register; allowed: 1, 2, 10"
        assert told[1] == "release_name: is missing or blank; allowed: who says so, in words"
        assert told[2] == "release_reason: is missing or blank; allowed: why, in words"
        assert told[3].startswith("release_until: 'soon' is no date and no moment; allowed: ")
        assert len(told) == 4

    @pytest.mark.parametrize("kind", [RELEASED, HALTED, RESUMED])
    @pytest.mark.parametrize("field", ["wave", "name", "reason"])
    def test_each_of_the_three_is_required_of_each(self, kind: EventKind, field: str) -> None:
        until = SAID["until"] if kind is RELEASED else None
        for nothing in (None, "", "   "):
            (told,) = errors(kind, **{"until": until, field: nothing})
            assert told.startswith(f"release_{field}: is missing")

    def test_all_is_for_halt_and_resume(self) -> None:
        assert errors(wave="all") == ["release_wave: 'all' is no wave of the register; allowed: 1, 2, 10"]
        for kind in (HALTED, RESUMED):
            assert read_wish(kind, {**SAID, "wave": "all", "until": None}, WAVES, NOW).scope == "all"
            assert errors(kind, wave="0", until=None)[0].endswith("allowed: 1, 2, 10, all")

    def test_a_halt_has_no_end(self) -> None:
        (told,) = errors(HALTED)
        assert told.startswith("release_until: '2027-05-21'; only a release has an end")

    def test_what_a_terminal_would_obey_is_refused(self) -> None:
        assert errors(name="Kari\x1b[2J") == [
            "release_name: holds a character that cannot be printed; allowed: who says so, in words"
        ]

    def test_a_register_without_waves_has_nothing_to_release(self) -> None:
        with pytest.raises(ValueError, match="allowed: none, the register has no wave"):
            read_wish(RELEASED, SAID, (), NOW)


def said(kind: EventKind, events: list[Event], **changes: Any) -> Judged:
    """What comes of a wish; what it records is added to `events`."""
    dates = changes.pop("dates", DATES)
    raw = {**SAID, "until": SAID["until"] if kind is RELEASED else None, **changes}
    judged = judge(read_wish(kind, raw, WAVES, NOW), events, dates, NOW)
    events += [judged.event] if judged.event else []
    return judged


class TestWhatComesOfIt:
    def test_a_release_is_an_event_and_told(self) -> None:
        judged = said(RELEASED, [])
        assert judged.event
        assert (judged.event.kind, judged.event.subject, judged.event.site) == (RELEASED, "1", None)
        assert judged.told == ("wave 1 is released until 2027-05-22 00:00 in Norway by Kari: all have answered",)
        assert judged.besides == ()

    def test_what_stands_is_not_recorded_again_and_what_was_replaced_is(self) -> None:
        events: list[Event] = []
        assert said(RELEASED, events).event
        again = said(RELEASED, events)
        assert again.event is None
        assert again.told[-1] == "this is on record already"
        assert said(RELEASED, events, wave="2").event
        assert said(RELEASED, events).event is None, "that of another wave does not replace it"
        assert said(RELEASED, events, until="2027-05-20").event
        assert said(RELEASED, events).event, "the newest counts, so the first must be said again"
        assert said(HALTED, events).event
        assert said(HALTED, events).event is None
        assert said(HALTED, events, reason="another").event

    def test_a_release_that_lets_nothing_move_says_so(self) -> None:
        judged = said(RELEASED, [], dates=())
        assert judged.event
        assert judged.besides == ("no site of wave 1 has a move date: nothing moves before one has",)

    def test_a_release_that_ends_before_a_move_date_says_so(self) -> None:
        days = (date(2027, 5, 22), date(2027, 5, 21), date(2027, 6, 1))
        assert said(RELEASED, [], dates=days).besides == (
            "the release ends before these move dates do: 2027-05-22, 2027-06-01",
            "the release ends before the nights of these move dates are over: 2027-05-21",
        )

    def test_a_release_under_a_halt_says_so(self) -> None:
        events: list[Event] = []
        said(HALTED, events, wave="2")
        assert said(RELEASED, events).besides == ()
        said(HALTED, events, wave="all", reason="calls")
        assert said(RELEASED, [*events]).besides == ("all is still halted by Kari: calls",)

    def test_what_is_not_halted_need_not_be_resumed(self) -> None:
        events: list[Event] = []
        judged = said(RESUMED, events)
        assert (judged.event, judged.told) == (None, ("wave 1 is not halted: nothing to resume",))
        said(HALTED, events, wave="all")
        judged = said(RESUMED, events)
        assert judged.event is None
        assert judged.besides == ("all is still halted by Kari: all have answered",)

    def test_what_stays_halted_is_told(self) -> None:
        events: list[Event] = []
        for scope in ("1", "2", "all"):
            said(HALTED, events, wave=scope)
        judged = said(RESUMED, events, wave="1")
        assert judged.told == ("wave 1 is resumed by Kari: all have answered",)
        assert judged.besides == ("all is still halted by Kari: all have answered",)
        judged = said(RESUMED, events, wave="all")
        assert judged.besides == ("wave 2 is still halted by Kari: all have answered",)
        assert said(RESUMED, events, wave="all").event is None
        assert said(RESUMED, events, wave="2").event
