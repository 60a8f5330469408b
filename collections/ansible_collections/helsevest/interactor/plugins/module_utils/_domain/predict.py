# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each step leaves behind when it succeeds, as the journal would tell it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

from .ledger import Attempt, Ledger, Upgrade
from .reconcile import Reconciliation
from .standing import Checked, Made, Restored, Standing, StepRecord, Users
from .step import LOCAL_MODE, Next, Situation
from .verdict import HostMeasurement
from .window import OSLO
from .words import AttemptState, Origin, Step


def predict(situation: Situation, following: Next) -> Standing:
    """The standing after the step of `following` was taken at `situation.now` and did what it is for.

    A host that is measured again is found as it was found last; one that was never measured is found well. Users are
    not in Interactor, all that was sent arrives, and nobody has made anything in the cloud. ValueError without a step.
    """
    if following.step is None:
        raise ValueError("no step is due: nothing comes of it")
    standing = EFFECTS[following.step](situation, following)
    done = StepRecord(following.step, situation.now, ok=True, detail="", run_id=situation.run_id)
    return replace(standing, as_of=situation.now, last_step=done)


def _probe(situation: Situation, following: Next) -> Standing:
    site, standing = situation.site, situation.standing
    newest = {each.host: each for each in standing.measurements if each.origin == Origin.MEASURED}
    measured = {each.slot: each for each in standing.measurements}
    for host in following.hosts:
        known = newest.get(host)
        again = replace(known, at=situation.now) if known else _well(host, situation)
        measured[again.slot] = again
    server = measured.get((site.server_host, True, Origin.MEASURED))
    seen = situation.run_id if server and server.at == situation.now else standing.ledger_run
    return replace(standing, ledger_run=seen, measurements=tuple(sorted(measured.values(), key=lambda one: one.at)))


def _well(host: str, situation: Situation) -> HostMeasurement:
    role: Literal["server", "client"] = "server" if host == situation.site.server_host else "client"
    return HostMeasurement(host, role, situation.now, Origin.MEASURED, reached=True, error=None, checks=())


def _look(situation: Situation, following: Next) -> Standing:
    return replace(situation.standing, ledger_run=situation.run_id)


def _ledger(situation: Situation) -> Ledger:
    return situation.ledger or Ledger(situation.site.id)


def _with(situation: Situation, ledger: Ledger) -> Standing:
    """The standing once this run has seen `ledger`."""
    return replace(situation.standing, ledger=ledger, ledger_run=situation.run_id)


def _with_attempt(situation: Situation, attempt: Attempt) -> Standing:
    """The newest attempt as it is now."""
    ledger = _ledger(situation)
    return _with(situation, replace(ledger, attempts=(*ledger.attempts[:-1], attempt)))


def _attempt(situation: Situation) -> Attempt:
    """The newest attempt: a step that needs one comes next only where it is there."""
    if situation.attempt is None:
        raise ValueError("there is no attempt to predict anything of")
    return situation.attempt


def _stage(situation: Situation, following: Next) -> Standing:
    target = situation.settings.target_version
    return _with(situation, replace(_ledger(situation), upgrade=Upgrade("staged", target, None, "")))


def _install(situation: Situation, following: Next) -> Standing:
    target = situation.settings.target_version
    done = Upgrade("done", target, situation.now, "", 0)
    standing = _with(situation, replace(_ledger(situation), upgrade=done))
    return replace(standing, version=target, upgraded_at=situation.now)


def _cloud(situation: Situation, following: Next) -> Standing:
    return replace(situation.standing, cloud_run=situation.run_id)


def _nobody(situation: Situation, *hosts: str) -> Mapping[str, Users]:
    nobody = Users(situation.now, situation.run_id, reached=True, active=False)
    return {**situation.standing.users, **dict.fromkeys(hosts, nobody)}


def _lease(situation: Situation, following: Next) -> Standing:
    standing = _with(situation, replace(_ledger(situation), lease_held=True, lease_lost=False))
    return replace(standing, users=_nobody(situation, situation.site.server_host))


