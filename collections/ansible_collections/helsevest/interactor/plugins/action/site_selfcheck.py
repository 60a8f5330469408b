# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the self-checks that offices have sent in, inside the worker; see modules/site_selfcheck.py."""

from __future__ import annotations

from typing import Any

from ..module_utils._selfcheck import ARGUMENT_SPEC, FolderError, answer
from ..plugin_utils._controller_module import ControllerModule


class ActionModule(ControllerModule):
    """Files in, results of clients in the journal out."""

    spec = ARGUMENT_SPEC
    error = FolderError

    def answer(self, params: dict[str, Any]) -> dict[str, Any]:
        """What came of each file."""
        return answer(params, check_mode=self._task.check_mode)
