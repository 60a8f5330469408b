"""What is known of a site is recorded and told when the last of its own hosts has answered, whoever else hangs.

The host that hangs has taken our log-on and the command, and answers nothing until the test lets it.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from simulator import demo
from tests.playbooks.conftest import Controller, controlling
from tests.wave import EVENING, site_ids, write_wave

SITES = 3
HANGING = "1001"
OTHERS = ("1002", "1003")
LONG = {"preflight_limit_seconds": 3600, "ansible_winrm_read_timeout_sec": 3600}
"""Nothing ends the host that hangs but the test."""


@contextmanager
def a_host_hangs(folder: Path) -> Iterator[Controller]:
    """A fleet of which one server hangs: the first site's."""
    scenario, inventory = write_wave(folder, sites=SITES)
    with controlling(folder, scenario, inventory) as fleet:
        fleet.simulation.arm(f"srv.k{HANGING}.example", "", do="hold", when="before")
        yield fleet


def recorded(fleet: Controller, kind: str) -> Counter[str]:
    """How often each host, or site, has an event of a kind in the journal."""
    path = fleet.state / "journal.sqlite"
    if not path.exists():
        return Counter()
    with closing(sqlite3.connect(path)) as journal:
        if not journal.execute("select 1 from sqlite_master where name = 'events'").fetchall():
            return Counter()
        events = journal.execute("select coalesce(host, site) from events where kind = ?", (kind,))
        return Counter(name for (name,) in events)


def lines(output: str) -> list[str]:
    """The sites of which a line has been printed, in that order."""
    told = [f"{site} Legekontor {site}: ready" for site in site_ids(SITES)]
    return [line.split()[0] for line in output.splitlines() if line in told]


def page(fleet: Controller) -> str:
    """The report's page."""
    return (fleet.state / "report" / "report.html").read_text(encoding="utf-8")


WELL = {f"{HANGING}-pc1", *(f"{site}-{machine}" for site in OTHERS for machine in ("server", "pc1"))}
"""The hosts that answer."""


def test_rows_come_while_a_host_hangs_and_nothing_is_recorded_twice(tmp_path: Path) -> None:
    with a_host_hangs(tmp_path) as fleet:
        dry = fleet.play("preflight", "--check", "--limit", "site_1002")
        assert lines(dry.output) == ["1002"], dry.output
        assert not (fleet.state / "journal.sqlite").exists()
        with fleet.begin("preflight", **LONG) as run:
            fleet.simulation.came(f"srv.k{HANGING}.example")
            run.until(lambda: set(recorded(fleet, "measured")) == WELL and set(recorded(fleet, "row")) == {*OTHERS})
            run.until(lambda: sorted(lines(run.output)) == [*OTHERS])
            assert "Still owes, and why" not in run.output, "the table comes at the end"
            # Another controller with the same journal knows what is known.
            other = fleet.play("report", "--limit", "site_1002", report_dir="")
            assert " ready " in other.output, other.output
            assert run.process.poll() is None, run.output
            fleet.simulation.mend()
            done = run.ended()
        assert done.code == 0, done.output
        assert lines(done.output)[-1] == HANGING
        assert sorted(lines(done.output)) == site_ids(SITES)
        assert done.output.count("Still owes, and why") == 1
        assert recorded(fleet, "measured") == Counter([*WELL, f"{HANGING}-server"])
        assert recorded(fleet, "row") == Counter(site_ids(SITES))
        assert recorded(fleet, "ledger") == Counter(f"{site}-server" for site in site_ids(SITES))
        assert {row["verdict"] for row in fleet.rows().values()} == {"ready"}
        assert fleet.secrets_found(done.output) == []


def test_a_run_that_is_killed_while_a_host_hangs_loses_nothing_that_was_measured(tmp_path: Path) -> None:
    with a_host_hangs(tmp_path) as fleet:
        assert fleet.play("report", "--limit", "site_1002").code == 0
        assert ">ready<" not in page(fleet)
        with fleet.begin("preflight", **LONG) as run:
            run.until(lambda: set(recorded(fleet, "measured")) == WELL and set(recorded(fleet, "row")) >= {*OTHERS})
            run.until(lambda: sorted(lines(run.output)) == [*OTHERS])
            run.kill()
        fleet.simulation.mend(drop=True)
        assert recorded(fleet, "measured") == Counter(WELL)
        verdicts = {site: row["verdict"] for site, row in fleet.rows().items()}
        assert verdicts == dict.fromkeys(OTHERS, "ready")
        # No row is new to the journal, but the run that recorded it never came to its page.
        assert fleet.play("report", "--limit", "site_1002").code == 0
        assert recorded(fleet, "row")["1002"] == 2, "before it was measured, and after"
        assert ">ready<" in page(fleet)
        asked = len(fleet.simulation.calls())
        assert fleet.play("wave", report_dir="").code == 0
        hosts = {call["host"] for call in fleet.simulation.calls()[asked:]}
        assert hosts == {f"srv.k{HANGING}.example"}, "what was measured is not asked again"
        assert {row["verdict"] for row in fleet.rows().values()} == {"ready"}


def test_a_host_that_hangs_holds_a_ticks_steps_up_for_its_limit_and_no_longer(tmp_path: Path) -> None:
    with a_host_hangs(tmp_path) as fleet:
        assert fleet.play("release", **demo.release("2027-05-10T08:00:00Z", 1, "2027-05-21").variables).code == 0
        fleet.simulation.set_clock(EVENING)
        # Nobody lets it go.
        done = fleet.play("wave", report_dir="", preflight_limit_seconds=5)
        assert demo.ended_well(done.code, done.output), done.output
        assert sorted(lines(done.output)) == [*OTHERS]
        states = {site: row["state"] for site, row in fleet.rows().items()}
        assert states == {HANGING: "dated", **dict.fromkeys(OTHERS, "upgraded")}
        assert recorded(fleet, "measured") == Counter([*WELL, f"{HANGING}-server"])
