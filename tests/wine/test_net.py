"""What a Wine machine is told of the net around it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from simulator.host import SimulatedHost
from simulator.wine.net import questions
from tests.wine.test_refused import world

PAGE = "https://interactor.dips.no/"
FINE: dict[str, Any] = {}
BROKEN = {
    "time_server": False,
    "direct": False,
    "unknown_names": ["a.example"],
    "dead_proxies": ["p.example:8080"],
    "page_trouble": {"kind": "intercepted", "trusted": False, "names": ["caught.example"]},
    "overdue": ["tls"],
}


def ask(host: SimulatedHost, what: str, of: dict[str, str]) -> Any:
    async def answer() -> str:
        return await questions(host)[what](json.dumps(of), asyncio.Event())

    return json.loads(asyncio.run(answer()))


@pytest.mark.parametrize(
    ("machine", "asked", "of", "answer"),
    [
        (FINE, "overdue", {}, {"error": None, "parts": []}),
        (BROKEN, "overdue", {}, {"error": None, "parts": ["tls"]}),
        (FINE, "clock", {}, {"error": None, "offset": 0.0}),
        (BROKEN, "clock", {}, {"error": "no answer came in time"}),
        (BROKEN, "addresses", {"name": "a.example"}, {"error": "a.example is not a known name"}),
        (BROKEN, "handshake", {"name": "interactor.dips.no"}, {"error": "no connection came about"}),
        (FINE, "script", {"script": "http://x.example/", "url": PAGE}, {"error": "The PAC script could not be run."}),
        (FINE, "detected", {}, {"error": None, "url": ""}),
        ({"wpad": "http://wpad.x.example/"}, "detected", {}, {"error": None, "url": "http://wpad.x.example/"}),
        ({"detection": False}, "detected", {}, {"error": "The service has not been started."}),
        (FINE, "way", {"url": PAGE, "proxy": ""}, {"error": None}),
        (
            BROKEN,
            "way",
            {"url": PAGE, "proxy": ""},
            {"error": "ConnectFailure: no way to interactor.dips.no but by a proxy"},
        ),
        (BROKEN, "way", {"url": PAGE, "proxy": "p.example:1"}, {"error": None}),
        (
            BROKEN,
            "way",
            {"url": PAGE, "proxy": "p.example:8080"},
            {"error": "ConnectFailure: p.example:8080 does not answer"},
        ),
        (
            BROKEN,
            "way",
            {"url": "https://caught.example/", "proxy": "p.example:1"},
            {"error": "TrustFailure: the certificate of caught.example is not trusted"},
        ),
    ],
)
def test_it_is_the_scenarios_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: Any, asked: str, of: dict[str, str], answer: Any
) -> None:
    host = world(tmp_path, monkeypatch, machine).hosts["srv.proverom.example"]

    assert ask(host, asked, of) == answer


def test_names_have_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = world(tmp_path, monkeypatch, FINE).hosts["srv.proverom.example"]
    told = ask(host, "addresses", {"name": "interactor.dips.no"})
    assert told == {"error": None, "addresses": host.surroundings.addresses("interactor.dips.no")}
