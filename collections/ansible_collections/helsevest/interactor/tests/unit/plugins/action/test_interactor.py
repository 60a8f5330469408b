# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugins over a host that answers as it is told: an answer comes out of every host."""

from __future__ import annotations

import copy
import importlib
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import yaml
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.helsevest.interactor.plugins.module_utils import _clock, _pac
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import format_time

from tests.pwsh.engine import LEASE_SCRIPT
from tests.pwsh.fixtures import ROOT

START = datetime(2027, 5, 18, 18, 30, tzinfo=UTC)
PACKAGE = "ansible_collections.helsevest.interactor.plugins.action"
CONTRACT = yaml.safe_load((ROOT / "roles/vendor_contract/defaults/main.yml").read_text(encoding="utf-8"))[
    "vendor_contract"
]
COMMON = {"contract": CONTRACT, "site": "1001", "run_id": "run-1"}
NOT_REACHED = {"changed": False, "reached": False, "error": None}
VARIABLES = {
    "interactor_site": {
        "id": "1001",
        "name": "Prøvesund legekontor",
        "kind": "gp_office",
        "county": "Vestland",
        "language": "nb",
        "wave": 1,
        "move_date": "2027-05-18",
        "mode": "server_in_cloud",
        "window": {"weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "20:00", "to": "06:00"},
        "epj": None,
        "asked": None,
        "shared_server": None,
        "closed": [],
        "contact": None,
        "agreement": {"status": "signed", "sent": "2024-04-01", "signed": "2024-04-15"},
        "signatory_known": True,
        "ros": {"requested": False, "sent": None},
        "confirmed": {"urls": None, "proxy": None},
        "history_months": 12,
        "clients": [{"name": "pc1"}],
    },
}
PAGES = [
    {"id": "P1", "url": "u", "status": 404, "text": "default backend – 404", "heading": None},
    {"id": "P2", "url": "u", "status": 200, "text": "Testing 123", "heading": "Testing 123"},
]
for page in PAGES:
    page.update(way="direct", script=None, proxy=None, trusted=True)
    page.update(final_url="u", issuer="CN=R11, O=Let's Encrypt, C=US", milliseconds=1, error=None)
FACTS = {
    "probe": 3,
    "host": dict.fromkeys(["name", "os", "build", "memory_mb", "free_gb", "uptime_hours", "time_zone"])
    | {"utc": "2027-05-18T18:30:00Z", "addresses": None},
    **dict.fromkeys(["clock", "dns", "tls", "seconds"]),
    "interactor": {"service": "running", "version": "5.4.1", "mode": "local", "ledger": None, "ledger_error": None},
    "pages": PAGES,
    "speed": {"url": "u", "samples": [{"bytes": 2_000_000, "seconds": 0.3}], "error": None},
    "proxy": {"profiles": [], "per_machine": False}
    | dict.fromkeys(["machine", "winhttp", "environment", "detected", "scripts"]),
    "power": {"sleep_minutes": 0, "hibernate_minutes": 0, "pending_restart": [], "scheduled_restarts": []}
    | dict.fromkeys(["plan", "active_hours"]),
    "overdue": [],
}

Act = Callable[..., dict[str, Any]]


class Host:
    """What a host answers, one after the other, and what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Any] = [{"changed": True, "ledger": None, "invocation": {"module_args": COMMON}}]
        self.asked: list[dict[str, Any]] = []
        self.names: list[str] = []

    def execute(self, module_name: str, module_args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        self.names.append(module_name)
        self.asked.append(module_args)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return copy.deepcopy(answer)


class Line:
    """What is asked of a connection plugin, and how often it was ended."""

    transport = "winrm"
    options: ClassVar[dict[str, str]] = {"remote_user": "ansvarlig", "remote_password": "hemmelig"}

    def __init__(self) -> None:
        self.closed = 0
        self.broken: list[Exception] = []
        self.unreset: list[Exception] = []

    def get_option(self, name: str) -> str:
        return self.options[name]

    def close(self) -> None:
        self.closed += 1
        if self.broken:
            raise self.broken.pop()

    def reset(self) -> None:
        if self.unreset:
            raise self.unreset.pop()


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock: it stands where it is until somebody waits."""
    clock = SimpleNamespace(now=START, urls=[])

    def now(url: str | None = None) -> datetime:
        clock.urls.append(url)
        return clock.now

    def wait_until(moment: datetime, url: str | None = None) -> datetime:
        clock.urls.append(url)
        clock.now = max(clock.now, moment)
        return clock.now

    monkeypatch.setattr(_clock, "now", now)
    monkeypatch.setattr(_clock, "wait_until", wait_until)
    return clock


@pytest.fixture
def act(host: Host, line: Line, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Act:
    """`act(name, **options)` runs an action plugin; its result."""

    monkeypatch.setattr(f"{PACKAGE}.interactor_preflight.knock", lambda *_: "")

    def act(name: str, *, check: bool = False, variables: Any = VARIABLES, **options: Any) -> dict[str, Any]:
        plugin = importlib.import_module(f"{PACKAGE}.interactor_{name}").ActionModule
        task = SimpleNamespace(args={**COMMON, **options}, check_mode=check, async_val=0, action=name)
        action = plugin(task, line, SimpleNamespace(), None, None, None)
        monkeypatch.setattr(action, "_execute_module", host.execute)
        monkeypatch.setattr("ansible.plugins.action.ActionBase.run", lambda *_: {})
        result: dict[str, Any] = action.run(task_vars=variables)
        assert "failed" not in result
        return result

    return act


def test_it_asks_once_and_adds_that_the_host_was_reached(act: Act, host: Host, clock: SimpleNamespace):
    result = act("upgrade", step="look", clock_url="http://clock", attempt=None)
    assert result == {"changed": True, "ledger": None, "reached": True, "cause": None, "detail": "", "error": None}
    assert host.names == ["helsevest.interactor.interactor_upgrade"]
    assert host.asked == [{**COMMON, "step": "look", "now": "2027-05-18T18:30:00Z"}]
    assert clock.urls == ["http://clock"]


@pytest.mark.parametrize(("check", "changed", "dry"), [(True, True, True), (True, False, None), (False, True, None)])
def test_a_step_that_a_dry_run_has_not_taken_says_so(act: Act, host: Host, check: bool, changed: bool, dry: bool):
    host.answers = [{"changed": changed, "ledger": None}]
    assert act("upgrade", step="stage", check=check).get("dry") is dry


def test_a_given_time_is_taken(act: Act, host: Host, clock: SimpleNamespace):
    act("upgrade", step="look", now="2027-05-19T01:02:03Z")
    assert host.asked[0]["now"] == "2027-05-19T01:02:03Z"
    assert clock.urls == []
    assert "2027" in act("upgrade", step="look", now="19 May 2027")["error"]


@pytest.mark.parametrize("name", ["preflight", "upgrade", "migrate", "postcheck"])
@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        (AnsibleConnectionFailure("ntlm: the specified credentials were rejected by the server"), "credentials"),
        (AnsibleConnectionFailure("[Errno 111] Connection refused"), "refused"),
        (AnsibleError("the connection attempt timed out"), "timeout"),
        (ConnectionResetError("Connection reset by peer"), "connection"),
        (RuntimeError("a library's own error: name or service not known"), "name"),
    ],
)
def test_a_host_that_is_not_reached_is_an_answer(act: Act, host: Host, name: str, failure: Exception, cause: str):
    host.answers = [failure]
    result = act(name, role="server", step="look")
    assert {key: result[key] for key in NOT_REACHED} == NOT_REACHED
    assert result["cause"] == cause
    assert result["detail"] in str(failure)


