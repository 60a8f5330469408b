# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site_gate does: sites and journal in, one decision per site out; its module and its action plugin call it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from ._clock import ClockError
from ._clock import now as clock_now
from ._domain import budget, durations
from ._domain.budget import Budget
from ._domain.calendar import Calendar
from ._domain.contract import contract_problems
from ._domain.decision import Decision, decide_each
from ._domain.delta import delta, last_whole_run
from ._domain.durations import Expected
from ._domain.events import Event, read_events
from ._domain.pace import PACED, Taken, take
from ._domain.site import Site
from ._domain.standing import standings
from ._domain.step import Settings, Situation
from ._domain.times import format_time
from ._domain.verdict import Validity
from ._domain.words import STEPS, Category, EventKind, Phase, Step
from ._holidays import MissingPackageError, norwegian_calendar
from ._journal import Journal, JournalError, new_run_id

VALID: Mapping[str, tuple[int, int]] = {
    "server_valid_hours": (24, 1),
    "client_valid_days": (14, 1),
    "self_checked_valid_days": (30, 1),
    "confirmed_valid_days": (90, 0),
}
"""How long a result counts, and at least: without the office's word a house can do, without the others it cannot."""

ARGUMENT_SPEC: dict[str, Any] = {
    "sites": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "interactor_site": {"type": "dict", "required": True},
            "interactor_wave": {"type": "dict"},
            "interactor_vendor": {"type": "dict"},
            "interactor_health_trust": {"type": "dict"},
            "interactor_waivers": {"type": "list", "elements": "dict"},
        },
    },
    "calendar": {"type": "dict"},
    "contract": {"type": "dict", "required": True},
    "journal": {"type": "str", "required": True, "no_log": True},
    "clock_url": {"type": "str"},
    "run_id": {"type": "str"},
    "record": {"type": "list", "elements": "dict", "default": []},
    "waves": {"type": "dict", "default": {}},
    "phases": {
        "type": "list",
        "elements": "str",
        "choices": [phase.value for phase in PACED],
        "default": [phase.value for phase in PACED],
    },
    "taken": {
        "type": "dict",
        "options": {"phase": {"type": "str", "required": True}, "step": {"type": "str", "required": True}},
    },
    "expected": {"type": "dict"},
    "compare": {"type": "bool", "default": False},
    "force": {"type": "list", "elements": "str", "choices": ["preflight", "postcheck"], "default": []},
    "settings": {
        "type": "dict",
        "default": {},
        "apply_defaults": True,
        "options": {
            "upgrade_minutes": {"type": "int"},
            "move_minutes": {"type": "int"},
            "retry_minutes": {"type": "int", "default": 15},
            "lease_wait_minutes": {"type": "int", "default": 240},
            **{name: {"type": "int", "default": default} for name, (default, _least) in VALID.items()},
            "switch_tolerates": {
                "type": "list",
                "elements": "str",
                "choices": [category.value for category in Category],
                "default": ["favourite_packages"],
            },
            "failure_budget": {"type": "dict", "default": {}},
        },
    },
}

UPGRADE_MINUTES = 30
"""The estimate of an upgrade; that of a move is the vendor contract's."""


class GateError(Exception):
    """The gate could not answer; the text is for the person who started the run."""


def described_modes(contract: Mapping[str, Any]) -> frozenset[str]:
    """The modes of which the vendor's contract says something (M5)."""
    return frozenset(mode for mode, words in contract["config"]["modes"].items() if words)


def expected_from(params: dict[str, Any], ledgers: Iterable[Event]) -> dict[str, Expected]:
    """How long an `upgrade` and a `move` are expected to take, by the settings, the `ledgers` or the estimates."""
    chosen, known = params["settings"], list(ledgers)
    return {
        "upgrade": durations.expected(
            durations.upgrades(known), setting=chosen["upgrade_minutes"], estimate=UPGRADE_MINUTES
        ),
        "move": durations.expected(
            durations.moves(known),
            setting=chosen["move_minutes"],
            estimate=params["contract"]["migration"]["expected_minutes"],
        ),
    }


def settings_from(params: dict[str, Any], expected: Mapping[str, Expected]) -> Settings:
    """What the contract, the operator's settings and what is `expected` say."""
    contract, chosen = params["contract"], params["settings"]
    return Settings(
        target_version=contract["installer"]["version"],
        described_modes=described_modes(contract),
        moves_several="{sites}" in contract["migration"].get("arguments", ""),
        retry=timedelta(minutes=chosen["retry_minutes"]),
        upgrade_takes=expected["upgrade"].takes,
        lease_wait=timedelta(minutes=chosen["lease_wait_minutes"]),
        move_takes=expected["move"].takes,
        switch_tolerates=frozenset(Category(word) for word in chosen["switch_tolerates"]),
        validity=validity_from(chosen),
    )


