"""The wire, asked by foreign clients (pywinrm, pypsrp, requests, ansible itself), before a world made for this file."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
import requests
import requests_ntlm
import winrm
import winrm.exceptions
from pypsrp.exceptions import AuthenticationError, WSManFaultError
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import WSMan

from simulator import manifest, scenario
from simulator.calls import (
    Answer,
    AtPage,
    Call,
    CloudRefusal,
    Fetch,
    FetchError,
    FetchFile,
    HostDown,
    ModuleCall,
    Page,
    PageTrouble,
    PutFile,
    RawScript,
    Trouble,
    Unknown,
)
from simulator.clock import Clock
from simulator.fetch import Fetcher
from simulator.pki import Authority
from simulator.server import serving

START = datetime(2027, 5, 10, 7, tzinfo=UTC)
SECRET = "do-not-show-me"
TROUBLES: list[tuple[AtPage, bool | None]] = [*((kind, None) for kind in get_args(AtPage)), ("captive", False)]
LARGE = bytes(range(256)) * 2_000


class FakeEngine:
    """Keeps what it is told to run."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes]] = []
        self.closed = False

    async def execute(self, line: str, stdin: bytes) -> Answer:
        self.seen.append((line, stdin))
        if not stdin and "power cut" in str(manifest.decode(line, stdin, "")):
            raise HostDown
        return Answer(b"run\n", b"#< CLIXML", 4)

    def restart(self) -> None:
        self.seen.clear()

    async def close(self) -> None:
        self.closed = True


@dataclass
class FakeHost:
    """Knows one module, one script, and keeps files."""

    name: str
    powered_on: bool = True
    trouble: Trouble | None = None
    engine: FakeEngine | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    seen: list[Call] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, call: Call) -> Answer:
        self.seen.append(call)
        match call:
            case ModuleCall("ansible.windows.win_ping", arguments):
                if arguments["data"] == "crash":
                    raise RuntimeError(SECRET)
                return Answer(json.dumps({"changed": False, "ping": arguments["data"]}).encode())
            case ModuleCall("ansible.windows.win_file", arguments):
                return Answer(json.dumps({"changed": False, "failed": True, "msg": "no such thing"}).encode(), b"", 1)
            case PutFile(path, content):
                self.files[path] = content
                return Answer(json.dumps({"sha1": hashlib.sha1(content).hexdigest()}).encode())
            case FetchFile(path, offset, size):
                if path not in self.files:
                    return Answer(b"", f"{path} does not exist".encode(), 1)
                return Answer(base64.b64encode(self.files[path][offset : offset + size]))
            case RawScript(text) if "hostname" in text:
                return Answer(f"{self.name}\r\n".encode())
            case RawScript(text) if "large" in text:
                return Answer(LARGE, b"and an error", 3)
            case RawScript(text) if "slow" in text:
                await self.release.wait()
                return Answer(b"at last")
            case RawScript(text) if "power cut" in text:
                raise HostDown(self.name)
        raise Unknown(call.name if isinstance(call, ModuleCall) else "this script")


@dataclass(frozen=True)
class FakePage:
    status: int
    content_type: str
    body: str | bytes
    location: str = ""


def trouble(kind: AtPage, trusted: bool | None = None) -> scenario.PageTrouble:
    return scenario.PageTrouble(kind=kind, trusted=trusted)


class FakeCloud:
    def __init__(self) -> None:
        self.attempts: list[dict[str, Any]] = []

    def list_attempts(self, site: str) -> list[dict[str, Any]]:
        return [one for one in self.attempts if one["site"] == site]

    def open_attempt(self, site: str, number: int, key: str, history_months: int) -> tuple[dict[str, Any], bool]:
        for one in self.attempts:
            if one["key"] == key:
                return one, False
        if self.list_attempts(site):
            raise CloudRefusal(409, "another attempt is open")
        self.attempts.append({"site": site, "number": number, "key": key, "history_months": history_months})
        return self.attempts[-1], True

    def discard(self, site: str, number: int, key: str) -> dict[str, Any]:
        for one in self.list_attempts(site):
            if one["number"] == number and one["key"] == key:
                return {**one, "state": "discarded"}
        raise CloudRefusal(404, "no such attempt")


