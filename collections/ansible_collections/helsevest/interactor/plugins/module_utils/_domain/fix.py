# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight's remediation may be asked for, how long it lasts, and how it is recorded and told (P5, P8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .days import move_opening
from .site import Site
from .times import format_local, format_time, parse_time
from .window import OSLO
from .words import EventKind

CHECKS = ("proxy", "sleep", "restart")
"""What can be put right, in the order in which it is done."""
OF_CLIENTS = frozenset({"proxy"})
"""What of it a PC is asked for: P8 is the server's."""
LONGEST = timedelta(days=7)
"""So far ahead may the end of a night lie: a machine without its restarts is one without its updates."""

_DAY = timedelta(days=1)
_EFFECT = {
    "proxy": "when a program is started anew, at the latest at the next log-on",
    "sleep": "at once",
    "restart": "at once",
}


def asked_checks(checks: Iterable[str], role: str) -> list[str]:
    """Those of `checks` that a host of this role (`server` or `client`) is asked for, in order.

    Raises ValueError for a check that is none of CHECKS.
    """
    wanted = set(checks)
    unknown = sorted(wanted - set(CHECKS))
    if unknown:
        raise ValueError(f"preflight_fix_checks: {', '.join(map(repr, unknown))}; allowed are {', '.join(CHECKS)}")
    return [check for check in CHECKS if check in wanted and (role == "server" or check in OF_CLIENTS)]


def night_end(site: Site, now: datetime, told: str | None = None) -> datetime:
    """Until when sleep and restarts are off: what a person has `told`, else the end of the site's night.

    The night is that of the move where it ends within LONGEST, else the next one on which the site's window opens.
    Raises ValueError where `told` is no moment, or lies before `now` or more than LONGEST after it.
    """
    if told is not None:
        end = parse_time(told)
        if not now < end <= now + LONGEST:
            latest = format_time(now + LONGEST)
            raise ValueError(f"preflight_fix_until: is {told}; after {format_time(now)}, at most {latest}, is allowed")
        return end
    move = move_opening(site, site.move_date) if site.move_date else None
    if move and now < move.end <= now + LONGEST:
        return move.end
    today = now.astimezone(OSLO).date()
    openings = (move_opening(site.without_wave(), today + _DAY * days) for days in range(-1, LONGEST.days + 1))
    return next((opening.end for opening in openings if opening and opening.end > now), now + _DAY)


@dataclass(frozen=True)
class Fixed:
    """What one host answered to interactor_fix."""

    site: str
    host: str
    undo: bool
    result: Mapping[str, Any]

    @property
    def says_something(self) -> bool:
        """Whether something was done or left, or went wrong: a host that was not reached is told by its probe."""
        found = self.result
        return found.get("reached") is not False and bool(found.get("error") or found["changes"] or found["left"])


def fix_events(results: Iterable[Fixed]) -> list[dict[str, Any]]:
    """The events to record, in the form that site_journal takes; nothing of a dry run."""
    return [
        {
            "site": of.site,
            "host": of.host,
            "kind": EventKind.FIXED.value,
            "subject": None,
            "key": None,
            "data": {
                "undo": of.undo,
                "changes": list(of.result["changes"]),
                "left": list(of.result["left"]),
                "until": of.result.get("until"),
                "error": of.result.get("error"),
            },
        }
        for of in results
        if of.says_something and not of.result.get("dry")
    ]


def fix_lists(results: Sequence[Fixed], dry: bool) -> list[dict[str, Any]]:
    """What was changed, and what was left and why, as lists for the terminal; `dry`: what would be."""
    undo = any(of.undo for of in results)
    title = "put back" if undo else "changed"
    changes = [
        [of.host, each["check"], f"{each['what']}, {each['name']}", each["before"], each["after"], _effect(of, each)]
        for of in results
        for each in of.result["changes"]
    ]
    left = [
        *([of.host, each["check"], each["what"], each["why"]] for of in results for each in of.result["left"]),
        *([of.host, "", "all of it", of.result["error"]] for of in results if of.result.get("error")),
        *(
            [of.host, "", "all of it", f"not reached ({of.result.get('cause')})"]
            for of in results
            if of.result.get("reached") is False
        ),
    ]
    headings = ["Host", "Check", "What"]
    return [
        {
            "title": f"Would be {title}" if dry else title.capitalize(),
            "headings": [*headings, "Before", "After", "Takes effect"],
            "rows": changes or [["", "", "", "", "", "nothing"]],
        },
        *([{"title": "Left as it is", "headings": [*headings, "Why"], "rows": left}] if left else []),
    ]


def _effect(of: Fixed, change: Mapping[str, Any]) -> str:
    until = of.result.get("until")
    if change["check"] in OF_CLIENTS or not until:
        return _EFFECT[change["check"]]
    return f"{_EFFECT[change['check']]}, put back by itself after {format_local(parse_time(until))}"