def validity_from(chosen: Mapping[str, Any]) -> Validity:
    """How long results count, by the operator's settings; ValueError for one that is too small."""
    lasts = {name: chosen.get(name, default) for name, (default, _least) in VALID.items()}
    for name, (_default, least) in VALID.items():
        if lasts[name] < least:
            raise ValueError(f"settings.{name}: is {lasts[name]}; allowed is a whole number from {least} up")
    return Validity(
        server=timedelta(hours=lasts["server_valid_hours"]),
        client=timedelta(days=lasts["client_valid_days"]),
        self_checked=timedelta(days=lasts["self_checked_valid_days"]),
        confirmed=timedelta(days=lasts["confirmed_valid_days"]),
    )


def calendar_for(params: dict[str, Any], sites: Iterable[Site], now: datetime) -> Calendar:
    """The working days of all years that a decision about `sites` at `now` may ask for."""
    years = {now.year - 1, now.year, now.year + 1} | {site.move_date.year for site in sites if site.move_date}
    half_days_off = (params["calendar"] or {}).get("half_days_off")
    return norwegian_calendar(range(min(years), max(years) + 2), half_days_off)


def decide_all(
    params: dict[str, Any],
    sites: Sequence[Site],
    journal: Journal,
    now: datetime,
    run_id: str = "",
    unrecorded: Sequence[Event] = (),
) -> dict[str, Decision]:
    """The decision for each of `sites` by its id, as the journal has it; nothing is recorded.

    By default it is outside of any run: no run has the empty name, so nothing is taken for read by this one. What is
    `unrecorded`, for the run is a dry one or has not come to it yet, counts as well.
    """
    calendar, settings = calendar_for(params, sites, now), settings_from(params, _expected(params, journal))
    gate = _Gate(sites, calendar, settings, now, run_id, {**params, "force": []})
    return gate.decide([*journal.latest(gate.ids), *unrecorded])


def _expected(params: dict[str, Any], journal: Journal) -> dict[str, Expected]:
    """What the run reckoned with at its first answer, for that stays the same to its end; before it by the ledgers."""
    told = params.get("expected")
    if told is None:
        return expected_from(params, journal.ledgers())
    return {name: Expected.from_dict(one) for name, one in told.items()}


def due_hosts(decisions: Iterable[Decision]) -> dict[str, dict[str, list[str]]]:
    """The hosts on which a step is due and allowed now, by phase and step; every phase and step has its list."""
    due: dict[str, dict[str, list[str]]] = {p.value: {step.value: [] for step in steps} for p, steps in STEPS.items()}
    for decision in decisions:
        if decision.allowed and decision.next.phase and decision.next.step:
            due[decision.next.phase.value][decision.next.step.value] += decision.next.hosts
    return due


def answer(params: dict[str, Any], *, check_mode: bool) -> dict[str, Any]:
    """Record what `params` bring, decide for every site, and give the result (docs/contracts.md, The gate's answer).

    Raises GateError when the clock, the journal, a package or the input is at fault.
    """
    try:
        return _answer(params, check_mode)
    except (ClockError, JournalError, MissingPackageError, KeyError, ValueError) as exc:
        raise GateError(f"site_gate: {type(exc).__name__}: {exc}") from exc


