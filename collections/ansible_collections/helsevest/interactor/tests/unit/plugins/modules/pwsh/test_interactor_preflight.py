# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe in the engine: all facts come home, and what fails takes nothing else with it."""

from __future__ import annotations

import json
import os
import struct
import time
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.proxy import look_at

from simulator.engine.registry import SIGNS
from simulator.scenario import RESTART_SIGNS
from tests.pwsh.engine import service
from tests.pwsh.fixtures import Server

SETTINGS = "\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"
SETTINGS_READ = ["proxy_enable", "proxy_server", "proxy_override", "auto_config_url", "connections", "saved"]
KARI, OLA = "S-1-5-21-111-222-333-1001", "S-1-5-21-111-222-333-1002"
SLEEP, HIBERNATE = "{29f6c1db-86da-48c5-9fdb-f2b67b1f44da}", "{9d7815a6-7ee4-497e-8888-515a05f02364}"


def facts_of(server: Server, role: str = "server") -> dict[str, Any]:
    result = server.ask("preflight", role=role)
    assert not result.get("failed"), result
    facts: dict[str, Any] = result["facts"]
    assert facts["overdue"] == []
    assert facts.pop("seconds") > 0
    return facts


def test_a_server_on_which_all_is_well(server: Server):
    page = {"issuer": "CN=Test", "milliseconds": 31, "error": None}
    page |= {"way": "direct", "script": None, "proxy": None, "trusted": True}
    names = ["config.nhn.no", "dipsupsvr.dips.no", "interactor.dips.no", "nedlasting.dips.no", "speedtest.dips.no"]
    secure = {"protocol": "Tls12", "trusted": True, "issuer": "CN=Test", "error": None}
    result = server.ask("preflight", role="server")
    assert result["changed"] is False
    assert result["ledger"] is None
    assert 0 < result["facts"].pop("seconds") < 120
    assert result["facts"] == {
        "probe": 3,
        "host": {
            "name": "SRV1001",
            "os": "Microsoft Windows Server 2022 Standard",
            "build": "20348",
            "memory_mb": 16384,
            "free_gb": 81.5,
            "uptime_hours": 120.5,
            "time_zone": "W. Europe Standard Time",
            "utc": "2027-05-10T07:00:00Z",
            "addresses": ["10.20.1.5"],
        },
        "clock": {"server": "ntp.justervesenet.no", "offset_seconds": 0.2, "error": None},
        "dns": [{"name": name, "addresses": ["192.0.2.1"], "error": None} for name in names],
        "tls": {
            "enabled": True,
            "endpoints": [
                {"name": f"{name}.dips.no", **secure} for name in ("interactor", "dipsupsvr", "speedtest", "nedlasting")
            ],
        },
        "interactor": {
            "service": "running",
            "version": "5.4.1",
            "mode": "local",
            "ledger": None,
            "ledger_error": None,
        },
        "pages": [
            {
                "id": "P1",
                "url": "https://interactor.dips.no",
                "status": 404,
                "text": "default backend – 404",
                "heading": None,
                "final_url": "https://interactor.dips.no/",
                **page,
            },
            {
                "id": "P2",
                "url": "https://dipsupsvr.dips.no",
                "status": 200,
                "text": "Testing 123",
                "heading": "Testing 123",
                "final_url": "https://dipsupsvr.dips.no/",
                **page,
            },
        ],
        "speed": {
            "url": "https://speedtest.dips.no/2mb.bin",
            "samples": [{"bytes": 2_000_000, "seconds": 0.31}] * 3,
            "error": None,
        },
        "proxy": {
            "profiles": [],
            "per_machine": False,
            "machine": dict.fromkeys(SETTINGS_READ),
            "winhttp": "",
            "environment": {"http_proxy": None, "https_proxy": None, "no_proxy": None},
            "detected": None,
            "scripts": [],
        },
        "power": {
            "plan": "Balanced",
            "sleep_minutes": 0,
            "hibernate_minutes": 0,
            "pending_restart": [],
            "scheduled_restarts": [],
            "active_hours": None,
        },
        "overdue": [],
    }


def test_it_reads_and_changes_nothing_in_any_mode(server: Server):
    before = server.files(), server.state
    told = [server.ask("preflight", role="server", check=check) for check in (True, False)]
    for result in told:
        del result["facts"]["seconds"]
    assert told[0] == told[1]
    assert (server.files(), server.state) == before


