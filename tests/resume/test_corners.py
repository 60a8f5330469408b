"""What a reviewer found: rare nights in which something could have been lost, or somebody kept out."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.decision import Decision
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import EventKind, read_events
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import Phase, Step
from ansible_collections.helsevest.interactor.plugins.module_utils._journal import new_run_id

from tests.resume.cases import SERVER, SITE
from tests.resume.driver import (
    TICK,
    Controller,
    Cut,
    Died,
    Fleet,
    MemoryJournal,
    Place,
    PowerLoss,
    moment,
)

ORDER = {"category": "orders", "id": "ord-morning", "at": "2027-05-19T06:00:00Z"}


def advance(fleet: Fleet, controller: Controller) -> None:
    """To the next tick at which something may come."""
    following, soon = controller.decisions[SITE].next, fleet.now() + TICK
    waits = following.at if following.step is None else None
    fleet.clock.advance_to(max(soon, waits) if waits else soon)


def tick_until(controller: Controller, done: Callable[[Decision], bool]) -> None:
    """Tick after tick until the site stands as wanted."""
    for _ in range(80):
        controller.tick()
        if done(controller.decisions[SITE]):
            return
        advance(controller.fleet, controller)
    raise AssertionError(controller.decisions[SITE].row())


def started(reached: Callable[[Place], None] = lambda _place: None, **site: Any) -> tuple[Fleet, Controller]:
    """A fleet of one site, and the controller of a wave that was let go."""
    fleet = Fleet(("1001",), **site)
    controller = Controller(fleet, MemoryJournal(), reached)
    controller.release()
    return fleet, controller


def in_cloud(fleet: Fleet) -> str:
    """How the cloud's newest attempt stands."""
    state: str = fleet.world.cloud.snapshot()[SITE][-1]["state"]
    return state


def order_in_cloud(fleet: Fleet, count: int = 1) -> None:
    fleet.world.cloud._attempts[SITE][-1].made.extend({**ORDER, "id": f"o{number}"} for number in range(count))


def test_what_was_ordered_after_a_switch_that_was_cut_off_is_not_thrown_away() -> None:
    """Power goes after the configuration is written, and the server lets people in before anybody reaches it again."""
    written: list[str] = []

    def changing(path: str, content: bytes | None) -> None:
        if written:
            raise PowerLoss
        if path.casefold().startswith(config.casefold()) and content is not None and b"server_in_cloud" in content:
            written.append(path)

    def reached(place: Place) -> None:
        if place == Place("call", f"{SERVER} interactor_migrate switch", False):
            drive.changing = changing
        elif written and place.kind == "call":
            raise Cut

    fleet, controller = started(reached)
    drive, config = fleet.drive(SERVER), fleet.contract["paths"]["config"]
    while fleet.now() < moment("2027-05-19T06:55:00Z"):
        controller.tick()
        if fleet.now() > moment("2027-05-18T17:00:00Z"):
            fleet.later(TICK)
        else:
            advance(fleet, controller)
    drive.changing = lambda _path, _content: None
    fleet.hosts[SERVER].settle()
    assert json.loads(drive.read(config))["mode"] == "server_in_cloud"
    assert not drive.is_file(fleet.contract["paths"]["maintenance_flag"])
    order_in_cloud(fleet)
    controller.reached = lambda _place: None
    controller.tick()
    assert in_cloud(fleet) == "completed"
    assert controller.decisions[SITE].needs_us
    assert "rollback_loses=1" in controller.decisions[SITE].row()["why"]


@pytest.mark.parametrize("step", ["switch", "start"])
def test_a_server_put_back_by_an_image_of_its_move_night_loses_nothing_in_the_cloud(step: str) -> None:
    image: list[Any] = []

    def reached(place: Place) -> None:
        if place == Place("call", f"{SERVER} interactor_migrate {step}", step == "start"):
            image[:] = copy.deepcopy([drive._files, drive._written, drive._folders, host.tasks])

    fleet, controller = started(reached)
    host, drive = fleet.hosts[SERVER], fleet.drive(SERVER)
    tick_until(controller, lambda decision: decision.outcome == "verified")
    fleet.later(timedelta(days=9))
    order_in_cloud(fleet, 5)
    drive._files, drive._written, drive._folders, host.tasks = image
    # playbooks/preflight.yml
    controller._run_id = new_run_id(fleet.now())
    controller._facts = {name: controller._variables(name) for name in fleet.hosts}
    controller.ask([])
    given = controller._answer()
    for name in fleet.hosts:
        controller._take(Phase.PREFLIGHT, Step.PROBE, name)
    controller._tell(list(fleet.hosts), Phase.PREFLIGHT, Step.PROBE, given)
    for _ in range(3):
        controller.tick()
        fleet.later(TICK)
    assert in_cloud(fleet) == "completed"
    assert controller.decisions[SITE].needs_us


