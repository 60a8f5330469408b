"""What bench-quick compares our probe with: the same facts by stock modules, which answer as they are documented."""

from __future__ import annotations

import ast
import re
from base64 import b64decode
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import format_time
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import OSLO

from simulator.engine.registry import SIGNS
from simulator.models import stock_facts
from tests.simulator.office import Office

ROOT = Path(__file__).resolve().parent.parent
PLAY = yaml.safe_load((ROOT / "tests" / "stock_facts.yml").read_text(encoding="utf-8"))[0]
PROXY = {"proxy_enable": 1, "proxy_server": "sikker.proxy.nhn.no:8080"}
VARS = PLAY["vars"]


def filled(text: str) -> str:
    """A text of the play with its own variables."""
    for name, value in VARS.items():
        text = text.replace(f"{{{{ {name} }}}}", value) if isinstance(value, str) else text
    return text


IDLE = "238c9fa8-0aad-41ed-83f4-97be242c8f20"
KEYS = [
    filled(key)
    for key in (
        *VARS["machine"],
        *VARS["restart_signs"],
        "HKU:\\",
        *(rf"HKU:\SID\{key}" for key in VARS["of_each"]),
        r"{{ profiles }}\SID",
        "{{ power }}",
        *(rf"{{{{ power }}}}\PLAN\{IDLE}\{key}" for key in VARS["idle"]),
    )
]
"""Every key that the play looks at."""
SAID: dict[str, Any] = {
    "server": {
        "free_gb": 33.5,
        "uptime_hours": 50.0,
        "sleep_minutes": 30,
        "pending_restart": ["windows_update", "file_rename"],
        "proxies": [{}, PROXY],
        "proxy_per_machine": True,
        "scheduled_restarts": ["2027-05-11T01:00:00Z"],
    }
}
SCHEME = r"HKLM:\SYSTEM\CurrentControlSet\Control\Power\User\PowerSchemes"
INTERNET = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings"
CURRENT = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion"
CONTROL = r"HKLM:\SYSTEM\CurrentControlSet\Control"
PROFILES = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"


