#!/usr/bin/python
# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What action/site_calls.py does; it runs on the controller only, inside the worker."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_calls
short_description: Write the list of contacts to call, with why and what to ask
description:
  - Derives from register and journal which sites' contacts have to be called now (A2), because a move is uncertain,
    failed, was undone or was given up, and writes C(calls.json) and C(calls.csv), mode 0600.
  - The list has the contacts' names and phones; no result, error, difference or event has them.
  - An entry is gone with its cause. Without any the files are there and empty.
  - Runs on the controller and contacts no host.
options:
  dir:
    description:
      - The folder of the two files; made with mode 0700 where it is missing.
      - Refused where others may look into it, or where it lies in a git work tree that does not ignore it.
    type: path
    required: true
  to:
    description: The address at DIPS that the list is for. There is none by default, for DIPS has not given one.
    type: str
    default: ""
  copy:
    description: The address that gets a copy.
    type: str
    default: TeamIHR@helse-vest-ikt.no
attributes:
  check_mode:
    support: full
    description: Says who is on the list and writes nothing.
extends_documentation_fragment:
  - helsevest.interactor.decision
  - helsevest.interactor.sites
author:
  - The Interactor move project (@helsevest)
"""

EXAMPLES = r"""
- name: Write the call list for all sites of the register
  helsevest.interactor.site_calls:
    dir: "{{ interactor_state_dir }}/calls"
    sites: "{{ hostvars | helsevest.interactor.site_vars(groups, groups.servers) }}"
    contract: "{{ vendor_contract }}"
    journal: "{{ interactor_journal }}"
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
calls:
  description: Who has to be called, as C(site), C(code) and C(why), without the contacts.
  returned: success
  type: list
  elements: dict
  sample: [{site: "1004", code: uncertain, why: "favourite_packages: 14 of 15 in the cloud, 1 missing, 0 too many"}]
to:
  description: O(to), null where there is none.
  returned: success
  type: str
lines:
  description: The same as a person reads it.
  returned: success
  type: list
  elements: str
"""
