# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option of all modules that take the register's sites."""

from __future__ import annotations


class ModuleDocFragment:
    """The fragment helsevest.interactor.sites."""

    DOCUMENTATION = r"""
options:
  sites:
    description:
      - One dictionary per site with O(sites[].interactor_site), O(sites[].interactor_wave),
        O(sites[].interactor_vendor), O(sites[].interactor_health_trust) and O(sites[].interactor_waivers),
        as the inventory plugin P(helsevest.interactor.sites#inventory) gives them.
      - The filter P(helsevest.interactor.site_vars#filter) makes this list.
    type: list
    elements: dict
    required: true
    suboptions:
      interactor_site:
        description: The site.
        type: dict
        required: true
      interactor_wave:
        description: Its wave.
        type: dict
      interactor_vendor:
        description: The vendor's windows and freezes.
        type: dict
      interactor_health_trust:
        description: The health trust's freezes.
        type: dict
      interactor_waivers:
        description: Checks that do not count for this site.
        type: list
        elements: dict
"""
