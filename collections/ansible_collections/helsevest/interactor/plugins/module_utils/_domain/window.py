# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows of time in which a site may be worked on (M1), told in Norwegian wall time and kept in UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


def _moment(day: date, wall: time, *, last: bool) -> datetime:
    """The UTC moment at which Oslo's clocks show `wall` on `day`; `last` chooses where they show it twice."""
    local = datetime.combine(day, wall, OSLO).replace(fold=int(last))
    moment = local.astimezone(UTC)
    if moment.astimezone(OSLO).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    # The clocks jump over this time. Read with the offset after the jump (fold=1) it lies before the jump itself.
    moment = local.replace(fold=1).astimezone(UTC)
    before = moment.astimezone(OSLO).utcoffset()
    while moment.astimezone(OSLO).utcoffset() == before:
        moment += _MINUTE
    return moment


@dataclass(frozen=True)
class Opening:
    """One stretch of real time, from `start` to just before `end`, both aware and in UTC.

    ValueError if either is not in UTC or nothing lies between them.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            if getattr(self, name).utcoffset() != timedelta(0):
                raise ValueError(f"opening: {name} {getattr(self, name).isoformat()} is not in UTC")
        if self.end <= self.start:
            raise ValueError(f"opening: end {self.end.isoformat()} is not after start {self.start.isoformat()}")

    @property
    def length(self) -> timedelta:
        """The real time between start and end."""
        return self.end - self.start

    def contains(self, now: datetime) -> bool:
        """Whether `now` (aware) lies inside; the end does not."""
        return self.start <= now < self.end

    def remaining(self, now: datetime) -> timedelta:
        """The real time from `now` (aware) to the end; zero outside."""
        return self.end - now if self.contains(now) else timedelta(0)

    def fits(self, now: datetime, duration: timedelta) -> bool:
        """Whether something that starts at `now` and takes `duration` is over when the opening ends (M1)."""
        return self.contains(now) and duration <= self.remaining(now)

    def intersect(self, other: Opening) -> Opening | None:
        """What lies in both, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Opening(start, end) if start < end else None


