# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs site_rehearsal inside the worker: it contacts nobody, and a process of its own would have to read it all."""

from __future__ import annotations

from typing import Any

from ..module_utils._rehearsal import ARGUMENT_SPEC, RehearsalFailedError, answer
from ..plugin_utils._controller_module import ControllerModule


class ActionModule(ControllerModule):
    """The same function as the module's, with the same arguments."""

    spec = ARGUMENT_SPEC
    error = RehearsalFailedError

    def answer(self, params: dict[str, Any]) -> dict[str, Any]:
        """What would happen to every site with a date."""
        return answer(params, check_mode=self._task.check_mode)
