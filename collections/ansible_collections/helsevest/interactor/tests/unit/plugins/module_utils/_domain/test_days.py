# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a day means for one site: every reason why it cannot be moved, one at a time and together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.calendar import Calendar
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.days import (
    Obstacle,
    morning_after,
    move_opening,
    obstacles,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Freeze, Site, Span
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import EVERY_DAY, Opening, Window
from ansible_collections.helsevest.interactor.tests.unit.plugins.module_utils._domain.wall_clock import (
    DAY,
    MINUTE,
    any_day,
    any_time,
    shown,
    small_hours,
)
from hypothesis import assume, given, settings

MakeSite = Callable[..., Site]

MAY_17 = date(2027, 5, 17)
CALENDAR = Calendar(frozenset({MAY_17}))
FRIDAY, SATURDAY, TUESDAY = date(2027, 5, 14), date(2027, 5, 15), date(2027, 5, 18)


def window(start: str, end: str, weekdays: frozenset[int] = EVERY_DAY) -> Window:
    return Window(weekdays, time.fromisoformat(start), time.fromisoformat(end))


def freeze(first: date, last: date, whose: str = "vendor") -> Freeze:
    return Freeze(Span(first, last), "release", whose)


def codes(site: Site, day: date, **how: Any) -> list[str]:
    return [obstacle.code for obstacle in obstacles(site, day, CALENDAR, **how)]


def only(site: Site, day: date, **how: Any) -> Obstacle:
    (found,) = obstacles(site, day, CALENDAR, **how)
    return found


def test_a_day_like_any_other(make_site: MakeSite):
    assert obstacles(make_site(), TUESDAY, CALENDAR) == ()


class TestTheMorningAfter:
    @pytest.mark.parametrize(
        ("start", "end", "day", "morning"),
        [
            ("20:00", "06:00", FRIDAY, SATURDAY),
            ("10:00", "14:00", FRIDAY, SATURDAY),
            ("20:00", "07:00", FRIDAY, SATURDAY),
            ("20:00", "07:01", FRIDAY, SATURDAY + DAY),
            ("20:00", "19:00", FRIDAY, SATURDAY + DAY),
            ("01:00", "05:00", FRIDAY, FRIDAY),
            # Both nights on which the clocks are changed.
            ("20:00", "07:00", date(2027, 3, 27), date(2027, 3, 28)),
            ("20:00", "07:00", date(2027, 10, 30), date(2027, 10, 31)),
        ],
    )
    def test_is_the_first_seven_o_clock_at_or_after_the_end(self, start: str, end: str, day: date, morning: date):
        opening = window(start, end).opening_on(day)
        assert opening is not None
        assert morning_after(opening) == morning

    @pytest.mark.parametrize(
        ("day", "refused"),
        [
            (FRIDAY, True),
            (SATURDAY, True),
            # Monday is the 17th of May.
            (SATURDAY + DAY, True),
            (MAY_17, False),
            (TUESDAY, False),
        ],
    )
    def test_a_day_off_needs_a_contact_on_days_off(self, make_site: MakeSite, day: date, refused: bool):
        assert codes(make_site(), day) == ["contact_day_after"] * refused
        reachable = make_site(contact={"name": "K", "weekends": True})
        assert codes(reachable, day) == []

    def test_it_is_told_with_its_weekday(self, make_site: MakeSite):
        assert only(make_site(), FRIDAY) == Obstacle(
            "contact_day_after", "the morning after is sat 2027-05-15, a day off, and no contact is there then", "site"
        )

    def test_a_contact_that_is_not_known_is_not_there(self, make_site: MakeSite):
        assert codes(make_site(contact=None), FRIDAY) == ["contact_day_after"]
        assert codes(make_site(contact=None), TUESDAY) == []

    def test_a_half_day_off_is_a_day_off(self, make_site: MakeSite):
        eve = Calendar(frozenset({date(2027, 12, 24)}))
        assert [o.code for o in obstacles(make_site(), date(2027, 12, 23), eve)] == ["contact_day_after"]
        assert obstacles(make_site(), date(2027, 12, 23), Calendar(frozenset())) == ()

    def test_the_common_window_decides_and_not_the_sites_own(self, make_site: MakeSite):
        # The site's window ends at 10:00 on Saturday, the vendor's on Friday at 06:00 and on Saturday at 02:00.
        site = make_site(window=window("20:00", "10:00"), vendor_windows=(window("22:00", "02:00"),))
        assert codes(site, date(2027, 5, 13)) == []
        assert codes(site, FRIDAY) == ["contact_day_after"]


@settings(deadline=None, max_examples=100, database=None)
@given(any_time | small_hours, any_time | small_hours, any_day)
def test_the_morning_after_is_found_by_walking_to_it(start: time, end: time, day: date):
    assume(start != end)
    opening = Window(EVERY_DAY, start, end).opening_on(day)
    assume(opening is not None)
    assert opening is not None
    moment = opening.end
    while shown(moment).time() != time(7):
        moment += MINUTE
    assert morning_after(opening) == shown(moment).date()


class TestClosed:
    @pytest.mark.parametrize(
        ("day", "told"),
        [
            (date(2027, 7, 4), None),
            (date(2027, 7, 5), "the morning after is 2027-07-06"),
            (date(2027, 7, 6), "the move date is 2027-07-06"),
            (date(2027, 7, 8), "the move date is 2027-07-08"),
            (date(2027, 7, 11), None),
        ],
    )
    def test_on_the_day_and_on_the_morning_after(self, make_site: MakeSite, day: date, told: str | None):
        site = make_site(closed=(Span(date(2027, 7, 6), date(2027, 7, 8)),))
        text = f"the site is closed 2027-07-06 to 2027-07-08, {told}"
        assert obstacles(site, day, CALENDAR) == ((Obstacle("closed", text, "us"),) if told else ())

    def test_every_closure_is_told_once(self, make_site: MakeSite):
        spans = (Span(TUESDAY, TUESDAY + DAY), Span(TUESDAY + DAY, TUESDAY + 2 * DAY), Span(FRIDAY, FRIDAY))
        assert codes(make_site(closed=spans), TUESDAY) == ["closed", "closed"]

    def test_a_closing_that_is_not_known_is_no_obstacle(self, make_site: MakeSite):
        assert codes(make_site(closed=None), TUESDAY) == []


class TestFreezes:
    @pytest.mark.parametrize(
        ("whose", "who", "by"),
        [
            ("vendor", "vendor", "the vendor"),
            ("health_trust", "us", "the health trust"),
            ("wave", "us", "its wave"),
        ],
    )
    def test_everybodys(self, make_site: MakeSite, whose: str, who: str, by: str):
        site = make_site(freezes=(freeze(TUESDAY, TUESDAY, whose),))
        text = f"frozen by {by} 2027-05-18 to 2027-05-18 (release): the move date is 2027-05-18"
        assert only(site, TUESDAY) == Obstacle("freeze", text, who)

    def test_both_ends_belong_to_it(self, make_site: MakeSite):
        site = make_site(freezes=(freeze(date(2027, 6, 15), date(2027, 6, 16)),))
        days = [date(2027, 6, 14) + offset * DAY for offset in range(4)]
        assert [codes(site, day, upgraded=True) for day in days] == [[], ["freeze"], ["freeze"], []]

    def test_the_evening_of_the_upgrade(self, make_site: MakeSite):
        # The last working day before Tuesday the 18th is Friday the 14th.
        site = make_site(freezes=(freeze(FRIDAY, FRIDAY),))
        assert only(site, TUESDAY).text.endswith("the upgrade's evening is 2027-05-14")
        assert codes(site, TUESDAY, upgraded=True) == []

    def test_a_night_that_would_run_into_one_is_over_at_midnight(self, make_site: MakeSite):
        frozen = make_site(freezes=(freeze(TUESDAY + DAY, TUESDAY + DAY),))
        opening = move_opening(frozen, TUESDAY)
        assert opening == Opening(datetime(2027, 5, 18, 18, tzinfo=UTC), datetime(2027, 5, 18, 22, tzinfo=UTC))
        assert codes(frozen, TUESDAY, takes=timedelta(hours=4)) == []
        assert only(frozen, TUESDAY, takes=timedelta(hours=4, minutes=1)).text == (
            "frozen by the vendor 2027-05-19 to 2027-05-19 (release): too little is left before midnight of 2027-05-18"
        )

    def test_the_time_before_midnight_counts_although_more_would_be_left_after_it(self, make_site: MakeSite):
        vendor = (window("20:00", "22:00"), window("01:00", "05:00"))
        site = make_site(vendor_windows=vendor)
        assert move_opening(site, TUESDAY) == window("01:00", "05:00").opening_on(TUESDAY + DAY)
        frozen = make_site(vendor_windows=vendor, freezes=(freeze(TUESDAY + DAY, TUESDAY + DAY),))
        assert move_opening(frozen, TUESDAY) == window("20:00", "22:00").opening_on(TUESDAY)

    def test_windows_that_meet_only_after_midnight_on_a_frozen_day(self, make_site: MakeSite):
        site = make_site(wave_window=window("01:00", "05:00"), freezes=(freeze(TUESDAY + DAY, TUESDAY + DAY),))
        assert move_opening(site, TUESDAY) is None
        assert only(site, TUESDAY).code == "freeze"
        # The morning after counts all the same: every reason is told.
        friday = make_site(wave_window=window("01:00", "05:00"), freezes=(freeze(SATURDAY, SATURDAY),))
        assert codes(friday, FRIDAY) == ["freeze", "contact_day_after"]

    def test_each_freeze_is_told_once(self, make_site: MakeSite):
        site = make_site(freezes=(freeze(FRIDAY, TUESDAY), freeze(TUESDAY, TUESDAY, "wave")))
        assert codes(site, TUESDAY) == ["freeze", "freeze"]


class TestTheWavesDates:
    @pytest.mark.parametrize(("offset", "outside"), [(-1, True), (0, False), (1, False), (2, True)])
    def test_both_ends_belong_to_them(self, make_site: MakeSite, offset: int, outside: bool):
        first = date(2027, 6, 15)
        site = make_site(wave_dates=Span(first, first + DAY))
        assert codes(site, first + offset * DAY) == ["wave_dates"] * outside

    def test_the_text_names_wave_and_dates(self, make_site: MakeSite):
        site = make_site(wave_dates=Span(MAY_17, MAY_17))
        assert only(site, TUESDAY) == Obstacle(
            "wave_dates", "wave 1 moves 2027-05-17 to 2027-05-17, not on 2027-05-18", "us"
        )


class TestTheWindows:
    def test_a_day_on_which_they_do_not_meet(self, make_site: MakeSite):
        site = make_site(vendor_windows=(window("20:00", "06:00", frozenset({0})),))
        assert move_opening(site, TUESDAY) is None
        assert only(site, TUESDAY) == Obstacle(
            "no_opening", "on 2027-05-18 the windows of site, wave and vendor do not meet", "us"
        )

    def test_a_common_time_that_is_too_short(self, make_site: MakeSite):
        site = make_site(wave_window=window("05:00", "20:00"))
        assert codes(site, TUESDAY, takes=60 * MINUTE) == []
        assert only(site, TUESDAY, takes=61 * MINUTE) == Obstacle(
            "too_short", "on 2027-05-18 the windows meet for 60 minutes, a move takes 61", "us"
        )


def test_all_of_them_together(make_site: MakeSite):
    site = make_site(
        closed=(Span(FRIDAY, FRIDAY),),
        freezes=(freeze(FRIDAY, FRIDAY),),
        wave_dates=Span(TUESDAY, TUESDAY),
    )
    assert codes(site, FRIDAY, takes=timedelta(hours=11)) == [
        "closed",
        "freeze",
        "wave_dates",
        "too_short",
        "contact_day_after",
    ]


def test_a_year_whose_holidays_are_not_known_is_refused(make_site: MakeSite):
    with pytest.raises(ValueError, match="2028"):
        obstacles(make_site(), date(2027, 12, 31), Calendar(frozenset(), frozenset({2027})))
