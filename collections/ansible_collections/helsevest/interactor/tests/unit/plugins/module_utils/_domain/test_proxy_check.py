# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""P5 and P5.machine: each finding, what it weighs, and which proxy each address would take."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.proxy_check import judge_proxy
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.proxy_way import Evaluation
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.results import CheckResult
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.texts import REMEDIES
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import CheckOutcome, Severity
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .test_proxy import MANUAL, NO_WINHTTP, SCRIPT, WINHTTP, WINHTTP_SCRIPT, binary, profile

P1, P2 = "https://interactor.dips.no", "https://dipsupsvr.dips.no"
URLS = (P1, P2)
OTHER = "http://x.example/p.pac"
PASS, FAIL, UNKNOWN = CheckOutcome.PASS, CheckOutcome.FAIL, CheckOutcome.UNKNOWN
DOUBLE = {"proxy_enable": 1, "proxy_server": MANUAL}
THROUGH = ("PROXY sikker.proxy.nhn.no:8080", "DIRECT")
EVALUATIONS = {(SCRIPT, url): Evaluation(THROUGH) for url in URLS}
SCRIPTS = [
    {
        "url": SCRIPT,
        "status": 200,
        "text": "function FindProxyForURL() {}",
        "characters": 29,
        "error": None,
        "answers": [{"url": url, "proxy": f"PROXY {MANUAL}", "error": None} for url in URLS],
    }
]
PROXY: dict[str, Any] = {
    "profiles": [profile()],
    "per_machine": False,
    "machine": {
        "proxy_enable": 0,
        "proxy_server": None,
        "proxy_override": None,
        "auto_config_url": None,
        "connections": None,
        "saved": None,
    },
    "winhttp": NO_WINHTTP,
    "environment": {"http_proxy": None, "https_proxy": None, "no_proxy": None},
    "detected": None,
    "scripts": SCRIPTS,
}
FALLBACK = f"PROXY sikker.proxy.nhn.no:8080, else DIRECT for {P1}, {P2}"
MakeSite = Callable[..., Site]


class Host:
    """A host whose facts are spoiled, and what its proxy comes to."""

    def __init__(self, site: Site, contract: dict[str, Any]) -> None:
        self.site, self.contract, self.role = site, contract, "client"
        self.proxy = copy.deepcopy(PROXY)
        self.evaluations = dict(EVALUATIONS)
        self.pages: list[dict[str, Any]] | None = []

    def profiles(self, *changes: dict[str, Any]) -> None:
        self.proxy["profiles"] = [profile(**{"profile": number, **change}) for number, change in enumerate(changes, 1)]

    def judge(self) -> dict[str, CheckResult]:
        facts = {"proxy": self.proxy, "pages": self.pages}
        checks = judge_proxy(facts, self.site, self.role, self.contract, self.evaluations)
        return {check.id: check for check in checks}

    @property
    def users(self) -> CheckResult:
        return self.judge()["P5"]

    @property
    def machine(self) -> CheckResult:
        return self.judge()["P5.machine"]


@pytest.fixture
def host(make_site: MakeSite, contract: dict[str, Any]) -> Host:
    return Host(make_site(), contract)


def remedies(check: CheckResult) -> list[str]:
    return list(check.evidence.get("remedies", ()))


def test_all_is_well(host: Host):
    assert {check.outcome for check in host.judge().values()} == {PASS}
    assert host.users.observed == f"script_only: profile 1; {FALLBACK}"
    way = {"ours": "PROXY sikker.proxy.nhn.no:8080; DIRECT", "host": "PROXY sikker.proxy.nhn.no:8080"}
    assert host.users.evidence == {
        "profiles": {"1": {"setup": "script_only", "kind": "local", "by": "registry", "takes": {P1: way, P2: way}}}
    }


