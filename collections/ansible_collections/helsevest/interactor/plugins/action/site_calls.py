# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the call list inside the worker, so that no contact is sent anywhere; see modules/site_calls.py."""

from __future__ import annotations

from typing import Any

from ..module_utils._calls import ARGUMENT_SPEC, CallsError, answer
from ..plugin_utils._controller_module import ControllerModule


class ActionModule(ControllerModule):
    """Sites' ids and reasons only; the contacts leave it by the list alone."""

    spec = ARGUMENT_SPEC
    error = CallsError

    def answer(self, params: dict[str, Any]) -> dict[str, Any]:
        """Who has to be called."""
        return answer(params, check_mode=self._task.check_mode)
