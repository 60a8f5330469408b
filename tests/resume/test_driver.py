"""The driver does what the playbooks, the roles and the journal do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.pace import PACED
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import STEPS, Phase
from ansible_collections.helsevest.interactor.plugins.module_utils._journal import Journal

from simulator.models import OURS
from tests.resume.cases import FIRST_DATE, SITE, undisturbed
from tests.resume.driver import TICK, Controller, Fleet, MemoryJournal, evaluated, module_defaults
from tests.resume.tasks import ROLES, defaults, module_of, task_file, tasks_of

PLAYBOOKS = ROLES.parent / "playbooks"


def roles_of(play: dict[str, Any]) -> list[str]:
    """The roles of a play and their task files, as `role tasks_from`."""
    uses = [task["ansible.builtin.import_role"] for task in tasks_of(play["tasks"]) if "block" not in task]
    return [" ".join(filter(None, (use["name"], use.get("tasks_from")))) for use in uses]


def test_a_tick_is_the_plays_of_wave_in_its_order() -> None:
    """Ask; check the hosts that are due; one play in which each server goes at its own pace; the rows."""
    plays = yaml.safe_load((PLAYBOOKS / "wave.yml").read_text(encoding="utf-8"))
    assert [roles_of(play) for play in plays] == [
        ["reconciler check_at", "reconciler ask"],
        ["preflight"],
        ["reconciler"],
        ["report", "calls"],
    ]
    assert "reconciler_answer.due.preflight" in plays[1]["hosts"]
    assert "reconciler_answer.servers" in plays[2]["hosts"]
    assert plays[2]["strategy"] == "ansible.builtin.host_pinned"


def test_a_site_goes_as_far_as_the_gate_lets_it_as_the_reconciler_has_it() -> None:
    """Ask; then, as long as the gate names a step: take it, record what came of it or that it broke, and ask."""
    ask, take = task_file("reconciler", "main")
    assert ask["ansible.builtin.import_tasks"] == "own.yml"
    assert take == {**take, "ansible.builtin.include_tasks": "step.yml", "when": "__reconciler_take is not none"}
    once, again = task_file("reconciler", "step")
    taking, telling = once["block"]
    assert taking["ansible.builtin.include_role"] == {
        "name": "{{ __reconciler_step.phase }}",
        "tasks_from": "{{ __reconciler_step.step }}",
    }
    assert (taking["loop"], taking["loop_control"]["loop_var"]) == ("{{ [__reconciler_take] }}", "__reconciler_step")
    (broke,) = once["rescue"]
    for task in (telling, broke):
        assert task["ansible.builtin.import_tasks"] == "own.yml"
        assert "helsevest.interactor.step_events" in task["vars"]["reconciler_record"]
    assert "ansible_failed_result.msg" in broke["vars"]["reconciler_record"]
    assert again == {**again, "ansible.builtin.include_tasks": "step.yml", "when": take["when"]}
    (own,) = task_file("reconciler", "own")
    asked = own["helsevest.interactor.site_gate"]
    assert (asked["phases"], asked["taken"]) == (
        "{{ reconciler_phases }}",
        "{{ reconciler_taken | default(omit, true) }}",
    )
    assert tuple(defaults("reconciler")["reconciler_phases"]) == PACED


@pytest.mark.parametrize("phase", list(Phase))
def test_every_module_of_every_step_is_one_that_the_driver_takes(phase: Phase) -> None:
    known = {f"helsevest.interactor.{name}" for name in (*OURS, "vendor_migration", "site_reconcile")}
    known |= {f"ansible.builtin.{name}" for name in ("include_role", "include_tasks", "set_fact", "fail")}
    files = [(phase.value, step.value) for step in STEPS[phase]]
    for role, name in [*files, ("reconciler", "cloud"), ("reconciler", "ids"), ("reconciler", "made")]:
        tasks = [task for task in tasks_of(task_file(role, name)) if "block" not in task]
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


def test_a_script_is_evaluated_once_whatever_time_it_is() -> None:
    """A process for each host of each tick would take most of the time of these tests."""
    text = "function FindProxyForURL(u, h) { return 'DIRECT'; }"
    script = {"url": "http://p.example/p.pac", "status": 200, "text": text}
    told = [
        evaluated({"proxy": {"scripts": [script]}, "host": {"utc": at, "time_zone": "UTC"}}, ["https://a.example/"])
        for at in ("2027-05-10T07:00:00Z", "2027-05-10T07:15:00Z")
    ]
    assert told[0]
    assert told[0] is told[1]