class TestProfiles:
    def test_one_double_profile_of_many_blocks(self, host: Host):
        host.profiles({}, DOUBLE, {})
        check = host.users
        assert (check.outcome, check.blocks, remedies(check)) == (FAIL, True, ["P5.double"])
        assert check.observed == f"double: profile 2; script_only: profile 1, 3; {FALLBACK}"
        assert "dobbelt proxyoppsett" in check.remedy
        assert {number: shown["setup"] for number, shown in check.evidence["profiles"].items()} == {
            "1": "script_only",
            "2": "double",
            "3": "script_only",
        }

    @pytest.mark.parametrize(
        ("change", "takes"),
        [
            ({"auto_config_url": None}, "DIRECT"),
            ({"auto_config_url": None, "proxy_enable": 1, "proxy_server": "x.example:80"}, "PROXY x.example:80"),
            ({"auto_config_url": OTHER}, None),
        ],
    )
    def test_another_single_set_up_fails_as_a_warning(self, host: Host, change: dict[str, Any], takes: str | None):
        host.profiles({}, change)
        check = host.users
        assert (check.outcome, check.severity, remedies(check)) == (FAIL, Severity.WARNING, ["P5.other"])
        shown = check.evidence["profiles"]["2"].get("takes")
        assert shown == ({url: {"ours": takes, "host": None} for url in URLS} if takes else None)

    @pytest.mark.parametrize("worse", [DOUBLE, {"proxy_enable": None}, {"connections": "00"}, {"error": "locked"}])
    def test_a_double_or_unknown_profile_beside_a_harmless_one_blocks(self, host: Host, worse: dict[str, Any]):
        host.profiles({"auto_config_url": None}, worse)
        assert host.users.blocks

    @pytest.mark.parametrize("change", [{"proxy_enable": None}, {"error": "the hive cannot be loaded"}])
    def test_a_profile_that_is_not_known_blocks(self, host: Host, change: dict[str, Any]):
        host.profiles({}, change)
        assert (host.users.outcome, host.users.blocks) == (UNKNOWN, True)
        assert host.users.observed == f"script_only: profile 1; unknown: profile 2; {FALLBACK}"

    def test_no_profile_is_well_on_a_server_and_unknown_on_a_client(self, host: Host):
        host.profiles()
        assert (host.users.outcome, host.users.observed) == (UNKNOWN, "no profiles")
        host.role = "server"
        assert host.users.outcome is PASS
        host.proxy["profiles"] = None
        assert (host.users.outcome, host.users.observed) == (UNKNOWN, "not found out")

    @pytest.mark.parametrize("kind", ["temporary", "backup"])
    @pytest.mark.parametrize("change", [DOUBLE, {"error": "locked"}, {"connections": binary(1).hex()}])
    def test_a_profile_that_nobody_works_with_is_told_and_holds_up_nobody(
        self, host: Host, kind: str, change: dict[str, Any]
    ):
        host.profiles({}, {**change, "kind": kind})
        check = host.users
        assert (check.outcome, remedies(check)) == (PASS, [])
        assert "told only: " in check.observed
        assert check.evidence["profiles"]["2"]["kind"] == kind

    def test_a_pc_where_nobody_works_is_not_known(self, host: Host):
        host.profiles({"kind": "temporary"})
        assert host.users.outcome is UNKNOWN

    def test_a_manual_proxy_beside_the_script_is_not_told(self, host: Host):
        host.evaluations = {}
        host.profiles({**DOUBLE, "proxy_override": "*.hemmelig.example"})
        host.proxy["scripts"] = []
        told = json.dumps(host.users.to_dict())
        assert "hemmelig" not in told
        assert "sikker.proxy" not in told

    def test_credentials_are_not_told(self, host: Host):
        host.profiles({"proxy_enable": 1, "proxy_server": "kari:hemmelig@x.example:80", "auto_config_url": None})
        told = json.dumps(host.users.to_dict())
        assert "hemmelig" not in told
        assert "PROXY x.example:80" in told


