"""What stands between a host and its pages is real on the wire: our own Get-WebAnswer and Test-TlsServer meet it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from simulator.calls import AtPage
from simulator.lines import BLOCKED, PORTAL
from simulator.pki import FIREWALL, PUBLIC, Authority
from simulator.testing import Simulation, running
from tests.pwsh.engine import MODULE_UTILS, Engine
from tests.pwsh.fixtures import engine

__all__ = ["engine"]
pytestmark = pytest.mark.pwsh

PAGE = "https://interactor.dips.no"
WORDS = "default backend – 404"
REWORDED = "DEFAULT BACKEND — 404".replace(" ", "\N{NO-BREAK SPACE} ")
# A block of PowerShell's could not be called where this is called from.
TRUST = """
    $kind = [System.Net.Security.RemoteCertificateValidationCallback]
    [System.Linq.Expressions.ParameterExpression[]]$takes = $kind.GetMethod('Invoke').GetParameters() |
        ForEach-Object { [System.Linq.Expressions.Expression]::Parameter($_.ParameterType) }
    $yes = [System.Linq.Expressions.Expression]::Constant($true)
    $manager::ServerCertificateValidationCallback =
        [System.Linq.Expressions.Expression]::Lambda($kind, $yes, $takes).Compile()
"""
Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    """An office with a PC for each kind of trouble."""
    folder = tmp_path_factory.mktemp("pages")
    clients = [{"name": kind.replace("_", "-"), "page_trouble": kind} for kind in get_args(AtPage)]
    scenario = folder / "scenario.yml"
    scenario.write_text(yaml.safe_dump({"sites": {"9001": {"domain": "k.example", "clients": clients}}}))
    with running(scenario, folder / "simulator") as simulation:
        yield simulation


@pytest.fixture
def ask(engine: Engine, net: Simulation) -> Ask:
    """Ask for a page on the line of the PC with a trouble, by Get-WebAnswer as it is; `trusts`: every certificate."""

    def run(kind: AtPage, url: str = PAGE, *, trusts: bool = True) -> dict[str, Any]:
        line = net.facts["lines"][f"{kind.replace('_', '-')}.k.example"].removeprefix("http://")
        told = engine.script(f"""
            Set-StrictMode -Version Latest
            $ErrorActionPreference = 'Stop'
            Import-Module -Name '{MODULE_UTILS / "_Windows.psm1"}' -Force
            $manager = [System.Net.ServicePointManager]
            try {{
                {TRUST if trusts else ""}
                $answer = Get-WebAnswer -Uri '{url}' -Proxy {line} -TimeoutSeconds 120
            }}
            finally {{ $manager::ServerCertificateValidationCallback = $null }}
            ConvertTo-Json -Compress -InputObject $answer
        """)
        assert "ERROR:" not in told, told
        found: dict[str, Any] = json.loads(told)
        return found

    return run


def test_every_host_with_a_trouble_has_a_line_and_no_other(net: Simulation) -> None:
    assert sorted(net.facts["lines"]) == sorted(f"{kind.replace('_', '-')}.k.example" for kind in get_args(AtPage))
    assert len({*net.facts["lines"].values(), net.facts["proxy"]}) == len(get_args(AtPage)) + 1


@pytest.mark.parametrize(
    ("kind", "status", "says", "final"),
    [
        ("captive_form", 200, "Logg inn", PAGE),
        ("intercepted", 404, WORDS, PAGE),
        ("blank", 200, "", PAGE),
        ("elsewhere", 200, "Siden er sperret", f"https://{BLOCKED}"),
        ("reworded", 404, REWORDED, PAGE),
    ],
)
def test_what_comes_in_place_of_a_page(ask: Ask, kind: AtPage, status: int, says: str, final: str) -> None:
    told = ask(kind)
    assert (told["status"], told["final_url"], told["error"]) == (status, f"{final}/", None)
    assert says in told["content"]
    assert bool(told["content"]) == bool(says)
    assert told["length"] == len(told["content"].encode())


def test_a_routers_log_in_page_is_gone_to_without_tls(ask: Ask) -> None:
    told = ask("captive", PAGE.replace("https", "http"))
    assert (told["status"], told["final_url"]) == (200, f"http://{PORTAL}/?fra=interactor.dips.no")
    assert "Logg inn" in told["content"]
    assert told["issuer"] == ""
    # Windows PowerShell 5.1 goes there from HTTPS as well; the engine of these tests stays.
    stays = ask("captive")
    assert (stays["status"], stays["final_url"]) == (302, f"{PAGE}/")
    assert "logge inn" in stays["content"]


@pytest.mark.parametrize("kind", ["captive", "intercepted", "blank", "no_root"])
def test_no_page_comes_by_a_certificate_that_is_not_trusted(ask: Ask, kind: AtPage) -> None:
    told = ask(kind, trusts=False)
    assert (told["status"], told["content"], told["final_url"]) == (0, "", None)
    assert "SSL" in told["error"]


def test_other_pages_are_as_they_are(ask: Ask) -> None:
    assert ask("captive", "http://config.nhn.no/kunde.pac")["content"].startswith("function FindProxyForURL")


@pytest.mark.parametrize(("flaw", "issuer"), [("", PUBLIC), ("firewall", FIREWALL)])
def test_the_certificate_tells_who_signed_it(engine: Engine, flaw: str, issuer: str) -> None:
    """The engine's Get-WebAnswer never tells an issuer; the handshake does, with the certificate of such a line."""
    context = Authority().leaf("localhost", flaw).context
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(60)

        def serve() -> None:
            line, _sender = listener.accept()
            with line, context.wrap_socket(line, server_side=True) as secure:
                secure.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        told = engine.script(f"""
            Import-Module -Name '{MODULE_UTILS / "_Windows.psm1"}' -Force
            $told = Test-TlsServer -Name localhost -Seconds 60 -Port {listener.getsockname()[1]}
            ConvertTo-Json -Compress -InputObject $told
        """)
        thread.join(timeout=60)
    found = json.loads(told)
    # .NET puts quotes around a name with a comma.
    assert f"O={issuer}" in found["issuer"].replace('"', "")
    assert (found["protocol"], found["trusted"]) == ("Tls12", False)


def test_a_scenario_may_send_on_as_well(tmp_path: Path, engine: Engine) -> None:
    pages = {
        "a.example": {"/": {"status": 301, "location": "http://b.example/ny"}},
        "b.example": {"*": {"body": "ny"}},
    }
    scenario = tmp_path / "scenario.yml"
    scenario.write_text(yaml.safe_dump({"pages": pages, "sites": {"9001": {"domain": "k.example", "clients": []}}}))
    with running(scenario, tmp_path / "simulator") as simulation:
        assert simulation.facts["lines"] == {}
        told = engine.script(f"""
            Import-Module -Name '{MODULE_UTILS / "_Windows.psm1"}' -Force
            $told = Get-WebAnswer -Uri http://a.example/ -Proxy {simulation.facts["proxy"].removeprefix("http://")}
            ConvertTo-Json -Compress -InputObject $told
        """)
    found = json.loads(told)
    assert (found["status"], found["content"], found["final_url"]) == (200, "ny", "http://b.example/ny")
