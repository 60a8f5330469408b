# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One row per site as a person reads it: the same words on the terminal and on the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from .times import parse_time
from .words import Category, Origin, Outcome, Verdict

OSLO = ZoneInfo("Europe/Oslo")
NOTHING = "–"

GOOD, WARN, BAD, PLAIN = "good", "warn", "bad", ""

TONES: Mapping[str, str] = {
    Verdict.READY: GOOD,
    Verdict.NOT_READY: WARN,
    Verdict.UNREACHABLE: WARN,
    Verdict.ERROR: BAD,
    Outcome.VERIFIED: GOOD,
    Outcome.UNCERTAIN: BAD,
    Outcome.FAILED: BAD,
    Outcome.ROLLED_BACK: BAD,
    Outcome.MOVED_OUTSIDE: WARN,
}
"""How a verdict or an outcome is coloured; what is not here is plain."""

COUNTED: Mapping[str, str] = {
    Category.ORDERS: "orders",
    Category.STARTED_REQUISITIONS: "requisitions",
    Category.FAVOURITE_PACKAGES: "packages",
}
BY_WHOM: Mapping[str, str] = {
    Origin.MEASURED: "measured",
    Origin.SELF_CHECKED: "self-checked",
    Origin.CONFIRMED: "confirmed",
}
"""Who found out what counts of a client, as a person reads it."""
SHORT = 160
"""So many characters of what is wrong stand in a line; the table has all of it."""
TIMES: Mapping[str, str] = {"upgraded": "upgraded", "switched": "moved", "verified": "verified"}


class Line(NamedTuple):
    """One line in a cell; `tone` is good, warn, bad or empty."""

    text: str
    tone: str = PLAIN


@dataclass(frozen=True)
class Column:
    """A heading and the parts of a row that stand below each other in its cells."""

    heading: str
    parts: tuple[str, ...]


class Heading(NamedTuple):
    """The heading of a sheet's column; what stands in a `free` one may be folded."""

    text: str
    free: bool = False


@dataclass(frozen=True)
class Sheet:
    """What the terminal draws as one table: sections of rows of cells of lines, and notes below them."""

    title: str
    headings: Sequence[Heading]
    sections: Sequence[Sequence[Sequence[Sequence[Line]]]]
    notes: Sequence[Line] = ()
    leading: bool = False


WIDE = (
    Column("Wave", ("wave",)),
    Column("Site", ("site",)),
    Column("Name", ("name",)),
    Column("Window", ("window",)),
    Column("State", ("state",)),
    Column("Verdict", ("verdict",)),
    Column("Outcome", ("outcome",)),
    Column("Moved", ("counts",)),
    Column("When (Oslo)", ("times",)),
    Column("Still owes, and why", ("owes",)),
)
NARROW = (
    Column("Wave", ("wave",)),
    Column("Site", ("site", "name", "window")),
    Column("Standing", ("state", "verdict", "outcome")),
    Column("Moved", ("counts",)),
    Column("When (Oslo)", ("times",)),
    Column("Still owes, and why", ("owes",)),
)


def columns_for(width: int) -> tuple[Column, ...]:
    """The columns for a terminal of `width` characters."""
    return WIDE if width >= 140 else NARROW


def cell(row: Mapping[str, Any], column: Column) -> list[Line]:
    """The lines of one cell; a part that the row lacks or does not know yet is a dash, or nothing in a merged cell."""
    lines = [line for part in column.parts for line in _part(row, part)]
    return lines or [Line(NOTHING)]


def site_sheet(title: str, rows: Sequence[Mapping[str, Any]], width: int) -> Sheet:
    """One row per site, for a terminal of `width` characters."""
    columns = columns_for(width)
    headings = [Heading(column.heading, column is columns[-1] or "name" in column.parts) for column in columns]
    cells = [[cell(row, column) for column in columns] for row in rows]
    return Sheet(title, headings, [cells], [Line(summary(rows))], leading=columns is not WIDE)


