# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rehearsals as a list for the terminal: for each site what would happen when, and what stands against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from .rehearsal import Foreseen, Rehearsal
from .table import words
from .timeline import told_time

HEADINGS = ["Site", "When (Oslo)", "What would happen", "What stands against it"]


def rehearsal_list(rehearsals: Mapping[str, Rehearsal], start: datetime) -> dict[str, Any]:
    """`rehearsals` by site, from `start` on, as the callback prints lists; ticks that repeat are one line."""
    rows = [row for site, rehearsal in rehearsals.items() for row in _rows(site, rehearsal)]
    title = f"What would happen from {told_time(start, weekday=True)} on, if every step does what it is for"
    return {"title": title, "headings": HEADINGS, "rows": rows or [["", "", "nothing: no site has a date", ""]]}


@dataclass
class _Line:
    """What one tick does, and how often ticks do just that, one after the other."""

    first: datetime
    last: datetime
    what: str
    times: int = 1

    @property
    def when(self) -> str:
        if self.times == 1:
            return told_time(self.first)
        return f"{told_time(self.first)} to {told_time(self.last)}, {self.times} times"


def _rows(site: str, rehearsal: Rehearsal) -> Iterator[list[str]]:
    for line in _lines(one for one in rehearsal.steps if one.allowed):
        yield [site, line.when, line.what, ""]
    last = rehearsal.steps[-1] if rehearsal.steps else None
    outcome = words(rehearsal.outcome.value) if rehearsal.outcome else "still under way"
    if last is None or last.allowed:
        yield [site, told_time(last.at) if last else "", f"ends: {outcome}", ""]
        return
    what = f"stops before {last.phase} {last.step}" if last.step else "stops"
    against = "\n".join(f"{reason.text} ({reason.who})" for reason in last.reasons)
    yield [site, told_time(last.at), f"{what}: {outcome}", against]


def _lines(steps: Iterable[Foreseen]) -> list[_Line]:
    lines: list[_Line] = []
    for (at, phase), taken in groupby(steps, key=lambda one: (one.at, one.phase)):
        what = f"{phase}: {', '.join(str(one.step) for one in taken)}"
        if lines and lines[-1].what == what:
            lines[-1].last = at
            lines[-1].times += 1
        else:
            lines.append(_Line(at, at, what))
    return lines
