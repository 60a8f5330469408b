# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text in which pieces are put in place of others, and what that changes, line by line.

The difference is made from the pieces themselves: its cost grows with them, not with the file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import accumulate

_CONTEXT = 3


@dataclass(frozen=True)
class Splice:
    """`text` in place of what stands from `start` to `end`. Of several at one place, the first of the list is first."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class _Change:
    """`new` lines in place of the lines from `first` up to `last`, not included."""

    first: int
    last: int
    new: list[str]


def spliced(old: str, splices: Sequence[Splice]) -> str:
    """`old` with all pieces put in. ValueError where two of them overlap."""
    parts, at = [], 0
    for splice in sorted(splices, key=lambda splice: splice.start):
        if splice.start < at:
            raise ValueError("two edits overlap")
        parts += [old[at : splice.start], splice.text]
        at = splice.end
    return "".join([*parts, old[at:]])


def unified(name: str, old: str | None, new: str, splices: Sequence[Splice]) -> str:
    """The unified diff of a file `old` (None: there was none) and what `splices` make of it (`new`)."""
    if old is None:
        lines = _lines(new)
        return f"--- /dev/null\n+++ {_path('b', name)}\n@@ -0,0 +1,{len(lines)} @@\n" + "".join(_marked("+", lines))
    lines = _lines(old)
    text, shift = [f"--- {_path('a', name)}\n+++ {_path('b', name)}\n"], 0
    for hunk in _hunks(_changes(old, lines, splices)):
        first, last = max(hunk[0].first - _CONTEXT, 0), min(hunk[-1].last + _CONTEXT, len(lines))
        body, at = [], first
        for change in hunk:
            body += _marked(" ", lines[at : change.first]) + _marked("-", lines[change.first : change.last])
            body += _marked("+", change.new)
            at = change.last
        body += _marked(" ", lines[at:last])
        more = sum(len(change.new) - (change.last - change.first) for change in hunk)
        # Of no lines at all, diff names the line before.
        text.append(
            f"@@ -{first + (last > first)},{last - first} "
            f"+{first + shift + (last + more > first)},{last - first + more} @@\n"
        )
        text += body
        shift += more
    return "".join(text)


def _changes(old: str, lines: list[str], splices: Sequence[Splice]) -> list[_Change]:
    starts = [0, *accumulate(map(len, lines))]
    groups: list[tuple[int, int, list[Splice]]] = []
    for splice in sorted(splices, key=lambda splice: splice.start):
        first = min(bisect_right(starts, splice.start) - 1, max(len(lines) - 1, 0))
        last = min(bisect_right(starts, splice.end), len(lines))
        if groups and first < groups[-1][1]:
            groups[-1] = (groups[-1][0], max(last, groups[-1][1]), [*groups[-1][2], splice])
        else:
            groups.append((first, last, [splice]))
    changes = []
    for first, last, inside in groups:
        base = starts[first]
        moved = [Splice(splice.start - base, splice.end - base, splice.text) for splice in inside]
        was, now = lines[first:last], _lines(spliced(old[base : starts[last]], moved))
        while was and now and was[0] == now[0]:
            was, now, first = was[1:], now[1:], first + 1
        while was and now and was[-1] == now[-1]:
            was, now, last = was[:-1], now[:-1], last - 1
        if was or now:
            changes.append(_Change(first, last, now))
    return changes


def _hunks(changes: list[_Change]) -> list[list[_Change]]:
    hunks: list[list[_Change]] = []
    for change in changes:
        if hunks and change.first - hunks[-1][-1].last <= 2 * _CONTEXT:
            hunks[-1].append(change)
        else:
            hunks.append([change])
    return hunks


def _lines(text: str) -> list[str]:
    """Lines as diff counts them: only a line feed ends one."""
    return list(StringIO(text, newline="\n"))


def _marked(sign: str, lines: Sequence[str]) -> list[str]:
    return [sign + line if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n" for line in lines]


def _path(side: str, name: str) -> str:
    return f"{side}/{name}" + ("\t" if " " in name else "")
