# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the cloud holds what the server held: counts and hashes, category by category (M3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .words import Category


@dataclass(frozen=True)
class Difference:
    """One category that is not the same: how many there were before and after, and whether the ids hash alike."""

    category: Category
    before: int
    after: int
    same_hash: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in docs/contracts.md."""
        return {
            "category": self.category.value,
            "before": self.before,
            "after": self.after,
            "same_hash": self.same_hash,
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Difference:
        """Read what `to_dict` wrote; ValueError names the field that is wrong."""
        if not isinstance(raw, Mapping):
            raise ValueError(f"must be a dictionary, not {type(raw).__name__}")
        return cls(
            category=_category(raw.get("category")),
            before=_count(raw.get("before"), "before"),
            after=_count(raw.get("after"), "after"),
            same_hash=_boolean(raw.get("same_hash"), "same_hash"),
        )


@dataclass(frozen=True)
class Reconciliation:
    """What a comparison came to; `counts` says per category how many of how many are there, as `412/412`."""

    equal: bool
    differences: tuple[Difference, ...] = ()
    counts: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in docs/contracts.md."""
        return {
            "equal": self.equal,
            "differences": [difference.to_dict() for difference in self.differences],
            "counts": dict(self.counts),
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Reconciliation:
        """Read what `to_dict` wrote; ValueError names the field that is wrong, or says that its parts disagree."""
        equal = _boolean(raw.get("equal"), "equal")
        entries, counts = raw.get("differences"), raw.get("counts")
        if not isinstance(entries, list | tuple):
            raise ValueError(f"differences must be a list, not {type(entries).__name__}")
        if not isinstance(counts, Mapping):
            raise ValueError(f"counts must be a dictionary, not {type(counts).__name__}")
        differences = []
        for number, entry in enumerate(entries):
            try:
                differences.append(Difference.from_dict(entry))
            except ValueError as exc:
                raise ValueError(f"differences[{number}]: {exc}") from exc
        if equal == bool(differences):
            raise ValueError(f"equal is {equal}, and there are {len(differences)} differences")
        return cls(equal, tuple(differences), {_category(name).value: str(text) for name, text in counts.items()})


def reconcile(before: Mapping[str, Any], after: Mapping[str, Any]) -> Reconciliation:
    """Compare two manifests (docs/contracts.md), the server's before a move and the cloud's after it (M3).

    Every category must be on both sides with its count and hash, else ValueError names side, category and field; a
    category that is not known is an error too, for nobody has said what losing it means.
    """
    sides = _read(before, "before"), _read(after, "after")
    differences = []
    counts = {}
    for category in Category:
        (count, digest), (count_after, digest_after) = (side[category] for side in sides)
        counts[category.value] = f"{count_after}/{count}"
        if (count, digest) != (count_after, digest_after):
            differences.append(Difference(category, count, count_after, digest == digest_after))
    return Reconciliation(not differences, tuple(differences), counts)


def _read(manifest: Mapping[str, Any], side: str) -> dict[Category, tuple[int, str]]:
    if not isinstance(manifest, Mapping):
        raise ValueError(f"{side} must be a manifest, not {type(manifest).__name__}")
    entries: dict[Category, tuple[int, str]] = {}
    for name, entry in manifest.items():
        try:
            category = _category(name)
        except ValueError as exc:
            raise ValueError(f"{side}: {exc}") from exc
        if not isinstance(entry, Mapping):
            raise ValueError(f"{side}.{name} must be a dictionary of count and hash, not {type(entry).__name__}")
        entries[category] = (
            _count(entry.get("count"), f"{side}.{name}.count"),
            _hash(entry.get("hash"), f"{side}.{name}.hash"),
        )
    missing = [category.value for category in Category if category not in entries]
    if missing:
        raise ValueError(f"{side} lacks {', '.join(missing)}")
    return entries


def _category(name: object) -> Category:
    try:
        return Category(str(name))
    except ValueError as exc:
        raise ValueError(f"category is {name!r} and must be one of {', '.join(Category)}") from exc


def _count(value: object, field_name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{field_name} must be a whole number from 0 up, not {value!r}")
    return value


def _hash(value: object, field_name: str) -> str:
    text = value.lower() if isinstance(value, str) else ""
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise ValueError(f"{field_name} must be 64 hexadecimal digits, not {value!r}")
    return text


def _boolean(value: object, field_name: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{field_name} must be true or false, not {value!r}")
    return value
