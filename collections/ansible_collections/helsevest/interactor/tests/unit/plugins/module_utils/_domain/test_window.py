# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows and openings, the two nights of the year included on which the clocks are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import (
    DEFAULT_MOVE_WINDOW,
    DEFAULT_UPGRADE_WINDOW,
    EVERY_DAY,
    OSLO,
    Opening,
    Window,
    intersection_on,
    next_opening,
    openings,
)
from ansible_collections.helsevest.interactor.tests.unit.plugins.module_utils._domain import wall_clock
from ansible_collections.helsevest.interactor.tests.unit.plugins.module_utils._domain.wall_clock import (
    DAY,
    HOUR,
    MINUTE,
    any_day,
    any_time,
    any_weekdays,
    small_hours,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

TUESDAY = date(2027, 5, 18)
SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(start: str, end: str, weekdays: str = "mon tue wed thu fri sat sun") -> Window:
    return Window.from_vars({"weekdays": weekdays.split(), "from": start, "to": end})


def opening(start: str, end: str) -> Opening:
    return Opening(utc(start), utc(end))


class TestReading:
    def test_words_become_weekdays_and_times(self):
        assert window("20:00", "06:00", "mon sun") == Window(frozenset({0, 6}), time(20), time(6))

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"weekdays": []}, "weekdays"),
            ({"weekdays": ["man"]}, "'man'"),
            ({"weekdays": None}, "weekdays None"),
            ({"weekdays": 3}, "weekdays 3"),
            ({"from": "24:00"}, "from '24:00'"),
            ({"from": "8:00"}, "from '8:00'"),
            ({"from": 1200}, "from 1200"),
            ({"to": None}, "to None"),
            ({"to": "06:00:30"}, "to '06:00:30'"),
            ({"to": "20:00"}, "both 20:00"),
        ],
    )
    def test_what_is_wrong_is_named(self, changes: dict[str, Any], told: str):
        with pytest.raises(ValueError, match=told):
            Window.from_vars({"weekdays": ["mon"], "from": "20:00", "to": "06:00", **changes})

    @pytest.mark.parametrize("field", ["weekdays", "from", "to"])
    def test_a_field_that_is_missing_is_named(self, field: str):
        raw = {"weekdays": ["mon"], "from": "20:00", "to": "06:00"}
        del raw[field]
        with pytest.raises(ValueError, match=field):
            Window.from_vars(raw)

    def test_seconds_and_zones_and_other_weekdays_are_refused(self):
        with pytest.raises(ValueError, match="whole minutes"):
            Window(EVERY_DAY, time(20, 0, 1), time(6))
        with pytest.raises(ValueError, match="whole minutes"):
            Window(EVERY_DAY, time(20, tzinfo=UTC), time(6))
        with pytest.raises(ValueError, match="weekdays"):
            Window(frozenset({7}), time(20), time(6))

    def test_the_defaults(self):
        assert window("20:00", "06:00") == DEFAULT_MOVE_WINDOW
        assert window("17:00", "22:00") == DEFAULT_UPGRADE_WINDOW

    @pytest.mark.parametrize(
        ("start", "end", "by_day"),
        [
            ("05:59", "14:00", False),
            ("06:00", "14:00", True),
            ("10:00", "14:00", True),
            ("17:59", "23:59", True),
            ("18:00", "23:00", False),
            ("20:00", "06:00", False),
            ("10:00", "00:00", False),
            ("10:00", "09:00", False),
        ],
    )
    def test_by_day(self, start: str, end: str, by_day: bool):
        assert window(start, end).is_by_day is by_day


