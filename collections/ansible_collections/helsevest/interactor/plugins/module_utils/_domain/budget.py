# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failure budget: a wave halts by itself when more of its sites fail than is allowed, on our side or on theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from math import floor
from typing import Any

from .events import Event
from .step import Situation, must_roll_back
from .verdict import OUR_CAUSES
from .words import EventKind, Outcome, Verdict, Whose

NAME = "failure budget"
"""Who halts, in the journal."""


@dataclass(frozen=True)
class Allowance:
    """How many sites of a wave may fail: so many, or this share of them (0 to 1, rounded down), whichever is more."""

    count: int
    share: float

    def __post_init__(self) -> None:
        for name, value, ok, allowed in (
            ("count", self.count, isinstance(self.count, int) and self.count >= 0, "a whole number from 0"),
            ("share", self.share, isinstance(self.share, int | float) and 0 <= self.share <= 1, "0 to 1"),
        ):
            if not ok or isinstance(value, bool):
                raise ValueError(f"failure_budget: {name}: {value!r}; allowed: {allowed}")

    def of(self, sites: int) -> int:
        """How many of so many sites."""
        # By way of its digits: 0.29 of 100 is 29, and not what the nearest binary number gives.
        return max(self.count, floor(Fraction(str(self.share)) * sites))


@dataclass(frozen=True)
class Budget:
    """What is allowed in every wave, and in some waves instead."""

    allowed: Mapping[Whose, Allowance]
    waves: Mapping[int, Mapping[Whose, Allowance]] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Budget:
        """Read `{ours: {count, share}, theirs: …, waves: {number: {ours: …, theirs: …}}}`, all of it optional.

        ValueError names what is wrong and what is allowed.
        """
        allowed = _allowances(raw, DEFAULT.allowed, beside=("waves",))
        waves = raw.get("waves") or {}
        if not isinstance(waves, Mapping) or not all(str(number).isdigit() for number in waves):
            raise ValueError(f"failure_budget: waves: {waves!r}; allowed: a dictionary by the waves' numbers")
        return cls(allowed, {int(number): _allowances(told, allowed) for number, told in waves.items()})

    def of(self, wave: int, whose: Whose, sites: int) -> int:
        """How many of the wave's `sites` may fail on that side."""
        return self.waves.get(wave, self.allowed)[whose].of(sites)


DEFAULT = Budget({Whose.OURS: Allowance(2, 0.05), Whose.THEIRS: Allowance(5, 0.2)})


def _allowances(
    raw: Mapping[str, Any], otherwise: Mapping[Whose, Allowance], beside: Sequence[str] = ()
) -> dict[Whose, Allowance]:
    if not isinstance(raw, Mapping):
        raise ValueError(f"failure_budget: {raw!r}; allowed: a dictionary with ours and theirs")
    known = {whose.value: {"count", "share"} for whose in Whose}
    for name, told in raw.items():
        if name in beside or told is None:
            continue
        if name not in known or not isinstance(told, Mapping) or not set(told) <= known[name]:
            raise ValueError(f"failure_budget: {name}: {told!r}; allowed: ours and theirs, each with count and share")
    allowed = {}
    for whose in Whose:
        told, default = raw.get(whose.value) or {}, otherwise[whose]
        count, share = told.get("count"), told.get("share")
        allowed[whose] = Allowance(default.count if count is None else count, default.share if share is None else share)
    return allowed


def failure_of(situation: Situation, outcome: Outcome | None, codes: Iterable[str]) -> Whose | None:
    """Whether the site has failed on its present move date, and on whose side; `codes` are the gate's reasons.

    Nothing counts before the date's own time, which begins when its installer is staged, nor what somebody asked for.
    """
    begins = _begins(situation)
    if begins is None or situation.now < begins:
        return None
    if _ours(situation, outcome, begins) or {"ledger_damaged", "ledger_missing"} & set(codes):
        return Whose.OURS
    last = situation.standing.last_step
    if last and not last.ok and last.at >= begins:
        return Whose.THEIRS if last.cause is not None and last.cause not in OUR_CAUSES else Whose.OURS
    return None if situation.attempt_stands else _not_begun(situation)


def _begins(situation: Situation) -> datetime | None:
    evening = situation.upgrade_opening
    return evening.start - situation.settings.stage_ahead if evening else None


