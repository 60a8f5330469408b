# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan as a person reads it: by week and night, who is left out and why, and how good it is.

The plan is plain data (docs/contracts.md, The plan). Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from .plan_words import is_gone, short_day
from .table import NOTHING, OSLO, words
from .times import parse_time

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
NO_OPENING = "no opening"
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


class Morning(NamedTuple):
    """The morning after a night: how many contacts are called on it, of how many."""

    day: date
    calls: int
    capacity: int


class Placed(NamedTuple):
    """One site on its night, in words."""

    id: str
    name: str
    county: str
    epj: str
    wave: str
    window: str
    upgrade: date | None
    morning: date | None
    promised: bool
    answered: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Night:
    """One night's moves, of how many, and the mornings on which its contacts are called."""

    day: date
    moves: int
    capacity: int
    promised: int
    sites: tuple[Placed, ...]
    mornings: tuple[Morning, ...]

    @property
    def reserved(self) -> int:
        """How many of its sites have not answered, so that their date is held and not set (P7)."""
        return sum(not site.answered for site in self.sites)

    @property
    def load(self) -> int:
        """How full it is, in per cent; never more than 100."""
        return min(100, round(100 * self.moves / self.capacity)) if self.capacity else 100


@dataclass(frozen=True)
class Week:
    """One week of the calendar (ISO 8601: it begins on Monday) and its nights."""

    year: int
    number: int
    first: date
    nights: tuple[Night, ...]

    @property
    def last(self) -> date:
        """Its Sunday."""
        return self.first + 6 * _DAY

    @property
    def moves(self) -> int:
        """All moves of the week."""
        return sum(night.moves for night in self.nights)


@dataclass(frozen=True)
class Month:
    """One month as a grid: rows of seven days from Monday, None for a day of another month."""

    year: int
    number: int
    rows: tuple[tuple[date | None, ...], ...]

    @property
    def name(self) -> str:
        """`March 2027`."""
        return f"{MONTHS[self.number - 1]} {self.year}"


class LeftOut(NamedTuple):
    """A site without a date, and why."""

    id: str
    name: str
    codes: tuple[str, ...]
    reasons: tuple[str, ...]


def weeks(plan: Mapping[str, Any]) -> tuple[Week, ...]:
    """The weeks in which something moves, with their nights, in order of time."""
    placed: dict[str, list[Mapping[str, Any]]] = {}
    for site in plan["sites"]:
        placed.setdefault(site["move_date"], []).append(site)
    mornings = {morning["date"]: morning for morning in plan["mornings"]}
    nights = [
        _night(night, placed.get(night["date"], []), mornings)
        for night in sorted(plan["nights"], key=lambda night: str(night["date"]))
        if night["moves"]
    ]
    return tuple(
        Week(*monday.isocalendar()[:2], monday, tuple(of_week)) for monday, of_week in groupby(nights, _monday_of)
    )


def months(of: Sequence[Week]) -> tuple[Month, ...]:
    """The months from the first to the last night, each as a grid."""
    days = [night.day for week in of for night in week.nights]
    grids: list[Month] = []
    day = days[0].replace(day=1) if days else date.max
    while days and day <= days[-1]:
        monday, rows = day - day.weekday() * _DAY, []
        while monday <= day or monday.month == day.month:
            row = [monday + place * _DAY for place in range(7)]
            rows.append(tuple(one if one.month == day.month else None for one in row))
            monday += _WEEK
        grids.append(Month(day.year, day.month, tuple(rows)))
        day = (day + 31 * _DAY).replace(day=1)
    return tuple(grids)


def left_out(plan: Mapping[str, Any]) -> tuple[LeftOut, ...]:
    """The sites that lack a date, in the plan's order; those that have moved or are on their way lack none."""
    return tuple(
        LeftOut(
            site["site"],
            site["name"],
            tuple(reason["code"] for reason in site["reasons"]),
            tuple(reason["text"] for reason in site["reasons"]),
        )
        for site in plan["left_out"]
        if not is_gone(site)
    )


def by_reason(sites: Sequence[LeftOut]) -> list[tuple[str, tuple[LeftOut, ...]]]:
    """Each reason's code in words and the sites that have it, the most frequent first; a site stands under each of its
    reasons."""
    found: dict[str, list[LeftOut]] = {}
    for site in sites:
        for code in dict.fromkeys(site.codes):
            found.setdefault(code, []).append(site)
    return [(words(code), tuple(found[code])) for code in sorted(found, key=lambda code: (-len(found[code]), code))]


def same_plan(earlier: object, plan: Mapping[str, Any]) -> bool:
    """Whether `earlier` says what `plan` says, the time at which it was made and what it changed left out."""
    apart = {"made", "previous", "changed", "changes"}
    return isinstance(earlier, Mapping) and {key: earlier[key] for key in earlier if key not in apart} == {
        key: plan[key] for key in plan if key not in apart
    }


def _monday_of(night: Night) -> date:
    return night.day - night.day.weekday() * _DAY


def _night(night: Mapping[str, Any], sites: Sequence[Mapping[str, Any]], mornings: Mapping[str, Any]) -> Night:
    days = sorted({site["morning"] for site in sites if site["morning"]})
    called = [mornings[day] for day in days if day in mornings]
    return Night(
        date.fromisoformat(night["date"]),
        night["moves"],
        night["capacity"],
        night["promised"],
        tuple(_placed(site) for site in sorted(sites, key=lambda site: str(site["site"]))),
        tuple(Morning(date.fromisoformat(one["date"]), one["calls"], one["capacity"]) for one in called),
    )


def _placed(site: Mapping[str, Any]) -> Placed:
    wave = site["wave_name"] or (f"Wave {site['wave']}" if site["wave"] is not None else NOTHING)
    return Placed(
        id=site["site"],
        name=site["name"],
        county=site["county"],
        epj=site["epj"] or NOTHING,
        wave=wave,
        window=_window(site),
        upgrade=_day(site["upgrade_date"]),
        morning=_day(site["morning"]),
        promised=bool(site["promised"]),
        answered=bool(site["answered"]),
        notes=tuple(_notes(site)),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _window(site: Mapping[str, Any]) -> str:
    """When it opens and ends in Oslo's time; a promised date may break a rule, so that nothing opens."""
    if not site["opens"]:
        return NO_OPENING
    opens, ends = (parse_time(site[end]).astimezone(OSLO) for end in ("opens", "ends"))
    return f"{opens:%H:%M}–{ends:%H:%M}"


def _notes(site: Mapping[str, Any]) -> list[str]:
    """What is to be known of a site's place besides when and where."""
    was = site["was"]
    notes = ["promised"] if site["promised"] else []
    if not site["answered"]:
        notes.append("reserved: not answered")
    if not site["signed"]:
        notes.append("agreement not signed")
    if was["move_date"] and was["move_date"] != site["move_date"]:
        notes.append(f"was {short_day(date.fromisoformat(was['move_date']))}")
    if was["wave"] is not None and was["wave"] != site["wave"]:
        notes.append(f"was in wave {was['wave']}")
    if site["shared_server"]:
        notes.append(f"shares server {site['shared_server']}")
    return notes