def test_what_the_cloud_has_thrown_away_is_not_switched_to() -> None:
    def reached(place: Place) -> None:
        of = fleet.world.cloud._attempts[SITE]
        if place == Place("cloud", "GET attempts", False) and of and of[-1].state == "completed":
            of[-1].state = "discarded"

    fleet, controller = started(reached)
    tick_until(controller, lambda decision: decision.outcome == "rolled_back")
    assert "switch" not in [event.subject for event in controller.journal.latest() if event.kind is EventKind.STEP]


def test_what_is_ordered_while_a_server_is_put_back_is_not_thrown_away() -> None:
    fleet, controller = started()
    tick_until(controller, lambda decision: decision.state == "moved")
    fleet.clock.advance_to(moment("2027-05-19T06:30:00Z"))

    def ask(loses: str | None, key: str) -> None:
        data = {"name": "Kari", "reason": "the office asks", "loses": loses}
        wish = {"site": SITE, "kind": "rollback_asked", "subject": "1", "key": key, "data": data}
        controller.journal.record(key, fleet.now(), read_events([wish], fleet.now()))

    def reached(place: Place) -> None:
        if place == Place("call", f"{SERVER} interactor_migrate restore", False):
            order_in_cloud(fleet)

    ask(None, "first")
    controller.reached = reached
    controller.tick()
    decision = controller.decisions[SITE]
    assert (in_cloud(fleet), decision.needs_us) == ("completed", True)
    controller.reached = lambda _place: None
    fleet.later(TICK)
    controller.tick()
    assert in_cloud(fleet) == "completed"
    assert "rollback_loses=1" in controller.decisions[SITE].row()["why"]
    ask("1", "second")
    fleet.later(TICK)
    controller.tick()
    assert in_cloud(fleet) == "discarded"


@pytest.mark.parametrize("when", ["die", "lose"])
def test_a_switched_site_whose_lease_was_lost_is_checked(when: str) -> None:
    armed = ["switch"]

    def reached(place: Place) -> None:
        if armed == ["switch"] and str(place) == "after record migrate switch":
            armed[0] = when
            raise Died
        if armed == ["die"] and str(place) == "after record migrate look":
            armed.clear()
            raise Died
        if armed == ["lose"] and str(place) == f"before call {SERVER} interactor_migrate handback":
            armed.clear()
            raise Cut

    fleet, controller = started(reached)
    for _ in range(260):
        try:
            controller.tick()
        except Died:
            controller = Controller(fleet, controller.journal, reached)
            fleet.later(timedelta(hours=12) if armed else TICK)
            continue
        if controller.decisions[SITE].outcome == "verified":
            return
        advance(fleet, controller)
    raise AssertionError(controller.decisions[SITE].row())


def test_nobody_is_kept_out_all_night_where_the_move_cannot_begin() -> None:
    """Its data cannot be counted: an order that is no order."""
    fleet, controller = started()
    host, drive = fleet.hosts[SERVER], fleet.drive(SERVER)
    while fleet.now() < moment("2027-05-18T17:55:00Z"):
        controller.tick()
        advance(fleet, controller)
    odd = b'{"category":"orders","id":"12345678901","date":"2027-05-01","patient":"x"}\n'
    drive.write(host._data, drive.read(host._data) + odd)
    drive.date(moment("2027-05-10T12:00:00Z"))
    kept_out = 0
    while fleet.now() < moment("2027-05-19T04:30:00Z"):
        controller.tick()
        kept_out += drive.is_file(fleet.contract["paths"]["maintenance_flag"])
        fleet.later(TICK)
    assert kept_out <= 5
