# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a day means for one site: when it may be moved, the morning after, and every reason why not that day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from .calendar import Calendar
from .site import Site, Span
from .window import MORNING, OSLO, WEEKDAYS, Opening, intersection_on

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Obstacle:
    """Why a site cannot be moved on a day: `code`, in English for operations, and who can change it.

    `code` is one of `closed`, `freeze`, `wave_dates`, `no_opening`, `contact_day_after`; `who` is `us`, `site` or
    `vendor`.
    """

    code: str
    text: str
    who: str


def move_opening(site: Site, day: date) -> Opening | None:
    """When a move on `day` may run (M1): what site, wave and vendor have in common; None if nothing."""
    return intersection_on(day, site.window, site.wave_window, site.vendor_windows)


@lru_cache(maxsize=65536)
def morning_after(opening: Opening) -> date:
    """The day of the first morning (07:00 in Norway) at or after the end: the contact's day after (P6)."""
    end = opening.end.astimezone(OSLO)
    return end.date() if end.time() <= MORNING else end.date() + _DAY


def obstacles(
    site: Site, day: date, calendar: Calendar, *, takes: timedelta = timedelta(0), upgraded: bool = False
) -> tuple[Obstacle, ...]:
    """Every reason why `site` cannot be moved on `day`, the day on which its window opens; empty if it can.

    `takes` is how long a move is expected to take. `upgraded`: no evening before is needed any more (U1), so that a
    freeze of that evening does not count. What only time or a person can tell (a release, preflight) is the gate's.
    Raises ValueError for a day of a year whose holidays are not known.
    """
    return tuple(_obstacles(site, day, calendar, takes, upgraded))


def _obstacles(site: Site, day: date, calendar: Calendar, takes: timedelta, upgraded: bool) -> Iterator[Obstacle]:
    opening = move_opening(site, day)
    after = morning_after(opening) if opening else None
    for closed in site.closed or ():
        if day in closed:
            yield Obstacle("closed", f"the site is closed {_days(closed)}, the move date is {day}", "us")
        elif after and after in closed:
            yield Obstacle("closed", f"the site is closed {_days(closed)}, the morning after is {after}", "us")
    if site.freezes:
        yield from _frozen(site, day, opening, None if upgraded else calendar.last_working_day_before(day))
    if site.wave_dates and day not in site.wave_dates:
        yield Obstacle("wave_dates", f"wave {site.wave} moves {_days(site.wave_dates)}, not on {day}", "us")
    if opening is None:
        yield Obstacle("no_opening", f"on {day} the windows of site, wave and vendor do not meet", "us")
    elif opening.length < takes:
        text = f"on {day} the windows meet for {_minutes(opening.length)} minutes, a move takes {_minutes(takes)}"
        yield Obstacle("no_opening", text, "us")
    if after and not calendar.is_working_day(after) and not (site.contact and site.contact["weekends"]):
        text = f"the morning after is {WEEKDAYS[after.weekday()]} {after}, a day off, and no contact is there then"
        yield Obstacle("contact_day_after", text, "site")


def _frozen(site: Site, day: date, opening: Opening | None, evening: date | None) -> Iterator[Obstacle]:
    """The freezes of the move date, of the day on which the common opening begins, and of the upgrade's evening."""
    begins = opening.start.astimezone(OSLO).date() if opening else day
    for freeze in site.freezes:
        if day in freeze.days:
            what = f"the move date is {day}"
        elif begins in freeze.days:
            what = f"the windows meet first on {begins}"
        elif evening and evening in freeze.days:
            what = f"the upgrade's evening is {evening}"
        else:
            continue
        who = "vendor" if freeze.whose == "vendor" else "us"
        yield Obstacle("freeze", f"{freeze.whose} frozen {_days(freeze.days)} ({freeze.reason}): {what}", who)


def _days(span: Span) -> str:
    return f"{span.first} to {span.last}"


def _minutes(length: timedelta) -> int:
    return int(length.total_seconds() // 60)
