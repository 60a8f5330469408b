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
  - Reads the journal, derives where each site stands, finds the next step in the one order of steps,
    and asks every rule of the gate.
  - Runs on the controller and contacts no host. Changes nothing but the journal, for O(record), for the rows of sites
    that have failed since the last question, and where more sites of a wave have failed than may, so that it halts.
options:
  run_id:
    description: Identity of this run. Made up when it is not given.
    type: str
  record:
    description:
      - Events to record before deciding, as M(helsevest.interactor.site_journal) takes them,
        so that a step and what follows from it are one call.
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
  waves:
    description:
      - The ids of all sites of each wave, by its number, so that its failure budget counts those of other runs too.
      - A wave that is not named has the sites of O(sites).
    type: dict
    default: {}
  phases:
    description: The phases that this run takes its sites through, in this order.
    type: list
    elements: str
    choices: [upgrade, migrate, rollback, postcheck]
    default: [upgrade, migrate, rollback, postcheck]
  taken:
    description: The step that this run took last for the site. It and those before it are not taken again.
    type: dict
    suboptions:
      phase:
        description: Its phase.
        type: str
        required: true
      step:
        description: The step.
        type: str
        required: true
  compare:
    description: Answer with RV(delta) as well.
    type: bool
    default: false
  expected:
    description: RV(expected) of this run's first answer, so that all its questions reckon with the same.
    type: dict
extends_documentation_fragment:
  - helsevest.interactor.decision
  - helsevest.interactor.sites
author:
  - The Interactor move project (@helsevest)
"""

EXAMPLES = r"""
- name: Ask the gate about every site of this run
  helsevest.interactor.site_gate:
    sites: "{{ hostvars | helsevest.interactor.site_vars(groups, ansible_play_hosts_all) }}"
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
servers:
  description: The servers on which this run takes a step now.
  returned: success
  type: list
  elements: str
expected:
  description: How long an C(upgrade) and a C(move) are expected to take, each with C(minutes), C(basis) and C(runs).
  returned: success
  type: dict
delta:
  description:
    - What has changed since the last whole preflight of these sites, see docs/contracts.md (The delta).
    - Null before the first, and without O(compare).
  returned: success
  type: dict
unrecorded:
  description: In check mode the events of O(record), for this run's next question; else none.
  returned: success
  type: list
  elements: dict
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

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.helsevest.interactor.plugins.module_utils._gate import ARGUMENT_SPEC, GateError, answer


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(**answer(module.params, check_mode=module.check_mode))
    except GateError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
