# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""iCalendar files: what is written is what a calendar reads."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils import _calendar_files
from ansible_collections.helsevest.interactor.plugins.module_utils._calendar_files import calendar_file, read_events
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.plan_events import TeamEvent, team_events
from hypothesis import given
from hypothesis import strategies as st

MADE = datetime(2027, 1, 4, 8, tzinfo=UTC)
LATER = datetime(2027, 1, 11, 8, tzinfo=UTC)
DAY = timedelta(days=1)


def event(day: date, summary: str = "Flytting: 1 kontor", description: str = "1001 Fjordgata") -> TeamEvent:
    start = datetime(day.year, day.month, day.day, 19, tzinfo=UTC)
    return TeamEvent(f"move-{day}@plan.interactor", start, start + timedelta(hours=10), summary, description)


def statuses(file: bytes) -> dict[str, str]:
    return {str(one["UID"]): str(one["STATUS"]) for one in icalendar.Calendar.from_ical(file).walk("VEVENT")}


MARCH = [event(date(2027, 3, day)) for day in (16, 17, 18)]
# A control character is no text in a calendar, and the register lets none into a name.
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=200)


@given(st.dates(date(2026, 1, 1), date(2036, 12, 31)), TEXT, st.lists(TEXT, max_size=5))
def test_what_is_written_is_read_again(day: date, summary: str, lines: list[str]):
    events = [event(day, summary, "\n".join(lines)), event(day + DAY)]
    assert read_events(calendar_file("Plan", events, MADE)) == events


@given(st.dates(date(2026, 1, 1), date(2036, 12, 31)))
def test_an_event_that_is_only_reserved_is_tentative(plans: Any, day: date):
    plan = plans.plan(plans.site(1001, day, answered=False), plans.site(1002, day + 7 * DAY))
    for events in team_events(plan).values():
        file = calendar_file("Plan", events, MADE)
        assert list(statuses(file).values()) == ["TENTATIVE", "CONFIRMED"]
        assert read_events(file) == events


@given(st.dates(date(2026, 1, 1), date(2036, 12, 31)))
def test_times_are_right_through_the_clock_changes(plans: Any, day: date):
    for events in team_events(plans.plan(plans.site(1001, day))).values():
        assert read_events(calendar_file("Plan", events, MADE)) == events


def test_every_line_is_as_the_standard_wants_it(plans: Any):
    name = "Ås, Øyane; og «Ytre» \\ legekontor " * 6
    file = calendar_file("Plan", team_events(plans.plan(plans.site(1, date(2027, 3, 16), name=name)))["moves"], MADE)
    lines = file.split(b"\r\n")
    assert lines[0] == b"BEGIN:VCALENDAR"
    assert max(map(len, lines)) <= 75
    assert b"\n" not in b"".join(lines)
    for wanted in (b"VERSION:2.0", b"METHOD:PUBLISH", b"DTSTART:20270316T190000Z", b"DTSTAMP:20270104T080000Z"):
        assert wanted in lines


def test_the_same_events_give_the_same_bytes():
    file = calendar_file("Plan", MARCH, MADE)
    assert calendar_file("Plan", MARCH, MADE) == file
    assert calendar_file("Plan", MARCH, MADE, file) == file


def test_a_later_plan_updates_the_same_event():
    old, new = (
        icalendar.Calendar.from_ical(calendar_file("Plan", [event(date(2027, 3, 16))], made)).walk("VEVENT")[0]
        for made in (MADE, LATER)
    )
    assert old["UID"] == new["UID"]
    assert old["SEQUENCE"] < new["SEQUENCE"] < 2**31
    assert old.decoded("DTSTAMP") < new.decoded("DTSTAMP")


def test_what_is_no_longer_planned_is_cancelled_and_stays_so():
    file = calendar_file("Plan", MARCH, MADE)
    for made in (LATER, LATER + DAY):
        file = calendar_file("Plan", MARCH[:1], made, file)
        assert statuses(file) == {
            MARCH[0].uid: "CONFIRMED",
            MARCH[1].uid: "CANCELLED",
            MARCH[2].uid: "CANCELLED",
        }
        assert [one.summary for one in read_events(file)] == ["Flytting: 1 kontor"] + 2 * ["Avlyst: Flytting: 1 kontor"]
    file = calendar_file("Plan", MARCH, LATER + 2 * DAY, file)
    assert set(statuses(file).values()) == {"CONFIRMED"}
    assert read_events(file) == MARCH


def test_what_has_taken_place_is_not_cancelled():
    file = calendar_file("Plan", MARCH, MADE)
    after = calendar_file("Plan", MARCH[2:], MARCH[1].start, file)
    assert statuses(after) == {MARCH[2].uid: "CONFIRMED"}


@pytest.mark.parametrize(
    "content", [b"no calendar", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"]
)
def test_a_file_that_is_no_calendar_of_ours(content: bytes):
    with pytest.raises(ValueError, match=r"."):
        calendar_file("Plan", MARCH, MADE, content)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_calendar_files, "ICALENDAR_IMPORT_ERROR", ImportError("No module named 'icalendar'"))
    with pytest.raises(ImportError, match="calendar files need the Python package icalendar, 6 or later; make setup"):
        calendar_file("Plan", MARCH, MADE)
