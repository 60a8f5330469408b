# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS and DNS: what is wrong with an end point, for whom it matters, and what a name leads to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.checks import CheckResult
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.net_checks import (
    judge_dns,
    judge_tls,
    needed_hosts,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import CheckOutcome, Severity

MakeSite = Callable[..., Site]
PASS, FAIL, UNKNOWN = CheckOutcome.PASS, CheckOutcome.FAIL, CheckOutcome.UNKNOWN
BLOCKER, WARNING = Severity.BLOCKER, Severity.WARNING
FIRST, SECOND, OTHER = "interactor.dips.no", "dipsupsvr.dips.no", "speedtest.dips.no"
GOOD: dict[str, Any] = {"name": FIRST, "protocol": "Tls12", "trusted": True, "issuer": "O=Buypass", "error": None}


class TestTls:
    @pytest.fixture
    def judge(self, make_site: MakeSite, contract: dict[str, Any]) -> Callable[..., CheckResult]:
        def judge(*endpoints: dict[str, Any], enabled: bool | None = True, role: str = "server", **changes: Any):
            tls = {"enabled": enabled, "endpoints": [{**GOOD, **each} for each in endpoints]}
            return judge_tls({"tls": tls}, make_site(**changes), role, contract)

        return judge

    def test_all_is_well(self, judge: Callable[..., CheckResult]):
        check = judge({}, {"name": OTHER, "protocol": "Tls13"})
        assert (check.outcome, check.observed, check.severity) == (PASS, "well with 2 end points", WARNING)

    @pytest.mark.parametrize("protocol", ["Ssl3", "Ssl2", "Tls", "Tls10", "Tls11", "TLS 1.0", "TLSv1.1", "tls1"])
    def test_an_old_protocol_fails(self, judge: Callable[..., CheckResult], protocol: str):
        check = judge({"protocol": protocol})
        assert (check.outcome, check.severity, check.evidence["remedies"]) == (FAIL, BLOCKER, ["TLS.old"])
        assert FIRST in check.remedy

    @pytest.mark.parametrize("protocol", ["Tls12", "Tls13", "TLS 1.2", "TLSv1.3", "Default"])
    def test_a_new_one_does_not(self, judge: Callable[..., CheckResult], protocol: str):
        assert judge({"protocol": protocol}).outcome is PASS

    @pytest.mark.parametrize(
        ("endpoint", "remedy"),
        [
            ({"protocol": None, "trusted": None, "error": "SecureChannelFailure: x"}, "TLS.old"),
            ({"trusted": False}, "TLS.root"),
            ({"protocol": None, "trusted": None, "error": "TrustFailure: x"}, "TLS.root"),
            ({"trusted": False, "protocol": "Tls11"}, "TLS.old"),
        ],
    )
    def test_what_is_wrong_with_an_end_point(
        self, judge: Callable[..., CheckResult], endpoint: dict[str, Any], remedy: str
    ):
        check = judge(endpoint, {"name": OTHER})
        assert (check.outcome, check.evidence["remedies"]) == (FAIL, [remedy])
        assert check.evidence["faults"] == {remedy: [FIRST]}

    @pytest.mark.parametrize(
        "endpoint",
        [
            {"protocol": None, "trusted": None},
            {"protocol": "Tls12", "trusted": None},
            {"protocol": None, "trusted": None, "error": "Timeout: x"},
            {"protocol": None, "trusted": None, "error": "NameResolutionFailure: x"},
        ],
    )
    def test_an_end_point_that_was_not_reached_tells_nothing(
        self, judge: Callable[..., CheckResult], endpoint: dict[str, Any]
    ):
        check = judge(endpoint)
        assert (check.outcome, check.severity) == (UNKNOWN, WARNING)
        assert judge(endpoint, {"name": OTHER}).outcome is PASS

    def test_tls_12_that_is_switched_off(self, judge: Callable[..., CheckResult]):
        check = judge({"protocol": None, "trusted": None, "error": "SecureChannelFailure: x"}, enabled=False)
        assert (check.outcome, check.severity, check.evidence["remedies"]) == (FAIL, BLOCKER, ["TLS.off"])
        assert judge(enabled=False).observed == "TLS 1.2 is switched off"
        assert judge({}, enabled=None).outcome is PASS

    @pytest.mark.parametrize(
        ("name", "role", "mode", "severity"),
        [
            (FIRST, "client", "server_in_cloud", BLOCKER),
            ("INTERACTOR.dips.no", "client", "server_in_cloud", BLOCKER),
            (SECOND, "client", "server_in_cloud", WARNING),
            (SECOND, "server", "server_in_cloud", BLOCKER),
            (SECOND, "server", "second", WARNING),
            (OTHER, "server", "server_in_cloud", WARNING),
            (None, "server", "server_in_cloud", WARNING),
        ],
    )
    def test_it_blocks_where_the_host_needs_the_name(
        self, judge: Callable[..., CheckResult], name: str | None, role: str, mode: str, severity: Severity
    ):
        check = judge({"name": name, "trusted": False}, role=role, mode=mode)
        assert (check.outcome, check.severity) == (FAIL, severity)

    @pytest.mark.parametrize("tls", [None, {"enabled": None, "endpoints": None}, {"enabled": True, "endpoints": []}])
    def test_what_could_not_be_found_out_does_not_block(
        self, make_site: MakeSite, contract: dict[str, Any], tls: dict[str, Any] | None
    ):
        check = judge_tls({"tls": tls}, make_site(), "server", contract)
        assert (check.outcome, check.blocks) == (UNKNOWN, False)

    def test_the_end_point_of_the_mode_is_needed(self, make_site: MakeSite, contract: dict[str, Any]):
        contract["config"]["modes"]["second"] = {"mode": "to", "endpoint": "https://To.example/inn"}
        assert needed_hosts(make_site(mode="second"), "server", contract) == {FIRST, "to.example"}
        assert needed_hosts(make_site(mode="second"), "client", contract) == {FIRST}


class TestDns:
    @pytest.fixture
    def judge(self, make_site: MakeSite) -> Callable[..., CheckResult]:
        def judge(*names: dict[str, Any]) -> CheckResult:
            told = [{"name": FIRST, "addresses": ["192.0.2.1"], "error": None, **each} for each in names]
            return judge_dns({"dns": told}, make_site())

        return judge

    @pytest.mark.parametrize(
        ("each", "outcome", "remedies"),
        [
            ({}, PASS, None),
            ({"addresses": ["10.20.1.5"]}, PASS, None),
            ({"addresses": ["127.0.0.1", "192.0.2.1"]}, PASS, None),
            ({"addresses": ["what?"]}, PASS, None),
            ({"addresses": ["0.0.0.0"]}, FAIL, ["DNS.blocked"]),
            ({"addresses": ["127.0.0.1", "::1", "::"]}, FAIL, ["DNS.blocked"]),
            ({"addresses": []}, FAIL, ["DNS.missing"]),
            ({"addresses": None, "error": "DNS name does not exist"}, FAIL, ["DNS.missing"]),
            ({"addresses": None}, UNKNOWN, ["UNKNOWN"]),
        ],
    )
    def test_a_name(
        self,
        judge: Callable[..., CheckResult],
        each: dict[str, Any],
        outcome: CheckOutcome,
        remedies: list[str] | None,
    ):
        check = judge({"name": OTHER}, each)
        assert (check.outcome, check.evidence.get("remedies"), check.severity) == (outcome, remedies, WARNING)
        assert (FIRST in check.remedy) == (outcome is FAIL)

    def test_all_that_is_wrong_is_told_together(self, judge: Callable[..., CheckResult]):
        check = judge({"addresses": []}, {"name": OTHER, "addresses": ["0.0.0.0"]}, {"name": None, "addresses": None})
        assert check.observed == f"not found: {FIRST}; kept away: {OTHER}; not known: ?"
        assert check.evidence["remedies"] == ["DNS.missing", "DNS.blocked"]

    @pytest.mark.parametrize("dns", [None, []])
    def test_nothing_is_unknown(self, make_site: MakeSite, dns: list[Any] | None):
        assert judge_dns({"dns": dns}, make_site()).outcome is UNKNOWN
