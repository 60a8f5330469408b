# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs site_gate inside the worker: a tick asks after every step, and a process of its own costs a second each time."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._gate import ARGUMENT_SPEC, GateError, answer


class ActionModule(ActionBase):
    """The same function as the module's, with the same arguments."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the arguments and answer."""
        result = super().run(tmp, task_vars)
        _checked, params = self.validate_argument_spec(ARGUMENT_SPEC)
        try:
            return {**result, **answer(params, check_mode=self._task.check_mode)}
        except GateError as exc:
            return {**result, "failed": True, "msg": str(exc)}
