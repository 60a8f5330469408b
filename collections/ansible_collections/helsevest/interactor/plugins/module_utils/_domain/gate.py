# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate: may a step be taken for a site now, and if not, every reason in words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from .gate_rules import RULES, Case, Reason, of_neighbour
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
    begun = situation.lease_to_return or situation.ledger_doubtful or (attempt is not None and attempt.state.is_open)
    if step and (begun or phase is Phase.ROLLBACK or step not in LOOKING):
        return step
    if phase is Phase.MIGRATE:
        return Step.LEASE
    upgrade = situation.upgrade
    if upgrade and upgrade.is_unproven and step:
        return Step.CONFIRM
    return Step.INSTALL if upgrade and upgrade.state == "staged" else Step.STAGE


def may(
    situation: Situation,
    step: Step | None = None,
    force: Collection[Phase] = (),
    neighbours: Sequence[Situation] = (),
) -> Answer:
    """May `step` be taken for this site now, and if not, why: every reason.

    `neighbours` are the situations of the other sites on its server: what stands against one of them stands against
    all. A preflight is each site's own.

    Without `step` the one that comes next is asked for; where none is due, what stands against beginning. `force` names
    phases that a person asked for although they are not due.
    """
    following = next_step(situation, force)
    asked = step or following.step
    measured = asked is Step.PROBE
    reasons = reasons_against(situation, following, asked, () if measured else neighbours)
    if reasons and step is None and situation.keeps_out_for_nothing(following):
        # Nobody is kept out of Interactor for a move that may not begin.
        back = replace(following, step=Step.HANDBACK)
        against = reasons_against(situation, back, Step.HANDBACK, neighbours)
        return Answer(back, not against, against, reasons)
    ahead = reasons_against(situation, following, None, neighbours) if measured else ()
    return Answer(following, asked is not None and not reasons, reasons, ahead)


def reasons_against(
    situation: Situation, following: Next, asked: Step | None, neighbours: Sequence[Situation] = ()
) -> tuple[Reason, ...]:
    """Every reason against `asked` where `following` comes next; without a step, against beginning."""
    guarded = _guarded(situation, following.phase, asked)
    own = tuple(_found(Case(situation, following, asked, guarded)))
    told = {(reason.code, reason.text) for reason in own}
    return own + tuple(
        of_neighbour(reason, neighbour.site, situation.site)
        for neighbour in neighbours
        for reason in _found(Case(neighbour, following, asked, guarded))
        # What is the server's, or the same of all its sites, is told once.
        if (reason.code, reason.text) not in told
    )


def _found(case: Case) -> Iterator[Reason]:
    attempt = case.situation.attempt
    begun = attempt is not None and attempt.state is not AttemptState.ROLLED_BACK
    for rule in RULES:
        if case.step in rule.steps and not (case.asked is None and (begun or rule.of_time)):
            yield from rule.find(case)
