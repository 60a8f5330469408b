"""The life of one office, taken on the model and the engine at once: every step of ours that its hosts can take."""

from __future__ import annotations

from functools import partial
from typing import Any

from simulator.scenario import CATEGORIES
from tests.engine.twins import Twins

KEY = "key-of-the-attempt"
DAY = "2027-05-18"
EVENING, NIGHT, MIDWAY, LATER = (
    "2027-05-17T16:00:00Z", "2027-05-18T18:30:00Z", "2027-05-18T18:50:00Z", "2027-05-18T19:25:00Z",
)  # fmt: skip


class Life:
    """The life of one office on both: every step of ours that its server can take."""

    def __init__(self, twins: Twins, site: str) -> None:
        self.twins = twins
        self.site = site
        hosts = [host for host in twins.model.world.hosts.values() if host.site == site and host.powered_on]
        self.clients = [host.name for host in hosts if host.role == "client"]
        self.server = next((host.name for host in hosts if host.role == "server"), None)

    def on_server(self, module: str, step: str | None = None, **options: Any) -> dict[str, Any]:
        assert self.server
        said = {"step": step, **options} if step else options
        return self.twins.everyway(self.server, module, site=self.site, **said)

    def preflight(self) -> None:
        if self.server:
            self.on_server("preflight", role="server")
        for client in self.clients:
            self.twins.ask(client, "preflight", site=self.site, role="client")
            self.twins.ask(client, "preflight", site=self.site, role="client", check=True, diff=True)

    def upgrade(self) -> None:
        self.on_server("upgrade", "look")
        assert self.on_server("upgrade", "stage")["staged"]
        assert self.on_server("upgrade", "install")["upgraded"]
        assert self.on_server("upgrade", "confirm")["upgraded"]

    def verify(self) -> None:
        """What the checklist of a real server looks at, and tries."""
        assert self.server
        ask = partial(self.twins.ask, self.server, "verify", site=self.site)
        trial = {"step": "trial", "history_months": 12, "day": DAY}
        ask(step="look")
        assert ask(check=True, **trial)["trial"] is None
        told = ask(**trial)["trial"]
        assert (told["task"]["ran"], told["manifest"]["error"], told["left"]) == (True, None, [])
        ask(step="again")

    def move(self) -> str:
        """Move to the end of the migration; the state that it ended in."""
        attempt = {"number": 1, "key": KEY, "sites": [self.site]}
        self.on_server("migrate", "look")
        assert self.on_server("migrate", "lease", warning="Lagre og lukk Interactor, så åpner vi igjen.")["held"]
        for client in self.clients:
            self.twins.ask(client, "migrate", site=self.site, step="users")
        opening = {"history_months": 12, "day": DAY, "mode": "server_in_cloud"}
        assert self.on_server("migrate", "manifest", attempt=attempt, **opening)["manifest"]
        self.on_server("migrate", "ids", attempt=attempt, categories=list(CATEGORIES))
        for fleet in self.twins.both:
            fleet.world.cloud.open_attempt(self.site, 1, KEY, 12)
        self.on_server("migrate", "start", attempt=attempt)
        self.twins.set_clock(MIDWAY)
        assert self.on_server("migrate", "follow", attempt=attempt)["status"]["state"] == "running"
        self.twins.set_clock(LATER)
        return str(self.on_server("migrate", "follow", attempt=attempt)["status"]["state"])

    def end(self, state: str) -> None:
        attempt = {"number": 1, "key": KEY, "sites": [self.site]}
        switched = self.on_server("migrate", "switch", attempt=attempt)
        assert switched.get("failed", False) == (state != "completed")
        self.on_server("postcheck")
        self.on_server("migrate", "handback")
        assert self.on_server("migrate", "restore", attempt=attempt)["as_before"]["equal"]
        self.on_server("postcheck")
        self.on_server("upgrade", "look")


def live(life: Life) -> None:
    life.preflight()
    if life.server is None:
        return
    life.twins.set_clock(EVENING)
    life.upgrade()
    life.verify()
    life.twins.set_clock(NIGHT)
    life.end(life.move())
