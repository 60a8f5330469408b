"""One night with real processes: ansible-playbook is killed, cut off, met by a restart, and wave.yml is run again.

Every case has a site of its own, so that one simulated night holds many; one site more is left undisturbed, and every
site has to end as that one does.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from simulator import demo
from simulator.faults import cloud_of
from simulator.testing import Simulation, running

ROOT = Path(__file__).resolve().parent.parent
UNDISTURBED = "1000"
AT_ONCE = 2
STAGES = {"start": "2027-05-18T18:30:00Z", "running": "2027-05-18T18:45:00Z", "end": "2027-05-18T19:20:00Z"}
MORNING = "2027-05-19T05:00:00Z"
SECOND_DATE, SECOND_NIGHT = "2027-05-20", ("2027-05-20T18:30:00Z", "2027-05-20T19:20:00Z", "2027-05-21T05:00:00Z")
RELEASE = dict(demo.release(STAGES["start"], 1, "2027-05-22").variables)
NO_BUDGET = {side: {"count": 99} for side in ("ours", "theirs")}
"""A night here breaks at most of its sites on purpose: none of them may halt the others."""
_PROJECT = ("ansible.cfg", "playbooks", "roles", "collections")


@dataclass(frozen=True)
class Case:
    """What breaks at a site.

    stage: in which tick: that which starts the migration, one while it runs, or the one that finds it finished.
    call: at which call of the server, or with a `cloud` in front, of the cloud (simulator.faults); empty: of none, the
        controller is killed `seconds` after its start.
    do: `kill` the controller there, `cut` the line, `restart` the server.
    again: a second call at which the controller that rolls back is killed.
    late: the call that was held when its controller was killed arrives after the next controller has been at work.
    elsewhere: the next run is from another folder with a journal of its own; else with the same journal.
    """

    stage: Literal["start", "running", "end"]
    call: str
    when: Literal["before", "after"] = "before"
    do: Literal["kill", "cut", "restart"] = "kill"
    again: str = ""
    late: bool = False
    elsewhere: bool = True
    seconds: float = 0.0

    def __str__(self) -> str:
        where = f"{self.when} {self.call}" if self.call else f"after {self.seconds:.2f} s"
        more = [f"then before {self.again}"] * bool(self.again) + ["which arrives late"] * self.late
        resumed = "from another folder" if self.elsewhere else "with the same journal"
        return ", ".join([f"{self.stage}: {self.do} {where}", *more, resumed])

    @property
    def loses_the_night(self) -> bool:
        """Whether the server goes down while the vendor's program runs: the move is undone, and made another night."""
        return self.do == "restart"


@dataclass(frozen=True)
class End:
    """How a site stood in the morning, without what differs from site to site; and why it does not, if so."""

    row: Mapping[str, Any]
    host: Mapping[str, Any]
    cloud: Sequence[str]
    rolled_back: bool


