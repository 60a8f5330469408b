# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One decision per site: where it stands, what comes next, whether it may, and the one row that tells it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from .budget import failure_of
from .checks import register_state
from .gate import may
from .gate_rules import Reason
from .ledger import Attempt
from .owes import Owed, Warned, owes, warnings
from .reconcile import Difference
from .results import CheckResult
from .since import failing_since
from .site import Site
from .standing import Standing
from .step import Next, Situation
from .texts import WARNINGS
from .times import format_time
from .verdict import ClientResult, SiteVerdict, told_clients
from .window import OSLO
from .words import AttemptState, EventKind, Outcome, Phase, State, Step, Verdict, Whose

STOPS = frozenset({"ledger_missing", "point_of_no_return"})
"""The rules that no time and no office lifts: one of us has to look."""


@dataclass(frozen=True)
class Decision:
    """The gate's answer for one site (docs/contracts.md, The gate's answer)."""

    site: Site
    standing: Standing
    state: State
    verdict: Verdict | None
    outcome: Outcome | None
    next: Next
    allowed: bool
    attempt: Mapping[str, Any] | None
    reasons: tuple[Reason, ...]
    ahead: tuple[Reason, ...]
    owes: tuple[Owed, ...]
    begun: Mapping[str, datetime]
    rolled_back: bool
    point_of_no_return: Mapping[str, Any] | None
    needs_us: bool
    failed: Whose | None = None
    led_here: bool = True
    lease: Mapping[str, Any] | None = None
    clients: tuple[ClientResult, ...] = ()
    warnings: tuple[Warned, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a module's result."""
        return {
            "state": self.state.value,
            "verdict": self.verdict.value if self.verdict else None,
            "outcome": self.outcome.value if self.outcome else None,
            "phase": self.next.phase.value if self.next.phase else None,
            "step": self.next.step.value if self.next.step else None,
            "hosts": list(self.next.hosts),
            "next": format_time(self.next.at) if self.next.at else None,
            "allowed": self.allowed,
            "attempt": dict(self.attempt) if self.attempt else None,
            "lease": dict(self.lease) if self.lease else None,
            "reasons": [reason.to_dict() for reason in self.reasons],
            "owes": [owed.to_dict() for owed in self.owes],
            "warnings": [warned.to_dict() for warned in self.warnings],
            "clients": [client.to_dict() for client in self.clients],
            "language": self.site.language,
            "asked": self.site.asked.isoformat() if self.site.asked else None,
            "rolled_back": self.rolled_back,
            "point_of_no_return": dict(self.point_of_no_return) if self.point_of_no_return else None,
            "differences": [difference.to_dict() for difference in self.differences],
            "needs_us": self.needs_us,
            "row": self.row(),
        }

    @property
    def last_attempt(self) -> Attempt | None:
        """The newest attempt, or None before the first."""
        return self.standing.ledger.last if self.standing.ledger else None

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What of the last attempt is not the same in the cloud; none before it was compared."""
        return _differences(self.standing, self.last_attempt)

    @property
    def failing(self) -> tuple[CheckResult, ...]:
        """The blocking checks after the move that failed or could not be found out."""
        return _failing(self.standing, self.last_attempt)

    def row_event(self) -> dict[str, Any]:
        """The row for the journal; its key makes a row that says nothing new no second entry."""
        row = self.row()
        digest = sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:16]
        as_of = format_time(self.standing.as_of) if self.standing.as_of else "new"
        key = f"row/{self.site.id}/{as_of}/{digest}"
        return {"site": self.site.id, "kind": EventKind.ROW.value, "key": key, "data": row}

    def row(self) -> dict[str, Any]:
        """The one row of this site: the terminal's table, the report and the journal show the same."""
        attempt = self.last_attempt
        checked = self.standing.checked.get(str(attempt.number)) if attempt else None
        times = {
            "upgraded": self.standing.upgraded_at,
            "started": attempt.started if attempt else None,
            "finished": attempt.finished if attempt else None,
            "switched": attempt.switched if attempt else None,
            "verified": checked.at if checked and self.state is State.VERIFIED else None,
        }
        return {
            "site": self.site.id,
            "name": self.site.name,
            "wave": self.site.wave,
            "window": f"{self.site.window.start:%H:%M}–{self.site.window.end:%H:%M}",
            "state": self.state.value,
            "verdict": self.verdict.value if self.verdict else None,
            "outcome": self.outcome.value if self.outcome else None,
            "owes": [owed.code for owed in self.owes],
            "warned": [warned.code for warned in self.warnings],
            "owes_since": {
                # What is not owed while a host is off, or waived, is carried on with the rest.
                **{code: format_time(at) for code, at in sorted(self.begun.items())},
                **{owed.code: owed.since.to_text() for owed in self.owes},
            },
            **{name: format_time(moment) if moment else None for name, moment in times.items()},
            "counts": _counts(self.standing, attempt),
            "move_date": self.site.move_date.isoformat() if self.site.move_date else None,
            "clients": told_clients(self.clients),
            "failed": self.failed.value if self.failed else None,
            "needs_us": self.needs_us,
            "why": self.why(attempt),
        }

    def why(self, attempt: Attempt | None) -> str:
        """In one line, why the site is where it is; empty when all goes as planned."""
        if attempt and self.outcome is Outcome.UNCERTAIN:
            without = (
                [] if attempt.moves(self.site.id) else [f"its server was moved for {', '.join(attempt.sites)} only"]
            )
            differing = filter(None, [_told(self.differences, self.failing)])
            return "; ".join([*without, *differing, *(reason.text for reason in self.reasons)])
        if attempt and self.outcome in (Outcome.FAILED, Outcome.ROLLED_BACK):
            stops = [reason.text for reason in self.reasons if reason.code in STOPS]
            return "; ".join([_why_undone(self.standing, attempt), *stops])
        last = self.standing.last_step
        upgrade = self.standing.ledger.upgrade if self.standing.ledger else None
        if upgrade and (upgrade.is_incident or upgrade.state == "restart") and (last is None or last.ok):
            return f"upgrade: {upgrade.reason}"
        # What has only to be asked again is no reason any more once something stands against asking.
        if last and (not last.ok or (last.detail and not self.reasons)):
            return f"{last.step}: {last.detail}"
        if last and not self.reasons:
            users = sorted(self.standing.users.items())
            busy = [host for host, met in users if met.active and met.run_id == last.run_id]
            if busy:
                return f"Interactor is in use on {', '.join(busy)}"
        told = [reason.text for reason in self.reasons or self.ahead]
        if not self.site.leads:
            told.insert(0, f"moves with {self.site.leader}{'' if self.led_here else ', which is not in this run'}")
        return "; ".join(told)


def _counts(standing: Standing, attempt: Attempt | None) -> dict[str, str]:
    """Per category `moved/expected`; empty before the cloud has been asked."""
    if attempt is None or attempt.before is None:
        return {}
    reconciliation = standing.reconciled.get(str(attempt.number))
    return dict(reconciliation.counts) if reconciliation else {}


def _failing(standing: Standing, attempt: Attempt | None) -> tuple[CheckResult, ...]:
    checked = standing.checked.get(str(attempt.number)) if attempt else None
    return tuple(check for check in (checked.checks if checked else ()) if check.blocks)


def _differences(standing: Standing, attempt: Attempt | None) -> tuple[Difference, ...]:
    reconciliation = standing.reconciled.get(str(attempt.number)) if attempt else None
    return reconciliation.differences if reconciliation else ()


def _told(differences: Iterable[Difference], failing: Iterable[CheckResult] = ()) -> str:
    return "; ".join([*(each.told for each in differences), *(check.told for check in failing)])


def _why_undone(standing: Standing, attempt: Attempt) -> str:
    asked = standing.rollback_asked.get(str(attempt.number))
    why = f"rolled back: {asked.reason}" if asked else attempt.message or _told(_differences(standing, attempt))
    left = f"; not as it was before: {', '.join(attempt.not_as_before)}" if attempt.not_as_before else ""
    return (why or "not switched in its window") + left


def _point_of_no_return(situation: Situation) -> dict[str, Any] | None:
    """What is known to have been made in the cloud since the switch; None before the cloud was asked."""
    made = situation.made_in_cloud
    if made is None:
        return None
    passed = True if made.things else False if made.known else None
    return {"passed": passed, "made": [dict(thing) for thing in made.things]}


def _outcome(situation: Situation) -> Outcome | None:
    """How the move ended; None while it is under way or waits for the morning's check."""
    standing, attempt = situation.standing, situation.attempt
    if attempt is None:
        return Outcome.MOVED_OUTSIDE if situation.is_moved_outside else Outcome.NOT_STARTED
    if attempt.state is AttemptState.ROLLED_BACK:
        return Outcome.ROLLED_BACK
    if attempt.state is AttemptState.FAILED:
        return Outcome.FAILED
    if attempt.state is not AttemptState.SWITCHED:
        return None
    reconciliation = standing.reconciled.get(str(attempt.number))
    if reconciliation is None or not reconciliation.equal or _failing(standing, attempt):
        return Outcome.UNCERTAIN
    if not attempt.moves(situation.site.id):
        return Outcome.UNCERTAIN
    return Outcome.VERIFIED if situation.is_checked else None


def _state(situation: Situation, outcome: Outcome | None) -> State:
    attempt = situation.attempt
    if outcome is Outcome.VERIFIED:
        return State.VERIFIED
    if attempt and attempt.state is AttemptState.SWITCHED:
        return State.MOVED
    if attempt and attempt.state.is_open:
        return State.MOVING
    if situation.is_upgraded:
        return State.UPGRADED
    return register_state(situation.site, situation.now.astimezone(OSLO).date())


def _attempt(situation: Situation, step: Step | None) -> dict[str, Any] | None:
    """Number, key and sites of the attempt that the step belongs to; a new one is numbered one higher than the last.

    `until` is when its window ends: nobody follows a migration for longer, and it is undone then.
    """
    last, group, opening = situation.attempt, list(situation.site.group), situation.move_opening
    until = format_time(opening.end) if opening else None
    if step is Step.MANIFEST:
        number = last.number + 1 if last else 1
        return {
            "number": number,
            "key": f"{situation.site.id}-{number}-{situation.run_id}",
            "sites": group,
            "until": until,
        }
    if last is None:
        return None
    day = last.day.isoformat() if last.day else None
    told = {"number": last.number, "key": last.key, "before": last.before, "sites": list(last.sites) or group}
    made = situation.made_in_cloud
    # What may be lost with the copy in the cloud, and no more.
    lost = {"made": made.count} if step is Step.DISCARD and made and made.known else {}
    return {**told, **lost, "day": day, "history_months": last.history_months, "until": until}


def _lease(situation: Situation, step: Step | None) -> dict[str, Any] | None:
    """What people in Interactor are told by a step that meets them, and whether it is closed for them (M2)."""
    limit = situation.lease_limit
    if step not in (Step.LEASE, Step.USERS) or limit is None:
        return None
    close = situation.may_close
    kind = "closing" if close else "closes" if situation.site.close_agreed else "waits"
    values = {
        "minutes": int(situation.settings.move_takes.total_seconds()) // 60,
        "until": f"{limit.astimezone(OSLO):%H.%M}",
    }
    return {"warning": WARNINGS[kind][situation.site.language].format_map(values), "close": close}


def decide(situation: Situation, force: Collection[Phase] = (), neighbours: Sequence[Situation] = ()) -> Decision:
    """Decide for one site; pure, so that the same events give the same answer anywhere.

    `neighbours` are the situations of the other sites on its server that are in this run.
    """
    site, standing, attempt = situation.site, situation.standing, situation.attempt
    verdict, findings = situation.verdict, situation.findings
    answer = may(situation, force=force, neighbours=neighbours)
    outcome = _outcome(situation)
    moved = attempt is not None and attempt.state is AttemptState.SWITCHED
    begun = failing_since(site, standing.measurements, standing.owes_since, situation.now, situation.settings.validity)
    return Decision(
        site=site,
        standing=standing,
        state=_state(situation, outcome),
        verdict=verdict.verdict if verdict else None,
        outcome=outcome,
        next=answer.next,
        allowed=answer.allowed,
        attempt=_attempt(situation, answer.next.step),
        reasons=answer.reasons,
        ahead=answer.ahead,
        owes=() if moved else tuple(owes(site, findings, begun, situation.now)),
        begun=begun,
        rolled_back=situation.is_rolled_back,
        point_of_no_return=_point_of_no_return(situation),
        needs_us=_needs_us(situation, verdict, outcome) or any(r.code in STOPS for r in answer.reasons),
        failed=failure_of(situation, outcome, (reason.code for reason in (*answer.reasons, *answer.ahead))),
        led_here=site.leader in {member.id for member in situation.all_on_server},
        lease=_lease(situation, answer.next.step),
        clients=situation.clients,
        warnings=() if moved else tuple(warnings(site, findings)),
    )


def decide_each(situations: Sequence[Situation], force: Collection[Phase] = ()) -> dict[str, Decision]:
    """Decide for every site of a run: those of one server see each other, for they move together or not at all."""
    by_leader: dict[str, list[Situation]] = {}
    known = on_servers(situations)
    for situation in known:
        by_leader.setdefault(situation.site.leader, []).append(situation)
    return {
        one.site.id: decide(one, force, [other for other in by_leader[one.site.leader] if other is not one])
        for one in known
    }


def on_servers(situations: Iterable[Situation]) -> list[Situation]:
    """The situations of a run, each with the sites of its server that are in the run."""
    given = list(situations)
    members: dict[str, tuple[Site, ...]] = {}
    for one in sorted(given, key=lambda one: one.site.id):
        members[one.site.leader] = (*members.get(one.site.leader, ()), one.site)
    return [replace(one, members=members[one.site.leader]) for one in given]


def _needs_us(situation: Situation, verdict: SiteVerdict | None, outcome: Outcome | None) -> bool:
    """Whether one of us has to look (exit code 2): uncertain, failed, undone, an error, no server inside its window."""
    last = situation.standing.last_step
    if outcome in (Outcome.UNCERTAIN, Outcome.FAILED, Outcome.ROLLED_BACK):
        return True
    if situation.standing.ledger_error or (last and not last.ok):
        return True
    if outcome is Outcome.VERIFIED:
        return False
    if situation.upgrade_failed or (situation.upgrade is not None and situation.upgrade.is_incident):
        return True
    if verdict is None:
        return False
    return verdict.verdict is Verdict.ERROR or (verdict.verdict is Verdict.UNREACHABLE and situation.in_window)
