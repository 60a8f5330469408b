# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate: may a step be taken for a site now, and if not, every reason in words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .gate_rules import RULES, Case, Reason
from .step import Next, Situation, next_step
from .words import AttemptState, Phase, Step


@dataclass(frozen=True)
class Answer:
    """The gate's answer: what comes next for the site, whether the step may be taken now, and if not, every reason.

    Without reasons and not allowed: there is nothing to take, because the site waits (`next.at`) or has moved. `ahead`
    is what stands against a site that is to be measured first, which it may be in any case.
    """

    next: Next
    allowed: bool
    reasons: tuple[Reason, ...]
    ahead: tuple[Reason, ...] = ()


LOOKING = frozenset({Step.LOOK, Step.CLOUD, Step.USERS})
"""What only looks or warns before a phase begins: not done where the phase may not begin."""


def _guarded(situation: Situation, phase: Phase | None, step: Step | None) -> Step:
    """The step whose rules hold: a phase that has not begun is asked for as a whole, by its first changing step."""
    attempt = situation.attempt
    # To read a ledger again that cannot be true is how it comes right.
    begun = situation.lease_held or situation.ledger_doubtful or (attempt is not None and attempt.state.is_open)
    if step and (begun or phase is Phase.ROLLBACK or step not in LOOKING):
        return step
    if phase is Phase.MIGRATE:
        return Step.LEASE
    upgrade = situation.upgrade
    if upgrade and upgrade.is_unproven and step:
        return Step.CONFIRM
    return Step.INSTALL if upgrade and upgrade.state == "staged" else Step.STAGE


def may(situation: Situation, step: Step | None = None, force: Collection[Phase] = ()) -> Answer:
    """May `step` be taken for this site now, and if not, why: every reason.

    Without `step` the one that comes next is asked for; where none is due, what stands against beginning. `force` names
    phases that a person asked for although they are not due.
    """
    following = next_step(situation, force)
    asked = step or following.step
    reasons = reasons_against(situation, following, asked)
    ahead = reasons_against(situation, following, None) if asked is Step.PROBE else ()
    return Answer(following, asked is not None and not reasons, reasons, ahead)


def reasons_against(situation: Situation, following: Next, asked: Step | None) -> tuple[Reason, ...]:
    """Every reason against `asked` where `following` comes next; without a step, against beginning."""
    case = Case(situation, following, asked, _guarded(situation, following.phase, asked))
    begun = situation.attempt is not None and situation.attempt.state is not AttemptState.ROLLED_BACK
    return tuple(
        reason
        for rule in RULES
        if case.step in rule.steps and not (asked is None and (begun or rule.of_time))
        for reason in rule.find(case)
    )
