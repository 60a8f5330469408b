"""Two offices on one server: upgraded once, moved and brought back together or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.playbooks.conftest import RELEASE, ROOT, Controller, controlling

SERVER = "srv.kai.example"
BOTH = ("1001", "1002")
SCENARIO = """
sites:
  1001: {domain: kai.example, clients: [pc1], data: {orders: 48}}
  1002: {domain: brygga.example, clients: [pc1], shares: 1001, data: {orders: 24}}
  1003: {domain: tunet.example, clients: [pc1]}
"""
OFFICE = """
  - id: "{id}"
    name: {name}
    kind: gp_office
    county: Vestland
    language: nb
    epj: Journalen
    wave: 1
    move_date: 2027-05-18
    closed: []
    contact: {{name: Astrid Eikeland, email: "astrid@{domain}", phone: "55 00 10 01"}}
    agreement: {{status: {status}, sent: 2027-04-01, signed: {signed}, reference: "A-{id}"}}
    signatory_known: true
    confirmed: {{urls: 2027-04-20, proxy: 2027-04-20}}
    server: {{host: {server}, credential: demo}}
    clients: [{{name: pc1, host: pc1.{domain}}}]
    shared_server: {shared}
"""


def office(
    number: str, name: str, domain: str, *, server: str = SERVER, shared: str = "kai", signed: bool = True
) -> str:
    """An office of the register."""
    agreement = {"status": "signed", "signed": "2027-04-15"} if signed else {"status": "sent", "signed": "null"}
    return OFFICE.format(id=number, name=name, domain=domain, server=server, shared=shared, **agreement)


def write_register(inventory: Path, *, signed: bool) -> None:
    """The register of the three; `signed` is whether 1002 has signed."""
    sites = office("1001", "Kaien legekontor", "kai.example")
    sites += office("1002", "Brygga legesenter", "brygga.example", signed=signed)
    sites += office("1003", "Tunet legekontor", "tunet.example", server="srv.tunet.example", shared="null")
    text = f"waves:\n  - {{id: 1, name: Bølge 1}}\nsites:{sites}"
    (inventory / "register" / "all.yml").write_text(text, encoding="utf-8")


def cloud(fleet: Controller) -> dict[str, list[str]]:
    """The states of each site's attempts in the cloud."""
    attempts: dict[str, list[dict[str, Any]]] = fleet.simulation.state()["cloud"]
    return {site: [attempt["state"] for attempt in of] for site, of in attempts.items()}


def upgrades(fleet: Controller, host: str) -> int:
    """How often the upgrade's module was called there."""
    return sum("interactor_upgrade" in call["call"] for call in fleet.simulation.calls() if call["host"] == host)


def test_two_offices_on_one_server(tmp_path: Path) -> None:
    inventory, scenario = tmp_path / "inventory", tmp_path / "shared.yml"
    shutil.copytree(ROOT / "inventories" / "demo", inventory, ignore=shutil.ignore_patterns("wave*.yml"))
    write_register(inventory, signed=False)
    scenario.write_text(SCENARIO, encoding="utf-8")
    with controlling(tmp_path, scenario, inventory / "sites.register.yml") as fleet:

        def tick(*arguments: str, playbook: str = "wave", code: int = 0, **said: str) -> dict[str, dict[str, Any]]:
            done = fleet.play(playbook, *arguments, **said)
            assert done.code == code, done.output
            return fleet.rows()

        assert fleet.play("release", **RELEASE).code == 0
        fleet.simulation.set_clock("2027-05-14T16:00:00Z")

        # One has not signed: neither is upgraded, and each row says whose fault it is.
        rows = tick()
        assert [rows[site]["state"] for site in ("1001", "1002", "1003")] == ["dated", "dated", "upgraded"]
        assert "site 1002 on the same server" in rows["1001"]["why"]
        assert (rows["1001"]["owes"], rows["1002"]["owes"]) == ([], ["P4"])
        assert upgrades(fleet, SERVER) == 0

        # Both have, and one is not in the run: neither is upgraded.
        write_register(inventory, signed=True)
        rows = tick("--limit", "site_1001")
        assert "1002 on the same server is not in this run" in rows["1001"]["why"]
        rows = tick("--limit", "site_1002")
        assert "moves with 1001, which is not in this run" in rows["1002"]["why"]
        assert upgrades(fleet, SERVER) == 0

        # Together they are, by one run of the installer.
        rows = tick()
        assert [rows[site]["state"] for site in BOTH] == ["upgraded", "upgraded"]
        assert fleet.simulation.state()["installers_run"] == {"1001": 1, "1003": 1}
        assert "moves with 1001" in rows["1002"]["why"]

        fleet.simulation.set_clock("2027-05-18T18:30:00Z")
        tick()
        assert cloud(fleet)["1001"] == cloud(fleet)["1002"] == ["receiving"]
        fleet.simulation.set_clock("2027-05-18T19:15:00Z")
        rows = tick()
        assert [rows[site]["state"] for site in BOTH] == ["moved", "moved"]
        assert rows["1001"]["counts"] == rows["1002"]["counts"]
        assert rows["1001"]["counts"]["orders"] == "36/36", "half of 48 and half of 24"
        fleet.simulation.set_clock("2027-05-19T06:00:00Z")
        rows = tick()
        assert [rows[site]["outcome"] for site in BOTH] == ["verified", "verified"]
        assert fleet.simulation.state()["migrations_started"] == {"1001": 1, "1003": 1}

        # One asks for its data back: both get them.
        tick("--limit", "site_1002", playbook="rollback", rollback_name="Kari", rollback_reason="the office asks")
        rows = tick(code=2)
        assert [rows[site]["outcome"] for site in (*BOTH, "1003")] == ["rolled_back", "rolled_back", "verified"]
        assert cloud(fleet)["1001"] == cloud(fleet)["1002"] == ["discarded"]
        page = (fleet.state / "report" / "report.html").read_text(encoding="utf-8")
        assert all(name in page for name in ("Kaien legekontor", "Brygga legesenter"))
