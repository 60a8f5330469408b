# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Working days: weekends and holidays in the way."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.calendar import Calendar
from hypothesis import given, settings
from hypothesis import strategies as st

MAY_17 = date(2027, 5, 17)
CALENDAR = Calendar(frozenset({MAY_17}))


def test_a_holiday_and_a_weekend_are_no_working_days():
    week = [MAY_17 + timedelta(days=offset) for offset in range(-3, 5)]
    assert [CALENDAR.is_working_day(day) for day in week] == [True, False, False, False, True, True, True, True]


def test_the_upgrade_before_a_move_after_a_long_weekend_is_on_friday():
    assert CALENDAR.last_working_day_before(date(2027, 5, 18)) == date(2027, 5, 14)


def test_the_day_itself_does_not_count():
    assert CALENDAR.last_working_day_before(date(2027, 5, 20)) == date(2027, 5, 19)
    assert CALENDAR.next_working_day_after(date(2027, 5, 19)) == date(2027, 5, 20)


def test_the_next_working_day_skips_weekend_and_holiday():
    assert CALENDAR.next_working_day_after(date(2027, 5, 14)) == date(2027, 5, 18)


def test_a_year_whose_holidays_are_not_known_is_refused():
    known = Calendar(frozenset({MAY_17}), frozenset({2027}))
    assert known.is_working_day(date(2027, 12, 31))
    with pytest.raises(ValueError, match="2028-01-01 is outside 2027 to 2027"):
        known.is_working_day(date(2028, 1, 1))
    with pytest.raises(ValueError, match="outside"):
        known.next_working_day_after(date(2027, 12, 31))


@settings(deadline=None, database=None)
@given(
    st.dates(date(2027, 1, 1), date(2027, 12, 31)),
    st.frozensets(st.dates(date(2027, 1, 1), date(2027, 12, 31)), max_size=40),
)
def test_the_nearest_working_day_is_one_and_none_lies_between(day: date, holidays: frozenset[date]):
    calendar = Calendar(holidays)
    before, after = calendar.last_working_day_before(day), calendar.next_working_day_after(day)
    assert before < day < after
    for found in (before, after):
        assert found.weekday() < 5
        assert found not in holidays
    between = (before + timedelta(days=offset) for offset in range(1, (after - before).days))
    assert all(each == day or each.weekday() >= 5 or each in holidays for each in between)
