"""Breaks a call on purpose: it is held, cut off or met by a restart, before its effect or after it.

Tests arm a fault over the control API, wait until it has come, and mend it again. Nothing here sleeps.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from simulator.calls import Answer, Call, Host, ModuleCall

ANY = ""
"""As `call`: any call of a module, or any request to the cloud."""


class LineCut(Exception):  # noqa: N818
    """The connection ends without an answer."""


@dataclass(frozen=True)
class Fault:
    """What breaks: the `nth` call of `host` whose name ends with `call`, such as `interactor_migrate start`.

    For the cloud `host` is its name and `call` method and noun, such as `POST attempts`. `do`: `hold` lets the call
    wait until it is mended, `cut` ends the connection and the line stays broken until it is mended, `restart` restarts
    the host, which is not reached until it is mended.
    """

    host: str
    call: str
    nth: int
    when: Literal["before", "after"]
    do: Literal["hold", "cut", "restart"]


class Faults:
    """What is armed, what has come, and whose line is broken."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self._armed: dict[str, tuple[Fault, int]] = {}
        self._came = asyncio.Event()
        self._mended = asyncio.Event()
        self._dropped = False

    def arm(self, fault: Fault) -> None:
        """Let a fault come; it takes the place of an earlier one of the same host."""
        self._armed[fault.host] = (fault, fault.nth)
        self._came.clear()
        self._mended.clear()

    async def came(self) -> None:
        """Wait until any armed fault has come."""
        await self._came.wait()

    def mend(self, *, drop: bool) -> None:
        """Nothing is armed, held or broken any more; a held call goes on, or with `drop` never comes to anything."""
        self._armed.clear()
        self.broken.clear()
        self._dropped = drop
        self._mended.set()

    def find(self, host: str, call: str) -> Fault | None:
        """The fault that meets this call, if it is its turn."""
        fault, left = self._armed.get(host, (None, 0))
        if fault is None or not call.endswith(fault.call):
            return None
        if left > 1:
            self._armed[host] = (fault, left - 1)
            return None
        del self._armed[host]
        return fault

    async def meet(self, fault: Fault) -> None:
        """The fault comes. Raises LineCut where no answer is to go out."""
        self._came.set()
        if fault.do != "hold":
            self.broken.add(fault.host)
            raise LineCut
        await self._mended.wait()
        if self._dropped:
            raise LineCut


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
        return self._host.powered_on and self.name not in self._faults.broken

    def restart(self) -> None:
        """Go down and come up again."""
        self._host.restart()

    async def run(self, call: Call) -> Answer:
        """Do what was called. Raises LineCut where the answer is not to go out."""
        told = ""
        if isinstance(call, ModuleCall):
            told = " ".join([call.name, *filter(None, [str(call.arguments.get("step") or "")])])
        fault = self._faults.find(self.name, told) if told else None
        if fault and fault.when == "before":
            await self._meet(fault)
        answer = await self._host.run(call)
        if fault and fault.when == "after":
            await self._meet(fault)
        return answer

    async def _meet(self, fault: Fault) -> None:
        if fault.do == "restart":
            self.restart()
        await self._faults.meet(fault)