@dataclass(frozen=True)
class Window:
    """A time of day on some weekdays (Monday is 0; the day on which it opens), in Oslo's wall time.

    An `end` at or before `start` lies on the next day. ValueError for equal times, no weekday, or times with seconds.
    """

    weekdays: frozenset[int]
    start: time
    end: time

    def __post_init__(self) -> None:
        if not self.weekdays or not self.weekdays <= frozenset(range(7)):
            raise ValueError(f"window: weekdays {sorted(self.weekdays)}; one or more of 0 (Monday) to 6 are allowed")
        for name, value in (("from", self.start), ("to", self.end)):
            if value.tzinfo is not None or value.second or value.microsecond:
                raise ValueError(f"window: {name} {value.isoformat()}; whole minutes of Norwegian time are allowed")
        if self.start == self.end:
            raise ValueError(f"window: from and to are both {self.start:%H:%M}; they must differ")

    @classmethod
    def from_vars(cls, raw: Mapping[str, Any]) -> Window:
        """Read `{weekdays: [mon, …], from: "20:00", to: "06:00"}`; ValueError names the field that is wrong."""
        try:
            weekdays = frozenset(WEEKDAYS.index(day) for day in raw["weekdays"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"window: weekdays {raw.get('weekdays')!r}; a list of {', '.join(WEEKDAYS)} is allowed"
            ) from error
        return cls(weekdays, _wall_time(raw, "from"), _wall_time(raw, "to"))

    @property
    def passes_midnight(self) -> bool:
        """Whether it ends on the day after the one on which it opens."""
        return self.end < self.start

    @property
    def is_by_day(self) -> bool:
        """Whether its sites belong to `window_day`: opens from 06:00 and before 18:00, and is over the same day."""
        return not self.passes_midnight and time(6) <= self.start < time(18)

    def opening_on(self, day: date) -> Opening | None:
        """The opening that begins on `day`, or None if it does not open then.

        A wall time that the clocks jump over is the moment of the jump; of one that comes twice, `from` is the first
        and `to` the last. A window that lies in the jump as a whole does not open that day.
        """
        return _opening_on(self.start, self.end, day) if day.weekday() in self.weekdays else None


def _wall_time(raw: Mapping[str, Any], field: str) -> time:
    value = raw.get(field)
    try:
        # YAML reads a bare 20:00 as a number, so that only text can be trusted to mean what was written.
        if not isinstance(value, str) or len(value) != len("20:00"):
            raise ValueError
        return time.fromisoformat(value)
    except ValueError:
        raise ValueError(f'window: {field} {value!r}; a time of day like "20:00" is allowed') from None


EVERY_DAY = frozenset(range(7))
DEFAULT_MOVE_WINDOW = Window(EVERY_DAY, time(20), time(6))
"""Where a site has not asked for another time (M1): evening and night."""
DEFAULT_UPGRADE_WINDOW = Window(EVERY_DAY, time(17), time(22))
"""The evening of the last working day before the move (U1)."""
MORNING = time(7)
"""When an office begins to work, and its contact can be called (A2)."""


def openings(windows: Sequence[Window], day: date) -> list[Opening]:
    """The openings of all `windows` that begin on `day`, the earliest first."""
    found = (window.opening_on(day) for window in windows)
    return sorted((opening for opening in found if opening), key=lambda opening: (opening.start, opening.end))


def intersection_on(
    day: date,
    site_window: Window,
    wave_window: Window | None,
    vendor_windows: Sequence[Window],
    *,
    by_midnight: bool = False,
) -> Opening | None:
    """What site, wave and vendor all allow of the site's opening that begins on `day`, or None.

    The wave's and the vendor's openings of the day before and after count too. No wave window or no vendor windows
    means always; several vendor windows are one union. Of several stretches the longest counts (the earliest of
    equals), for a move is not interrupted. `by_midnight`: what lies after the midnight that ends `day` does not count.
    """
    return _intersection(day, site_window, wave_window, tuple(vendor_windows), by_midnight)


def next_opening(
    site_window: Window,
    now: datetime,
    wave_window: Window | None = None,
    vendor_windows: Sequence[Window] = (),
) -> Opening | None:
    """The common opening (see `intersection_on`) that `now` (aware) lies in, else the first that begins after it.

    None where site, wave and vendor do not meet within two weeks; one window alone opens at least every other week.
    """
    day = now.astimezone(OSLO).date() - _DAY
    # Two weeks and the day before: a window on one weekday that the clocks jump over opens a week later.
    for ahead in range(16):
        opening = intersection_on(day + ahead * _DAY, site_window, wave_window, vendor_windows)
        if opening and now < opening.end:
            return opening
    return None


# The cached functions below are pure; a plan and a rehearsal ask for the same windows and days many thousand times.


@lru_cache(maxsize=65536)
def _opening_on(start: time, end: time, day: date) -> Opening | None:
    first = _moment(day, start, last=False)
    last = _moment(day + _DAY if end < start else day, end, last=True)
    return Opening(first, last) if first < last else None


@lru_cache(maxsize=65536)
def _intersection(
    day: date, site_window: Window, wave_window: Window | None, vendor_windows: tuple[Window, ...], by_midnight: bool
) -> Opening | None:
    site = site_window.opening_on(day)
    if site and by_midnight:
        site = Opening(site.start, min(site.end, _moment(day + _DAY, time(0), last=False)))
    stretches = [site] if site else []
    for windows in ((wave_window,) if wave_window else (), vendor_windows):
        if windows:
            shared = (stretch.intersect(other) for stretch in stretches for other in _union_around(windows, day))
            stretches = [opening for opening in shared if opening]
    return max(stretches, key=lambda opening: (opening.length, -opening.start.timestamp()), default=None)


@lru_cache(maxsize=4096)
def _union_around(windows: tuple[Window, ...], day: date) -> tuple[Opening, ...]:
    """The openings that begin on `day` or a day before or after, in as few stretches as possible."""
    around = (opening for offset in (-1, 0, 1) for opening in openings(windows, day + offset * _DAY))
    union: list[Opening] = []
    for piece in sorted(around, key=lambda opening: opening.start):
        if union and piece.start <= union[-1].end:
            union[-1] = Opening(union[-1].start, max(union[-1].end, piece.end))
        else:
            union.append(piece)
    return tuple(union)
