# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs site_gate inside the worker: a tick asks after every step, and a process of its own costs a second each time."""

from __future__ import annotations

from typing import Any

from ..module_utils._gate import ARGUMENT_SPEC, GateError, answer
from ..plugin_utils._controller_module import ControllerModule


class ActionModule(ControllerModule):
    """The same function as the module's, with the same arguments."""

    spec = ARGUMENT_SPEC
    error = GateError

    def answer(self, params: dict[str, Any]) -> dict[str, Any]:
        """One decision per site."""
        return answer(params, check_mode=self._task.check_mode)
