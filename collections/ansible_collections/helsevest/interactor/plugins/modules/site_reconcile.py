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
  - Compares two manifests category by category, by count, hash, first and last date, and with the agreed span (M3).
  - With the ids of the categories that differ it tells which are missing and which are too much.
  - Runs on the controller, contacts nothing and changes nothing.
options:
  before:
    description:
      - What was on the server before the move, as M(helsevest.interactor.interactor_migrate) lists it. For each of
        C(orders), C(started_requisitions) and C(favourite_packages) a dictionary of C(count), C(hash), C(first) and
        C(last).
    type: dict
    required: true
  after:
    description: What is in the cloud, in the same form, as M(helsevest.interactor.vendor_migration) gives it.
    type: dict
    required: true
  day:
    description: The date in Norway on which O(before) was made, as YYYY-MM-DD.
    type: str
    required: true
  months:
    description: How many months of order history before O(day) a move takes.
    type: int
    required: true
  ids_before:
    description: The ids of the categories that differ, as they were kept on the server; a list for each category.
    type: dict
    default: {}
  ids_after:
    description: The same as the cloud has them. What is not on both sides is not listed.
    type: dict
    default: {}
  unlisted:
    description: Why the ids of what differs could not be had; goes on record.
    type: str
    default: ""
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
    day: "{{ attempt.day }}"
    months: "{{ attempt.history_months }}"
  delegate_to: localhost
"""

RETURN = r"""
equal:
  description: Whether every category is the same in count, hash and dates, and nothing lies outside the agreed span.
  returned: success
  type: bool
differences:
  description:
    - The categories that are not. C(outside) names the sides that hold what lies outside the agreed span.
    - C(missing) and C(extra) are null where no ids were given, else the number of ids and the first 200 of them.
  returned: success
  type: list
  elements: dict
  sample:
    - category: favourite_packages
      before: 12
      after: 11
      same_hash: false
      same_dates: true
      outside: []
      missing: {count: 1, ids: [fav-17]}
      extra: {count: 0, ids: []}
counts:
  description: Per category, how many of how many are there; with C(differ) behind it where these are not the same.
  returned: success
  type: dict
  sample: {orders: 412/412, started_requisitions: 9/9 differ, favourite_packages: 11/12}
unlisted:
  description: O(unlisted).
  returned: success
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._reconcile import ARGUMENT_SPEC, ReconcileError, answer


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(**answer(module.params))
    except ReconcileError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
