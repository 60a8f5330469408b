# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs site_plan inside the worker: the whole register would have to be packed for a process of its own."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._plan import ARGUMENT_SPEC, PlanError, answer


class ActionModule(ActionBase):
    """The same function as the module's, with the same arguments."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the arguments and answer."""
        result = super().run(tmp, task_vars)
        _checked, params = self.validate_argument_spec(ARGUMENT_SPEC)
        try:
            return {**result, **answer(params)}
        except PlanError as exc:
            return {**result, "failed": True, "msg": str(exc)}
