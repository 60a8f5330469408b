# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a run takes a site: each step once, in the one order of the run's phases."""

from __future__ import annotations

from collections.abc import Sequence

from .decision import Decision
from .words import STEPS, Phase, Step

PACED: tuple[Phase, ...] = (Phase.UPGRADE, Phase.MIGRATE, Phase.ROLLBACK, Phase.POSTCHECK)
"""The phases that each site goes through at its own pace, so that a move that failed is undone in the same run."""

Taken = tuple[Phase, Step]

_PLACES = {taken: place for place, taken in enumerate((phase, step) for phase in STEPS for step in STEPS[phase])}


def is_ahead(following: Taken, taken: Taken | None) -> bool:
    """Whether a run that has taken `taken` last still comes by `following`: nothing that stands before it is taken
    again."""
    return taken is None or _PLACES[following] > _PLACES[taken]


def take(decision: Decision, phases: Sequence[Phase], taken: Taken | None) -> Taken | None:
    """The step that a run of `phases` takes now for the site of `decision`, or None where it leaves the site.

    `taken` is the step that it took last: what has to be repeated, or waited for, is the next run's.
    """
    phase, step = decision.next.phase, decision.next.step
    if not decision.allowed or phase is None or step is None or phase not in phases:
        return None
    return (phase, step) if is_ahead((phase, step), taken) else None
