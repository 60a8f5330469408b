"""A world in this very process: no wire, a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import yaml

from simulator.calls import FetchError, ModuleCall, Page
from simulator.clock import Clock, stamp
from simulator.scenario import Scenario
from simulator.world import World

ROOT = Path(__file__).resolve().parents[2]
KEY = "9001-1-4f3a"


class Opened(Protocol):
    """Makes an office; what is given goes into the scenario's site."""

    def __call__(self, **said: object) -> Office: ...


def page_of(world: World, url: str, start: int = 0, most: int | None = None) -> Page:
    """What a server of the world answers, without a wire; FetchError where nobody has that name."""
    address = urlsplit(url)
    pages = world.pages.get(address.hostname or "", {})
    page = pages.get(address.path) or pages.get("*")
    if page is None:
        raise FetchError(f"{address.hostname} is not a known name")
    body = page.body if isinstance(page.body, bytes) else page.body.encode()
    part = body[start:] if most is None else body[start : start + most]
    status = page.status if not start else 206 if start < len(body) else 416
    return Page(status, part, page.content_type, url, "CN=Test", 7, tag="one", first=start, total=len(body))


class Office:
    """Site 9001 of a world, called as the controller would."""

    def __init__(self, said: dict[str, Any]) -> None:
        site = {"domain": "proverom.example", "clients": ["pc1"], **said}
        self.scenario = Scenario.model_validate({"sites": {"9001": site}})
        self.clock = Clock(self.scenario.clock)
        self.world = World(self.scenario, self.clock, self.fetch)
        defaults = (ROOT / "roles/vendor_contract/defaults/main.yml").read_text(encoding="utf-8")
        self.contract: dict[str, Any] = yaml.safe_load(defaults)["vendor_contract"]
        self.contract["installer"]["sha256"] = self.world.installer_sha256
        self.server = self.world.hosts["srv.proverom.example"]

    async def fetch(self, url: str, start: int = 0, most: int | None = None) -> Page:
        return page_of(self.world, url, start, most)

    def raw(self, name: str, arguments: dict[str, Any], *, check: bool = False, host: str = "srv") -> dict[str, Any]:
        """One module with these arguments and no others."""
        call = ModuleCall(name, arguments, check, False)
        answer = asyncio.run(self.world.hosts[f"{host}.proverom.example"].run(call))
        result: dict[str, Any] = json.loads(answer.stdout)
        assert answer.code == (1 if result.get("failed") else 0)
        return result

    def ask(self, module: str, *, check: bool = False, host: str = "srv", **options: object) -> dict[str, Any]:
        """One of our modules with the options that all have."""
        common: dict[str, Any] = {"contract": self.contract, "site": "9001", "run_id": "run-1"}
        common["now"] = stamp(self.clock.now())
        if module in ("migrate", "upgrade"):
            common["lease_script"] = "# what the task runs\n"
        name = f"helsevest.interactor.interactor_{module}"
        given = {key: value for key, value in {**common, **options}.items() if value is not None}
        return self.raw(name, given, check=check, host=host)

    def migrate(
        self, step: str, *, number: int = 1, key: str = KEY, check: bool = False, **more: object
    ) -> dict[str, Any]:
        """A step of interactor_migrate with all options that any step takes."""
        given: dict[str, Any] = {
            "step": step,
            "attempt": {"number": number, "key": key},
            "history_months": 12,
            "day": self.clock.now().astimezone(ZoneInfo("Europe/Oslo")).date().isoformat(),
            "mode": "server_in_cloud",
            **more,
        }
        return self.ask("migrate", check=check, **given)

    def well(self, result: dict[str, Any]) -> dict[str, Any]:
        assert not result.get("failed"), result["msg"]
        return result

    def upgrade(self) -> None:
        """Bring Interactor to the newest version."""
        self.well(self.ask("upgrade", step="stage"))
        assert self.well(self.ask("upgrade", step="install"))["upgraded"]

    def bring_to(self, state: str) -> None:
        """Upgrade, and take attempt 1 to a state of the ledger."""
        self.upgrade()
        self.well(self.migrate("lease"))
        self.well(self.migrate("manifest"))
        if state == "prepared":
            return
        self.world.cloud.open_attempt("9001", 1, KEY, 12)
        self.well(self.migrate("start"))
        if state == "running":
            return
        self.later(42)
        self.well(self.migrate("follow"))
        if state == "switched":
            self.well(self.migrate("switch"))
        assert self.ledger["attempts"][-1]["state"] == state

    @property
    def ledger(self) -> dict[str, Any]:
        path = self.contract["paths"]["work"] + "\\ledger.json"
        found: dict[str, Any] = json.loads(self.server.drive.read(path))
        return found

    def write_ledger(self, content: bytes) -> None:
        self.server.drive.write(self.contract["paths"]["work"] + "\\ledger.json", content)

    def save(self, ledger: dict[str, Any]) -> None:
        """Give the server another ledger."""
        self.write_ledger(json.dumps(ledger).encode())

    def later(self, minutes: int) -> None:
        """Let time pass."""
        self.clock.advance_to(self.clock.now() + timedelta(minutes=minutes))
