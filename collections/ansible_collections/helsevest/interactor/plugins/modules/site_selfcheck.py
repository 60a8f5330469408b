#!/usr/bin/python
# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What action/site_selfcheck.py does; it runs on the controller only, inside the worker."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_selfcheck
short_description: Read the self-checks that offices have sent in
description:
  - Reads every C(.json) file of a folder as the result file of a self-check, judges what it says of a client as a
    measurement is judged, and records it in the journal with an origin of its own and the moment when it was made.
  - A file is recorded once, however often it is read. An older one than is known of a client is left out.
  - A file that is at fault is told in RV(problems) and stops no other one. None makes a result of a server.
  - Runs on the controller and contacts no host. The files stay where they are.
options:
  path:
    description: The folder of the files. Folders in it and links are not followed.
    type: path
    required: true
attributes:
  check_mode:
    support: full
    description: Nothing is recorded; RV(changed) and RV(files) are as they would be.
extends_documentation_fragment:
  - helsevest.interactor.decision
  - helsevest.interactor.sites
author:
  - The Interactor move project (@helsevest)
"""

EXAMPLES = r"""
- name: Read what offices have dropped on a share
  helsevest.interactor.site_selfcheck:
    path: /srv/selvsjekk
    sites: "{{ hostvars | helsevest.interactor.site_vars(groups, groups.servers) }}"
    contract: "{{ vendor_contract }}"
    journal: "{{ interactor_journal }}"
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
files:
  description:
    - What came of each file that could be read, as C(file), C(site), C(host), C(made), C(outcome) and C(verdict).
    - The outcome is C(recorded), C(known), C(the same as) another file, or C(older than what is known).
  returned: success
  type: list
  elements: dict
lines:
  description: The same as a person reads it.
  returned: success
  type: list
  elements: str
problems:
  description: What is wrong with the other files, one text each with file, site, field, value and what is allowed.
  returned: success
  type: list
  elements: str
run_id:
  description: Identity of the run in the journal.
  returned: success
  type: str
"""
