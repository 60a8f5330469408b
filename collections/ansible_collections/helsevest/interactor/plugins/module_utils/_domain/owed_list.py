# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all sites still owe, and are warned of: as data for letters, and as lists for operations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from .since import Basis
from .table import local_day, number_of
from .times import parse_time
from .window import OSLO

HEADINGS = ("Since", "For", "Wave", "Site", "Name", "Check", "Who", "What is wrong")
WARNED = ("Check", "Sites", "Which", "What should be so")
NAMED = 20
"""So many sites of one warning are named in the list; all are in owes.json and on the page."""
UNDATED: Mapping[str, str] = {Basis.NOT_ASKED: "not asked yet"}


def owes_data(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What the sites of the gate's `answer` owe and are warned of, for letters (docs/contracts.md, What sites owe).

    `days` are whole days in Norway since then, as of `day`; sites of which there is nothing to tell are left out.
    """
    day = parse_time(answer["now"]).astimezone(OSLO).date()
    sites = []
    for site, decision in sorted(answer["sites"].items()):
        owes = [{**owed, "days": _days(owed["since"], day)} for owed in decision["owes"]]
        if owes or decision["warnings"]:
            row = decision["row"]
            told = {name: decision[name] for name in ("language", "asked")}
            sites.append(
                {
                    "site": site,
                    "name": row["name"],
                    "wave": row["wave"],
                    **told,
                    "owes": owes,
                    "warnings": decision["warnings"],
                }
            )
    return {"as_of": answer["as_of"], "day": day.isoformat(), "sites": sites}


def owes_list(answer: Mapping[str, Any]) -> dict[str, Any]:
    """One row per site and thing as the callback prints lists; what has no date comes last."""
    data = owes_data(answer)
    things = [(site, owed) for site in data["sites"] for owed in site["owes"]]
    owing = sum(bool(site["owes"]) for site in data["sites"])
    things.sort(key=lambda thing: (thing[1]["days"] is None, -(thing[1]["days"] or 0), thing[0]["site"]))
    return {
        "title": f"What sites still owe: {number_of(len(things), 'thing')} of {number_of(owing, 'site')}",
        "headings": list(HEADINGS),
        "rows": [
            [
                since_words(owed),
                "" if owed["days"] is None else number_of(owed["days"], "day"),
                "no wave" if site["wave"] is None else f"wave {site['wave']}",
                site["site"],
                site["name"],
                owed["code"],
                owed["who"],
                owed["text"],
            ]
            for site, owed in things
        ],
    }


def warnings_list(answer: Mapping[str, Any]) -> dict[str, Any]:
    """One row per check that somebody is warned of, with the sites, as the callback prints lists."""
    found: dict[str, tuple[str, list[str]]] = {}
    for site, decision in sorted(answer["sites"].items()):
        for warned in decision["warnings"]:
            found.setdefault(warned["code"], (warned["title"], []))[1].append(site)
    sites = {site for _, named in found.values() for site in named}
    number = sum(len(named) for _, named in found.values())
    return {
        "title": f"Warnings, which stop nobody: {number} at {number_of(len(sites), 'site')}",
        "headings": list(WARNED),
        "rows": [[code, str(len(named)), _named(named), title] for code, (title, named) in sorted(found.items())],
    }


def _named(sites: list[str]) -> str:
    more = len(sites) - NAMED
    return ", ".join(sites[:NAMED]) + (f" and {more} more" if more > 0 else "")


def since_words(owed: Mapping[str, Any]) -> str:
    """Since when a thing is owed: a day in Norway, or why there is none."""
    return local_day(owed["since"], form="%d.%m.%Y") if owed["since"] else UNDATED.get(owed["basis"], "not known")


def _days(since: str | None, day: date) -> int | None:
    return (day - date.fromisoformat(local_day(since, form="%Y-%m-%d"))).days if since else None