def test_a_client_is_not_asked_for_interactor_nor_for_p2(server: Server):
    facts = facts_of(server, "client")
    assert facts["interactor"] is None
    assert [page["id"] for page in facts["pages"]] == ["P1"]


def test_the_ledger_comes_along(server: Server):
    ledger = {"schema": 1, "site": "1001", "upgrade": None, "lease": None, "attempts": []}
    server.write(server.ledger_file, json.dumps(ledger))
    result = server.ask("preflight", role="server")
    assert result["ledger"] == result["facts"]["interactor"]["ledger"] == ledger


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"schema": 1,', "is no JSON"),
        ("", "is no JSON: it is empty"),
        ("[]", "is no JSON object"),
        ('{"schema": 2, "site": "1001", "attempts": []}', "schema '2'"),
        ('{"schema": 1, "site": "1002", "attempts": []}', "belongs to site '1002'"),
        ('{"schema": 1, "site": "1001"}', "attempts is no list"),
    ],
)
def test_a_ledger_that_cannot_be_trusted_is_told_and_costs_nothing_else(server: Server, text: str, complaint: str):
    server.write(server.ledger_file, text)
    interactor = facts_of(server)["interactor"]
    assert interactor["ledger"] is None
    assert complaint in interactor["ledger_error"]
    assert interactor["version"] == "5.4.1"


def test_a_service_that_is_stopped(server: Server):
    server.update(services={"DIPSInteractor": service("x", status="Stopped", main=True)})
    interactor = facts_of(server)["interactor"]
    assert (interactor["service"], interactor["version"], interactor["mode"]) == ("stopped", None, "local")


def test_a_server_without_interactor(server: Server):
    server.update(services={})
    server.path(server.contract["paths"]["config"]).unlink()
    interactor = facts_of(server)["interactor"]
    assert (interactor["service"], interactor["version"], interactor["mode"]) == ("missing", None, None)


def test_every_profile_that_is_loaded_and_nobodys_name(server: Server):
    kari, ola = f"HKEY_USERS\\{KARI}{SETTINGS}", f"HKEY_USERS\\{OLA}{SETTINGS}"
    kind = {"kind": "local", "loaded": True, "policy": False, "error": None, "saved": None}
    script = "http://config.nhn.no/kunde.pac"
    server.update(
        registry={
            kari: {"ProxyEnable": 1, "ProxyServer": "sikker.proxy.nhn.no:8080", "ProxyOverride": "<local>"},
            f"{kari}\\Connections": {"DefaultConnectionSettings": {"hex": "4600000003000000AB"}},
            ola: {"ProxyEnable": 0, "AutoConfigURL": script},
            f"HKEY_USERS\\S-1-5-18{SETTINGS}": {"ProxyEnable": 1},
            f"HKEY_USERS\\{OLA}_Classes\\x": {},
            "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings": {
                "ProxySettingsPerUser": 0
            },
        }
    )
    proxy = facts_of(server)["proxy"]
    assert proxy["per_machine"] is True
    assert proxy["profiles"] == [
        {
            "profile": 1,
            "proxy_enable": 1,
            "proxy_server": "sikker.proxy.nhn.no:8080",
            "proxy_override": "<local>",
            "auto_config_url": None,
            "connections": "4600000003000000ab",
            **kind,
        },
        {
            "profile": 2,
            "proxy_enable": 0,
            "proxy_server": None,
            "proxy_override": None,
            "auto_config_url": script,
            "connections": None,
            **kind,
        },
    ]
    assert "S-1-5" not in json.dumps(proxy)


def test_a_server_that_sleeps_and_restarts(server: Server):
    current = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion"
    server.update(
        registry={
            f"{current}\\WindowsUpdate\\Auto Update\\RebootRequired": {},
            f"{current}\\Component Based Servicing\\RebootPending": {},
            "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager": {
                "PendingFileRenameOperations": ["\\??\\C:\\old", ""]
            },
        },
        tasks={
            "Weekly": task(r"C:\Windows\System32\shutdown.exe", "/r /t 60", "2027-05-19T01:00:00Z"),
            "Same": task("powershell.exe", "-Command Restart-Computer -Force", "2027-05-19T01:00:00Z"),
            "Reboot_AC": task("x.exe", "", "2027-05-18T23:30:00Z", path="\\Microsoft\\Windows\\UpdateOrchestrator\\"),
            "Off": task("shutdown.exe", "/r", "2027-05-19T02:00:00Z", state="Disabled"),
            "Cancel": task("shutdown.exe", "/a", "2027-05-19T03:00:00Z"),
            "Never": task("shutdown", "-r", None),
            "Com": {"path": "\\", "state": "Ready", "actions": [{"ClassId": "{1}"}], "next": "2027-05-19T04:00:00Z"},
        },
        computer={**server.state["computer"], "seconds": {SLEEP: 1800}},
    )
    assert facts_of(server)["power"] == {
        "sleep_minutes": 30,
        "hibernate_minutes": None,
        "pending_restart": ["windows_update", "component_servicing", "file_rename"],
        "scheduled_restarts": ["2027-05-18T23:30:00Z", "2027-05-19T01:00:00Z"],
        "plan": "Balanced",
        "active_hours": None,
    }


