# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes a host and judges its facts; see interactor_preflight.yml."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleError

from ..module_utils._domain.checks import judge_facts
from ..module_utils._domain.facts import check_shape
from ..module_utils._domain.site import Site
from ..module_utils._domain.verdict import host_verdict
from ..module_utils._holidays import MissingPackageError
from ..module_utils._pac import evaluate_scripts
from ..plugin_utils._host_module import HostModule


class ActionModule(HostModule):
    module = "helsevest.interactor.interactor_preflight"

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
        verdict = host_verdict(answer["reached"], answer["error"], checks)
        return {"facts": None, **answer, "checks": [check.to_dict() for check in checks], "verdict": verdict.value}