class FakeWorld:
    def __init__(self, fetch: Fetch) -> None:
        self.fetch = fetch
        self.clock = Clock(START)
        self.cloud = FakeCloud()
        self.unknown = ""
        self.page_troubles: Mapping[str, PageTrouble] = {
            f"{kind}{trusted}.example": trouble(kind, trusted) for kind, trusted in TROUBLES
        }
        self.cloud_url = "https://interactor.dips.no/migration/v1"
        names = ("srv.one.example", "srv.two.example", "srv.off.example", "srv.real.example")
        self.hosts: dict[str, FakeHost] = {name: FakeHost(name, powered_on="off" not in name) for name in names}
        self.hosts["srv.real.example"].engine = FakeEngine()
        self.pages: Mapping[str, Mapping[str, FakePage]] = {
            "interactor.dips.no": {"*": FakePage(404, "text/plain; charset=utf-8", "default backend – 404")},
            "config.nhn.no": {"/kunde.pac": FakePage(200, "application/x-ns-proxy-autoconfig", b"function F() {}")},
        }

    async def advance_to(self, moment: datetime) -> datetime:
        return self.clock.advance_to(moment)

    async def catch_up(self) -> None:
        """Nothing here begins by itself; where a test says so, something did that is not known."""
        if self.unknown:
            raise Unknown(self.unknown)

    def snapshot(self) -> dict[str, Any]:
        return {name: sorted(host.files) for name, host in self.hosts.items()}


class Served:
    """A simulation in a thread of this process, so that a test can look into its world."""

    def __init__(self, run_dir: Path) -> None:
        self.facts: dict[str, Any] = {}
        self.world: FakeWorld
        self.run_dir = run_dir
        self.loop = asyncio.new_event_loop()
        self._ready, self._end = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(30)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)

    def _run(self) -> None:
        async def serve() -> None:
            async with serving(self._build, self.run_dir) as facts:
                self.facts = dict(facts)
                self._ready.set()
                await self._end.wait()

        self.loop.run_until_complete(serve())

    def _build(self, fetch: Fetcher) -> FakeWorld:
        self.fetcher = fetch
        self.world = FakeWorld(fetch)
        return self.world

    def fetch(self, url: str, start: int = 0, most: int | None = None) -> Page:
        async def ask() -> Page:
            return await self.world.fetch(url, start, most)

        return asyncio.run_coroutine_threadsafe(ask(), self.loop).result(30)

    def fetch_behind(self, kind: AtPage, trusted: bool | None, url: str) -> Page:
        async def ask() -> Page:
            return await self.fetcher.behind(trouble(kind, trusted))(url)

        return asyncio.run_coroutine_threadsafe(ask(), self.loop).result(30)

    def get(self, url: str, **more: Any) -> requests.Response:
        return self.request("GET", url, **more)

    def request(self, method: str, url: str, **more: Any) -> requests.Response:
        proxies = {"http": self.facts["proxy"], "https": self.facts["proxy"]}
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, url, proxies=proxies, verify=self.facts["ca"], timeout=30, **more)

    def pywinrm(self, host: str = "srv.one.example", **more: Any) -> winrm.Protocol:
        options: dict[str, Any] = {
            "endpoint": f"https://{host}:5986/wsman",
            "transport": "ntlm",
            "username": self.facts["user"],
            "password": self.facts["password"],
            "ca_trust_path": self.facts["ca"],
            "proxy": self.facts["proxy"],
        }
        return winrm.Protocol(**{**options, **more})

    def pypsrp(self, host: str = "srv.one.example", **more: Any) -> WSMan:
        options: dict[str, Any] = {
            "port": 5986,
            "username": self.facts["user"],
            "password": self.facts["password"],
            "cert_validation": self.facts["ca"],
            "proxy": self.facts["proxy"],
            "auth": "ntlm",
        }
        return WSMan(host, **{**options, **more})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    one = Served(tmp_path_factory.mktemp("simulation"))
    one.start()
    yield one
    one.stop()
    assert [host.engine.closed for host in one.world.hosts.values() if host.engine] == [True]
    assert list(one.run_dir.iterdir()) == []


