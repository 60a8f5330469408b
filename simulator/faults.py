"""Breaks a call on purpose: held, cut off or met by a restart, before its effect or after it; or its answer spoiled.

Tests arm a fault over the control API, wait until it has come, and mend it again. Nothing here sleeps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from simulator import manifest
from simulator.calls import Answer, Call, Engine, Host, HostDown, ModuleCall, Trouble
from simulator.spoil import Spoil, spoil

_CLOUD = "cloud/"


def cloud_of(site: str) -> str:
    """What the cloud is called here, as one site sees it: what breaks for one does not break for another."""
    return f"{_CLOUD}{site}"


def is_cloud(host: str) -> bool:
    """Whether a name is the cloud's, as some site sees it."""
    return host.startswith(_CLOUD) and host != _CLOUD


@dataclass(frozen=True)
class Fault:
    """What breaks: the `nth` call of `host` whose words end with `call`, such as `interactor_migrate start`.

    For the cloud `host` is `cloud_of` a site, and the words are path and method, such as `attempts POST`. `do`: `hold`
    lets the call wait until it is mended, `cut` ends the connection, `restart` restarts the host and ends it; the line
    then stays broken until it is mended. `spoil`, with `after` and for a host, lets this answer and those after it go
    out as `how` says, until it is mended; they then name `name`.
    """

    host: str
    call: str
    nth: int
    when: Literal["before", "after"]
    do: Literal["hold", "cut", "restart", "spoil"]
    how: Spoil = "not_json"
    name: str = ""


class _Armed:
    """A fault that is to come, or has."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.left = fault.nth
        self.came = asyncio.Event()
        self.mended = asyncio.Event()
        self.dropped = False

    @property
    def breaks(self) -> bool:
        """Whether a line is broken by it now."""
        return self.fault.do in ("cut", "restart") and self.came.is_set()


class Faults:
    """What is armed and what has come, until it is mended."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []

    def arm(self, fault: Fault) -> None:
        """Let a fault come."""
        self._armed.append(_Armed(fault))

    def is_broken(self, host: str) -> bool:
        """Whether the line to a host is broken."""
        return any(armed.breaks for armed in self._armed if armed.fault.host == host)

    async def came(self, host: str) -> None:
        """Wait until the newest fault of a host has come; KeyError where none is armed."""
        for armed in reversed(self._armed):
            if armed.fault.host == host:
                await armed.came.wait()
                return
        raise KeyError(host)

    def mend(self, host: str | None = None, *, drop: bool = False) -> None:
        """Nothing of a host, or of any, is armed, held or broken any more.

        A held call goes on; with `drop` it never comes to anything.
        """
        for armed in [each for each in self._armed if host in (None, each.fault.host)]:
            armed.dropped = drop
            armed.mended.set()
            self._armed.remove(armed)

    async def meet(self, host: str, words: str, when: str, restart: Callable[[], None]) -> Fault | None:
        """Where a call comes by, before its effect and after it: the fault that spoils its answer, or None.

        Raises HostDown where it, or its answer, is lost.
        """
        for armed in list(self._armed):
            fault = armed.fault
            # A host that answers badly does so as well when it is asked once more.
            if (
                (armed.came.is_set() and fault.do != "spoil")
                or (fault.host, fault.when) != (host, when)
                or not words.endswith(fault.call)
            ):
                continue
            armed.left -= 1
            if armed.left > 0:
                continue
            armed.came.set()
            if fault.do == "restart":
                restart()
            if fault.do == "spoil":
                return fault
            if fault.do != "hold":
                raise HostDown
            await armed.mended.wait()
            if armed.dropped:
                raise HostDown
        return None


class FaultyHost:
    """A host of the world over a line that may break (the protocol of simulator.calls)."""

    def __init__(self, host: Host, faults: Faults) -> None:
        self._host = host
        self._faults = faults

    @property
    def name(self) -> str:
        """The host's DNS name in lower case."""
        return self._host.name

    @property
    def powered_on(self) -> bool:
        """Whether it answers: it is on, and its line is whole."""
        return self._host.powered_on and not self._faults.is_broken(self.name)

    @property
    def trouble(self) -> Trouble | None:
        """Why its WinRM service is not reached as it should be."""
        return self._host.trouble

    def restart(self) -> None:
        """Go down and come up again."""
        self._host.restart()

    @property
    def engine(self) -> Engine | None:
        """The host's engine, over the same line."""
        return None if self._host.engine is None else _FaultyEngine(self, self._host.engine)

    async def run(self, call: Call) -> Answer:
        """Do what was called. Raises HostDown where the answer is not to go out."""
        return await self.carry(call, lambda: self._host.run(call))

    async def carry(self, call: Call | Answer, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Do the work of a call. Raises HostDown where the answer is not to go out."""
        if not isinstance(call, ModuleCall):
            return await work()
        words = f"{call.name} {call.arguments.get('step') or ''}".strip()
        await self._faults.meet(self.name, words, "before", self.restart)
        answer = await work()
        fault = await self._faults.meet(self.name, words, "after", self.restart)
        return answer if fault is None else spoil(answer, fault.how, fault.name)


class _FaultyEngine:
    """A host's engine over the host's line."""

    def __init__(self, host: FaultyHost, engine: Engine) -> None:
        self._host = host
        self._engine = engine

    async def execute(self, line: str, stdin: bytes) -> Answer:
        """Run a command as it came. Raises HostDown where the answer is not to go out."""
        call = manifest.decode(line, stdin, "")
        return await self._host.carry(call, lambda: self._engine.execute(line, stdin))

    def restart(self) -> None:
        """The host goes down and comes up again."""
        self._engine.restart()

    async def catch_up(self) -> None:
        """Do what tasks of the host have begun by themselves."""
        await self._engine.catch_up()

    async def close(self) -> None:
        """End the engine."""
        await self._engine.close()
