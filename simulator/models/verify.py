"""interactor_verify: what a program can see of a real server by itself, and what it tries there and puts back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from simulator.calls import FetchError
from simulator.clock import stamp
from simulator.files import DRIVES, join
from simulator.models import lease, migrate
from simulator.models.common import Options, Refused, Work

OPTIONS: Options = {
    "step": (("look", "trial", "again"), True),
    "day": (str, False),
    "history_months": (int, False),
    "lease_script": (str, False),
}
_NEEDED = ("day", "history_months", "lease_script")
_UNENDED = ("prepared", "running", "completed")
_MEGABYTES = 20
_PER_SECOND = 10_000


async def answer(work: Work) -> None:
    """The facts of a look, the same again of what must not change, or a trial."""
    step = work.arguments["step"]
    missing = [name for name in _NEEDED if work.arguments[name] is None]
    if step == "trial" and missing:
        raise Refused(f"step is trial but all of the following are missing: {', '.join(missing)}")
    work.result["ledger"] = work.read_ledger()
    if step == "look":
        work.result["facts"] = await _look(work)
    elif step == "again":
        work.result["facts"] = {"booted": stamp(work.host.booted), "state": _state(work)}
    else:
        work.result["trial"] = None if work.check_mode else _trial(work)


async def _look(work: Work) -> dict[str, Any]:
    machine = work.host.machine
    version = machine.powershell
    editions = {True: "Desktop", False: "Core"}
    config = _found_config(work)
    names = (work.contract("lease.task"), work.contract("migration.task"))
    return {
        "powershell": {
            "version": version,
            "edition": None if version < "5" else editions[version.startswith("5.1.")],
            "language_mode": "FullLanguage",
            "culture": machine.culture,
        },
        "service": _service(work),
        "version": work.version(),
        "there": _there(work),
        "keys": None if config is None else list(config),
        "mode": None if config is None else work.mode(),
        "tasks": [name for name in names if name in work.host.tasks],
        "channel_binding": machine.channel_binding,
        "file_system": "NTFS" if work.contract("paths.work")[:2].upper() in DRIVES else None,
        "web": await _web(work),
        "booted": stamp(work.host.booted),
        "state": _state(work),
    }


def _found_config(work: Work) -> dict[str, Any] | None:
    try:
        return work.config()
    except Refused:
        return None


def _service(work: Work) -> dict[str, Any]:
    told: dict[str, Any] = dict.fromkeys(("state", "program", "start_mode", "account", "signature", "publisher"))
    service = work.host.services.get(work.contract("service.name"))
    if service is None:
        return {**told, "state": "missing"}
    told.update(state=service.state, program=service.program, start_mode=service.start_mode, account=service.account)
    if work.host.drive.is_file(service.program):
        signer = work.host.signer(work.host.drive.read(service.program))
        told.update(signature="Valid" if signer else "NotSigned", publisher=signer)
    return told


def _there(work: Work) -> dict[str, bool]:
    drive = work.host.drive
    paths = {name: work.contract(f"paths.{name}") for name in ("install", "data", "config", "work", "maintenance_flag")}
    paths["migration_program"] = work.contract("migration.program")
    return {name: drive.is_file(path) or drive.is_folder(path) for name, path in paths.items()}


async def _web(work: Work) -> dict[str, Any]:
    installer: dict[str, Any] = {"status": 0, "error": None}
    try:
        installer["status"] = (await work.host.download(work.contract("installer.url"), 1000, 1)).status
    except FetchError as error:
        installer["error"] = str(error)
    script: dict[str, Any] = {"status": 0, "is_script": False, "error": None}
    try:
        page = await work.host.get(work.contract("proxy.script"))
        script.update(status=page.status, is_script=b"FindProxyForURL" in page.body)
    except FetchError as error:
        script["error"] = str(error)
    return {"installer": installer, "script": script}


def _mark(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _state(work: Work) -> dict[str, str]:
    drive, marks = work.host.drive, {}
    for name in ("install", "data", "work"):
        folder = work.contract(f"paths.{name}")
        files = (
            f"{join(folder, each)}\t{len(content)}\t{drive.written(join(folder, each))}"
            for each, content in drive.below(folder)
        )
        marks[f"paths.{name}"] = _mark(files) if drive.is_folder(folder) else "missing"
    for name in ("config", "maintenance_flag"):
        path = work.contract(f"paths.{name}")
        marks[f"paths.{name}"] = hashlib.sha256(drive.read(path)).hexdigest() if drive.is_file(path) else "missing"
    services = work.host.services.items()
    marks["services"] = _mark(f"{name}\t{each.program}\t{each.start_mode}\t{each.account}" for name, each in services)
    marks["tasks"] = _mark(f"\\{name}" for name in work.host.tasks)
    return marks


def _own(contract: dict[str, Any]) -> dict[str, Any]:
    """The contract with a folder, a flag, a configuration and a lease's task of the trial's own."""
    folder = contract["paths"]["work"] + "-verify"
    paths = {
        "work": folder,
        "config": f"{folder}\\configuration.json",
        "maintenance_flag": f"{folder}\\maintenance.flag",
    }
    return {
        **contract,
        "paths": {**contract["paths"], **paths},
        "lease": {**contract["lease"], "task": f"{contract['lease']['task']} verify"},
        "migration": {**contract["migration"], "list_file": f"{folder}\\list.jsonl"},
    }


def _trial(work: Work) -> dict[str, Any]:
    ledger = work.result["ledger"]
    last = ledger["attempts"][-1] if ledger and ledger["attempts"] else None
    if last and last["state"] in _UNENDED:
        raise Refused(f"refused: attempt {last['number']} is {last['state']}")
    if lease.kept(work, ledger):
        raise Refused("refused: people are kept out of Interactor")
    own = Work(work.host, {**work.arguments, "contract": _own(work.arguments["contract"])}, False)
    drive, folder, task = work.host.drive, own.contract("paths.work"), own.contract("lease.task")
    told: dict[str, Any] = {"leftover": drive.is_folder(folder) or task in work.host.tasks}
    _remove(own, [])
    above = folder.split("\\")[:-1]
    missing = [path for count in range(len(above), 1, -1) if not drive.is_folder(path := "\\".join(above[:count]))]
    try:
        drive.make_folder(folder)
        told["durable"] = _durable(own)
        told["task"] = _task(own)
        told["manifest"] = _manifest(own)
    finally:
        _remove(own, missing)
    return {**told, "left": []}


def _remove(own: Work, made: list[str]) -> None:
    own.host.tasks.pop(own.contract("lease.task"), None)
    own.host.drive.remove(own.contract("paths.work"))
    for folder in made:
        own.host.drive.remove(folder)


def _durable(own: Work) -> dict[str, Any]:
    own.result["ledger"] = None
    told = {}
    for part in ("written", "replaced", "replaced_while_read"):
        own.save({**own.ledger_or_new(), "lease": {"state": "free", "since": None, "run": part}})
        read = own.read_ledger()
        told[part] = read is not None and read["lease"]["run"] == part
    own.host.drive.move(own.ledger_path, own.ledger_path + ".new")
    own.lock()
    return {**told, "completed": own.host.drive.is_file(own.ledger_path), "locked": True, "error": None}


def _task(own: Work) -> dict[str, Any]:
    host, name, flag = own.host, own.contract("lease.task"), own.contract("paths.maintenance_flag")
    lease.keep_out(own)
    registered = name in host.tasks
    lease.fire(host, name, host.utc + timedelta(minutes=own.contract("lease.minutes")))
    ran = name not in host.tasks and not host.drive.is_file(flag)
    return {"registered": registered, "ran": ran, "result": None, "error": None}


def _manifest(own: Work) -> dict[str, Any] | None:
    """As _Manifest.psm1 does it; the seconds and the memory of a machine of the scenario are always the same."""
    if not own.host.drive.is_file(own.contract("migration.program")):
        return None
    try:
        found = migrate.listed(own, 0, own.arguments["day"], own.arguments["history_months"])
    except Refused as refusal:
        return {"counts": None, "seconds": None, "megabytes": None, "error": str(refusal)}
    counts = {category: part["count"] for category, part in found.items()}
    seconds = round(sum(counts.values()) / _PER_SECOND, 3)
    return {"counts": counts, "seconds": seconds, "megabytes": _MEGABYTES, "error": None}
