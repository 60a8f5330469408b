#!/usr/bin/python
# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adapter: events into the journal, and out of it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_journal
short_description: Record events in the journal, or read them
description:
  - Records what happened to sites, all of the given events or none of them. Everything else is derived from them.
  - An event whose key is in the journal already is not recorded again.
  - Runs on the controller and contacts no host. In check mode it says what it would record.
options:
  journal:
    description:
      - URL of the journal, as SQLAlchemy reads it, for example C(sqlite:////var/lib/interactor/journal.db).
      - An SQLite file and its folders are created by the first event, readable by their owner only.
    type: str
    required: true
  state:
    description:
      - With V(present) the O(events) are recorded.
      - With V(read) the events of O(kinds) and O(sites) are given back. A journal that is not there has none.
    type: str
    choices: [present, read]
    default: present
  run_id:
    description: Identity of the run that the events belong to. Made up when it is not given.
    type: str
  clock_url:
    description: The simulator's clock; only in a simulated inventory.
    type: str
  events:
    description: The events, in the order in which they happened. Required with O(state=present).
    type: list
    elements: dict
    suboptions:
      site:
        description: Id of the site; absent for what belongs to a wave.
        type: str
      host:
        description: Name of the host in the inventory.
        type: str
      kind:
        description:
          - What kind of event it is.
          - V(measured), V(ledger), V(step), V(reconciled), V(discarded), V(checked), V(rollback_asked),
            V(signatory_noted), V(signatory_removed) and V(row) belong to a site; V(released), V(halted) and V(resumed)
            to a wave.
        type: str
        required: true
      subject:
        description: The step, attempt or wave that it is about.
        type: str
      key:
        description: What makes the event unique; an event without one is recorded each time.
        type: str
      data:
        description: What the kind tells, see docs/contracts.md (Journal).
        type: dict
        default: {}
  sites:
    description: With O(state=read), only events of these sites and of waves.
    type: list
    elements: str
  kinds:
    description: With O(state=read), only events of these kinds.
    type: list
    elements: str
    choices:
      - measured
      - ledger
      - step
      - reconciled
      - discarded
      - checked
      - rollback_asked
      - released
      - halted
      - resumed
      - signatory_noted
      - signatory_removed
      - row
attributes:
  check_mode:
    support: full
    description: Nothing is created or recorded; RV(changed) and RV(recorded) are as they would be.
author:
  - The Interactor move project (@helsevest)
"""

EXAMPLES = r"""
- name: Let a wave go
  helsevest.interactor.site_journal:
    journal: "{{ interactor_journal }}"
    events:
      - kind: released
        subject: "1"
        key: released/1/2027-05-19T04:00:00Z
        data: {name: Kari Nordmann, reason: All have answered, until: "2027-05-19T04:00:00Z"}
  delegate_to: localhost

- name: Read all that is known of one site
  helsevest.interactor.site_journal:
    journal: "{{ interactor_journal }}"
    state: read
    sites: ["1001"]
  delegate_to: localhost
"""

RETURN = r"""
run_id:
  description: Identity of the run that the events were recorded for.
  returned: with O(state=present)
  type: str
at:
  description: The moment that they were recorded for.
  returned: with O(state=present)
  type: str
recorded:
  description: For each of O(events), whether it was recorded; false where its key was there already.
  returned: with O(state=present)
  type: list
  elements: bool
events:
  description: The events as they were given, with C(id), C(run_id) and C(at) besides, in the order of recording.
  returned: with O(state=read)
  type: list
  elements: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._clock import ClockError, now
from ..module_utils._domain.events import read_events
from ..module_utils._domain.times import format_time
from ..module_utils._domain.words import EventKind
from ..module_utils._journal import Journal, JournalError, new_run_id

ARGUMENT_SPEC: dict[str, Any] = {
    "journal": {"type": "str", "required": True, "no_log": True},
    "state": {"type": "str", "choices": ["present", "read"], "default": "present"},
    "run_id": {"type": "str"},
    "clock_url": {"type": "str"},
    "events": {
        "type": "list",
        "elements": "dict",
        "options": {
            "site": {"type": "str"},
            "host": {"type": "str"},
            "kind": {"type": "str", "required": True},
            "subject": {"type": "str"},
            "key": {"type": "str", "no_log": False},
            "data": {"type": "dict", "default": {}},
        },
    },
    "sites": {"type": "list", "elements": "str"},
    "kinds": {"type": "list", "elements": "str", "choices": [kind.value for kind in EventKind]},
}


def run(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Do what the options say; ClockError, JournalError or ValueError if it cannot be done."""
    journal = Journal(params["journal"])
    if params["state"] == "read":
        kinds = None if params["kinds"] is None else [EventKind(kind) for kind in params["kinds"]]
        return {"changed": False, "events": [event.to_dict() for event in journal.events(params["sites"], kinds)]}
    if params["events"] is None:
        raise ValueError("events is null, and a list of events is wanted")
    at = now(params["clock_url"])
    run_id = params["run_id"] or new_run_id(at)
    events = read_events(params["events"], at)
    recorded = journal.unrecorded(events) if check_mode else journal.record(run_id, at, events)
    return {"changed": any(recorded), "recorded": recorded, "run_id": run_id, "at": format_time(at)}


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC, required_if=[("state", "present", ["events"])], supports_check_mode=True
    )
    try:
        result = run(module.params, module.check_mode)
    except (ClockError, JournalError, ValueError) as exc:
        module.fail_json(msg=f"site_journal: {exc}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
