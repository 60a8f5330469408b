#!/usr/bin/python
# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What action/site_selfcheck_files.py does; it runs on the controller only, inside the worker."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_selfcheck_files
short_description: Write the self-check for PCs without WinRM, and a folder of it for each site
description:
  - Makes one script, C(Selvsjekk.ps1), of the functions that measure the PCs that can be reached. It is the same for
    all sites, so that it is signed once.
  - Each site has a folder with the script, a starter C(Selvsjekk.cmd) for double-click that holds the site's id and the
    names of its clients, and C(LESMEG.txt).
  - Runs on the controller and contacts no host.
options:
  path:
    description: The folder for all of it; the script lies in it, and a folder for each site by its id.
    type: path
    required: true
  signed:
    description:
      - The script as it came back from who signs, for the sites' folders.
      - Refused where it is a copy of another script than this one.
    type: path
  sites:
    description: The sites, as M(helsevest.interactor.site_gate) takes them.
    type: list
    elements: dict
    required: true
  contract:
    description: The vendor contract; the addresses in it are built in.
    type: dict
    required: true
attributes:
  check_mode:
    support: full
    description: Says which files would be new and writes nothing.
author:
  - The Interactor move project (@helsevest)
"""

EXAMPLES = r"""
- name: Write the self-check for all sites of the register
  helsevest.interactor.site_selfcheck_files:
    path: "{{ interactor_state_dir }}/selfcheck"
    sites: "{{ hostvars | helsevest.interactor.site_vars(groups, groups.servers) }}"
    contract: "{{ vendor_contract }}"
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
files:
  description: The files that are new, or would be.
  returned: success
  type: list
  elements: str
signed:
  description: Whether the sites' folders have the signed script.
  returned: success
  type: bool
"""
