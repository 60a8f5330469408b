# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks P1 to P8, CLOCK and SERVICE: each rule and each of its limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.checks import (
    CheckResult,
    answered,
    judge_facts,
    judge_register,
    register_state,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site, Waiver
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.texts import REMEDIES
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import format_time
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import OSLO
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import CheckOutcome, Severity, State

MakeSite = Callable[..., Site]
Judge = Callable[..., dict[str, CheckResult]]
PASS, FAIL, UNKNOWN = CheckOutcome.PASS, CheckOutcome.FAIL, CheckOutcome.UNKNOWN
SERVER_CHECKS = ["P1", "P2", "P3", "P5", "P5.machine", "P8", "SERVICE", "DISK", "CLOCK", "TLS", "DNS"]
CLIENT_CHECKS = ["P1", "P3", "P5", "P5.machine", "CLOCK", "TLS", "DNS"]


def leaves(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of the facts that holds something: the mapping and its key. Elements of lists are never null."""
    if isinstance(value, dict):
        for key, inner in list(value.items()):
            yield value, key
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)


@pytest.fixture
def judge(facts: dict[str, Any], make_site: MakeSite, contract: dict[str, Any], now: datetime) -> Judge:
    """Judges the facts as they are when it is called."""

    def judge_now(role: Literal["server", "client"] = "server", **changes: object) -> dict[str, CheckResult]:
        return {check.id: check for check in judge_facts(facts, make_site(**changes), role, contract, now)}

    return judge_now


class TestAll:
    def test_a_server_where_all_is_well(self, judge: Judge):
        checks = judge()
        assert list(checks) == SERVER_CHECKS
        assert {check.outcome for check in checks.values()} == {PASS}
        assert {check.remedy for check in checks.values()} == {""}

    def test_a_client_is_not_asked_for_what_is_the_servers(self, judge: Judge, facts: dict[str, Any]):
        facts["interactor"] = None
        facts["pages"] = facts["pages"][:1]
        checks = judge("client")
        assert list(checks) == CLIENT_CHECKS
        assert {check.outcome for check in checks.values()} == {PASS}

    def test_severities(self, judge: Judge):
        weights = {check.id: check.severity for check in judge().values()}
        warnings = {"P3", "P5.machine", "DISK", "CLOCK", "TLS", "DNS"}
        assert weights == {
            check: Severity.WARNING if check in warnings else Severity.BLOCKER for check in SERVER_CHECKS
        }

    @pytest.mark.parametrize("role", ["server", "client"])
    def test_what_could_not_be_found_out_is_unknown(
        self, judge: Judge, facts: dict[str, Any], role: Literal["server", "client"]
    ):
        for section in ("host", "clock", "interactor", "dns", "tls", "pages", "speed", "proxy", "power"):
            facts[section] = None
        checks = judge(role)
        assert {check.outcome for check in checks.values()} == {UNKNOWN}
        assert {check.who for check in checks.values()} == {"us"}
        assert any(check.blocks for check in checks.values())

    def test_waivers_count(self, judge: Judge, facts: dict[str, Any], now: datetime):
        facts["interactor"]["service"] = "stopped"
        waiver = Waiver("SERVICE", "kjent", "Ola", now.date())
        assert judge(waivers=(waiver,))["SERVICE"].outcome is CheckOutcome.WAIVED

    @pytest.mark.parametrize(
        ("part", "checks"),
        [
            ("pages", ["P1", "P2"]),
            ("speed", ["P3"]),
            ("proxy", ["P5", "P5.machine"]),
            ("scripts", []),
            ("power", ["P8"]),
            ("interactor", ["SERVICE"]),
            ("host", ["DISK", "CLOCK"]),
            ("tls", ["TLS"]),
            ("dns", ["DNS"]),
            ("something_new", []),
        ],
    )
    def test_a_part_that_took_too_long_is_unknown_whatever_it_found(
        self, judge: Judge, facts: dict[str, Any], part: str, checks: list[str]
    ):
        facts["clock"] = None
        facts["overdue"] = [part]
        found = judge()
        late = {check: found[check] for check in found if found[check].observed == "took longer than its time"}
        assert sorted(late) == sorted(checks)
        assert {check.outcome for check in late.values()} <= {UNKNOWN}
        assert {found[check].outcome for check in {*found} - {*checks}} == {PASS}

    @pytest.mark.parametrize("role", ["server", "client"])
    def test_every_value_may_be_null(
        self, facts: dict[str, Any], contract: dict[str, Any], make_site: MakeSite, now: datetime, role: Any
    ):
        """Whatever could not be found out: an outcome comes of it, and what is unknown is not told as well."""
        facts["power"] |= {"plan": "Balansert", "active_hours": {"start": 8, "end": 17}, "pending_restart": ["x"]}
        facts["pages"] = [
            {**page, "way": way, "trusted": True} for page in facts["pages"] for way in ("direct", "script")
        ]
        facts["pages"] = [
            {"script": "http://config.nhn.no/kunde.pac", "proxy": "p:1", **page} for page in facts["pages"]
        ]
        places = list(leaves(facts))
        assert len(places) > 60
        for holder, key in places:
            if key == "probe":
                continue
            kept, holder[key] = holder[key], None
            checks = judge_facts(facts, make_site(), role, contract, now)
            assert {check.outcome for check in checks} <= {PASS, FAIL, UNKNOWN}
            assert all(check.remedy for check in checks if check.outcome is not PASS)
            assert not any("None" in check.remedy for check in checks)
            holder[key] = kept

    def test_a_time_server_that_took_too_long_leaves_our_clock(self, judge: Judge, facts: dict[str, Any]):
        facts["clock"] = {"server": "ntp.example", "offset_seconds": 900, "error": None}
        facts["overdue"] = ["clock"]
        assert judge()["CLOCK"].outcome is PASS

    def test_facts_of_another_probe_are_refused(self, judge: Judge, facts: dict[str, Any]):
        facts["probe"] = 1
        with pytest.raises(ValueError, match=r"facts\.probe: 1"):
            judge()

    def test_another_role_is_refused(self, judge: Judge):
        with pytest.raises(ValueError, match="role 'printer'; server or client"):
            judge("printer")  # type: ignore[arg-type]

    def test_results_are_plain_data(self, judge: Judge):
        for check in judge().values():
            json.dumps(check.to_dict())


REFUSED = {"status": 0, "text": None, "final_url": None, "issuer": None, "error": "TrustFailure: x"}
"""What .NET tells of a page whose certificate Windows does not trust: not whose it is."""


class TestPages:
    @pytest.mark.parametrize("dash", ["-", "–", "—", "−", "‐", "‑", "‒", "―"])
    @pytest.mark.parametrize(
        "shown", ["default backend {} 404", "Default  Backend\n{}\u00a0404 ", "DEFAULT BACKEND {} 404"]
    )
    def test_p1_any_dash_any_case_any_white_space(self, judge: Judge, facts: dict[str, Any], dash: str, shown: str):
        facts["pages"][0]["text"] = shown.format(dash)
        assert judge()["P1"].outcome is PASS

    @pytest.mark.parametrize(
        "changes",
        [
            {"text": "default backend 404"},
            {"text": "Blokkert: default backend - 404"},
            {"text": ""},
            {"status": 200},
            {"status": 403, "text": None},
            {"status": 0, "text": None, "error": "the name could not be resolved"},
        ],
    )
    def test_p1_anything_else_fails(self, judge: Judge, facts: dict[str, Any], changes: dict[str, Any]):
        facts["pages"][0].update(changes)
        check = judge("client")["P1"]
        assert check.outcome is FAIL
        assert check.blocks
        assert "https://interactor.dips.no" in check.remedy

    @pytest.mark.parametrize("changes", [{"status": None}, {"text": None}])
    def test_p1_half_an_answer_is_unknown(self, judge: Judge, facts: dict[str, Any], changes: dict[str, Any]):
        facts["pages"][0].update(changes)
        assert judge()["P1"].outcome is UNKNOWN

    def test_p1_the_status_is_the_contracts(self, judge: Judge, facts: dict[str, Any], contract: dict[str, Any]):
        contract["pages"]["P1"]["status"] = 200
        assert judge()["P1"].outcome is FAIL
        facts["pages"][0]["status"] = 200
        assert judge()["P1"].outcome is PASS

    def test_p1_evidence_names_what_answered(self, judge: Judge):
        told = {
            "way": "direct",
            "proxy": None,
            "kind": "as_wanted",
            "url": "https://interactor.dips.no",
            "script": None,
            "final_url": None,
            "status": 404,
            "issuer": "O=Buypass",
            "trusted": True,
            "milliseconds": 31,
            "error": None,
        }
        assert judge()["P1"].evidence == {**told, "ways": [told]}

    def test_p1_an_error_is_what_was_observed(self, judge: Judge, facts: dict[str, Any]):
        facts["pages"][0].update(status=0, error="timed out")
        assert judge()["P1"].observed == "timed_out: timed out"

    @pytest.mark.parametrize(
        ("changes", "remedy", "who"),
        [
            ({"text": "noe annet"}, "P1", "site"),
            ({"text": "noe annet", "trusted": True}, "PAGE.vendor", "vendor"),
            ({"status": 503, "trusted": True}, "PAGE.vendor", "vendor"),
            ({"status": 503}, "PAGE.status", "site"),
            ({"status": 200, "text": ""}, "PAGE.blank", "site"),
            ({"status": 200, "text": "", "trusted": True}, "PAGE.vendor", "vendor"),
            ({"status": 200, "text": "", "trusted": True, "issuer": "CN=Brannmur"}, "PAGE.blank", "site"),
            ({"status": 200, "text": "Logg inn"}, "PAGE.login", "site"),
            ({"status": 407, "text": ""}, "PAGE.login", "site"),
            ({"final_url": "https://sperret.example/side"}, "PAGE.redirected", "site"),
            ({"issuer": "CN=Brannmur", "text": "x"}, "PAGE.inspected", "site"),
            ({"trusted": False}, "PAGE.certificate", "site"),
            ({"error": "NameResolutionFailure: x"}, "PAGE.name", "site"),
            ({"error": "ConnectFailure: x"}, "PAGE.refused", "site"),
            ({"error": "Timeout: x"}, "PAGE.timeout", "site"),
            ({"error": "SecureChannelFailure: x"}, "PAGE.tls", "site"),
            ({"error": "ProxyNameResolutionFailure: x"}, "PAGE.proxy", "site"),
            ({"error": "ReceiveFailure: x"}, "PAGE.silent", "site"),
        ],
    )
    def test_p1_each_kind_has_its_remedy(
        self, judge: Judge, facts: dict[str, Any], changes: dict[str, Any], remedy: str, who: str
    ):
        facts["pages"][0].update({"trusted": None, **changes})
        check = judge("client")["P1"]
        assert (check.outcome, check.evidence["remedies"], check.who) == (FAIL, [remedy], who)
        assert "https://interactor.dips.no" in check.remedy
        assert "{" not in check.remedy
        assert check.blocks

    def test_p1_that_came_although_somebody_reads_along_is_a_warning(self, judge: Judge, facts: dict[str, Any]):
        facts["pages"][0].update(issuer="CN=Brannmur, E=it@kontor.example, O=Kontoret")
        check = judge("client")["P1"]
        assert (check.outcome, check.severity) == (FAIL, Severity.WARNING)
        assert "«CN=Brannmur, O=Kontoret»" in check.remedy
        assert "it@kontor" not in json.dumps(check.to_dict())

    @pytest.mark.parametrize(
        ("endpoint", "page", "remedy"),
        [
            ({"issuer": "CN=Brannmur"}, {}, "PAGE.inspected"),
            ({"issuer": "CN=Brannmur", "name": "INTERACTOR.dips.no"}, {}, "PAGE.inspected"),
            ({"issuer": "CN=Brannmur"}, {"way": "script", "script": "http://x.example/p.pac"}, "PAGE.inspected"),
            ({"issuer": "O=Buypass"}, {}, "PAGE.certificate"),
            ({"issuer": None}, {}, "PAGE.certificate"),
            ({"issuer": "CN=Brannmur", "trusted": True}, {}, "PAGE.certificate"),
            ({"issuer": "CN=Brannmur", "name": "speedtest.dips.no"}, {}, "PAGE.certificate"),
            ({"issuer": "CN=Brannmur", "name": None}, {}, "PAGE.certificate"),
            ({"issuer": "CN=Brannmur"}, {"proxy": "p.example:8080"}, "PAGE.certificate"),
            ({"issuer": "CN=Brannmur"}, {"error": "Timeout: x"}, "PAGE.timeout"),
            ({"issuer": "O=Buypass"}, {"issuer": "CN=Brannmur"}, "PAGE.inspected"),
        ],
    )
    def test_p1_whose_certificate_was_refused_is_told_by_the_handshake(
        self, judge: Judge, facts: dict[str, Any], endpoint: dict[str, Any], page: dict[str, Any], remedy: str
    ):
        facts["pages"][0].update({**REFUSED, "trusted": False, **page})
        told = {"name": "interactor.dips.no", "protocol": "Tls12", "trusted": False, "error": None}
        facts["tls"]["endpoints"] = [{**told, **endpoint}]
        check = judge("client")["P1"]
        assert (check.evidence["remedies"], check.blocks) == ([remedy], True)
        assert ("«CN=Brannmur»" in check.remedy) == (remedy == "PAGE.inspected")

    @pytest.mark.parametrize("tls", [None, {"enabled": True, "endpoints": None}])
    def test_p1_that_was_refused_where_no_handshake_is_known(self, judge: Judge, facts: dict[str, Any], tls: Any):
        facts["pages"][0].update({**REFUSED, "trusted": False})
        facts["tls"] = tls
        assert judge("client")["P1"].evidence["remedies"] == ["PAGE.certificate"]

    def test_p1_the_scripts_way_decides_and_both_are_evidence(self, judge: Judge, facts: dict[str, Any]):
        direct = facts["pages"][0]
        script = {
            **direct,
            "way": "script",
            "script": "http://bruker:hemmelig@config.nhn.no/kunde.pac?kontor=1001",
            "proxy": "sikker.proxy.nhn.no:8080",
            "trusted": True,
        }
        direct.update(status=0, text=None, error="Timeout: x")
        facts["pages"].insert(1, script)
        check = judge("client")["P1"]
        assert check.outcome is PASS
        assert check.observed.endswith(" through sikker.proxy.nhn.no:8080, as the script says")
        assert [(way["way"], way["kind"]) for way in check.evidence["ways"]] == [
            ("direct", "timed_out"),
            ("script", "as_wanted"),
        ]
        assert check.evidence["script"] == "http://config.nhn.no/kunde.pac"
        script.update(proxy=None, status=None)
        unknown = judge("client")["P1"]
        assert (unknown.outcome, unknown.observed) == (
            UNKNOWN,
            "no status or no text through no proxy, as the script says",
        )

    @pytest.mark.parametrize(
        "changes",
        [
            {"status": 200, "text": "Logg inn, Kari Nordmann"},
            {"status": 403, "issuer": "CN=Brannmur", "text": "Sperret for Kari Nordmann"},
            {"final_url": "https://kari:nordmann@portal.example/?bruker=kari#nordmann", "text": "Kari Nordmann"},
            {"final_url": "https://[kari"},
        ],
    )
    def test_p1_nothing_of_a_page_that_may_say_whose_it_is(
        self, judge: Judge, facts: dict[str, Any], changes: dict[str, Any]
    ):
        facts["pages"][0].update({"trusted": None, **changes})
        told = json.dumps(judge("client")["P1"].to_dict()).casefold()
        assert "kari" not in told
        assert "nordmann" not in told

    @pytest.mark.parametrize(
        ("changes", "outcome"),
        [
            ({"heading": "testing  123"}, PASS),
            ({"heading": "Testing 124"}, FAIL),
            ({"heading": None}, UNKNOWN),
            ({"heading": None, "status": 502}, FAIL),
            ({"status": 404}, FAIL),
        ],
    )
    def test_p2_the_heading(self, judge: Judge, facts: dict[str, Any], changes: dict[str, Any], outcome: CheckOutcome):
        facts["pages"][1].update(changes)
        assert judge()["P2"].outcome is outcome

    def test_p2_that_was_not_asked_is_unknown(self, judge: Judge, facts: dict[str, Any]):
        del facts["pages"][1]
        assert judge()["P2"].outcome is UNKNOWN

    def test_p2_matters_only_in_the_mode_server_in_cloud(self, judge: Judge):
        assert "P2" not in judge(mode="second")
        assert "P1" in judge(mode="second")


class TestSpeed:
    @pytest.mark.parametrize(
        ("size", "seconds", "outcome"),
        [
            (2_000_000, 0.799, PASS),
            (2_000_000, 0.8, FAIL),
            (2_000_000, 5, FAIL),
            (0, 1, FAIL),
            (2_000_000, 0, UNKNOWN),
            (None, 1, UNKNOWN),
            (2_000_000, None, UNKNOWN),
        ],
    )
    def test_over_20_mbit(
        self, judge: Judge, facts: dict[str, Any], size: int | None, seconds: float | None, outcome: CheckOutcome
    ):
        facts["speed"]["samples"] = [{"bytes": size, "seconds": seconds}]
        check = judge()["P3"]
        assert check.outcome is outcome
        assert not check.blocks

    def test_the_figure_is_told(self, judge: Judge, facts: dict[str, Any]):
        facts["speed"]["samples"] = [{"bytes": 1_000_000, "seconds": 1}]
        check = judge()["P3"]
        assert (check.observed, check.expected) == ("8.0 Mbit/s", "over 20 Mbit/s")
        assert "20 Mbit/s" in check.remedy

    def test_an_error_is_unknown(self, judge: Judge, facts: dict[str, Any]):
        facts["speed"].update(error="timed out")
        assert judge()["P3"].outcome is UNKNOWN


class TestPower:
    def test_what_is_wrong_is_told_together(self, judge: Judge, facts: dict[str, Any], now: datetime):
        soon = format_time(now + timedelta(hours=18))
        facts["power"] |= {
            "sleep_minutes": 30,
            "hibernate_minutes": 180,
            "pending_restart": ["windows_update"],
            "scheduled_restarts": [soon],
            "plan": None,
            "active_hours": None,
        }
        check = judge()["P8"]
        assert check.blocks
        assert check.observed == (
            "sleep after 30 minutes, hibernate after 180 minutes; restart pending: windows_update; "
            f"restart scheduled: {soon}"
        )
        assert check.evidence["remedies"] == ["P8.sleep", "P8.pending", "P8.scheduled"]
        assert "11.05.2027 kl. 03.00" in check.remedy

    @pytest.mark.parametrize(
        "changes", [{"sleep_minutes": 1}, {"hibernate_minutes": 1}, {"pending_restart": ["file_rename"]}]
    )
    def test_each_alone_fails(self, judge: Judge, facts: dict[str, Any], changes: dict[str, Any]):
        facts["power"].update(changes)
        assert judge()["P8"].outcome is FAIL

    @pytest.mark.parametrize(
        ("offset", "outcome"),
        [
            (timedelta(seconds=-1), PASS),
            (timedelta(0), FAIL),
            (timedelta(hours=48), FAIL),
            (timedelta(hours=48, seconds=1), PASS),
        ],
    )
    def test_a_restart_within_48_hours(
        self, judge: Judge, facts: dict[str, Any], now: datetime, offset: timedelta, outcome: CheckOutcome
    ):
        facts["power"]["scheduled_restarts"] = [format_time(now + offset)]
        assert judge()["P8"].outcome is outcome

    @pytest.mark.parametrize("name", ["sleep_minutes", "hibernate_minutes", "pending_restart", "scheduled_restarts"])
    def test_one_that_is_not_known_makes_it_unknown_unless_another_fails(
        self, judge: Judge, facts: dict[str, Any], name: str
    ):
        facts["power"][name] = None
        check = judge()["P8"]
        assert (check.outcome, check.observed) == (UNKNOWN, f"{name} not found out")
        facts["power"].update({"sleep_minutes": 5} if name != "sleep_minutes" else {"hibernate_minutes": 5})
        assert judge()["P8"].outcome is FAIL


class TestClockAndService:
    @pytest.mark.parametrize("sign", [1, -1])
    @pytest.mark.parametrize(("seconds", "outcome"), [(0, PASS), (300, PASS), (301, FAIL), (86400, FAIL)])
    def test_more_than_five_minutes(
        self, judge: Judge, facts: dict[str, Any], now: datetime, sign: int, seconds: int, outcome: CheckOutcome
    ):
        facts["host"]["utc"] = format_time(now + timedelta(seconds=sign * seconds))
        facts["clock"] = None
        check = judge("client")["CLOCK"]
        assert check.outcome is outcome
        assert not check.blocks
        assert check.evidence["offset_seconds"] == sign * seconds

    @pytest.mark.parametrize(
        ("state", "outcome", "who"),
        [
            ("running", PASS, "us"),
            ("stopped", FAIL, "site"),
            ("start_pending", FAIL, "site"),
            ("missing", FAIL, "us"),
            (None, UNKNOWN, "us"),
        ],
    )
    def test_service(self, judge: Judge, facts: dict[str, Any], state: str | None, outcome: CheckOutcome, who: str):
        facts["interactor"]["service"] = state
        check = judge()["SERVICE"]
        assert (check.outcome, check.who) == (outcome, who)

    def test_the_service_is_named(self, judge: Judge, facts: dict[str, Any]):
        facts["interactor"]["service"] = "stopped"
        assert "DIPSInteractor" in judge()["SERVICE"].remedy


class TestRegister:
    answers = ("P6.contact", "P6.urls", "P6.proxy", "P6.closed", "P6.signatory")

    def judged(self, site: Site, now: datetime) -> dict[str, CheckResult]:
        return {check.id: check for check in judge_register(site, now)}

    def test_all_is_there(self, make_site: MakeSite, now: datetime):
        checks = self.judged(make_site(), now)
        assert list(checks) == ["P4", "P4.ros", *self.answers, "P7"]
        assert {check.outcome for check in checks.values()} == {PASS}

    @pytest.mark.parametrize(
        ("status", "outcome", "who"), [("signed", PASS, "us"), ("sent", FAIL, "site"), ("missing", FAIL, "us")]
    )
    def test_p4_the_agreement(self, make_site: MakeSite, now: datetime, status: str, outcome: CheckOutcome, who: str):
        check = self.judged(make_site(agreement_status=status), now)["P4"]
        assert (check.outcome, check.observed, check.who, check.severity) == (outcome, status, who, Severity.BLOCKER)

    @pytest.mark.parametrize(
        ("requested", "sent", "outcome"),
        [(False, None, PASS), (True, date(2027, 5, 1), PASS), (True, None, FAIL)],
    )
    def test_p4_the_risk_assessment(
        self, make_site: MakeSite, now: datetime, requested: bool, sent: date | None, outcome: CheckOutcome
    ):
        check = self.judged(make_site(ros_requested=requested, ros_sent=sent), now)["P4.ros"]
        assert (check.outcome, check.severity, check.blocks) == (outcome, Severity.WARNING, False)

    @pytest.mark.parametrize(
        ("changes", "missing"),
        [
            ({"contact": None}, "P6.contact"),
            ({"contact": {"name": "Kari", "email": "", "phone": "55"}}, "P6.contact"),
            ({"contact": {"name": "Kari", "email": "k@x.example", "phone": None}}, "P6.contact"),
            ({"contact": {"name": " ", "email": "k@x.example", "phone": "55"}}, "P6.contact"),
            ({"urls_confirmed": None}, "P6.urls"),
            ({"proxy_confirmed": None}, "P6.proxy"),
            ({"closed": None}, "P6.closed"),
            ({"signatory_known": False, "agreement_status": "sent"}, "P6.signatory"),
        ],
    )
    def test_p6_each_answer(self, make_site: MakeSite, now: datetime, changes: dict[str, Any], missing: str):
        site = make_site(**changes)
        checks = self.judged(site, now)
        assert [check for check in self.answers if checks[check].outcome is not PASS] == [missing]
        assert checks[missing].blocks
        assert checks[missing].who == "site"
        assert checks[missing].remedy == REMEDIES[missing].nb
        assert not answered(site, now.date())

    def test_p6_a_signed_agreement_tells_who_signs(self, make_site: MakeSite, now: datetime):
        site = make_site(signatory_known=False, agreement_status="signed")
        assert self.judged(site, now)["P6.signatory"].outcome is PASS
        assert answered(site, now.date())

    @pytest.mark.parametrize(
        ("check", "field"),
        [
            ("P4", "agreement_signed"),
            ("P4.ros", "ros_sent"),
            ("P6.urls", "urls_confirmed"),
            ("P6.proxy", "proxy_confirmed"),
        ],
    )
    def test_what_is_dated_in_the_future_is_not_done(self, make_site: MakeSite, now: datetime, check: str, field: str):
        today = now.astimezone(OSLO).date()
        site = make_site(**{"ros_requested": True, "ros_sent": today, field: today})
        assert self.judged(site, now)[check].outcome is PASS, "the day itself counts"
        tomorrow = today + timedelta(days=1)
        found = self.judged(make_site(**{"ros_requested": True, "ros_sent": today, field: tomorrow}), now)[check]
        assert (found.outcome, found.who) == (FAIL, "us")
        assert found.observed == f"dated {tomorrow}, which is still to come"
        assert found.remedy == REMEDIES["AHEAD"].nb
        assert found.blocks == (check != "P4.ros")

    @pytest.mark.parametrize(
        "early",
        [
            {"urls_confirmed": date(2099, 4, 20)},
            {"proxy_confirmed": date(2099, 4, 20)},
            {"signatory_known": False, "agreement_signed": date(2099, 4, 20)},
        ],
    )
    def test_a_site_has_not_answered_with_a_date_in_the_future(
        self, make_site: MakeSite, now: datetime, early: dict[str, Any]
    ):
        site = make_site(**early)
        assert not answered(site, now.date())
        assert register_state(site, now.date()) is State.REGISTERED
        assert answered(site, date(2099, 4, 20))

    def test_the_day_is_norways(self, make_site: MakeSite):
        site = make_site(agreement_signed=date(2027, 5, 11))
        night = datetime(2027, 5, 10, 21, 59, tzinfo=UTC)
        assert self.judged(site, night)["P4"].outcome is FAIL
        assert self.judged(site, night + timedelta(minutes=1))["P4"].outcome is PASS

    def test_p6_never_tells_who_the_contact_is(self, make_site: MakeSite, now: datetime):
        site = make_site(contact={"name": "Kari Prøve", "email": "kari@prove.example", "phone": None})
        check = self.judged(site, now)["P6.contact"]
        assert check.observed == "missing: phone"
        assert "kari" not in json.dumps(check.to_dict()).casefold()

    def test_a_waiver_does_not_answer(self, make_site: MakeSite, now: datetime):
        site = make_site(contact=None, waivers=(Waiver("P6.contact", "r", "Ola", now.date()),))
        assert self.judged(site, now)["P6.contact"].outcome is CheckOutcome.WAIVED
        assert not answered(site, now.date())

    @pytest.mark.parametrize(
        ("changes", "outcome", "who"),
        [
            ({}, PASS, "us"),
            ({"contact": None, "move_date": None}, PASS, "us"),
            ({"contact": None}, FAIL, "site"),
            ({"move_date": None}, FAIL, "us"),
        ],
    )
    def test_p7_answers_and_date_go_together(
        self, make_site: MakeSite, now: datetime, changes: dict[str, Any], outcome: CheckOutcome, who: str
    ):
        check = self.judged(make_site(**changes), now)["P7"]
        assert (check.outcome, check.who, check.severity) == (outcome, who, Severity.INFO)
        assert not check.blocks