class TestViews:
    def test_registry_and_binary_that_differ_block(self, host: Host):
        host.profiles({"connections": binary(1).hex()})
        check = host.users
        assert (check.blocks, remedies(check)) == (True, ["P5.disagreeing"])
        assert check.observed == "direct: profile 1; connections and registry disagree: profile 1"
        assert check.evidence["profiles"]["1"]["disagree"] == ["connections and registry"]
        assert check.evidence["profiles"]["1"]["takes"][P1] == {"ours": "DIRECT", "host": None}

    def test_the_users_programs_go_by_the_binary(self, host: Host):
        host.profiles({"connections": binary(7, script=SCRIPT, proxy=MANUAL).hex()})
        assert remedies(host.users) == ["P5.double", "P5.disagreeing"]

    def test_what_other_connections_have_is_a_warning(self, host: Host):
        host.profiles(
            {}, {"connections": binary(5, script=SCRIPT).hex(), "saved": binary(7, script=SCRIPT, proxy=MANUAL).hex()}
        )
        check = host.users
        assert (check.outcome, check.severity, remedies(check)) == (FAIL, Severity.WARNING, ["P5.saved"])
        assert check.observed == (
            "script_only: profile 1, 2; connections and saved disagree: profile 2; "
            f"registry and saved disagree: profile 2; {FALLBACK}"
        )

    @pytest.mark.parametrize(
        ("change", "blocks"),
        [
            (DOUBLE, True),
            ({"auto_config_url": None}, False),
            ({"connections": binary(1).hex()}, True),
            ({"saved": binary(1).hex()}, False),
        ],
    )
    def test_what_a_policy_sets_is_no_users_to_change(self, host: Host, change: dict[str, Any], blocks: bool):
        host.profiles({**change, "policy": True})
        check = host.users
        assert (check.blocks, remedies(check)) == (blocks, ["P5.managed"])
        assert "styrt sentralt" in check.remedy


class TestMachine:
    def test_the_machines_own_values_count_where_a_policy_makes_them_those_of_all(self, host: Host):
        host.profiles({}, DOUBLE)
        host.proxy.update(per_machine=True)
        host.proxy["machine"].update(proxy_enable=1, proxy_server=MANUAL, auto_config_url=SCRIPT)
        check = host.users
        assert (check.blocks, remedies(check)) == (True, ["P5.managed"])
        assert check.observed == (
            f"double: the machine; {FALLBACK}; told only: double: profile 2; told only: script_only: profile 1"
        )
        assert check.evidence["profiles"]["machine"]["setup"] == "double"

    def test_the_machine_is_well(self, host: Host):
        host.profiles(DOUBLE)
        host.proxy.update(per_machine=True)
        host.proxy["machine"].update(auto_config_url=SCRIPT)
        assert host.users.outcome is PASS

    def test_profiles_that_are_not_known_do_not_matter_then(self, host: Host):
        host.proxy.update(per_machine=True, profiles=None)
        host.proxy["machine"].update(auto_config_url=SCRIPT)
        assert host.users.outcome is PASS

    def test_a_machine_that_is_not_known(self, host: Host):
        host.proxy.update(per_machine=True, machine=None)
        assert (host.users.outcome, host.users.blocks) == (UNKNOWN, True)

    @pytest.mark.parametrize("per_machine", [False, None])
    def test_else_they_do_not(self, host: Host, per_machine: bool | None):
        host.proxy.update(per_machine=per_machine)
        host.proxy["machine"].update(proxy_enable=1, proxy_server=MANUAL, auto_config_url=SCRIPT)
        assert host.users.outcome is PASS


