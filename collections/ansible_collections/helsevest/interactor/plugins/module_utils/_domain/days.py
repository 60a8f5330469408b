# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a day means for one site: when it may be moved, the morning after, and every reason why not that day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from .calendar import Calendar
from .site import Site, Span
from .window import MORNING, OSLO, WEEKDAYS, Opening, intersection_on

_DAY = timedelta(days=1)
_WHOSE = {"vendor": "the vendor", "health_trust": "the health trust", "wave": "its wave"}


@dataclass(frozen=True)
class Obstacle:
    """Why a site cannot be moved on a day: `code`, in English for operations, and who can change it.

    `code` is one of `closed`, `freeze`, `wave_dates`, `no_opening`, `too_short`, `contact_day_after`; `who` is `us`,
    `site` or `vendor`. `cause` is the code of what stands against a neighbour on a shared server, where that is why.
    """

    code: str
    text: str
    who: str
    cause: str = ""


def move_opening(site: Site, day: date) -> Opening | None:
    """When a move on `day` may run (M1): what site, wave and vendor have in common; None if nothing.

    A night that would run into a freeze is over at midnight.
    """
    return intersection_on(
        day, site.window, site.wave_window, site.vendor_windows, by_midnight=_is_frozen(site, day + _DAY)
    )


def common_opening(members: Sequence[Site], day: date) -> Opening | None:
    """When all `members` of a server may be worked on, on `day`; None if never."""
    common: Opening | None = None
    for number, site in enumerate(members):
        opening = move_opening(site, day)
        common = opening if number == 0 else opening and common and common.intersect(opening)
        if common is None:
            return None
    return common


def too_little_in_common(members: Sequence[Site], day: date, takes: timedelta) -> str:
    """What to say where the sites of a server have no time in common for a move on `day`; empty if they have."""
    if _fits(common_opening(members, day), takes):
        return ""
    return f"on {day} the sites of its server have no time in common"


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
    # When the windows meet without a freeze that ends the night at midnight; that is told as a freeze.
    meet = intersection_on(day, site.window, site.wave_window, site.vendor_windows)
    decides = opening or meet
    after = morning_after(decides) if decides else None
    for closed in site.closed or ():
        if day in closed:
            yield Obstacle("closed", f"the site is closed {_days(closed)}, the move date is {day}", "us")
        elif after and after in closed:
            yield Obstacle("closed", f"the site is closed {_days(closed)}, the morning after is {after}", "us")
    if site.freezes:
        ends_early = _fits(meet, takes) and not _fits(opening, takes)
        yield from _frozen(site, day, ends_early, None if upgraded else calendar.last_working_day_before(day))
    if site.wave_dates and day not in site.wave_dates:
        yield Obstacle("wave_dates", f"wave {site.wave} moves {_days(site.wave_dates)}, not on {day}", "us")
    if meet is None:
        yield Obstacle("no_opening", f"on {day} the windows of site, wave and vendor do not meet", "us")
    elif not _fits(meet, takes):
        text = f"on {day} the windows meet for {_minutes(meet.length)} minutes, a move takes {_minutes(takes)}"
        yield Obstacle("too_short", text, "us")
    if after and not calendar.is_working_day(after) and not (site.contact and site.contact["weekends"]):
        text = f"the morning after is {WEEKDAYS[after.weekday()]} {after}, a day off, and no contact is there then"
        yield Obstacle("contact_day_after", text, "site")


def _frozen(site: Site, day: date, ends_early: bool, evening: date | None) -> Iterator[Obstacle]:
    """The freezes of the move date, of the day after where it leaves too little time, and of the upgrade's evening."""
    for freeze in site.freezes:
        if day in freeze.days:
            what = f"the move date is {day}"
        elif ends_early and day + _DAY in freeze.days:
            what = f"too little is left before midnight of {day}"
        elif evening and evening in freeze.days:
            what = f"the upgrade's evening is {evening}"
        else:
            continue
        who = "vendor" if freeze.whose == "vendor" else "us"
        text = f"frozen by {_WHOSE[freeze.whose]} {_days(freeze.days)} ({freeze.reason}): {what}"
        yield Obstacle("freeze", text, who)


def _is_frozen(site: Site, day: date) -> bool:
    return any(day in freeze.days for freeze in site.freezes)


def _fits(opening: Opening | None, takes: timedelta) -> bool:
    return opening is not None and takes <= opening.length


def _days(span: Span) -> str:
    return f"{span.first} to {span.last}"


def _minutes(length: timedelta) -> int:
    return int(length.total_seconds() // 60)
