"""What a scenario says and a Wine machine cannot be is refused by its name, before any machine is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.calls import Page
from simulator.clock import Clock
from simulator.engine.registry import PROFILES, of_machine
from simulator.engines import Engines
from simulator.scenario import Machine, Scenario, ScenarioError
from simulator.wine import Network, WineEngine, address
from simulator.wine.discovery import Tools
from simulator.world import World


async def nobody(_url: str, _start: int = 0, _most: int | None = None) -> Page:
    raise AssertionError


def world(folder: Path, monkeypatch: pytest.MonkeyPatch, server: dict[str, Any], **site: Any) -> World:
    monkeypatch.setattr("simulator.engines.find_tools", lambda: Tools("wine-host", "libfaketime.so.1"))
    told = {"domain": "proverom.example", "clients": [], "server": {"engine": "wine", **server}, **site}
    scenario = Scenario.model_validate({"sites": {"9001": told}})
    wine = (folder / "machines", Network("http://127.0.0.1:1", folder / "ca.pem"))
    return World(scenario, Clock(scenario.clock), nobody, Engines(wine=wine))


@pytest.mark.parametrize(
    ("server", "site", "named"),
    [
        ({"time_zone": "Tokyo Standard Time"}, {}, "the time zone 'Tokyo Standard Time'"),
        ({"clock_offset_seconds": 60}, {}, "clock_offset_seconds on a Wine machine"),
        ({"scheduled_restarts": ["2027-05-19T01:00:00Z"]}, {}, "scheduled_restarts on a Wine machine"),
        ({"in_use": 1}, {}, "in_use on a Wine machine"),
        ({"proxies": [{}, {"loaded": False}]}, {}, "proxies that are not loaded on a Wine machine"),
        ({"environment": {"http_proxy": "a:1"}}, {}, "environment on a Wine machine"),
        ({"page_trouble": "captive"}, {}, "page_trouble on a Wine machine"),
        ({}, {"upgrade": {"ends": "no_start"}}, r"upgrade\.ends on a Wine machine"),
        ({}, {"upgrade": {"cut_after": 1000}}, r"upgrade\.cut_after on a Wine machine"),
    ],
)
def test_what_a_machine_cannot_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: dict[str, Any], site: dict[str, Any], named: str
) -> None:
    with pytest.raises(ScenarioError, match=rf"^srv\.proverom\.example: engine: .*{named}$"):
        world(tmp_path, monkeypatch, server, **site)


def test_a_machine_is_made_by_the_first_command_and_not_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = world(tmp_path, monkeypatch, {}).hosts["srv.proverom.example"]
    host.restart()
    assert host.engine is not None
    assert not (tmp_path / "machines").exists()


def test_a_world_within_another_process_has_none() -> None:
    told = {"domain": "proverom.example", "clients": [], "server": {"engine": "wine"}}
    scenario = Scenario.model_validate({"sites": {"9001": told}})
    with pytest.raises(ScenarioError, match="is 'wine', which only a simulation of its own process has"):
        World(scenario, Clock(scenario.clock), nobody)


def test_each_server_listens_on_a_loopback_address_of_its_own() -> None:
    assert address("1001", 8731) == "127.1.3.233:8731"
    assert address("1002", 8731) == "127.1.3.234:8731"


def test_the_internet_options_go_to_the_accounts_that_the_machine_has() -> None:
    found = of_machine(Machine(), lambda number: f"S-1-5-21-7-7-7-{number}")
    key = r"HKEY_USERS\S-1-5-21-7-7-7-0\Software\Microsoft\Windows\CurrentVersion\Internet Settings"
    assert found[key]["ProxyEnable"] == {"kind": "dword", "data": 0}
    assert found[key]["AutoConfigURL"] == {"kind": "string", "data": "http://config.nhn.no/kunde.pac"}
    assert found[rf"{key}\Connections"]["DefaultConnectionSettings"]["kind"] == "binary"


def test_a_machine_keeps_its_own_name_and_who_its_account_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"proxies": [{}, {"kind": "roaming"}]}
    engine = world(tmp_path, monkeypatch, told).hosts["srv.proverom.example"].engine
    assert isinstance(engine, WineEngine)
    keys = engine._registry(1)
    assert not [key for key in keys if "ComputerName" in key]
    own, other = (keys[rf"{PROFILES}\{account}"] for account in ("S-1-5-21-0-0-0-1000", "S-1-5-21-1-2-3-1002"))
    assert set(own) == {"State"}
    assert other["ProfileImagePath"] == {"kind": "string", "data": r"C:\Users\user2"}


def test_what_several_settings_say_of_one_key_stands_there_together() -> None:
    script = {"auto_config_url": "http://a.example/p.pac"}
    said = {"machine_proxy": {}, "winhttp_proxy": "w:1", "machine_policy": script, "proxy_per_machine": True}
    found = of_machine(Machine.model_validate(said), str)
    internet = r"Microsoft\Windows\CurrentVersion\Internet Settings"
    connections = found[rf"HKEY_LOCAL_MACHINE\SOFTWARE\{internet}\Connections"]
    assert set(connections) == {"DefaultConnectionSettings", "SavedLegacySettings", "WinHttpSettings"}
    policy = found[rf"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\{internet}"]
    assert set(policy) == {"ProxySettingsPerUser", "ProxyEnable", "AutoConfigURL"}