class TestScript:
    def test_another_answer_of_the_host_is_told(self, host: Host):
        host.proxy["scripts"][0]["answers"][1]["proxy"] = "DIRECT"
        check = host.users
        assert (check.outcome, check.severity, remedies(check)) == (FAIL, Severity.WARNING, ["P5.difference"])
        assert check.observed == (
            "script_only: profile 1; https://dipsupsvr.dips.no: PROXY sikker.proxy.nhn.no:8080, else DIRECT by our "
            f"evaluation, DIRECT by the host's; {FALLBACK}"
        )
        assert check.who == "us"

    @pytest.mark.parametrize("answer", [f"{MANUAL};y.example:1", f"proxy {MANUAL}", f"http://{MANUAL}/", None, "?!"])
    def test_the_same_first_way_is_no_difference_and_neither_is_none(self, host: Host, answer: str | None):
        for found in host.proxy["scripts"][0]["answers"]:
            found["proxy"] = answer
        assert host.users.outcome is PASS

    def test_an_answer_is_found_however_the_address_is_written(self, host: Host):
        host.proxy["scripts"][0]["answers"] = [{"url": "HTTPS://Interactor.dips.no/", "proxy": "DIRECT", "error": None}]
        assert remedies(host.users) == ["P5.difference"]

    @pytest.mark.parametrize("lacks", [[], None])
    def test_a_host_that_gives_no_answer(self, host: Host, lacks: list[Any] | None):
        host.proxy["scripts"][0]["answers"] = lacks
        assert host.users.outcome is PASS

    def test_a_script_that_fails_is_ours(self, host: Host):
        host.evaluations[SCRIPT, P1] = Evaluation(error="the script took over 2 seconds of the processor")
        check = host.users
        assert (check.severity, remedies(check), check.who) == (Severity.WARNING, ["P5.script"], "us")
        assert "the script fails for https://interactor.dips.no: the script took over" in check.observed
        assert check.evidence["profiles"]["1"]["takes"][P1]["error"]

    def test_names_that_the_facts_do_not_know_are_told(self, host: Host):
        host.evaluations[SCRIPT, P1] = Evaluation(THROUGH, unknown=("b.intern", "a.intern"))
        check = host.users
        assert check.outcome is PASS
        assert check.observed.endswith("; asked for by the script and not known: a.intern, b.intern")
        assert check.evidence["profiles"]["1"]["takes"][P1]["unknown"] == ["b.intern", "a.intern"]

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"status": 404}, "it answers 404"),
            ({"status": 404, "text": "<html>not found</html>"}, "it answers 404"),
            ({"status": 200}, "it answers 200"),
            ({"status": 0, "error": "timed out"}, "timed out"),
        ],
    )
    def test_without_the_script_windows_goes_on_with_what_is_left(self, host: Host, changes: dict[str, Any], told: str):
        host.proxy["scripts"][0].update({"text": None, **changes})
        host.profiles({}, {**DOUBLE, "proxy_override": "<local>"})
        check = host.users
        assert remedies(check) == ["P5.double", "P5.unfetched"]
        assert f"the script is not fetched: {told}" in check.observed
        takes = [check.evidence["profiles"][number]["takes"][P1]["ours"] for number in ("1", "2")]
        assert takes == ["DIRECT", f"PROXY {MANUAL}"]

    def test_a_script_that_is_not_fetched_is_a_warning(self, host: Host):
        host.proxy["scripts"][0].update(text=None, error="timed out")
        check = host.users
        assert (check.severity, remedies(check), check.who) == (Severity.WARNING, ["P5.unfetched"], "site")

    @pytest.mark.parametrize(
        "changes",
        [
            {"status": None},
            {"status": 0, "error": "no time was left to ask"},
            {"status": 0, "error": "no more than 6 scripts are asked for"},
        ],
    )
    def test_a_script_of_which_nothing_is_known_is_no_finding(self, host: Host, changes: dict[str, Any]):
        host.proxy["scripts"][0].update(changes, text=None, answers=None)
        host.evaluations = {}
        assert host.users.outcome is PASS

    def test_a_script_that_nobody_works_with_is_no_finding(self, host: Host):
        host.proxy["scripts"].append({**SCRIPTS[0], "url": OTHER, "text": None, "error": "gone"})
        host.profiles({}, {"auto_config_url": OTHER, "kind": "temporary"})
        assert host.users.outcome is PASS


class TestLength:
    @pytest.mark.parametrize("characters", [65_535, 65_536])
    def test_a_script_that_came_whole_is_what_our_evaluation_says(self, host: Host, characters: int):
        host.proxy["scripts"][0].update(text="f" * characters, characters=characters)
        assert host.users.outcome is PASS
        host.evaluations[SCRIPT, P1] = Evaluation(error="SyntaxError")
        assert remedies(host.users) == ["P5.script"]

    def test_one_that_is_too_long_is_told_as_that_and_goes_by_the_hosts_answer(self, host: Host):
        host.proxy["scripts"][0].update(text=None, characters=65_537)
        host.evaluations = {}
        check = host.users
        assert (check.severity, remedies(check), check.who) == (Severity.WARNING, ["P5.long"], "us")
        told = f"{SCRIPT} has 65,537 characters, 65,536 are brought home: not evaluated"
        assert check.observed == f"script_only: profile 1; {told}"
        assert check.evidence["profiles"]["1"]["takes"][P1] == {"ours": None, "host": f"PROXY {MANUAL}"}

    def test_a_page_in_place_of_a_script_is_no_long_script(self, host: Host):
        host.proxy["scripts"][0].update(text=None, characters=70_000, status=404)
        assert remedies(host.users) == ["P5.unfetched"]


