"""Two servers on the PowerShell engine: what real ansible-playbook sends runs there, from preflight to rollback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator import demo
from tests.playbooks.conftest import Controller, Done, controlling
from tests.pwsh.engine import find
from tests.wave import EVENING, LATER, NIGHT, site_ids, write_wave

pytestmark = pytest.mark.pwsh
RELEASE = demo.release("2027-05-10T08:00:00Z", 1, "2027-05-21").variables
CPU_SECONDS = 2.0
"""What a command may take of a processor, the processes' start apart: several times what it takes."""
WISH = {"rollback_name": "Kari", "rollback_reason": "the office asks"}


def play(fleet: Controller, playbook: str, *arguments: str, **variables: str) -> Done:
    done = fleet.play(playbook, *arguments, report_dir="", **variables)
    assert done.code == 0, done.output
    return done


def outside_of_ours(host: dict[str, Any]) -> dict[str, Any]:
    files = {path: digest for path, digest in host["files"].items() if "\\HelseVest\\" not in path}
    return {**host, "files": files}


def test_two_servers_on_the_engine_from_preflight_to_rollback(tmp_path: Path) -> None:
    find()
    scenario, inventory = write_wave(tmp_path, sites=2)
    with controlling(tmp_path, scenario, inventory, engine="powershell") as fleet:
        servers = [f"srv.k{site}.example" for site in site_ids(2)]

        def column(name: str) -> list[Any]:
            return [fleet.rows()[site][name] for site in site_ids(2)]

        play(fleet, "release", **RELEASE)
        fleet.simulation.set_clock(EVENING)
        play(fleet, "wave")
        assert (column("verdict"), column("state")) == (["ready", "ready"], ["upgraded", "upgraded"])
        upgraded = fleet.simulation.state()["hosts"]
        fleet.simulation.set_clock(NIGHT)
        play(fleet, "wave")
        assert column("state") == ["moving", "moving"]
        fleet.simulation.set_clock(LATER)
        play(fleet, "wave")
        assert column("state") == ["moved", "moved"]
        assert (
            column("counts")
            == [{"orders": "240/240", "started_requisitions": "14/14", "favourite_packages": "12/12"}] * 2
        )
        moved = fleet.simulation.state()
        for server in servers:
            assert outside_of_ours(moved["hosts"][server]) != outside_of_ours(upgraded[server])
        play(fleet, "rollback", "--limit", "wave_1", **WISH)
        assert (column("state"), column("outcome")) == (["upgraded", "upgraded"], ["rolled_back", "rolled_back"])
        state = fleet.simulation.state()
        for server in servers:
            assert outside_of_ours(state["hosts"][server]) == outside_of_ours(upgraded[server])
        assert [[each["state"] for each in state["cloud"][site]] for site in site_ids(2)] == [["discarded"]] * 2
        assert state["migrations_started"] == dict.fromkeys(site_ids(2), 1)
        assert state["installers_run"] == dict.fromkeys(site_ids(2), 1)
        used = fleet.simulation.engines()
        # No task of ours comes due in such a night: its script would count as well.
        assert used["commands"] == len([call for call in fleet.simulation.calls() if call["host"] in servers])
        assert 0 < used["cpu_seconds"] / used["commands"] < CPU_SECONDS
        assert fleet.secrets_found((tmp_path / "simulator" / "simulator.log").read_text()) == []
