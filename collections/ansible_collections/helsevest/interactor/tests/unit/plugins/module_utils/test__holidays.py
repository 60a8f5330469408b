# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Norway's public holidays, against a computation of Easter of our own."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils import _holidays
from ansible_collections.helsevest.interactor.plugins.module_utils._holidays import (
    MissingPackageError,
    norwegian_calendar,
)

YEARS = range(2024, 2036)


def easter(year: int) -> date:
    """Easter Sunday after Gauss, with his exceptions; good for 1900 to 2099."""
    lunar = (19 * (year % 19) + 24) % 30
    weekday = (2 * (year % 4) + 4 * (year % 7) + 6 * lunar + 5) % 7
    day = 22 + lunar + weekday
    if lunar == 29 and weekday == 6:
        day = 50
    elif lunar == 28 and weekday == 6 and year % 19 > 10:
        day = 49
    return date(year, 3, 1) + timedelta(days=day - 1)


@pytest.mark.parametrize(
    ("year", "day"),
    [(2024, date(2024, 3, 31)), (2025, date(2025, 4, 20)), (2027, date(2027, 3, 28)), (2038, date(2038, 4, 25))],
)
def test_the_computation_itself_gives_known_easters(year: int, day: date):
    assert easter(year) == day


@pytest.mark.parametrize("year", YEARS)
def test_a_years_holidays(year: int):
    sunday = easter(year)
    movable = {sunday + timedelta(days=offset) for offset in (-3, -2, 0, 1, 39, 49, 50)}
    fixed = {date(year, 1, 1), date(year, 5, 1), date(year, 5, 17), date(year, 12, 25), date(year, 12, 26)}
    found = {day for day in norwegian_calendar(YEARS, half_days_off=()).holidays if day.year == year}
    assert found == movable | fixed


def test_sundays_are_not_in_the_list_and_yet_no_working_days():
    calendar = norwegian_calendar([2027])
    assert date(2027, 5, 23) not in calendar.holidays
    assert not calendar.is_working_day(date(2027, 5, 23))


def test_the_neighbouring_years_are_known():
    calendar = norwegian_calendar([2027], half_days_off=())
    assert calendar.last_working_day_before(date(2027, 1, 4)) == date(2026, 12, 31)
    assert calendar.next_working_day_after(date(2027, 12, 31)) == date(2028, 1, 3)
    with pytest.raises(ValueError, match="outside 2026 to 2028"):
        calendar.is_working_day(date(2029, 1, 2))


def test_no_years_are_refused():
    with pytest.raises(ValueError, match="no years"):
        norwegian_calendar([])


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_holidays, "HOLIDAYS_IMPORT_ERROR", ImportError("No module named 'holidays'"))
    with pytest.raises(MissingPackageError, match="'holidays' is needed on the controller"):
        norwegian_calendar([2027])
