#!/usr/bin/python
# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adapter: register and settings in, a plan of waves and dates out."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_plan
short_description: Propose wave and date for every site that has answered or will
description:
  - Gives as many sites as can be a night that their windows, closures, freezes, contact, shared server and wave allow,
    within what a night and the support team the morning after can bear, and tells for every other site why it has none.
  - Dates that are promised stay, unless O(settings) names them in C(replan). An earlier plan in O(previous) is changed
    as little as can be.
  - Runs on the controller, contacts no host and changes nothing. Needs the Python package C(ortools).
  - O(sites) are all sites of the register. Of those that are left out the moves would not count in the capacities.
  - See docs/plan.md for how it decides.
options:
  waves:
    description:
      - The waves of the register as C(interactor_wave), those without a site too, so that no number is given twice.
    type: list
    elements: dict
    default: []
  calendar:
    description: Which half days are days off, as C(interactor_calendar); all three when not given.
    type: dict
  contract:
    description:
      - The vendor contract. A site that wants a mode of which C(config.modes) says nothing gets no date.
    type: dict
    required: true
  states:
    description:
      - C(state), C(outcome) and C(rolled_back) of each site by its id, as in the gate's answer.
        A site that is not named has not begun.
    type: dict
    default: {}
  settings:
    description:
      - What operations may set; see docs/plan.md for each one's meaning, default and limits.
      - C(from), C(to), C(moves_per_night), C(moves_on), C(calls_per_morning), C(calls_on_days_off), C(calls_on),
        C(epj), C(epj_per_night), C(wave_size), C(answer_days), C(agreement_days), C(move_minutes),
        C(replan), C(effort).
      - C(move_minutes) is the contract's C(migration.expected_minutes) when it is not given.
      - C(answer_days) and C(agreement_days) count from today; who has neither answered nor signed waits for both.
    type: dict
    default: {}
  previous:
    description:
      - An earlier plan, the C(plan) of this module as a JSON file. A path at which there is no file is no earlier plan.
    type: path
  clock_url:
    description: The simulator's clock; only in a simulated inventory.
    type: str
extends_documentation_fragment:
  - helsevest.interactor.sites
author:
  - The Interactor move project (@helsevest)
"""

EXAMPLES = r"""
- name: Propose dates
  helsevest.interactor.site_plan:
    sites: "{{ hostvars | helsevest.interactor.site_vars(groups, groups.servers) }}"
    contract: "{{ vendor_contract }}"
    settings:
      from: "2027-01-25"
      moves_per_night: 12
      moves_on:
        "2027-05-18": 0
      epj: spread
    previous: var/plan.json
  run_once: true
  delegate_to: localhost
  register: proposed
"""

RETURN = r"""
plan:
  description: The plan, see docs/contracts.md (The plan).
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.helsevest.interactor.plugins.module_utils._plan import ARGUMENT_SPEC, PlanError, answer


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(**answer(module.params))
    except PlanError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
