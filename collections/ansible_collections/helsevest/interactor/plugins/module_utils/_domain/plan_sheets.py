# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan on the terminal: the calendar with a night a row, the sites left out, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .plan_view import LeftOut, Night, Placed, Week, by_reason, left_out, weeks
from .plan_words import changed_line, short_day, span_line, status_line, summary_line
from .table import BAD, GOOD, PLAIN, WARN, Heading, Line, Sheet

WIDE_FROM = 120
"""Characters from which the counts of a night stand in columns of their own."""
NAMED = 60
"""Up to so many sites are listed by name; more of them by their ids, and the page has the rest."""
CHANGES = 10
"""Up to so many changed dates are told; the page has all."""
PROMISED, RESERVED = "*", "?"
LEGEND = f"{PROMISED} promised to the site   {RESERVED} reserved: the site has not answered"
_BAR = 10


def plan_sheets(plan: Mapping[str, Any], width: int) -> list[Sheet]:
    """The plan for a terminal of `width` characters; KeyError, TypeError or ValueError if it is none."""
    wide, named = width >= WIDE_FROM, len(plan["sites"]) <= NAMED
    rows = [[_row(week, night, wide=wide, named=named) for night in week.nights] for week in weeks(plan)]
    headings = [Heading("Week"), Heading("Night"), Heading("Moves")]
    headings += [Heading("Load"), Heading("Promised"), Heading("Reserved")] if wide else []
    headings += [Heading("Calls next morning"), Heading("Sites", free=True)]
    sheets = [Sheet(f"Plan from {span_line(plan)}", headings, rows, [Line(LEGEND)])]
    if without := left_out(plan):
        sheets.append(_left_out(without))
    notes = [Line(summary_line(plan)), Line(changed_line(plan, CHANGES), WARN if plan["changes"] else PLAIN)]
    notes += [Line(f"Warning: {text}", WARN) for text in plan["warnings"]]
    notes.append(Line(status_line(plan), GOOD if plan["status"] == "optimal" else WARN))
    sheets.append(Sheet("", (), (), notes))
    return sheets


def _row(week: Week, night: Night, *, wide: bool, named: bool) -> list[list[Line]]:
    full = WARN if night.moves >= night.capacity else PLAIN
    cells = [
        [Line(f"{week.number}/{week.year}")],
        [Line(short_day(night.day))],
        [Line(f"{night.moves} of {night.capacity}", BAD if night.moves > night.capacity else full)],
    ]
    if wide:
        filled = round(night.load * _BAR / 100)
        cells.append([Line("█" * filled + "░" * (_BAR - filled))])
        cells += [[Line(str(count) if count else "")] for count in (night.promised, night.reserved)]
    calls = [f"{short_day(day)}: {number} of {capacity}" for day, number, capacity in night.mornings]
    cells.append([Line(text) for text in calls])
    marked = [(site, _marked(site)) for site in night.sites]
    lines = [f"{mark} {site.name}" for site, mark in marked] if named else [" ".join(mark for _, mark in marked)]
    cells.append([Line(text) for text in lines])
    return cells


def _marked(site: Placed) -> str:
    return site.id + (PROMISED if site.promised else "") + ("" if site.answered else RESERVED)


def _left_out(sites: Sequence[LeftOut]) -> Sheet:
    """A site a row with all its reasons; for many sites a reason a row with all its sites."""
    title = f"Left out: {len(sites):,}"
    if len(sites) <= NAMED:
        headings = [Heading("Site"), Heading("Name", free=True), Heading("Why", free=True)]
        rows = [[[Line(site.id)], [Line(site.name)], [Line(text) for text in site.reasons]] for site in sites]
        return Sheet(title, headings, [rows])
    headings = [Heading("Why"), Heading("How many"), Heading("Sites", free=True)]
    rows = [
        [[Line(why)], [Line(f"{len(having):,}")], [Line(" ".join(site.id for site in having))]]
        for why, having in by_reason(sites)
    ]
    return Sheet(title, headings, [rows])
