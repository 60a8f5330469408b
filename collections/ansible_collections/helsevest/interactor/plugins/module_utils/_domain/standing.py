# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where each site stands, derived from the journal's events alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from .checks import CheckResult
from .events import SIGNATORY_KINDS, Event
from .families import with_parts
from .ledger import Ledger, LedgerError
from .reconcile import Reconciliation
from .results import apply_waivers
from .site import Site
from .times import parse_time
from .verdict import HostMeasurement
from .words import EventKind, Origin, Step


@dataclass(frozen=True)
class Release:
    """Who let a wave go, and until when it may."""

    name: str
    until: datetime


@dataclass(frozen=True)
class StepRecord:
    """The last step that was tried for a site; `cause` is why the host was not reached, None where it was."""

    step: Step
    at: datetime
    ok: bool
    detail: str
    run_id: str = ""
    cause: str | None = None

    def refused_in(self, run_id: str) -> bool:
        """Whether it failed in a run, and whoever was asked said so."""
        return not self.ok and self.cause is None and self.run_id == run_id


@dataclass(frozen=True)
class Users:
    """Whether Interactor was in use on a host when it was asked last; `reached` is false where it did not answer."""

    at: datetime
    run_id: str
    reached: bool
    active: bool


@dataclass(frozen=True)
class Override:
    """Who allowed an upgrade outside its evening, why, from when and until when."""

    name: str
    reason: str
    at: datetime
    until: datetime


@dataclass(frozen=True)
class RollbackAsked:
    """Who asked for a rollback and why, in which run; `loses` is what that person knows to be lost by it, past the
    point of no return: a count as text, `unknown`, or None."""

    name: str
    reason: str
    loses: str | None = None
    run_id: str = ""


@dataclass(frozen=True)
class Made:
    """What has been made in the cloud since the switch, as the cloud told in a run; not `known` where it did not.

    `things` are category, id and moment of each, as it told last.
    """

    run_id: str
    known: bool
    count: int
    things: tuple[Mapping[str, Any], ...] = ()

    @property
    def lost(self) -> str:
        """What a rollback would lose, in the word that has to be said: a count, or `unknown`."""
        return str(self.count) if self.known else "unknown"

    def is_accepted(self, asked: RollbackAsked | None) -> bool:
        """Whether a rollback loses nothing, or just what the person who asked for it said."""
        return self.lost == "0" or (asked is not None and asked.loses == self.lost)


@dataclass(frozen=True)
class Restored:
    """Whether a rolled back server is file by file as it was, and which files are not."""

    equal: bool
    changed: tuple[str, ...]


@dataclass(frozen=True)
class Checked:
    """What the check after a move found, and when."""

    at: datetime
    checks: tuple[CheckResult, ...]


@dataclass(frozen=True)
class Standing:
    """All that the journal remembers of one site.

    `as_of` is the time of the newest event of the site; `ledger_run` is the run that read the ledger last;
    `known_attempts` is the highest attempt that any run ever saw, `cloud_attempts` the highest that the cloud knew when
    `cloud_run` asked it, so that a ledger that has lost one is noticed; `users` is by host;
    `owes_since` is what the newest row told of runs of failed measurements.
    """

    as_of: datetime | None = None
    measurements: tuple[HostMeasurement, ...] = ()
    ledger: Ledger | None = None
    ledger_error: str | None = None
    ledger_run: str | None = None
    known_attempts: int = 0
    mode: str | None = None
    version: str | None = None
    upgraded_at: datetime | None = None
    last_step: StepRecord | None = None
    reconciled: Mapping[str, Reconciliation] = field(default_factory=dict)
    discarded: frozenset[str] = frozenset()
    switched: frozenset[str] = frozenset()
    checked: Mapping[str, Checked] = field(default_factory=dict)
    rollback_asked: Mapping[str, RollbackAsked] = field(default_factory=dict)
    made: Mapping[str, Made] = field(default_factory=dict)
    restored: Mapping[str, Restored] = field(default_factory=dict)
    cloud_run: str | None = None
    cloud_attempts: int = 0
    users: Mapping[str, Users] = field(default_factory=dict)
    override: Override | None = None
    release: Release | None = None
    halts: Mapping[str, str] = field(default_factory=dict)
    owes_since: Mapping[str, datetime] = field(default_factory=dict)


