# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts answer is recorded as it comes, and each site's row is told once its last host has answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible_collections.helsevest.interactor.plugins.filter.sites import step_events
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import read_events
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import parse_time
from ansible_collections.helsevest.interactor.plugins.module_utils._gate import answer
from ansible_collections.helsevest.interactor.plugins.module_utils._journal import Journal
from ansible_collections.helsevest.interactor.plugins.plugin_utils import _site_rows
from ansible_collections.helsevest.interactor.plugins.plugin_utils._site_rows import NotRecordedError, SiteRows

ROOT = Path(__file__).resolve().parents[8]
CONTRACT = yaml.safe_load((ROOT / "roles/vendor_contract/defaults/main.yml").read_text(encoding="utf-8"))[
    "vendor_contract"
]
ASKED = "2027-05-10T07:00:00Z"
OFF = {
    "reached": False,
    "cause": "timeout",
    "detail": "",
    "error": None,
    "facts": None,
    "checks": [],
    "verdict": "unreachable",
}
WELL = {**OFF, "reached": True, "cause": None, "verdict": "ready"}


def site(number: str, **changes: Any) -> dict[str, Any]:
    """The variables of a site that has answered everything, with one PC."""
    raw = {
        "id": number,
        "name": f"Kontor {number}",
        "kind": "gp_office",
        "county": "Vestland",
        "language": "nb",
        "epj": "Journalen",
        "wave": 1,
        "move_date": None,
        "mode": "server_in_cloud",
        "window": {"weekdays": ["mon", "tue"], "from": "20:00", "to": "06:00"},
        "asked": None,
        "closed": [],
        "contact": {"name": "Kari", "email": "kari@k.example", "phone": "55001001", "weekends": False},
        "agreement": {
            "status": "signed",
            "form": "digital",
            "sent": "2020-04-01",
            "signed": "2020-04-15",
            "reference": "A",
        },
        "signatory_known": True,
        "ros": {"requested": False, "sent": None},
        "confirmed": {"urls": "2020-04-20", "proxy": "2020-04-20"},
        "history_months": 12,
        "server": {"name": "server"},
        "clients": [{"name": "pc1"}],
        "shared_server": None,
        **changes,
    }
    return {"interactor_site": raw, "interactor_wave": {"id": 1}, "interactor_waivers": []}


