"""The driver does what the playbooks, the roles and the journal do."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import STEPS, Phase
from ansible_collections.helsevest.interactor.plugins.module_utils._journal import Journal

from simulator.models import OURS
from tests.resume.cases import FIRST_DATE, SITE, undisturbed
from tests.resume.driver import PHASES, TICK, Controller, Fleet, MemoryJournal, module_defaults, steps_of
from tests.resume.tasks import ROLES, module_of, task_file, tasks_of

PLAYBOOKS = ROLES.parent / "playbooks"


def test_the_phases_are_those_of_the_tick_in_its_order() -> None:
    """Each play of wave.yml that takes steps is about the hosts for which the gate's answer has something due."""
    plays = yaml.safe_load((PLAYBOOKS / "wave.yml").read_text(encoding="utf-8"))
    text = [yaml.safe_dump(play) for play in plays]
    roles = [[phase for phase in Phase if f"role: {phase}" in each or f"name: {phase}\n" in each] for each in text]
    assert [phase for found in roles for phase in found] == [Phase.PREFLIGHT, *PHASES]


@pytest.mark.parametrize("phase", PHASES)
def test_the_steps_are_those_of_the_role_and_of_the_domain(phase: Phase) -> None:
    assert tuple(steps_of(phase)) == STEPS[phase]


@pytest.mark.parametrize("phase", list(Phase))
def test_every_module_of_every_step_is_one_that_the_driver_takes(phase: Phase) -> None:
    known = {f"helsevest.interactor.{name}" for name in (*OURS, "vendor_migration", "site_reconcile")}
    known |= {"ansible.builtin.include_role", "ansible.builtin.set_fact"}
    for step in STEPS[phase]:
        tasks = [task for task in tasks_of(task_file(phase.value, step.value)) if "block" not in task]
        assert tasks
        assert {module_of(task) for task in tasks} <= known


def test_a_module_of_a_host_gets_what_the_reconciler_gives() -> None:
    assert set(module_defaults()) == {"site", "contract", "run_id", "clock_url"}


def test_the_undisturbed_run_takes_every_step_of_a_move() -> None:
    ran = undisturbed()
    taken = [place.what for place in ran.places if place.kind == "record" and place.after]
    for phase in (Phase.UPGRADE, Phase.MIGRATE, Phase.POSTCHECK):
        steps = [f"{phase} {step}" for step in STEPS[phase]]
        seen = sorted({what for what in taken if what in steps}, key=steps.index)
        # What the probe has read in the same run is not looked at again; nothing of an installer is left to prove.
        assert set(steps) - set(seen) <= {"migrate look", "upgrade confirm"}
    assert (ran.row["outcome"], ran.date, ran.lost) == ("verified", FIRST_DATE, [])


def test_the_journal_in_memory_gives_what_the_file_gives(tmp_path: Path) -> None:
    """The same run with a journal in SQLite, beside one in memory: both say the same of the site at every tick."""
    fleet, file = Fleet(), Journal(str(tmp_path / "journal.sqlite"))
    memory = MemoryJournal()

    class Both(MemoryJournal):
        def record(self, run_id, at, events):  # noqa: ANN001
            assert file.record(run_id, at, events) == memory.record(run_id, at, events)
            return []

        def latest(self, sites=None):  # noqa: ANN001
            found = file.latest(sites)
            assert found == memory.latest(sites)
            return found

    controller = Controller(fleet, Both())
    controller.release()
    for _ in range(40):
        controller.tick()
        decision = controller.decisions[SITE]
        if decision.outcome == "verified":
            break
        soon = fleet.now() + TICK
        waits = decision.next.at if decision.next.step is None else None
        fleet.clock.advance_to(max(soon, waits) if waits else soon)
    assert controller.decisions[SITE].outcome == "verified"
