# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan in sentences and numbers: how good it is, how much is in it, and what its days are called."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from .words import Outcome, State

# Not strftime's names, for those follow the language of the terminal.
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
GONE = frozenset({State.MOVING, State.MOVED, State.VERIFIED, Outcome.MOVED_OUTSIDE})
"""Reasons of sites that need no date: they have moved, or are on their way."""


def counted(number: int, singular: str, plural: str) -> str:
    """`1 site`, `2 sites`; thousands apart, as `1,600 sites`."""
    return f"{number:,} {singular if number == 1 else plural}"


def short_day(day: date) -> str:
    """`Tue 16.03`."""
    return f"{WEEKDAYS[day.weekday()]} {day:%d.%m}"


def long_day(day: date) -> str:
    """`Tue 16.03.2027`."""
    return f"{short_day(day)}.{day.year}"


def status_line(plan: Mapping[str, Any]) -> str:
    """How good the plan is: optimal, or how near the best possible it is proven to be, rounded up."""
    if plan["status"] == "optimal":
        return "The plan is optimal: nothing within these settings is better."
    # A relative distance of 0.013 is 1.3 %; the small part keeps 0.013 * 1000 from becoming 13.000000000000002.
    per_cent = math.ceil(plan["distance"] * 1000 - 1e-9) / 10
    return f"The plan is within {per_cent:.1f} % of the best possible."


def changed_line(plan: Mapping[str, Any], named: int = 0) -> str:
    """How many sites have another date than in the previous plan, or none any more, with the first `named` of them."""
    if plan["previous"] is None:
        return "This is the first plan."
    told = [change(one) for one in plan["changes"]]
    lost = sum(one["to"] is None for one in plan["changes"])
    moved = len(told) - lost
    if not told:
        return "No site has another date than in the previous plan."
    if moved:
        text = f"{counted(moved, 'site has', 'sites have')} another date than in the previous plan"
        text += f", {counted(lost, 'has', 'have')} none any more" if lost else ""
    else:
        text = (
            f"{counted(lost, 'site', 'sites')} of the previous plan {'has' if lost == 1 else 'have'} no date any more"
        )
    if named:
        text += ": " + ", ".join(told[:named])
        text += f" and {len(told) - named:,} more" if len(told) > named else ""
    return f"{text}."


def change(one: Mapping[str, Any]) -> str:
    """`1015 (16.05 → 10.05)`, or `1015 (16.05 → none)`; with the year where it is another one."""
    before = date.fromisoformat(one["from"])
    after = date.fromisoformat(one["to"]) if one["to"] else None
    form = "%d.%m" if after is None or after.year == before.year else "%d.%m.%Y"
    return f"{one['site']} ({before:{form}} → {f'{after:{form}}' if after else 'none'})"


def is_reserved(site: Mapping[str, Any]) -> bool:
    """Whether wave and date are only held for a site of the plan, since it has not answered (P7)."""
    return not site["answered"] and not site["promised"]


def waves_to_add(plan: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The new waves that the register needs: those in which a site gets a date, and not only a reservation (P7)."""
    used = {site["wave"] for site in plan["sites"] if not is_reserved(site)}
    return [wave for wave in plan["new_waves"] if wave["id"] in used]


def figures(plan: Mapping[str, Any]) -> dict[str, int]:
    """The numbers of the plan: planned, nights, promised, reserved (not answered), left_out, gone (moved, or on their
    way), new_waves (those that the register needs)."""
    sites, gone = plan["sites"], sum(map(is_gone, plan["left_out"]))
    return {
        "planned": len(sites),
        "nights": sum(bool(night["moves"]) for night in plan["nights"]),
        "promised": sum(bool(site["promised"]) for site in sites),
        "reserved": sum(not site["answered"] for site in sites),
        "left_out": len(plan["left_out"]) - gone,
        "gone": gone,
        "new_waves": len(waves_to_add(plan)),
    }


def summary_line(plan: Mapping[str, Any]) -> str:
    """The plan in one line: `1,540 of 1,600 sites on 80 nights; 120 promised, 300 reserved, 60 left out`; after that
    how many have moved or are on their way, if any."""
    n = figures(plan)
    total = counted(n["planned"] + n["left_out"] + n["gone"], "site", "sites")
    where = counted(n["nights"], "night", "nights")
    return (
        f"{n['planned']:,} of {total} on {where}; "
        f"{n['promised']:,} promised, {n['reserved']:,} reserved, {n['left_out']:,} left out"
        + (f", {n['gone']:,} moved or on their way" if n["gone"] else "")
    )


def span_line(plan: Mapping[str, Any]) -> str:
    """`25.01.2027 to 24.07.2027`."""
    return " to ".join(f"{date.fromisoformat(plan[end]):%d.%m.%Y}" for end in ("from", "to"))


def is_gone(site: Mapping[str, Any]) -> bool:
    """Whether a site that has no date in the plan needs none."""
    return any(reason["code"] in GONE for reason in site["reasons"])