WPAD = "http://wpad.kontor.example/wpad.dat"


class Detecting(Host):
    """A host whose user has automatic detection ticked beside the script, in a network that has a script of its own."""

    def __init__(self, site: Site, contract: dict[str, Any]) -> None:
        super().__init__(site, contract)
        self.profiles({"connections": binary(13, script=SCRIPT).hex()})
        self.proxy["detected"] = {"url": WPAD, "error": None}
        answers = [{"url": url, "proxy": "PROXY inne.example:3128", "error": None} for url in URLS]
        self.proxy["scripts"].append({**SCRIPTS[0], "url": WPAD, "answers": answers})
        self.evaluations |= {(WPAD, url): Evaluation(("PROXY inne.example:3128",)) for url in URLS}


@pytest.fixture
def detecting(make_site: MakeSite, contract: dict[str, Any]) -> Detecting:
    return Detecting(make_site(), contract)


class TestDetection:
    def test_another_way_of_the_detected_script_is_a_warning(self, detecting: Host):
        check = detecting.users
        assert (check.outcome, check.severity, remedies(check)) == (FAIL, Severity.WARNING, ["P5.detected"])
        assert check.observed == (
            f"script_only: profile 1; automatic detection finds {WPAD}, which comes first; "
            f"{P1}: PROXY inne.example:3128 in place of PROXY sikker.proxy.nhn.no:8080, else DIRECT; "
            f"{P2}: PROXY inne.example:3128 in place of PROXY sikker.proxy.nhn.no:8080, else DIRECT"
        )
        assert check.evidence["detected"] == {"url": WPAD}
        shown = check.evidence["profiles"]["1"]
        way = {"ours": "PROXY inne.example:3128", "host": "PROXY inne.example:3128"}
        assert (shown["detects"], shown["takes"]) == (True, {P1: way, P2: way})

    def test_the_same_first_way_is_told_and_is_no_finding(self, detecting: Host):
        for url in URLS:
            detecting.evaluations[WPAD, url] = Evaluation(THROUGH[:1])
        detecting.proxy["scripts"][1]["answers"] = []
        check = detecting.users
        assert check.outcome is PASS
        told = f"automatic detection finds {WPAD}, which comes first and leads the same way"
        assert check.observed == f"script_only: profile 1; {told}"

    def test_one_page_that_goes_another_way_is_enough(self, detecting: Host):
        detecting.evaluations[WPAD, P1] = Evaluation(THROUGH)
        detecting.proxy["scripts"][1]["answers"] = []
        check = detecting.users
        assert remedies(check) == ["P5.detected"]
        assert f"; {P1}: PROXY" not in check.observed
        assert f"; {P2}: PROXY" in check.observed

    @pytest.mark.parametrize(
        ("set_up", "own"),
        [(binary(9), "DIRECT"), (binary(11, "m.example:8080"), "PROXY m.example:8080")],
    )
    def test_it_goes_before_a_manual_proxy_and_before_none(self, detecting: Host, set_up: bytes, own: str):
        detecting.profiles({"connections": set_up.hex(), "proxy_enable": None})
        check = detecting.users
        assert remedies(check) == ["P5.other", "P5.detected"]
        assert f"{P1}: PROXY inne.example:3128 in place of {own};" in check.observed
        assert check.evidence["profiles"]["1"]["takes"][P1]["ours"] == "PROXY inne.example:3128"

    def test_who_has_not_ticked_it_is_not_touched(self, detecting: Host):
        detecting.profiles({}, {"connections": binary(5, script=SCRIPT).hex()})
        check = detecting.users
        assert (check.outcome, "detected" in check.evidence) == (PASS, False)
        assert "automatic detection" not in check.observed

    @pytest.mark.parametrize(
        "detected", [None, {"url": None, "error": None}, {"url": None, "error": "the service has not been started"}]
    )
    def test_nothing_found_is_without_effect(self, detecting: Host, detected: dict[str, Any] | None):
        detecting.proxy["detected"] = detected
        check = detecting.users
        assert (check.outcome, check.observed) == (PASS, f"script_only: profile 1; {FALLBACK}")
        error = detected and detected["error"]
        assert check.evidence.get("detected") == ({"error": error} if error else None)

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"status": 404, "text": None}, "is not fetched: it answers 404"),
            ({"status": 0, "text": None, "error": "timed out"}, "is not fetched: timed out"),
            ({"status": 0, "text": None, "error": "no time was left to ask"}, "was not asked for"),
        ],
    )
    def test_a_detected_script_that_is_not_had_is_told_and_windows_goes_on(
        self, detecting: Host, changes: dict[str, Any], told: str
    ):
        detecting.proxy["scripts"][1].update(changes)
        check = detecting.users
        assert check.outcome is PASS
        assert f"automatic detection names {WPAD}, which {told}" in check.observed
        assert check.evidence["profiles"]["1"]["takes"][P1]["ours"] == "; ".join(THROUGH)

    def test_a_page_in_place_of_a_detected_script_is_told_and_windows_goes_on(self, detecting: Host):
        for url in URLS:
            detecting.evaluations[WPAD, url] = Evaluation(error="SyntaxError")
        failed = {"proxy": None, "error": "WinHTTP: bad script"}
        detecting.proxy["scripts"][1]["answers"] = [{"url": url, **failed} for url in URLS]
        check = detecting.users
        assert check.outcome is PASS
        assert f"automatic detection names {WPAD}, which fails: SyntaxError" in check.observed
        assert check.evidence["profiles"]["1"]["takes"][P1]["ours"] == "; ".join(THROUGH)
        detecting.evaluations = dict(EVALUATIONS)
        assert "which fails: WinHTTP: bad script" in detecting.users.observed

    def test_a_detected_script_that_fails_only_for_us_or_is_too_long_is_ours(self, detecting: Host):
        for url in URLS:
            detecting.evaluations[WPAD, url] = Evaluation(error="SyntaxError")
        assert remedies(detecting.users) == ["P5.script", "P5.detected"]
        detecting.proxy["scripts"][1].update(text=None, characters=99_999, answers=[])
        detecting.evaluations = dict(EVALUATIONS)
        check = detecting.users
        assert remedies(check) == ["P5.long"]
        assert check.observed.endswith(f"automatic detection finds {WPAD}, which comes first")

    def test_the_hosts_answer_counts_where_we_have_none(self, detecting: Host):
        detecting.evaluations = {}
        check = detecting.users
        assert remedies(check) == ["P5.detected"]
        assert f"{P1}: PROXY inne.example:3128 in place of PROXY {MANUAL}" in check.observed

    def test_ways_of_which_nothing_is_known_are_not_the_same(self, detecting: Host):
        detecting.evaluations = {}
        for script in detecting.proxy["scripts"]:
            script["answers"] = []
        check = detecting.users
        assert check.outcome is PASS
        assert check.observed.endswith(f"automatic detection finds {WPAD}, which comes first")

    def test_the_wanted_script_found_by_detection_leads_the_same_way(self, detecting: Host):
        detecting.proxy["detected"]["url"] = SCRIPT
        assert detecting.users.outcome is PASS

    def test_a_profile_that_nobody_works_with_finds_nothing(self, detecting: Host):
        ticked = {"connections": binary(13, script=SCRIPT).hex()}
        detecting.profiles({}, {**ticked, "kind": "temporary"})
        check = detecting.users
        assert check.outcome is PASS
        assert check.evidence["profiles"]["2"]["takes"][P1]["ours"] == "PROXY inne.example:3128"


