# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks a moved server; see interactor_postcheck.yml."""

from __future__ import annotations

from typing import Any

from ..module_utils._domain.postcheck import judge_postcheck
from ..module_utils._domain.site import Site
from ..plugin_utils._host_module import HostModule


class ActionModule(HostModule):
    module = "helsevest.interactor.interactor_postcheck"

    def judge(self, answer: dict[str, Any], arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        checks = []
        if answer["reached"] and answer["error"] is None:
            attempts = (answer["ledger"] or {}).get("attempts") or [None]
            site = Site.from_vars(variables)
            checks = judge_postcheck(answer["facts"], site, attempts[-1], arguments["contract"], self.now)
        return {"facts": None, **answer, "checks": [check.to_dict() for check in checks]}
