# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the signatories' file and the look-up list in step with the register; see modules/site_agreements.py."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ..plugin_utils._agreements import ARGUMENT_SPEC, ERRORS, reconcile


class ActionModule(ActionBase):
    """Runs on the controller, where the vault's secrets are; nothing that it reads leaves it but by the list."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the arguments, do what is due, and answer with sites' ids only."""
        result = super().run(tmp, task_vars)
        _checked, params = self.validate_argument_spec(ARGUMENT_SPEC)
        try:
            return {**result, **reconcile(params, self._loader._vault, check_mode=self._task.check_mode)}
        except ERRORS as exc:
            return {**result, "failed": True, "msg": f"site_agreements: {exc}"}
        except Exception as exc:  # an error that nobody foresaw may hold what must not be shown
            last = traceback.extract_tb(exc.__traceback__)[-1]
            where = f"{Path(last.filename).name}:{last.lineno}"
            message = f"site_agreements: {type(exc).__name__} in {where}; its text is not shown, for it may be personal"
            return {**result, "failed": True, "msg": message}
