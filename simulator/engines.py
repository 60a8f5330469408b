"""Which engine runs the commands of a host."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.calls import Engine, Unknown
from simulator.engine import PowerShellEngine, temporary
from simulator.engine.discovery import EngineBroken, EngineMissing, find_pwsh
from simulator.engine.pool import Pool
from simulator.scenario import ScenarioError
from simulator.wine import Network, WineEngine
from simulator.wine.discovery import WineMissing, find_tools

if TYPE_CHECKING:
    from simulator.host import SimulatedHost

USER = "interactor-svc"
"""The account that logs in at every host."""


class Engines:
    """Makes the engines of a world's hosts; what they share is made when the first one is wanted.

    Args:
        most: how many PowerShell processes run at once; one for each processor of this machine where it is not said.
        wine: where machines of Wine lie, and how they get into the simulated internet; None: there are none.
    """

    def __init__(self, most: int | None = None, wine: tuple[Path, Network] | None = None) -> None:
        self._wine = wine
        self._most = most or os.cpu_count() or 1
        self._pool: Pool | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def of(self, host: SimulatedHost) -> Engine | None:
        """The engine that the scenario wants for a host; None where its model answers.

        Raises ScenarioError for an engine that is not there.
        """
        # Windows has made it by the time that the account comes in, whatever answers it.
        host.drive.make_folder(temporary(USER))
        match host.machine.engine:
            case "model":
                return None
            case "powershell":
                return self._powershell(host)
            case "wine":
                return self._on_wine(host)

    @property
    def figures(self) -> dict[str, float]:
        """How many commands and scripts of tasks have run in PowerShell, and the processor's seconds for them."""
        if self._pool is None:
            return {"commands": 0, "cpu_seconds": 0.0}
        return {"commands": self._pool.commands, "cpu_seconds": round(self._pool.cpu_seconds, 3)}

    async def close(self) -> None:
        """End all processes, and remove the hosts' drives."""
        if self._pool is not None:
            await self._pool.close()
        if self._folder is not None:
            self._folder.cleanup()

    def _on_wine(self, host: SimulatedHost) -> Engine:
        if self._wine is None:
            raise ScenarioError(f"{host.name}: engine: is 'wine', which only a simulation of its own process has")
        folder, network = self._wine
        try:
            return WineEngine(host, find_tools(), folder / host.name, network)
        except (WineMissing, Unknown) as error:
            raise ScenarioError(f"{host.name}: engine: {error}") from error

    def _powershell(self, host: SimulatedHost) -> Engine:
        try:
            if self._pool is None:
                self._pool = Pool(find_pwsh(), self._most)
                self._folder = tempfile.TemporaryDirectory(prefix="interactor-drives-")
            assert self._folder is not None
            folder = tempfile.mkdtemp(prefix=f"{host.name}-", dir=self._folder.name)
            return PowerShellEngine(host, self._pool, Path(folder), USER)
        except (EngineMissing, EngineBroken, Unknown) as error:
            raise ScenarioError(f"{host.name}: engine: {error}") from error