def documented(name: str) -> tuple[set[str], set[str]]:
    """The options and return values in a module's documentation."""
    package, _, module = f"ansible_collections.{name}".rpartition(".")
    spec = find_spec(f"{package}.plugins.modules")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(next(iter(spec.submodule_search_locations)))
    if (sidecar := folder / f"{module}.yml").is_file():
        told = yaml.safe_load(sidecar.read_text(encoding="utf-8"))
        documentation, returned = told["DOCUMENTATION"], told.get("RETURN")
    else:
        texts = {
            node.targets[0].id: node.value.value
            for node in ast.parse((folder / f"{module}.py").read_text(encoding="utf-8")).body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        documentation, returned = (yaml.safe_load(str(texts[part])) for part in ("DOCUMENTATION", "RETURN"))
    fragments = {"url_timeout", "use_proxy"} if "web_request" in str(documentation) else set()
    return {*documentation["options"], *fragments}, {*(returned or {})}


def tasks() -> dict[str, set[str]]:
    """The play's tasks: the module and the names of its arguments."""
    return {name: set(arguments) for task in PLAY["tasks"] for name, arguments in task.items() if name.count(".") == 2}


def test_what_is_modelled_is_what_the_play_uses() -> None:
    assert set(tasks()) == stock_facts.NAMES


@pytest.mark.parametrize("name", sorted(stock_facts.NAMES))
def test_the_options_are_documented(name: str) -> None:
    options, _returned = documented(name)
    assert set(stock_facts._LOOKS[name][1]) <= options
    assert tasks()[name] <= options


def test_the_same_facts_are_found_as_by_our_probe() -> None:
    office = Office(SAID)
    facts = office.ask("preflight", role="server")["facts"]
    returned: dict[str, set[str]] = {}
    looked: set[str] = set()

    def look(name: str, /, **arguments: Any) -> dict[str, Any]:
        module = f"{'community' if name in ('win_disk_facts', 'win_scheduled_task_stat') else 'ansible'}.windows.{name}"
        result = office.raw(module, arguments)
        assert not result.get("failed"), result
        returned.setdefault(module, set()).update(result)
        if name == "win_reg_stat":
            key = re.sub(r"S-1-5-21-[0-9-]+", "SID", re.sub(r"(?<=Schemes\\)[0-9a-f-]{36}", "PLAN", arguments["path"]))
            looked.add(key.casefold())
        return result

    (subsets,) = [
        task["ansible.windows.setup"]["gather_subset"] for task in PLAY["tasks"] if "ansible.windows.setup" in task
    ]
    host = look("setup", gather_subset=subsets)["ansible_facts"]
    assert host["ansible_hostname"] == facts["host"]["name"]
    assert host["ansible_memtotal_mb"] == facts["host"]["memory_mb"]
    assert host["ansible_uptime_seconds"] / 3600 == pytest.approx(facts["host"]["uptime_hours"], abs=0.1)
    assert host["ansible_date_time"]["iso8601"] == facts["host"]["utc"]
    assert host["ansible_ip_addresses"] == facts["host"]["addresses"]
    assert host["ansible_distribution"] == facts["host"]["os"]
    (disk,) = look("win_disk_facts", filter=["volumes"])["ansible_facts"]["ansible_disks"]
    assert disk["partitions"][0]["volumes"][0]["size_remaining"] / 2**30 == facts["host"]["free_gb"]

    contract = office.contract
    service = look("win_service_info", name=contract["service"]["name"])["services"][0]
    assert {"started": "running"}[service["state"]] == facts["interactor"]["service"]
    version = look("win_uri", url=contract["service"]["version_url"], return_content=True)
    assert facts["interactor"]["version"] in version["content"]
    config = yaml.safe_load(b64decode(look("slurp", src=contract["paths"]["config"])["content"]))
    assert config[contract["config"]["mode_key"]] == contract["config"]["modes"]["local"]["mode"]
    # There is none before a move, and the play goes on.
    ledger = office.raw("ansible.windows.slurp", {"src": contract["paths"]["work"] + r"\ledger.json"})
    assert bool(ledger.get("failed")) is (facts["interactor"]["ledger"] is None)
    for page in facts["pages"]:
        wanted = contract["pages"][page["id"]]
        way = {"use_proxy": False} if page["way"] == "direct" else {}
        found = look("win_uri", url=wanted["url"], status_code=[wanted["status"]], return_content=True, **way)
        assert (found["status_code"], page["text"].split()[0] in found["content"]) == (page["status"], True)
    assert look("win_uri", url=contract["speed"]["url"])["content_length"] >= facts["speed"]["samples"][0]["bytes"]

    people = [name for name in look("win_reg_stat", path="HKU:\\")["sub_keys"] if name.startswith("S-1-5-21-")]
    assert len(people) == len(facts["proxy"]["profiles"]) == 2
    for name, profile in zip(people, facts["proxy"]["profiles"], strict=True):
        options = look("win_reg_stat", path=rf"HKU:\{name}\{INTERNET}")["properties"]
        assert options["ProxyEnable"]["value"] == profile["proxy_enable"]
        assert options.get("ProxyServer", {}).get("value") == profile["proxy_server"]
        binary = look("win_reg_stat", path=rf"HKU:\{name}\{INTERNET}\Connections")["properties"]
        for value, fact in (("DefaultConnectionSettings", "connections"), ("SavedLegacySettings", "saved")):
            assert bytes(binary[value]["value"]).hex() == profile[fact]
        assert look("win_reg_stat", path=rf"HKLM:\{PROFILES}\{name}")["properties"]["State"]["value"] == 0
        policies = look("win_reg_stat", path=rf"HKU:\{name}\Software\Policies\{INTERNET[9:]}")
        assert policies["exists"] is profile["policy"]
    assert set(people) <= set(look("win_reg_stat", path=rf"HKLM:\{PROFILES}")["sub_keys"])
    machine = look("win_reg_stat", path=rf"HKLM:\{INTERNET}\Connections")["properties"]
    assert bytes(machine["WinHttpSettings"]["value"]).hex() == facts["proxy"]["winhttp"]
    assert look("win_reg_stat", path=rf"HKLM:\{INTERNET}")["exists"]
    variables = look("win_reg_stat", path=rf"{CONTROL}\Session Manager\Environment")["properties"]
    assert {name: variables[name]["value"] for name in variables} == {
        name: value for name, value in facts["proxy"]["environment"].items() if value is not None
    }
    (script,) = facts["proxy"]["scripts"]
    assert look("win_uri", url=script["url"], return_content=True)["content"] == script["text"]
    schannel = look("win_reg_stat", path=rf"{CONTROL}\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client")
    assert schannel["exists"] is not facts["tls"]["enabled"]
    hours = look("win_reg_stat", path=r"HKLM:\SOFTWARE\Microsoft\WindowsUpdate\UX\Settings")["properties"]
    assert {"start": hours["ActiveHoursStart"]["value"], "end": hours["ActiveHoursEnd"]["value"]} == (
        facts["power"]["active_hours"]
    )
    policy = look("win_reg_stat", path=rf"HKLM:\SOFTWARE\Policies\{INTERNET[9:]}", name="ProxySettingsPerUser")
    assert (policy["value"] == 0) is facts["proxy"]["per_machine"]

    plan = look("win_reg_stat", path=SCHEME, name="ActivePowerScheme")["value"]
    idle = rf"{SCHEME}\{plan}\{IDLE}"
    for setting, minutes in (
        ("29f6c1db-86da-48c5-9fdb-f2b67b1f44da", "sleep_minutes"),
        ("9d7815a6-7ee4-497e-8888-515a05f02364", "hibernate_minutes"),
    ):
        seconds = look("win_reg_stat", path=rf"{idle}\{setting}", name="ACSettingIndex")["value"]
        assert seconds == facts["power"][minutes] * 60
    waits = []
    for sign, (key, values) in SIGNS.items():
        place = key.replace("HKEY_LOCAL_MACHINE", "HKLM:").removesuffix(r"\one")
        told = look("win_reg_stat", path=place)
        if told["exists"] and set(values) <= set(told["properties"]):
            waits.append(sign)
    # A new name is one that is not yet the active one.
    assert look("win_reg_stat", path=rf"{CONTROL}\ComputerName\ActiveComputerName")["exists"]
    assert sorted(waits) == sorted(facts["power"]["pending_restart"])
    restarts = []
    (folders,) = [task["loop"] for task in PLAY["tasks"] if task.get("register") == "folders"]
    for folder in folders:
        for name in look("win_scheduled_task_stat", path=folder)["folder_task_names"]:
            task = look("win_scheduled_task_stat", path=folder, name=name)
            if next_run := task["state"].get("next_run_time"):
                restarts.append(format_time(datetime.fromisoformat(next_run).replace(tzinfo=OSLO)))
    assert restarts == facts["power"]["scheduled_restarts"] == ["2027-05-11T01:00:00Z"]

    # The play looks at all of it, and at nothing more or twice.
    assert sorted(key.casefold() for key in KEYS) == sorted(looked)

    for module, names in returned.items():
        told = documented(module)[1] | {"changed", "ansible_facts"}
        assert names <= told, module


@pytest.mark.parametrize(
    ("module", "arguments", "told"),
    [
        ("ansible.windows.win_reg_stat", {"path": "C:\\x"}, "not a valid registry path"),
        ("ansible.windows.slurp", {"src": "C:\\x", "follow": True}, "Unsupported parameters"),
        ("ansible.windows.slurp", {"src": "C:\\x"}, "is not found"),
        ("ansible.windows.win_uri", {"url": "https://ingen.example/"}, "not a known name"),
        ("ansible.windows.win_uri", {"url": "https://interactor.dips.no/"}, "not in list of valid status codes"),
        ("ansible.windows.win_uri", {"url": "http://127.0.0.1:1/"}, "Failed to connect"),
    ],
)
def test_what_is_wrong_fails(module: str, arguments: dict[str, Any], told: str) -> None:
    result = Office({}).raw(module, arguments)
    assert result["failed"] is True
    assert told in result["msg"]


def test_what_is_not_there_is_told_so() -> None:
    office = Office({"interactor": {"service": "missing"}})
    service = office.raw("ansible.windows.win_service_info", {"name": "DIPSInteractor"})
    assert service == {"changed": False, "exists": False, "services": []}
    assert office.raw("ansible.windows.win_reg_stat", {"path": "HKLM:\\Nothing"}) == {"changed": False, "exists": False}
