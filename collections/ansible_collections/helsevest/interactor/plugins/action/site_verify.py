# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the protocol of a real server's checklist inside the worker; see modules/site_verify.py."""

from __future__ import annotations

from typing import Any

from ..module_utils._verify import ARGUMENT_SPEC, VerifyError, answer
from ..plugin_utils._controller_module import ControllerModule


class ActionModule(ControllerModule):
    """Reads checklist and answers, or writes the protocol."""

    spec = ARGUMENT_SPEC
    error = VerifyError

    def answer(self, params: dict[str, Any]) -> dict[str, Any]:
        """How each row stands."""
        return answer(params, check_mode=self._task.check_mode)
