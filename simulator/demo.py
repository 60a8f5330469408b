"""The demo: nothing but `wave.yml` ticking while the clock moves, from day 0 to the last morning.

Every row that it shows is read from what the playbooks wrote; the driver knows times and nothing of the sites.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from simulator.scenario import EngineName
from simulator.testing import Simulation, running

ROOT = Path(__file__).resolve().parent.parent
SCENARIO = ROOT / "simulator" / "scenarios" / "demo.yml"


@dataclass(frozen=True)
class Tick:
    """One start of a playbook at one moment of the simulated time."""

    at: str
    what: str
    playbook: str = "wave.yml"
    variables: Mapping[str, str] = field(default_factory=dict)


def release(at: str, wave: int, until: str) -> Tick:
    """A wave is let go by a person; without it no tick changes anything."""
    said = {
        "release_wave": str(wave),
        "release_name": "Kari",
        "release_reason": "the offices have answered",
        "release_until": until,
    }
    return Tick(at, f"Kari lets wave {wave} go, until {until}", "release.yml", said)


TICKS = (
    Tick("2027-05-10T07:00:00Z", "Monday 10 May, day 0: register and preflight of all"),
    release("2027-05-10T08:00:00Z", 1, "2027-05-21"),
    release("2027-05-10T08:00:00Z", 2, "2027-05-21"),
    Tick(
        "2027-05-14T16:00:00Z",
        "Friday 14 May 18:00, the last working day before (Monday is 17 May): wave 1 is upgraded",
    ),
    Tick("2027-05-18T18:30:00Z", "Tuesday 18 May 20:30: wave 1 starts to move, wave 2 is upgraded"),
    Tick("2027-05-18T19:25:00Z", "Tuesday 21:25: what has come over is counted and switched"),
    Tick("2027-05-19T06:00:00Z", "Wednesday 19 May 08:00: the morning's check of wave 1"),
    Tick("2027-05-19T08:15:00Z", "Wednesday 10:15: the emergency clinic moves by day"),
    Tick("2027-05-19T09:10:00Z", "Wednesday 11:10: it is counted and switched"),
    Tick("2027-05-19T18:30:00Z", "Wednesday 20:30: the rest of wave 2 starts to move"),
    Tick("2027-05-19T19:25:00Z", "Wednesday 21:25: counted and switched, or rolled back"),
    Tick("2027-05-20T06:00:00Z", "Thursday 20 May 08:00: the morning's check of wave 2"),
    Tick("2027-05-20T06:00:00Z", "the whole of it once more: nothing is left to do"),
)


def ended_well(code: int, output: str) -> bool:
    """Whether a playbook came to its end: 0, or 2 because a row says that one of us is needed, and for no fault."""
    return code == 0 or (code == 2 and "One of us is needed" in output)


def ansible_environment(simulation: Simulation, state: Path) -> dict[str, str]:
    """What the playbooks need to know of this simulation."""
    return {
        **os.environ,
        **simulation.environment,
        "INTERACTOR_STATE": str(state),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
    }


def play(playbook: str, *arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run one playbook of the project as a person would, its output kept."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), f"playbooks/{playbook}", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, text=True, capture_output=True, check=False
    )


def rows(state: Path) -> dict[str, dict[str, Any]]:
    """The newest row of each site in the journal, in order of their ids: they are recorded as they come."""
    path = state / "journal.sqlite"
    if not path.exists():
        return {}
    with closing(sqlite3.connect(path)) as journal:
        recorded = journal.execute("select data from events where kind = 'row' order by id").fetchall()
    newest = {row["site"]: row for row in (json.loads(data) for (data,) in recorded)}
    return dict(sorted(newest.items()))


def tell_changes(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> None:
    """One line for each site whose row says something else than before."""
    for site, row in after.items():
        old = before.get(site, {})
        changed = [
            f"{word} {old.get(word) or '–'} → {row[word] or '–'}"
            for word in ("state", "verdict", "outcome")
            if old.get(word) != row[word]
        ]
        if changed:
            print(f"    {site} {row['name']}: {', '.join(changed)}")


def run(state: Path, *, verbose: bool, engine: str) -> int:
    """Run the demo with its state in `state` and its servers on `engine`.

    Returns:
        0 when every playbook ended as a playbook of ours may.
    """
    shutil.rmtree(state, ignore_errors=True)
    (state / "log").mkdir(parents=True)
    with running(SCENARIO, state / "simulator", engine=engine) as simulation:
        environment = ansible_environment(simulation, state)
        for number, tick in enumerate(TICKS):
            simulation.set_clock(tick.at)
            print(f"\n[{number + 1}/{len(TICKS)}] {tick.what}", flush=True)
            before, started = rows(state), time.monotonic()
            # The page is written once, at the end: a template module takes longer than a whole question to the gate.
            variables = json.dumps({**tick.variables, "report_dir": ""})
            done = play(tick.playbook, "-e", variables, environment=environment)
            (state / "log" / f"{number + 1:02}-{tick.playbook}.log").write_text(
                done.stdout + done.stderr, encoding="utf-8"
            )
            if verbose or not ended_well(done.returncode, done.stdout):
                print(done.stdout + done.stderr)
            tell_changes(before, rows(state))
            changed = sum(int(count) for count in re.findall(r"changed=(\d+)", done.stdout))
            meaning = {0: "as planned, or waiting for an office", 2: "one of us is needed"}.get(
                done.returncode, "a crash"
            )
            seconds = time.monotonic() - started
            print(
                f"    {tick.playbook}: exit code {done.returncode} ({meaning}), changed={changed}, {seconds:.0f} s",
                flush=True,
            )
            if not ended_well(done.returncode, done.stdout):
                return 1
        print(flush=True)
        width = max(shutil.get_terminal_size((160, 40)).columns, 100)
        used = simulation.engines()
        if used["commands"]:
            each = used["cpu_seconds"] / used["commands"]
            print(f"{used['commands']} commands ran in PowerShell, {each:.2f} s of processor time each\n", flush=True)
        last = play("report.yml", environment={**environment, "COLUMNS": str(width)})
        print(last.stdout[last.stdout.find("\n\n") :] if verbose else table_of(last.stdout))
    folder = os.path.relpath(state)
    print(f"The same rows as a page: {folder}/report/report.html")
    print(f"The journal: {folder}/journal.sqlite; each playbook's output: {folder}/log/")
    return last.returncode


def table_of(output: str) -> str:
    """The table that the callback printed, without the lines of the plays around it."""
    kept = [
        line
        for line in output.splitlines()
        if not re.match(r"(PLAY|TASK|ok:|changed:|included:|skipping:|localhost|\d+-)", line)
    ]
    return "\n".join(kept).strip() + "\n"


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator.demo", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument(
        "--state", type=Path, default=ROOT / "var" / "demo", help="folder for journal, report and logs (made anew)"
    )
    parser.add_argument("--verbose", action="store_true", help="show all that the playbooks print")
    parser.add_argument("--engine", choices=get_args(EngineName), default="model", help="what the servers run on")
    chosen = parser.parse_args()
    try:
        return run(chosen.state, verbose=chosen.verbose, engine=chosen.engine)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
