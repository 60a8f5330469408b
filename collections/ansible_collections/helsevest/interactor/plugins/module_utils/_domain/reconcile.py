# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the cloud holds what the server held, and nothing outside the agreed span (M3), category by category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from .manifest import agreed_span, category_of, count_of, read_manifest
from .words import Category

MOST_IDS = 200
"""So many ids of what is missing, and of what is too much, are kept of each category; all are counted."""

SIDES = ("before", "after")
"""The server before the move, the cloud after it."""


@dataclass(frozen=True)
class Listing:
    """Ids that one side has and the other has not: all are counted, the first MOST_IDS in order are named."""

    count: int
    ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, these: Iterable[str], those: Iterable[str]) -> Listing:
        """What is in `these` more often than in `those`."""
        more = sorted((Counter(these) - Counter(those)).elements())
        return cls(len(more), tuple(more[:MOST_IDS]))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in docs/contracts.md."""
        return {"count": self.count, "ids": list(self.ids)}

    @classmethod
    def from_dict(cls, raw: object, field_name: str) -> Listing | None:
        """Read what `to_dict` wrote, null for a listing that was not made; ValueError names the field that is wrong."""
        if raw is None:
            return None
        ids = raw.get("ids") if isinstance(raw, Mapping) else None
        if (
            not isinstance(raw, Mapping)
            or not isinstance(ids, list | tuple)
            or not all(isinstance(one, str) for one in ids)
        ):
            raise ValueError(f"{field_name} must be a dictionary of count and ids, or null")
        count = count_of(raw.get("count"), f"{field_name}.count")
        if len(ids) != min(count, MOST_IDS):
            raise ValueError(f"{field_name} counts {count} and names {len(ids)} ids")
        return cls(count, tuple(ids))


@dataclass(frozen=True)
class Difference:
    """One category that is not the same, or not all within the agreed span.

    How many there were before and after, whether the ids hash alike and the dates are the same, which of SIDES holds
    what lies outside the span, and, where the ids were compared, what is missing in the cloud and what is too much.
    """

    category: Category
    before: int
    after: int
    same_hash: bool
    same_dates: bool = True
    outside: tuple[str, ...] = ()
    missing: Listing | None = None
    extra: Listing | None = None

    @property
    def told(self) -> str:
        """In words, as `orders: 411 of 412 in the cloud, 1 missing, 0 too many`."""
        parts = [f"{self.category.value}: {self.after} of {self.before} in the cloud"]
        if self.missing and self.extra:
            parts.append(f"{self.missing.count} missing, {self.extra.count} too many")
        elif self.before == self.after and not self.same_hash:
            parts.append("not the same ones")
        if not self.same_dates:
            parts.append("other dates")
        if self.outside:
            where = {"before": "on the server", "after": "in the cloud"}
            parts.append(f"some outside the agreed span {' and '.join(where[side] for side in self.outside)}")
        return ", ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in docs/contracts.md."""
        return {
            "category": self.category.value,
            "before": self.before,
            "after": self.after,
            "same_hash": self.same_hash,
            "same_dates": self.same_dates,
            "outside": list(self.outside),
            "missing": self.missing.to_dict() if self.missing else None,
            "extra": self.extra.to_dict() if self.extra else None,
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Difference:
        """Read what `to_dict` wrote, also in earlier versions; ValueError names the field that is wrong."""
        if not isinstance(raw, Mapping):
            raise ValueError(f"must be a dictionary, not {type(raw).__name__}")
        outside = raw.get("outside", ())
        if not isinstance(outside, list | tuple) or not all(side in SIDES for side in outside):
            raise ValueError(f"outside must be a list of {', '.join(SIDES)}, not {outside!r}")
        return cls(
            category=category_of(raw.get("category")),
            before=count_of(raw.get("before"), "before"),
            after=count_of(raw.get("after"), "after"),
            same_hash=_boolean(raw.get("same_hash"), "same_hash"),
            same_dates=_boolean(raw.get("same_dates", True), "same_dates"),
            outside=tuple(outside),
            missing=Listing.from_dict(raw.get("missing"), "missing"),
            extra=Listing.from_dict(raw.get("extra"), "extra"),
        )


@dataclass(frozen=True)
class Reconciliation:
    """What a comparison came to; `counts` says per category how many of how many are there, as `412/412`.

    A category that is as many and yet not the same is `412/412 differ`. `unlisted` is why the ids of what differs
    could not be compared; empty where they were, or nothing differs.
    """

    equal: bool
    differences: tuple[Difference, ...] = ()
    counts: Mapping[str, str] = field(default_factory=dict)
    unlisted: str = ""

    def with_ids(self, before: Mapping[str, Iterable[str]], after: Mapping[str, Iterable[str]]) -> Reconciliation:
        """The same with what is missing and what is too much of each category that differs and is on both sides."""
        differences = [
            replace(
                each,
                missing=Listing.of(before[each.category], after[each.category]),
                extra=Listing.of(after[each.category], before[each.category]),
            )
            if each.category in before and each.category in after
            else each
            for each in self.differences
        ]
        return replace(self, differences=tuple(differences))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in docs/contracts.md."""
        return {
            "equal": self.equal,
            "differences": [difference.to_dict() for difference in self.differences],
            "counts": dict(self.counts),
            "unlisted": self.unlisted,
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Reconciliation:
        """Read what `to_dict` wrote, also in earlier versions.

        ValueError names the field that is wrong, or says that its parts disagree.
        """
        equal = _boolean(raw.get("equal"), "equal")
        entries, counts, unlisted = raw.get("differences"), raw.get("counts"), raw.get("unlisted") or ""
        if not isinstance(entries, list | tuple):
            raise ValueError(f"differences must be a list, not {type(entries).__name__}")
        if not isinstance(counts, Mapping):
            raise ValueError(f"counts must be a dictionary, not {type(counts).__name__}")
        if not isinstance(unlisted, str):
            raise ValueError(f"unlisted must be text, not {type(unlisted).__name__}")
        differences = []
        for number, entry in enumerate(entries):
            try:
                differences.append(Difference.from_dict(entry))
            except ValueError as exc:
                raise ValueError(f"differences[{number}]: {exc}") from exc
        if equal == bool(differences):
            raise ValueError(f"equal is {equal}, and there are {len(differences)} differences")
        told = {category_of(name).value: str(text) for name, text in counts.items()}
        return cls(equal, tuple(differences), told, unlisted)


def reconcile(before: Mapping[str, Any], after: Mapping[str, Any], day: date, months: int) -> Reconciliation:
    """Compare two manifests (docs/contracts.md, Manifest), the server's before a move and the cloud's after it (M3).

    Equal are counts, hashes, first and last dates of every category, all of them within the agreed span: that of
    `months` of history before `day`, the date in Norway on which the server's was made. Every category must be on both
    sides, whole, else ValueError names side, category and field; a category that is not known is an error too, for
    nobody has said what losing it means.
    """
    if months < 1:
        raise ValueError(f"months must be a whole number from 1 up, not {months!r}")
    sides = read_manifest(before, "before"), read_manifest(after, "after")
    differences = []
    counts = {}
    for category in Category:
        was, now = (side[category] for side in sides)
        span = agreed_span(category, day, months)
        outside = tuple(name for name, entry in zip(SIDES, (was, now), strict=True) if entry.is_outside(span))
        counts[category.value] = f"{now.count}/{was.count}"
        if was != now or outside:
            same_dates = (was.first, was.last) == (now.first, now.last)
            differences.append(Difference(category, was.count, now.count, was.hash == now.hash, same_dates, outside))
            if was.count == now.count:
                counts[category.value] += " differ"
    return Reconciliation(not differences, tuple(differences), counts)


def _boolean(value: object, field_name: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{field_name} must be true or false, not {value!r}")
    return value
