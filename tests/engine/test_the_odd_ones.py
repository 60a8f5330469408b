"""Model = engine where things go wrong: odd machines, ledgers, installers, restarts, lists and people in Interactor."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from simulator.clock import stamp
from simulator.host import SimulatedHost
from simulator.scenario import Scenario
from simulator.windows import Process
from tests.engine.server import KEY, OPENING, Opened
from tests.engine.twins import Twins
from tests.odd_machines import ODD

pytestmark = pytest.mark.pwsh


def test_the_probe_of_odd_machines(twins_of: Callable[[Scenario], Twins]) -> None:
    twins = twins_of(ODD)
    for host in twins.model.world.hosts.values():
        answer = twins.ask(host.name, "preflight", site=host.site, role=host.role)
        assert "failed" not in answer


@pytest.mark.parametrize("text", ['{"schema": 3}', '{"schema": 1, "site": "1"}', "[]"])
def test_a_ledger_that_cannot_be_trusted(text: str, opened: Opened) -> None:
    both = opened()
    both.write(both.ledger, text.encode())
    assert both.take("preflight", role="server")["facts"]["interactor"]["ledger_error"]


def test_every_refusal_of_a_move_that_failed(opened: Opened) -> None:
    both = opened(migration={"minutes": 20, "ends": "failed", "message": "linjen falt ut"})
    both.upgrade()
    assert both.take("migrate", "follow", attempt={"number": 1, "key": KEY})["failed"] is True
    attempt = both.open()
    other = {"number": 1, "key": "another"}
    for step in ("start", "follow", "switch", "restore"):
        assert both.take("migrate", step, attempt=other)["failed"] is True
    for refused in (other, {"number": 2, "key": "k"}):
        assert both.take("migrate", "manifest", attempt=refused, **OPENING)["failed"] is True
    both.twice("migrate", "start", attempt=attempt)
    both.pass_minutes(10)
    assert both.take("migrate", "switch", attempt=attempt)["failed"] is True
    both.pass_minutes(20)
    assert both.twice("migrate", "follow", attempt=attempt)["ledger"]["attempts"][0]["message"] == "linjen falt ut"
    both.twice("migrate", "restore", attempt=attempt)
    for refused, mode in (({"number": 3, "key": "k"}, "server_in_cloud"), ({"number": 2, "key": "k"}, "second")):
        assert both.take("migrate", "manifest", attempt=refused, **{**OPENING, "mode": mode})["failed"] is True
    both.contract["site"] = both.contract.pop("paths")
    assert both.take("migrate", "look")["msg"] == "look: contract: paths.work is missing"


@pytest.mark.parametrize("ends", ["code_1603", "code_87", "wrong_version", "code_1618", "no_start"])
def test_an_upgrade_that_fails(ends: str, opened: Opened) -> None:
    both = opened(upgrade={"ends": ends})
    both.twice("upgrade", "stage")
    both.take("upgrade", "confirm")
    both.take("upgrade", "install", check=True)
    result = both.take("upgrade", "install")
    assert (result["upgraded"], result["version"]) == (False, "5.4.1")
    assert result["reason"].endswith("version 5.4.1 is back")
    both.take("upgrade", "install")
    both.take("upgrade", "confirm")


@pytest.mark.parametrize("code", [3010, 1641])
def test_an_upgrade_with_a_restart(code: int, opened: Opened) -> None:
    both = opened(upgrade={"ends": f"code_{code}"})
    both.twice("upgrade", "stage")
    result = both.take("upgrade", "install")
    assert (result["upgraded"], f"(code {code})" in result["reason"]) == (False, True)
    for step in ("stage", "install"):
        assert both.take("upgrade", step)["failed"] is True
    if code == 3010:
        assert both.twice("upgrade", "confirm")["again"] is True
        both.pass_minutes(60)
        both.each(lambda host: host.restart())
    assert both.twice("upgrade", "confirm")["upgraded"] is True
    assert both.take("upgrade", "look")["version"] == "6.2.0"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"sha256": ""}, "64 hex digits are wanted"),
        ({"arguments": "/quiet"}, "without /norestart"),
        ({"sha256": "0" * 64}, "its SHA-256 is"),
        ({"publisher": "Somebody Else"}, "it is signed by 'DIPS AS'"),
        ({"url": "https://ingen.example/Setup.exe"}, "could not be fetched: ingen.example is not a known name"),
    ],
)
def test_what_cannot_be_staged(said: dict[str, str], reason: str, opened: Opened) -> None:
    both = opened()
    both.contract["installer"].update(said)
    both.take("upgrade", "stage", check=True)
    assert reason in both.take("upgrade", "stage")["reason"]
    assert both.take("upgrade", "install")["failed"] is True


@pytest.mark.parametrize("ends", ["bad_hash", "unsigned", "other_publisher"])
def test_an_installer_that_is_not_the_contracts(ends: str, opened: Opened) -> None:
    both = opened(upgrade={"ends": ends})
    assert "is not the installer" in both.take("upgrade", "stage")["reason"]


def test_a_broken_download(opened: Opened) -> None:
    both = opened(upgrade={"cut_after": 250_000})
    assert both.take("upgrade", "stage")["reason"] == "250000 of 400000 bytes fetched"
    assert both.twice("upgrade", "stage")["staged"] is True


def test_a_slow_line(opened: Opened) -> None:
    both = opened(server={"link_mbit": 0.01})
    assert both.take("preflight", role="server")["facts"]["speed"]["samples"][0]["bytes"] < 10_000
    assert both.take("upgrade", "stage")["again"] is True


def test_people_in_interactor_and_a_full_drive(opened: Opened) -> None:
    both = opened(server={"in_use": 2, "free_gb": 1.0})
    both.twice("upgrade", "stage")
    assert both.take("upgrade", "install")["reason"] == "Interactor is in use: 2 open"
    both.each(lambda host: host.processes.clear())
    assert "needs 1025 MB free" in both.take("upgrade", "install")["msg"]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("code", [None, 0, 1603])
def test_an_upgrade_that_was_cut_off(code: int | None, restarted: bool, opened: Opened) -> None:
    both = opened(upgrade={"ends": "code_1618"})
    both.twice("upgrade", "stage")
    # A try that leaves a backup, then what one that died would have left.
    both.take("upgrade", "install")
    ledger = json.loads(both.hosts[0].drive.read(both.ledger))
    ledger["upgrade"].update(started=stamp(both.twins.model.clock.now()), code=code)
    both.write(both.ledger, json.dumps(ledger).encode())
    both.write(both.contract["paths"]["install"] + r"\Interactor.exe", b"half a file")
    if restarted:
        both.pass_minutes(60)
        both.each(lambda host: host.restart())
    both.each(lambda host: host.stop_service(both.contract["service"]["name"]))
    assert both.take("upgrade", "confirm", check=True)["changed"] is True
    result = both.take("upgrade", "confirm")
    assert result["version"] == "5.4.1"
    assert result["again"] is (code is None and not restarted)


INSTALL = r"C:\Program Files\DIPS\Interactor"
OPEN = (("Interactor", INSTALL + r"\Interactor.exe"),)
LIKE = (("Interactor", r"C:\EPJ\Interactor.exe"),)
TEXT = "Lagre rekvisisjonene, og lukk Interactor."


PROGRAMS = {"nobody": (), "one": OPEN, "three": (*OPEN, *OPEN, *LIKE)}


@pytest.mark.parametrize(
    ("programs", "pc", "users", "warning", "close"),
    [
        ("nobody", 0, 0, None, False),
        ("nobody", 0, 2, TEXT, True),
        ("nobody", 2, 1, TEXT, True),
        ("one", 0, 0, TEXT, False),
        ("one", 0, 2, TEXT, False),
        ("one", 2, 1, None, True),
        ("three", 0, 0, TEXT, True),
        ("three", 0, 2, None, True),
        ("three", 2, 1, TEXT, True),
    ],
)
def test_who_is_in_it(programs: str, pc: int, users: int, warning: str | None, close: bool, opened: Opened) -> None:
    both = opened(server={"users": users}, clients=[{"name": "pc1", "in_use": pc}])

    def run(host: SimulatedHost) -> None:
        host.processes = [Process(name, path) for name, path in PROGRAMS[programs]]

    both.each(run)
    said = {name: value for name, value in (("warning", warning), ("close", close)) if value is not None}
    both.take("migrate", "lease", check=True, **said)
    assert "failed" not in both.take("migrate", "lease", **said)
    both.take("migrate", "users", **said)
    both.take("migrate", "handback")


def test_a_lease_that_is_lost(opened: Opened) -> None:
    both = opened()
    flag = both.contract["paths"]["maintenance_flag"]
    assert both.take("migrate", "lease")["ledger"]["lease"]["state"] == "held"
    both.each(lambda host: host.drive.remove(flag))
    assert both.take("migrate", "look")["ledger"]["lease"]["state"] == "lost"
    assert both.take("migrate", "lease")["ledger"]["lease"]["state"] == "held"
    both.each(lambda host: host.drive.remove(flag))
    assert both.take("migrate", "handback", check=True)["changed"] is True
    assert both.take("migrate", "handback")["ledger"]["lease"]["state"] == "free"
