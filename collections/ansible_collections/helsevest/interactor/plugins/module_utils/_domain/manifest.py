# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A manifest: what a side holds of each category, and the dates that a move takes of it (M3)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from .site import Span
from .words import Category


def months_before(day: date, months: int) -> date:
    """The same day of the month, `months` (from 0 up) earlier; the month's last day where that month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def agreed_span(category: Category, day: date, months: int) -> Span | None:
    """The dates that a move on `day` (in Norway) takes of a category, `months` of history (M3); None for any date."""
    match category:
        case Category.ORDERS:
            return Span(months_before(day, months), day)
        case Category.STARTED_REQUISITIONS:
            return Span(day, date.max)
        case Category.FAVOURITE_PACKAGES:
            return None


@dataclass(frozen=True)
class Entry:
    """What a manifest says of one category; without any there is no first and no last date."""

    count: int
    hash: str
    first: date | None
    last: date | None

    def is_outside(self, span: Span | None) -> bool:
        """Whether any of it has a date that is not in `span`; None is any date."""
        return span is not None and any(day is not None and day not in span for day in (self.first, self.last))


def read_manifest(manifest: Mapping[str, Any], side: str) -> dict[Category, Entry]:
    """Read the manifest of one `side`; ValueError names side, category and field."""
    if not isinstance(manifest, Mapping):
        raise ValueError(f"{side} must be a manifest, not {type(manifest).__name__}")
    entries: dict[Category, Entry] = {}
    for name, entry in manifest.items():
        try:
            category = category_of(name)
        except ValueError as exc:
            raise ValueError(f"{side}: {exc}") from exc
        if not isinstance(entry, Mapping):
            raise ValueError(
                f"{side}.{name} must be a dictionary of count, hash, first and last, not {type(entry).__name__}"
            )
        entries[category] = _entry(entry, f"{side}.{name}")
    missing = [category.value for category in Category if category not in entries]
    if missing:
        raise ValueError(f"{side} lacks {', '.join(missing)}")
    return entries


def _entry(raw: Mapping[str, Any], where: str) -> Entry:
    count, digest = count_of(raw.get("count"), f"{where}.count"), _hash(raw.get("hash"), f"{where}.hash")
    if count == 0:
        for name in ("first", "last"):
            if raw.get(name, "") is not None:
                raise ValueError(f"{where}.{name} must be null, for there are none")
        return Entry(count, digest, None, None)
    first, last = (_date(raw.get(name), f"{where}.{name}") for name in ("first", "last"))
    if first > last:
        raise ValueError(f"{where}.first must not be after {where}.last")
    return Entry(count, digest, first, last)


def category_of(name: object) -> Category:
    """The category of that name; ValueError tells which there are."""
    try:
        return Category(str(name))
    except ValueError as exc:
        raise ValueError(f"category is {name!r} and must be one of {', '.join(Category)}") from exc


def count_of(value: object, field_name: str) -> int:
    """A count; ValueError names the field that holds none."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{field_name} must be a whole number from 0 up, not {value!r}")
    return value


def _hash(value: object, field_name: str) -> str:
    text = value.lower() if isinstance(value, str) else ""
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise ValueError(f"{field_name} must be 64 hexadecimal digits, not {value!r}")
    return text


def _date(value: object, field_name: str) -> date:
    # Of an entry of a person nothing is repeated.
    complaint = f"{field_name} must be a date as 2027-05-18"
    if not isinstance(value, str) or len(value) != len("2027-05-18"):
        raise ValueError(complaint)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(complaint) from None
