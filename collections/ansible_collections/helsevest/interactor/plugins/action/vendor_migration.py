# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the vendor's cloud inside the worker: a step asks once or more, and a process of its own costs a second."""

from __future__ import annotations

import os
from typing import Any

from ..module_utils._vendor_migration import ARGUMENT_SPEC, CloudError, answer
from ..plugin_utils._controller_module import ControllerModule


class ActionModule(ControllerModule):
    """The same function as the module's, with the same arguments and the task's environment."""

    spec = ARGUMENT_SPEC
    error = CloudError

    def answer(self, params: dict[str, Any]) -> dict[str, Any]:
        """What the cloud said."""
        environment: dict[str, str] = {}
        self._compute_environment_string(environment)
        # The worker ends with the task.
        os.environ.update(environment)
        return answer(params, check_mode=self._task.check_mode)
