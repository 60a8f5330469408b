# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the signatories' file and the look-up list in step with the register; see modules/site_agreements.py."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from ..plugin_utils._agreements import ARGUMENT_SPEC, ERRORS, AgreementsError, reconcile
from ..plugin_utils._controller_module import ControllerModule


class ActionModule(ControllerModule):
    """Runs on the controller, where the vault's secrets are; nothing that it reads leaves it but by the list."""

    spec = ARGUMENT_SPEC
    error = AgreementsError

    def answer(self, params: dict[str, Any]) -> dict[str, Any]:
        """Sites' ids only, also where it fails."""
        try:
            return reconcile(params, self._loader._vault, check_mode=self._task.check_mode)
        except ERRORS as exc:
            raise AgreementsError(f"site_agreements: {exc}") from None
        except Exception as exc:  # an error that nobody foresaw may hold what must not be shown
            last = traceback.extract_tb(exc.__traceback__)[-1]
            where = f"{Path(last.filename).name}:{last.lineno}"
            message = f"site_agreements: {type(exc).__name__} in {where}; its text is not shown, for it may be personal"
            raise AgreementsError(message) from None
