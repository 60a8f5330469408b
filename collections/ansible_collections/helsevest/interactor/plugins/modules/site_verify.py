#!/usr/bin/python
# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What action/site_verify.py does; it runs on the controller only, inside the worker."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_verify
short_description: Write the protocol of the checklist for a real server
description:
  - Judges what was found on the server, adds what people have seen, and writes C(verify-<host>.json) and
    C(verify-<host>.md), mode 0600.
  - What was measured in this run counts. Where that leaves a row open, what somebody has seen counts, of O(seen),
    O(answers) or the protocol that lies in O(dir) already, in this order.
  - Runs on the controller and contacts no host.
options:
  step:
    description:
      - V(read) checks checklist and answers, and contacts nobody.
      - V(write) makes the protocol.
    type: str
    choices: [read, write]
    required: true
  checklist:
    description: The checklist, a YAML file.
    type: path
    required: true
  answers:
    description:
      - What people have seen, a YAML file. A row's id and V(passed), V(failed), V(open) or V(not applicable), or a
        mapping with C(result), C(note), C(who) and C(date).
    type: path
  seen:
    description: The same as data, or as a text in YAML; it goes before O(answers).
    type: raw
  name:
    description: Who runs this, and who has seen what is told without a name.
    type: str
    required: true
  clock_url:
    description: Where a simulation's clock is asked; without it the time is the controller's.
    type: str
  found:
    description:
      - What was answered, by what was asked, C(look), C(preflight), C(stage), C(lease), C(cloud), C(trial), C(again).
    type: dict
  contract:
    description: The vendor contract. One that cannot be right is refused.
    type: dict
    required: true
  host:
    description: The host's name in the inventory.
    type: str
  site:
    description: The site's id.
    type: str
  commit:
    description: The commit of the project, if it is known.
    type: str
  begun:
    description: What V(read) answered as RV(begun).
    type: float
  dir:
    description: Where the protocol goes.
    type: path
attributes:
  check_mode:
    support: full
    description: Says how each row stands and writes nothing.
author:
  - The Interactor move project (@helsevest)
"""

EXAMPLES = r"""
- name: Check the answers before the server is asked
  helsevest.interactor.site_verify:
    step: read
    checklist: roles/verify/files/checklist.yml
    answers: seen.yml
    name: Kari Nordmann
    contract: "{{ vendor_contract }}"
  delegate_to: localhost
"""

RETURN = r"""
begun:
  description: When this was, in seconds.
  returned: with O(step=read)
  type: float
seen:
  description: The rows of which somebody has seen something.
  returned: with O(step=read)
  type: list
  elements: str
protocol:
  description: The protocol, as it stands in the file.
  returned: with O(step=write)
  type: dict
files:
  description: The files that were written.
  returned: with O(step=write)
  type: list
  elements: str
failed_rows:
  description: The rows that failed, in words.
  returned: with O(step=write)
  type: list
  elements: str
site_lists:
  description: What failed or is open, for the terminal.
  returned: with O(step=write)
  type: list
  elements: dict
"""
