# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cloud holds of all sites of a shared server, added up: its server was counted as one (M3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

_MODULUS = 2**256


def add_manifests(manifests: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The manifest of what `manifests` hold together (docs/contracts.md): one alone stays as it is.

    Counts and hashes add up, the hashes modulo 2^256; `first` and `last` are the earliest and the latest of all. A
    category that is missing in one of them is missing in the sum, so that it is not taken for an empty one. Raises
    ValueError for no manifest at all, and for a count or hash that is none.
    """
    if not manifests:
        raise ValueError("no manifest to add up")
    if len(manifests) == 1:
        return {name: dict(entry) for name, entry in manifests[0].items()}
    names = [name for name in manifests[0] if all(name in manifest for manifest in manifests)]
    return {name: _sum([manifest[name] for manifest in manifests]) for name in names}


def _sum(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    digest = sum(int(str(entry["hash"]), 16) for entry in entries) % _MODULUS
    total: dict[str, Any] = {"count": sum(int(entry["count"]) for entry in entries), "hash": f"{digest:064x}"}
    for name, choose in (("first", min), ("last", max)):
        if any(name in entry for entry in entries):
            total[name] = choose((day for entry in entries if (day := entry.get(name))), default=None)
    return total


def join_answers(answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One answer of the cloud for a server out of those for each of its sites: one alone stays as it is.

    Lists, also those of `ids`, are those of all, one after the other. `attempt` is there where each site has it: with
    counts and manifest added up, the manifest only where each has one; its state is the sites' own, or all that there
    are, with commas. `dry` is true where a dry run has left anything undone for any of them.
    """
    if len(answers) == 1:
        return dict(answers[0])
    joined: dict[str, Any] = {"changed": any(answer["changed"] for answer in answers)}
    if any("dry" in answer for answer in answers):
        joined["dry"] = any(answer.get("dry") for answer in answers)
    lists = (name for answer in answers for name, value in answer.items() if isinstance(value, list))
    for name in dict.fromkeys(lists):
        joined[name] = [one for answer in answers for one in answer.get(name) or ()]
    if any("ids" in answer for answer in answers):
        listed = [answer.get("ids") or {} for answer in answers]
        joined["ids"] = {name: [one for ids in listed for one in ids.get(name, ())] for name in listed[0]}
    attempts = [answer.get("attempt") for answer in answers]
    if any("attempt" in answer for answer in answers):
        joined["attempt"] = _join_attempts([one for one in attempts if one]) if all(attempts) else None
    return joined


def _join_attempts(attempts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    for attempt in attempts:
        counts.update(attempt.get("counts") or {})
    manifests = [attempt.get("manifest") for attempt in attempts]
    return {
        **attempts[0],
        "state": ", ".join(dict.fromkeys(str(attempt["state"]) for attempt in attempts)),
        "counts": dict(counts),
        "manifest": add_manifests([one for one in manifests if one]) if all(manifests) else None,
    }