@pytest.mark.parametrize("name", ["preflight", "upgrade", "migrate", "postcheck"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"failed": True, "msg": "look: ledger is\n damaged", "changed": False}, "look: ledger is damaged"),
        ({"failed": True, "changed": False}, "the module failed without a message"),
        (AnsibleError("The module x was not found"), "AnsibleError: The module x was not found"),
        (KeyError("oops"), "KeyError: 'oops'"),
    ],
)
def test_a_module_that_fails_is_an_answer(act: Act, host: Host, name: str, answer: Any, error: str):
    host.answers = [answer]
    result = act(name, role="server", step="look")
    assert (result["reached"], result["cause"], result["error"], result["changed"]) == (True, None, error, False)


def test_a_clock_that_does_not_answer_is_our_error(act: Act, monkeypatch: pytest.MonkeyPatch):
    def silent(_url: str | None) -> datetime:
        raise _clock.ClockError("the simulator's clock did not answer")

    monkeypatch.setattr(_clock, "now", silent)
    result = act("preflight", role="server")
    assert (result["error"], result["verdict"]) == ("ClockError: the simulator's clock did not answer", "error")


class TestPreflight:
    def test_the_facts_are_judged(self, act: Act, host: Host):
        host.answers = [{"changed": False, "ledger": None, "facts": FACTS}]
        result = act("preflight", role="server")
        assert (result["verdict"], result["error"], result["facts"]) == ("ready", None, FACTS)
        assert {check["id"]: check["outcome"] for check in result["checks"]}["P1"] == "pass"
        assert host.asked[0]["role"] == "server"

    SCRIPT = CONTRACT["proxy"]["script"]

    def scripted(self, text: str, answer: str) -> dict[str, Any]:
        """The answer of a host whose only profile has the script, and that answers so itself."""
        nothing = dict.fromkeys(["kind", "loaded", "proxy_server", "proxy_override", "connections", "saved", "policy"])
        profile = {"profile": 1, "proxy_enable": 0, "auto_config_url": self.SCRIPT, "error": None, **nothing}
        answers = [{"url": page["url"], "proxy": answer, "error": None} for page in CONTRACT["pages"].values()]
        script = {"url": self.SCRIPT, "status": 200, "text": text, "characters": len(text), "error": None}
        script["answers"] = answers
        proxy = {**FACTS["proxy"], "profiles": [profile], "scripts": [script]}
        return {"changed": False, "ledger": None, "facts": {**FACTS, "proxy": proxy}}

    @pytest.mark.parametrize(("answer", "outcome"), [("PROXY a.example:8080", "pass"), ("DIRECT", "fail")])
    def test_the_proxy_script_is_evaluated(self, act: Act, host: Host, answer: str, outcome: str):
        host.answers = [self.scripted("function FindProxyForURL() { return 'PROXY a.example:8080; DIRECT'; }", answer)]
        result = act("preflight", role="server")
        (check,) = [check for check in result["checks"] if check["id"] == "P5"]
        assert (result["verdict"], check["outcome"], check["severity"]) == (
            "ready",
            outcome,
            "blocker" if outcome == "pass" else "warning",
        )
        took = {"ours": "PROXY a.example:8080; DIRECT", "host": answer}
        urls = [page["url"] for page in CONTRACT["pages"].values()]
        assert check["evidence"]["profiles"]["1"]["takes"] == dict.fromkeys(urls, took)

    def test_a_script_that_fails_takes_no_other_check_with_it(self, act: Act, host: Host):
        host.answers = [self.scripted("function (", "DIRECT")]
        result = act("preflight", role="server")
        assert (result["error"], result["verdict"]) == (None, "ready")
        outcomes = {check["id"]: check["outcome"] for check in result["checks"]}
        assert (outcomes["P1"], outcomes["P5"]) == ("pass", "fail")

    def test_without_the_engine_the_error_says_what_to_install(
        self, act: Act, host: Host, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(_pac, "find_spec", lambda _name: None)
        host.answers = [self.scripted("function FindProxyForURL() { return 'DIRECT'; }", "DIRECT")]
        result = act("preflight", role="server")
        assert "'quickjs-ng' on the controller (make setup installs it)" in result["error"]
        assert result["verdict"] == "error"

    def test_a_fault_of_the_site_makes_it_not_ready(self, act: Act, host: Host):
        host.answers = [
            {"changed": False, "facts": {**FACTS, "interactor": {**FACTS["interactor"], "service": "stopped"}}}
        ]
        assert act("preflight", role="server")["verdict"] == "not_ready"

    def test_a_host_that_is_not_reached(self, act: Act, host: Host):
        host.answers = [AnsibleConnectionFailure("timed out")]
        result = act("preflight", role="client")
        assert (result["verdict"], result["checks"], result["facts"]) == ("unreachable", [], None)

    @pytest.mark.parametrize("answer", [{}, {"facts": None}, {"facts": {**FACTS, "probe": 2}}, {"facts": {"probe": 3}}])
    def test_an_answer_of_another_shape_is_our_error(self, act: Act, host: Host, answer: dict[str, Any]):
        host.answers = [{"changed": False, **answer}]
        result = act("preflight", role="server")
        assert (result["verdict"], result["checks"]) == ("error", [])
        assert result["error"]

    def test_site_variables_that_lack_are_our_error(self, act: Act, host: Host):
        host.answers = [{"changed": False, "facts": FACTS}]
        assert act("preflight", role="server", variables={})["error"] == "KeyError: 'interactor_site'"


GOOD = {"changed": False, "ledger": None, "facts": FACTS}
LOST = ConnectionResetError("Connection reset by peer")


class TestFamilies:
    def test_a_part_is_judged_and_is_no_verdict(self, act: Act, host: Host):
        host.answers = [GOOD]
        result = act("preflight", role="server", families=["pages", "power"])
        assert (result["verdict"], result["families"]) == (None, ["pages", "power"])
        assert {check["id"] for check in result["checks"]} == {"P1", "P2", "P8"}
        assert "families" not in host.asked[0]
        tags = {**VARIABLES, "ansible_run_tags": ["all"], "ansible_skip_tags": ["pages"]}
        skipped = act("preflight", role="server", variables=tags)
        assert (skipped["verdict"], "pages" in skipped["families"]) == (None, False)
        assert not {check["id"] for check in skipped["checks"]} & {"P1", "P2"}

    def test_all_of_them_are_no_part(self, act: Act, host: Host):
        host.answers = [GOOD]
        tags = {**VARIABLES, "ansible_run_tags": ["all"], "ansible_skip_tags": []}
        result = act("preflight", role="server", variables=tags)
        assert (result["verdict"], result["families"]) == ("ready", [])

    def test_that_a_host_is_not_reached_is_a_verdict(self, act: Act, host: Host):
        host.answers = [AnsibleConnectionFailure("timed out")]
        assert act("preflight", role="server", families=["proxy"])["verdict"] == "unreachable"
        host.answers = [{"failed": True, "msg": "x"}]
        assert act("preflight", role="server", families=["proxy"])["verdict"] == "error"

    def test_no_host_is_asked_for_what_the_register_tells(self, act: Act, host: Host):
        result = act("preflight", role="server", families=["register"])
        assert (result["skipped"], host.asked) == (True, [])


class TestPatience:
    """docs/decisions/0026-a-dead-host-and-a-part.md"""

    @pytest.mark.parametrize(
        "failure",
        [
            LOST,
            AnsibleConnectionFailure("[Errno 111] Connection refused"),
            AnsibleConnectionFailure("name or service not known"),
            AnsibleConnectionFailure("certificate verify failed: certificate has expired"),
            AnsibleConnectionFailure("exceeded the maximum number of 30 concurrent shells"),
            AnsibleError("winrm send_input failed"),
            {"failed": True, "msg": "the probe: out of memory"},
        ],
    )
    def test_what_failed_once_is_tried_once_more_on_another_connection(
        self, act: Act, host: Host, line: Line, failure: Any
    ):
        host.answers = [failure, GOOD]
        result = act("preflight", role="server")
        assert (result["verdict"], result["tries"], line.closed, len(host.asked)) == ("ready", 2, 1, 2)
        host.answers, host.asked = [failure], []
        result = act("preflight", role="server")
        assert (result["tries"], len(host.asked)) == (2, 2)
        assert result["verdict"] == ("unreachable" if result["cause"] else "error")

    @pytest.mark.parametrize(
        ("told", "cause"),
        [("the specified credentials were rejected by the server", "credentials"), ("Read timed out.", "timeout")],
    )
    def test_a_wrong_password_and_a_spent_limit_are_not_tried_again(
        self, act: Act, host: Host, line: Line, told: str, cause: str
    ):
        host.answers = [AnsibleConnectionFailure(told), GOOD]
        result = act("preflight", role="server")
        assert (result["cause"], result["tries"], line.closed, len(host.asked)) == (cause, 1, 0, 1)

    def test_a_host_that_is_well_is_asked_once(self, act: Act, host: Host, line: Line):
        host.answers = [GOOD]
        result = act("preflight", role="server")
        assert (result["tries"], line.closed, len(host.asked)) == (1, 0, 1)

    def test_a_host_that_does_not_answer_the_knock_is_not_asked(
        self, act: Act, host: Host, monkeypatch: pytest.MonkeyPatch
    ):
        knocks: list[float] = []

        def knock(_connection: object, seconds: float) -> str:
            knocks.append(seconds)
            return "srv.prove.example:5986: timed out"

        monkeypatch.setattr(f"{PACKAGE}.interactor_preflight.knock", knock)
        result = act("preflight", role="server", knock_seconds=2)
        assert (result["cause"], result["tries"], knocks, host.asked) == ("timeout", 1, [2.0], [])

    def test_a_closed_port_is_knocked_at_twice(self, act: Act, host: Host, monkeypatch: pytest.MonkeyPatch):
        told = ["", "x: [Errno 111] Connection refused"]
        monkeypatch.setattr(f"{PACKAGE}.interactor_preflight.knock", lambda *_: told.pop())
        host.answers = [GOOD]
        assert act("preflight", role="server")["verdict"] == "ready"
        assert told == []

    def test_another_connection_plugin_is_not_knocked_for(self, act: Act, host: Host, line: Line):
        line.transport = "psrp"  # type: ignore[misc]
        host.answers = [GOOD]
        assert act("preflight", role="server")["tries"] == 1

    def test_a_host_that_hangs_costs_its_limit_once(self, act: Act, host: Host, monkeypatch: pytest.MonkeyPatch):
        def hang(**_: Any) -> None:
            host.asked.append({})
            signal.pause()

        monkeypatch.setattr(host, "execute", hang)
        result = act("preflight", role="server", limit_seconds=0.05)
        assert (result["verdict"], result["cause"], result["tries"], len(host.asked)) == (
            "unreachable",
            "timeout",
            1,
            1,
        )
        assert result["detail"] == "timed out: no answer within 0.05 seconds"
        assert signal.getitimer(signal.ITIMER_REAL)[0] == 0

    def test_a_shell_that_cannot_be_ended_is_left(self, act: Act, host: Host, line: Line):
        line.broken = [LOST]
        host.answers = [LOST, GOOD]
        assert act("preflight", role="server")["verdict"] == "ready"
        line.broken, line.unreset = [LOST], [AnsibleConnectionFailure("[Errno 111] Connection refused")]
        host.answers = [LOST, GOOD]
        result = act("preflight", role="server")
        assert (result["verdict"], result["cause"], result["tries"]) == ("unreachable", "refused", 2)

    def test_account_and_password_are_never_told(self, act: Act, host: Host):
        host.answers = [AnsibleConnectionFailure("kinit: ansvarlig with hemmelig: logon failure")]
        result = act("preflight", role="server")
        assert (result["cause"], result["detail"]) == ("credentials", "kinit: … with …: logon failure")

    def test_a_long_text_keeps_its_end(self, act: Act, host: Host):
        host.answers = [AnsibleConnectionFailure(f"ntlm: {'x' * 500} certificate has expired")]
        detail = act("preflight", role="server")["detail"]
        assert len(detail) <= 300
        assert detail.startswith("ntlm: ")
        assert detail.endswith("certificate has expired")


class TestPostcheck:
    FOUND = {  # noqa: RUF012
        "service": "running",
        "version": "6.2.0",
        "mode": "server_in_cloud",
        "endpoint": CONTRACT["config"]["modes"]["server_in_cloud"]["endpoint"],
        "pages": PAGES,
        "untouched": {"folder:x": "aa"},
        "maintenance": False,
    }

    def test_what_was_found_is_judged_by_the_last_attempt(self, act: Act, host: Host):
        old = {"mode": "local", "untouched": {}}
        last = {"mode": "server_in_cloud", "untouched": {"folder:x": "aa"}}
        host.answers = [{"changed": False, "ledger": {"attempts": [old, last]}, "facts": self.FOUND}]
        result = act("postcheck")
        assert result["error"] is None
        assert {check["outcome"] for check in result["checks"]} == {"pass"}
        assert [check["id"] for check in result["checks"]] == ["A1", "MODE", "SERVICE", "LEASE", "P1", "P2"]

    @pytest.mark.parametrize("ledger", [None, {"attempts": []}])
    def test_without_an_attempt(self, act: Act, host: Host, ledger: dict[str, Any] | None):
        host.answers = [{"changed": False, "ledger": ledger, "facts": self.FOUND}]
        assert act("postcheck")["checks"][0]["outcome"] == "unknown"

    def test_an_answer_of_another_shape_is_our_error(self, act: Act, host: Host):
        host.answers = [{"changed": False, "ledger": None, "facts": {"service": "running"}}]
        result = act("postcheck")
        assert (result["checks"], result["facts"]) == ([], None)
        assert result["error"].startswith("KeyError")


def answer(state: str, *, changed: bool = False) -> dict[str, Any]:
    return {"changed": changed, "ledger": {}, "status": {"state": state, "progress": 1, "counts": {}, "message": ""}}


@pytest.mark.parametrize(("step", "sent"), [("look", False), ("stage", False), ("install", True), ("confirm", True)])
def test_the_script_goes_with_an_upgrade_that_keeps_people_out(act: Act, host: Host, step: str, sent: bool):
    host.answers = [{"changed": False, "ledger": None, "version": "5.4.1"}]
    act("upgrade", step=step)
    assert ("lease_script" in host.asked[0]) is sent


class TestMigrate:
    ATTEMPT = {"number": 1, "key": "k"}  # noqa: RUF012

    def test_the_attempts_name_is_all_that_is_sent_of_it(self, act: Act, host: Host):
        act("migrate", step="start", attempt={**self.ATTEMPT, "before": {}, "state": "prepared"}, mode=None)
        sent = {"step": "start", "attempt": self.ATTEMPT, "now": "2027-05-18T18:30:00Z"}
        assert host.asked == [{**COMMON, **sent, "lease_script": LEASE_SCRIPT.read_text(encoding="utf-8")}]

    @pytest.mark.parametrize(
        ("step", "sent"), [("look", True), ("lease", True), ("follow", True), ("handback", False), ("restore", False)]
    )
    def test_the_script_goes_where_people_are_kept_out(self, act: Act, host: Host, step: str, sent: bool):
        host.answers = [answer("completed")]
        act("migrate", step=step, attempt=self.ATTEMPT)
        assert ("lease_script" in host.asked[0]) is sent

    def test_a_pc_that_does_not_answer_the_knock_is_not_asked(
        self, act: Act, host: Host, monkeypatch: pytest.MonkeyPatch
    ):
        told = {"pc": "", "seen": []}

        def knock(connection: object) -> str:
            told["seen"].append(connection)
            return told["pc"]

        monkeypatch.setattr(f"{PACKAGE}.interactor_migrate.knock", knock)
        host.answers = [{"changed": False, "users": {"active": False}}]
        assert act("migrate", step="users")["users"] == {"active": False}
        assert "lease_script" not in host.asked[0]
        told["pc"] = "pc1: timed out"
        result = act("migrate", step="users")
        assert {key: result[key] for key in NOT_REACHED} == NOT_REACHED
        assert (result["cause"], result["detail"]) == ("timeout", "pc1: timed out")
        assert len(host.asked) == 1
        act("migrate", step="lease")
        assert len(told["seen"]) == 2, "a server is worth the wait"

    def test_an_attempt_without_a_name_is_our_error(self, act: Act):
        assert act("migrate", step="start", attempt={"number": 1})["error"] == "KeyError: 'key'"

    @pytest.mark.parametrize(
        ("now", "day"),
        [
            ("2027-05-18T21:59:59Z", "2027-05-18"),
            ("2027-05-18T22:00:00Z", "2027-05-19"),
            ("2027-01-18T22:59:59Z", "2027-01-18"),
            ("2027-01-18T23:00:00Z", "2027-01-19"),
            ("2028-02-28T23:00:00Z", "2028-02-29"),
        ],
    )
    def test_the_day_of_a_manifest_is_norways(self, act: Act, host: Host, now: str, day: str):
        act("migrate", step="manifest", attempt=self.ATTEMPT, now=now)
        assert host.asked[0]["day"] == day
        act("migrate", step="manifest", attempt=self.ATTEMPT, now=now, day="2027-05-01")
        assert host.asked[1]["day"] == "2027-05-01"

    def test_follow_asks_once_by_itself(self, act: Act, host: Host):
        host.answers = [answer("running")]
        assert act("migrate", step="follow", attempt=self.ATTEMPT)["status"]["state"] == "running"
        assert len(host.asked) == 1

    def test_follow_stays_until_it_has_ended(self, act: Act, host: Host, clock: SimpleNamespace):
        broken = AnsibleConnectionFailure("timed out")
        host.answers = [
            answer("running"),
            broken,
            answer("running", changed=True),
            answer("completed"),
            answer("running"),
        ]
        options = {"follow_minutes": "180", "poll_seconds": 300, "clock_url": "http://clock"}
        result = act("migrate", step="follow", attempt=self.ATTEMPT, **options)
        assert (result["status"]["state"], result["changed"]) == ("completed", True)
        moments = [format_time(START + timedelta(minutes=5 * index)) for index in range(4)]
        assert [asked["now"] for asked in host.asked] == moments
        assert set(clock.urls) == {"http://clock"}
        assert not {"follow_minutes", "poll_seconds", "clock_url"} & set(host.asked[0])

    def test_follow_leaves_when_the_time_is_over(self, act: Act, host: Host, clock: SimpleNamespace):
        host.answers = [answer("running")]
        result = act("migrate", step="follow", attempt=self.ATTEMPT, follow_minutes=7, poll_seconds=300)
        assert result["status"]["state"] == "running"
        assert (len(host.asked), clock.now) == (3, START + timedelta(minutes=7))

    @pytest.mark.parametrize(("until", "minutes"), [("2027-05-18T18:37:00Z", 7), ("2027-05-19T04:00:00Z", 60)])
    def test_follow_leaves_when_the_window_ends(
        self, act: Act, host: Host, clock: SimpleNamespace, until: str, minutes: int
    ):
        host.answers = [answer("running")]
        attempt = {**self.ATTEMPT, "until": until}
        act("migrate", step="follow", attempt=attempt, follow_minutes=60, poll_seconds=300)
        assert clock.now == START + timedelta(minutes=minutes)
        assert "until" not in host.asked[0]["attempt"]

    def test_follow_gives_up_a_module_that_fails(self, act: Act, host: Host):
        host.answers = [answer("running"), {"failed": True, "msg": "refused", "changed": False}]
        assert act("migrate", step="follow", attempt=self.ATTEMPT, follow_minutes=60)["error"] == "refused"
        assert len(host.asked) == 2

    @pytest.mark.parametrize("options", [{"step": "follow", "check": True}, {"step": "start"}])
    def test_nobody_waits_in_check_mode_nor_in_another_step(self, act: Act, host: Host, options: dict[str, Any]):
        host.answers = [answer("running")]
        act("migrate", attempt=self.ATTEMPT, follow_minutes=60, **options)
        assert len(host.asked) == 1
