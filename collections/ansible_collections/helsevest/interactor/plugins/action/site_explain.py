# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs site_explain inside the worker."""

from __future__ import annotations

from typing import Any

from ..module_utils._explain import ARGUMENT_SPEC, ExplainError, answer
from ..plugin_utils._controller_module import ControllerModule


class ActionModule(ControllerModule):
    """The same function as the module's, with the same arguments."""

    spec = ARGUMENT_SPEC
    error = ExplainError

    def answer(self, params: dict[str, Any]) -> dict[str, Any]:
        """All that is known of one site."""
        return answer(params)
