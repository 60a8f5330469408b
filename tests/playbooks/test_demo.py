"""The whole demo, as `make demo` runs it: what comes out is what a person would expect of each site."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator import demo
from tests.playbooks.conftest import DEMO, Controller, Done, controlling


@dataclass(frozen=True)
class Story:
    """The demo told to its end, with what each tick left."""

    controller: Controller
    ticks: list[tuple[demo.Tick, Done, dict[str, Any], dict[str, Any]]]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with controlling(tmp_path_factory.mktemp("demo")) as controller:
        ticks = []
        for tick in demo.TICKS:
            controller.simulation.set_clock(tick.at)
            done = controller.play(tick.playbook.removesuffix(".yml"), **tick.variables)
            assert demo.ended_well(done.code, done.output), done.output
            ticks.append((tick, done, controller.rows(), controller.simulation.state()))
        yield Story(controller, ticks)


def expected_rows() -> dict[str, dict[str, Any]]:
    scenario = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    return {str(site): facts["expected"] for site, facts in scenario["sites"].items()}


def test_every_site_ends_as_a_person_would_expect(story: Story) -> None:
    rows, expected = story.controller.rows(), expected_rows()
    assert sorted(rows) == sorted(expected), "sites in = rows out"
    told = {site: {name: rows[site][name] for name in wanted} for site, wanted in expected.items()}
    assert told == expected


def test_every_tick_has_a_row_for_every_site(story: Story) -> None:
    for _tick, _done, rows, _state in story.ticks:
        assert sorted(rows) == sorted(expected_rows())


def test_times_are_those_of_the_plan(story: Story) -> None:
    rows = story.controller.rows()
    assert rows["1001"]["upgraded"].startswith("2027-05-14T16:"), "Friday evening: Monday is 17 May"
    assert rows["1001"]["started"].startswith("2027-05-18T18:")
    assert rows["2001"]["started"].startswith("2027-05-19T08:"), "the clinic moves by day"
    assert rows["1002"]["started"] is None


def test_nothing_is_upgraded_or_moved_before_its_time_or_without_a_release(story: Story) -> None:
    _tick, _done, rows, state = story.ticks[0]
    assert {row["state"] for row in rows.values()} <= {"registered", "answered", "dated"}
    assert all(row["upgraded"] is None and row["started"] is None for row in rows.values())
    assert story.ticks[2][3] == state, "a release touches no host"


def test_the_last_tick_once_more_changes_nothing(story: Story) -> None:
    (_, _, rows, state), (_, again, rows_again, state_again) = story.ticks[-2], story.ticks[-1]
    assert again.changed == 0, again.output
    assert (rows_again, state_again) == (rows, state)


def test_no_migration_is_started_twice(story: Story) -> None:
    started: dict[str, int] = {}
    with closing(sqlite3.connect(story.controller.state / "journal.sqlite")) as journal:
        for site, data in journal.execute("select site, data from events where kind = 'step' and subject = 'start'"):
            assert json.loads(data)["ok"]
            started[site] = started.get(site, 0) + 1
    assert started == {"1001": 1, "1004": 1, "2001": 1, "2004": 1}


def test_exit_codes_tell_whether_one_of_us_is_needed(story: Story) -> None:
    codes = [done.code for tick, done, _rows, _state in story.ticks if tick.playbook == "wave.yml"]
    assert codes[:2] == [0, 0]
    assert codes[-1] == 2, "one site is uncertain and one was rolled back"


def test_the_page_and_the_table_have_the_same_rows(story: Story) -> None:
    page = (story.controller.state / "report" / "report.html").read_text(encoding="utf-8")
    table = story.ticks[-1][1].output
    for site, row in story.controller.rows().items():
        for place in (page, table):
            assert site in place
            assert row["name"].split()[0] in place
    assert "æ" in page or "ø" in page or "å" in page


def test_a_rolled_back_server_is_as_it_was_before_the_attempt(story: Story) -> None:
    """Only the folder of our own ledger may differ; the upgrade of the evening before stays."""

    def told(state: dict[str, Any], server: str) -> dict[str, Any]:
        host = state["hosts"][server]
        ours = {path: digest for path, digest in host["files"].items() if "\\HelseVest\\" not in path}
        return {**host, "files": ours}

    before = next(state for tick, _done, _rows, state in story.ticks if tick.at == "2027-05-19T09:10:00Z")
    after = story.ticks[-1][3]
    assert told(after, "srv.nordnes.example") == told(before, "srv.nordnes.example")
    moved = "srv.fjordgata.example"
    assert told(after, moved) != told(story.ticks[3][3], moved), "a moved server is not as before"


def test_no_secret_is_told_anywhere(story: Story) -> None:
    assert story.controller.secrets_found(*(done.output for _, done, _, _ in story.ticks)) == []


def test_the_judge_never_sees_the_expected_column(story: Story) -> None:
    readers = [
        path
        for path in Path("collections").rglob("*.py")
        if "expected_rows" in path.read_text() or "scenarios" in path.read_text()
    ]
    assert [path for path in readers if "tests" not in path.parts] == []
    assert "expected" not in story.ticks[-1][3]