class TestWays:
    def test_every_view_that_says_another_thing_has_its_ways_told(self, host: Host):
        saved, registry = binary(5, script=OTHER), {"auto_config_url": None}
        host.profiles({"connections": binary(5, script=SCRIPT).hex(), "saved": saved.hex(), **registry})
        host.proxy["scripts"].append({**SCRIPTS[0], "url": OTHER, "answers": []})
        host.evaluations |= {(OTHER, url): Evaluation(("PROXY vpn.example:1",)) for url in URLS}
        shown = host.users.evidence["profiles"]["1"]
        assert shown["takes"][P1]["ours"] == "; ".join(THROUGH)
        assert {view: ways[P1] for view, ways in shown["otherwise"].items()} == {
            "saved": {"ours": "PROXY vpn.example:1", "host": None},
            "registry": {"ours": "DIRECT", "host": None},
        }

    def test_what_comes_only_after_the_first_is_said_in_words(self, host: Host):
        host.evaluations[SCRIPT, P2] = Evaluation((f"PROXY {MANUAL}", "PROXY b.example:2", "DIRECT"))
        assert host.users.observed == (
            f"script_only: profile 1; PROXY {MANUAL}, else DIRECT for {P1}; "
            f"PROXY {MANUAL}, else PROXY b.example:2, else DIRECT for {P2}"
        )

    def test_one_way_needs_no_words(self, host: Host):
        host.evaluations = {(SCRIPT, url): Evaluation(THROUGH[:1]) for url in URLS}
        assert host.users.observed == "script_only: profile 1"

    @pytest.mark.parametrize(
        ("error", "why"),
        [
            ("ConnectFailure: x", "refused"),
            ("Timeout: x", "timed_out"),
            ("ProxyNameResolutionFailure: x", "proxy"),
        ],
    )
    def test_a_first_way_that_does_not_answer_is_a_warning(self, host: Host, error: str, why: str):
        host.pages = [page_by(SCRIPT, MANUAL, error)]
        check = host.users
        assert (check.severity, remedies(check), check.who) == (Severity.WARNING, ["P5.first"], "site")
        told = f"PROXY {MANUAL} does not bring {P1} ({why}); what comes after it is tried then: DIRECT"
        assert check.observed == f"script_only: profile 1; {told}; {FALLBACK}"
        assert check.evidence["profiles"]["1"]["takes"][P1]["unanswered"] == why
        host.evaluations[SCRIPT, P1] = Evaluation(THROUGH[:1])
        assert "(" + why + "); there is no other way" in host.users.observed

    def test_a_page_that_the_host_asked_for_in_another_way_than_ours_is_a_difference_alone(self, host: Host):
        host.pages = [page_by(SCRIPT, MANUAL, "Timeout")]
        host.evaluations[SCRIPT, P1] = Evaluation(("DIRECT",))
        assert remedies(host.users) == ["P5.difference"]

    @pytest.mark.parametrize(
        "page",
        [
            {"error": None},
            {"error": "TrustFailure: the page's own"},
            {"way": "direct", "error": "Timeout"},
            {"proxy": None, "error": "Timeout"},
            {"script": OTHER, "error": "Timeout"},
        ],
    )
    def test_what_says_nothing_of_the_first_way(self, host: Host, page: dict[str, Any]):
        host.pages = [{**page_by(SCRIPT, MANUAL, None), **page}]
        assert host.users.outcome is PASS