def encoded(script: str) -> list[str]:
    return ["-NoProfile", "-EncodedCommand", base64.b64encode(script.encode("utf-16-le")).decode()]


def run(protocol: winrm.Protocol, script: str) -> tuple[bytes, bytes, int]:
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "PowerShell", encoded(script))
    result = protocol.get_command_output(shell, command)
    protocol.cleanup_command(shell, command)
    protocol.close_shell(shell)
    return result


@pytest.mark.parametrize("transport", ["ntlm", "basic"])
def test_pywinrm_runs_a_script(served: Served, transport: str):
    out = run(served.pywinrm(transport=transport), "hostname")
    assert out == (b"srv.one.example\r\n", b"", 0)


@pytest.mark.parametrize("name", ["{user}", ".\\{user}", "{user}".upper()])
def test_the_account_is_local_to_the_host(served: Served, name: str):
    user = name.format(user=served.facts["user"], USER=served.facts["user"])
    assert run(served.pywinrm(username=user), "hostname")[2] == 0


@pytest.mark.parametrize("auth", ["ntlm", "negotiate", "basic"])
def test_pypsrp_runs_a_script(served: Served, auth: str):
    with served.pypsrp(auth=auth) as wsman, WinRS(wsman) as shell:
        process = Process(shell, "PowerShell", encoded("hostname"))
        process.invoke()
        process.signal(SignalCode.TERMINATE)
    assert (process.stdout, process.stderr, process.rc) == (b"srv.one.example\r\n", b"", 0)


def test_output_that_fills_more_than_one_envelope_arrives_whole(served: Served):
    assert run(served.pywinrm(), "large") == (LARGE, b"and an error", 3)


def test_a_command_that_takes_longer_than_the_operation_is_asked_for_again(served: Served):
    host = served.world.hosts["srv.two.example"]
    protocol = served.pywinrm("srv.two.example", operation_timeout_sec=1, read_timeout_sec=20)
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "PowerShell", encoded("slow"))
    with pytest.raises(winrm.exceptions.WinRMOperationTimeoutError):
        protocol.get_command_output_raw(shell, command)
    served.loop.call_soon_threadsafe(host.release.set)
    assert protocol.get_command_output(shell, command) == (b"at last", b"", 0)
    protocol.close_shell(shell)


def test_a_shell_and_a_command_that_are_gone_are_faults(served: Served):
    protocol = served.pywinrm()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "PowerShell", encoded("hostname"))
    protocol.cleanup_command(shell, command)
    with pytest.raises(winrm.exceptions.WSManFaultError) as gone:
        protocol.get_command_output_raw(shell, command)
    assert gone.value.wsman_fault_code == 87
    protocol.close_shell(shell, close_session=False)
    with pytest.raises(winrm.exceptions.WSManFaultError) as closed:
        protocol.run_command(shell, "PowerShell", encoded("hostname"))
    assert closed.value.wsman_fault_code == 2150858843


def test_shells_are_the_hosts_own(served: Served):
    shell = served.pywinrm().open_shell()
    with pytest.raises(winrm.exceptions.WSManFaultError) as fault:
        served.pywinrm("srv.two.example").run_command(shell, "PowerShell", encoded("hostname"))
    assert fault.value.wsman_fault_code == 2150858843


def test_an_action_that_is_not_simulated_is_a_fault(served: Served):
    with served.pypsrp() as wsman, pytest.raises(WSManFaultError) as fault:
        wsman.enumerate("http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd")
    assert fault.value.code == 2150858753