class TestOpening:
    night = opening("2027-05-18T18:00", "2027-05-19T04:00")

    def test_half_open(self):
        assert self.night.contains(self.night.start)
        assert not self.night.contains(self.night.start - MINUTE)
        assert self.night.contains(self.night.end - timedelta(seconds=1))
        assert not self.night.contains(self.night.end)

    def test_remaining_is_zero_outside(self):
        assert self.night.remaining(self.night.start) == 10 * HOUR == self.night.length
        assert self.night.remaining(self.night.end - MINUTE) == MINUTE
        assert self.night.remaining(self.night.end) == timedelta(0)
        assert self.night.remaining(self.night.start - MINUTE) == timedelta(0)

    def test_remaining_counts_real_time_for_local_moments(self):
        autumn_night = DEFAULT_MOVE_WINDOW.opening_on(AUTUMN - DAY)
        assert autumn_night is not None
        assert autumn_night.remaining(datetime(2027, 10, 31, 1, tzinfo=OSLO)) == 6 * HOUR

    def test_what_ends_with_the_opening_fits_and_a_second_more_does_not(self):
        at = self.night.end - HOUR
        assert self.night.fits(at, HOUR)
        assert not self.night.fits(at, HOUR + timedelta(seconds=1))
        assert not self.night.fits(at + timedelta(seconds=1), HOUR)

    def test_nothing_fits_outside(self):
        assert not self.night.fits(self.night.start - MINUTE, MINUTE)
        assert not self.night.fits(self.night.end, timedelta(0))

    def test_intersection(self):
        late = opening("2027-05-19T03:00", "2027-05-19T08:00")
        assert self.night.intersect(late) == late.intersect(self.night) == Opening(late.start, self.night.end)
        assert self.night.intersect(Opening(self.night.end, self.night.end + HOUR)) is None

    def test_only_utc_and_only_forwards(self):
        with pytest.raises(ValueError, match=r"start .* not in UTC"):
            Opening(utc("2027-05-18T18:00").replace(tzinfo=None), utc("2027-05-19T04:00"))
        with pytest.raises(ValueError, match=r"end .* not in UTC"):
            Opening(utc("2027-05-18T18:00"), datetime(2027, 5, 19, 6, tzinfo=OSLO))
        with pytest.raises(ValueError, match="not after"):
            Opening(self.night.start, self.night.start)


class TestOpeningOn:
    def test_the_weekday_is_that_of_the_day_it_opens(self):
        tuesdays = window("20:00", "06:00", "tue")
        assert tuesdays.opening_on(TUESDAY) == opening("2027-05-18T18:00", "2027-05-19T04:00")
        assert tuesdays.opening_on(TUESDAY + DAY) is None

    @pytest.mark.parametrize(
        ("start", "end", "day", "expected"),
        [
            # In spring 02:00 becomes 03:00 at 01:00 UTC.
            ("20:00", "06:00", SPRING - DAY, ("2027-03-27T19:00", "2027-03-28T04:00")),
            ("02:30", "05:00", SPRING, ("2027-03-28T01:00", "2027-03-28T03:00")),
            ("01:00", "02:30", SPRING, ("2027-03-28T00:00", "2027-03-28T01:00")),
            ("02:59", "03:01", SPRING, ("2027-03-28T01:00", "2027-03-28T01:01")),
            # In autumn 03:00 becomes 02:00 at 01:00 UTC.
            ("20:00", "06:00", AUTUMN - DAY, ("2027-10-30T18:00", "2027-10-31T05:00")),
            ("02:30", "05:00", AUTUMN, ("2027-10-31T00:30", "2027-10-31T04:00")),
            ("01:00", "02:30", AUTUMN, ("2027-10-30T23:00", "2027-10-31T01:30")),
            ("02:00", "02:01", AUTUMN, ("2027-10-31T00:00", "2027-10-31T01:01")),
            ("03:00", "04:00", AUTUMN, ("2027-10-31T02:00", "2027-10-31T03:00")),
        ],
    )
    def test_when_the_clocks_are_changed(self, start: str, end: str, day: date, expected: tuple[str, str]):
        assert window(start, end).opening_on(day) == opening(*expected)

    def test_a_window_inside_the_jump_does_not_open_that_day(self):
        assert window("02:15", "02:45").opening_on(SPRING) is None


