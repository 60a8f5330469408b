# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upgrades Interactor on a server; see interactor_upgrade.yml."""

from __future__ import annotations

from ..plugin_utils._host_module import HostModule


class ActionModule(HostModule):
    module = "helsevest.interactor.interactor_upgrade"
