"""A scenario file: what it means, and every way in which it can be wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from simulator import scenario
from simulator.clock import Clock
from simulator.programs import described, installer_bytes
from simulator.scenario import Scenario, ScenarioError, load
from simulator.world import World
from tests.simulator.office import ROOT, Office

SCENARIOS = ROOT / "simulator" / "scenarios"
GOOD = "sites: {9001: {domain: proverom.example, clients: [pc1]}}"


def lines_of(tmp_path: Path, text: str) -> list[str]:
    """What `load` complains of, without the file's name, which each line must begin with."""
    file = tmp_path / "bad.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as error:
        load(file)
    lines = str(error.value).splitlines()
    assert all(line.startswith(f"{file}: ") for line in lines[:1])
    return [line.removeprefix(f"{file}: ") for line in lines]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("clock: [", "is no YAML"),
        ("- a", "is a list; a mapping with the field sites is needed"),
        ("", "is a NoneType; a mapping"),
        ("clock: 2027-05-10T07:00:00Z", "sites: is missing"),
        (f"{GOOD}\ncolour: red", "colour: is no field; allowed are clock, defaults, installer, pages, scripts, sites"),
        (f"{GOOD}\nclock: 2027-05-10", "clock: is datetime.date(2027, 5, 10)"),
        (f"{GOOD}\nclock: 2027-05-10T07:00:00", "clock: is datetime.datetime"),
        ("sites: {9001: {clients: []}}", "sites.9001.domain: is missing"),
        ("sites: {9001: {domain: A_B, clients: []}}", "sites.9001.domain: is 'A_B'"),
        ("sites: {9001: {domain: a.example, clients: [{in_use: 1}]}}", "sites.9001.clients.0.name: is missing"),
        (
            "sites: {9001: {domain: a.example, clients: [], upgrade: {ends: badly}}}",
            "sites.9001.upgrade.ends: is 'badly'; String should match pattern '^(ok|wrong_version|",
        ),
        (
            "sites: {9001: {domain: a.example, clients: [], migration: {loses: {pills: 1}}}}",
            "Input should be 'orders', 'started_requisitions' or 'favourite_packages'",
        ),
        (
            "sites: {9001: {domain: a.example, clients: [], migration: {loses: {orders: 481}}}}",
            "sites.9001.migration.loses.orders: is 481; allowed is 0 to 480",
        ),
        (
            "sites: {1: {domain: a.example, clients: []}, 2: {domain: a.example, clients: []}}",
            "sites.2: host srv.a.example is there already, in sites.1",
        ),
        (
            "sites: {1: {domain: a.example, clients: []}, 2: {domain: b.example, clients: [], shares: 3}}",
            "sites.2.shares: is '3'; allowed are 1",
        ),
        (
            "sites: {1: {domain: a.example, clients: [], shares: 2}, 2: {domain: b.example, clients: [], shares: 3},"
            " 3: {domain: c.example, clients: []}}",
            "sites.1.shares: is '2'; allowed are 3",
        ),
        (
            "sites: {1: {domain: a.example, clients: []}, 2: {domain: b.example, clients: [], shares: 1, server: {}}}",
            "sites.2.server: is the server's; it stands at the office 1",
        ),
        ("sites: {1: {domain: a.example, clients: []}, 1: {domain: b.example, clients: []}}", "1 is written twice"),
        (
            "sites: {1: {domain: a.example, clients: [{name: pc1, page_trouble: captve}]}}",
            "sites.1.clients.0.page_trouble.kind: is 'captve'; Input should be 'captive', 'captive_form', ",
        ),
        (
            "sites: {1: {domain: a.example, clients: [], server: {page_trouble: {kind: blank, host: a}}}}",
            "sites.1.server.page_trouble.host: is no field; allowed are kind, names, trusted",
        ),
        (
            "sites: {1: {domain: a.example, clients: [], server: {page_trouble: {kind: no_root, trusted: true}}}}",
            "sites.1.server.page_trouble.trusted: is True; Value error, allowed is nothing where the kind is one of "
            "reworded, no_root",
        ),
        (
            f"{GOOD}\ndefaults: {{client: {{proxies: [{{proxy: 1}}]}}}}",
            "allowed are auto_config_url, auto_detect, connections",
        ),
    ],
)
def test_a_wrong_scenario_is_told(tmp_path: Path, text: str, says: str):
    assert any(says in line for line in lines_of(tmp_path, text))


def test_all_errors_come_at_once(tmp_path: Path):
    text = """
clock: yesterday
sites:
  1: {domain: a.example, clients: [pc1], server: {memory: 5, in_use: -1}}
  2: {domain: b.example, clients: [pc1], data: {orders: few}}
"""
    assert [line.split(":")[0] for line in lines_of(tmp_path, text)] == [
        "clock",
        "sites.1.server.in_use.sessions",
        "sites.1.server.memory",
        "sites.2.data.orders",
    ]


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(ScenarioError, match="cannot be read"):
        load(tmp_path / "none.yml")


