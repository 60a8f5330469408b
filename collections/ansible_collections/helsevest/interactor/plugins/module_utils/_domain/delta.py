# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has changed since the last whole preflight: which sites became ready, which fell back, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .table import number_of, words
from .timeline import told_time
from .times import format_time, parse_time
from .words import Verdict

MOST_OF_THEM = 0.9
"""The part of the sites whose servers a run has to have asked so that it counts as a whole preflight of them."""


@dataclass(frozen=True)
class Asked:
    """That a run measured a site's server, and when it recorded that."""

    run_id: str
    site: str
    at: datetime


def last_whole_run(asked: Iterable[Asked], sites: Collection[str], but: str) -> Asked | None:
    """The newest run other than `but` that asked the servers of nearly all of `sites` (MOST_OF_THEM), by its last
    measurement; None where there is none. Sites that came into the register since then do not keep it from counting.
    """
    newest: dict[str, Asked] = {}
    reached: dict[str, set[str]] = {}
    for one in asked:
        if one.run_id != but and one.site in sites:
            reached.setdefault(one.run_id, set()).add(one.site)
            newest[one.run_id] = max(one, newest.get(one.run_id, one), key=lambda each: each.at)
    whole = [run for run, of in reached.items() if len(of) >= MOST_OF_THEM * len(sites)]
    return max((newest[run] for run in whole), key=lambda one: (one.at, one.run_id), default=None)


def delta(run: Asked, before: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The rows of `now` against those that stood at the end of `run` (docs/contracts.md, The delta)."""
    earlier = {row["site"]: row for row in before}
    ready, back, same, new = [], [], 0, []
    for row in sorted(now, key=lambda row: str(row["site"])):
        was = earlier.get(row["site"])
        if was is None:
            new.append(row["site"])
        elif row["verdict"] == was["verdict"] or Verdict.READY not in (row["verdict"], was["verdict"]):
            same += 1
        else:
            change = {"site": row["site"], "name": row["name"], "was": was["verdict"], "is": row["verdict"]}
            if row["verdict"] == Verdict.READY:
                ready.append({**change, "reason": _settled(was)})
            else:
                back.append({**change, "reason": str(row["why"])})
    return {"run_id": run.run_id, "at": format_time(run.at), "ready": ready, "back": back, "same": same, "new": new}


def _settled(was: Mapping[str, Any]) -> str:
    """What no longer stands against a site that became ready."""
    return (
        f"settled: {', '.join(map(str, was['owes']))}" if was["owes"] else f"no longer: {was['why'] or 'not measured'}"
    )


def tell_delta(found: Mapping[str, Any]) -> str:
    """In one line, as `Since Monday 10.05.2027 09:00: 14 sites became ready, 2 fell back, 84 as before`."""
    since = told_time(parse_time(found["at"]), weekday=True)
    parts = [
        f"{number_of(len(found['ready']), 'site')} became ready",
        f"{len(found['back'])} fell back",
        f"{found['same']} as before",
        *([f"{len(found['new'])} new"] if found["new"] else []),
    ]
    return f"Since {since}: {', '.join(parts)}"


def delta_list(found: Mapping[str, Any]) -> dict[str, Any]:
    """The delta as a list for the terminal, those that fell back first, with `tell_delta` below it."""
    changes = [("fell back", one) for one in found["back"]] + [("became ready", one) for one in found["ready"]]
    rows = [
        [one["site"], one["name"], f"{what}: {_word(one['was'])} → {_word(one['is'])}", one["reason"]]
        for what, one in changes
    ]
    return {
        "title": "Changed since the last whole preflight",
        "headings": ["Site", "Name", "Verdict", "Why"] if rows else [],
        "rows": rows,
        "notes": [tell_delta(found)],
    }


def _word(verdict: str | None) -> str:
    return words(verdict or "none")
