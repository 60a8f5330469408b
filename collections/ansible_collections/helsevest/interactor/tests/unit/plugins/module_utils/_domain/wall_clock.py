# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The slow answer to every question about windows: real time minute by minute, and what clocks in Norway show.

It knows nothing of the code under test but a window's weekdays, start and end. The two nights of the year come from the
rule itself (the last Sundays of March and October, 01:00 UTC), not from a time zone database.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import accumulate
from typing import NamedTuple, Protocol

from hypothesis import strategies as st

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
YEARS = range(2024, 2036)


class Told(Protocol):
    """A window as a person tells it."""

    @property
    def weekdays(self) -> frozenset[int]: ...
    @property
    def start(self) -> time: ...
    @property
    def end(self) -> time: ...


class Stretch(NamedTuple):
    """Real time from `start` to just before `end`, in UTC."""

    start: datetime
    end: datetime

    def holds(self, now: datetime, duration: timedelta = timedelta(0)) -> bool:
        """Whether `now` and every second of `duration` from it lie inside."""
        return self.start <= now < self.end and now + duration <= self.end


@cache
def last_sunday(year: int, month: int) -> date:
    return max(day for day in (date(year, month, number) for number in range(25, 32)) if day.isoweekday() == 7)


SPRING_NIGHTS = [last_sunday(year, 3) for year in YEARS]
AUTUMN_NIGHTS = [last_sunday(year, 10) for year in YEARS]


def shown(moment: datetime) -> datetime:
    """What clocks in Norway show at a moment in UTC: one hour more, in summer two."""
    from_, to = (datetime.combine(last_sunday(moment.year, month), time(1), UTC) for month in (3, 10))
    return moment.replace(tzinfo=None) + (2 * HOUR if from_ <= moment < to else HOUR)


@lru_cache(maxsize=64)
def _minutes_around(day: date) -> list[tuple[datetime, datetime, datetime, datetime]]:
    """Every minute of `day` and its neighbours: the moment, what is shown, the latest and the earliest of all times
    that have been shown until then and will be shown after it."""
    first = datetime.combine(day - DAY, time(0), UTC)
    moments = [first + index * MINUTE for index in range(4 * 24 * 60)]
    now = [shown(moment) for moment in moments]
    until = list(accumulate(now, max))
    later = [*list(accumulate(reversed(now), min))[-2::-1], now[-1] + MINUTE]
    return list(zip(moments, now, until, later, strict=True))


@lru_cache(maxsize=512)
def open_minutes(window: Told, day: date) -> frozenset[datetime]:
    """The minutes of the window that opens on `day`: the clocks have shown its start, and its end is still to come."""
    if day.weekday() not in window.weekdays:
        return frozenset()
    start = datetime.combine(day, window.start)
    end = datetime.combine(day if window.end > window.start else day + DAY, window.end)
    return frozenset(
        moment for moment, now, until, later in _minutes_around(day) if until >= start and (now < end or later <= end)
    )


def runs(minutes: frozenset[datetime]) -> list[Stretch]:
    """The minutes as stretches without a gap, in order."""
    found: list[Stretch] = []
    for moment in sorted(minutes):
        if found and found[-1].end == moment:
            found[-1] = Stretch(found[-1].start, moment + MINUTE)
        else:
            found.append(Stretch(moment, moment + MINUTE))
    return found


def common_stretch(site: Told, wave: Told | None, vendor: Sequence[Told], day: date) -> Stretch | None:
    """The longest run of minutes of the site's opening of `day` that are the wave's and one of the vendor's too."""
    minutes = open_minutes(site, day)
    for others in ([wave] if wave else [], vendor):
        if others:
            around = (open_minutes(other, day + offset * DAY) for other in others for offset in (-1, 0, 1))
            minutes &= frozenset().union(*around)
    return max(runs(minutes), key=lambda run: run.end - run.start, default=None)


def next_stretch(site: Told, wave: Told | None, vendor: Sequence[Told], now: datetime) -> Stretch | None:
    """The first common stretch that is not over, of those that begin from the day before yesterday to in two weeks."""
    today = shown(now).date()
    stretches = (common_stretch(site, wave, vendor, today + offset * DAY) for offset in range(-2, 15))
    return next((stretch for stretch in stretches if stretch and now < stretch.end), None)


any_time = st.builds(time, st.integers(0, 23), st.integers(0, 59))
small_hours = st.builds(time, st.integers(1, 3), st.sampled_from([0, 1, 29, 30, 31, 59]))
any_weekdays = st.frozensets(st.integers(0, 6), min_size=1)
any_day = st.one_of(
    st.builds(
        lambda night, offset: night + offset * DAY,
        st.sampled_from(SPRING_NIGHTS + AUTUMN_NIGHTS),
        st.sampled_from([-8, -7, -2, -1, 0, 1]),
    ),
    st.dates(date(2024, 1, 1), date(2035, 12, 31)),
)
