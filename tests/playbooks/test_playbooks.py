"""The playbooks alone: limits, dry runs, bad input, repeated runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.conftest import RELEASE, Controller, controlling

FRIDAY_EVENING = "2027-05-14T16:00:00Z"


def test_register_tells_what_each_site_owes_and_contacts_no_host(controller: Controller) -> None:
    before = len(controller.simulation.calls())
    done = controller.play("register")
    assert done.code == 0, done.output
    assert len(controller.simulation.calls()) == before
    assert "Sentrum" in done.output


def test_a_site_without_a_wave_is_the_last_row(controller: Controller, register: Path) -> None:
    path = register / "register" / "wave2.yml"
    waveless, count = re.subn(r"wave: 2\n    move_date: null", "wave: null", path.read_text(encoding="utf-8"), count=1)
    assert count == 1
    path.write_text(waveless, encoding="utf-8")
    person = Controller(controller.simulation, controller.state, register / "sites.register.yml")
    done = person.play("register")
    assert done.code == 0, done.output
    rows = re.findall(r"^\s*\S+\s+(\d{4}) ", done.output, re.MULTILINE)
    assert rows == ["1001", "1002", "1003", "1004", "2001", "2003", "2004", "2002"]


@pytest.mark.parametrize(
    ("limit", "hosts"),
    [
        ("site_1001", {"srv.fjordgata.example", "pc1.fjordgata.example", "pc2.fjordgata.example"}),
        ("1004-pc1", {"pc1.fjellsida.example"}),
        ("wave_2:&servers", {"srv.oyane.example", "srv.sentrum.example", "srv.nordnes.example"}),
    ],
)
def test_preflight_asks_the_hosts_of_the_limit_once_each(controller: Controller, limit: str, hosts: set[str]) -> None:
    before = len(controller.simulation.calls())
    done = controller.play("preflight", "--limit", limit)
    assert done.code == 0, done.output
    calls = controller.simulation.calls()[before:]
    assert sorted(call["host"] for call in calls) == sorted(hosts), "one probe per host, in one command"


def test_an_evening_without_a_release_with_one_and_with_a_halt(tmp_path: Path) -> None:
    with controlling(tmp_path) as fleet:
        fleet.simulation.set_clock(FRIDAY_EVENING)
        before = fleet.simulation.state()
        done = fleet.play("wave")
        assert done.code in (0, 2), done.output
        assert fleet.simulation.state() == before
        assert "not released" in fleet.rows()["1001"]["why"]
        # The same evening with a release on record, first as a dry run, then for real, then once more.
        assert fleet.play("release", **RELEASE).code == 0
        dry = fleet.play("wave", "--check")
        assert dry.code in (0, 2), dry.output
        assert fleet.simulation.state() == before
        assert dry.changed > 0, "it says what it would do"
        real = fleet.play("upgrade", "--limit", "site_1001")
        assert real.code == 0, real.output
        state = fleet.simulation.state()
        assert state != before
        assert fleet.play("upgrade", "--limit", "site_1001").changed == 0
        assert fleet.simulation.state() == state
        # Halted: the other site of the wave stays as it is.
        assert fleet.play("halt", release_wave="1", release_name="Ola", release_reason="calls").code == 0
        fleet.play("wave")
        assert fleet.simulation.state() == state


def test_each_playbook_alone_in_order_and_followed_on_a_terminal(tmp_path: Path) -> None:
    with controlling(tmp_path) as fleet:

        def play(playbook: str, *arguments: str, **variables: str) -> dict[str, Any]:
            done = fleet.play(playbook, "--limit", "site_1001", *arguments, **variables)
            assert done.code == 0, done.output
            assert fleet.secrets_found(done.output) == []
            return fleet.rows()["1001"]

        fleet.simulation.set_clock(FRIDAY_EVENING)
        play("register")
        play("release", **RELEASE)
        assert play("preflight")["verdict"] == "ready"
        assert play("upgrade")["state"] == "upgraded"
        fleet.simulation.set_clock("2027-05-18T18:30:00Z")
        play("preflight")
        # The highest verbosity tells no password and no token either.
        assert play("migrate", "-vvvv", wave_follow="true")["state"] == "moved"
        fleet.simulation.set_clock("2027-05-19T06:00:00Z")
        assert play("postcheck")["outcome"] == "verified"
        undone = play("rollback", rollback_name="Kari", rollback_reason="the office asks")
        assert (undone["state"], undone["outcome"]) == ("upgraded", "rolled_back")
        assert "the office asks" in undone["why"]
        assert play("report") == undone


@pytest.mark.parametrize(
    ("file", "pattern", "replacement", "words"),
    [
        ("wave1.yml", r"language:", "langauge:", ["1001", "langauge", "language"]),
        ("wave1.yml", r"wave: 1\b", "wave: 7", ["1001", "wave", "7"]),
        ("wave1.yml", r"move_date: .*", "move_date: 2027-02-30", ["1001", "move_date", "2027-02-30"]),
        ("wave2.yml", r"id: \S+", 'id: "1001"', ["1001", "wave1.yml", "wave2.yml"]),
        ("wave2.yml", r'to: "?14:00"?', 'to: "09:00"', ["2001", "window", "09:00"]),
        ("wave1.yml", r"\A", "sites: [\n", ["wave1.yml"]),
    ],
)
def test_bad_input_is_refused_before_any_host_is_contacted(
    controller: Controller, register: Path, file: str, pattern: str, replacement: str, words: list[str]
) -> None:
    path = register / "register" / file
    spoiled, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"), count=1)
    assert count == 1
    path.write_text(spoiled, encoding="utf-8")
    before = len(controller.simulation.calls())
    person = Controller(controller.simulation, controller.state, register / "sites.register.yml")
    done = person.play("wave")
    assert done.code not in (0, 2), done.output
    assert len(controller.simulation.calls()) == before
    assert re.search(rf"{re.escape(file)}:\d+:\d+", done.output), done.output
    for word in words:
        assert word in done.output


def test_release_halt_and_resume_name_wave_person_and_reason(tmp_path: Path) -> None:
    with controlling(tmp_path) as fleet:
        journal = fleet.state / "journal.sqlite"
        for playbook in ("release", "halt", "resume"):
            silent = fleet.play(playbook, release_name="  ")
            assert silent.code != 0
            for word in ("release_wave", "release_name", "release_reason"):
                assert f"{word}: is missing" in silent.output
        wrong = fleet.play("release", release_wave="all", release_name="Kari", release_until="2027-02-30")
        assert wrong.code != 0
        for words in ("'all' is no wave of the register; allowed: 1, 2", "release_reason: is missing", "'2027-02-30'"):
            assert words in wrong.output
        assert fleet.play("release", "--check", **RELEASE).code == 0
        assert not journal.exists(), "nothing was recorded"

        released = fleet.play("release", **RELEASE)
        assert (released.code, released.changed) == (0, 1), released.output
        assert "wave 1 is released until 2027-05-22 00:00 in Norway by Kari: the offices have" in released.output
        assert fleet.play("release", **RELEASE).changed == 0
        said = {"release_name": "Ola", "release_reason": "the vendor asks"}
        for scope, whom in (("1", "wave 1"), ("all", "all")):
            halted = fleet.play("halt", release_wave=scope, **said)
            assert (halted.code, halted.changed) == (0, 1), halted.output
            assert f"{whom} is halted by Ola: the vendor asks" in halted.output
        resumed = fleet.play("resume", release_wave="all", **said)
        assert (resumed.code, resumed.changed) == (0, 1), resumed.output
        assert "wave 1 is still halted by Ola: the vendor asks" in resumed.output
        again = fleet.play("resume", release_wave="2", **said)
        assert (again.code, again.changed) == (0, 0), again.output
        assert "wave 2 is not halted: nothing to resume" in again.output