def test_defaults_hold_unless_a_site_says_otherwise():
    said = Scenario.model_validate(
        {
            "defaults": {
                "server": {"memory_mb": 8192, "free_gb": 5},
                "client": {"link_mbit": 3},
                "data": {"orders": 24},
            },
            "sites": {
                "1": {
                    "domain": "a.example",
                    "server": {"free_gb": 50},
                    "clients": ["pc1", {"name": "pc2", "link_mbit": 90}],
                    "data": {"months": 12},
                }
            },
        }
    )
    site = said.site("1")
    assert (site.server.memory_mb, site.server.free_gb, site.server.os[:24]) == (8192, 50, "Microsoft Windows Server")
    assert [(client.name, client.link_mbit) for client in site.clients] == [("pc1", 3), ("pc2", 90)]
    assert (site.data.orders, site.data.months) == (24, 12)


def test_the_small_scenario():
    said = load(SCENARIOS / "small.yml")
    assert list(said.sites) == ["9001"]
    world = World(said, Clock(said.clock), Office({}).fetch)
    assert list(world.hosts) == ["srv.proverom.example", "pc1.proverom.example"]


def test_the_demo_scenario():
    said = load(SCENARIOS / "demo.yml")
    world = World(said, Clock(said.clock), Office({}).fetch)
    assert list(said.sites) == ["1001", "1002", "1003", "1004", "2001", "2002", "2003", "2004"]
    assert all(site.expected for site in said.sites.values())
    assert len(world.hosts) == 26
    assert [name for name, host in world.hosts.items() if not host.powered_on] == ["srv.bakkane.example"]
    assert len(world.hosts["pc2.vagen.example"].machine.proxies) == 2


def test_what_is_expected_is_never_handed_to_the_world(monkeypatch: pytest.MonkeyPatch):
    said = load(SCENARIOS / "demo.yml")
    without = said.model_copy(
        update={"sites": {number: site.model_copy(update={"expected": None}) for number, site in said.sites.items()}}
    )
    fetch = Office({}).fetch
    assert World(said, Clock(said.clock), fetch).snapshot() == World(without, Clock(said.clock), fetch).snapshot()
    users = [
        file.name
        for file in (ROOT / "simulator").rglob("*.py")
        if re.search(r"\.expected\b", file.read_text(encoding="utf-8"))
    ]
    assert users == []


def test_the_installers_bytes_follow_from_its_fields():
    first, again = installer_bytes(scenario.Installer()), installer_bytes(scenario.Installer())
    assert first == again
    assert len(first) == 400_000
    assert described(first) == {"product": "DIPS Interactor Setup", "version": "6.2.0", "publisher": "DIPS AS"}
    assert described(first + b"\0") == {}
    assert installer_bytes(scenario.Installer(version="6.2.1")) != first


def test_a_file_may_be_the_download(tmp_path: Path) -> None:
    msi = tmp_path / "setup.msi"
    msi.write_bytes(b"an MSI")
    assert installer_bytes(scenario.Installer(file=msi)) == b"an MSI"
    with pytest.raises(ValueError, match=r"file\n.*Path does not point to a file"):
        scenario.Installer(file=tmp_path / "none.msi")


def test_pages_can_be_said():
    office = Scenario.model_validate(
        {
            "sites": {"9001": {"domain": "a.example", "clients": []}},
            "pages": {"interactor.dips.no": {"*": {"status": 200, "body": "hei"}}, "other.example": {"/x": {}}},
        }
    )
    pages = World(office, Clock(office.clock), Office({}).fetch).pages
    assert (pages["interactor.dips.no"]["*"].status, pages["interactor.dips.no"]["*"].body) == (200, "hei")
    assert pages["other.example"]["/x"].status == 200
    assert pages["dipsupsvr.dips.no"]["*"].status == 200


def test_every_field_is_documented():
    text = (ROOT / "docs" / "scenario.md").read_text(encoding="utf-8")
    models = [
        found
        for found in vars(scenario).values()
        if isinstance(found, type) and issubclass(found, BaseModel) and found not in (BaseModel, scenario.Model)
    ]
    assert len(models) > 10
    documented: dict[str, set[str]] = {}
    for title, body in re.findall(r"(?ms)^#+ .*?\(`(\w+)`\)$(.*?)(?=^#|\Z)", text):
        documented[title] = set(re.findall(r"(?m)^\| `([a-z_]+)` \|", body))
    own = {model.__name__: set(vars(model).get("__annotations__", {})) - {"model_config"} for model in models}
    assert documented == own