def standing_of(site: Site, events: Iterable[Event]) -> Standing:
    """Fold the events of one site, and those of its wave, in the order in which they were recorded.

    Of a site that moves with another on its server, that one's events tell what was done there (`tells`).
    Raises ValueError for an event whose data are not what its kind promises.
    """
    standing = Standing()
    # A host that is off or that we failed to judge must not hide what was measured while it answered, nor what the
    # office found out by itself; of its files the newest counts, whenever it was read.
    measured: dict[tuple[str, bool, Origin], HostMeasurement] = {}
    parts: dict[str, list[HostMeasurement]] = {}
    for event in events:
        if event.site is None:
            standing = _wave_event(standing, site, event)
            continue
        if event.kind in SIGNATORY_KINDS or not tells(event, site):
            continue
        if event.kind is EventKind.ROW:
            # A date there is the register's, which is read anew; rows of earlier versions have none of either.
            told = (event.data.get("owes_since") or {}).items()
            standing = replace(standing, owes_since={code: parse_time(at) for code, at in told if at and "T" in at})
            continue
        standing = replace(standing, as_of=event.at)
        if event.kind is EventKind.MEASURED:
            measurement = _measurement(event, site)
            known = measured.get(measurement.slot)
            if known is None or measurement.origin == Origin.MEASURED or measurement.at >= known.at:
                measured[measurement.slot] = measurement
            if measurement.is_judged and measurement.origin == Origin.MEASURED:
                parts[measurement.host] = []
            if measurement.role == "server" and measurement.reached:
                standing = replace(standing, version=event.data["version"], mode=event.data["mode"])
        elif event.kind is EventKind.PART_MEASURED:
            parts.setdefault(event.host or "", []).append(_measurement(event, site))
        else:
            standing = _site_event(standing, site, event)
    for host, found in parts.items():
        # Of a host that was never measured whole nothing is known, whatever a part says.
        whole = measured.get((host, True, Origin.MEASURED))
        if whole is not None:
            measured[whole.slot] = with_parts(whole, found)
    return replace(standing, measurements=tuple(sorted(measured.values(), key=lambda m: m.at)))


_OWN = frozenset({EventKind.MEASURED, EventKind.PART_MEASURED, EventKind.ROW})
_ASKED = frozenset({EventKind.ROLLBACK_ASKED, EventKind.UPGRADE_ALLOWED})


def tells(event: Event, site: Site) -> bool:
    """Whether an event tells something of `site`, which may share its server with others; one of a wave may.

    Measurements and rows are each site's own; what is asked for one on a server is asked for all; the rest is told of
    the site that leads.
    """
    if event.site is None:
        return True
    if event.kind in _OWN:
        return event.site == site.id
    if event.kind in _ASKED:
        return event.site in site.group
    return event.site == site.leader


def _measurement(event: Event, site: Site) -> HostMeasurement:
    data: Mapping[str, Any] = {"reached": True, "verdict": None, "cause": None, "detail": "", **event.data}
    return HostMeasurement(
        host=event.host or "",
        role="server" if event.host == site.server_host else "client",
        at=parse_time(data["made"]) if data["origin"] == Origin.SELF_CHECKED else event.at,
        origin=Origin(data["origin"]),
        reached=data["reached"],
        error=None if data["verdict"] != "error" else data["detail"] or "an error without a message",
        checks=tuple(CheckResult.from_dict(check) for check in data["checks"]),
        cause=data["cause"],
        detail=data["detail"] or "",
    )


