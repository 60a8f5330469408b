# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the self-check for offices, inside the worker; see modules/site_selfcheck_files.py."""

from __future__ import annotations

from typing import Any

from ..module_utils._selfcheck_files import ARGUMENT_SPEC, FilesError, answer
from ..plugin_utils._controller_module import ControllerModule


class ActionModule(ControllerModule):
    """One script, and a folder per site."""

    spec = ARGUMENT_SPEC
    error = FilesError

    def answer(self, params: dict[str, Any]) -> dict[str, Any]:
        """Which files are new."""
        return answer(params, check_mode=self._task.check_mode)
