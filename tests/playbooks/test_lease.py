"""Interactor in use, on the server and at the PCs, and a controller that dies while it keeps people out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.playbooks.conftest import RELEASE, ROOT, Controller, controlling

LIMIT = ("--limit", "site_1001")
LEASE = "helsevest.interactor.interactor_migrate lease"
SERVER = "srv.fjordgata.example"
FLAG = r"C:\ProgramData\DIPS\Interactor\maintenance.flag"
TASK = "HelseVest Interactor lease"
EVENING = "2027-05-18T18:30:00Z"


@contextmanager
def office(folder: Path, register: Path, site: Mapping[str, Any], clients: list[Any]) -> Iterator[Controller]:
    """Site 1001 in the evening of its move, upgraded and released; its register says that pc2 need not be checked."""
    scenario = folder / "scenario.yml"
    said = {"domain": "fjordgata.example", "interactor": {"version": "6.2.0"}, "clients": clients, **site}
    scenario.write_text(yaml.safe_dump({"clock": EVENING, "sites": {"1001": said}}), encoding="utf-8")
    waiver = {"check": "CLIENT.1001-pc2", "site": "1001", "reason": "it is broken", "who": "Kari", "until": "2027-05-20"}
    (register / "register" / "waivers.yml").write_text(yaml.safe_dump({"waivers": [waiver]}), encoding="utf-8")
    with controlling(folder, scenario, register / "sites.register.yml") as one:
        assert one.play("release", **RELEASE).code == 0
        yield one


def edit(register: Path, old: str, new: str) -> None:
    path = register / "register" / "wave1.yml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def tick(one: Controller, at: str, **variables: Any) -> dict[str, Any]:
    """One run of wave.yml at a moment; the site's row."""
    one.simulation.set_clock(at)
    done = one.play("wave", *LIMIT, report_dir="", **variables)
    assert done.code in (0, 2), done.output
    return one.rows()["1001"]


def asked(one: Controller, step: str) -> list[str]:
    """The hosts on which a step of a move was taken."""
    return [call["host"] for call in one.simulation.calls() if call["call"].endswith(f"interactor_migrate {step}")]


def flagged(one: Controller) -> bool:
    host = one.simulation.state()["hosts"][SERVER]
    assert (FLAG in host["files"]) == (TASK in host["tasks"]), "no flag without the task, no task without the flag"
    return FLAG in host["files"]


@pytest.mark.parametrize("open_files", [1, 0], ids=["seen on the server", "seen at the PC only"])
def test_who_is_in_it_at_a_pc_is_waited_for_and_a_pc_that_is_off_holds_nobody_up(
    tmp_path: Path, register: Path, open_files: int
) -> None:
    busy = {"name": "pc1", "in_use": {"until": "2027-05-18T18:55:00Z", "open_files": open_files}}
    edit(register, "pc2.fjordgata.example", "pc2.fjordgata.example\n      - name: pc3\n        host: pc3.nowhere.example")
    edit(register, "sites:\n", "waivers: []\nsites:\n")
    with office(tmp_path, register, {}, [busy, {"name": "pc2", "powered_on": False}]) as one:
        waivers = register / "register" / "waivers.yml"
        text = waivers.read_text(encoding="utf-8")
        waivers.write_text(text + text.replace("waivers:\n", "").replace("1001-pc2", "1001-pc3"), encoding="utf-8")
        row = tick(one, EVENING)
        assert row["state"] == "upgraded"
        assert "Interactor is in use on 1001-pc1" in row["why"]
        assert not row["needs_us"]
        assert asked(one, "users") == ["pc1.fjordgata.example"]
        assert not flagged(one)
        row = tick(one, "2027-05-18T19:00:00Z")
        assert (row["state"], row["why"]) == ("moving", "")
        assert flagged(one)


