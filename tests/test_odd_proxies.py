# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the proxies of odd machines come to, from the simulated host's facts by the real evaluation to the check."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.proxy_check import judge_proxy
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.results import CheckResult
from ansible_collections.helsevest.interactor.plugins.module_utils._pac import evaluate_scripts
from ansible_collections.helsevest.interactor.tests.unit.plugins.module_utils._domain.conftest import SITE

from simulator.clock import stamp
from tests.odd_machines import ODD
from tests.test_probe_model_equals_engine import Office

P1 = "https://interactor.dips.no"
WPAD, GONE = "http://wpad.rar.example/wpad.dat", "http://vpn.example/p.pac"


@cache
def office() -> Office:
    return Office(ODD)


def judged(name: str) -> tuple[CheckResult, dict[str, Any]]:
    """P5 of a PC of the odd office, and its facts."""
    arguments = {"contract": office().contract, "site": "9001", "run_id": "r", "now": stamp(office().clock.now())}
    host = office().world.hosts[f"{name}.rar.example"]
    told = office().model(host, "interactor_preflight", {**arguments, "role": "client"}, False)
    facts = told["facts"]
    urls = [page["url"] for page in office().contract["pages"].values()]
    check, _machine = judge_proxy(facts, SITE, "client", office().contract, evaluate_scripts(facts, urls))
    return check, facts


def test_a_script_of_the_network_goes_before_one_that_stands_in_the_binary_form_alone():
    check, facts = judged("pc9")
    assert facts["proxy"]["detected"] == {"url": WPAD, "error": None}
    assert check.evidence["remedies"] == ["P5.disagreeing", "P5.detected"]
    assert f"{P1}: PROXY inne.rar.example:3128 in place of PROXY b.example:1" in check.observed
    shown = check.evidence["profiles"]["1"]
    assert shown["takes"][P1]["ours"] == "PROXY inne.rar.example:3128"
    # The saved script is not fetched, and detection is ticked in neither.
    assert {view: ways[P1]["ours"] for view, ways in shown["otherwise"].items()} == {
        "registry": "DIRECT",
        "saved": "DIRECT",
    }


@pytest.mark.parametrize(
    ("name", "detected"),
    [
        ("pc1", None),
        ("pc10", {"url": None, "error": None}),
        ("pc11", {"url": None, "error": "WinHTTP: The service has not been started."}),
    ],
)
def test_a_network_without_a_script_changes_nothing(name: str, detected: dict[str, Any] | None):
    check, facts = judged(name)
    assert facts["proxy"]["detected"] == detected
    assert "P5.detected" not in check.evidence.get("remedies", [])
    assert "automatic detection" not in check.observed


def test_a_detected_address_without_a_script_is_told_and_no_page_is_asked_for_by_it():
    check, facts = judged("pc13")
    assert f"automatic detection names {GONE}, which is not fetched: it answers 404" in check.observed
    assert "P5.detected" not in check.evidence.get("remedies", [])
    assert {page["script"] for page in facts["pages"]} == {None, "http://config.nhn.no/kunde.pac"}


def test_of_many_scripts_the_long_one_and_the_one_too_many_are_told():
    check, facts = judged("pc10")
    lengths = {script["url"]: script["characters"] for script in facts["proxy"]["scripts"]}
    assert lengths["http://long.example/p.pac"] == 65_537
    assert facts["proxy"]["scripts"][-1]["error"] == "no more than 6 scripts are asked for"
    assert facts["proxy"]["detected"] == {"url": None, "error": None}
    assert check.evidence["profiles"]["6"]["takes"][P1] == {"ours": None, "host": "DIRECT"}


def test_what_is_detected_for_the_machine_is_everybodys():
    check, _facts = judged("pc12")
    assert check.evidence["remedies"] == ["P5.managed", "P5.detected"]
    assert check.evidence["profiles"]["machine"]["takes"][P1]["ours"] == "PROXY inne.rar.example:3128"