@pytest.mark.parametrize(
    ("script", "stdin", "named"),
    [("Restart-Computer", b"", "this script"), ("$input", b'{"name": "other"}', "the bootstrap script 'other'")],
)
def test_what_is_not_known_is_loud(served: Served, script: str, stdin: bytes, named: str):
    protocol = served.pywinrm()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "PowerShell", encoded(script), console_mode_stdin=not stdin)
    if stdin:
        protocol.send_command_input(shell, command, stdin, end=True)
    _, stderr, code = protocol.get_command_output(shell, command)
    assert (code, stderr.decode().strip()) == (1, f"the simulator does not know {named}")


@pytest.mark.parametrize("transport", ["ntlm", "basic"])
def test_a_wrong_password_is_rejected(served: Served, transport: str):
    with pytest.raises(winrm.exceptions.InvalidCredentialsError, match="credentials were rejected"):
        served.pywinrm(transport=transport, password="wrong").open_shell()
    with pytest.raises(AuthenticationError), served.pypsrp(auth=transport, password="wrong") as wsman, WinRS(wsman):
        pass


def test_an_unknown_account_is_rejected(served: Served):
    with pytest.raises(winrm.exceptions.InvalidCredentialsError):
        served.pywinrm(username="somebody").open_shell()


def test_no_credentials_get_nothing(served: Served):
    answer = served.request("POST", "https://srv.one.example:5986/wsman", data=b"<x/>")
    assert answer.status_code == 401
    assert "Negotiate" in answer.headers["WWW-Authenticate"]


def test_a_false_channel_binding_is_rejected(served: Served, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(requests_ntlm.requests_ntlm, "_get_certificate_hash", lambda _: b"another server's")
    with pytest.raises(winrm.exceptions.InvalidCredentialsError):
        served.pywinrm().open_shell()


def test_another_authority_is_not_trusted(served: Served, tmp_path: Path):
    Authority().write(tmp_path / "other.pem")
    with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        served.pywinrm(ca_trust_path=str(tmp_path / "other.pem")).open_shell()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://srv.off.example:5986/wsman", "504 srv.off.example does not answer"),
        ("https://srv.none.example:5986/wsman", "502 srv.none.example is not a known name"),
        ("https://srv.one.example:443/", "502 srv.one.example refuses connections to port 443"),
    ],
)
def test_what_cannot_be_reached_is_named(served: Served, address: str, said: str):
    with pytest.raises(requests.exceptions.ProxyError, match=re.escape(said)):
        served.get(address)


def test_a_host_that_goes_down_forgets_its_shells(served: Served):
    host = served.world.hosts["srv.two.example"]
    protocol = served.pywinrm("srv.two.example")
    shell = protocol.open_shell()
    host.powered_on = False
    try:
        with pytest.raises(requests.exceptions.ConnectionError):
            protocol.run_command(shell, "PowerShell", encoded("hostname"))
    finally:
        host.powered_on = True
    with pytest.raises(winrm.exceptions.WSManFaultError):
        served.pywinrm("srv.two.example").run_command(shell, "PowerShell", encoded("hostname"))


def test_a_host_that_goes_down_in_the_middle_of_a_call_gives_no_answer(served: Served):
    protocol = served.pywinrm("srv.two.example")
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "PowerShell", encoded("power cut"))
    with pytest.raises(requests.exceptions.ConnectionError):
        protocol.get_command_output(shell, command)
    with pytest.raises(winrm.exceptions.WSManFaultError):
        served.pywinrm("srv.two.example").run_command(shell, "PowerShell", encoded("hostname"))


def sent_module(step: str) -> bytes:
    """Standard input as ansible-core sends it with a module, small."""
    action = {
        "name": "module_wrapper.ps1",
        "params": {
            "Script": "ansible_collections.helsevest.interactor.plugins.modules.interactor_migrate.ps1",
            "Variables": [{"Name": "complex_args", "Value": {"step": step}}],
        },
    }
    return b'{"name": "exec_wrapper"}\n\0\0\0\0\n' + json.dumps({"actions": [action]}).encode()


def run_with_input(protocol: winrm.Protocol, stdin: bytes) -> tuple[bytes, bytes, int]:
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "PowerShell", encoded("bootstrap"))
    protocol.send_command_input(shell, command, stdin, end=True)
    return protocol.get_command_output(shell, command)


