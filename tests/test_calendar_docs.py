"""What docs/calendar.md tells by example is what the code does."""

from __future__ import annotations

import ast
from datetime import date, time, timedelta
from pathlib import Path

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain import days
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import (
    EVERY_DAY,
    OSLO,
    WEEKDAYS,
    Window,
    intersection_on,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._holidays import norwegian_calendar

from tests.test_docs import rows

CALENDAR = norwegian_calendar([2027])


def window(told: str) -> Window:
    """A window as the document writes it: `20:00–06:00` or `fri 16:00–00:00`."""
    *weekday, hours = told.split()
    start, end = hours.split("–")
    weekdays = frozenset({WEEKDAYS.index(weekday[0])}) if weekday else EVERY_DAY
    return Window(weekdays, time.fromisoformat(start), time.fromisoformat(end))


def shown(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]} {day}"


def day_of(cell: str) -> date:
    return date.fromisoformat(cell.split()[1])


def test_every_obstacle_is_told() -> None:
    calls = (node for node in ast.walk(ast.parse(Path(days.__file__).read_text(encoding="utf-8"))))
    codes = {
        node.args[0].value
        for node in calls
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Obstacle"
        and isinstance(node.args[0], ast.Constant)
    }
    assert {code for code, _ in rows("calendar.md", "What keeps a site from moving on a day")} == codes


@pytest.mark.parametrize("told", rows("calendar.md", "The morning after"), ids=lambda told: told[0])
def test_around_easter(told: list[str]) -> None:
    day = day_of(told[0])
    opening = window("20:00–06:00").opening_on(day)
    assert opening
    after = days.morning_after(opening)
    needed = "no" if CALENDAR.is_working_day(after) else "yes"
    assert told == [shown(day), shown(CALENDAR.last_working_day_before(day)), shown(after), needed]


def test_around_easter_with_half_days_that_are_worked() -> None:
    working = norwegian_calendar([2027], ())
    assert working.is_working_day(date(2027, 3, 24))
    assert working.last_working_day_before(date(2027, 3, 30)) == date(2027, 3, 24)


@pytest.mark.parametrize("told", rows("calendar.md", "Windows"), ids=lambda told: f"{told[0]} {told[1]}")
def test_the_nights_on_which_the_clocks_are_changed(told: list[str]) -> None:
    day = day_of(told[1])
    opening = window(told[0]).opening_on(day)
    start, end = (f"{moment:%Y-%m-%d %H:%M}" for moment in (opening.start, opening.end)) if opening else ("never",) * 2
    length = opening.length if opening else timedelta(0)
    assert told == [told[0], shown(day), start, end, str(length).removesuffix(":00")]


@pytest.mark.parametrize("told", rows("calendar.md", "What site, wave and vendor have in common"), ids=" ∩ ".join)
def test_what_they_have_in_common(told: list[str]) -> None:
    site, wave, vendor, common = told
    found = intersection_on(
        date(2027, 5, 14),
        window(site),
        None if wave == "-" else window(wave),
        [] if vendor == "-" else [window(each) for each in vendor.split(", ")],
    )
    told_as = "never"
    if found:
        start, end = (moment.astimezone(OSLO) for moment in (found.start, found.end))
        told_as = f"{start:%m-%d %H:%M} to {end:%m-%d %H:%M}"
    assert common == told_as
