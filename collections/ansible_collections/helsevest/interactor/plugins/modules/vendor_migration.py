#!/usr/bin/python
# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adapter: what the vendor's cloud is asked about the attempts to move a site."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vendor_migration
short_description: Open, follow and discard an attempt to move a site at the vendor's cloud
description:
  - Asks the cloud, as docs/contracts.md assumes it, from the controller. Contacts no host of a site.
  - The proxy is that of the environment (C(https_proxy), C(no_proxy)).
  - Every call is safe to repeat and is made twice if the first gets no answer.
options:
  operation:
    description:
      - V(status) reads the attempts, and fails if O(number) is given and the cloud has no such attempt.
      - V(start) opens attempt O(number). The same number and key again change nothing. The cloud refuses while another
        attempt has not been discarded.
      - V(discard) has the cloud throw away what it received. An attempt that is discarded already, or that the cloud
        never had, is no change.
      - V(ids) reads the ids of some categories of what the cloud has of the attempt.
      - V(made) reads what users have made in the cloud since the switch to the attempt.
    type: str
    choices: [start, status, discard, ids, made]
    required: true
  api:
    description: Address of the cloud's interface, https.
    type: str
    required: true
  token:
    description: The bearer token.
    type: str
    required: true
  site:
    description: Id of the site.
    type: str
    required: true
  number:
    description: Number of the attempt. Required with all operations but V(status).
    type: int
  key:
    description:
      - Key of the attempt, the same that stands in the server's ledger.
      - Required with all operations but V(status). An attempt that has another key is an error.
    type: str
  history_months:
    description: How many months of order history are moved, 12 to 18. Required with O(operation=start).
    type: int
  categories:
    description: Whose ids are read. Required with O(operation=ids).
    type: list
    elements: str
    choices: [orders, started_requisitions, favourite_packages]
  timeout:
    description: How many seconds an answer may take.
    type: int
    default: 30
  ca_path:
    description: A PEM file with the authorities to trust, instead of the system's.
    type: path
attributes:
  check_mode:
    support: full
    description: The status is read; V(start) and V(discard) say what they would do, or why they would fail.
author:
  - The Interactor move project (@helsevest)
"""

EXAMPLES = r"""
- name: Open the attempt at the cloud
  helsevest.interactor.vendor_migration:
    operation: start
    api: "{{ vendor_contract.cloud.api }}"
    token: "{{ interactor_cloud_token }}"
    site: "1001"
    number: 1
    key: 1001-1-4f3a
    history_months: 12
  delegate_to: localhost
"""

RETURN = r"""
attempts:
  description: All attempts that the cloud knows of the site, as they are after the call.
  returned: success
  type: list
  elements: dict
ids:
  description: The ids that the cloud has, a list for each of O(categories), each id as often as it is there.
  returned: with O(operation=ids)
  type: dict
made:
  description: What has been made in the cloud since the switch, as C(category), C(id) and C(at).
  returned: with O(operation=made)
  type: list
  elements: dict
dry:
  description: Whether something would have changed and has not, for this is check mode.
  returned: O(operation=start) and O(operation=discard), in check mode
  type: bool
attempt:
  description:
    - The attempt with O(number), as C(number), C(key), C(state), C(counts) and, from C(completed) on, C(manifest).
    - Null if the cloud has none such. In check mode as it would be.
  returned: when O(number) is given
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._vendor_migration import ARGUMENT_SPEC, CloudError, answer


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(**answer(module.params, check_mode=module.check_mode))
    except CloudError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