def test_an_engine_gets_the_bytes_as_they_came(served: Served):
    host = served.world.hosts["srv.real.example"]
    assert host.engine is not None
    host.engine.seen.clear()
    stdin = sent_module("look")
    assert run_with_input(served.pywinrm("srv.real.example"), stdin) == (b"run\n", b"#< CLIXML", 4)
    assert host.engine.seen == [(" ".join(["PowerShell", *encoded("bootstrap")]), stdin)]
    assert host.seen == []
    calls = requests.get(f"{served.facts['control_url']}/calls", timeout=30).json()
    assert calls[-1] == {"host": "srv.real.example", "call": "helsevest.interactor.interactor_migrate look"}
    assert not host.engine.closed


@pytest.mark.parametrize(("when", "times"), [("before", 0), ("after", 1)])
def test_the_line_to_an_engine_breaks_as_well(served: Served, when: str, times: int):
    host = served.world.hosts["srv.real.example"]
    assert host.engine is not None
    host.engine.seen.clear()
    control = f"{served.facts['control_url']}/faults"
    fault = {"host": host.name, "call": "interactor_migrate start", "nth": 1, "when": when, "do": "cut"}
    assert requests.post(control, json=fault, timeout=30).status_code == 200
    try:
        with pytest.raises(requests.exceptions.ConnectionError):
            run_with_input(served.pywinrm(host.name), sent_module("start"))
        assert len(host.engine.seen) == times
    finally:
        requests.post(f"{control}/mend", timeout=30)


def test_an_engine_that_goes_down_gives_no_answer(served: Served):
    with pytest.raises(requests.exceptions.ConnectionError):
        run(served.pywinrm("srv.real.example"), "power cut")


def test_a_document_type_declaration_is_refused(served: Served):
    text = '<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "b">]><s>&a;</s>'
    for data in (text.encode(), text.encode("utf-16")):
        answer = served.request(
            "POST",
            "https://srv.one.example:5986/wsman",
            data=data,
            auth=(served.facts["user"], served.facts["password"]),
            headers={"Content-Type": "application/soap+xml;charset=UTF-8"},
        )
        assert (answer.status_code, "document type declaration" in answer.text) == (500, True)


def test_pages_of_the_scenario(served: Served):
    missing = served.get("https://interactor.dips.no/anything")
    assert (missing.status_code, missing.text) == (404, "default backend – 404")
    script = served.get("http://config.nhn.no/kunde.pac")
    assert (script.content, script.headers["Content-Type"]) == (b"function F() {}", "application/x-ns-proxy-autoconfig")
    assert served.get("http://config.nhn.no/other").status_code == 404
    assert served.get("http://srv.one.example/").status_code == 502


def test_a_host_fetches_pages_as_a_real_client(served: Served):
    page = served.fetch("https://interactor.dips.no")
    assert (page.status, page.body.decode(), page.final_url) == (
        404,
        "default backend – 404",
        "https://interactor.dips.no/",
    )
    assert "Interactor simulator" in page.issuer
    assert served.fetch("http://config.nhn.no/kunde.pac").issuer == ""
    for address in ("https://no.such.name/", "http://no.such.name/"):
        with pytest.raises(FetchError, match=r"no\.such\.name is not a known name"):
            served.fetch(address)


PORTAL, NOTICE = "http://login.gjestenett.example/?fra=interactor.dips.no", "https://sperret.filter.example/"
FIREWALL, PUBLIC = "O=Simulated firewall", "O=DigiCert Inc"


