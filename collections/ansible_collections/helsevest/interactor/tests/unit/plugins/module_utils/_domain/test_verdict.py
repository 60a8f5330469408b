# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts of hosts and sites, and what a site owes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import combinations_with_replacement
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.owes import owes, warnings
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.results import CheckResult, result
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site, Waiver
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.verdict import (
    Finding,
    HostMeasurement,
    SiteVerdict,
    Validity,
    findings_of,
    host_verdict,
    site_verdict,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import Severity, Verdict

MakeSite = Callable[..., Site]
SERVER, PC1, PC2 = "1001-server", "1001-pc1", "1001-pc2"
MINUTE = timedelta(minutes=1)
MEASURED_ONLY = Validity(confirmed=timedelta(0))


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    return make_site()


def a_check(
    site: Site, name: str = "P8", outcome: bool | None = False, severity: Severity = Severity.BLOCKER
) -> CheckResult:
    remedy = {"P4": "P4.missing", "P5": "P5.double", "P7": "P7.undated"}.get(name, "P8.sleep")
    return result(
        site, name, outcome, observed="seen", expected="wanted", severity=severity, remedies=[remedy], script="s"
    )


def measured(host: str, at: datetime, *checks: CheckResult, **changes: object) -> HostMeasurement:
    role = "server" if host == SERVER else "client"
    fields: dict[str, Any] = {"origin": "measured", "reached": True, "error": None, **changes}
    return HostMeasurement(host=host, role=role, at=at, checks=checks, **fields)


def off(host: str, at: datetime, **changes: object) -> HostMeasurement:
    return measured(host, at, reached=False, **{"cause": "timeout", **changes})


def judge(
    site: Site, now: datetime, *measurements: HostMeasurement, register: tuple[CheckResult, ...] = ()
) -> SiteVerdict:
    found = site_verdict(site, measurements, register, now, MEASURED_ONLY)
    assert found is not None
    return found


def ids(verdict: SiteVerdict) -> list[tuple[str | None, str]]:
    return [(finding.host, finding.check.id) for finding in verdict.findings]


class TestHost:
    def test_worst_first(self, site: Site):
        bad = [a_check(site)]
        assert host_verdict(False, "broken", bad) is Verdict.ERROR
        assert host_verdict(True, "", bad) is Verdict.ERROR
        assert host_verdict(False, None, bad) is Verdict.UNREACHABLE
        assert host_verdict(True, None, bad) is Verdict.NOT_READY
        assert host_verdict(True, None, []) is Verdict.READY

    @pytest.mark.parametrize(
        ("outcome", "severity", "verdict"),
        [
            (True, Severity.BLOCKER, Verdict.READY),
            (None, Severity.BLOCKER, Verdict.NOT_READY),
            (False, Severity.WARNING, Verdict.READY),
            (None, Severity.WARNING, Verdict.READY),
            (False, Severity.INFO, Verdict.READY),
        ],
    )
    def test_only_blockers_count(self, site: Site, outcome: bool | None, severity: Severity, verdict: Verdict):
        check = a_check(site, outcome=outcome, severity=severity)
        assert host_verdict(True, None, [check]) is verdict


class TestSite:
    def test_nothing_before_the_server_was_measured(self, site: Site, now: datetime):
        assert site_verdict(site, [], [], now, Validity()) is None
        assert site_verdict(site, [measured(PC1, now)], [a_check(site, "P4")], now, Validity()) is None

    def test_ready(self, site: Site, now: datetime):
        found = judge(site, now, measured(SERVER, now), measured(PC1, now), measured(PC2, now))
        assert found == SiteVerdict(Verdict.READY, (), False, now)

    @pytest.mark.parametrize("pair", list(combinations_with_replacement(Verdict, 2)))
    def test_the_worst_of_server_and_client_counts(
        self, make_site: MakeSite, now: datetime, pair: tuple[Verdict, Verdict]
    ):
        site = make_site(clients=("pc1",))

        def shown(host: str, verdict: Verdict) -> HostMeasurement:
            match verdict:
                case Verdict.ERROR:
                    return measured(host, now, error="broken")
                case Verdict.UNREACHABLE:
                    return off(host, now)
                case Verdict.NOT_READY:
                    return measured(host, now, a_check(site))
                case _:
                    return measured(host, now)

        # A client that was never reached is a blocker, not an unreachable site: the server is what must answer.
        counts = {Verdict.UNREACHABLE: Verdict.NOT_READY}
        for server, client in (pair, pair[::-1]):
            found = judge(site, now, shown(SERVER, server), shown(PC1, client))
            assert found.verdict is min(server, counts.get(client, client), key=list(Verdict).index)

    def test_the_register_counts(self, site: Site, now: datetime):
        hosts = [measured(host, now) for host in (SERVER, PC1, PC2)]
        found = judge(site, now, *hosts, register=(a_check(site, "P4"),))
        assert found.verdict is Verdict.NOT_READY
        assert ids(found) == [(None, "P4")]

    def test_the_latest_of_the_server_counts_in_whatever_order(self, site: Site, now: datetime):
        clients = [measured(PC1, now), measured(PC2, now)]
        history = [off(SERVER, now - MINUTE), measured(SERVER, now - 2 * MINUTE, a_check(site)), measured(SERVER, now)]
        assert judge(site, now, *history, *clients).verdict is Verdict.READY
        assert (
            judge(site, now, measured(SERVER, now - 2 * MINUTE), off(SERVER, now), *clients).verdict
            is Verdict.UNREACHABLE
        )

    def test_a_pc_that_is_merely_off_keeps_its_result(self, site: Site, now: datetime):
        server, pc2 = measured(SERVER, now), measured(PC2, now)
        kept = judge(site, now, server, pc2, measured(PC1, now - timedelta(days=3)), off(PC1, now))
        assert kept.verdict is Verdict.READY
        kept = judge(site, now, server, pc2, measured(PC1, now - timedelta(days=3), a_check(site, "P5")), off(PC1, now))
        assert ids(kept) == [(PC1, "P5")]

    def test_our_error_does_not_take_a_clients_result_away(self, site: Site, now: datetime):
        hosts = [measured(SERVER, now), measured(PC2, now)]
        broken = measured(PC1, now, error="broken")
        assert judge(site, now, *hosts, measured(PC1, now - MINUTE), broken).verdict is Verdict.READY
        found = judge(site, now, *hosts, broken)
        assert found.verdict is Verdict.ERROR
        assert [(f.check.id, f.who, f.check.observed) for f in found.findings] == [(f"CLIENT.{PC1}", "us", "broken")]

    def test_a_client_without_a_result_is_named(self, site: Site, now: datetime):
        found = judge(site, now, measured(SERVER, now), off(PC1, now))
        assert found.verdict is Verdict.NOT_READY
        assert ids(found) == [(PC1, f"CLIENT.{PC1}"), (PC2, f"CLIENT.{PC2}")]
        assert [finding.check.observed for finding in found.findings] == ["no valid result", "never measured"]
        assert {finding.who for finding in found.findings} == {"site"}
        assert all(finding.check.blocks for finding in found.findings)

    @pytest.mark.parametrize(("more", "verdict"), [(0, Verdict.READY), (1, Verdict.NOT_READY)])
    def test_a_clients_result_counts_14_days(self, make_site: MakeSite, now: datetime, more: int, verdict: Verdict):
        site = make_site(clients=("pc1",))
        at = now - timedelta(days=14, seconds=more)
        assert judge(site, now, measured(SERVER, now), measured(PC1, at)).verdict is verdict

    @pytest.mark.parametrize(("more", "expired"), [(0, False), (1, True)])
    def test_a_servers_result_counts_24_hours_and_is_shown_afterwards(
        self, make_site: MakeSite, now: datetime, more: int, expired: bool
    ):
        site = make_site(clients=())
        at = now - timedelta(hours=24, seconds=more)
        assert judge(site, now, measured(SERVER, at)) == SiteVerdict(Verdict.READY, (), expired, at)

    def test_the_validity_is_a_setting(self, make_site: MakeSite, now: datetime):
        site = make_site(clients=("pc1",))
        short = Validity(server=MINUTE, client=MINUTE, confirmed=timedelta(0))
        then = now - 2 * MINUTE
        found = site_verdict(site, [measured(SERVER, then), measured(PC1, then)], [], now, short)
        assert found is not None
        assert (found.verdict, found.expired) == (Verdict.NOT_READY, True)

    @pytest.mark.parametrize(
        ("cause", "who"),
        [
            ("timeout", "site"),
            ("refused", "site"),
            ("connection", "site"),
            (None, "site"),
            ("name", "us"),
            ("certificate", "us"),
            ("credentials", "us"),
        ],
    )
    def test_who_has_to_act_on_a_server_that_was_not_reached(
        self, make_site: MakeSite, now: datetime, cause: str | None, who: str
    ):
        found = judge(make_site(clients=()), now, off(SERVER, now, cause=cause))
        assert found.verdict is Verdict.UNREACHABLE
        assert [(f.host, f.check.id, f.who, f.check.blocks) for f in found.findings] == [(SERVER, "SERVER", who, True)]

    def test_our_error_at_the_server_is_told(self, make_site: MakeSite, now: datetime):
        found = judge(make_site(clients=()), now, measured(SERVER, now, error="the probe ended with 1"))
        assert found.verdict is Verdict.ERROR
        assert [(f.check.observed, f.who) for f in found.findings] == [("the probe ended with 1", "us")]

    def test_findings_have_the_heaviest_first_and_no_more_than_what_is_open(self, make_site: MakeSite, now: datetime):
        site = make_site(clients=())
        light, warning = a_check(site, "P7", severity=Severity.INFO), a_check(site, "P3", severity=Severity.WARNING)
        passed = a_check(site, "P1", True)
        found = judge(site, now, measured(SERVER, now, passed, warning, a_check(site)), register=(light,))
        assert ids(found) == [(SERVER, "P8"), (SERVER, "P3"), (None, "P7")]
        assert [finding.check.id for finding in found.blockers] == ["P8"]

    def test_waivers_are_those_of_now(self, make_site: MakeSite, now: datetime):
        waivers = tuple(Waiver(name, "r", "Ola", now.date()) for name in ("P8", "P4", f"CLIENT.{PC1}"))
        site = make_site(clients=("pc1",), waivers=waivers)
        server, register = measured(SERVER, now, a_check(site)), (a_check(site, "P4"),)
        assert judge(site, now, server, register=register).verdict is Verdict.READY
        tomorrow = now + timedelta(days=1)
        later = judge(site, tomorrow, server, register=register)
        assert ids(later) == [(None, "P4"), (SERVER, "P8"), (PC1, f"CLIENT.{PC1}")]

    def test_a_host_that_is_no_longer_the_sites_is_ignored(self, make_site: MakeSite, now: datetime):
        site = make_site(clients=())
        assert judge(site, now, measured(SERVER, now), measured(PC1, now, a_check(site))).verdict is Verdict.READY


class TestOwes:
    def test_only_what_blocks_and_what_the_site_can_do(self, site: Site, now: datetime):
        found = [
            Finding(None, a_check(site, "P4")),
            Finding(SERVER, a_check(site)),
            Finding(SERVER, a_check(site, "P1", None)),
            Finding(SERVER, a_check(site, "P3", severity=Severity.WARNING)),
            Finding(None, a_check(site, "P7", severity=Severity.INFO)),
        ]
        assert [owed.code for owed in owes(site, found, {}, now)] == ["P8"]

    def test_the_same_on_several_hosts_is_told_once(self, make_site: MakeSite, now: datetime):
        site = make_site(language="nn")
        found = [Finding(host, a_check(site, "P5")) for host in (PC1, PC2)]
        (owed,) = owes(site, found, {"P5": now - timedelta(days=3)}, now)
        assert owed.to_dict() == {
            "code": "P5",
            "text": "Only the automatic proxy script is set: no, seen (1001-pc1); seen (1001-pc2)",
            "remedy": found[0].check.remedy,
            "who": "site",
            "since": "2027-05-07T07:00:00Z",
            "basis": "measured",
        }
        assert owed.remedy.startswith("PC-en har dobbelt proxyoppsett. Opne")

    def test_what_the_register_lacks_has_no_host(self, site: Site, now: datetime):
        check = result(site, "P6.closed", False, observed="not answered", expected="answered", remedies=["P6.closed"])
        (owed,) = owes(site, findings_of([check]), {}, now)
        assert owed.text == "The summer closing is known: no, not answered"

    def test_hosts_of_others_do_not_count(self, site: Site, now: datetime):
        assert owes(site, [Finding("1002-server", a_check(site))], {}, now) == []

    def test_nothing_is_owed_where_nothing_is_open(self, site: Site, now: datetime):
        assert findings_of([a_check(site, outcome=True)]) == []
        assert owes(site, [], {}, now) == []

    def test_a_warning_is_told_and_nothing_that_is_owed(self, make_site: MakeSite):
        site = make_site(language="nn")
        slow = a_check(site, "P3", severity=Severity.WARNING)
        found = [
            Finding(SERVER, a_check(site)),
            *(Finding(host, slow) for host in (PC1, PC2)),
            Finding(SERVER, a_check(site, "DISK", None, severity=Severity.WARNING)),
            Finding("1002-server", slow),
            Finding(None, a_check(site, "P7", severity=Severity.INFO)),
        ]
        speed, disk = warnings(site, found)
        assert speed.to_dict() == {
            "code": "P3",
            "title": slow.title,
            "text": f"{slow.title}: no, seen (1001-pc1); seen (1001-pc2)",
            "remedy": slow.remedy,
            "who": slow.who,
        }
        assert disk.text.startswith(f"{disk.title}: not known, ")
