# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares inside the worker: the lists of ids go through no process of their own."""

from __future__ import annotations

from typing import Any

from ..module_utils._reconcile import ARGUMENT_SPEC, ReconcileError, answer
from ..plugin_utils._controller_module import ControllerModule


class ActionModule(ControllerModule):
    """The same function as the module's, with the same arguments."""

    spec = ARGUMENT_SPEC
    error = ReconcileError

    def answer(self, params: dict[str, Any]) -> dict[str, Any]:
        """Whether all is there."""
        return answer(params)
