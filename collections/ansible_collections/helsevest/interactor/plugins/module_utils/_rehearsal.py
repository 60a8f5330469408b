# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site_rehearsal does: sites and journal in, what would happen to each of them out; it changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ._clock import ClockError
from ._clock import now as clock_now
from ._domain.decision import on_servers
from ._domain.events import read_events
from ._domain.rehearsal import rehearse
from ._domain.rehearsal_lists import rehearsal_list
from ._domain.site import Site
from ._domain.standing import standings
from ._domain.step import Situation
from ._domain.times import format_local, format_time, parse_time
from ._gate import ARGUMENT_SPEC as GATE_SPEC
from ._gate import calendar_for, expected_from, settings_from
from ._holidays import MissingPackageError
from ._journal import Journal, JournalError

ARGUMENT_SPEC: dict[str, Any] = {
    **{name: GATE_SPEC[name] for name in ("sites", "calendar", "contract", "journal", "clock_url", "settings")},
    "unrecorded": {"type": "list", "elements": "dict", "default": []},
    "check_at": {"type": "str"},
    "tick_minutes": {"type": "int", "default": 15},
}


class RehearsalFailedError(Exception):
    """The move cannot be rehearsed; the text is for the person who started the run."""


def answer(params: dict[str, Any], *, check_mode: bool) -> dict[str, Any]:
    """What would happen to every site with a date, as data and as a list for the terminal.

    Raises RehearsalFailedError when the clock, the journal, a package or the input is at fault.
    """
    try:
        return _answer(params, check_mode)
    except (ClockError, JournalError, MissingPackageError, KeyError, ValueError) as exc:
        raise RehearsalFailedError(f"site_rehearsal: {type(exc).__name__}: {exc}") from exc


def _answer(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    now = clock_now(params["clock_url"])
    start = _start(params["check_at"], now, check_mode)
    tick = params["tick_minutes"]
    if tick < 1:
        raise RehearsalFailedError(f"site_rehearsal: tick_minutes is {tick}; 1 or more is allowed")
    sites = [site for site in map(Site.from_vars, params["sites"]) if site.move_date]
    if not sites:
        return {"changed": False, "start": format_time(start), "sites": {}, "site_lists": []}
    journal = Journal(params["journal"])
    events = journal.latest({member for site in sites for member in site.group})
    standing = standings(sites, events + read_events(params["unrecorded"], now))
    settings = settings_from(params, expected_from(params, journal.ledgers()))
    calendar = calendar_for(params, sites, now)
    situations = on_servers(Situation(site, standing[site.id], calendar, settings, start, "") for site in sites)
    rehearsals = {one.site.id: rehearse(one, timedelta(minutes=tick)) for one in situations}
    return {
        "changed": False,
        "start": format_time(start),
        "sites": {site: rehearsal.to_dict() for site, rehearsal in rehearsals.items()},
        "site_lists": [rehearsal_list(rehearsals, start)],
    }


def _start(told: str | None, now: datetime, check_mode: bool) -> datetime:
    """The moment at which the rehearsal begins: now, or the one that was asked for."""
    if not told:
        return now
    if not check_mode:
        raise RehearsalFailedError(f"wave_check_at: {told!r}: only a dry run starts at another moment; add --check")
    try:
        start = parse_time(told)
    except ValueError as exc:
        raise RehearsalFailedError(f"wave_check_at: {exc}") from exc
    if start < now:
        past = f"it is {format_local(now)} in Norway, and what is past cannot be rehearsed; allowed is now or later"
        raise RehearsalFailedError(f"wave_check_at: {told!r}: {past}")
    return start
