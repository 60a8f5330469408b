"""Two offices on one server: one upgrade and one program for both, and an attempt of each at the cloud."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.calls import CloudRefusal
from simulator.scenario import Scenario
from simulator.world import World
from tests.simulator.office import KEY, Office

BOTH = ["9001", "9002"]


class SharedOffice(Office):
    """Site 9001 with 9002 on its server."""

    def __init__(self, said: dict[str, Any] | None = None) -> None:
        super().__init__(said or {})
        second = {"domain": "nabo.example", "clients": [{"name": "pc1", "in_use": 1}], "shares": "9001"}
        small = {"orders": 48, "started_requisitions": 2, "favourite_packages": 3}
        sites = {"9002": {**second, "data": small}, "9001": {**self.scenario.sites["9001"].model_dump()}}
        self.scenario = Scenario.model_validate({"sites": sites})
        self.world = World(self.scenario, self.clock, self.fetch)
        self.server = self.world.hosts["srv.proverom.example"]

    def upgrade(self) -> None:
        for host in self.world.hosts.values():
            host.processes.clear()
        super().upgrade()

    def started(self) -> None:
        self.upgrade()
        self.well(self.migrate("lease"))
        attempt = {"number": 1, "key": KEY, "sites": BOTH}
        self.well(self.migrate("manifest", attempt=attempt))
        for site in BOTH:
            self.world.cloud.open_attempt(site, 1, KEY, 12)
        self.well(self.migrate("start"))


@pytest.fixture
def shared() -> SharedOffice:
    return SharedOffice()


def attempts(office: Office) -> dict[str, dict[str, Any]]:
    return {site: office.world.cloud.list_attempts(site)[-1] for site in BOTH}


def test_there_is_one_server_and_each_office_has_its_pcs(shared: SharedOffice):
    assert sorted(shared.world.hosts) == ["pc1.nabo.example", "pc1.proverom.example", "srv.proverom.example"]
    assert len(shared.server.open_files or []) == 1, "who has it open at the neighbour's holds a file open here"


def test_one_program_moves_the_data_of_both_and_each_gets_its_own(shared: SharedOffice):
    shared.started()
    [entry] = shared.ledger["attempts"]
    assert entry["sites"] == BOTH
    assert {name: part["count"] for name, part in entry["before"].items()} == {
        "orders": 240 + 24,
        "started_requisitions": 14 + 2,
        "favourite_packages": 12 + 3,
    }
    assert shared.world.snapshot()["migrations_started"] == {"9001": 1}
    shared.later(42)
    shared.well(shared.migrate("follow"))
    found = attempts(shared)
    assert {site: attempt["state"] for site, attempt in found.items()} == dict.fromkeys(BOTH, "completed")
    assert [found[site]["counts"]["orders"] for site in BOTH] == [240, 24]
    assert shared.ledger["attempts"][0]["counts"]["orders"] == 264


def test_nothing_is_sent_unless_both_are_open_at_the_cloud(shared: SharedOffice):
    shared.upgrade()
    shared.well(shared.migrate("lease"))
    shared.well(shared.migrate("manifest", attempt={"number": 1, "key": KEY, "sites": BOTH}))
    shared.world.cloud.open_attempt("9001", 1, KEY, 12)
    assert shared.migrate("start")["status"]["state"] == "failed"
    assert shared.world.cloud.list_attempts("9001")[-1]["state"] == "open"


def test_one_that_the_cloud_discards_ends_it_for_both(shared: SharedOffice):
    shared.started()
    shared.world.cloud.discard("9002", 1, KEY)
    shared.later(42)
    assert shared.migrate("follow")["status"]["state"] == "failed"
    assert attempts(shared)["9001"]["state"] != "completed"


def test_a_program_that_takes_one_site_is_not_started_for_two(shared: SharedOffice):
    arguments = shared.contract["migration"]["arguments"]
    shared.contract["migration"]["arguments"] = arguments.replace("{sites}", "{site}")
    shared.upgrade()
    shared.well(shared.migrate("lease"))
    shared.well(shared.migrate("manifest", attempt={"number": 1, "key": KEY, "sites": BOTH}))
    assert "arguments name {site}, which is not known here" in shared.migrate("start")["msg"]


def test_the_cloud_refuses_each_by_itself(shared: SharedOffice):
    shared.world.cloud.open_attempt("9002", 1, "another", 12)
    shared.world.cloud.open_attempt("9001", 1, KEY, 12)
    with pytest.raises(CloudRefusal):
        shared.world.cloud.open_attempt("9002", 1, KEY, 12)