class TestNextOpening:
    def test_the_one_that_now_lies_in_also_from_the_evening_before(self):
        night = DEFAULT_MOVE_WINDOW.opening_on(TUESDAY)
        assert night is not None
        assert next_opening(DEFAULT_MOVE_WINDOW, night.start) == night
        assert next_opening(DEFAULT_MOVE_WINDOW, night.end - MINUTE) == night

    def test_else_the_first_after_now(self):
        night = DEFAULT_MOVE_WINDOW.opening_on(TUESDAY)
        assert night is not None
        assert next_opening(DEFAULT_MOVE_WINDOW, night.start - MINUTE) == night
        assert next_opening(DEFAULT_MOVE_WINDOW, night.end) == DEFAULT_MOVE_WINDOW.opening_on(TUESDAY + DAY)

    def test_a_week_ahead(self):
        tuesdays = window("10:00", "14:00", "tue")
        assert next_opening(tuesdays, utc("2027-05-18T12:00")) == tuesdays.opening_on(TUESDAY + 7 * DAY)

    def test_two_weeks_ahead_where_the_clocks_jump_over_it(self):
        sundays = window("02:15", "02:45", "sun")
        assert next_opening(sundays, utc("2027-03-21T02:00")) == sundays.opening_on(SPRING + 7 * DAY)

    def test_the_vendor_is_closed_on_the_day_into_which_the_night_runs(self):
        # The vendor works Monday to Friday around the clock, in two windows; the site's night begins on Friday.
        vendor = [window("00:00", "12:00", "mon tue wed thu fri"), window("12:00", "00:00", "mon tue wed thu fri")]
        friday = window("20:00", "06:00", "fri")
        assert next_opening(friday, utc("2027-05-14T18:00"), None, vendor) == opening(
            "2027-05-14T18:00", "2027-05-14T22:00"
        )

    def test_the_wave_begins_before_midnight_and_the_site_after_it(self):
        site, wave = window("00:30", "05:00", "wed"), window("22:00", "03:00", "tue")
        found = next_opening(site, utc("2027-05-18T12:00"), wave)
        assert found == opening("2027-05-18T22:30", "2027-05-19T01:00")

    def test_the_stretch_that_a_move_would_have_and_no_shorter_one(self):
        vendor = [window("20:00", "22:00"), window("01:00", "05:00")]
        found = next_opening(window("20:00", "06:00"), utc("2027-05-18T18:30"), None, vendor)
        assert found == opening("2027-05-18T23:00", "2027-05-19T03:00")

    def test_none_where_they_never_meet(self):
        site, vendor = window("20:00", "06:00", "mon"), [window("20:00", "06:00", "wed thu")]
        assert next_opening(site, utc("2027-05-18T12:00"), None, vendor) is None


class TestIntersection:
    night = window("20:00", "06:00")

    def test_openings_of_a_day_in_order(self):
        late, early, never = window("20:00", "06:00"), window("08:00", "09:00"), window("01:00", "02:00", "mon")
        assert openings([late, early, never], TUESDAY) == [early.opening_on(TUESDAY), late.opening_on(TUESDAY)]

    def test_without_wave_and_vendor_it_is_the_sites_own(self):
        assert intersection_on(TUESDAY, self.night, None, []) == self.night.opening_on(TUESDAY)
        assert intersection_on(TUESDAY, window("20:00", "06:00", "mon"), None, []) is None

    def test_all_three(self):
        found = intersection_on(TUESDAY, self.night, window("22:00", "04:00"), [window("21:00", "03:30")])
        assert found == opening("2027-05-18T20:00", "2027-05-19T01:30")

    def test_the_vendors_opening_of_the_evening_before_counts(self):
        morning = window("04:00", "09:00")
        assert intersection_on(TUESDAY, morning, None, [window("22:00", "06:00", "mon")]) == opening(
            "2027-05-18T02:00", "2027-05-18T04:00"
        )

    def test_the_waves_opening_of_the_day_after_counts(self):
        assert intersection_on(TUESDAY, self.night, window("01:00", "05:00", "wed"), []) == opening(
            "2027-05-18T23:00", "2027-05-19T03:00"
        )

    def test_the_vendors_windows_are_one_union(self):
        halves = [window("20:00", "23:00"), window("23:00", "02:00"), window("22:00", "22:30")]
        assert intersection_on(TUESDAY, self.night, None, halves) == opening("2027-05-18T18:00", "2027-05-19T00:00")

    def test_of_several_stretches_the_longest_and_of_equals_the_first(self):
        apart = [window("20:00", "22:00"), window("01:00", "05:00")]
        assert intersection_on(TUESDAY, self.night, None, apart) == opening("2027-05-18T23:00", "2027-05-19T03:00")
        equal = [window("20:00", "22:00"), window("01:00", "03:00")]
        assert intersection_on(TUESDAY, self.night, None, equal) == opening("2027-05-18T18:00", "2027-05-18T20:00")

    def test_none_where_they_do_not_meet(self):
        assert intersection_on(TUESDAY, self.night, window("08:00", "20:00"), []) is None
        assert intersection_on(TUESDAY, self.night, None, [window("20:00", "06:00", "thu")]) is None
        assert intersection_on(TUESDAY, self.night, window("20:00", "22:00"), [window("22:00", "23:00")]) is None