def test_a_dry_run_asks_and_warns_nobody(tmp_path: Path, register: Path) -> None:
    busy = {"name": "pc1", "in_use": {"closes_when_warned": True}}
    with office(tmp_path, register, {}, [busy, {"name": "pc2", "powered_on": False}]) as one:
        before = one.simulation.state()
        done = one.play("wave", "--check", *LIMIT)
        assert done.code == 0, done.output
        assert one.simulation.state() == before
        one.simulation.set_clock("2027-05-18T19:00:00Z")
        assert one.simulation.state() == before


@pytest.mark.parametrize("clients", [True, False], ids=["PCs in the inventory", "servers only"])
def test_an_inventory_of_servers_only_sees_the_open_files(tmp_path: Path, register: Path, clients: bool) -> None:
    with office(tmp_path, register, {}, [{"name": "pc1", "in_use": 1}, "pc2"]) as one:
        assert one.play("preflight", *LIMIT).code == 0
        alone = Controller(one.simulation, one.state, one.inventory, {"INTERACTOR_CLIENTS": str(clients).lower()})
        row = tick(alone, EVENING)
        assert "Interactor is in use on" in row["why"]
        assert bool(asked(alone, "users")) is clients


def test_where_the_site_has_agreed_it_is_closed_and_else_the_night_is_given_up(tmp_path: Path, register: Path) -> None:
    variables = {"reconciler_settings": {"lease_wait_minutes": 45}}
    with office(tmp_path, register, {}, [{"name": "pc1", "in_use": 1}, "pc2"]) as one:
        assert "in use on 1001-pc1" in tick(one, EVENING, **variables)["why"]
        row = tick(one, "2027-05-18T18:45:00Z", **variables)
        assert "somebody was in Interactor until it was too late" in row["why"]
        assert sorted(asked(one, "users")) == ["pc1.fjordgata.example", "pc2.fjordgata.example"], "once each"
        edit(register, "history_months: 12", "history_months: 12\n    close_agreed: true")
        processes = one.simulation.state()["hosts"]["pc1.fjordgata.example"]["processes"]
        assert "Interactor" in processes[1]
        tick(one, "2027-05-18T19:00:00Z", **variables)
        assert one.simulation.state()["hosts"]["pc1.fjordgata.example"]["processes"] == processes[:1]
        assert tick(one, "2027-05-18T19:15:00Z", **variables)["state"] == "moving"


def killed_after_lease(one: Controller) -> None:
    """A tick whose controller dies by SIGKILL while the server takes the lease."""
    before = len(one.simulation.calls())
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(one.inventory)]
    log = one.state / "killed.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, str(ROOT / "playbooks" / "wave.yml"), *LIMIT],
            cwd=ROOT,
            env={
                **os.environ,
                **one.simulation.environment,
                "INTERACTOR_STATE": str(one.state),
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while not any(call["call"] == LEASE for call in one.simulation.calls()[before:]):
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.02)
                pytest.fail(f"it has ended by itself: {log.read_text(encoding='utf-8')}")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_controller_that_dies_loses_the_lease_unless_a_migration_runs(tmp_path: Path, register: Path) -> None:
    with office(tmp_path, register, {"migration": {"minutes": 150}}, ["pc1", "pc2"]) as one:
        killed_after_lease(one)
        assert flagged(one)
        one.simulation.set_clock("2027-05-18T19:29:00Z")
        assert flagged(one)
        one.simulation.set_clock("2027-05-18T19:50:00Z")
        assert not flagged(one), "nobody came back: the server has let people in again by itself"

        row = tick(one, "2027-05-18T19:50:00Z")
        assert row["state"] == "moving", row
        # And this one never comes back either, but its migration runs until 22:20.
        one.simulation.set_clock("2027-05-18T22:19:00Z")
        assert flagged(one)
        one.simulation.set_clock("2027-05-18T22:35:00Z")
        assert not flagged(one)

        row = tick(one, "2027-05-18T22:40:00Z")
        assert (row["outcome"], row["needs_us"]) == ("rolled_back", True)
        state = one.simulation.state()
        assert [attempt["state"] for attempt in state["cloud"]["1001"]] == ["discarded"]
        assert not flagged(one)
