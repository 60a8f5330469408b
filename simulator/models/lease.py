"""The lease of interactor_migrate: who is in Interactor, the flag that keeps people out, and the task that ends it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from simulator.clock import stamp
from simulator.files import join, normal, parent
from simulator.models.common import Refused, Work
from simulator.programs import words
from simulator.windows import POWERSHELL, UNATTENDED, Process, Task

if TYPE_CHECKING:
    from simulator.host import SimulatedHost

_EVERY = timedelta(minutes=15)
_OPEN = ("prepared", "running", "completed")
_UNENDED = (*_OPEN, "failed")


def state(ledger: dict[str, Any] | None) -> str:
    """`held`, `lost` or `free`."""
    return str(ledger["lease"]["state"]) if ledger and ledger["lease"] else "free"


def kept(work: Work, ledger: dict[str, Any] | None) -> bool:
    """Whether there is something to give back."""
    return state(ledger) != "free" or work.host.drive.is_file(work.contract("paths.maintenance_flag"))


def require(ledger: dict[str, Any]) -> None:
    """Refused where people may be in Interactor."""
    if state(ledger) == "lost":
        raise Refused("refused: the lease was lost: the server has let people into Interactor again")
    if state(ledger) != "held":
        raise Refused("refused: the lease is not held: people may be in Interactor")


def _flag(work: Work) -> None:
    flag = work.contract("paths.maintenance_flag")
    if work.host.drive.is_file(flag):
        work.host.drive.touch(flag)
    else:
        work.host.drive.write(flag, f"{work.run_id} {work.now}\n".encode())


def _register(work: Work) -> None:
    script = join(work.contract("paths.work"), "lease.ps1")
    work.host.drive.write(script, work.arguments["lease_script"].encode())
    flag, move = work.contract("paths.maintenance_flag"), work.contract("migration.task")
    program = work.contract("migration.program")
    name, minutes = work.contract("lease.task"), int(work.contract("lease.minutes"))
    for value in (script, flag, move, program, name):
        if '"' in value or "\n" in value:
            raise Refused(f"contract: '{value}' cannot be an argument of a task")
    arguments = f'{UNATTENDED} -File "{script}" -Flag "{flag}" -Minutes {minutes} -MoveTask "{move}"'
    arguments += f' -MoveProgram "{program}" -LeaseTask "{name}"'
    first = work.host.utc + timedelta(minutes=minutes)
    work.host.tasks[name] = Task(POWERSHELL, arguments, at=first, every=_EVERY, startup=True)


def keep_out(work: Work) -> None:
    """Let nobody new into Interactor; the host lets people in again by itself should nobody come back."""
    folder = parent(work.contract("paths.maintenance_flag"))
    if not work.host.drive.is_folder(folder):
        raise Refused(f"refused: {folder} is missing, so nobody can be kept out of Interactor")
    _register(work)
    _flag(work)


def fire(host: SimulatedHost, name: str, moment: datetime) -> None:
    """What a task that starts by itself does on the host at a moment: the script that `_register` put there."""
    task = host.tasks.get(name)
    if task is None or task.program != POWERSHELL:
        return
    said = words(task.arguments.removeprefix(UNATTENDED))
    options = dict(zip(said[::2], said[1::2], strict=True))
    flag = options["-Flag"]
    if not host.drive.is_file(options["-File"]):
        return
    if host.drive.is_file(flag):
        moving = options["-MoveTask"] in host.tasks and host.programs is not None
        if moving and host.programs and host.programs.migrating_at(host.real(moment)):
            return
        if abs(moment - host.drive.written(flag)) < timedelta(minutes=int(options["-Minutes"])):
            return
        host.drive.remove(flag)
    host.tasks.pop(options["-LeaseTask"], None)


def _below(path: str, folders: Iterable[str]) -> bool:
    return any(path.casefold().startswith(folder.rstrip("\\").casefold() + "\\") for folder in folders)


def _programs(work: Work) -> list[Process]:
    names = {str(name).casefold() for name in work.contract("processes")}
    return [process for process in work.host.processes if process.name.casefold() in names]


def _last_write(work: Work) -> datetime | None:
    drive, data, flag = work.host.drive, work.contract("paths.data"), work.contract("paths.maintenance_flag")
    own = normal(flag).rpartition("\\")[2].casefold()
    moments = [
        drive.written(join(data, name))
        for name, _content in drive.below(data)
        if name.rpartition("\\")[2].casefold() != own
    ]
    return max(moments, default=None)


def look(work: Work, *, client: bool) -> dict[str, Any]:
    """Whether somebody has Interactor open on this host."""
    told: dict[str, Any] = {"active": False, "sessions": len(_programs(work)), "open_files": None}
    told.update(last_activity=None, warned=None, closed=None)
    recent = False
    if not client:
        folders = [work.contract("paths.install"), work.contract("paths.data"), *work.contract("use.folders")]
        held = work.host.open_files
        told["open_files"] = None if held is None else sum(1 for path in held if _below(path, folders))
        quiet = timedelta(minutes=work.contract("use.quiet_minutes"))
        last = _last_write(work) if quiet else None
        if last is not None:
            told["last_activity"] = stamp(last)
            recent = abs(work.host.utc - last) < quiet
    told["active"] = told["sessions"] > 0 or (told["open_files"] or 0) > 0 or recent
    return told


def why(told: dict[str, Any]) -> str:
    """In words, why Interactor counts as in use."""
    signs = [f"{told['sessions']} open"] if told["sessions"] else []
    signs += [f"{told['open_files']} files open from PCs"] if told["open_files"] else []
    return f"Interactor is in use: {', '.join(signs) or 'data written at ' + str(told['last_activity'])}"


def _close(work: Work) -> int:
    folders = [work.contract("paths.install"), *work.contract("use.folders")]
    closed = [process for process in _programs(work) if _below(process.path, folders)]
    work.host.processes = [process for process in work.host.processes if process not in closed]
    return len(closed)


def _resolve(work: Work, *, client: bool) -> dict[str, Any]:
    """Who is in Interactor; they are warned, and where the site has agreed to that it is closed."""
    told = look(work, client=client)
    if not told["active"] or work.check_mode:
        return told
    warned = work.host.warn() if work.arguments["warning"] else None
    closed = None
    if work.arguments["close"]:
        closed = _close(work)
        work.result["changed"] = closed > 0
        told = look(work, client=client)
    return {**told, "warned": warned, "closed": closed}


def users(work: Work) -> None:
    """The step on a PC."""
    work.result["users"] = _resolve(work, client=True)


def take(work: Work) -> None:
    """The step on the server: the lease is taken, or given back where somebody is in Interactor."""
    ledger = work.ledger_or_new()
    before, there = state(ledger), kept(work, ledger)
    last = ledger["attempts"][-1] if ledger["attempts"] else None
    is_open = last is not None and last["state"] in _OPEN
    if last and is_open and before != "held":
        since = "people may have been in Interactor since"
        raise Refused(f"refused: the lease was lost while attempt {last['number']} was open: {since}")
    if not work.check_mode:
        keep_out(work)
    told = _resolve(work, client=False)
    active = told["active"]
    work.result.update(users=told, held=not active, again=active, reason=why(told) if active else "")
    if active:
        if is_open:
            # The attempt's, not this call's: who follows it sees to it.
            work.result["held"] = True
            return
        work.result["changed"] |= there
        if not work.check_mode:
            give_back(work, ledger)
        return
    work.result["changed"] |= before != "held"
    if not work.check_mode and before != "held":
        ledger["lease"] = {"state": "held", "since": work.now, "run": work.run_id}
        work.save(ledger)


def renew(work: Work) -> None:
    """Say that whoever holds the lease is alive."""
    if work.check_mode or state(work.result["ledger"]) != "held":
        return
    if work.contract("lease.task") not in work.host.tasks and work.arguments["lease_script"]:
        _register(work)
    _flag(work)


def give_back(work: Work, ledger: dict[str, Any] | None) -> None:
    """Let people in again: flag and task go, and the lease is free where the ledger has one held."""
    work.host.drive.remove(work.contract("paths.maintenance_flag"))
    work.host.tasks.pop(work.contract("lease.task"), None)
    if ledger and state(ledger) != "free":
        ledger["lease"] = {"state": "free", "since": work.now, "run": work.run_id}
        work.save(ledger)


def hand_back(work: Work) -> None:
    """The step that ends the lease."""
    ledger = work.result["ledger"]
    last = ledger["attempts"][-1] if ledger and ledger["attempts"] else None
    if last and last["state"] in _UNENDED:
        why_not = "nobody may be let in before it is switched or undone"
        raise Refused(f"refused: attempt {last['number']} is {last['state']}: {why_not}")
    work.result["changed"] = kept(work, ledger)
    if not work.check_mode:
        give_back(work, ledger)
