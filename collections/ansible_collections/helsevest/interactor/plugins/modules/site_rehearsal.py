#!/usr/bin/python
# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adapter: sites and journal in, what would happen to each of them out."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_rehearsal
short_description: Tell what would happen to every site from now on, if every step does what it is for
description:
  - Goes on from where the journal says that a site stands, by the one order of steps and the gate, tick by tick, to
    the check on the morning after the move, or to the first thing that the gate does not allow, with every reason.
  - A host that is measured again is taken to be as it was measured last, and one that was never measured to be well.
  - Runs on the controller, contacts no host and changes nothing, in check mode or not.
options:
  unrecorded:
    description:
      - Events that a dry run has found and not recorded, as M(helsevest.interactor.site_journal) takes them.
      - The rehearsal goes on from them.
    type: list
    elements: dict
    default: []
  check_at:
    description:
      - The moment at which the rehearsal begins, with its offset, as C(2027-05-18T20:00+02:00); now when not given.
      - An error outside check mode and for a moment that is past. What has not been done by now stands as not done.
    type: str
  tick_minutes:
    description: How often a schedule starts the tick; on the hour, and so many minutes later each time.
    type: int
    default: 15
extends_documentation_fragment:
  - helsevest.interactor.decision
  - helsevest.interactor.sites
attributes:
  check_mode:
    support: full
    description: It never changes anything.
author:
  - The Interactor move project (@helsevest)
"""

EXAMPLES = r"""
- name: Tell what would happen to every site of this run
  helsevest.interactor.site_rehearsal:
    sites: "{{ hostvars | helsevest.interactor.site_vars(groups, ansible_play_hosts_all) }}"
    contract: "{{ vendor_contract }}"
    journal: "{{ interactor_journal }}"
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
start:
  description: The moment at which it begins.
  returned: success
  type: str
  sample: '2027-05-18T18:00:00Z'
sites:
  description:
    - For each site with a date the C(outcome) of the move at the end, and the C(last) step with C(at), C(phase),
      C(step), C(allowed) and C(reasons). It is one that would not be allowed where something stands against it.
  returned: success
  type: dict
site_lists:
  description: All steps of all sites as a list, which the callback helsevest.interactor.site_table prints.
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.helsevest.interactor.plugins.module_utils._rehearsal import (
    ARGUMENT_SPEC,
    RehearsalFailedError,
    answer,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(**answer(module.params, check_mode=module.check_mode))
    except RehearsalFailedError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