@pytest.mark.parametrize(
    ("kind", "status", "says", "final", "issuer"),
    [
        ("captive", 200, "Logg inn", PORTAL, ""),
        ("captive_form", 200, "Logg inn", "https://interactor.dips.no/", FIREWALL),
        ("intercepted", 404, "default backend – 404", "https://interactor.dips.no/", FIREWALL),
        ("blank", 200, "", "https://interactor.dips.no/", FIREWALL),
        ("elsewhere", 200, "Siden er sperret", NOTICE, FIREWALL),
        ("reworded", 404, "BACKEND", "https://interactor.dips.no/", PUBLIC),
    ],
)
def test_a_host_fetches_pages_behind_a_trouble(
    served: Served, kind: AtPage, status: int, says: str, final: str, issuer: str
):
    page = served.fetch_behind(kind, None, "https://interactor.dips.no")
    assert (page.status, page.final_url) == (status, final)
    assert says in page.body.decode()
    assert bool(page.body) == bool(says)
    assert issuer in page.issuer
    assert bool(page.issuer) == bool(issuer)
    other = served.fetch_behind(kind, None, "http://config.nhn.no/kunde.pac")
    assert other.body == b"function F() {}"
    with pytest.raises(FetchError, match=r"no\.such\.name is not a known name"):
        served.fetch_behind(kind, None, "http://no.such.name/")


@pytest.mark.parametrize(("kind", "trusted"), [("no_root", None), ("captive", False)])
def test_no_page_comes_by_a_certificate_that_a_host_does_not_trust(served: Served, kind: AtPage, trusted: bool | None):
    with pytest.raises(FetchError, match=r"^TrustFailure: the certificate of interactor\.dips\.no is not trusted$"):
        served.fetch_behind(kind, trusted, "https://interactor.dips.no")