def test_a_minute_is_not_never(server: Server):
    server.update(computer={**server.state["computer"], "seconds": {SLEEP: 20, HIBERNATE: 61}})
    power = facts_of(server)["power"]
    assert (power["sleep_minutes"], power["hibernate_minutes"]) == (1, 2)


def test_an_adapter_without_an_address_tells_none(server: Server):
    server.update(computer={**server.state["computer"], "addresses": [None, "10.20.1.5"]})
    assert facts_of(server)["host"]["addresses"] == ["10.20.1.5"]
    server.update(computer={**server.state["computer"], "addresses": []})
    assert facts_of(server)["host"]["addresses"] == []


def task(execute: str, arguments: str, moment: str | None, *, path: str = "\\", state: str = "Ready") -> dict[str, Any]:
    action = {"Execute": execute, "Arguments": arguments}
    return {"path": path, "state": state, "actions": [action], "next": moment}


def test_what_fails_takes_nothing_else_with_it(server: Server):
    web = server.state["web"]
    web["https://interactor.dips.no"] = {"status": 0, "error": "NameResolutionFailure: no such host"}
    web["https://speedtest.dips.no/2mb.bin"] = {"status": 503, "length": 12, "seconds": 0.1}
    server.update(
        web=web,
        broken_cim=["Win32_ComputerSystem", "Win32_LogicalDisk", "Win32_PowerPlan"],
        registry={f"HKEY_USERS\\{KARI}{SETTINGS}": {"ProxyEnable": 0}},
        denied_keys=[
            f"HKEY_USERS\\{KARI}{SETTINGS}",
            "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager",
        ],
    )
    facts = facts_of(server)
    host = facts["host"]
    assert (host["name"], host["memory_mb"], host["free_gb"]) == (None, None, None)
    assert (host["build"], host["uptime_hours"]) == ("20348", 120.5)
    assert [profile["proxy_enable"] for profile in facts["proxy"]["profiles"]] == [None]
    assert facts["power"] == {
        "sleep_minutes": None,
        "hibernate_minutes": None,
        "pending_restart": None,
        "scheduled_restarts": [],
        "plan": None,
        "active_hours": None,
    }
    first, second = facts["pages"]
    assert (first["status"], first["text"], first["error"]) == (0, None, "NameResolutionFailure: no such host")
    assert second["heading"] == "Testing 123"
    assert facts["speed"]["error"] == "it answers 503"


def test_a_profile_that_is_locked_hides_no_other(server: Server):
    kari, ola = f"HKEY_USERS\\{KARI}", f"HKEY_USERS\\{OLA}"
    policy = f"{kari}\\Software\\Policies{SETTINGS.removeprefix(chr(92) + 'Software')}"
    server.update(
        registry={
            f"{kari}{SETTINGS}": {"ProxyEnable": 1, "ProxyServer": "p:8080"},
            f"{ola}{SETTINGS}": {"ProxyEnable": 1, "ProxyServer": "p:8080", "AutoConfigURL": "http://blåbær.example/x"},
        },
        denied_keys=[kari, f"{kari}{SETTINGS}", f"{kari}{SETTINGS}\\Connections", policy],
        web={**server.state["web"], "http://blåbær.example/x": {"status": 404}},
    )
    locked, open_one = facts_of(server, "client")["proxy"]["profiles"]
    unknown = dict.fromkeys(SETTINGS_READ)
    assert locked == {"profile": 1, "kind": "local", "loaded": True, "policy": False, "error": None, **unknown}
    assert (open_one["profile"], open_one["proxy_server"], open_one["proxy_enable"]) == (2, "p:8080", 1)
    script = server.contract["proxy"]["script"]
    assert [look_at(profile, script).kind for profile in (locked, open_one)] == ["unknown", "double"]


