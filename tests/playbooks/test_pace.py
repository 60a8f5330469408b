"""Each site at its own pace: one that hangs, or breaks, holds nobody else up; a wave that fails too often halts."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml

from simulator import demo
from tests.playbooks.conftest import PATIENCE, ROOT, Controller, Done, controlling
from tests.wave import EVENING, NIGHT, site_ids, write_wave

DAY_BEFORE = "2027-05-13T10:00:00Z"
"""When the installer is staged, for the evening of the next day."""
RELEASE = demo.release("2027-05-10T08:00:00Z", 1, "2027-05-21").variables


def steps(controller: Controller) -> dict[str, list[str]]:
    """The steps that each site has taken, as the journal tells them."""
    taken: dict[str, list[str]] = {}
    with closing(sqlite3.connect(controller.state / "journal.sqlite")) as journal:
        for site, subject in journal.execute("select site, subject from events where kind = 'step' order by id"):
            taken.setdefault(site, []).append(subject)
    return taken


def halts(controller: Controller) -> list[dict[str, Any]]:
    """What has halted a wave."""
    with closing(sqlite3.connect(controller.state / "journal.sqlite")) as journal:
        return [json.loads(data) for (data,) in journal.execute("select data from events where kind = 'halted'")]


def until(done: Future[Done], happened: Callable[[], bool]) -> None:
    """Wait until something has happened while a playbook runs."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert not done.done(), done.result().output
        assert time.monotonic() < deadline, "it did not happen"
        wait([done], timeout=0.2)


def host_vars(inventory: Path, host: str, **variables: object) -> None:
    """Give one host variables of its own."""
    folder = inventory.parent / "host_vars"
    folder.mkdir(exist_ok=True)
    (folder / f"{host}.yml").write_text(yaml.safe_dump(variables), encoding="utf-8")


def test_a_site_that_hangs_holds_nobody_up_and_the_next_begins_when_one_is_done(tmp_path: Path) -> None:
    """With two forks for four sites: one is taken by the site that hangs, the others go through on the other."""
    scenario, inventory = write_wave(tmp_path, sites=4)
    hanging, *others = site_ids(4)
    with controlling(tmp_path, scenario, inventory) as fleet, ThreadPoolExecutor(1) as at_once:
        assert fleet.play("release", **RELEASE).code == 0
        fleet.simulation.set_clock(EVENING)
        assert fleet.play("preflight").code == 0
        fleet.simulation.arm(f"srv.k{hanging}.example", "", do="hold", when="before")
        tick = at_once.submit(fleet.play, "wave", "--forks", "2", report_dir="")
        try:
            until(tick, lambda: [steps(fleet).get(site, [])[-1:] for site in others] == [["install"]] * 3)
            assert hanging not in steps(fleet), "it waits at its first step"
        finally:
            fleet.simulation.mend()
        done = tick.result()
        assert done.code == 0, done.output
        assert steps(fleet) == {site: ["look", "stage", "install"] for site in site_ids(4)}
        assert {row["state"] for row in fleet.rows().values()} == {"upgraded"}
        assert sorted(fleet.rows()) == [hanging, *others]


def test_sites_that_come_to_different_steps_at_the_same_moment_take_each_its_own(tmp_path: Path) -> None:
    """In lockstep every moment is the same one; at its own pace a site meets another one's by chance only."""
    scenario, inventory = write_wave(tmp_path, sites=2)
    tick = (ROOT / "playbooks" / "wave.yml").read_text(encoding="utf-8")
    lockstep = tick.replace("ansible.builtin.host_pinned", "ansible.builtin.linear")
    assert lockstep != tick
    (tmp_path / "wave.yml").write_text(lockstep, encoding="utf-8")
    with controlling(tmp_path, scenario, inventory) as fleet:
        assert fleet.play("release", **RELEASE).code == 0
        fleet.simulation.set_clock(DAY_BEFORE)
        assert fleet.play("wave", "--limit", "site_1001", report_dir="").code == 0
        assert steps(fleet) == {"1001": ["stage"]}
        fleet.simulation.set_clock(EVENING)
        done = fleet.play(str(tmp_path / "wave"), report_dir="")
        assert done.code == 0, done.output
        assert steps(fleet) == {"1001": ["stage", "install"], "1002": ["stage", "install"]}


def test_what_breaks_for_one_site_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    scenario, inventory = write_wave(tmp_path, sites=3)
    with controlling(tmp_path, scenario, inventory) as fleet:
        assert fleet.play("release", **RELEASE).code == 0
        fleet.simulation.set_clock(EVENING)
        # Its own question to the gate fails: nothing may begin there, and nothing can be recorded.
        host_vars(inventory, "1002-server", interactor_journal="nothing://known")
        done = fleet.play("wave", report_dir="")
        assert done.code == 2, done.output
        assert "JournalError" in done.output
        states = {site: row["state"] for site, row in fleet.rows().items()}
        assert states == {"1001": "upgraded", "1002": "dated", "1003": "upgraded"}
        # A step that breaks before it leaves a result is a step that failed.
        host_vars(inventory, "1002-server")
        assert fleet.play("wave", report_dir="").code == 0
        host_vars(inventory, "1002-server", migrate_follow_minutes="{{ nobody_knows_this }}")
        fleet.simulation.set_clock(NIGHT)
        done = fleet.play("wave", report_dir="")
        assert done.code == 2, done.output
        rows = fleet.rows()
        assert "nobody_knows_this" in rows["1002"]["why"]
        assert rows["1002"]["failed"] == "ours"
        assert [rows[site]["failed"] for site in ("1001", "1003")] == [None, None]
        assert {row["state"] for row in rows.values()} == {"moving"}


def test_a_wave_in_which_three_sites_fail_halts_by_itself_and_goes_on_when_resumed(tmp_path: Path) -> None:
    failing: dict[str, dict[str, object]] = {site: {"upgrade": {"ends": "code_1603"}} for site in site_ids(3)}
    scenario, inventory = write_wave(tmp_path, sites=5, special=failing)
    budget = {"failure_budget": {"ours": {"count": 2, "share": 0.05}}}
    with controlling(tmp_path, scenario, inventory) as fleet:

        def tick(*arguments: str) -> dict[str, Any]:
            done = fleet.play("wave", *arguments, report_dir="", reconciler_settings=budget)
            assert demo.ended_well(done.code, done.output), done.output
            return fleet.rows()

        assert fleet.play("release", **RELEASE).code == 0
        fleet.simulation.set_clock(EVENING)
        # One after the other, so that it is known which are the first three.
        rows = tick("--forks", "1")
        assert [rows[site]["failed"] for site in site_ids(5)] == ["ours"] * 3 + [None] * 2
        why = "wave 1 is halted by failure budget: 3 of 5 failed on our side (allowed: 2): 1001, 1002, 1003"
        for site in ("1004", "1005"):
            assert (rows[site]["state"], rows[site]["why"]) == ("dated", why)
            assert site not in steps(fleet)
        assert len(halts(fleet)) == 1
        # The same failures again, seen from a run that is limited to others: nothing new to tell, and nothing begins.
        assert tick("--limit", "site_1004")["1004"]["state"] == "dated"
        said = {"release_wave": "1", "release_name": "Kari", "release_reason": "the three are known"}
        assert fleet.play("resume", **said).code == 0
        rows = tick()
        assert {rows[site]["state"] for site in ("1004", "1005")} == {"upgraded"}
        fleet.simulation.set_clock(NIGHT)
        rows = tick()
        assert {rows[site]["state"] for site in ("1004", "1005")} == {"moving"}
        assert len(halts(fleet)) == 1, "only a further failure halts again"