def _users(situation: Situation, following: Next) -> Standing:
    return replace(situation.standing, users=_nobody(situation, *situation.site.client_hosts))


def _manifest(situation: Situation, following: Next) -> Standing:
    ledger = _ledger(situation)
    number = len(ledger.attempts) + 1
    key = f"{situation.site.id}-{number}-{situation.run_id}"
    day = situation.now.astimezone(OSLO).date()
    attempt = Attempt(number, key, AttemptState.PREPARED, day, situation.site.history_months)
    standing = _with(situation, replace(ledger, attempts=(*ledger.attempts, attempt)))
    return replace(standing, known_attempts=max(standing.known_attempts, number))


def _start(situation: Situation, following: Next) -> Standing:
    return _with_attempt(situation, replace(_attempt(situation), state=AttemptState.RUNNING, started=situation.now))


def _follow(situation: Situation, following: Next) -> Standing:
    attempt = _attempt(situation)
    started = attempt.started
    if started is not None and situation.now < started + situation.settings.move_takes:
        return _with_attempt(situation, attempt)
    return _with_attempt(situation, replace(attempt, state=AttemptState.COMPLETED, finished=situation.now))


def _reconcile(situation: Situation, following: Next) -> Standing:
    reconciled = {**situation.standing.reconciled, str(_attempt(situation).number): Reconciliation(equal=True)}
    return replace(situation.standing, reconciled=reconciled)


def _switch(situation: Situation, following: Next) -> Standing:
    standing = _with_attempt(
        situation, replace(_attempt(situation), state=AttemptState.SWITCHED, switched=situation.now)
    )
    return replace(standing, mode=situation.site.mode)


def _handback(situation: Situation, following: Next) -> Standing:
    return _with(situation, replace(_ledger(situation), lease_held=False, lease_lost=False))


def _made(situation: Situation, following: Next) -> Standing:
    number = str(_attempt(situation).number)
    before = situation.standing.made.get(number)
    made = Made(situation.run_id, known=True, count=before.count if before and before.known else 0)
    return replace(situation.standing, made={**situation.standing.made, number: made})


def _restore(situation: Situation, following: Next) -> Standing:
    restored = {**situation.standing.restored, str(_attempt(situation).number): Restored(equal=True, changed=())}
    standing = _with_attempt(
        situation, replace(_attempt(situation), state=AttemptState.ROLLED_BACK, ended=situation.now)
    )
    if standing.ledger is None:
        raise ValueError("there is no ledger to predict anything of")
    ledger = replace(standing.ledger, lease_held=False, lease_lost=False)
    return replace(standing, ledger=ledger, mode=LOCAL_MODE, restored=restored)


def _discard(situation: Situation, following: Next) -> Standing:
    return replace(situation.standing, discarded=situation.standing.discarded | {str(_attempt(situation).number)})


def _check(situation: Situation, following: Next) -> Standing:
    checked = {**situation.standing.checked, str(_attempt(situation).number): Checked(situation.now, ())}
    return replace(situation.standing, checked=checked)


EFFECTS: Mapping[Step, Callable[[Situation, Next], Standing]] = {
    Step.PROBE: _probe,
    Step.LOOK: _look,
    Step.STAGE: _stage,
    Step.INSTALL: _install,
    Step.CONFIRM: _install,
    Step.CLOUD: _cloud,
    Step.LEASE: _lease,
    Step.USERS: _users,
    Step.MANIFEST: _manifest,
    Step.START: _start,
    Step.FOLLOW: _follow,
    Step.RECONCILE: _reconcile,
    Step.SWITCH: _switch,
    Step.HANDBACK: _handback,
    Step.MADE: _made,
    Step.RESTORE: _restore,
    Step.DISCARD: _discard,
    Step.CHECK: _check,
}
"""What each step leaves; a step without an entry could not be rehearsed."""
