# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A move rehearsed: what would happen to a site from now on, tick by tick, if every step does what it is for.

The order of steps is `next_step`'s and what is allowed is the gate's: a rehearsal has no opinion of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from .decision import decide
from .gate import reasons_against
from .gate_rules import Reason
from .pace import Taken, is_ahead
from .predict import predict
from .step import Next, Situation, next_step
from .times import format_time
from .verdict import confirmed_span
from .words import Outcome, Phase, Step

TICK = timedelta(minutes=15)
"""How often a schedule starts the tick, on the quarters of the hour."""
MOST_TICKS = 3000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RehearsalError(ValueError):
    """A rehearsal that does not come to an end: the order of steps goes round in a circle, which is our error."""


@dataclass(frozen=True)
class Foreseen:
    """One step at one tick; where it would not be allowed, every reason, and nothing comes after it.

    `phase` and `step` are None at the end of a site for which nothing is to be done.
    """

    at: datetime
    phase: Phase | None
    step: Step | None
    allowed: bool
    reasons: tuple[Reason, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a module's result."""
        return {
            "at": format_time(self.at),
            "phase": self.phase.value if self.phase else None,
            "step": self.step.value if self.step else None,
            "allowed": self.allowed,
            "reasons": [reason.to_dict() for reason in self.reasons],
        }


@dataclass(frozen=True)
class Rehearsal:
    """What would happen, in order of time; `outcome` is how the move would have ended by then."""

    steps: tuple[Foreseen, ...]
    outcome: Outcome | None

    @property
    def against(self) -> tuple[Reason, ...]:
        """What stands against going on where it ends; empty where nothing is left to be done."""
        return self.steps[-1].reasons if self.steps else ()

    def to_dict(self) -> dict[str, Any]:
        """How it ends, as plain data for a module's result; all steps of a whole country would be too much."""
        outcome = self.outcome.value if self.outcome else None
        return {"outcome": outcome, "last": self.steps[-1].to_dict() if self.steps else None}


def rehearse(situation: Situation, tick: timedelta = TICK) -> Rehearsal:
    """Rehearse a site from `situation.now` on: now, then at the ticks at which something may be due, as `wave.yml`.

    It ends with the check on the morning after, or at the first thing that the gate does not allow, or where nothing
    comes any more. RehearsalError where it comes to no end.
    """
    steps: list[Foreseen] = []
    now = situation.now
    for number in range(MOST_TICKS):
        situation, following = _tick(replace(situation, now=now, run_id=f"rehearsal-{number}"), steps)
        if following.phase is None or (steps and not steps[-1].allowed):
            return Rehearsal(tuple(steps), decide(situation).outcome)
        # A ledger that cannot be true is read again at every tick.
        soon = following.step or situation.ledger_doubtful
        at = now if soon else min(_moments(situation, following), default=now)
        now = _tick_at(at, now, tick)
    raise RehearsalError(f"site {situation.site.id}: the rehearsal has not ended after {MOST_TICKS} ticks")


def _tick(situation: Situation, steps: list[Foreseen]) -> tuple[Situation, Next]:
    """Take the steps of one tick, each at most once in the one order, and add them to `steps`.

    Answers the situation after it and what comes next. The last step added may be one that is not allowed, or none at
    all where something stands against beginning.
    """
    taken: Taken | None = None
    while True:
        following = next_step(situation)
        phase, step = following.phase, following.step
        if phase is not None and (step is None or not is_ahead((phase, step), taken)):
            if not (situation.ledger_doubtful and situation.is_fresh):
                return situation, following
            # The ledger was read again and still cannot be true: every tick from now on begins with that.
            reasons = reasons_against(situation, following, None)
            if reasons:
                steps.append(Foreseen(situation.now, phase, None, allowed=False, reasons=reasons))
            return situation, following
        reasons = reasons_against(situation, following, step)
        allowed = step is not None and not reasons
        if step is not None or reasons:
            steps.append(Foreseen(situation.now, phase, step, allowed, reasons))
        if step is None or phase is None or reasons:
            return situation, following
        taken = (phase, step)
        situation = replace(situation, standing=predict(situation, following))


def _tick_at(moment: datetime, now: datetime, tick: timedelta) -> datetime:
    """The first tick at or after `moment` that lies after `now`."""
    earliest = max(moment, now + timedelta(microseconds=1)).astimezone(UTC)
    return earliest + (_EPOCH - earliest) % tick


def _moments(situation: Situation, following: Next) -> Iterator[datetime]:
    """The moments ahead at which something else may come next than now, while nothing is due."""
    now, settings, standing = situation.now, situation.settings, situation.standing
    openings = [one for one in (situation.upgrade_opening, situation.move_opening) if one]
    moments = [moment for opening in openings for moment in (opening.start, opening.end)]
    if following.at:
        moments.append(following.at)
    # The hosts of a site are mostly measured at the same moment.
    for at, origin in dict.fromkeys((measurement.at, measurement.origin) for measurement in standing.measurements):
        moments += [at + settings.validity.server, at + settings.validity.of_client(origin)]
        again = at + settings.retry
        if again > now and any(opening.contains(again) for opening in openings):
            moments.append(again)
    confirmed = confirmed_span(situation.site, now, settings.validity)
    if confirmed:
        moments.append(confirmed[1])
    if standing.override:
        moments.append(standing.override.until)
    yield from (moment for moment in moments if moment > now)
