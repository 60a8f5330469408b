# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a move and an upgrade are expected to take: as earlier ones did once there are enough, else the estimate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any

from .events import Event
from .times import parse_time
from .words import EventKind

ENOUGH = 20
"""So many earlier runs count for more than an estimate."""
LEAST = timedelta(minutes=5)
PERCENT = 95
_RESTARTS = (3010, 1641)
"""What the installer says where the office's restart, or its own, stands between its start and the proof."""


@dataclass(frozen=True)
class Expected:
    """What is reckoned with, in whole minutes; `basis` is setting, runs or estimate, `runs` how many are known."""

    minutes: int
    basis: str
    runs: int

    @property
    def takes(self) -> timedelta:
        """The same as a length of time."""
        return timedelta(minutes=self.minutes)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in the gate's answer."""
        return {"minutes": self.minutes, "basis": self.basis, "runs": self.runs}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Expected:
        """Read what an earlier answer of the same run told; KeyError or ValueError for anything else."""
        return cls(int(raw["minutes"]), str(raw["basis"]), int(raw["runs"]))

    def told(self) -> str:
        """In words."""
        from_what = {
            "setting": "as set",
            "runs": f"{PERCENT} of 100 of the {self.runs} earlier runs took no longer",
            "estimate": f"the estimate: {self.runs} earlier runs are known, {ENOUGH} are needed",
        }
        return f"{self.minutes} minutes ({from_what[self.basis]})"


def nearest_rank(values: Sequence[timedelta], percent: int = PERCENT) -> timedelta:
    """The smallest of `values` (one at least) that so many of 100 do not exceed."""
    return sorted(values)[max(1, ceil(len(values) * percent / 100)) - 1]


def expected(runs: Sequence[timedelta], *, setting: int | None, estimate: int) -> Expected:
    """What to reckon with, given what earlier runs took; `setting` and `estimate` in minutes, what is set wins.

    Never less than five minutes, and rounded up to whole ones.
    """
    if setting is not None:
        return Expected(setting, "setting", len(runs))
    measured = len(runs) >= ENOUGH
    takes = max(LEAST, nearest_rank(runs) if measured else timedelta(minutes=estimate))
    return Expected(ceil(takes / timedelta(minutes=1)), "runs" if measured else "estimate", len(runs))


def moves(events: Iterable[Event]) -> list[timedelta]:
    """How long each move took, from the lease, when its attempt is written down, to the switch, by the ledgers.

    What never came to a switch, because it failed or was ended, tells nothing of how long a move takes.
    """
    found: dict[tuple[str | None, Any], timedelta] = {}
    for event, ledger in _ledgers(events):
        for attempt in _dictionaries(ledger.get("attempts")):
            takes = _between(attempt.get("prepared") or attempt.get("started"), attempt.get("switched"))
            if takes is not None:
                found[event.host, attempt.get("number")] = takes
    return list(found.values())


def upgrades(events: Iterable[Event]) -> list[timedelta]:
    """How long each upgrade took that was done, by the ledgers; one that waited for a restart tells nothing of it."""
    found: dict[tuple[str | None, Any], timedelta] = {}
    for event, ledger in _ledgers(events):
        for upgrade in _dictionaries([ledger.get("upgrade")]):
            takes = _between(upgrade.get("started"), upgrade.get("finished"))
            if takes is not None and upgrade.get("state") == "done" and upgrade.get("code") not in _RESTARTS:
                found[event.host, upgrade.get("to")] = takes
    return list(found.values())


def _ledgers(events: Iterable[Event]) -> Iterable[tuple[Event, Mapping[str, Any]]]:
    for event in events:
        if event.kind is EventKind.LEDGER and isinstance(event.data["ledger"], Mapping):
            yield event, event.data["ledger"]


def _dictionaries(value: object) -> Iterable[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _between(started: object, ended: object) -> timedelta | None:
    """None unless both are moments, in this order: a damaged ledger is told elsewhere."""
    try:
        takes = parse_time(str(ended)) - parse_time(str(started))
    except ValueError:
        return None
    return takes if takes >= timedelta() else None