def _ours(situation: Situation, outcome: Outcome | None, begins: datetime) -> bool:
    attempt, upgrade, verdict = situation.attempt, situation.upgrade, situation.verdict
    if attempt and str(attempt.number) not in situation.standing.rollback_asked:
        # Else a restored journal would halt its wave by all that has moved well.
        uncertain = outcome is Outcome.UNCERTAIN and not situation.is_uncompared
        ended = uncertain or outcome in (Outcome.FAILED, Outcome.ROLLED_BACK)
        times = (attempt.ended, attempt.switched, attempt.finished, attempt.started)
        last = max((at for at in times if at), default=begins)
        if last >= begins and (ended or must_roll_back(situation, attempt)):
            return True
    if upgrade and upgrade.state in ("failed", "incident") and (upgrade.finished is None or upgrade.finished >= begins):
        return True
    return verdict is not None and verdict.verdict is Verdict.ERROR and not situation.attempt_stands


def _not_begun(situation: Situation) -> Whose | None:
    """Of a site that has not begun to move though its time has come."""
    evening, move, now = situation.upgrade_opening, situation.move_opening, situation.now
    if not any(opening and now >= opening.start for opening in (evening, move)):
        return None
    if situation.lease_given_up and not situation.site.close_agreed:
        return Whose.THEIRS
    if situation.upgrade and situation.upgrade.state == "restart":
        return Whose.THEIRS if move and now >= move.start else None
    verdict = situation.verdict
    if verdict is None or verdict.verdict is Verdict.READY:
        return None
    if verdict.verdict is Verdict.UNREACHABLE:
        servers = [one for one in situation.standing.measurements if one.host == situation.site.server_host]
        return Whose.OURS if max(servers, key=lambda one: one.at).is_ours else Whose.THEIRS
    return Whose.THEIRS if situation.standing.release else None


@dataclass(frozen=True, order=True)
class Failed:
    """A site of a wave that has failed, on the move date that it had (YYYY-MM-DD)."""

    site: str
    move_date: str
    whose: Whose

    def to_text(self) -> str:
        """The same failure has the same text at any time."""
        return f"{self.site} {self.move_date} {self.whose}"


def failed_of(row: Mapping[str, Any]) -> Failed | None:
    """What a site's row says of it; rows of earlier versions say nothing."""
    whose = row.get("failed")
    return Failed(row["site"], str(row.get("move_date")), Whose(whose)) if whose else None


def halt_of(
    wave: int, sites: int, failed: Iterable[Failed], events: Iterable[Event], budget: Budget
) -> dict[str, Any] | None:
    """The event that halts a wave of so many `sites`, or None.

    `events` are the waves' in the order of recording. What a halt of ours has told already halts no second time, so
    that a wave that somebody resumed goes on until a further site fails. A wave that is halted by a person is left so.
    Its key is the next free number: of two that ask at once only one can halt, and the other sees it when it asks anew.
    """
    halts: dict[str, str] = {}
    told: set[str] = set()
    earlier = 0
    for event in events:
        if event.subject not in (str(wave), "all"):
            continue
        if event.kind is EventKind.HALTED:
            halts[event.subject] = event.data["name"]
            if "failed" in event.data:
                earlier += 1
                told |= set(event.data["failed"])
        elif event.kind is EventKind.RESUMED:
            halts.pop(event.subject, None)
    if set(halts.values()) - {NAME}:
        return None
    parts, over = [], []
    for whose in Whose:
        of_side = sorted(one for one in set(failed) if one.whose is whose)
        allowed = budget.of(wave, whose, sites)
        if len(of_side) > allowed:
            over += [one.to_text() for one in of_side]
            names = ", ".join(one.site for one in of_side)
            parts.append(f"{len(of_side)} of {sites} failed on {_SIDES[whose]} (allowed: {allowed}): {names}")
    if set(over) <= told:
        return None
    return {
        "kind": EventKind.HALTED.value,
        "subject": str(wave),
        "key": f"halted/{wave}/{NAME}/{earlier + 1}",
        "data": {"name": NAME, "reason": "; ".join(parts), "failed": over},
    }


_SIDES = {Whose.OURS: "our side", Whose.THEIRS: "the offices' side"}