def _answer(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    if problems := contract_problems(params["contract"]):
        raise GateError("\n".join(["site_gate: what is assumed of the vendor's programs cannot be right:", *problems]))
    now = clock_now(params["clock_url"])
    run_id = params["run_id"] or new_run_id(now)
    new = [replace(event, run_id=run_id) for event in read_events(params["record"], now)]
    journal = Journal(params["journal"])
    if not check_mode:
        journal.record(run_id, now, new)
    expected = _expected(params, journal)
    sites = [Site.from_vars(variables) for variables in params["sites"]]
    gate = _Gate(sites, calendar_for(params, sites, now), settings_from(params, expected), now, run_id, params)
    unrecorded = new if check_mode else []
    events = journal.latest(gate.ids) + unrecorded
    decisions = gate.decide(events)
    while halts := gate.halts(journal, decisions, events, check_mode=check_mode):
        # Whoever else found the same at this moment may have recorded it first; in check mode it only counts.
        if not check_mode:
            journal.record(run_id, now, halts)
        events = journal.latest(gate.ids) + unrecorded + (halts if check_mode else [])
        decisions = gate.decide(events)
    return {
        "changed": False,
        "run_id": run_id,
        "now": format_time(now),
        "sites": {site: {**decision.to_dict(), "take": gate.take(decision)} for site, decision in decisions.items()},
        "due": due_hosts(decisions.values()),
        "servers": [decision.next.hosts[0] for decision in decisions.values() if gate.take(decision)],
        "new_rows": _new_rows(decisions, events),
        "needs_us": any(decision.needs_us for decision in decisions.values()),
        "as_of": format_time(max(event.at for event in events)) if events else None,
        "expected": {name: one.to_dict() for name, one in expected.items()},
        "unrecorded": [event.to_dict() for event in unrecorded],
        "delta": _delta(journal, run_id, sites, decisions) if params.get("compare") else None,
    }


def _delta(
    journal: Journal, run_id: str, sites: Sequence[Site], decisions: Mapping[str, Decision]
) -> dict[str, Any] | None:
    """What has changed since the last whole preflight of `sites`; None before the first."""
    asked = journal.asked([site.server_host for site in sites])
    run = last_whole_run(asked, decisions.keys(), run_id)
    if run is None:
        return None
    return delta(run, journal.rows(decisions.keys(), until=run.run_id), [one.row() for one in decisions.values()])


def _new_rows(decisions: Mapping[str, Decision], events: Iterable[Event]) -> list[dict[str, Any]]:
    recorded = {event.key for event in events if event.kind is EventKind.ROW}
    rows = [decision.row_event() for decision in decisions.values()]
    return [row for row in rows if row["key"] not in recorded]


@dataclass(frozen=True)
class _Gate:
    """The question that one call asks, of whatever events the journal has."""

    sites: Sequence[Site]
    calendar: Calendar
    settings: Settings
    now: datetime
    run_id: str
    params: Mapping[str, Any]

    @cached_property
    def ids(self) -> frozenset[str]:
        """The sites that this call reads of: its own, and those on their servers, for what was done there is told of
        the one that leads."""
        return frozenset(member for site in self.sites for member in site.group)

    @cached_property
    def waves(self) -> dict[int, Collection[str]]:
        """All sites of the waves that this call is about, those of other calls too."""
        given = {int(number): frozenset(map(str, sites)) for number, sites in self.params["waves"].items()}
        mine: dict[int, set[str]] = {}
        for site in self.sites:
            if site.wave is not None:
                mine.setdefault(site.wave, set()).add(site.id)
        return {wave: sites | given.get(wave, frozenset()) for wave, sites in mine.items()}

    def decide(self, events: Sequence[Event]) -> dict[str, Decision]:
        """One decision per site."""
        force = [Phase(word) for word in self.params["force"]]
        standing = standings(self.sites, events)
        situations = [
            Situation(site, standing[site.id], self.calendar, self.settings, self.now, self.run_id)
            for site in self.sites
        ]
        return decide_each(situations, force)

    def take(self, decision: Decision) -> dict[str, str] | None:
        """The step that the run takes next for the site."""
        last = self.params["taken"]
        taken: Taken | None = (Phase(last["phase"]), Step(last["step"])) if last else None
        following = take(decision, [Phase(word) for word in self.params["phases"]], taken)
        return {"phase": following[0].value, "step": following[1].value} if following else None

    def halts(
        self, journal: Journal, decisions: Mapping[str, Decision], events: Sequence[Event], *, check_mode: bool
    ) -> list[Event]:
        """The halts of waves in which more sites have failed than may.

        First it is on record which sites of this call have failed: of two calls at once the later one sees both.
        """
        if not check_mode:
            journal.record(self.run_id, self.now, read_events(_told_anew(decisions, events), self.now))
        allowed = Budget.from_dict(self.params["settings"]["failure_budget"])
        others = {site for sites in self.waves.values() for site in sites} - set(decisions)
        rows = {row["site"]: row for row in journal.rows(others)}
        rows |= {site: decision.row() for site, decision in decisions.items()}
        found = []
        for wave, sites in self.waves.items():
            failed = {one for site in sites if site in rows and (one := budget.failed_of(rows[site]))}
            wave_events = (event for event in events if event.site is None)
            if halt := budget.halt_of(wave, len(sites), failed, wave_events, allowed):
                found.append(halt)
        return read_events(found, self.now)


def _told_anew(decisions: Mapping[str, Decision], events: Iterable[Event]) -> list[dict[str, Any]]:
    """The rows of sites that have failed, or have not any more, since their last row."""
    told = {event.site: budget.failed_of(event.data) for event in events if event.kind is EventKind.ROW}
    return [
        decision.row_event()
        for site, decision in decisions.items()
        if budget.failed_of(decision.row()) != told.get(site)
    ]