def page_by(script: str, proxy: str, error: str | None) -> dict[str, Any]:
    """What the judge of proxies reads of a page that was asked for as a script says."""
    return {"way": "script", "script": script, "proxy": proxy, "url": P1, "error": error}


class TestOtherPrograms:
    def test_winhttp(self, host: Host):
        host.proxy["winhttp"] = WINHTTP
        check = host.machine
        assert (check.outcome, check.severity, remedies(check)) == (FAIL, Severity.WARNING, ["P5.winhttp"])
        assert check.evidence["winhttp"] == dict.fromkeys(URLS, f"PROXY {MANUAL}")
        assert host.users.outcome is PASS

    def test_a_script_of_winhttp_is_told_and_is_no_manual_proxy(self, host: Host):
        host.proxy["winhttp"] = WINHTTP_SCRIPT
        check = host.machine
        assert (check.outcome, check.observed) == (PASS, f"WinHTTP: the script {SCRIPT}")
        assert check.evidence["winhttp_script"][P1]["ours"] == "; ".join(THROUGH)

    @pytest.mark.parametrize("name", ["http_proxy", "https_proxy"])
    def test_the_environment(self, host: Host, name: str):
        host.proxy["environment"][name] = f"http://kari:hemmelig@{MANUAL}"
        check = host.machine
        assert (check.outcome, check.severity, remedies(check)) == (FAIL, Severity.WARNING, ["P5.environment"])
        assert check.observed == f"environment: {name}"
        assert "hemmelig" not in json.dumps(check.to_dict())

    def test_both(self, host: Host):
        host.proxy["winhttp"] = WINHTTP
        host.proxy["environment"]["http_proxy"] = MANUAL
        assert remedies(host.machine) == ["P5.winhttp", "P5.environment"]

    @pytest.mark.parametrize("value", ["", NO_WINHTTP])
    def test_none(self, host: Host, value: str):
        host.proxy["winhttp"] = value
        host.proxy["environment"]["no_proxy"] = "localhost"
        host.proxy["environment"]["http_proxy"] = " "
        assert (host.machine.outcome, host.machine.observed) == (PASS, "no manual proxy")

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"winhttp": None}, "WinHTTP not found out"),
            ({"winhttp": "00"}, "WinHTTP not found out"),
            ({"environment": None}, "environment not found out"),
        ],
    )
    def test_not_known(self, host: Host, changes: dict[str, Any], told: str):
        host.proxy.update(changes)
        check = host.machine
        assert (check.outcome, check.blocks, check.observed) == (UNKNOWN, False, told)


