#!/usr/bin/python
# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adapter: two manifests in, what is not the same out."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_reconcile
short_description: Compare what the cloud holds with what the server held
description:
  - Compares two manifests category by category, by count and by hash.
  - Runs on the controller, contacts nothing and changes nothing.
options:
  before:
    description:
      - What was on the server before the move, as M(helsevest.interactor.interactor_migrate) lists it. For each of
        C(orders), C(started_requisitions) and C(favourite_packages) a dictionary of C(count) and C(hash).
    type: dict
    required: true
  after:
    description: What is in the cloud, in the same form, as M(helsevest.interactor.vendor_migration) gives it.
    type: dict
    required: true
attributes:
  check_mode:
    support: full
    description: It changes nothing in any mode.
author:
  - The Interactor move project (@helsevest)
"""

EXAMPLES = r"""
- name: Compare counts and hashes
  helsevest.interactor.site_reconcile:
    before: "{{ attempt.before }}"
    after: "{{ cloud.attempt.manifest }}"
  delegate_to: localhost
"""

RETURN = r"""
equal:
  description: Whether every category is the same in count and hash.
  returned: success
  type: bool
differences:
  description: The categories that are not.
  returned: success
  type: list
  elements: dict
  sample: [{category: favourite_packages, before: 12, after: 11, same_hash: false}]
counts:
  description: Per category, how many of how many are there.
  returned: success
  type: dict
  sample: {orders: 412/412, started_requisitions: 9/9, favourite_packages: 11/12}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._domain.reconcile import reconcile


def main() -> None:
    module = AnsibleModule(
        argument_spec={"before": {"type": "dict", "required": True}, "after": {"type": "dict", "required": True}},
        supports_check_mode=True,
    )
    try:
        result = reconcile(module.params["before"], module.params["after"])
    except ValueError as exc:
        module.fail_json(msg=f"site_reconcile: {exc}")
    module.exit_json(changed=False, **result.to_dict())


if __name__ == "__main__":
    main()
