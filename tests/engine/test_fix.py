"""Model = engine: the remediation of a preflight, what it leaves, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simulator.clock import instant
from simulator.engine.registry import profile_key
from simulator.scenario import Scenario
from tests.engine.twins import Twins
from tests.whole_state import differences

pytestmark = pytest.mark.pwsh
SERVER, CLIENT, RICH = "srv.begge.example", "pc1.begge.example", "pc2.begge.example"
NOW, UNTIL, AFTER = "2027-05-18T18:30:00Z", "2027-05-19T04:00:00Z", "2027-05-19T04:20:00Z"
ALL = ["proxy", "sleep", "restart"]
DOUBLE = {"proxy_enable": 1, "proxy_server": "sikker.proxy.nhn.no:8080", "proxy_override": "<local>"}
OFFICE = {
    "domain": "begge.example",
    "server": {
        "sleep_minutes": 30,
        "hibernate_minutes": None,
        "scheduled_restarts": ["2027-05-19T01:00:00Z", "2027-05-19T05:00:00Z"],
        "proxies": [DOUBLE, {}],
        "clock_offset_seconds": 90,
    },
    "clients": [
        {
            "name": "pc1",
            "proxies": [
                {**DOUBLE, "auto_config_url": None},
                {"auto_config_url": None},
                {"auto_config_url": "http://a:b@egen.example/x.pac"},
            ],
        },
        {
            "name": "pc2",
            "proxies": [
                {**DOUBLE, "loaded": False},
                {**DOUBLE, "policy": True},
                {"connections": DOUBLE},
                {"saved": {**DOUBLE, "auto_config_url": "http://gammel.example/x.pac"}},
                DOUBLE,
            ],
        },
    ],
}
OURS = ("files", "tasks")


@pytest.fixture
def twins(twins_of: Callable[[Scenario], Twins]) -> Twins:
    """One office twice, in the evening."""
    both = twins_of(Scenario.model_validate({"sites": {"9001": OFFICE}}))
    both.set_clock(NOW)
    return both


def fix(twins: Twins, host: str = SERVER, *checks: str, **options: Any) -> dict[str, Any]:
    said = {"step": "fix", "checks": list(checks or ALL), "until": UNTIL, **options}
    return twins.everyway(host, "fix", site="9001", **said)


def undo(twins: Twins, host: str = SERVER, *checks: str) -> dict[str, Any]:
    return twins.everyway(host, "fix", site="9001", step="undo", checks=list(checks or ALL))


def states(twins: Twins, host: str) -> dict[str, Any]:
    return twins.hosts(host)[0].snapshot()


def preflight(twins: Twins, host: str = SERVER, role: str = "server") -> dict[str, Any]:
    facts: dict[str, Any] = twins.ask(host, "preflight", site="9001", role=role)["facts"]
    return facts


def test_a_fix_and_its_undo_on_a_server(twins: Twins) -> None:
    before = states(twins, SERVER)
    told = fix(twins)
    assert [each["check"] for each in told["changes"]] == ["proxy"] * 3 + ["sleep", "restart"]
    facts = preflight(twins)
    power = facts["power"]
    assert (power["sleep_minutes"], power["scheduled_restarts"]) == (0, ["2027-05-19T05:00:00Z"])
    assert [profile["proxy_enable"] for profile in facts["proxy"]["profiles"]] == [0, 0]
    assert {path[0] for path in differences(before, states(twins, SERVER))} == {
        *OURS, "registry", "power", "restarts", "proxies",
    }  # fmt: skip
    assert len(undo(twins)["changes"]) == 5
    # The registry shows what was written by whom, and the counter is higher.
    left = {path for path in differences(before, states(twins, SERVER)) if path[0] not in ("registry", "files")}
    assert left == set()
    assert undo(twins)["changed"] is False


def test_a_client(twins: Twins) -> None:
    told = fix(twins, CLIENT, "proxy")
    assert [(each["what"], each["name"]) for each in told["changes"]] == [
        ("profile 1", "ProxyEnable"),
        ("profile 1", "AutoConfigURL"),
        ("profile 1", "DefaultConnectionSettings"),
        ("profile 1", "SavedLegacySettings"),
    ]
    assert [each["what"] for each in told["left"]] == ["profile 2", "profile 3"]
    assert "a:b@" not in str(told)
    preflight(twins, CLIENT, "client")
    assert undo(twins, CLIENT)["changed"] is True
    preflight(twins, CLIENT, "client")


def test_profiles_of_every_kind(twins: Twins) -> None:
    """Who is not signed in, and whom a policy holds, is told and left; each place is put right by itself."""
    before = states(twins, RICH)["proxies"]
    told = fix(twins, RICH, "proxy")
    assert {each["what"]: each["why"].split(":")[0] for each in told["left"]} == {
        "profile 1": "not signed in, so its settings are not loaded",
        "profile 2": "Group Policy",
    }
    connections, saved = "DefaultConnectionSettings", "SavedLegacySettings"
    assert [(each["what"][-1], each["name"]) for each in told["changes"]] == [
        ("3", connections), ("3", saved), ("4", saved), ("5", "ProxyEnable"), ("5", connections), ("5", saved),
    ]  # fmt: skip
    profiles = preflight(twins, RICH, "client")["proxy"]["profiles"]
    assert [profile["proxy_enable"] for profile in profiles] == [1, 1, 0, 0, 0]
    assert len({profile["connections"] for profile in profiles[:2]}) == 1
    after = states(twins, RICH)["proxies"]
    assert after[:2] == before[:2]
    assert [proxy["saved"] for proxy in after[2:4]] == [None, after[3]["saved"]]
    undo(twins, RICH)
    assert states(twins, RICH)["proxies"] == before
    preflight(twins, RICH, "client")


def test_the_host_puts_back_by_itself_what_was_for_a_night(twins: Twins) -> None:
    fix(twins)
    twins.set_clock("2027-05-19T03:40:00Z")
    assert preflight(twins)["power"]["sleep_minutes"] == 0
    twins.set_clock(AFTER)
    power = preflight(twins)["power"]
    assert power["sleep_minutes"] == 30
    assert power["scheduled_restarts"] == ["2027-05-19T01:00:00Z", "2027-05-19T05:00:00Z"]
    assert [each["check"] for each in undo(twins)["changes"]] == ["proxy"] * 3


def test_it_waits_for_a_move_and_nobody_touches_a_host_meanwhile(twins: Twins) -> None:
    fix(twins, SERVER, "sleep")
    flag = twins.contract["paths"]["maintenance_flag"]
    for host in twins.hosts(SERVER):
        host.drive.write(flag, b"run-2")
    assert "people are kept out" in fix(twins)["msg"]
    assert "people are kept out" in undo(twins)["msg"]
    twins.set_clock(AFTER)
    twins.catch_up()
    for host in twins.hosts(SERVER):
        assert host.power["sleep_minutes"] == 0
        host.drive.remove(flag)
    twins.set_clock("2027-05-19T04:40:00Z")
    assert preflight(twins)["power"]["sleep_minutes"] == 30


def test_what_somebody_has_changed_stays(twins: Twins) -> None:
    fix(twins)
    for host in twins.hosts(SERVER):
        host.set_idle("sleep_minutes", 600)
    told = undo(twins)
    assert [each["check"] for each in told["left"]] == ["sleep"]
    assert [each["check"] for each in told["changes"]] == ["restart", "proxy", "proxy", "proxy"]
    twins.set_clock(AFTER)
    assert preflight(twins)["power"]["sleep_minutes"] == 10


@pytest.mark.parametrize(
    ("key", "values"),
    [
        (r"HKLM\SOFTWARE\Policies\Microsoft\Windows\CurrentVersion\Internet Settings", {"ProxySettingsPerUser": 0}),
        (r"HKLM\Software\Policies\Microsoft\Internet Explorer\Control Panel", {"Proxy": 1}),
        (r"HKU\S-1-5-21-1-2-3-1001\Software\Policies\Microsoft\Internet Explorer\Control Panel", {"Autoconfig": 1}),
        (
            r"HKLM\SOFTWARE\Policies\Microsoft\Power\PowerSettings\29f6c1db-86da-48c5-9fdb-f2b67b1f44da",
            {"ACSettingIndex": 1800},
        ),
        (
            r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-1-2-3-1009",
            {"ProfileImagePath": r"C:\Users\somebody"},
        ),
    ],
)
def test_what_a_policy_sets_and_who_is_away(twins: Twins, key: str, values: dict[str, Any]) -> None:
    for host in twins.hosts(SERVER):
        host.registry[key] = values
    assert fix(twins)["left"]
    undo(twins)


def test_until_later(twins: Twins) -> None:
    fix(twins, SERVER, "sleep")
    told = fix(twins, SERVER, "sleep", until="2027-05-20T04:00:00Z")
    assert (told["changed"], told["changes"], told["until"]) == (True, [], "2027-05-20T04:00:00Z")
    twins.set_clock(AFTER)
    assert preflight(twins)["power"]["sleep_minutes"] == 0


def test_a_record_of_another_site(twins: Twins) -> None:
    fix(twins, SERVER, "sleep")
    assert "belongs to site '9001'" in twins.ask(SERVER, "fix", site="9002", step="undo", checks=ALL)["msg"]


def test_the_twins_would_be_seen_to_differ(twins: Twins) -> None:
    """A proof that the comparison looks at what a fix changes."""
    key = profile_key(1).replace("HKEY_USERS", "HKU")
    assert instant(UNTIL) > instant(NOW)
    twins.hosts(SERVER)[0].registry[key] = {"ProxyEnable": 0}
    with pytest.raises(AssertionError, match="differ"):
        fix(twins)