def _site_event(standing: Standing, site: Site, event: Event) -> Standing:
    subject, data = event.subject or "", event.data
    match event.kind:
        case EventKind.LEDGER:
            return _ledger_event(standing, site, event)
        case EventKind.STEP:
            known = int(data["attempt"] or 0) if data["ok"] else 0
            if data["ok"] and subject == Step.SWITCH:
                standing = replace(standing, switched=standing.switched | {str(data["attempt"])})
            return replace(
                standing,
                last_step=StepRecord(
                    Step(subject), event.at, data["ok"], data["detail"] or "", event.run_id, data.get("cause")
                ),
                known_attempts=max(standing.known_attempts, known),
            )
        case EventKind.RECONCILED:
            return replace(standing, reconciled={**standing.reconciled, subject: Reconciliation.from_dict(data)})
        case EventKind.DISCARDED:
            return replace(standing, discarded=standing.discarded | {subject})
        case EventKind.CHECKED:
            # Judged for the site that leads: a waiver is of the site that has it alone.
            checks = apply_waivers((CheckResult.from_dict(check) for check in data["checks"]), site, event.at)
            checked = {**standing.checked, subject: Checked(event.at, tuple(checks))}
            return replace(standing, checked=checked, switched=standing.switched | {str(subject)})
        case EventKind.ROLLBACK_ASKED:
            asked = RollbackAsked(data["name"], data["reason"], data.get("loses"), event.run_id)
            return replace(standing, rollback_asked={**standing.rollback_asked, subject: asked})
        case EventKind.MADE:
            earlier = standing.made.get(subject or "")
            # A cloud that does not answer now has not lost what it told before.
            things = earlier.things if earlier and not data["known"] else tuple(data["made"])
            made = Made(event.run_id, data["known"], len(data["made"]), things)
            return replace(standing, made={**standing.made, subject: made})
        case EventKind.RESTORED:
            restored = Restored(data["equal"], tuple(data["changed"]))
            return replace(standing, restored={**standing.restored, subject: restored})
        case EventKind.CLOUD:
            highest = max((int(attempt["number"]) for attempt in data["attempts"]), default=0)
            # A start that arrived after its attempt was discarded has opened it again.
            alive = {str(attempt["number"]) for attempt in data["attempts"] if attempt["state"] != "discarded"}
            return replace(
                standing, cloud_run=event.run_id, cloud_attempts=highest, discarded=standing.discarded - alive
            )
        case EventKind.USERS:
            users = Users(event.at, event.run_id, data["reached"], data["active"])
            return replace(standing, users={**standing.users, event.host or "": users})
        case EventKind.UPGRADE_ALLOWED:
            override = Override(data["name"], data["reason"], event.at, parse_time(data["until"]))
            return replace(standing, override=override)
        case _:
            return standing


def _ledger_event(standing: Standing, site: Site, event: Event) -> Standing:
    data = event.data
    ledger, error = None, data["error"]
    if error is None and data["ledger"] is not None:
        try:
            ledger = Ledger.from_dict(data["ledger"], site.unit)
        except LedgerError as exc:
            error = str(exc)
    upgraded_at = ledger.upgrade.finished if ledger and ledger.upgrade and ledger.upgrade.state == "done" else None
    return replace(
        standing,
        ledger=ledger,
        ledger_error=error,
        ledger_run=event.run_id,
        known_attempts=max(standing.known_attempts, len(ledger.attempts) if ledger else 0),
        mode=data["mode"] if data["mode"] is not None else standing.mode,
        version=data["version"] if data["version"] is not None else standing.version,
        upgraded_at=upgraded_at or standing.upgraded_at,
    )


def _wave_event(standing: Standing, site: Site, event: Event) -> Standing:
    if event.subject not in (str(site.wave), "all"):
        return standing
    data: Mapping[str, Any] = event.data
    match event.kind:
        case EventKind.RELEASED:
            return replace(standing, release=Release(data["name"], parse_time(data["until"])))
        case EventKind.HALTED:
            return replace(standing, halts={**standing.halts, event.subject: f"{data['name']}: {data['reason']}"})
        case EventKind.RESUMED:
            return replace(
                standing, halts={scope: why for scope, why in standing.halts.items() if scope != event.subject}
            )
        case _:
            return standing


def standings(sites: Sequence[Site], events: Sequence[Event]) -> dict[str, Standing]:
    """Where each of `sites` stands; `events`, of all on their servers, in the order in which they were recorded."""
    leaders: dict[str | None, str] = {id: site.leader for site in sites for id in site.group}
    by_leader: dict[str | None, list[Event]] = {}
    for event in events:
        by_leader.setdefault(leaders.get(event.site), []).append(event)
    # Sites that nobody asked about are among those of no leader; they tell nothing of the others.
    waves = by_leader.get(None, [])
    return {site.id: standing_of(site, [*waves, *by_leader.get(site.leader, [])]) for site in sites}
