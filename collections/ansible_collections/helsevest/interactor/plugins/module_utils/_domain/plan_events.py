# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan puts into the team's calendars: moves by night, upgrades by evening, calls by morning.

Norwegian text, for that is what stands in people's calendars. No personal data: sites' ids and names only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from .plan_words import is_reserved
from .times import parse_time
from .window import DEFAULT_MOVE_WINDOW, DEFAULT_UPGRADE_WINDOW, EVERY_DAY, Window

CALLS = Window(EVERY_DAY, time(7), time(12))
"""When the contacts are called on the morning after."""


@dataclass(frozen=True)
class TeamEvent:
    """One event: `start` and `end` in UTC; its `uid` is the same in every plan, so that a calendar updates it.

    `is_tentative`: every site of it is only reserved, for none has answered (P7).
    """

    uid: str
    start: datetime
    end: datetime
    summary: str
    description: str
    is_tentative: bool = False


def team_events(plan: Mapping[str, Any]) -> dict[str, list[TeamEvent]]:
    """The events of `moves`, `upgrades` and `mornings` in order of time: one for each day that has something."""
    sites = plan["sites"]
    calendars = {
        "moves": [
            _event("move", "Flytting", day, of_day, _span(day, of_day)) for day, of_day in _by_day(sites, "move_date")
        ],
        "upgrades": [
            _event("upgrade", "Oppgradering", day, of_day, _opening(DEFAULT_UPGRADE_WINDOW, day))
            for day, of_day in _by_day(sites, "upgrade_date")
        ],
        "mornings": [
            _event("morning", "Ring kontaktpersonene", day, of_day, _opening(CALLS, day))
            for day, of_day in _by_day(sites, "morning")
        ],
    }
    return {name: sorted(events, key=lambda event: event.start) for name, events in calendars.items()}


def _by_day(sites: Iterable[Mapping[str, Any]], field: str) -> list[tuple[date, list[Mapping[str, Any]]]]:
    days: dict[str, list[Mapping[str, Any]]] = {}
    for site in sites:
        if site[field]:
            days.setdefault(site[field], []).append(site)
    return [(date.fromisoformat(day), days[day]) for day in sorted(days)]


def _span(day: date, sites: list[Mapping[str, Any]]) -> tuple[datetime, datetime]:
    """From the first opening to the last end; the whole night where nothing opens: a promise that has to be mended."""
    opening = [site for site in sites if site["opens"]]
    if not opening:
        return _opening(DEFAULT_MOVE_WINDOW, day)
    return min(parse_time(site["opens"]) for site in opening), max(parse_time(site["ends"]) for site in opening)


def _opening(window: Window, day: date) -> tuple[datetime, datetime]:
    opening = window.opening_on(day)
    if opening is None:
        raise ValueError(f"{day}: the clocks jump over {window.start:%H:%M} to {window.end:%H:%M}")
    return opening.start, opening.end


def _event(
    kind: str, word: str, day: date, sites: list[Mapping[str, Any]], times: tuple[datetime, datetime]
) -> TeamEvent:
    start, end = (moment.astimezone(UTC) for moment in times)
    reserved = [is_reserved(site) for site in sites]
    listed = sorted(
        f"{site['site']}? {site['name']} (reservert)" if held else f"{site['site']} {site['name']}"
        for site, held in zip(sites, reserved, strict=True)
    )
    summary = f"{word}: {len(sites)} kontor" + (f" ({sum(reserved)} reservert)" if any(reserved) else "")
    return TeamEvent(f"{kind}-{day}@plan.interactor", start, end, summary, "\n".join(listed), all(reserved))
