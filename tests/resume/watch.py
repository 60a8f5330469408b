"""What must hold at every instant, and how a site has to stand at the end; told by none of the code that is tested."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from simulator.files import join
from simulator.programs import described
from tests.resume.driver import Fleet

OSLO = ZoneInfo("Europe/Oslo")
MOVE_TAKES = timedelta(minutes=60)
LIVING = ("open", "receiving", "completed", "failed")
_OF_AN_ATTEMPT = ("number", "state", "mode", "history_months", "before", "counts", "untouched")


class Watch:
    """Looks at one site's hosts and cloud at each change and at each boundary; AssertionError at the first wrong thing.

    The windows are counted here anew: the upgrade 17:00 to 22:00 on the last working day before, which is Friday for
    the move of Tuesday 18 May 2027 (Monday is a holiday) and the day before for others; the move 20:00 to 06:00.
    """

    def __init__(self, fleet: Fleet, site: str) -> None:
        self._fleet = fleet
        self._site = site
        self._host = fleet.hosts[f"{site}-server"]
        self._config = self._read_config()
        self._other = self._untouched()
        self._version, self._mode, self._started = self._installed(), self._config["mode"], 0
        fleet.drive(f"{site}-server").changed = lambda _path: self.look()

    def look(self) -> None:
        """Everything that must hold at this instant."""
        self._look_at_cloud()
        self._look_at_migrations()
        config = self._read_config()
        modes = self._fleet.contract["config"]["modes"]
        assert {**config, "mode": "", "endpoint": ""} == {**self._config, "mode": "", "endpoint": ""}
        told = {"mode": config["mode"], "endpoint": config["endpoint"]}
        assert told in (modes["local"], modes["server_in_cloud"]), told
        if config["mode"] != self._mode and config["mode"] != "local":
            assert self._in_move(), f"switched at {self._fleet.now()}"
            assert self._flagged(), "switched while people were let in"
        self._mode = config["mode"]
        version = self._installed()
        if version not in (None, self._version):
            evening = self._upgrade_evening()
            assert version == "5.4.1" or evening[0] <= self._fleet.now() < evening[1], f"{version}, {self._fleet.now()}"
            self._version = version

    def _look_at_cloud(self) -> None:
        attempts = self._fleet.world.cloud.snapshot()[self._site]
        assert sum(attempt["state"] in LIVING for attempt in attempts) <= 1, f"two living attempts: {attempts}"

    def _look_at_migrations(self) -> None:
        programs = self._host.programs
        assert programs is not None
        if programs.migrations_started > self._started:
            assert programs.migrations_started == self._started + 1
            assert self._in_move(MOVE_TAKES), f"a migration was started at {self._fleet.now()}"
            assert self._flagged(), "a migration was started while people were let in"
            self._started = programs.migrations_started

    def at_the_end(self) -> None:
        """When nothing runs any more: nobody is kept out, and all that is not Interactor's is as it was."""
        assert not self._flagged()
        assert self._untouched() == self._other
        assert self.ledger()["lease"] in (None, {**(self.ledger()["lease"] or {}), "state": "free"})

    def is_local(self) -> None:
        """A site whose night was lost works locally, provably, and nothing of it lives in the cloud."""
        self.at_the_end()
        assert self._read_config() == self._config
        assert self._host.service_word(self._fleet.contract["service"]["name"]) == "running"
        assert all(attempt["state"] == "discarded" for attempt in self._fleet.world.cloud.snapshot()[self._site])
        assert all(attempt["state"] == "rolled_back" for attempt in self.ledger()["attempts"])
        assert self._host.programs is not None
        assert not self._host.programs.migrating
        assert not self._host.tasks

    def end(self) -> dict[str, Any]:
        """How the site stands, without what a disturbance may leave: moments, runs, keys, undone attempts, backups."""
        self.at_the_end()
        work = self._fleet.contract["paths"]["work"].casefold()
        attempts = self._fleet.world.cloud.snapshot()[self._site]
        completed = [attempt for attempt in attempts if attempt["state"] != "discarded"]
        assert [attempt["state"] for attempt in completed] == ["completed"]
        ledger = self.ledger()
        assert {attempt["state"] for attempt in ledger["attempts"][:-1]} <= {"rolled_back"}
        last = ledger["attempts"][-1]
        assert (last["number"], last["key"]) == (completed[0]["number"], completed[0]["key"])
        snapshot = self._host.snapshot()
        return {
            "cloud": {name: completed[0][name] for name in ("counts", "manifest")},
            "attempt": {name: last[name] for name in _OF_AN_ATTEMPT if name != "number"},
            "upgrade": {name: ledger["upgrade"][name] for name in ("state", "to", "reason")},
            "files": {path: each for path, each in snapshot["files"].items() if not path.casefold().startswith(work)},
            **{name: snapshot[name] for name in ("services", "processes", "proxies")},
            "tasks": sorted(snapshot["tasks"]),
        }

    def installing(self) -> bool:
        """Whether there is a backup, and no word yet of what the installer did: it runs, or is about to."""
        upgrade, work = self.ledger()["upgrade"], self._fleet.contract["paths"]["work"]
        begun = bool(upgrade) and upgrade["state"] == "staged" and upgrade["started"] and upgrade["code"] is None
        return bool(begun) and self._host.drive.is_folder(join(work, "backup", f"upgrade-{upgrade['from']}"))

    def ledger(self) -> dict[str, Any]:
        """The ledger as it lies on the server."""
        path = join(self._fleet.contract["paths"]["work"], "ledger.json")
        if not self._host.drive.is_file(path):
            return {"attempts": [], "lease": None, "upgrade": None}
        found: dict[str, Any] = json.loads(self._host.drive.read(path))
        return found

    def _read_config(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._host.drive.read(self._fleet.contract["paths"]["config"]))
        return found

    def _flagged(self) -> bool:
        return self._host.drive.is_file(self._fleet.contract["paths"]["maintenance_flag"])

    def _installed(self) -> str | None:
        path = join(self._fleet.contract["paths"]["install"], "Interactor.exe")
        return described(self._host.drive.read(path)).get("version") if self._host.drive.is_file(path) else None

    def _untouched(self) -> dict[str, Any]:
        """All that is neither Interactor's nor ours on the server, and the PC as a whole."""
        paths = self._fleet.contract["paths"]
        ours = tuple(paths[name].casefold() for name in ("install", "config", "work", "maintenance_flag"))
        # The folders above ours come and go with them.
        above = {paths["work"].rpartition("\\")[0].casefold() + "\\"}
        snapshot = self._host.snapshot()
        services = dict(snapshot["services"])
        interactor = services.pop(self._fleet.contract["service"]["name"])
        return {
            "files": {
                path: digest
                for path, digest in snapshot["files"].items()
                if not path.casefold().startswith(ours) and path.casefold() not in above
            },
            "services": services,
            "interactor": {name: said for name, said in interactor.items() if name != "state"},
            "pc": self._fleet.hosts[f"{self._site}-pc1"].snapshot(),
        }

    def _at(self, day: str, hour: int) -> datetime:
        return datetime.fromisoformat(f"{day}T{hour:02}:00:00").replace(tzinfo=OSLO)

    def move_window(self) -> tuple[datetime, datetime]:
        """When the move may run, of the date that the site has now."""
        opens = self._at(self._fleet.dates[self._site], 20)
        return opens, opens + timedelta(hours=10)

    def _in_move(self, room: timedelta = timedelta(minutes=5)) -> bool:
        opens, ends = self.move_window()
        return opens <= self._fleet.now() and self._fleet.now() + room <= ends

    def _upgrade_evening(self) -> tuple[datetime, datetime]:
        date = self._fleet.dates[self._site]
        day = "2027-05-14" if date == "2027-05-18" else (self._at(date, 12) - timedelta(days=1)).date().isoformat()
        return self._at(day, 17), self._at(day, 22)