class Run:
    """A run over `hosts` of `sites` with a journal of its own, as far as the callback has it."""

    def __init__(self, folder: Path, sites: Sequence[dict[str, Any]], hosts: Sequence[str], forks: int = 50) -> None:
        self.url = f"sqlite:///{folder}/journal.sqlite"
        self.file = folder / "journal.sqlite"
        self.moment = 0.0
        self.asked = {
            "sites": list(sites),
            "contract": CONTRACT,
            "journal": self.url,
            "settings": {"retry_minutes": 20},
        }
        defaults = {"calendar": None, "clock_url": None, "run_id": None, "record": [], "waves": {}, "taken": None}
        settings = {"upgrade_minutes": None, "move_minutes": None, "retry_minutes": 20, "lease_wait_minutes": 240}
        settings |= {"switch_tolerates": ["favourite_packages"], "failure_budget": {}}
        phases = ["upgrade", "migrate", "rollback", "postcheck"]
        self.params = {**self.asked, **defaults, "settings": settings, "expected": None, "force": [], "phases": phases}
        self.answer = answer(self.params, check_mode=False)
        self.rows = SiteRows(forks, self.timer)
        self.rows.gate(self.asked, self.answer)
        self.rows.begin(lambda: hosts)

    def timer(self) -> float:
        """Each look at it finds it a second later."""
        self.moment += 1
        return self.moment

    def meet(self, host: str, result: dict[str, Any] | None, *, dry: bool = False) -> list[str]:
        """The verdicts that are told when a host answers, `1001 ready`."""
        given = None if result is None else {"asked": ASKED, **result}
        return [f"{row['site']} {row['verdict']}" for row in self.rows.answered(host, given, dry=dry)]

    def recorded(self) -> list[str]:
        """What stands in the journal: host or site, and kind."""
        return [f"{event.host or event.site} {event.kind}" for event in Journal(self.url).events()]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Two sites with a server and a PC each."""
    hosts = ["1001-server", "1001-pc1", "1002-server", "1002-pc1"]
    return Run(tmp_path, [site("1001"), site("1002")], hosts)


def test_what_is_known_stands_in_the_journal_while_another_host_hangs(run: Run) -> None:
    assert run.meet("1002-pc1", WELL) == []
    assert run.recorded() == ["1002-pc1 measured"], "at once, although its server is still awaited"
    assert run.meet("1001-server", WELL) == []
    assert run.meet("1001-pc1", WELL) == ["1001 ready"]
    assert run.recorded() == ["1002-pc1 measured", "1001-server measured", "1001-pc1 measured", "1001 row"]
    assert {event.run_id for event in Journal(run.url).events()} == {run.answer["run_id"]}
    assert run.meet("1002-server", OFF) == ["1002 unreachable"]


def test_the_row_is_the_one_that_the_gate_tells_at_the_end(run: Run) -> None:
    for host in ("1001-server", "1001-pc1", "1002-server"):
        run.meet(host, WELL)
    run.meet("1002-pc1", OFF)
    told = answer({**run.params, "run_id": run.answer["run_id"], "expected": run.answer["expected"]}, check_mode=False)
    assert told["new_rows"] == [], "both stand in the journal, word by word"
    assert told["sites"]["1002"]["verdict"] == "not_ready"


def test_only_the_hosts_of_the_play_are_waited_for(tmp_path: Path) -> None:
    run = Run(tmp_path, [site("1001"), site("1002")], ["1001-pc1"])
    assert run.meet("1002-server", WELL) == [], "it is in no play"
    assert run.meet("localhost", WELL) == []
    assert run.meet("1001-pc1", WELL) == ["1001 None"], "its server was never asked"


def test_a_host_that_answers_twice_counts_once(run: Run) -> None:
    assert [run.meet("1001-server", WELL), run.meet("1001-server", OFF)] == [[], []]
    assert run.meet("1001-pc1", WELL) == ["1001 ready"]
    assert run.recorded() == ["1001-server measured", "1001-pc1 measured", "1001 row"]


def test_what_the_end_of_the_play_records_is_not_recorded_twice_and_what_is_missing_is(run: Run) -> None:
    server = {"interactor": {"version": "5.4.1", "mode": "local", "ledger": None, "ledger_error": None}}
    results = {"1001-server": {**WELL, "facts": server}, "1001-pc1": WELL, "1002-server": OFF, "1002-pc1": WELL}
    for host in ("1001-pc1", "1001-server"):
        run.meet(host, results[host])
    variables = {
        host: {
            "interactor_site_id": host[:4],
            "interactor_role": "server" if host.endswith("server") else "client",
            "__preflight_result": {"asked": ASKED, **result},
        }
        for host, result in results.items()
    }
    events = step_events(list(results), variables, "preflight", "probe", run.answer)
    at = parse_time(ASKED)
    recorded = Journal(run.url).record(run.answer["run_id"], at, read_events(events, at))
    assert recorded == [False, False, False, True, True]
    assert sorted(run.recorded()) == [
        "1001 row",
        "1001-pc1 measured",
        "1001-server ledger",
        "1001-server measured",
        "1002-pc1 measured",
        "1002-server measured",
    ]


@pytest.mark.parametrize("strange", [{"asked": None}, {"asked": "soon"}, {"verdict": "lovely"}, {"facts": "none"}])
def test_an_answer_that_cannot_be_read_is_left_to_the_end(run: Run, strange: dict[str, Any]) -> None:
    assert [run.meet("1001-server", {**WELL, **strange}), run.meet("1001-pc1", WELL)] == [[], []]
    assert [run.meet("1002-pc1", WELL), run.meet("1002-server", WELL)] == [[], ["1002 ready"]], "nobody else's"
    assert "1001-server measured" not in run.recorded()
    assert "1001-pc1 measured" in run.recorded()


@pytest.mark.parametrize("first", [True, False])
def test_a_host_that_is_out_of_the_play_leaves_its_site_to_the_end(run: Run, first: bool) -> None:
    met = [("1001-server", None), ("1001-pc1", WELL)]
    assert [run.meet(*one) for one in (met if first else reversed(met))] == [[], []]
    assert run.recorded() == ["1001-pc1 measured"]
    assert [run.meet("1002-pc1", WELL), run.meet("1002-server", WELL)] == [[], ["1002 ready"]]


def test_a_dry_run_tells_and_records_nothing(run: Run) -> None:
    assert run.meet("1001-server", WELL, dry=True) == []
    assert run.meet("1001-pc1", WELL, dry=True) == ["1001 ready"]
    assert run.meet("1002-server", OFF, dry=True) == []
    assert run.meet("1002-pc1", WELL, dry=True) == ["1002 unreachable"]
    assert not run.file.exists()


def test_a_part_of_the_checks_is_recorded_as_one(run: Run) -> None:
    part = {**WELL, "families": ["proxy"], "verdict": None}
    assert [run.meet("1001-server", part), run.meet("1001-pc1", part)] == [[], ["1001 None"]]
    assert run.recorded() == ["1001-server part_measured", "1001-pc1 part_measured", "1001 row"]


def test_sites_on_one_server_are_decided_together(tmp_path: Path) -> None:
    shared = {"shared_server": "s1", "together": ["1001", "1002"]}
    run = Run(
        tmp_path,
        [site(one, **shared) for one in ("1001", "1002")],
        ["1001-server", "1001-pc1", "1002-pc1", "1002-server"],
    )
    for host in ("1001-server", "1001-pc1", "1002-pc1"):
        run.meet(host, WELL)
    [row] = run.rows.answered("1002-server", {"asked": ASKED, **WELL}, dry=False)
    assert row["site"] == "1002"
    assert "moves with 1001" in row["why"]
    assert "not in this run" not in row["why"]


def test_while_there_are_hosts_to_begin_with_it_takes_a_tenth_of_the_time(tmp_path: Path) -> None:
    """Each look at the timer is a second later, so that a recording takes one and the next may come nine later."""
    sites = [str(number) for number in range(1001, 1031)]
    run = Run(tmp_path, [site(one, clients=[]) for one in sites], [f"{one}-server" for one in sites], forks=3)
    told = [run.meet(f"{one}-server", WELL) for one in sites]
    all_are_begun_with = [8, 1, 1, 1]
    assert [len(rows) for rows in told] == [1, *[0] * 8, 9, *[0] * 8, 9, *[0] * 7, *all_are_begun_with]
    assert [row for rows in told for row in rows] == [f"{one} ready" for one in sites]


def test_who_was_out_of_the_play_before_it_began_is_not_among_those_to_begin_with(tmp_path: Path) -> None:
    sites = [str(number) for number in range(1001, 1011)]
    run = Run(tmp_path, [site(one, clients=[]) for one in sites], [f"{one}-server" for one in sites], forks=2)
    for one in sites[4:]:
        run.meet(f"{one}-server", None)
    told = [run.meet(f"{one}-server", WELL) for one in sites[:4]]
    assert [len(rows) for rows in told] == [1, 1, 1, 1], "two are left after the second"


def test_hosts_that_cannot_be_told_are_said_once(run: Run) -> None:
    def unknown() -> list[str]:
        raise AnsibleError("no inventory")

    run.rows.begin(unknown)
    with pytest.raises(NotRecordedError, match="no inventory"):
        run.meet("1001-server", WELL)
    assert run.meet("1001-pc1", WELL) == []


def test_before_the_gate_was_asked_nothing_is_told() -> None:
    rows = SiteRows(50)
    rows.begin(lambda: ["1001-server"])
    assert rows.answered("1001-server", {"asked": ASKED, **WELL}, dry=False) == []


def test_another_play_has_hosts_of_its_own(run: Run) -> None:
    run.meet("1001-server", WELL)
    run.rows.begin(lambda: ["1001-pc1"])
    assert run.meet("1001-server", WELL) == []
    assert run.meet("1001-pc1", WELL) == ["1001 ready"]


def _lock(run: Run) -> Callable[[], None]:
    other = sqlite3.connect(run.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other.close


def test_a_journal_that_cannot_be_written_is_told_once_and_left_to_the_end(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.meet("1001-server", WELL)
    monkeypatch.setattr(_site_rows, "BUSY_SECONDS", 0)
    run.rows.begin(lambda: ["1001-pc1", "1002-server", "1002-pc1"])
    let_go = _lock(run)
    with pytest.raises(NotRecordedError, match=r"JournalError: .*locked"):
        run.meet("1001-pc1", WELL)
    let_go()
    assert [run.meet(host, WELL) for host in ("1002-server", "1002-pc1")] == [[], []]
    assert run.recorded() == ["1001-server measured"]


def test_what_the_gate_cannot_have_been_asked_is_told_once(run: Run) -> None:
    run.rows.gate({**run.asked, "journal": "nothing://me:s3cret@db"}, run.answer)
    with pytest.raises(NotRecordedError) as told:
        run.meet("1001-server", WELL)
    assert "s3cret" not in str(told.value)
    assert run.meet("1001-server", WELL) == []


def test_a_journal_of_another_process_that_holds_it_for_a_moment_is_waited_for(run: Run) -> None:
    run.meet("1001-server", WELL)
    with closing(sqlite3.connect(run.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("COMMIT")
    assert run.meet("1001-pc1", WELL) == ["1001 ready"]
