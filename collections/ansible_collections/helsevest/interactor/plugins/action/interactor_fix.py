# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts right on a host what a preflight was asked to, or puts it back; see interactor_fix.yml."""

from __future__ import annotations

from typing import Any, ClassVar

from ..module_utils._domain.fix import asked_checks, night_end
from ..module_utils._domain.site import Site
from ..module_utils._domain.times import format_time
from ..plugin_utils._host_module import HostModule, fix_script


class ActionModule(HostModule):
    module = "helsevest.interactor.interactor_fix"
    own_options: ClassVar[dict[str, Any]] = {"role": "server"}

    def take(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """Ask once, for the checks that a host of its role has; a host without any is not asked."""
        arguments["checks"] = asked_checks(arguments["checks"], self.options["role"])
        if not arguments["checks"]:
            return {"changed": False, "reached": True, "cause": None, "detail": "", "error": None}
        told = arguments.pop("until", None)
        if arguments.get("step") == "fix":
            arguments["until"] = format_time(night_end(Site.from_vars(variables), self.now, told))
            arguments["fix_script"] = fix_script()
        return self.ask(arguments, variables)

    def judge(self, answer: dict[str, Any], arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        return {"changes": [], "left": [], "until": None, **answer, "undo": arguments.get("step") == "undo"}
