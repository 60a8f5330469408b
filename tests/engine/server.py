"""One server twice, on the model and on the engine; what is done to one is done to the other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from simulator.clock import stamp
from simulator.host import SimulatedHost
from tests.engine.twins import Twins

KEY = "9001-1-4f3a"
OPENING: dict[str, Any] = {"history_months": 12, "day": "2027-05-10", "mode": "server_in_cloud"}


class Server:
    """Site 9001's server, twice: every call is taken on both, and what is done to one is done to the other."""

    def __init__(self, twins: Twins) -> None:
        self.twins = twins
        self.contract = twins.contract
        self.contract["untouched"] = {
            "services": ["EPJServer", "Ingen"],
            "folders": [r"C:\EPJ"],
            "files": [r"C:\EPJ\Data\journal.mdf", r"C:\EPJ\ingen.ini"],
        }
        self.hosts = twins.hosts("srv.begge.example")
        self.ledger = self.contract["paths"]["work"] + "\\ledger.json"

    def take(self, module: str, step: str | None = None, *, check: bool = False, **options: Any) -> dict[str, Any]:
        said = {"step": step, **options} if step else options
        return self.twins.ask(self.hosts[0].name, module, site="9001", check=check, **said)

    def twice(self, module: str, step: str, **options: Any) -> dict[str, Any]:
        """In check mode, for real, and once more, which changes nothing."""
        self.take(module, step, check=True, **options)
        first = self.take(module, step, **options)
        assert not first.get("failed"), first
        assert self.take(module, step, **options)["changed"] is False
        return first

    def each(self, act: Callable[[SimulatedHost], object]) -> None:
        """Do something to both hosts."""
        for host in self.hosts:
            act(host)

    def write(self, path: str, content: bytes) -> None:
        self.each(lambda host: host.drive.write(path, content))

    def pass_minutes(self, minutes: int) -> None:
        self.twins.set_clock(stamp(self.twins.model.clock.now() + timedelta(minutes=minutes)))

    def upgrade(self) -> None:
        self.twice("upgrade", "stage")
        self.twice("upgrade", "install")
        again = self.take("upgrade", "stage")
        assert (again["changed"], again["staged"], again["ledger"]["upgrade"]["state"]) == (False, True, "done")

    def open(self) -> dict[str, Any]:
        """Take the lease and open attempt 1."""
        self.twice("migrate", "lease")
        attempt = {"number": 1, "key": KEY}
        self.twice("migrate", "manifest", attempt=attempt, **OPENING)
        for fleet in self.twins.both:
            fleet.world.cloud.open_attempt("9001", 1, KEY, 12)
        return attempt


Opened = Callable[..., Server]
"""Makes a server with what is said of its site."""
