"""Probe, upgrade, stock modules and plain files on a simulated host, the cloud's fencing, and the pages."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from typing import Any

import pytest

from simulator.calls import Answer, CloudRefusal, FetchFile, PutFile, RawScript, Unknown
from simulator.files import Drive
from tests.simulator.office import Office, Opened

OFF = {"text": None, "heading": None, "final_url": None, "issuer": None, "milliseconds": 0}


def test_the_probe_tells_a_server(opened: Opened):
    office = opened(
        server={
            "clock_offset_seconds": 90,
            "sleep_minutes": 30,
            "pending_restart": ["windows_update"],
            "scheduled_restarts": ["2027-05-19T01:00:00Z"],
            "link_mbit": 16,
        }
    )
    office.later(60)
    result = office.ask("preflight", role="server")
    facts = result["facts"]
    assert (result["changed"], result["ledger"], facts["probe"]) == (False, None, 3)
    assert facts["host"] == {
        "name": "SRV9001",
        "os": "Microsoft Windows Server 2022 Standard",
        "build": "20348",
        "memory_mb": 16384,
        "free_gb": 81.5,
        "uptime_hours": 121.5,
        "time_zone": "W. Europe Standard Time",
        "utc": "2027-05-10T08:01:30Z",
        "addresses": ["10.20.1.5"],
    }
    assert facts["interactor"] == {
        "service": "running",
        "version": "5.4.1",
        "mode": "local",
        "ledger": None,
        "ledger_error": None,
    }
    assert [(page["way"], page["proxy"]) for page in facts["pages"]] == [("direct", None)] * 2 + [("script", None)] * 2
    assert [(page["id"], page["status"], page["text"], page["heading"]) for page in facts["pages"]] == 2 * [
        ("P1", 404, "default backend – 404", None),
        ("P2", 200, "Testing Testing 123", "Testing 123"),
    ]
    sample = {"bytes": 2_000_000, "seconds": 1.0}
    assert facts["speed"] == {"url": office.contract["speed"]["url"], "samples": [sample] * 3, "error": None}
    assert facts["power"] == {
        "plan": "Balanced",
        "sleep_minutes": 30,
        "hibernate_minutes": 0,
        "pending_restart": ["windows_update"],
        "scheduled_restarts": ["2027-05-19T01:00:00Z"],
        "active_hours": {"start": 8, "end": 17},
    }


def test_the_probe_tells_a_client(opened: Opened):
    office = opened(
        clients=[{"name": "pc1", "proxies": [{}, {"proxy_enable": 1, "proxy_server": "sikker.proxy.nhn.no:8080"}]}]
    )
    facts = office.ask("preflight", host="pc1", role="client")["facts"]
    assert facts["interactor"] is None
    assert [(page["id"], page["way"]) for page in facts["pages"]] == [("P1", "direct"), ("P1", "script")]
    assert facts["proxy"]["per_machine"] is False
    first, second = facts["proxy"]["profiles"]
    assert (first["profile"], first["proxy_enable"], first["proxy_server"]) == (1, 0, None)
    assert (second["profile"], second["proxy_enable"], second["proxy_server"]) == (2, 1, "sikker.proxy.nhn.no:8080")
    assert bytes.fromhex(first["connections"])[8] == 5
    assert bytes.fromhex(second["connections"])[8] == 7
    assert b"sikker.proxy.nhn.no:8080" in bytes.fromhex(second["connections"])


def test_a_page_that_cannot_be_reached(office: Office):
    del office.world.pages["interactor.dips.no"]
    del office.world.pages["speedtest.dips.no"]
    facts = office.ask("preflight", role="client", host="pc1")["facts"]
    error = "interactor.dips.no is not a known name"
    way = {"way": "direct", "script": None, "proxy": None, "trusted": None}
    page = {"id": "P1", "url": "https://interactor.dips.no", "status": 0, "error": error, **OFF, **way}
    assert facts["pages"] == [page, {**page, "way": "script", "script": "http://config.nhn.no/kunde.pac"}]
    (name,) = [told for told in facts["dns"] if told["error"]]
    assert name == {"name": "speedtest.dips.no", "addresses": [], "error": facts["speed"]["error"]}
    assert {told["name"]: told["error"] for told in facts["tls"]["endpoints"]} == {
        "interactor.dips.no": None,
        "dipsupsvr.dips.no": None,
        "nedlasting.dips.no": None,
        "speedtest.dips.no": facts["speed"]["error"],
    }
    assert facts["speed"]["error"] == "speedtest.dips.no is not a known name"


def test_a_stopped_service_tells_no_version(opened: Opened):
    assert opened(interactor={"service": "stopped"}).ask("upgrade", step="look")["version"] is None
    facts = opened(interactor={"service": "missing"}).ask("preflight", role="server")["facts"]
    assert (facts["interactor"]["service"], facts["interactor"]["mode"]) == ("missing", None)


def test_a_slow_line_is_measured_for_so_many_seconds(opened: Opened):
    speed = opened(server={"link_mbit": 0.8}).ask("preflight", role="server")["facts"]["speed"]
    assert speed["samples"] == [{"bytes": 400_000, "seconds": 4.0}]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"colour": "red"}, "Unsupported parameters for (interactor_migrate) module: colour."),
        ({"site": None}, "missing required arguments: site"),
        ({"step": None}, "missing required arguments: step"),
        ({"step": "fly"}, "value of step must be one of: look, lease"),
        ({"contract": "text"}, "argument for contract is of type str"),
        ({"history_months": "many"}, "argument for history_months is of type str"),
        ({"contract": {}}, "look: contract: paths.work is missing"),
    ],
)
def test_wrong_options_are_refused(office: Office, change: dict[str, Any], says: str):
    result = office.ask("migrate", **{"step": "look", **change})
    assert result["failed"]
    assert says in result["msg"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"attempt": None}, "step is manifest but all of the following are missing: attempt"),
        ({"mode": None}, "step is manifest but all of the following are missing: mode"),
        ({"attempt": {"number": 1}}, "missing required arguments: key found in attempt"),
        ({"attempt": {"key": "k"}}, "missing required arguments: number found in attempt"),
        (
            {"attempt": {"number": 1, "key": "k", "x": 1}},
            "Unsupported parameters for (interactor_migrate) module: x found in attempt.",
        ),
    ],
)
def test_a_step_asks_for_what_it_needs(office: Office, change: dict[str, Any], says: str):
    assert says in office.migrate("manifest", **change)["msg"]


def test_stock_modules(office: Office):
    assert office.raw("ansible.windows.win_ping", {}) == {"changed": False, "ping": "pong"}
    assert office.raw("ansible.windows.win_ping", {"data": "hei"})["ping"] == "hei"
    assert "colour" in office.raw("ansible.windows.win_ping", {"colour": 1})["msg"]


@pytest.mark.parametrize("name", ["ansible.windows.win_reboot", "interactor_migrate", "helsevest.interactor.other"])
def test_an_unknown_module_is_loud(office: Office, name: str):
    with pytest.raises(Unknown, match=name):
        office.raw(name, {})


def test_plain_files_and_scripts(office: Office):
    def run(call: PutFile | FetchFile | RawScript) -> Answer:
        return asyncio.run(office.server.run(call))

    content = bytes(range(256)) * 10
    put = run(PutFile(r"C:\Temp\a.bin", content))
    assert json.loads(put.stdout)["sha1"] == hashlib.sha1(content).hexdigest()
    assert base64.b64decode(run(FetchFile(r"c:\temp\A.BIN", 0, 1_000)).stdout) == content[:1_000]
    assert base64.b64decode(run(FetchFile(r"c:\temp\A.BIN", 2_000, 1_000)).stdout) == content[2_000:]
    assert run(FetchFile(r"C:\Temp", 0, 10)).stdout == b"[DIR]"
    assert run(FetchFile(r"C:\none", 0, 10)).code == 1
    with pytest.raises(Unknown, match="Restart-Computer"):
        run(RawScript("Restart-Computer -Force"))


def test_the_cloud_keeps_one_living_attempt(office: Office):
    cloud = office.world.cloud
    first, new = cloud.open_attempt("9001", 1, "a", 12)
    assert (first["state"], first["manifest"], new) == ("open", None, True)
    assert cloud.open_attempt("9001", 1, "a", 12)[1] is False
    for number, key in ((1, "b"), (2, "b")):
        with pytest.raises(CloudRefusal, match=r"attempt 1 \(a\)") as refusal:
            cloud.open_attempt("9001", number, key, 12)
        assert refusal.value.status == 409
    with pytest.raises(CloudRefusal) as refusal:
        cloud.discard("9001", 1, "b")
    assert refusal.value.status == 409
    with pytest.raises(CloudRefusal) as refusal:
        cloud.discard("9001", 7, "a")
    assert refusal.value.status == 404
    assert [cloud.discard("9001", 1, "a")["state"] for _ in range(2)] == ["discarded"] * 2
    with pytest.raises(CloudRefusal, match="not above") as refusal:
        cloud.open_attempt("9001", 1, "b", 12)
    assert refusal.value.status == 409
    assert cloud.open_attempt("9001", 2, "b", 12)[1] is True
    with pytest.raises(CloudRefusal) as refusal:
        cloud.list_attempts("1")
    assert refusal.value.status == 404


def test_a_completed_attempt_stands_in_the_way(office: Office):
    office.bring_to("completed")
    with pytest.raises(CloudRefusal, match="is completed"):
        office.world.cloud.open_attempt("9001", 2, "b", 12)


def test_snapshots_are_plain_and_repeatable(opened: Opened):
    first, second = opened().world.snapshot(), opened().world.snapshot()
    assert json.loads(json.dumps(first)) == first == second
    assert opened(data={"seed": 1}).world.snapshot() != first


def test_the_scenarios_world_is_the_contracts(office: Office):
    contract, vendor = office.contract, office.scenario.vendor
    assert (vendor.service, vendor.version_url) == (contract["service"]["name"], contract["service"]["version_url"])
    paths = {name: contract["paths"][name] for name in ("install", "data", "config")}
    assert {"install": vendor.install, "data": vendor.data, "config": vendor.config} == paths
    assert (vendor.mode_key, vendor.endpoint_key) == (
        contract["config"]["mode_key"],
        contract["config"]["endpoint_key"],
    )
    states = {"running": vendor.running, "completed": vendor.completed, "failed": vendor.failed}
    assert states == contract["migration"]["states"]
    assert [vendor.process] == contract["processes"]
    installer = office.scenario.installer
    assert (installer.url, installer.version, installer.publisher) == tuple(
        contract["installer"][name] for name in ("url", "version", "publisher")
    )


def test_a_drive_is_windows():
    drive = Drive()
    drive.write(r"C:\A\b.txt", b"1")
    drive.write("c:/a/B.TXT", b"2")
    assert drive.read(r"C:\a\B.txt") == b"2"
    assert drive.snapshot() == {"C:\\": "", "C:\\A\\": "", "C:\\A\\b.txt": hashlib.sha256(b"2").hexdigest()}
    drive.copy_folder(r"C:\A", r"C:\C")
    assert drive.remove(r"C:\A")
    assert not drive.remove(r"C:\A")
    assert [name for name, _content in drive.below("C:\\")] == ["C\\b.txt"]
    for path in ("E:\\x", "x", "C:x", "C:\\a\\..\\b"):
        with pytest.raises(ValueError, match=r"is not an absolute path|leaves its folder"):
            drive.write(path, b"")
    with pytest.raises(FileNotFoundError):
        drive.read(r"C:\none")