def test_pages_are_served_by_range(served: Served):
    url, body = "http://config.nhn.no/kunde.pac", b"function F() {}"
    whole = served.get(url)
    tag = whole.headers["ETag"]
    assert (whole.status_code, whole.headers["Accept-Ranges"], tag[0] + tag[-1]) == (200, "bytes", '""')
    rest = served.get(url, headers={"Range": "bytes=9-"})
    assert (rest.status_code, rest.content, rest.headers["ETag"]) == (206, body[9:], tag)
    assert rest.headers["Content-Range"] == f"bytes 9-{len(body) - 1}/{len(body)}"
    beyond = served.get(url, headers={"Range": f"bytes={len(body)}-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(body)}")
    odd = served.get(url, headers={"Range": "bytes=-3"})
    assert (odd.status_code, odd.content) == (200, body)
    assert served.get("https://interactor.dips.no", headers={"Range": "bytes=3-"}).status_code == 404


def test_a_host_fetches_a_part_of_a_page(served: Served):
    url, body = "http://config.nhn.no/kunde.pac", b"function F() {}"
    first = served.fetch(url, 0, 4)
    assert (first.status, first.body, first.first, first.total) == (200, body[:4], 0, len(body))
    rest = served.fetch(url, 4)
    assert (rest.status, rest.body, rest.first, rest.total) == (206, body[4:], 4, len(body))
    assert first.tag == rest.tag != ""
    assert served.fetch(url, 99).status == 416


def test_the_clouds_migration_service(served: Served):
    site = "https://interactor.dips.no/migration/v1/sites/1001/attempts"
    bearer = {"Authorization": f"Bearer {served.facts['cloud_token']}"}
    asked = {"number": 1, "key": "k1", "history_months": 12}
    assert served.get(site).status_code == 401
    assert served.get(site, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert served.get(site, headers=bearer).json() == {"attempts": []}
    codes = [served.request("POST", site, json=asked, headers=bearer).status_code for _ in range(2)]
    assert codes == [201, 200]
    refused = served.request("POST", site, json={**asked, "key": "k2"}, headers=bearer)
    assert (refused.status_code, refused.json()) == (409, {"error": "another attempt is open"})
    assert [one["key"] for one in served.get(site, headers=bearer).json()["attempts"]] == ["k1"]
    assert (
        served.request("POST", f"{site}/1/discard", json={"key": "k1"}, headers=bearer).json()["state"] == "discarded"
    )
    assert served.request("POST", f"{site}/2/discard", json={"key": "k1"}, headers=bearer).status_code == 404
    for body in ({**asked, "number": "1"}, {**asked, "number": True}, {"key": "k1"}, []):
        assert served.request("POST", site, json=body, headers=bearer).status_code == 400
    assert served.get("https://interactor.dips.no/migration/v1/other", headers=bearer).json()["error"]


def test_the_clock_is_still_and_moves_forward_only(served: Served):
    url = served.facts["clock_url"]
    assert requests.get(url, timeout=10).json() == {"now": "2027-05-10T07:00:00Z"}
    for until, now in (
        ("2027-05-10T08:00:00Z", "2027-05-10T08:00:00Z"),
        ("2027-05-10T07:30:00Z", "2027-05-10T08:00:00Z"),
    ):
        assert requests.post(url, json={"until": until}, timeout=10).json() == {"now": now}
    for wrong in (
        {"set": "2027-05-10T09:00:00Z"},
        {"until": "2027-05-10T09:00:00"},
        {"until": "soon"},
        {"until": 1},
        [],
    ):
        assert requests.post(url, json=wrong, timeout=10).status_code == 400
    assert requests.get(url, timeout=10).json() == {"now": "2027-05-10T08:00:00Z"}


def test_the_files_of_a_simulation_are_its_users_alone(served: Served):
    modes = {path.name: path.stat().st_mode & 0o777 for path in served.run_dir.iterdir()}
    assert (modes["simulation.json"], modes["accounts"]) == (0o600, 0o600)
    assert json.loads((served.run_dir / "simulation.json").read_text()) == served.facts


OTHER = os.environ.get("INTERACTOR_OTHER_ANSIBLE", "")
BINS = [
    pytest.param(Path(sys.executable).parent, id="this-core"),
    pytest.param(
        Path(OTHER),
        id="other-core",
        marks=pytest.mark.skipif(not OTHER, reason="INTERACTOR_OTHER_ANSIBLE names no bin folder"),
    ),
]


@dataclass(frozen=True)
class Ansible:
    """Ansible's ad-hoc command with its unmodified winrm connection."""

    bin: Path
    folder: Path
    served: Served

    def __call__(
        self, module: str, arguments: str = "", *more: str, host: str = "one", **variables: Any
    ) -> dict[str, Any]:
        facts = self.served.facts
        everything = {
            "ansible_connection": "ansible.builtin.winrm",
            "ansible_host": f"srv.{host}.example",
            "ansible_port": 5986,
            "ansible_winrm_transport": "ntlm",
            "ansible_winrm_proxy": facts["proxy"],
            "ansible_winrm_ca_trust_path": facts["ca"],
            "ansible_user": facts["user"],
            "ansible_password": facts["password"],
            **variables,
        }
        (self.folder / "ansible.cfg").touch()
        inventory = self.folder / "inventory.json"
        inventory.write_text(json.dumps({"all": {"vars": everything, "hosts": {"host": {}}}}))
        command = [str(self.bin / "ansible"), "host", "-i", str(inventory), "-m", module, *more]
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "PYTHON"))},
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.folder),
            "ANSIBLE_ACTION_PLUGINS": str(self.folder),
        }
        done = subprocess.run(
            [*command, *(["-a", arguments] if arguments else []), "--tree", str(self.folder / "tree")],
            env=environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        result = self.folder / "tree" / "host"
        assert result.exists(), done.stdout + done.stderr
        return {**json.loads(result.read_text()), "exit": done.returncode}


@pytest.fixture(params=BINS)
def ansible(request: pytest.FixtureRequest, served: Served, tmp_path: Path) -> Ansible:
    served.world.hosts["srv.one.example"].seen.clear()
    return Ansible(request.param, tmp_path, served)


def test_ansible_runs_a_module(ansible: Ansible, served: Served):
    assert ansible("ansible.windows.win_ping", "data=hei")["ping"] == "hei"
    assert served.world.hosts["srv.one.example"].seen == [
        ModuleCall("ansible.windows.win_ping", {"data": "hei"}, check_mode=False, diff=False)
    ]
    calls = requests.get(f"{served.facts['control_url']}/calls", timeout=10).json()
    assert calls[-1] == {"host": "srv.one.example", "call": "ansible.windows.win_ping"}


def test_ansible_says_check_mode_and_diff(ansible: Ansible, served: Served):
    ansible("ansible.windows.win_ping", "data=x", "--check", "--diff")
    (call,) = served.world.hosts["srv.one.example"].seen
    assert isinstance(call, ModuleCall)
    assert (call.check_mode, call.diff) == (True, True)


def test_arguments_larger_than_one_send_arrive_whole(ansible: Ansible, served: Served):
    text = "æøå and more " * 40_000
    file = ansible.folder / "variables.json"
    file.write_text(json.dumps({"text": text}))
    assert ansible("ansible.windows.win_ping", "data={{ text }}", "-e", f"@{file}")["ping"] == text
    (call,) = served.world.hosts["srv.one.example"].seen
    assert isinstance(call, ModuleCall)
    assert call.arguments == {"data": text}


def test_ansible_sees_the_modules_own_failure(ansible: Ansible):
    result = ansible("ansible.windows.win_file", "path=C:\\x state=absent")
    assert (result["exit"], result["msg"]) == (2, "no such thing")


def test_a_module_that_is_not_known_fails_loudly(ansible: Ansible):
    result = ansible("ansible.windows.win_environment", "name=A level=user state=absent")
    assert result["exit"] == 2
    assert "the simulator does not know ansible.windows.win_environment" in result["msg"]


def test_a_crash_is_loud_and_tells_no_secret(ansible: Ansible):
    result = ansible("ansible.windows.win_ping", "data=crash")
    assert result["exit"] == 2
    assert "the simulator failed: RuntimeError in test_wire.py" in result["msg"]
    assert SECRET not in json.dumps(result)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--become", "--become-method", "runas", "--become-user", "SYSTEM"], "become_wrapper.ps1"),
        (["-B", "60", "-P", "0"], "async_wrapper.ps1"),
    ],
)
def test_become_and_async_are_refused_loudly(ansible: Ansible, arguments: list[str], named: str):
    result = ansible("ansible.windows.win_ping", "data=x", *arguments)
    assert result["exit"] == 2
    assert named in json.dumps(result)


