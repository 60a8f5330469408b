"""A wave of a second vendor: another contract in the inventory, and nothing else of ours is changed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.testing import running
from tests.playbooks.conftest import ROOT, Controller
from tests.second import merged, second_overrides, second_world, shipped_contract

MODES = {"1001": "server_in_cloud", "1002": "second", "1003": "server_in_cloud"}
DATA = {"orders": 48, "started_requisitions": 3, "favourite_packages": 2}
TICKS = ("2027-05-14T16:00:00Z", "2027-05-18T18:30:00Z", "2027-05-18T19:15:00Z", "2027-05-19T06:00:00Z")
"""The upgrade's evening, the night twice, the morning after."""


def sites() -> dict[str, Any]:
    """Three offices; what the third sends loses an order on its way, so that it is rolled back."""
    said = {number: {"domain": f"s{number}.example", "clients": ["pc1"], "data": DATA} for number in MODES}
    return {**said, "1003": {**said["1003"], "migration": {"loses": {"orders": 1}}}}


def registered(number: str, mode: str) -> dict[str, Any]:
    """An office with all its answers."""
    return {
        "id": number, "name": f"Prøve {number}", "kind": "gp_office", "county": "Vestland", "language": "nn",
        "epj": "Journalen", "wave": 1, "move_date": "2027-05-18", "mode": mode, "closed": [],
        "contact": {"name": "Kari Prøve", "email": "kari@prove.example", "phone": "55 00 10 01"},
        "agreement": {"status": "signed", "sent": "2027-04-01", "signed": "2027-04-15", "reference": "A"},
        "signatory_known": True, "confirmed": {"urls": "2027-04-20", "proxy": "2027-04-20"}, "history_months": 12,
        "server": {"host": f"srv.s{number}.example", "credential": "demo"},
        "clients": [{"name": "pc1", "host": f"pc1.s{number}.example"}],
    }  # fmt: skip


@contextmanager
def vendor(folder: Path, world: Mapping[str, Any], overrides: Mapping[str, Any]) -> Iterator[Controller]:
    """The offices with a vendor's programs, and an inventory that says of them what `overrides` do."""
    inventory = folder / "inventory"
    shutil.copytree(ROOT / "inventories" / "demo" / "group_vars", inventory / "group_vars")
    shutil.copy(ROOT / "inventories" / "demo" / "sites.register.yml", inventory)
    (inventory / "register").mkdir()
    register = {"waves": [{"id": 1, "name": "Prøve"}], "sites": [registered(*one) for one in MODES.items()]}
    (inventory / "register" / "sites.yml").write_text(yaml.safe_dump(register, allow_unicode=True), encoding="utf-8")
    known = inventory / "group_vars" / "all.yml"
    said = yaml.safe_load(known.read_text(encoding="utf-8"))
    said["vendor_contract_overrides"] = merged(said["vendor_contract_overrides"], overrides)
    known.write_text(yaml.safe_dump(said, allow_unicode=True, width=1000), encoding="utf-8")
    scenario = folder / "scenario.yml"
    scenario.write_text(yaml.safe_dump({**world, "sites": sites()}, allow_unicode=True), encoding="utf-8")
    with running(scenario, folder / "simulator") as simulation:
        yield Controller(simulation, folder / "state", inventory / "sites.register.yml")


Told = tuple[dict[str, Any], dict[str, Any]]


def moved(fleet: Controller) -> Told:
    """Release the wave and tick it to its end: the rows, and what the simulator then is."""
    said = {"release_wave": "1", "release_name": "Kari", "release_reason": "r", "release_until": "2027-05-30"}
    assert fleet.play("release", **said).code == 0
    for at in TICKS:
        fleet.simulation.set_clock(at)
        done = fleet.play("wave", report_dir="")
        assert done.code == 0 or "One of us is needed" in done.output, done.output
    return fleet.rows(), fleet.simulation.state()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Told, Told]:
    """The same offices moved with the shipped contract and with the second one."""
    with vendor(tmp_path_factory.mktemp("first"), {}, {}) as first:
        one = moved(first)
    with vendor(tmp_path_factory.mktemp("second"), second_world({}), second_overrides()) as second:
        return one, moved(second)


NOT_OF_THE_VENDOR = {"why", "owes_since"}


def test_the_wave_ends_as_with_the_shipped_contract(both: tuple[Told, Told]) -> None:
    (first, _), (second, _) = both
    for number in ("1001", "1003"):
        rows = (
            {name: row for name, row in rows[number].items() if name not in NOT_OF_THE_VENDOR}
            for rows in (first, second)
        )
        assert next(rows) == next(rows), number
    assert (second["1001"]["outcome"], second["1003"]["outcome"]) == ("verified", "rolled_back")


def test_the_second_mode_moves_with_the_contract_that_describes_it_and_only_then(both: tuple[Told, Told]) -> None:
    (first, one), (second, other) = both
    assert (second["1002"]["outcome"], second["1002"]["state"]) == ("verified", "verified")
    assert (first["1002"]["outcome"], first["1002"]["state"]) == ("not_started", "dated")
    assert "mode second is not described by the vendor" in first["1002"]["why"]
    assert (one["migrations_started"]["1002"], other["migrations_started"]["1002"]) == (0, 1)


def test_the_servers_are_left_as_the_contract_says(both: tuple[Told, Told]) -> None:
    (_, first), (_, second) = both
    shipped, other = shipped_contract(), merged(shipped_contract(), second_overrides())
    assert first["migrations_started"] | {"1002": 1} == second["migrations_started"]
    for number in ("1001", "1003"):
        assert [attempt["state"] for attempt in first["cloud"][number]] == [
            attempt["state"] for attempt in second["cloud"][number]
        ]
    for contract, state in ((shipped, first), (other, second)):
        for number in ("1001", "1003"):
            server = state["hosts"][f"srv.s{number}.example"]
            files = set(server["files"])
            paths = contract["paths"]
            assert paths["config"] in files
            assert paths["work"] + r"\ledger.json" in files
            assert paths["maintenance_flag"] not in files
            assert contract["migration"]["program"] in files
            assert server["services"][contract["service"]["name"]]["state"] == "running"
            assert server["services"]["EPJServer"]["state"] == "running"
    # No path of the shipped contract is on a server of the second vendor, but for what is Windows' and the EPJ's.
    for host in second["hosts"].values():
        assert not [path for path in host["files"] if "DIPS" in path or "HelseVest" in path]
        assert "DIPSInteractor" not in host["services"]
