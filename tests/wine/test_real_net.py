"""What of the net the probe asks Windows itself for, on a Wine machine against real servers on loopback.

In a wave these are the scenario's word (the module InteractorMachine); here they are our functions as they come.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from simulator.wine.discovery import find_tools
from simulator.wine.machine import Machine
from tests.pwsh.engine import MODULE_UTILS

pytestmark = [pytest.mark.playbook, pytest.mark.wine]
HOUR = 3600
PAC = b'function FindProxyForURL(url, host) { return dnsDomainIs(host, ".dips.no") ? "PROXY a.no:80" : "DIRECT"; }'
ASK = r"""
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module -Name C:\_Windows.psm1
$script = 'http://127.0.0.1:{web}/kunde.pac'
$null = reg.exe load 'HKU\Copy' 'C:\NTUSER.DAT'
ConvertTo-Json -Compress -Depth 4 -InputObject @{{
    load = $LASTEXITCODE
    offset = Get-ClockOffset -Server 127.0.0.1 -Port {ntp} -Seconds 60
    names = @(Get-HostAddress -Name localhost, nobody.invalid -Seconds 60)
    tls = Test-TlsServer -Name localhost -Port {tls} -Seconds 60
    by_proxy = Get-ScriptProxy -Script $script -Uri 'https://interactor.dips.no' -Seconds 60
    directly = Get-ScriptProxy -Script $script -Uri 'https://elsewhere.example' -Seconds 60
    detected = Get-DetectedScript -Seconds 60
    page = Get-WebAnswer -Uri $script -Proxy '' -TimeoutSeconds 60
    other = Get-WebAnswer -Uri 'http://interactor.dips.no/' -Proxy '127.0.0.1:{web}' -TimeoutSeconds 60
}}
"""


class Script(BaseHTTPRequestHandler):
    """Answers everything with a proxy script, also as a proxy."""

    def do_GET(self) -> None:
        """The script; http.server looks for this name."""
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ns-proxy-autoconfig")
        self.send_header("Content-Length", str(len(PAC)))
        self.end_headers()
        self.wfile.write(PAC)

    def log_message(self, *_of: object) -> None:
        """Nothing is logged."""


def tell_time(server: socket.socket) -> None:
    """Answer one question as an NTP server with this machine's clock."""
    question, sender = server.recvfrom(100)
    passed = datetime.now(UTC) - datetime(1900, 1, 1, tzinfo=UTC)
    now = struct.pack(">II", (passed.days * 86_400 + passed.seconds) % 2**32, 0)
    server.sendto(bytes([0x24, 2]) + bytes(22) + question[40:48] + now + now, sender)


def shake_hands(server: socket.socket, context: ssl.SSLContext) -> None:
    """Answer one handshake, and wait for its end."""
    with context.wrap_socket(server.accept()[0], server_side=True) as stream:
        stream.recv(1)


@contextmanager
def aside(serve: Callable[..., None], *of: Any) -> Iterator[None]:
    """A server in a thread of its own."""
    threading.Thread(target=serve, args=of, daemon=True).start()
    yield


@pytest.mark.usefixtures("wine")
def test_the_net_that_windows_tells_of(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA(organization_name="Somebody").issue_cert("localhost").configure_cert(context)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ntp,
        socket.create_server(("127.0.0.1", 0)) as tls,
        ThreadingHTTPServer(("127.0.0.1", 0), Script) as web,
    ):
        ntp.bind(("127.0.0.1", 0))
        with aside(tell_time, ntp), aside(shake_hands, tls, context), aside(web.serve_forever):
            ports = {"ntp": ntp.getsockname()[1], "tls": tls.getsockname()[1], "web": web.server_address[1]}
            told = asyncio.run(asked(tmp_path / "machine", ASK.format(**ports)))
        web.shutdown()
    # The machine shows an hour later than it is.
    assert abs(told["offset"] - HOUR) < 60
    assert [(name["addresses"], bool(name["error"])) for name in told["names"]] == [(["127.0.0.1"], False), ([], True)]
    assert (told["tls"]["protocol"], told["tls"]["error"]) == ("Tls12", None)
    assert "Somebody" in told["tls"]["issuer"]
    # Wine takes an authority that is not there for a trusted one; docs/wine.md.
    assert told["tls"]["trusted"] is True
    assert (told["by_proxy"], told["directly"]) == ("PROXY a.no:80", "DIRECT")
    # Whether this network has such a script is its own affair; that Windows was asked and has answered is ours.
    assert told["detected"] == "" or told["detected"].startswith("http")
    assert [told[way]["content"].encode() for way in ("page", "other")] == [PAC, PAC]
    # Wine's reg.exe knows no load; docs/wine.md.
    assert told["load"] == 1


async def asked(folder: Path, script: str) -> dict[str, Any]:
    """What a fresh machine answers to a script."""
    machine = Machine(find_tools(), folder, "Europe/Oslo")
    await machine.create()
    try:
        machine.set_clock(datetime.now(UTC) + timedelta(seconds=HOUR))
        (machine.drive / "_Windows.psm1").write_bytes((MODULE_UTILS / "_Windows.psm1").read_bytes())
        (machine.drive / "ask.ps1").write_text(script, encoding="utf-8")
        done = await machine.run(["powershell", "-NoProfile", "-File", r"C:\ask.ps1"], None, {})
        assert done.code == 0, done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer
    finally:
        await machine.destroy()