class Folder:
    """A copy of the project and a journal of its own, as on another machine."""

    def __init__(self, folder: Path, inventory: Path, simulation: Simulation) -> None:
        self._folder = folder
        self._inventory = inventory
        self.state = folder / "state"
        self._environment = {**demo.ansible_environment(simulation, self.state), "COLUMNS": "200"}
        # Every fork of ansible would compile the copy anew.
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self._environment["ANSIBLE_CONFIG"] = str(folder / "ansible.cfg")
        self._environment["PYTHONPATH"] = os.pathsep.join([str(folder), str(folder / "collections")])
        for name in _PROJECT:
            source = ROOT / name
            ignore = shutil.ignore_patterns("__pycache__", "tests", ".*")
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=ignore)
            else:
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, folder / name)

    def start(self, playbook: str, sites: Iterable[str] = (), **variables: object) -> subprocess.Popen[str]:
        """Start a playbook as the leader of a process group of its own."""
        limit = ",".join(f"site_{site}" for site in sites)
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        # Nobody reads the page, and a template costs more than a whole question to the gate.
        said = json.dumps({**variables, "report_dir": "", "reconciler_settings": {"failure_budget": NO_BUDGET}})
        command = [program, "-i", str(self._inventory), f"playbooks/{playbook}.yml", "-e", said]
        return subprocess.Popen(
            [*command, *(["--limit", limit] if limit else [])],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def play(self, playbook: str, sites: Iterable[str] = (), **variables: object) -> None:
        """Run a playbook to its end, which has to be one that is its own."""
        process = self.start(playbook, sites, **variables)
        output, _ = process.communicate()
        assert demo.ended_well(process.returncode, output), output


def kill(process: subprocess.Popen[str]) -> None:
    """End a playbook and every process that it has started, at once."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


class Night:
    """The whole way of every case's site, which has the newest version, from its evening to the morning after."""

    def __init__(self, folder: Path, simulation: Simulation, cases: Mapping[str, Case]) -> None:
        self._simulation = simulation
        self._cases = cases
        self._folder = folder
        self._home, self._away = (Folder(folder / name, self._inventory, simulation) for name in ("home", "away"))
        self._first = simulation.state()["hosts"]
        self._undone: list[str] = []

    @property
    def _inventory(self) -> Path:
        return self._folder / "inventory" / "sites.register.yml"

    def run(self, *, second: bool = True) -> dict[str, End]:
        """Take every site through its night; who was rolled back, with `second`, through another one too."""
        self._all(*(lambda folder=folder: folder.play("release", **RELEASE) for folder in (self._home, self._away)))
        self._all(
            *(lambda site=site: self._break(site) for site in self._of("start")),
            lambda: self._home.play("wave", [UNDISTURBED, *self._of("running"), *self._of("end")]),
        )
        late = [site for site in self._of("start") if self._cases[site].late]
        for site in self._of("start"):
            if site not in late:
                self._simulation.mend(_server(site), drop=True)
                self._simulation.mend(cloud_of(site), drop=True)
        self._resume(self._of("start"))
        for site in late:
            self._simulation.mend(_server(site))
            self._simulation.mend(cloud_of(site))
        if self._of("running"):
            self._to("running")
            self._all(*(lambda site=site: self._break(site) for site in self._of("running")))
            self._all(*(lambda site=site: self._break_again(site) for site in self._of("running")))
            self._resume(self._of("running"))
        self._to("end")
        self._all(*(lambda site=site: self._break(site) for site in self._of("end")))
        self._simulation.mend(drop=True)
        self._resume([UNDISTURBED, *self._cases])
        # What has come to its end looks the same to everybody: from here on one controller is enough.
        self._simulation.set_clock(MORNING)
        self._away.play("wave")
        self._undone = [site for site, row in demo.rows(self._away.state).items() if row["outcome"] == "rolled_back"]
        for site in self._undone:
            self._is_local(site)
        if second and self._undone:
            self._second_night()
        state = self._simulation.state()
        return {site: self._end(site, state) for site in [UNDISTURBED, *self._cases]}

    def _to(self, stage: str) -> None:
        self._simulation.set_clock(STAGES[stage])

    def _of(self, stage: str) -> list[str]:
        return [site for site, case in self._cases.items() if case.stage == stage]

    def _all(self, *tasks: Callable[[], None]) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for done in [pool.submit(task) for task in tasks]:
                done.result()

    def _break(self, site: str) -> None:
        """A tick for the site alone, in which its fault comes."""
        case = self._cases[site]
        if not case.call:
            self._kill_after(site, case.seconds)
            return
        of_cloud = case.call.startswith("cloud")
        host, call = (cloud_of(site), f"attempts {case.call.split()[1]}") if of_cloud else (_server(site), case.call)
        do = "hold" if case.do == "kill" else case.do
        self._broken_at(site, host, call, case.when, do)
        if do != "hold":
            self._simulation.mend(host)

    def _break_again(self, site: str) -> None:
        if self._cases[site].again:
            self._broken_at(site, _server(site), self._cases[site].again, "after", "hold")
            self._simulation.mend(_server(site), drop=True)

    def _broken_at(self, site: str, host: str, call: str, when: str, do: str) -> None:
        self._simulation.arm(host, call, do=do, when=when)
        process = self._home.start("wave", [site])
        if do != "hold":
            output, _ = process.communicate()
            assert demo.ended_well(process.returncode, output), output
            try:
                self._simulation.came(host)
            except TimeoutError:
                raise AssertionError(f"{call} never came at site {site}: {output}") from None
            return
        try:
            self._simulation.came(host)
        except TimeoutError:
            kill(process)
            raise
        assert process.poll() is None
        kill(process)

    def _kill_after(self, site: str, seconds: float) -> None:
        process = self._home.start("wave", [site])
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            kill(process)

    def _resume(self, sites: Sequence[str]) -> None:
        """wave.yml again, each site from where its case wants it."""
        elsewhere = [site for site in sites if site in self._cases and self._cases[site].elsewhere]
        same = [site for site in sites if site not in elsewhere]
        pairs = ((self._home, same), (self._away, elsewhere))
        self._all(*(lambda of=of, which=which: of.play("wave", which) for of, which in pairs if which))

    def _second_night(self) -> None:
        """Who was rolled back agrees to another date."""
        write_register(self._folder, self._cases, dict.fromkeys(self._undone, SECOND_DATE))
        for moment in SECOND_NIGHT:
            self._simulation.set_clock(moment)
            self._away.play("wave", self._undone)

    def _is_local(self, site: str) -> None:
        """A site that was rolled back is as it was in the evening, and nothing of it lives in the cloud."""
        state = self._simulation.state()
        assert {attempt["state"] for attempt in state["cloud"][site]} == {"discarded"}
        host, first = state["hosts"][_server(site)], self._first[_server(site)]
        assert {path: host["files"].get(path) for path in first["files"]} == first["files"]
        assert not [path for path in host["files"] if path.endswith("maintenance.flag")]
        assert [host[name] for name in ("services", "tasks")] == [first[name] for name in ("services", "tasks")]

    def _end(self, site: str, state: Mapping[str, Any]) -> End:
        row, host = demo.rows(self._away.state)[site], state["hosts"][_server(site)]
        files = {path: digest for path, digest in host["files"].items() if "\\InteractorMove" not in path}
        first = self._first[_server(site)]["files"]
        return End(
            row={name: row[name] for name in ("state", "outcome", "counts", "owes", "needs_us", "why")},
            host={
                **{name: host[name] for name in ("services", "processes", "proxies")},
                "tasks": sorted(host["tasks"]),
                "paths": sorted(files),
                "interactor": {path: files[path] for path in files if path.endswith((".exe", "interactor.json"))},
                "changed": sorted(path for path in first if files.get(path) != first[path] and "\\DIPS\\" not in path),
            },
            cloud=[attempt["state"] for attempt in state["cloud"][site] if attempt["state"] != "discarded"],
            rolled_back=site in self._undone,
        )


def _server(site: str) -> str:
    return f"srv.s{site}.example"


def write_register(folder: Path, cases: Iterable[str], dates: Mapping[str, str]) -> None:
    """The inventory of the night's sites; `dates` has those that are not the first."""
    source = folder / "inventory"
    (source / "register").mkdir(parents=True, exist_ok=True)
    sites = [
        {
            "id": site, "name": f"Kontor {site}", "kind": "gp_office", "county": "Vestland", "language": "nb",
            "epj": "Journalen", "wave": 1, "move_date": dates.get(site, "2027-05-18"), "closed": [],
            "contact": {"name": "Kari Prøve", "email": "kari@prove.example", "phone": "55 00 00 00"},
            "agreement": {"status": "signed", "sent": "2027-04-01", "signed": "2027-04-15", "reference": f"A-{site}"},
            "signatory_known": True, "confirmed": {"urls": "2027-04-20", "proxy": "2027-04-20"}, "history_months": 12,
            "server": {"host": _server(site), "credential": "demo"},
            "clients": [{"name": "pc1", "host": f"pc1.s{site}.example", "credential": "demo"}],
        }
        for site in (UNDISTURBED, *cases)
    ]  # fmt: skip
    text = yaml.safe_dump({"sites": sites}, allow_unicode=True, sort_keys=False)
    (source / "register" / "sites.yml").write_text(text, encoding="utf-8")


@contextmanager
def night(folder: Path, cases: Mapping[str, Case]) -> Iterator[Night]:
    """A simulation with the sites of `cases`, and the two folders from which they are moved."""
    sites = {site: {"domain": f"s{site}.example", "clients": ["pc1"]} for site in (UNDISTURBED, *cases)}
    data = {"orders": 96, "started_requisitions": 7, "favourite_packages": 5}
    scenario = {
        "clock": STAGES["start"],
        "defaults": {"data": data, "interactor": {"version": "6.2.0"}},
        "sites": sites,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scenario.yml").write_text(yaml.safe_dump(scenario), encoding="utf-8")
    shutil.copytree(ROOT / "inventories" / "demo", folder / "inventory", ignore=shutil.ignore_patterns("wave*.yml"))
    write_register(folder, cases, {})
    waves = {"waves": [{"id": 1, "name": "Tuesday 18 May 2027"}]}
    (folder / "inventory" / "register" / "waves.yml").write_text(yaml.safe_dump(waves), encoding="utf-8")
    with running(folder / "scenario.yml", folder / "simulator") as simulation:
        yield Night(folder, simulation, cases)


CALLS: dict[Literal["start", "end"], tuple[str, ...]] = {
    "start": ("cloud GET", "cloud POST", "_migrate lease", "_migrate manifest", "_migrate start", "_migrate follow"),
    "end": ("_migrate follow", "cloud GET", "_migrate switch", "_migrate handback"),
}


def random_cases(seed: int, count: int) -> dict[str, Case]:
    """Cases by a seed: by far most kill the controller, at a call or at any instant of its run."""
    dice = random.Random(seed)
    return {str(1001 + number): _random_case(dice) for number in range(count)}


def _random_case(dice: random.Random) -> Case:
    elsewhere, when = dice.random() < 0.5, dice.choice(("before", "after"))
    kind = dice.choice(("kill", "kill", "instant", "instant", "cut", "restart"))
    if kind == "restart":
        again = dice.choice(("", "_migrate restore"))
        return Case("running", "_migrate follow", when, "restart", again, elsewhere=elsewhere)
    stage: Literal["start", "end"] = dice.choice(("start", "end"))
    if kind == "instant":
        return Case(stage, "", seconds=dice.uniform(0.3, 8.0), elsewhere=elsewhere)
    call = dice.choice(CALLS[stage])
    if kind == "cut":
        return Case(stage, call, when, "cut", elsewhere=elsewhere)
    return Case(
        stage, call, when, late=call.startswith("_") and stage == "start" and dice.random() < 0.3, elsewhere=elsewhere
    )
