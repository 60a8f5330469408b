"""For tests and the demonstration: a simulation as a process of its own, and what its control API says."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

_ROOT = Path(__file__).resolve().parent.parent
_READY_SECONDS = 60.0
_END_SECONDS = 30.0
_ANSWER_SECONDS = 300.0
"""Before an answer of the control API, scripts of tasks may run."""
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Simulation:
    """A running simulation. `path` is its `simulation.json`, `facts` the content."""

    path: Path
    facts: dict[str, Any]

    @property
    def environment(self) -> dict[str, str]:
        """What ansible needs in its environment, beside the caller's own."""
        return {"INTERACTOR_SIMULATION": str(self.path)}

    @property
    def clock_url(self) -> str:
        """Where the clock is read and moved."""
        return str(self.facts["clock_url"])

    def now(self) -> str:
        """The simulated moment."""
        return str(_ask(self.clock_url)["now"])

    def set_clock(self, until: str) -> str:
        """Move the clock forward to a moment such as `2027-05-18T18:30:00Z`; answers the moment it then is."""
        return str(_ask(self.clock_url, {"until": until})["now"])

    def calls(self) -> list[dict[str, str]]:
        """The calls that arrived so far, `{host, call}` each."""
        return list(_ask(f"{self.facts['control_url']}/calls"))

    def engines(self) -> dict[str, float]:
        """What ran in PowerShell: `commands`, and `cpu_seconds` that they took together."""
        return dict(_ask(f"{self.facts['control_url']}/engines"))

    def count_traffic(self) -> None:
        """Count anew what goes over the lines."""
        _ask(f"{self.facts['control_url']}/traffic", {})

    def traffic(self) -> dict[str, dict[str, float]]:
        """By host since then: `requests`, bytes `received` and `sent`, and when the `last` came, in real seconds."""
        return dict(_ask(f"{self.facts['control_url']}/traffic"))

    def slow(self, host: str, seconds: int) -> None:
        """Let every call to `host` take so many real seconds more."""
        _ask(f"{self.facts['control_url']}/slow", {"host": host, "seconds": seconds})

    def restart(self, host: str) -> None:
        """Start a host again."""
        _ask(f"{self.facts['control_url']}/hosts/{host}/restart", {})

    def arm(self, host: str, call: str, *, do: str, when: str, nth: int = 1, **more: str) -> None:
        """Let a call of `host`, or a request to the cloud, be held, cut off, met by a restart or spoiled.

        `more` are further fields of a fault (simulator.faults).
        """
        _ask(self._faults, {"host": host, "call": call, "nth": nth, "when": when, "do": do, **more})

    def came(self, host: str, seconds: float = 60.0) -> None:
        """Wait until the fault that was armed for a host has come. Raises TimeoutError after so many seconds."""
        _ask(f"{self._faults}/came?host={host}", seconds=seconds)

    def mend(self, host: str | None = None, *, drop: bool = False) -> None:
        """Nothing of a host, or of any, is armed, held or broken; with `drop` what was held comes to nothing."""
        said = {"drop": "true" if drop else "false", **({"host": host} if host else {})}
        _ask(f"{self._faults}/mend?{urlencode(said)}", {})

    @property
    def _faults(self) -> str:
        return f"{self.facts['control_url']}/faults"

    def state(self) -> dict[str, Any]:
        """The state of every host and of the cloud."""
        return dict(_ask(f"{self.facts['control_url']}/state"))


@contextmanager
def running(
    scenario: Path, run_dir: Path, *, rate: float = 0.0, engine: str | None = None, module: str = "simulator"
) -> Iterator[Simulation]:
    """Start a simulation, wait until it is ready, and end it with the block; it also ends when this process dies.

    Args:
        scenario: the scenario's file.
        run_dir: the folder for `simulation.json`.
        rate: simulated seconds per second.
        engine: what the servers run on, where the scenario does not say; None: on the model.
        module: what is run, for tests with a world of their own.

    Raises:
        RuntimeError: it ended or stayed silent instead of getting ready; the text is what it said.
    """
    command = [sys.executable, "-m", module, "--scenario", str(scenario), "--run-dir", str(run_dir), "--with-parent"]
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    errors = run_dir / "simulator.log"
    run_dir.mkdir(parents=True, exist_ok=True)
    with errors.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [*command, "--rate", str(rate), *(["--engine", engine] if engine else [])],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], _READY_SECONDS)
        line = process.stdout.readline() if ready else ""
        if not line.startswith("ready: "):
            process.terminate()
            process.wait(10)
            raise RuntimeError(f"the simulator did not get ready: {errors.read_text(encoding='utf-8').strip() or line}")
        path = run_dir.resolve() / "simulation.json"
        yield Simulation(path, json.loads(path.read_text(encoding="utf-8")))
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _ask(url: str, body: Mapping[str, str | int] | None = None, seconds: float = _ANSWER_SECONDS) -> Any:  # noqa: ANN401
    data = None if body is None else json.dumps(body).encode()
    with _DIRECT.open(urllib.request.Request(url, data), timeout=seconds) as answer:
        return json.load(answer)
