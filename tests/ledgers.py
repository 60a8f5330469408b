# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ledgers that scripts and models have to read alike: one as it is in the middle of a move, and what damages it."""

from __future__ import annotations

import json
from typing import Any

_MANIFEST = {"orders": {"count": 412, "hash": "0" * 64, "first": "2026-05-20", "last": "2027-05-18"}}


def ledger(site: str, state: str = "running") -> dict[str, Any]:
    """A ledger of `site` whose second attempt is under way."""
    attempt = {
        "number": 1,
        "key": f"{site}-1-4f3a",
        "state": "rolled_back",
        "mode": "server_in_cloud",
        "history_months": 12,
        "prepared": "2027-05-11T18:30:00Z",
        "started": "2027-05-11T18:31:00Z",
        "finished": None,
        "switched": None,
        "ended": "2027-05-11T19:02:00Z",
        "run": "20270511T183000Z-4f3a9c",
        "before": _MANIFEST,
        "counts": {},
        "untouched": {"service:Meldingsutveksling \u00e6": "0" * 64},
        "message": "",
    }
    second = {**attempt, "number": 2, "key": f"{site}-2-77b1", "state": state, "ended": None}
    lease = {"state": "held", "since": "2027-05-18T18:30:00Z", "run": "20270518T183000Z-77b1aa"}
    return {"schema": 1, "site": site, "upgrade": None, "lease": lease, "attempts": [attempt, second]}


def text(site: str, **attempt: object) -> bytes:
    """The bytes of a ledger, with other values in its second attempt."""
    found = ledger(site)
    found["attempts"][1].update(attempt)
    return json.dumps(found, ensure_ascii=False).encode()


def damaged(site: str) -> dict[str, tuple[bytes, str]]:
    """By what has happened to it: the bytes of a ledger, and what has to be said of it."""
    whole = text(site)
    twice = ledger(site)
    twice["attempts"].append(twice["attempts"][1])

    def part(name: str, value: object) -> bytes:
        return json.dumps({**ledger(site), name: value}).encode()

    return {
        "empty": (b"", "is no JSON"),
        "blank": (b" \r\n", "is no JSON"),
        "cut off": (whole[: len(whole) // 2], "is no JSON"),
        "one byte short": (whole[:-1], "is no JSON"),
        "NUL bytes": (bytes(len(whole)), "is no JSON"),
        "NUL bytes from the middle on": (whole[:200] + bytes(len(whole) - 200), "is no JSON"),
        "NUL bytes after it": (whole + bytes(512), "is no JSON"),
        "two of them": (whole + whole, "is no JSON"),
        "UTF-16": (whole.decode().encode("utf-16"), "is no JSON"),
        "UTF-16 without a mark": (whole.decode().encode("utf-16-le"), "is no JSON"),
        "Latin-1": (whole.decode().encode("latin-1"), "is no JSON"),
        "a list": (b"[]", "is no JSON object"),
        "no object": (b'"ledger"', "is no JSON object"),
        "a newer schema": (part("schema", 2), "has schema '2', this version writes 1"),
        "another site": (part("site", "7777"), f"belongs to site '7777', not to '{site}'"),
        "no attempts": (part("attempts", None), "attempts is no list"),
        "attempts as an object": (part("attempts", {"1": {}}), "attempts is no list"),
        "a lease of another kind": (part("lease", []), "lease is no object"),
        "a lease nobody knows": (part("lease", {"state": "mine"}), "lease.state is 'mine'"),
        "an upgrade as a text": (part("upgrade", "done"), "upgrade is no object"),
        "an upgrade nobody knows": (part("upgrade", {"state": "?"}), "upgrade.state is '?'"),
        "a number twice": (json.dumps(twice).encode(), "attempt 3 is not where it should be"),
        "a number left out": (text(site, number=3), "attempt 2 is not where it should be"),
        "a number as a text": (text(site, number="2"), "attempt 2 is not where it should be"),
        "an attempt that is none": (part("attempts", ["running"]), "attempt 1 is not where it should be"),
        "no key": (text(site, key=None), "attempt 2 has state 'running' and key ''"),
        "a state nobody knows": (text(site, state="moved"), f"attempt 2 has state 'moved' and key '{site}-2-77b1'"),
        "no mode": (text(site, mode=None), "mode of attempt 2 is no text"),
        "months as a text": (text(site, history_months="12"), "history_months of attempt 2 is no number"),
        "a moment as a number": (text(site, started=1811090400), "started of attempt 2 is no moment"),
        "a moment without a zone": (text(site, ended="2027-05-18 18:30"), "ended of attempt 2 is no moment"),
        "counts as a list": (text(site, counts=[]), "counts of attempt 2 is no object"),
        "before as a text": (text(site, before="{}"), "before of attempt 2 is no object"),
    }


def after_power_cut(old: bytes | None, new: bytes) -> list[tuple[bytes | None, bytes | None]]:
    """What lies on the disk as `ledger.json` and `ledger.json.new` after a cut at each instant of a write."""
    on_the_way: list[tuple[bytes | None, bytes | None]] = [(old, new[:length]) for length in range(len(new) + 1)]
    return [(old, None), *on_the_way, (None, new), (new, None)]
