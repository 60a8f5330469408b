#!/usr/bin/python
# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adapter: sites and journal in, one decision per site out."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_gate
short_description: Decide for every site where it stands, what comes next and whether it may
description:
  - Reads the journal, derives where each site stands, finds the next step in the one order of steps, and asks every rule of the gate.
  - Runs on the controller and contacts no host. Changes nothing but the journal, and that only for O(record).
options:
  sites:
    description:
      - One dictionary per site with O(sites[].interactor_site), O(sites[].interactor_wave), O(sites[].interactor_vendor)
        and O(sites[].interactor_waivers), as the inventory plugin P(helsevest.interactor.sites#inventory) gives them.
      - The filter P(helsevest.interactor.site_vars#filter) makes this list.
    type: list
    elements: dict
    required: true
    suboptions:
      interactor_site:
        description: The site.
        type: dict
        required: true
      interactor_wave:
        description: Its wave.
        type: dict
      interactor_vendor:
        description: The vendor's windows and freezes.
        type: dict
      interactor_waivers:
        description: Checks that do not count for this site.
        type: list
        elements: dict
  contract:
    description: The vendor contract. The newest version and the described modes are read from it.
    type: dict
    required: true
  journal:
    description: URL of the journal, as SQLAlchemy reads it.
    type: str
    required: true
  clock_url:
    description: The simulator's clock; only in a simulated inventory.
    type: str
  run_id:
    description: Identity of this run. Made up when it is not given.
    type: str
  record:
    description:
      - Events to record before deciding, as M(helsevest.interactor.site_journal) takes them, so that a step and what follows from it are one call.
      - In check mode they count as recorded and are not.
    type: list
    elements: dict
    default: []
  force:
    description: Phases that a person asked for although they are not due.
    type: list
    elements: str
    choices: [preflight, postcheck]
    default: []
  settings:
    description: What operations may set.
    type: dict
    default: {}
    suboptions:
      upgrade_minutes:
        description: How long an upgrade is expected to take.
        type: int
        default: 30
      move_minutes:
        description: How long a move is expected to take; the contract's C(migration.expected_minutes) when not given.
        type: int
      retry_minutes:
        description: How soon a host that was not found ready is asked again inside its window.
        type: int
        default: 15
      switch_tolerates:
        description: Categories in which a difference does not keep a site from being switched; it is then C(uncertain).
        type: list
        elements: str
        choices: [orders, started_requisitions, favourite_packages]
        default: [favourite_packages]
extends_documentation_fragment: []
author:
  - The Interactor move project (@helsevest)
"""

EXAMPLES = r"""
- name: Ask the gate about every site of this run
  helsevest.interactor.site_gate:
    sites: "{{ hostvars | helsevest.interactor.site_vars(ansible_play_hosts_all) }}"
    contract: "{{ vendor_contract }}"
    journal: "{{ interactor_journal }}"
  run_once: true
  delegate_to: localhost
  register: answer
"""

RETURN = r"""
run_id:
  description: Identity of this run.
  returned: success
  type: str
now:
  description: The moment for which the decisions hold.
  returned: success
  type: str
sites:
  description: The decision for each site by its id, see docs/contracts.md (The gate's answer).
  returned: success
  type: dict
due:
  description: The hosts on which a step is due and allowed now, by phase and step.
  returned: success
  type: dict
new_rows:
  description: The rows that are not in the journal yet, as events.
  returned: success
  type: list
  elements: dict
needs_us:
  description: Whether one of us has to look (exit code 2 of a playbook).
  returned: success
  type: bool
as_of:
  description: Time of the newest event in the journal, or null before the first.
  returned: success
  type: str
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.helsevest.interactor.plugins.module_utils._clock import ClockError, now as clock_now
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.decision import Decision, decide
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import standings
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.step import Settings
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import format_time
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import STEPS, Category, EventKind, Phase
from ansible_collections.helsevest.interactor.plugins.module_utils._holidays import norwegian_calendar
from ansible_collections.helsevest.interactor.plugins.module_utils._journal import Journal, JournalError


def settings_from(params: dict[str, Any]) -> Settings:
    """What the contract and the operator's settings say."""
    contract, chosen = params["contract"], params["settings"]
    return Settings(
        target_version=contract["installer"]["version"],
        described_modes=frozenset(mode for mode, words in contract["config"]["modes"].items() if words),
        retry=timedelta(minutes=chosen["retry_minutes"]),
        upgrade_takes=timedelta(minutes=chosen["upgrade_minutes"]),
        move_takes=timedelta(minutes=chosen["move_minutes"] or contract["migration"]["expected_minutes"]),
        switch_tolerates=frozenset(Category(word) for word in chosen["switch_tolerates"]),
    )


def event_from(raw: dict[str, Any], now: datetime, run_id: str) -> Event:
    """An event of this moment and this run."""
    return Event(**{**raw, "kind": EventKind(raw["kind"])}, at=now, run_id=run_id)


def due_hosts(decisions: Iterable[Decision]) -> dict[str, dict[str, list[str]]]:
    """The hosts on which a step is due and allowed now, by phase and step; every phase and step has its list."""
    due: dict[str, dict[str, list[str]]] = {phase: {step: [] for step in steps} for phase, steps in STEPS.items()}
    for decision in decisions:
        if decision.allowed and decision.next.phase and decision.next.step:
            due[decision.next.phase][decision.next.step] += decision.next.hosts
    return due


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "sites": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "interactor_site": {"type": "dict", "required": True},
                    "interactor_wave": {"type": "dict"},
                    "interactor_vendor": {"type": "dict"},
                    "interactor_waivers": {"type": "list", "elements": "dict"},
                },
            },
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
                    "switch_tolerates": {
                        "type": "list",
                        "elements": "str",
                        "choices": [category.value for category in Category],
                        "default": ["favourite_packages"],
                    },
                },
            },
        },
        supports_check_mode=True,
    )
    try:
        now = clock_now(module.params["clock_url"])
        run_id = module.params["run_id"] or f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        sites = [Site.from_vars(variables) for variables in module.params["sites"]]
        new = [event_from(raw, now, run_id) for raw in module.params["record"]]
        journal = Journal(module.params["journal"])
        if not module.check_mode:
            journal.record(run_id, now, new)
        events = journal.latest([site.id for site in sites]) + (new if module.check_mode else [])
        settings = settings_from(module.params)
        years = {now.year - 1, now.year, now.year + 1} | {site.move_date.year for site in sites if site.move_date}
        calendar = norwegian_calendar(range(min(years), max(years) + 2))
        force = [Phase(word) for word in module.params["force"]]
        standing = standings(sites, events)
        decisions = {site.id: decide(site, standing[site.id], calendar, settings, now, run_id, force) for site in sites}
    except (ClockError, JournalError, KeyError, ValueError) as exc:
        module.fail_json(msg=f"site_gate: {type(exc).__name__}: {exc}")
    module.exit_json(
        run_id=run_id,
        now=format_time(now),
        sites={site: decision.to_dict() for site, decision in decisions.items()},
        due=due_hosts(decisions.values()),
        new_rows=[
            row
            for row in (decision.row_event() for decision in decisions.values())
            if row["key"] not in {event.key for event in events}
        ],
        needs_us=any(decision.needs_us for decision in decisions.values()),
        as_of=format_time(max(event.at for event in events)) if events else None,
    )


if __name__ == "__main__":
    main()
