# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes a host and judges its facts; see interactor_preflight.yml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ansible.errors import AnsibleError

from ..module_utils._domain.cause import NOT_ASKED_AGAIN
from ..module_utils._domain.checks import judge_facts
from ..module_utils._domain.facts import check_shape
from ..module_utils._domain.families import REGISTER, chosen, of_families
from ..module_utils._domain.site import Site
from ..module_utils._domain.times import format_time
from ..module_utils._domain.verdict import host_verdict
from ..module_utils._holidays import MissingPackageError
from ..module_utils._pac import evaluate_scripts
from ..plugin_utils._host_module import OUR_ERRORS, HostModule, is_of_connection
from ..plugin_utils._knock import knock
from ..plugin_utils._patience import OutOfTimeError, another_connection, time_limit


class ActionModule(HostModule):
    module = "helsevest.interactor.interactor_preflight"
    own_options: ClassVar[Mapping[str, Any]] = {"knock_seconds": 10.0, "limit_seconds": 180.0, "families": None}

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Nothing where no host has to be asked; else as ever."""
        # A `when` and an argument would be templates of their own for each of many hosts.
        tags = [(task_vars or {}).get(f"ansible_{name}_tags") or [] for name in ("run", "skip")]
        try:
            self.families = self._task.args.get("families") or chosen(*tags)
        except ValueError as exc:
            return {"changed": False, "failed": True, "msg": str(exc)}
        if self.families == [REGISTER]:
            return {"changed": False, "skipped": True, "skip_reason": "the register alone is looked at"}
        return super().run(tmp, task_vars)

    def take(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """Ask; what failed once is tried once more on another connection, within one and the same time limit."""
        try:
            with time_limit(float(self.options["limit_seconds"])):
                first = self._try(arguments, variables)
                if first["cause"] in NOT_ASKED_AGAIN or (first["reached"] and first["error"] is None):
                    return {**first, "tries": 1}
                another_connection(self._connection)
                return {**self._try(arguments, variables), "tries": 2}
        except Exception as exc:  # out of time, or the second connection did not come about
            if not is_of_connection(exc):
                raise
            return {**self.not_reached(str(exc)), "tries": 1 if isinstance(exc, OutOfTimeError) else 2}

    def _try(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        if getattr(self._connection, "transport", "") == "winrm":
            problem = knock(self._connection, float(self.options["knock_seconds"]))
            if problem:
                return self.not_reached(problem)
        try:
            return self.ask(arguments, variables)
        except OUR_ERRORS as exc:
            return self.problem(exc)

    def judge(self, answer: dict[str, Any], arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        checks = []
        if answer["reached"] and answer["error"] is None:
            site = Site.from_vars(variables)
            role, contract = arguments["role"], arguments["contract"]
            facts, urls = answer.get("facts"), [page["url"] for page in contract["pages"].values()]
            check_shape(facts)
            try:
                evaluations = evaluate_scripts(facts, urls)
            except MissingPackageError as exc:
                raise AnsibleError(str(exc)) from exc
            checks = judge_facts(facts, site, role, contract, self.now, evaluations)
        families = self.families
        checks = of_families(checks, families)
        verdict = host_verdict(answer["reached"], answer["error"], checks)
        # A part of the checks is no verdict; that the host was not reached is one.
        told = None if families and answer["reached"] and answer["error"] is None else verdict.value
        answer |= {"families": families, "checks": [check.to_dict() for check in checks], "verdict": told}
        asked = getattr(self, "now", None)
        return {"facts": None, "asked": asked and format_time(asked), **answer}
