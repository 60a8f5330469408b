# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of other computers, against real servers on loopback: clocks, names, TLS, proxies."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pwsh.engine import MODULE_UTILS, Engine

Call = Callable[..., Any]
EPOCH = datetime(1900, 1, 1, tzinfo=UTC)


@pytest.fixture
def call(engine: Engine) -> Call:
    """Run a line of PowerShell with the module loaded; its answer, or `{"failed": why}`."""
    head = f"""
    Set-StrictMode -Version Latest
    $ErrorActionPreference = 'Stop'
    Import-Module -Name '{MODULE_UTILS / "_Windows.psm1"}' -Force
    """

    def run(line: str) -> Any:
        told = engine.script(f"""{head}
        try {{ $told = {line} }}
        catch {{ $told = @{{ failed = $_.Exception.GetBaseException().Message }} }}
        ConvertTo-Json -Compress -Depth 5 -InputObject $told""")
        assert "ERROR:" not in told, told
        return json.loads(told)

    return run


def stamp(moment: datetime) -> bytes:
    """A moment as NTP tells it; the count begins again in 2036."""
    passed = moment - EPOCH
    seconds = passed.days * 86_400 + passed.seconds
    return struct.pack(">II", seconds % 2**32, passed.microseconds * 2**32 // 1_000_000)


@contextmanager
def time_server(answer: Callable[[bytes], bytes]) -> Iterator[int]:
    """A server that answers one question; its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(60)

        def serve() -> None:
            try:
                question, sender = server.recvfrom(100)
                server.sendto(answer(question), sender)
            except OSError:
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(timeout=60)


def ahead(seconds: float, head: bytes = bytes([0x24, 2])) -> Callable[[bytes], bytes]:
    """Answers as a server whose clock is so far ahead of ours."""

    def answer(question: bytes) -> bytes:
        now = stamp(datetime.now(UTC) + timedelta(seconds=seconds))
        return head + bytes(22) + question[40:48] + now + now

    return answer


@pytest.mark.parametrize("seconds", [0.0, 300.0, -86_400.0])
def test_a_clock_is_compared(call: Call, seconds: float):
    with time_server(ahead(seconds)) as port:
        told = call(f"Get-ClockOffset -Server 127.0.0.1 -Seconds 60 -Port {port}")
    # The server's answer cannot be older or newer than the question and the answer.
    assert told == pytest.approx(-seconds, abs=30)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda _question: bytes(47), "the answer is none to what was asked"),
        (lambda question: ahead(0)(bytes(48)) if any(question[40:48]) else b"", "the answer is none to what was asked"),
        (ahead(0, bytes([0xE4, 2])), "the time server does not know the time"),
        (ahead(0, bytes([0x24, 0])), "the time server does not know the time"),
        (ahead(0, bytes([0x24, 16])), "the time server does not know the time"),
        (ahead(0, bytes([0x23, 2])), "the time server does not know the time"),
    ],
)
def test_an_answer_that_is_no_time_is_refused(call: Call, answer: Callable[[bytes], bytes], why: str):
    with time_server(answer) as port:
        assert call(f"Get-ClockOffset -Server 127.0.0.1 -Seconds 60 -Port {port}") == {"failed": why}


def test_a_time_server_that_is_silent(call: Call):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        told = call(f"Get-ClockOffset -Server 127.0.0.1 -Seconds 0.2 -Port {silent.getsockname()[1]}")
    assert told["failed"]


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    days=st.integers(0, 5_000),
    offset=st.integers(-10_000_000, 10_000_000),
    there=st.integers(0, 5_000),
    back=st.integers(0, 5_000),
)
def test_the_way_there_and_back_is_taken_off(call: Call, days: int, offset: int, there: int, back: int):
    # Over the end of the first era of NTP, in February 2036.
    asked = datetime(2026, 1, 1, 7, tzinfo=UTC) + timedelta(days=days)
    arrived = asked + timedelta(milliseconds=there)
    answered = arrived + timedelta(milliseconds=back)
    by_server = stamp(arrived - timedelta(milliseconds=offset))
    answer = bytes([0x24, 2]) + bytes(22) + b"12345678" + by_server + by_server

    def moment(of: datetime) -> str:
        numbers = (of.year, of.month, of.day, of.hour, of.minute, of.second, of.microsecond // 1000)
        return f"[datetime]::new({', '.join(map(str, numbers))}, [System.DateTimeKind]::Utc)"

    told = call(
        f"Read-ClockOffset -Answer ([Convert]::FromHexString('{answer.hex()}')) -Mark ([byte[]](49..56))"
        f" -Asked ({moment(asked)}) -Answered ({moment(answered)})"
    )
    # The server cannot know how much of the time was the way there: half of the difference is its error.
    assert told == pytest.approx((offset + (back - there) / 2) / 1000, abs=0.002)


def test_names_are_looked_up_together(call: Call):
    found, missing = call("@(Get-HostAddress -Name 'localhost', 'finnes-ikke.invalid' -Seconds 60)")
    assert (found["name"], found["error"]) == ("localhost", None)
    assert {"127.0.0.1", "::1"} & set(found["addresses"])
    assert missing["addresses"] == []
    assert missing["error"]


def test_a_name_is_not_waited_for_longer_than_there_is_time(call: Call):
    (told,) = call("@(Get-HostAddress -Name 'finnes-ikke.invalid' -Seconds 0)")
    assert (told["addresses"], bool(told["error"])) == ([], True)


@contextmanager
def tls_server(version: ssl.TLSVersion) -> Iterator[int]:
    """A TLS server with a certificate that nobody trusts; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(60)

        def serve() -> None:
            try:
                line, _sender = listener.accept()
                with line, context.wrap_socket(line, server_side=True) as secure:
                    secure.recv(1)
            except OSError:
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(timeout=60)


def test_a_handshake_with_a_certificate_that_nobody_trusts(call: Call):
    with tls_server(ssl.TLSVersion.TLSv1_2) as port:
        told = call(f"Test-TlsServer -Name localhost -Seconds 60 -Port {port}")
    assert "trustme" in told.pop("issuer")
    assert told == {"name": "localhost", "protocol": "Tls12", "trusted": False, "error": None}


def test_a_server_without_tls_1_2(call: Call):
    with tls_server(ssl.TLSVersion.TLSv1_3) as port:
        told = call(f"Test-TlsServer -Name localhost -Seconds 60 -Port {port}")
    assert (told["protocol"], told["trusted"], bool(told["error"])) == (None, None, True)


def test_a_server_that_does_not_answer(call: Call):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        told = call(f"Test-TlsServer -Name 127.0.0.1 -Seconds 0.3 -Port {silent.getsockname()[1]}")
        assert (told["protocol"], bool(told["error"])) == (None, True)
    told = call("Test-TlsServer -Name finnes-ikke.invalid -Seconds 0")
    assert (told["protocol"], bool(told["error"])) == (None, True)


def test_winhttp_is_only_in_windows(call: Call):
    for _again in range(2):
        told = call("Get-ScriptProxy -Script http://config.example/p.pac -Uri https://a.example -Seconds 1")
        assert "winhttp" in told["failed"]
        assert "winhttp" in call("Get-DetectedScript -Seconds 60")["failed"]


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("", "DIRECT"),
        ("a.example:1", "PROXY a.example:1"),
        ("a.example:1;b.example:2", "PROXY a.example:1; PROXY b.example:2"),
        ("a.example:1  b.example:2", "PROXY a.example:1; PROXY b.example:2"),
    ],
)
def test_what_winhttp_says_is_told_as_scripts_say_it(call: Call, named: str, told: str):
    assert call(f"ConvertTo-ScriptAnswer -Proxies '{named}'") == told


@contextmanager
def proxy_server() -> Iterator[tuple[str, list[str]]]:
    """A proxy that answers everything itself; where it is, and what it was asked."""
    asked: list[str] = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(60)

        def serve() -> None:
            try:
                line, _sender = listener.accept()
                with line:
                    asked.append(line.recv(10_000).decode().splitlines()[0])
                    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nja")
            except OSError:
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", asked
        thread.join(timeout=60)


def test_a_page_comes_by_the_proxy_that_is_named_and_by_no_other(call: Call):
    with proxy_server() as (place, asked):
        told = call(f"Get-WebAnswer -Uri http://et.sted.invalid/side -Proxy {place}")
        assert (told["status"], told["content"], told["error"]) == (200, "ja", None)
    assert asked == ["GET http://et.sted.invalid/side HTTP/1.1"]
    assert call("Get-WebAnswer -Uri http://et.sted.invalid/side -Proxy ''")["status"] == 0
