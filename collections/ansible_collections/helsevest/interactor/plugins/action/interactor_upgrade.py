# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upgrades Interactor on a server; see interactor_upgrade.yml."""

from __future__ import annotations

from typing import Any

from ..plugin_utils._host_module import HostModule, lease_script


class ActionModule(HostModule):
    module = "helsevest.interactor.interactor_upgrade"

    def take(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """Ask once; a step that keeps people out brings along what lets them in again."""
        if arguments.get("step") in ("install", "confirm"):
            arguments["lease_script"] = lease_script()
        return self.ask(arguments, variables)