# From here on everything is compared with wall_clock, which walks through real time minute by minute.


@st.composite
def windows(draw: st.DrawFn) -> Window:
    start, end = draw(any_time | small_hours), draw(any_time | small_hours)
    assume(start != end)
    return Window(draw(st.just(EVERY_DAY) | any_weekdays), start, end)


vendors = st.lists(windows(), max_size=2)
moments = st.builds(
    lambda day, seconds: datetime.combine(day, time(0), UTC) + timedelta(seconds=seconds),
    any_day,
    st.integers(0, 24 * 60).map(lambda minutes: minutes * 60) | st.integers(0, 24 * 3600),
)
# To the end of the opening and a second more or less, or any.
durations = st.integers(-1, 1).map(lambda more: ("left", timedelta(seconds=more))) | st.integers(0, 26 * 60).map(
    lambda minutes: ("any", minutes * MINUTE)
)


def stretch(found: Opening | None) -> wall_clock.Stretch | None:
    return wall_clock.Stretch(found.start, found.end) if found else None


@pytest.mark.parametrize("year", wall_clock.YEARS)
def test_the_clocks_are_changed_when_the_rule_says(year: int):
    """The rule of the oracle against the time zone database, through both nights."""
    for night in (wall_clock.last_sunday(year, 3), wall_clock.last_sunday(year, 10)):
        for minutes in range(-60, 4 * 60):
            moment = datetime.combine(night, time(0), UTC) + minutes * MINUTE
            assert wall_clock.shown(moment) == moment.astimezone(OSLO).replace(tzinfo=None)


@settings(deadline=None, max_examples=300, database=None)
@given(windows(), any_day)
def test_an_opening_is_what_the_clocks_show(wanted: Window, day: date):
    assert [stretch(wanted.opening_on(day))] == (wall_clock.runs(wall_clock.open_minutes(wanted, day)) or [None])


@settings(deadline=None, max_examples=150, database=None)
@given(windows(), windows() | st.none(), vendors, any_day)
def test_the_intersection_is_the_longest_run_of_minutes_that_all_allow(
    site: Window, wave: Window | None, vendor: list[Window], day: date
):
    assert stretch(intersection_on(day, site, wave, vendor)) == wall_clock.common_stretch(site, wave, vendor, day)


@settings(deadline=None, max_examples=150, database=None)
@given(windows(), moments)
def test_the_next_opening_of_one_window(wanted: Window, now: datetime):
    found = next_opening(wanted, now)
    assert found is not None
    assert stretch(found) == wall_clock.next_stretch(wanted, None, [], now)
    open_now = any(
        run.holds(now)
        for offset in (-2, -1, 0)
        for run in wall_clock.runs(wall_clock.open_minutes(wanted, wall_clock.shown(now).date() + offset * DAY))
    )
    assert found.contains(now) == open_now


@settings(deadline=None, max_examples=60, database=None)
@given(windows(), windows() | st.none(), vendors, moments)
def test_the_next_common_opening(site: Window, wave: Window | None, vendor: list[Window], now: datetime):
    assert stretch(next_opening(site, now, wave, vendor)) == wall_clock.next_stretch(site, wave, vendor, now)


@settings(deadline=None, max_examples=150, database=None)
@given(windows(), windows() | st.none(), vendors, any_day, st.integers(-90 * 60, 30 * 3600), durations)
def test_what_is_left_and_what_fits(
    site: Window,
    wave: Window | None,
    vendor: list[Window],
    day: date,
    seconds: int,
    takes: tuple[str, timedelta],
):
    found, expected = intersection_on(day, site, wave, vendor), wall_clock.common_stretch(site, wave, vendor, day)
    assume(found is not None and expected is not None)
    assert found is not None
    assert expected is not None
    now = expected.start + timedelta(seconds=seconds)
    duration = takes[1] + (max(expected.end - now, MINUTE) if takes[0] == "left" else timedelta(0))
    inside = expected.holds(now)
    assert found.contains(now) == inside
    assert found.remaining(now) == (expected.end - now if inside else timedelta(0))
    assert found.fits(now, duration) == expected.holds(now, duration)
    # In Norwegian time the answers are the same, whichever of the two 02:30 it is.
    local = now.astimezone(OSLO)
    assert (found.contains(local), found.remaining(local)) == (found.contains(now), found.remaining(now))
    assert found.fits(local, duration) == found.fits(now, duration)