def test_ansible_runs_raw(ansible: Ansible):
    assert ansible("ansible.builtin.raw", "hostname")["stdout_lines"] == ["srv.one.example"]


ACTION = """
from ansible.plugins.action import ActionBase

class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        folder = self._make_tmp_path()
        self._connection.put_file(self._task.args["source"], "C:\\\\data.bin")
        self._connection.fetch_file("C:\\\\data.bin", self._task.args["target"])
        try:
            self._connection.fetch_file("C:\\\\none", self._task.args["target"] + ".none")
            missing = ""
        except Exception as error:
            missing = str(error)
        return {"folder": folder, "home": self._remote_expand_user("~\\\\x"), "missing": missing}
"""


@pytest.mark.parametrize("size", [0, 1_300_000])
def test_ansible_puts_and_fetches_a_file(ansible: Ansible, served: Served, size: int):
    content = os.urandom(size)
    source, target = ansible.folder / "source", ansible.folder / "target"
    source.write_bytes(content)
    (ansible.folder / "carry.py").write_text(ACTION)
    result = ansible("carry", f"source={source} target={target}")
    host = served.world.hosts["srv.one.example"]
    assert host.files["C:\\data.bin"] == content
    assert target.read_bytes() == content
    home = f"C:\\Users\\{served.facts['user']}"
    assert result["folder"].startswith(f"{home}\\AppData\\Local\\Temp\\ansible-tmp-")
    assert result["home"] == f"{home}\\x"
    assert "failed to transfer" in result["missing"]


def test_what_a_task_asks_for_that_is_not_known_is_told(served: Served):
    served.world.unknown = "the command Get-Nothing"
    try:
        answer = requests.get(f"{served.facts['control_url']}/state", timeout=30)
    finally:
        served.world.unknown = ""
    told = {"error": "the simulator does not know the command Get-Nothing"}
    assert (answer.status_code, answer.json()) == (500, told)