def test_a_page_is_told_as_people_read_it(server: Server):
    web = server.state["web"]
    body = "<style>h1 {}</style><!-- no --><body>\n<H2 class='x'>Testing&nbsp;<b>1</b> &amp; 2</H2>\n<p>" + "a" * 3000
    web["https://dipsupsvr.dips.no"] = {"status": 200, "content": body}
    server.update(web=web)
    page = facts_of(server)["pages"][1]
    assert page["heading"] == "Testing 1 & 2"
    assert page["text"].startswith("Testing 1 & 2 aaa")
    assert len(page["text"]) == 2000


def test_options_are_checked(server: Server):
    assert "must be one of: server, client" in server.ask("preflight", role="printer")["msg"]
    server.contract.pop("pages")
    assert server.ask("preflight", role="client")["msg"] == "the probe: contract: pages.P1.url is missing"


ACCOUNTS = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList"
INTERNET = SETTINGS.removeprefix("\\Software\\")
TEMP = "Windows/Temp"


def account(server: Server, sid: str, name: str, hive: str | None, **values: Any) -> dict[str, Any]:
    """A profile in the list of profiles, with the text of its NTUSER.DAT; its key."""
    folder = f"C:\\Users\\{name}"
    if hive is not None:
        server.write(f"{folder}\\NTUSER.DAT", hive)
        server.write(f"{folder}\\ntuser.dat.LOG1", "what is not in it yet")
        server.write(f"{folder}\\ntuser.ini", "of no matter")
    return {f"{ACCOUNTS}\\{sid}": {"ProfileImagePath": folder, **values}}


def hive_calls(server: Server) -> list[str]:
    """What was loaded and unloaded, without the copies' names."""
    file = server.file.with_name(f"{server.file.name}.hives")
    lines = file.read_text().splitlines() if file.exists() else []
    return [line.rpartition("InteractorProbe-")[0] for line in lines]


def test_who_is_not_signed_in_is_read_from_a_copy(server: Server):
    script = server.contract["proxy"]["script"]
    registry = {
        **account(server, KARI, "kari", "kari's"),
        **account(server, OLA, "ola", "ola's", CentralProfile="\\\\srv\\ola"),
        **account(server, f"{OLA}.bak", "ola.old", None),
        **account(server, "S-1-5-21-111-222-333-1003", "per", "damaged"),
        **account(server, "S-1-12-1-1-2-3-4", "entra", "kari's", State=0x804),
        **account(server, "S-1-5-18", "system", "kari's"),
    }
    hives = {
        "kari's": {f"Software\\{INTERNET}": {"ProxyEnable": 0, "AutoConfigURL": script}},
        "ola's": {
            f"Software\\{INTERNET}": {"ProxyEnable": 1, "ProxyServer": "http://ola:hemmelig@p:8080"},
            f"Software\\{INTERNET}\\Connections": {"SavedLegacySettings": {"hex": "46000000"}},
        },
    }
    server.update(registry=registry, hives=hives)
    before = server.files()
    facts = facts_of(server, "client")
    told = {profile["profile"]: profile for profile in facts["proxy"]["profiles"]}
    assert [(each["kind"], each["loaded"], each["error"]) for each in told.values()] == [
        ("temporary", False, None),
        ("local", False, None),
        ("roaming", False, None),
        ("backup", False, "there is no NTUSER.DAT"),
        ("local", False, "the copy of its NTUSER.DAT could not be loaded (code 1)"),
    ]
    assert told[1]["auto_config_url"] == told[2]["auto_config_url"] == script
    assert (told[3]["proxy_server"], told[3]["saved"]) == ("http://xxxxxxxxxxxx@p:8080", "46000000")
    assert {told[number]["policy"] for number in (4, 5)} == {None}
    assert [each["url"] for each in facts["proxy"]["scripts"]] == [script]
    for word in ("ola", "kari", "hemmelig", "S-1-", "Users"):
        assert word not in json.dumps(facts["proxy"])
    # Nothing but copies was loaded, each was released, and nothing of them is left.
    assert hive_calls(server) == [f"{act} HKEY_USERS\\" for act in ("load", "unload") * 3] + ["load HKEY_USERS\\"]
    assert server.files() == before
    assert list((server.drive / TEMP).iterdir()) == []


