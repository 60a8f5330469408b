#!/usr/bin/python
# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adapter: one site and the journal in, all that is known of the site out."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_explain
short_description: Tell all that is known of one site, why it is where it is, and what comes next
description:
  - Reads the register's variables of one site and all of its events in the journal, and tells them in order of time,
    with what lies ahead, every reason that stands against its next step, and what has to happen before that.
  - Runs on the controller, contacts no host and changes nothing. A journal that is not there has no events.
  - Of the contact it tells only whether there is one.
options:
  site:
    description:
      - The variables of the site, one of the dictionaries that M(helsevest.interactor.site_gate) takes for its sites.
      - The filter P(helsevest.interactor.site_vars#filter) makes it.
    type: dict
    required: true
  sharing:
    description: The same of each of the other sites on its server. What stands against one of them stands against all.
    type: list
    elements: dict
    default: []
attributes:
  check_mode:
    support: full
    description: The same; nothing is ever changed.
extends_documentation_fragment:
  - helsevest.interactor.decision
author:
  - The Interactor move project (@helsevest)
"""

EXAMPLES = r"""
- name: Tell all that is known of site 1017
  helsevest.interactor.site_explain:
    site: "{{ (hostvars | helsevest.interactor.site_vars(groups, ['1017-server'])) | first }}"
    contract: "{{ vendor_contract }}"
    journal: "{{ interactor_journal }}"
"""

RETURN = r"""
explanation:
  description: Everything as data, see docs/contracts.md (What explain answers).
  returned: success
  type: dict
site_lists:
  description: The same as lists, which the callback P(helsevest.interactor.site_table#callback) prints.
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.helsevest.interactor.plugins.module_utils._explain import ARGUMENT_SPEC, ExplainError, answer


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(**answer(module.params))
    except ExplainError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