def summary(rows: Iterable[Mapping[str, Any]]) -> str:
    """All sites in one line, as `8 sites: 2 verified, 1 uncertain, 5 not started; 1 needs us`."""
    rows = list(rows)
    order = {outcome.value: place for place, outcome in enumerate(Outcome)}
    outcomes = Counter(row.get("outcome") for row in rows)
    parts = [
        f"{number} {words(outcome) if outcome else 'under way'}"
        for outcome, number in sorted(outcomes.items(), key=lambda item: order.get(item[0] or "", len(order)))
    ]
    needed = sum(bool(row.get("needs_us")) for row in rows)
    text = number_of(len(rows), "site")
    text += f": {', '.join(parts)}" if parts else ""
    return text + (f"; {needed} {'needs' if needed == 1 else 'need'} us" if needed else "")


def site_line(row: Mapping[str, Any]) -> Line:
    """A row in one line, as `1002 Vågen: not ready: P5 since 10.05`; of a site that is ready no more than that."""
    verdict, needed = row.get("verdict"), row.get("needs_us")
    parts = [
        f"{row.get('site')} {row.get('name')}",
        words(verdict or "not measured") + (", needs us" if needed else ""),
    ]
    if verdict != Verdict.READY and (wrong := "; ".join(line.text for line in _owes(row))):
        parts.append(wrong if len(wrong) <= SHORT else f"{wrong[: SHORT - 2]} …")
    return Line(": ".join(parts), BAD if needed else TONES.get(str(verdict), PLAIN))


def number_of(number: int, what: str) -> str:
    """A number with its noun, as `1 site` or `2 sites`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def words(word: object) -> str:
    """A word of the enumerations as a person reads it."""
    return str(word).replace("_", " ")


def local_time(text: str, *, form: str = "%d.%m") -> str:
    """A moment of the contracts in Oslo's time, as `14.05 20:31`; `form` is that of its date."""
    return parse_time(str(text)).astimezone(OSLO).strftime(f"{form} %H:%M")


def local_day(text: str, *, form: str = "%d.%m") -> str:
    """The day in Oslo of a moment of the contracts, or a date of theirs, as `14.05`."""
    if "T" in text:
        return parse_time(text).astimezone(OSLO).strftime(form)
    return date.fromisoformat(text).strftime(form)


def _part(row: Mapping[str, Any], part: str) -> Sequence[Line]:
    value = row.get(part)
    match part:
        case "counts":
            return _counts(value or {})
        case "times":
            return [Line(f"{name} {local_time(row[key])}") for key, name in TIMES.items() if row.get(key)]
        case "owes":
            return _owes(row)
        case "outcome" if row.get("needs_us"):
            return [*_word(value), Line("needs us", BAD)]
        case "verdict":
            return [*_word(value), *_clients(row.get("clients") or {})]
        case "state" | "outcome":
            return _word(value)
        case _:
            return [Line(str(value))] if value not in (None, "") else []


def _word(value: object) -> list[Line]:
    return [Line(words(value), TONES.get(str(value), PLAIN))] if value else []


def _clients(clients: Mapping[str, int]) -> list[Line]:
    """How many clients were measured, and for how many the office vouches; nothing where all were measured by us."""
    if not any(clients.get(origin) for origin in (Origin.SELF_CHECKED, Origin.CONFIRMED)):
        return []
    told = [f"{clients[origin]} {BY_WHOM[origin]}" for origin in Origin if clients.get(origin)]
    missing = clients.get("missing", 0)
    return [Line(f"clients: {', '.join(told)}" + (f", {missing} missing" if missing else ""))]


def _counts(counts: Mapping[str, Any]) -> list[Line]:
    lines = []
    for category, count in counts.items():
        moved, _, expected = str(count).partition("/")
        lines.append(Line(f"{COUNTED.get(category, words(category))} {count}", PLAIN if moved == expected else BAD))
    return lines


def _owes(row: Mapping[str, Any]) -> list[Line]:
    """What the site has to do and since when, and in words why it stands where it is."""
    since = row.get("owes_since") or {}
    lines = [
        Line(f"{words(owed)} since {local_day(since[owed])}" if since.get(owed) else words(owed))
        for owed in row.get("owes") or ()
    ]
    if row.get("warned"):
        lines.append(Line(f"warned: {', '.join(row['warned'])}"))
    if row.get("why"):
        lines.append(Line(str(row["why"]), BAD if row.get("needs_us") else PLAIN))
    return lines
