"""The WinRM service of every simulated host: shells and commands, from Create to Delete."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from simulator import manifest, wsman
from simulator.calls import Answer, Call, Host, HostDown, ModuleCall, Unknown

_log = logging.getLogger(__name__)
_IDLE_SECONDS = 7_200.0
# What Windows allows one account where nobody has set it otherwise.
_MOST_SHELLS = 30
_MOST_OPERATIONS = 1_500

Record = Callable[[str, Call], Awaitable[None]]
"""Told of every call that is about to run, the host's name and the call; it runs when this has come to its end."""


@dataclass
class _Command:
    line: str
    stdin: bytearray = field(default_factory=bytearray)
    task: asyncio.Task[Answer] | None = None
    sent: int = 0


@dataclass
class _Shell:
    used: float
    commands: dict[str, _Command] = field(default_factory=dict)

    def end(self) -> None:
        for command in self.commands.values():
            if command.task is not None:
                command.task.cancel()


class WinRM:
    """The shells of one host. `profile` is the folder of the account that logs in; `record` is told of every call."""

    def __init__(self, host: Host, profile: str, record: Record) -> None:
        self._host = host
        self._profile = profile
        self._record = record
        self._shells: dict[str, _Shell] = {}

    def lose_power(self) -> None:
        """Forget every shell, as a host does that goes down."""
        for shell in self._shells.values():
            shell.end()
        self._shells.clear()

    async def handle(self, data: bytes, trouble: str = "") -> tuple[int, bytes]:
        """Answer one SOAP request with an HTTP status and a body; `trouble` is that of its connection."""
        message_id = ""
        try:
            request = wsman.parse(data)
            message_id = request.message_id
            if trouble == "quota_shells" and request.action == wsman.CREATE:
                raise wsman.over_quota("shells", _MOST_SHELLS)
            if trouble == "quota_operations" and request.action == wsman.COMMAND:
                raise wsman.over_quota("operations", _MOST_OPERATIONS)
            return 200, await self._act(request)
        except wsman.Fault as fault:
            return 500, wsman.faulted(fault, message_id, self._host.name)

    async def _act(self, request: wsman.Request) -> bytes:
        if request.resource != wsman.CMD_SHELL:
            raise wsman.Fault(
                2150858752, "w:InvalidResourceURI", f"The resource {request.resource!r} is not simulated."
            )
        match request.action:
            case wsman.CREATE:
                return self._create(request)
            case wsman.COMMAND:
                return self._command(request)
            case wsman.SEND:
                return self._send(request)
            case wsman.RECEIVE:
                return await self._receive(request)
            case wsman.SIGNAL:
                return self._signal(request)
            case wsman.DELETE:
                self._shell(request).end()
                del self._shells[request.shell]
                return wsman.deleted(request)
        raise wsman.Fault(2150858753, "a:ActionNotSupported", f"The action {request.action!r} is not simulated.")

    def _shell(self, request: wsman.Request) -> _Shell:
        shell = self._shells.get(request.shell)
        if shell is None:
            raise wsman.no_shell(request.shell)
        shell.used = time.monotonic()
        return shell

    def _find(self, request: wsman.Request) -> tuple[_Shell, str, _Command]:
        shell, name = self._shell(request), request.command_id()
        if name not in shell.commands:
            raise wsman.no_command()
        return shell, name, shell.commands[name]

    def _create(self, request: wsman.Request) -> bytes:
        now = time.monotonic()
        for name, shell in list(self._shells.items()):
            if now - shell.used > _IDLE_SECONDS:
                shell.end()
                del self._shells[name]
        name = str(uuid.uuid4()).upper()
        self._shells[name] = _Shell(now)
        return wsman.created(request, name)

    def _command(self, request: wsman.Request) -> bytes:
        shell, name = self._shell(request), request.chosen_command_id()
        shell.commands[name] = _Command(request.command_line())
        return wsman.started(request, name)

    def _send(self, request: wsman.Request) -> bytes:
        _, _, command = self._find(request)
        if command.task is not None:
            raise wsman.busy()
        data, last = request.input()
        command.stdin += data
        if last:
            self._start(command)
        return wsman.taken(request)

    async def _receive(self, request: wsman.Request) -> bytes:
        _, name, command = self._find(request)
        if command.task is None and not command.stdin:
            # A client that wants output before it has sent any input sends none: raw scripts have no standard input.
            self._start(command)
        if command.task is None:
            await asyncio.sleep(request.timeout)
            raise wsman.timed_out()
        await asyncio.wait({command.task}, timeout=request.timeout)
        if command.task.cancelled():
            raise wsman.no_command()
        if not command.task.done():
            raise wsman.timed_out()
        answer = command.task.result()
        output = (("stdout", answer.stdout), ("stderr", answer.stderr))
        pieces, begin, room = [], command.sent, request.room()
        for stream, data in output:
            piece = data[begin : begin + room]
            pieces.append((stream, piece))
            begin, room = max(0, begin - len(data)), room - len(piece)
            command.sent += len(piece)
        done = command.sent == len(answer.stdout) + len(answer.stderr)
        return wsman.received(request, name, pieces, answer.code if done else None)

    def _signal(self, request: wsman.Request) -> bytes:
        shell, name, command = self._find(request)
        if request.signal() not in ("terminate", "ctrl_c", "ctrl_break"):
            raise wsman.invalid(f"The signal {request.signal()!r} is not simulated.")
        if command.task is not None:
            command.task.cancel()
        del shell.commands[name]
        return wsman.signalled(request)

    def _start(self, command: _Command) -> None:
        command.task = asyncio.create_task(self._run(command.line, bytes(command.stdin)))
        command.stdin.clear()

    async def _run(self, line: str, stdin: bytes) -> Answer:
        call: Call | Answer | None = None
        try:
            call = manifest.decode(line, stdin, self._profile)
            engine = self._host.engine
            if isinstance(call, Answer):
                return call if engine is None else await engine.execute(line, stdin)
            await self._record(self._host.name, call)
            return await (self._host.run(call) if engine is None else engine.execute(line, stdin))
        except HostDown:
            raise
        except Unknown as unknown:
            return _loud(call, f"the simulator does not know {unknown}")
        except Exception as error:
            # The text of the error could hold arguments, which may be secrets: the place is enough to find it.
            frame = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}"
            _log.error("%s: the simulator failed: %s", self._host.name, what)
            return _loud(call, f"the simulator failed: {what}")


def _loud(call: Call | Answer | None, message: str) -> Answer:
    said = b""
    if call is None or isinstance(call, ModuleCall):
        said = json.dumps({"changed": False, "failed": True, "msg": message}).encode()
    return Answer(stdout=said, stderr=f"{message}\r\n".encode(), code=1)
