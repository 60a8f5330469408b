# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site_gate does: sites and journal in, one decision per site out; its module and its action plugin call it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ._clock import ClockError
from ._clock import now as clock_now
from ._domain.calendar import Calendar
from ._domain.contract import contract_problems
from ._domain.decision import Decision, decide
from ._domain.events import Event, read_events
from ._domain.site import Site
from ._domain.standing import standings
from ._domain.step import Settings, Situation
from ._domain.times import format_time
from ._domain.words import STEPS, Category, EventKind, Phase
from ._holidays import MissingPackageError, norwegian_calendar
from ._journal import Journal, JournalError, new_run_id

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
    "force": {"type": "list", "elements": "str", "choices": ["preflight", "postcheck"], "default": []},
    "settings": {
        "type": "dict",
        "default": {},
        "apply_defaults": True,
        "options": {
            "upgrade_minutes": {"type": "int", "default": 30},
            "move_minutes": {"type": "int"},
            "retry_minutes": {"type": "int", "default": 15},
            "lease_wait_minutes": {"type": "int", "default": 240},
            "switch_tolerates": {
                "type": "list",
                "elements": "str",
                "choices": [category.value for category in Category],
                "default": ["favourite_packages"],
            },
        },
    },
}


class GateError(Exception):
    """The gate could not answer; the text is for the person who started the run."""


def described_modes(contract: Mapping[str, Any]) -> frozenset[str]:
    """The modes of which the vendor's contract says something (M5)."""
    return frozenset(mode for mode, words in contract["config"]["modes"].items() if words)


def settings_from(params: dict[str, Any]) -> Settings:
    """What the contract and the operator's settings say."""
    contract, chosen = params["contract"], params["settings"]
    return Settings(
        target_version=contract["installer"]["version"],
        described_modes=described_modes(contract),
        retry=timedelta(minutes=chosen["retry_minutes"]),
        upgrade_takes=timedelta(minutes=chosen["upgrade_minutes"]),
        lease_wait=timedelta(minutes=chosen["lease_wait_minutes"]),
        move_takes=timedelta(minutes=chosen["move_minutes"] or contract["migration"]["expected_minutes"]),
        switch_tolerates=frozenset(Category(word) for word in chosen["switch_tolerates"]),
    )


def calendar_for(params: dict[str, Any], sites: Iterable[Site], now: datetime) -> Calendar:
    """The working days of all years that a decision about `sites` at `now` may ask for."""
    years = {now.year - 1, now.year, now.year + 1} | {site.move_date.year for site in sites if site.move_date}
    half_days_off = (params["calendar"] or {}).get("half_days_off")
    return norwegian_calendar(range(min(years), max(years) + 2), half_days_off)


def decide_all(
    params: dict[str, Any],
    sites: Sequence[Site],
    events: Sequence[Event],
    now: datetime,
    run_id: str,
    force: Sequence[Phase] = (),
) -> dict[str, Decision]:
    """The decision for each of `sites` by its id, from the contract, the settings and the journal's events."""
    settings, calendar = settings_from(params), calendar_for(params, sites, now)
    standing = standings(sites, events)
    return {
        site.id: decide(Situation(site, standing[site.id], calendar, settings, now, run_id), force) for site in sites
    }


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
    sites = [Site.from_vars(variables) for variables in params["sites"]]
    new = [replace(event, run_id=run_id) for event in read_events(params["record"], now)]
    journal = Journal(params["journal"])
    if not check_mode:
        journal.record(run_id, now, new)
    events = journal.latest([site.id for site in sites]) + (new if check_mode else [])
    force = [Phase(word) for word in params["force"]]
    decisions = decide_all(params, sites, events, now, run_id, force)
    recorded = {event.key for event in events if event.kind is EventKind.ROW}
    rows = [decision.row_event() for decision in decisions.values()]
    return {
        "changed": False,
        "run_id": run_id,
        "now": format_time(now),
        "sites": {site: decision.to_dict() for site, decision in decisions.items()},
        "due": due_hosts(decisions.values()),
        "new_rows": [row for row in rows if row["key"] not in recorded],
        "needs_us": any(decision.needs_us for decision in decisions.values()),
        "as_of": format_time(max(event.at for event in events)) if events else None,
    }
