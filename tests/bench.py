"""What a fleet of 1,600 offices costs: each case in a fresh process, with its processor's time and its memory.

`make bench` prints all of them; tests/test_scale.py holds the small ones to their limits.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from tests.fleet import write_inventory
from tests.manifest_cost import MOST_SECONDS, ORDERS, measure_manifest
from tests.pwsh.engine import Engine
from tests.pwsh.fixtures import Server

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SITES, CLIENTS, SEED = 1600, 8, 1
COLLECTION = "ansible_collections.helsevest.interactor.plugins.module_utils"
LOAD = f"import sys; from {COLLECTION}._register import load_register; load_register(sys.argv[1])"
PLAY = "- hosts: localhost\n  gather_facts: false\n  tasks: []\n"


@dataclass(frozen=True)
class Case:
    """A command, seen from the folder of a fleet, and its limits in seconds and MB."""

    name: str
    seconds: float
    command: Callable[[Path], list[str]]
    clients: bool = True
    spoilt: bool = False
    memory: float = 4096


CASES = {
    "load": Case(
        "load and validate 1,600 sites and 12,800 clients",
        4,
        lambda folder: [sys.executable, "-c", LOAD, str(folder / "register")],
        memory=400,
    ),
    "errors": Case(
        "the same with an error at every site",
        10,
        lambda folder: [sys.executable, "-c", LOAD, str(folder / "register")],
        spoilt=True,
    ),
    "servers": Case(
        "ansible-inventory --list, 1,600 servers",
        6,
        lambda folder: [str(BIN / "ansible-inventory"), "-i", str(folder / "sites.register.yml"), "--list"],
        clients=False,
    ),
    "play": Case(
        "an empty play, 1,600 servers",
        5,
        lambda folder: [str(BIN / "ansible-playbook"), "-i", str(folder / "sites.register.yml"), str(folder / "p.yml")],
        clients=False,
    ),
    "plan": Case(
        "playbooks/plan.yml, 1,600 sites with 12,800 clients",
        60,
        lambda folder: [
            str(BIN / "ansible-playbook"),
            *("-i", str(folder / "sites.register.yml"), str(ROOT / "playbooks" / "plan.yml")),
            *("-e", f"interactor_state_dir={folder / 'state'}"),
            *("-e", f"interactor_journal=sqlite:///{folder / 'state' / 'journal.sqlite'}"),
            *("-e", "plan_from=2027-01-25", "-e", "plan_to=2027-07-24"),
        ],
    ),
    "all": Case(
        "ansible-inventory --list, all 14,400 hosts",
        45,
        lambda folder: [str(BIN / "ansible-inventory"), "-i", str(folder / "sites.register.yml"), "--list"],
    ),
}


@dataclass(frozen=True)
class Measured:
    """What a case took: seconds of processor time, MB of memory, exit code, and what it printed."""

    seconds: float
    memory: float
    code: int
    out: str
    err: str


def measure(case: Case, folder: Path) -> Measured:
    """Write the case's fleet into `folder`, which is empty, and run it."""
    write_inventory(folder, sites=SITES, clients=CLIENTS, seed=SEED)
    (folder / "p.yml").write_text(PLAY, encoding="utf-8")
    if case.spoilt:
        for file in (folder / "register").glob("*.yml"):
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace("    kind: ", "    kind: x"), encoding="utf-8")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "INTERACTOR_"))
    }
    environment |= {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_HOME": str(folder / "home"),
        "INTERACTOR_CLIENTS": str(case.clients),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "collections")]),
    }
    out, err = folder / "out", folder / "err"
    with out.open("wb") as to_out, err.open("wb") as to_err:
        process = subprocess.Popen(case.command(folder), cwd=ROOT, env=environment, stdout=to_out, stderr=to_err)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Measured(_seconds(used), used.ru_maxrss / 1024, process.returncode, _text(out), _text(err))


def _seconds(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def main() -> None:
    """Print a row for each case."""
    print(f"fleet: {SITES} sites with {CLIENTS} clients, seed {SEED}; seconds of processor time")
    for case in CASES.values():
        with TemporaryDirectory() as folder:
            found = measure(case, Path(folder))
        print(f"| {case.name} | {found.seconds:.1f} | {case.seconds:g} | {found.memory:.0f} MB |", flush=True)
    with TemporaryDirectory() as folder:
        print(manifest_row(Path(folder)))


def manifest_row(folder: Path) -> str:
    """The row of a large office's manifest, counted in the PowerShell engine; the memory is what it takes more."""
    (folder / "engine").mkdir()
    contract = yaml.safe_load((ROOT / "roles/vendor_contract/defaults/main.yml").read_text(encoding="utf-8"))
    try:
        engine = Engine(folder / "engine")
    except pytest.skip.Exception as why:
        return f"no manifest was counted: {why}"
    try:
        server = Server(folder / "server", contract["vendor_contract"], engine)
        cost = measure_manifest(server, engine, ORDERS, folder)
    finally:
        engine.close()
    name = f"a manifest of {ORDERS:,} orders, in the PowerShell engine"
    return f"| {name} | {cost.seconds:.1f} | {MOST_SECONDS} | {cost.megabytes:.0f} MB |"


if __name__ == "__main__":
    main()
