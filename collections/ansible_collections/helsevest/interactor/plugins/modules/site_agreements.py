#!/usr/bin/python
# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What action/site_agreements.py does; it runs on the controller only, where the vault's secrets are."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_agreements
short_description: Write the list of signatories to look up, and remove who has signed
description:
  - Reads the file of the signatories, which is encrypted with ansible-vault as a whole, with the vault secrets of the
    run. Its text is never written to disk, and no result, error, difference or event holds anything of a person.
  - Writes the look-up list for the sites whose answers are all there (P6), whose agreement is not sent yet (P7) and who
    signs is in the file. Without any, the list is removed.
  - Takes out of the file, encrypted with the same secret, who has signed, and those of O(remove). That an entry was
    seen, and that it was removed, by whom and why, goes into the journal.
  - A run that dies is made up for by the next one.
  - Runs on the controller and contacts no host.
options:
  signatories:
    description:
      - The file of the signatories. It need not be there.
      - Refused if it is not encrypted, if others may read it, or if git tracks it or does not ignore it.
    type: path
    required: true
  list:
    description:
      - The look-up list to write, as CSV with mode 0600; a folder that is missing is made with mode 0700.
      - Refused in a git work tree that does not ignore it.
    type: path
    required: true
  sites:
    description: The sites of this run, as the filter P(helsevest.interactor.site_vars#filter) makes them.
    type: list
    elements: dict
    required: true
  known:
    description: The ids of all sites of the register; no other may stand in the file.
    type: list
    elements: str
    required: true
  journal:
    description: URL of the journal, as SQLAlchemy reads it.
    type: str
    required: true
  name:
    description: Who runs this; goes on record with every removal.
    type: str
    required: true
  remove:
    description: Ids of sites whose entry is to be removed although nobody signed; needs O(reason).
    type: list
    elements: str
    default: []
  reason:
    description:
      - Why the entries of O(remove) go. It goes on record.
      - Refused if it holds anything of the person.
    type: str
    default: ""
  clock_url:
    description: The simulator's clock; only in a simulated inventory.
    type: str
attributes:
  check_mode:
    support: full
    description: Says what it would do and writes nothing.
author:
  - The Interactor move project (@helsevest)
"""

EXAMPLES = r"""
- name: Keep list and file in step with the register
  helsevest.interactor.site_agreements:
    signatories: "{{ inventory_dir }}/signatories.vault.yml"
    list: "{{ interactor_state_dir }}/agreements/lookup.csv"
    sites: "{{ hostvars | helsevest.interactor.site_vars(groups, ansible_play_hosts_all) }}"
    known: ["1001", "1002"]
    journal: "{{ interactor_journal }}"
    name: Kari Nordmann
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
list:
  description: The look-up list, null if there is none.
  returned: success
  type: str
look_up:
  description: Sites on the look-up list.
  returned: success
  type: list
  elements: str
removed:
  description: Sites whose entry was removed, or was found to be gone, and is now on record.
  returned: success
  type: list
  elements: str
waiting:
  description: Sites with an entry whose answers are not all there.
  returned: success
  type: list
  elements: str
lacking:
  description: Sites without an entry although the register says that we know who signs.
  returned: success
  type: list
  elements: str
not_in_register:
  description: Sites with an entry although the register says that we do not know who signs.
  returned: success
  type: list
  elements: str
unsigned:
  description: Since when the agreement of a site is out and not signed.
  returned: success
  type: dict
unexplained:
  description: Sites whose entry is gone although nothing on record says why.
  returned: success
  type: list
  elements: str
lines:
  description: The same, and what was done, as a person reads it.
  returned: success
  type: list
  elements: str
"""
