# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the register has to be told so that it says what a plan says (P7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .plan_words import is_reserved, waves_to_add

WAVES, SITES = "waves", "sites"


def wanted(plan: Mapping[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Section, id and new values of each entry that differs: the new waves first (whole), then the sites.

    A site that has not answered gets neither wave nor date, for both are only reserved (P7): in a wave of one week it
    could later move in no other. A date that it has and that no longer holds is taken away.
    """
    waves = [
        (
            WAVES,
            str(wave["id"]),
            {"id": wave["id"], "name": wave["name"], "dates": {"from": wave["from"], "to": wave["to"]}},
        )
        for wave in waves_to_add(plan)
    ]
    sites = ((SITES, str(site["site"]), _values(site)) for site in plan["sites"])
    return waves + [entry for entry in sites if entry[2]]


def moved_on(plan: Mapping[str, Any], register: Mapping[str, tuple[int | None, str | None]]) -> list[str]:
    """The sites whose wave and date (by id in `register`) are no longer what the plan was made from."""
    return [
        site["site"]
        for site in plan["sites"]
        if register.get(site["site"]) != (site["was"]["wave"], site["was"]["move_date"])
    ]


def _values(site: Mapping[str, Any]) -> dict[str, Any]:
    if is_reserved(site):
        values = {"wave": site["was"]["wave"], "move_date": None}
    else:
        values = {"wave": site["wave"], "move_date": site["move_date"]}
    return {field: value for field, value in values.items() if value != site["was"][field]}
