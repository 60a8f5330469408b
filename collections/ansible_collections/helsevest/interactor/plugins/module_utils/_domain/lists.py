# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of texts as sheets for the terminal, wide or narrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .table import Heading, Line, Sheet

NARROW_BELOW = 120
PAIR = 2
SHORT = 20
"""Characters of a text that is never wrapped."""


def list_sheets(lists: Sequence[Mapping[str, Any]], width: int) -> list[Sheet]:
    """The sheets of lists with `title`, `headings` and `rows` (texts, as many as headings).

    The last column wraps, and so does each with a text of more than SHORT characters, if there is no room.

    `notes`, where there are any, are lines below it; a list without headings is its notes alone.

    On a terminal narrower than NARROW_BELOW all columns but the first become one. Raises KeyError, TypeError or
    ValueError for what is no such list.
    """
    return [
        replace(
            _sheet(str(each["title"]), list(each["headings"]), list(each["rows"]), width),
            notes=[Line(str(note)) for note in each.get("notes", ())],
        )
        for each in lists
    ]


def _sheet(title: str, headings: list[str], rows: list[list[str]], width: int) -> Sheet:
    for row in rows:
        if len(row) != len(headings):
            raise ValueError(f"{title}: {len(headings)} headings, and a row of {len(row)} texts")
    if width < NARROW_BELOW and len(headings) > PAIR:
        headings = [headings[0], headings[-1]]
        rows = [[first, _stacked(*rest)] for first, *rest in rows]
    if not headings:
        return Sheet(title, [], [])
    cells = [[[Line(line) for line in str(text).split("\n")] for text in row] for row in rows]
    last = len(headings) - 1
    free = [at == last or any(len(line.text) > SHORT for row in cells for line in row[at]) for at in range(last + 1)]
    return Sheet(title, list(map(Heading, headings, free)), [cells])


def _stacked(*texts: str) -> str:
    *short, last = texts
    return "\n".join(filter(None, (" · ".join(filter(None, short)), last)))
