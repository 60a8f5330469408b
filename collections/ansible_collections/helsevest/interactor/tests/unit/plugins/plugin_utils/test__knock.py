# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether somebody listens: directly, through a proxy, and within seconds where nobody does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.cause import find_cause
from ansible_collections.helsevest.interactor.plugins.plugin_utils._knock import knock


class Connection:
    """What is asked of a connection plugin."""

    def __init__(self, host: str, port: int, proxy: str | None = None) -> None:
        extras = {"ansible_winrm_proxy": proxy} if proxy else {}
        self.options: dict[str, Any] = {"remote_addr": host, "port": port, "_extras": extras}

    def get_option(self, name: str) -> Any:
        return self.options[name]


@contextmanager
def listening(answer: bytes | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """Somebody listens on loopback; what arrives is answered with `answer`."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked: list[bytes] = []

        def serve() -> None:
            line, _ = server.accept()
            with line:
                if answer is not None:
                    asked.append(line.recv(1024))
                    line.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], asked
        thread.join(5)


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_somebody_is_there():
    with listening() as (port, _):
        assert knock(Connection("127.0.0.1", port)) == ""


def test_nobody_is_there(closed_port: int):
    told = knock(Connection("127.0.0.1", closed_port))
    assert told.startswith(f"127.0.0.1:{closed_port}: ")
    assert find_cause(told) == "refused"


@pytest.mark.parametrize(
    ("answer", "told", "cause"),
    [
        (b"HTTP/1.1 200 Connection established\r\n\r\n", "", None),
        (b"HTTP/1.1 504 Gateway Timeout\r\n\r\n", "Tunnel connection failed: 504 Gateway Timeout", "timeout"),
        (b"HTTP/1.1 502 unknown name\r\n\r\n", "Tunnel connection failed: 502 unknown name", "name"),
        (b"", "Tunnel connection failed: no answer", "connection"),
    ],
)
def test_through_a_proxy(answer: bytes, told: str, cause: str | None):
    with listening(answer) as (port, asked):
        assert knock(Connection("pc1.prove.example", 5986, f"http://127.0.0.1:{port}")) == told
    assert asked[0].startswith(b"CONNECT pc1.prove.example:5986 HTTP/1.1\r\n")
    assert cause is None or find_cause(told) == cause


def test_a_proxy_of_the_environment_is_the_connections_too(monkeypatch: pytest.MonkeyPatch):
    with listening(b"HTTP/1.1 200 OK\r\n\r\n") as (port, asked):
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        assert knock(Connection("pc1.prove.example", 5986)) == ""
    assert asked
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with listening() as (port, _):
        assert knock(Connection("127.0.0.1", port)) == ""


def test_a_proxy_that_says_nothing_is_not_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as server:
        begun = time.monotonic()
        told = knock(Connection("pc1.prove.example", 5986, f"http://127.0.0.1:{server.getsockname()[1]}"), 0.2)
        assert time.monotonic() - begun < 5
    assert find_cause(told) == "timeout"