def test_nothing_at_all_is_known(host: Host):
    host.proxy = None  # type: ignore[assignment]
    assert {check.outcome for check in host.judge().values()} == {UNKNOWN}


@pytest.mark.parametrize("language", ["nb", "nn"])
def test_every_remedy_is_told_in_both_languages(make_site: MakeSite, contract: dict[str, Any], language: str):
    host = Host(make_site(language=language), contract)
    host.profiles({"connections": binary(7, script=SCRIPT, proxy=MANUAL).hex()}, {"auto_config_url": None})
    host.proxy["scripts"][0]["answers"][0]["proxy"] = "DIRECT"
    check = host.users
    texts = [REMEDIES[code].text(language, {"script": SCRIPT}) for code in remedies(check)]
    assert check.remedy == " ".join(texts)
    assert len(texts) == 4


texts = (
    st.none() | st.text(max_size=20) | st.sampled_from([SCRIPT, OTHER, MANUAL, "http=a:1;socks=b", "[", "http://[", ""])
)
whole = [binary(7, MANUAL, "<local>", SCRIPT).hex(), binary(13, script=OTHER).hex(), WINHTTP, WINHTTP_SCRIPT, "00", ""]
blobs = st.none() | st.sampled_from(whole) | st.text(max_size=9)
flags = st.none() | st.booleans()
values = {
    "proxy_enable": st.none() | st.integers(0, 2),
    **dict.fromkeys(("proxy_server", "proxy_override", "auto_config_url", "error"), texts),
    **dict.fromkeys(("connections", "saved"), blobs),
}
profiles = st.fixed_dictionaries(
    {"kind": st.sampled_from(["local", "temporary", None]), "loaded": flags, "policy": flags, **values}
)
scripts = st.fixed_dictionaries(
    {
        "url": texts,
        "status": st.none() | st.just(200),
        "text": texts,
        "characters": st.none() | st.integers(0, 100_000),
        "error": texts,
        "answers": st.none()
        | st.lists(st.fixed_dictionaries({"url": st.sampled_from(URLS), "proxy": texts, "error": texts}), max_size=2),
    }
)
sections = st.fixed_dictionaries(
    {
        "profiles": st.none()
        | st.lists(profiles, max_size=3).map(lambda all_: [{**one, "profile": n} for n, one in enumerate(all_, 1)]),
        "per_machine": flags,
        "machine": st.none() | st.fixed_dictionaries(values),
        "winhttp": blobs,
        "detected": st.none() | st.fixed_dictionaries({"url": texts, "error": texts}),
        "environment": st.none()
        | st.fixed_dictionaries(dict.fromkeys(("http_proxy", "https_proxy", "no_proxy"), texts)),
        "scripts": st.none() | st.lists(scripts, max_size=2),
    }
)


@settings(deadline=None, max_examples=300, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sections)
def test_whatever_a_host_tells_it_is_judged(host: Host, section: dict[str, Any]):
    host.proxy = section
    for check in host.judge().values():
        json.dumps(check.to_dict())
        assert bool(check.remedy) is (check.outcome in (FAIL, UNKNOWN))
        assert check.observed