def test_a_copy_that_is_not_released_is_released_by_the_next_probe(server: Server):
    server.update(registry=account(server, KARI, "kari", "kari's"), hives={"kari's": {}}, stays_loaded=True)
    facts_of(server, "client")
    (left,) = (server.drive / TEMP).iterdir()
    # As it is some minutes later, with the hive still loaded.
    then = time.time() - 3600
    os.utime(left, (then, then))
    registry = {**server.state["registry"], f"HKEY_USERS\\{left.name}": {}, "HKEY_USERS\\InteractorProbe-gone": {}}
    server.update(registry=registry, stays_loaded=False)
    facts_of(server, "client")
    assert list((server.drive / TEMP).iterdir()) == []
    assert hive_calls(server).count("unload HKEY_USERS\\") == 4


def test_a_copy_of_a_probe_that_is_at_work_stays(server: Server):
    server.write("C:\\Windows\\Temp\\InteractorProbe-other\\NTUSER.DAT", "of another")
    server.update(registry={"HKEY_USERS\\InteractorProbe-other": {}})
    facts_of(server, "client")
    assert [left.name for left in (server.drive / TEMP).iterdir()] == ["InteractorProbe-other"]
    assert hive_calls(server) == []


def test_what_a_policy_says_comes_before_what_is_set(server: Server):
    kari = f"HKEY_USERS\\{KARI}"
    server.update(
        registry={
            f"{kari}{SETTINGS}": {"ProxyEnable": 0, "ProxyServer": "old:1"},
            f"{kari}\\Software\\Policies\\{INTERNET}": {"ProxyEnable": 1},
        }
    )
    (profile,) = facts_of(server, "client")["proxy"]["profiles"]
    assert (profile["proxy_enable"], profile["proxy_server"], profile["policy"]) == (1, "old:1", True)


def test_the_machine_has_proxies_of_its_own(server: Server):
    machine = "HKEY_LOCAL_MACHINE\\SOFTWARE\\" + INTERNET
    environment = "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment"
    # The text in it is masked, and stays as long as it is.
    binary = b"\x46\x00\x00\x00\x10\x00\x00\x00http://a:b@c:80/\x00\xff"
    server.update(
        registry={
            machine: {"ProxyEnable": 1, "ProxyServer": "m:8080", "AutoConfigURL": r"C:\Users\kari\min.pac"},
            f"{machine}\\Connections": {
                "WinHttpSettings": {"hex": "1800FF"},
                "DefaultConnectionSettings": {"hex": binary.hex()},
            },
            environment: {"http_proxy": "http://ola:ord@p:1", "NO_PROXY": ".example"},
        }
    )
    facts = facts_of(server, "client")
    proxy = facts["proxy"]
    assert proxy["machine"] == {
        "proxy_enable": 1,
        "proxy_server": "m:8080",
        "proxy_override": None,
        "auto_config_url": r"C:\Users\xxxx\min.pac",
        "connections": binary.replace(b"a:b@", b"xxx@").hex(),
        "saved": None,
    }
    assert proxy["winhttp"] == "1800ff"
    assert proxy["environment"] == {"http_proxy": "http://xxxxxxx@p:1", "https_proxy": None, "no_proxy": ".example"}
    (script,) = proxy["scripts"]
    assert (script["url"], script["status"], script["text"], script["error"]) == (
        r"C:\Users\xxxx\min.pac",
        0,
        None,
        "it is no address of the web",
    )
    assert [(page["way"], page["error"]) for page in facts["pages"]] == [
        ("direct", None),
        ("script", "WinHTTP: The PAC script could not be run."),
    ]


def test_pages_by_the_proxy_that_winhttp_names(server: Server):
    url = "https://interactor.dips.no"
    script = "http://config.example/p.pac"
    server.update(
        registry={f"HKEY_USERS\\{KARI}{SETTINGS}": {"ProxyEnable": 0, "AutoConfigURL": script}},
        web={
            **server.state["web"],
            script: {"status": 200, "content": "function FindProxyForURL() {}"},
            f"{url} via p.example:8080": {"status": 0, "error": "TrustFailure: the certificate is not trusted"},
        },
        script_answers={f"{script} {url}": "PROXY p.example:8080; PROXY q.example:1"},
    )
    facts = facts_of(server, "client")
    (told,) = facts["proxy"]["scripts"]
    assert (told["status"], told["text"], told["characters"]) == (200, "function FindProxyForURL() {}", 29)
    assert told["answers"] == [{"url": url, "proxy": "PROXY p.example:8080; PROXY q.example:1", "error": None}]
    direct, page = facts["pages"]
    assert (direct["way"], direct["script"], direct["proxy"], direct["trusted"]) == ("direct", None, None, True)
    assert (page["way"], page["script"], page["proxy"], page["trusted"]) == ("script", script, "p.example:8080", False)


