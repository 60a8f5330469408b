# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollback would lose past the point of no return, as a list that a person reads before saying so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .table import local_time, words

HEADINGS = ("Site", "Made (Oslo)", "Category", "Id")
DATE = "%d.%m.%Y"
UNKNOWN = "the cloud does not say what was made in it"


def lost_list(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What would be lost at the sites of the gate's `answer` whose rollback is refused for it."""
    refused = {
        site: decision["point_of_no_return"]
        for site, decision in sorted(answer["sites"].items())
        if any(reason["code"] == "point_of_no_return" for reason in decision["reasons"])
    }
    return made_list("What a rollback would lose", refused)


def made_list(title: str, sites: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Category, id and time of all that was made in the cloud, by site; the ids are the vendor's and tell no person."""
    rows = [row for site, found in sites.items() for row in _rows(site, found)]
    return {"title": title, "headings": list(HEADINGS), "rows": rows}


def _rows(site: str, found: Mapping[str, Any]) -> Iterable[list[str]]:
    if found["passed"] is None:
        yield [site, "", "", UNKNOWN]
    for thing in sorted(found["made"], key=lambda thing: (thing.get("at") or "", thing["id"])):
        at, category = thing.get("at"), thing.get("category")
        yield [site, local_time(at, form=DATE) if at else "", words(category) if category else "", thing["id"]]
