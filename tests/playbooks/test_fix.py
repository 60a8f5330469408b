"""The remediation by the real playbook: only on request, once, told exactly before, and put back by one command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.playbooks.conftest import DEMO, Controller, Done, controlling
from tests.whole_state import differences

SERVER, PC = "srv.vagen.example", "pc2.vagen.example"
SITE = ("--limit", "site_1002")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    """The demo's fleet; the server of the office with the double proxy sleeps and restarts at night besides."""
    folder = tmp_path_factory.mktemp("fix")
    said = 'server: {sleep_minutes: 30, scheduled_restarts: ["2027-05-11T01:00:00Z"]}'
    text, count = re.subn(r"(?m)^(  1002:.*\n)", rf"\1    {said}\n", DEMO.read_text(encoding="utf-8"))
    assert count == 1
    scenario = folder / "scenario.yml"
    scenario.write_text(text, encoding="utf-8")
    with controlling(folder, scenario) as one:
        yield one


def message(done: Done) -> str:
    """What a run says, in one line: the terminal folds long texts."""
    return " ".join(done.output.split())


def changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, set[str]]:
    """What of which host is another one; a file of ours, the registry's counters and tasks of ours included."""
    found: dict[str, set[str]] = {}
    for path in differences(before["hosts"], after["hosts"]):
        found.setdefault(path[0], set()).add(path[1])
    return found


def test_nothing_is_changed_without_a_request_and_a_limit(fleet: Controller) -> None:
    before = fleet.simulation.state()
    for refused in (
        fleet.play("preflight", preflight_fix=True),
        fleet.play("preflight", *SITE, preflight_fix=True, preflight_fix_checks="[proxy,dns]"),
        fleet.play("preflight", *SITE, preflight_fix=True, preflight_fix_undo=True),
        fleet.play("preflight", *SITE, preflight_fix=True, preflight_fix_until="tomorrow"),
    ):
        assert refused.code == 2, refused.output
        assert "say which with --limit" in message(refused)
    assert "proxy, dns" in message(fleet.play("preflight", *SITE, preflight_fix=True, preflight_fix_checks="proxy,dns"))
    assert fleet.play("preflight", *SITE).code == 0
    assert fleet.simulation.state() == before
    assert set(fleet.rows()["1002"]["owes"]) == {"P5", "P8"}


def test_a_fix_is_told_exactly_made_once_and_undone(fleet: Controller) -> None:
    before = fleet.simulation.state()
    dry = fleet.play("preflight", "--check", "--diff", *SITE, preflight_fix="true")
    assert dry.code == 0, dry.output
    assert fleet.simulation.state() == before
    lines = [
        ("proxy, profile 2, ProxyEnable: 1", "proxy, profile 2, ProxyEnable: 0"),
        ("sleep, sleep, state: 1800 seconds", "sleep, sleep, state: 0 seconds"),
        ("restart, \\Restart 1, state: enabled", "restart, \\Restart 1, state: disabled"),
    ]
    for old, new in lines:
        assert f"-{old}" in dry.output
        assert f"+{new}" in dry.output
    assert "Would be changed" in dry.output

    done = fleet.play("preflight", *SITE, preflight_fix="true")
    assert done.code == 0, done.output
    for text in ("at the latest at the next log-on", "put back by itself after 2027-05-11 06:00"):
        assert text in message(done)
    assert "S-1-5" not in done.output
    assert changed(before, fleet.simulation.state()) == {
        SERVER: {"files", "tasks", "power", "restarts"},
        PC: {"files", "registry", "proxies"},
    }
    # The checks are made after it, so the row tells the state.
    assert (fleet.rows()["1002"]["owes"], fleet.rows()["1002"]["verdict"]) == ([], "ready")

    fixed = fleet.simulation.state()
    again = fleet.play("preflight", "--check", "--diff", *SITE, preflight_fix="true")
    assert (again.code, again.changed) == (0, 0)
    assert fleet.simulation.state() == fixed

    fleet.simulation.set_clock("2027-05-10T08:00:00Z")
    back = fleet.play("preflight", *SITE, preflight_fix_undo="true", preflight_fix_checks="[proxy, sleep, restart]")
    assert back.code == 0, back.output
    assert "Put back" in back.output
    undone = fleet.simulation.state()
    assert fleet.play("preflight", *SITE, preflight_fix_undo="true").code == 0
    assert fleet.simulation.state() == undone
    # The folder of ours, and a counter that tells that Windows' settings were written.
    assert changed(before, undone) == {SERVER: {"files"}, PC: {"files", "registry"}}
    assert set(fleet.rows()["1002"]["owes"]) == {"P5", "P8"}
    told = fleet.play("explain", site="1002")
    assert "1002-server: 2 settings put right" in message(told)
    assert "1002-pc2: 3 settings put back" in message(told)


def test_the_servers_night_ends_without_us(fleet: Controller) -> None:
    before = fleet.simulation.state()["hosts"][SERVER]
    done = fleet.play("preflight", *SITE, preflight_fix="true", preflight_fix_checks="sleep")
    assert done.code == 0, done.output
    assert fleet.simulation.state()["hosts"][SERVER]["power"]["sleep_minutes"] == 0
    fleet.simulation.set_clock("2027-05-11T04:20:00Z")
    after = fleet.simulation.state()["hosts"][SERVER]
    assert (after["power"], after["tasks"]) == (before["power"], before["tasks"])


def test_a_tick_changes_nothing_even_if_it_is_asked_to(fleet: Controller) -> None:
    before = fleet.simulation.state()
    fleet.play("wave", *SITE, preflight_fix="true")
    assert fleet.simulation.state() == before