@pytest.mark.parametrize(("characters", "whole"), [(65_535, True), (65_536, True), (65_537, False)])
def test_a_script_comes_whole_or_not_at_all(server: Server, characters: int, whole: bool):
    script, text = "http://config.example/p.pac", "f" * characters
    server.update(
        registry={f"HKEY_USERS\\{KARI}{SETTINGS}": {"ProxyEnable": 0, "AutoConfigURL": script}},
        web={**server.state["web"], script: {"status": 200, "content": text}},
    )
    (told,) = facts_of(server, "client")["proxy"]["scripts"]
    assert (told["status"], told["characters"], told["text"] == (text if whole else None)) == (200, characters, True)


def settings_of(flags: int, script: str = "") -> dict[str, str]:
    """Connection settings of the registry in Windows' binary form, without a manual proxy."""
    return {"hex": struct.pack("<IIIIII", 0x46, 3, flags, 0, 0, len(script)).hex() + script.encode().hex()}


SECRET = "http://ola:hemmelig@b.example/p.pac"


class Named:
    """A PC whose registry names scripts here and there; each is there and says so."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.registry: dict[str, Any] = {}

    def of(self, key: str, **values: Any) -> None:
        self.registry.setdefault(key, {}).update(values)

    def facts(self, **state: Any) -> dict[str, Any]:
        sites = [f"http://{name}.example/p.pac" for name in "abcdefg"]
        web = {site: {"status": 200, "content": "function FindProxyForURL() {}"} for site in (*sites, SECRET)}
        page = self.server.contract["pages"]["P1"]["url"]
        answers = {f"{site} {page}": "DIRECT" for site in web}
        state = {"script_answers": {**self.server.state.get("script_answers", {}), **answers}, **state}
        self.server.update(registry=self.registry, web={**self.server.state["web"], **web}, **state)
        return facts_of(self.server, "client")

    @staticmethod
    def asked(facts: dict[str, Any]) -> tuple[str, str]:
        """Which scripts were asked for, and by which pages were; by the first letters of their names."""
        pages = [page["script"] for page in facts["pages"] if page["way"] == "script"]
        return tuple("".join(url[7] for url in urls) for urls in ([s["url"] for s in facts["proxy"]["scripts"]], pages))


@pytest.fixture
def named(server: Server) -> Named:
    return Named(server)


def test_a_script_is_asked_for_wherever_it_is_named(named: Named):
    kari, machine = f"HKEY_USERS\\{KARI}{SETTINGS}", f"HKEY_LOCAL_MACHINE\\SOFTWARE\\{INTERNET}"
    named.of(f"{kari}\\Connections", DefaultConnectionSettings=settings_of(5, "http://a.example/p.pac"))
    named.of(f"{kari}\\Connections", SavedLegacySettings=settings_of(5, "http://e.example/p.pac"))
    named.of(kari, ProxyEnable=0, AutoConfigURL="http://x.example/never.pac")
    named.of(f"HKEY_USERS\\{KARI}\\Software\\Policies\\{INTERNET}", AutoConfigURL="http://b.example/p.pac")
    named.of(f"HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\{INTERNET}", AutoConfigURL="http://c.example/p.pac")
    named.of(f"{machine}\\Connections", DefaultConnectionSettings=settings_of(5, "http://d.example/p.pac"))
    services = settings_of(5, "http://f.example/p.pac")["hex"].replace("46", "28", 1)
    named.of(f"{machine}\\Connections", WinHttpSettings={"hex": services})
    facts = named.facts()
    assert facts["proxy"]["machine"]["auto_config_url"] == "http://c.example/p.pac"
    # What programs go by comes first, and only by that pages are asked for.
    assert named.asked(facts) == ("abcedf", "abc")
    assert {script["status"] for script in facts["proxy"]["scripts"]} == {200}


def test_the_machines_own_are_asked_by_where_they_are_everybodys(named: Named):
    machine = f"HKEY_LOCAL_MACHINE\\SOFTWARE\\{INTERNET}"
    named.of(f"{machine}\\Connections", DefaultConnectionSettings=settings_of(13, "http://d.example/p.pac"))
    facts = named.facts(detected="http://a.example/p.pac")
    assert (named.asked(facts), facts["proxy"]["detected"]) == (("d", ""), None)
    named.of(f"HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\{INTERNET}", ProxySettingsPerUser=0)
    assert named.asked(named.facts()) == ("da", "da")


@pytest.mark.parametrize(
    "binary",
    [
        settings_of(1, "http://a.example/p.pac"),
        settings_of(5),
        settings_of(5, "http://a.example/p\n.pac"),
        {"hex": settings_of(5, "http://a.example/p.pac")["hex"][:-2]},
        {"hex": settings_of(5, "http://a.example/p.pac")["hex"][:40]},
        {"hex": settings_of(5, "http://a.example/p.pac")["hex"][:18]},
        {"hex": ""},
    ],
)
def test_a_binary_form_that_names_no_script(named: Named, binary: dict[str, str]):
    named.of(f"HKEY_USERS\\{KARI}{SETTINGS}\\Connections", DefaultConnectionSettings=binary)
    facts = named.facts()
    assert (named.asked(facts), facts["proxy"]["detected"]) == (("", ""), None)
    assert facts["proxy"]["profiles"][0]["connections"] == binary["hex"]


def test_no_more_scripts_than_six_are_asked_for(named: Named):
    for number, name in enumerate("abcdefg"):
        key = f"HKEY_USERS\\S-1-5-21-111-222-333-{1001 + number}{SETTINGS}"
        named.of(key, AutoConfigURL=f"http://{name}.example/p.pac")
    facts = named.facts()
    assert named.asked(facts) == ("abcdefg", "abcdef")
    *_, last = facts["proxy"]["scripts"]
    assert (last["error"], last["text"], last["answers"]) == ("no more than 6 scripts are asked for", None, [])


def test_detection_is_asked_for_where_somebody_has_ticked_it(named: Named):
    key = f"HKEY_USERS\\{KARI}{SETTINGS}\\Connections"
    named.of(key, DefaultConnectionSettings=settings_of(13, "http://a.example/p.pac"))
    facts = named.facts(detected="http://b.example/p.pac")
    assert facts["proxy"]["detected"] == {"url": "http://b.example/p.pac", "error": None}
    assert named.asked(facts) == ("ab", "ab")
    facts = named.facts(detected="http://a.example/p.pac")
    assert facts["proxy"]["detected"] == {"url": "http://a.example/p.pac", "error": None}
    assert named.asked(facts) == ("a", "a")
    named.of(key, SavedLegacySettings=settings_of(5, "http://c.example/p.pac"))
    assert named.asked(named.facts(detected="http://c.example/p.pac")) == ("ac", "ac")
    del named.registry[key]["SavedLegacySettings"]
    facts = named.facts(detected=None)
    assert (facts["proxy"]["detected"], named.asked(facts)) == ({"url": None, "error": None}, ("a", "a"))
    facts = named.facts(detected={"error": "The service has not been started."})
    error = "WinHTTP: The service has not been started."
    assert (facts["proxy"]["detected"], named.asked(facts)) == ({"url": None, "error": error}, ("a", "a"))


@pytest.mark.parametrize(
    ("answer", "way"),
    [
        ({"status": 404, "content": "gone"}, "DIRECT"),
        ({"status": 200}, "DIRECT"),
        ({"status": 200, "content": "<html>Welcome, guest</html>"}, None),
        ({"status": 0, "error": "no"}, "DIRECT"),
    ],
)
def test_no_page_is_asked_for_by_a_detected_script_that_is_not_there(
    named: Named, answer: dict[str, Any], way: str | None
):
    named.of(f"HKEY_USERS\\{KARI}{SETTINGS}\\Connections", DefaultConnectionSettings=settings_of(9))
    page = named.server.contract["pages"]["P1"]["url"]
    named.server.update(
        web={**named.server.state["web"], "http://gone.example/wpad.dat": answer},
        script_answers={f"http://gone.example/wpad.dat {page}": way},
    )
    facts = named.facts(detected="http://gone.example/wpad.dat")
    assert named.asked(facts) == ("g", "")
    (script,) = facts["proxy"]["scripts"]
    assert (script["status"], len(script["answers"])) == (answer["status"], 1)


def test_who_a_detected_address_names_is_masked(named: Named):
    named.of(f"HKEY_USERS\\{KARI}{SETTINGS}\\Connections", DefaultConnectionSettings=settings_of(9))
    facts = named.facts(detected=SECRET)
    assert (
        facts["proxy"]["detected"]["url"]
        == facts["proxy"]["scripts"][0]["url"]
        == "http://xxxxxxxxxxxx@b.example/p.pac"
    )
    assert "hemmelig" not in json.dumps(facts)


def test_what_is_too_slow_is_named_and_costs_nothing_else(server: Server):
    server.update(hangs=["speed", "power", "interactor"])
    result = server.ask("preflight", role="server")
    facts = result["facts"]
    assert facts["overdue"] == ["interactor", "power", "speed"]
    assert (facts["speed"], facts["power"], facts["interactor"], result["ledger"]) == (None, None, None, None)
    assert facts["host"]["build"] == "20348"
    # What hangs may never end: the process must.
    assert server.take_calls() == ["end this process in 5 seconds"]


@pytest.mark.parametrize(
    ("hangs", "ways", "scripts"),
    [
        (["scripts"], ["direct"], None),
        (["pages"], ["script"], 1),
        (["pages", "scripts"], None, None),
    ],
)
def test_pages_of_the_ways_that_were_in_time(server: Server, hangs: list[str], ways: list[str] | None, scripts: int):
    script = server.contract["proxy"]["script"]
    registry = {f"HKEY_USERS\\{KARI}{SETTINGS}": {"ProxyEnable": 0, "AutoConfigURL": script}}
    server.update(registry=registry, hangs=hangs)
    facts = server.ask("preflight", role="client")["facts"]
    assert facts["overdue"] == hangs
    assert (facts["pages"] and [page["way"] for page in facts["pages"]]) == ways
    assert (facts["proxy"]["scripts"] and len(facts["proxy"]["scripts"])) == scripts


def test_without_the_proxies_no_script_is_asked(server: Server):
    server.update(hangs=["proxy"])
    facts = server.ask("preflight", role="client")["facts"]
    assert (facts["proxy"], facts["overdue"]) == (None, ["proxy"])


def test_clock_and_names_that_are_not_found(server: Server):
    server.update(
        ntp={"offset_seconds": None, "error": "no answer"},
        names={},
        tls={"interactor.dips.no": {"protocol": "Tls12", "trusted": False, "issuer": "CN=Brannmur"}},
        registry={
            "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols"
            "\\TLS 1.2\\Client": {"Enabled": 0}
        },
    )
    facts = facts_of(server, "client")
    assert facts["clock"] == {"server": "ntp.justervesenet.no", "offset_seconds": None, "error": "no answer"}
    assert {(len(told["addresses"]), bool(told["error"])) for told in facts["dns"]} == {(0, True)}
    assert facts["tls"]["enabled"] is False
    assert facts["tls"]["endpoints"][0] == {
        "name": "interactor.dips.no",
        "protocol": "Tls12",
        "trusted": False,
        "issuer": "CN=Brannmur",
        "error": None,
    }


def test_active_hours_are_the_policys_first(server: Server):
    chosen = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\WindowsUpdate\\UX\\Settings"
    policy = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate"
    hours = {chosen: {"ActiveHoursStart": 7, "ActiveHoursEnd": 18}}
    server.update(registry=hours)
    assert facts_of(server)["power"]["active_hours"] == {"start": 7, "end": 18}
    by_policy = {"SetActiveHours": 1, "ActiveHoursStart": 6, "ActiveHoursEnd": 22}
    server.update(registry={**hours, policy: by_policy})
    assert facts_of(server)["power"]["active_hours"] == {"start": 6, "end": 22}


def test_all_signs_of_a_restart(server: Server):
    registry: dict[str, Any] = {}
    for sign in RESTART_SIGNS:
        key, values = SIGNS[sign]
        registry.setdefault(key, {}).update(values)
    control = "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control"
    registry[f"{control}\\ComputerName\\ActiveComputerName"] = {"ComputerName": "NAVN"}
    server.update(registry=registry)
    assert facts_of(server)["power"]["pending_restart"] == list(RESTART_SIGNS)


@pytest.mark.parametrize(
    ("execute", "arguments", "takes_down"),
    [
        ("shutdown.exe", "/s /t 0", True),
        ("shutdown.exe", "/h", True),
        ("shutdown.exe", "/l", False),
        ("powershell.exe", "-Command Stop-Computer -Force", True),
        ("powershell.exe", "-Command Get-ComputerInfo", False),
    ],
)
def test_a_task_that_takes_windows_down(server: Server, execute: str, arguments: str, takes_down: bool):
    server.update(tasks={"Evening": task(execute, arguments, "2027-05-19T01:00:00Z")})
    assert bool(facts_of(server)["power"]["scheduled_restarts"]) is takes_down
