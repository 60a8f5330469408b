#!/usr/bin/python
# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adapter: a person's word on a wave in, an event in the journal out."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_release
short_description: Put on record who releases, halts or resumes a wave, and why
description:
  - Checks what was said, everything at once, and records it in the journal.
    M(helsevest.interactor.site_gate) obeys it at its next question.
  - What stands on record already is not recorded again. To resume what is not halted is no error and no change.
  - Runs on the controller and contacts no host.
options:
  kind:
    description: What is wanted.
    type: str
    choices: [released, halted, resumed]
    required: true
  wave:
    description: The wave's number; with V(halted) and V(resumed) also V(all). Required.
    type: str
  name:
    description: Who says so. Required, and not blank.
    type: str
  reason:
    description: Why. Required, and not blank.
    type: str
  until:
    description:
      - Until when a release holds, and required for one. A bare date is the end of that day in Norway; a moment names
        its offset. What has passed is refused.
      - Not allowed with V(halted) and V(resumed).
    type: str
  waves:
    description: The numbers of the register's waves.
    type: list
    elements: str
    required: true
  dates:
    description: The move dates of the wave's sites, so that a release that lets nothing move can say so.
    type: list
    elements: str
    default: []
  journal:
    description: URL of the journal, as SQLAlchemy reads it.
    type: str
    required: true
  clock_url:
    description: The simulator's clock; only in a simulated inventory.
    type: str
attributes:
  check_mode:
    support: full
    description: Everything is checked and told, and nothing is recorded.
author:
  - The Interactor move project (@helsevest)
"""

EXAMPLES = r"""
- name: Halt every wave
  helsevest.interactor.site_release:
    kind: halted
    wave: all
    name: Kari Nordmann
    reason: the vendor asks for a pause
    waves: ["1", "2"]
    journal: "{{ interactor_journal }}"
  delegate_to: localhost
"""

RETURN = r"""
event:
  description: The event that was recorded, see docs/contracts.md (Journal); null where there was nothing to record.
  returned: success
  type: dict
told:
  description: What stands on record now, and what else one should know of it, a line each.
  returned: success
  type: list
  elements: str
  sample: ["wave 1 is released until 2027-05-22 00:00 in Norway by Kari Nordmann: all have answered"]
"""

from datetime import date
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._clock import ClockError, now
from ..module_utils._domain.release import KINDS, Judged, judge, read_wish
from ..module_utils._domain.words import EventKind
from ..module_utils._journal import Journal, JournalError, new_run_id

ARGUMENT_SPEC: dict[str, Any] = {
    "kind": {"type": "str", "choices": [kind.value for kind in KINDS], "required": True},
    "wave": {"type": "str"},
    "name": {"type": "str"},
    "reason": {"type": "str"},
    "until": {"type": "str"},
    "waves": {"type": "list", "elements": "str", "required": True},
    "dates": {"type": "list", "elements": "str", "default": []},
    "journal": {"type": "str", "required": True, "no_log": True},
    "clock_url": {"type": "str"},
}


def run(params: dict[str, Any], check_mode: bool) -> Judged:
    """Judge and record; ClockError, JournalError or ValueError if it cannot be done."""
    at = now(params["clock_url"])
    wish = read_wish(EventKind(params["kind"]), params, params["waves"], at)
    journal = Journal(params["journal"])
    dates = [date.fromisoformat(day) for day in params["dates"]]
    judged = judge(wish, journal.events(sites=[], kinds=KINDS), dates, at)
    if judged.event and not check_mode:
        journal.record(new_run_id(at), at, [judged.event])
    return judged


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        judged = run(module.params, module.check_mode)
    except (ClockError, JournalError, ValueError) as exc:
        module.fail_json(msg=str(exc))
    event = judged.event.to_dict() if judged.event else None
    dry = ["a dry run: nothing is put on record. Else:"] if module.check_mode and event else []
    module.exit_json(changed=event is not None, event=event, told=[*dry, *judged.told, *judged.besides])


if __name__ == "__main__":
    main()
