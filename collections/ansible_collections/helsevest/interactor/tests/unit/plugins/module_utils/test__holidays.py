# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Norway's public holidays, against a table that others have published (norwegian_holidays.csv), and the half days."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path
from typing import get_args

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils import _holidays
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.calendar import HALF_DAYS, HalfDay
from ansible_collections.helsevest.interactor.plugins.module_utils._holidays import (
    MissingPackageError,
    norwegian_calendar,
)

YEARS = range(2024, 2036)
TABLE = Path(__file__).with_name("norwegian_holidays.csv")
DAY = timedelta(days=1)

EASTER_WEDNESDAYS = {
    2024: date(2024, 3, 27),
    2025: date(2025, 4, 16),
    2026: date(2026, 4, 1),
    2027: date(2027, 3, 24),
}
CONFIGURATIONS = [words for size in range(4) for words in combinations(HALF_DAYS, size)]


def published() -> dict[int, dict[str, date]]:
    """The table's days by year and name."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = {int(row.pop("year")): row for row in csv.DictReader(lines)}
    return {
        year: {name: date.fromisoformat(f"{year}-{day}") for name, day in row.items()} for year, row in rows.items()
    }


PUBLISHED = published()


def test_the_table_is_whole():
    assert list(PUBLISHED) == list(YEARS)
    for days in PUBLISHED.values():
        assert len(days) == 14
        assert days["easter_wikipedia"] == days["easter_sunday"]
        assert days["palm_sunday"].weekday() == 6


@pytest.mark.parametrize("year", YEARS)
def test_a_years_holidays_are_those_that_are_published_and_no_others(year: int):
    expected = {day for name, day in PUBLISHED[year].items() if name != "palm_sunday"}
    calendar = norwegian_calendar([year], half_days_off=())
    assert {day for day in calendar.holidays if day.year == year} == expected


@pytest.mark.parametrize("year", YEARS)
def test_every_day_of_a_year_is_a_working_day_or_not(year: int):
    """The whole year, as a person reads it off a wall calendar: weekends, published days, all three half days; and the
    last working day before each day (U1)."""
    days = PUBLISHED[year]
    off = {*days.values(), date(year, 12, 24), date(year, 12, 31), days["maundy_thursday"] - DAY}
    calendar = norwegian_calendar([year])
    day = date(year, 1, 1)
    last = None
    while day.year == year:
        works = day.isoweekday() < 6 and day not in off
        assert calendar.is_working_day(day) == works, day
        if last:
            assert calendar.last_working_day_before(day) == last
        last = day if works else last
        day += DAY


class TestHalfDays:
    @pytest.mark.parametrize("words", CONFIGURATIONS, ids=lambda words: "+".join(words) or "none")
    @pytest.mark.parametrize("year", EASTER_WEDNESDAYS)
    def test_those_that_are_named_are_days_off_and_the_others_are_not(self, words: tuple[HalfDay, ...], year: int):
        off = norwegian_calendar([year], words).holidays
        assert (EASTER_WEDNESDAYS[year] in off) == ("easter_wednesday" in words)
        assert (date(year, 12, 24) in off) == ("christmas_eve" in words)
        assert (date(year, 12, 31) in off) == ("new_years_eve" in words)

    def test_all_of_them_without_a_word(self):
        assert norwegian_calendar([2027]) == norwegian_calendar([2027], HALF_DAYS)

    def test_they_count_in_the_neighbouring_years_too(self):
        calendar = norwegian_calendar([2027], ["new_years_eve"])
        assert calendar.last_working_day_before(date(2027, 1, 4)) == date(2026, 12, 30)

    def test_the_upgrade_before_easter(self):
        # Easter Monday of 2027 is the 29th of March, the Wednesday before Easter the 24th.
        day = date(2027, 3, 30)
        assert norwegian_calendar([2027]).last_working_day_before(day) == date(2027, 3, 23)
        assert norwegian_calendar([2027], ()).last_working_day_before(day) == date(2027, 3, 24)

    def test_words_that_are_not_known_are_named_with_those_that_are(self):
        with pytest.raises(
            ValueError, match="'julaften', 'påske'; allowed: easter_wednesday, christmas_eve, new_years_eve"
        ):
            norwegian_calendar([2027], ["julaften", "christmas_eve", "påske"])

    def test_one_word_instead_of_a_list_is_that_word(self):
        assert norwegian_calendar([2027], "christmas_eve") == norwegian_calendar([2027], ["christmas_eve"])
        with pytest.raises(ValueError, match="half_days_off: 'julaften'; allowed"):
            norwegian_calendar([2027], "julaften")

    def test_the_register_knows_the_same_words(self):
        register = pytest.importorskip("ansible_collections.helsevest.interactor.plugins.module_utils._register_models")
        field = register.Calendar.model_json_schema()["properties"]["half_days_off"]
        assert field["items"]["enum"] == field["default"] == list(HALF_DAYS) == list(get_args(HalfDay))


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
