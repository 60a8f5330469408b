"""interactor_migrate: the server's side of a move, step by step, each safe to repeat."""

from __future__ import annotations

import json
from typing import Any

from simulator import data
from simulator.files import join
from simulator.models.common import Kind, Refused, Work
from simulator.windows import Task

OPTIONS: dict[str, tuple[Kind, bool]] = {
    "step": (("look", "lease", "manifest", "start", "follow", "switch", "handback", "restore"), True),
    "attempt": (dict, False),
    "history_months": (int, False),
    "mode": (str, False),
}


async def answer(work: Work) -> dict[str, Any]:
    """Do one step (docs/contracts.md, What the host modules answer)."""
    return _STEPS[work.arguments["step"]](work)


def _status(work: Work) -> dict[str, Any]:
    """The vendor's status file in our words; state `none` where there is none."""
    path = work.contract("migration.status_file")
    if not work.host.drive.is_file(path):
        return {"state": "none", "progress": 0, "counts": {}, "message": ""}
    try:
        found = json.loads(work.host.drive.read(path).decode("utf-8-sig"))
        theirs = {word: ours for ours, word in work.contract("migration.states").items()}
        return {
            "state": theirs[found["state"]],
            "progress": int(found["progress"]),
            "counts": dict(found["counts"]),
            "message": str(found["message"]),
        }
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(f"the status file {path} is not as the vendor contract says") from error


def _attempt(work: Work) -> tuple[int, str]:
    """Number and key of the attempt that this call names."""
    given = work.need("attempt")
    unknown = sorted(set(given) - {"number", "key"})
    if unknown:
        raise Refused(f"attempt.{unknown[0]} is no option; allowed are key, number")
    try:
        number = int(given["number"])
    except (KeyError, TypeError, ValueError):
        raise Refused("attempt.number is missing or no whole number") from None
    if number < 1 or not isinstance(given.get("key"), str) or not given["key"]:
        raise Refused("attempt.number must be 1 or more, attempt.key a text")
    return number, given["key"]


def _fenced(work: Work) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ledger and its last attempt, which must be the one that this call names."""
    number, key = _attempt(work)
    ledger = work.ledger_or_new()
    last = ledger["attempts"][-1] if ledger["attempts"] else None
    if last is None or (last["number"], last["key"]) != (number, key):
        there = f"{last['number']} ({last['key']})" if last else "none"
        raise Refused(f"the ledger's last attempt is {there}, not {number} ({key})")
    return ledger, last


def _look(work: Work) -> dict[str, Any]:
    return {"changed": False, "ledger": work.read_ledger(), "mode": work.mode(), "status": _status(work)}


def _lease(work: Work) -> dict[str, Any]:
    ledger = work.ledger_or_new()
    wanted = {str(name).casefold() for name in work.contract("processes")}
    in_use = sum(1 for process in work.host.processes if process.casefold() in wanted)
    if in_use:
        return {"changed": False, "ledger": work.read_ledger(), "held": False, "in_use": in_use}
    flag = work.contract("paths.maintenance_flag")
    changed = not work.host.drive.is_file(flag)
    if changed and not work.check_mode:
        work.host.drive.write(flag, work.run_id.encode())
    if (ledger["lease"] or {}).get("state") != "held":
        ledger["lease"] = {"state": "held", "since": work.now, "run": work.run_id}
    changed = work.keep(ledger) or changed
    return {"changed": changed, "ledger": ledger, "held": True, "in_use": 0}


def _give_back(work: Work, ledger: dict[str, Any]) -> bool:
    """Remove the flag and free the lease in `ledger`; whether there was a flag."""
    flag = work.contract("paths.maintenance_flag")
    there = work.host.drive.is_file(flag)
    if there and not work.check_mode:
        work.host.drive.remove(flag)
    if (ledger["lease"] or {}).get("state") == "held":
        ledger["lease"] = {"state": "free", "since": work.now, "run": work.run_id}
    return there


def _handback(work: Work) -> dict[str, Any]:
    found = work.read_ledger()
    if found is None:
        return {"changed": _give_back(work, work.ledger_or_new()), "ledger": None}
    there = _give_back(work, found)
    changed = work.keep(found) or there
    return {"changed": changed, "ledger": found}


def _manifest(work: Work) -> dict[str, Any]:
    number, key = _attempt(work)
    months, mode = work.need("history_months"), work.need("mode")
    ledger = work.ledger_or_new()
    last = ledger["attempts"][-1] if ledger["attempts"] else None
    if last and (last["number"], last["key"]) == (number, key):
        return {"changed": False, "ledger": ledger, "manifest": last["before"]}
    if last and (last["number"] != number - 1 or last["state"] != "rolled_back"):
        there = f"{last['number']} ({last['key']}), {last['state']}"
        raise Refused(f"attempt {number} ({key}) is refused: the ledger's last is {there}")
    if last is None and number != 1:
        raise Refused(f"attempt {number} ({key}) is refused: the ledger has none, so the first must be 1")
    before = None if work.check_mode else _list(work, months)
    if not work.check_mode:
        work.host.drive.remove(work.contract("migration.status_file"))
    ledger["attempts"].append(
        {
            "number": number, "key": key, "state": "prepared", "mode": mode, "history_months": months,
            "prepared": work.now, "started": None, "finished": None, "switched": None, "ended": None,
            "run": work.run_id, "before": before, "counts": None, "untouched": work.untouched(), "message": "",
        }
    )  # fmt: skip
    work.keep(ledger)
    return {"changed": True, "ledger": ledger, "manifest": before}


def _list(work: Work, months: int) -> dict[str, Any]:
    """Let the vendor's program list what a move will take; count and hash it."""
    path = work.contract("migration.list_file")
    arguments = work.contract("migration.list_arguments").format(months=months, list_file=path)
    code = work.host.run_program(work.contract("migration.program"), arguments)
    if code != 0:
        raise Refused(f"{work.contract('migration.program')} list ended with code {code}")
    return data.manifest(data.by_category(data.parse(work.host.drive.read(path).decode())))


def _start(work: Work) -> dict[str, Any]:
    ledger, last = _fenced(work)
    if last["state"] == "rolled_back":
        raise Refused(f"attempt {last['number']} ({last['key']}) is rolled back; it is not started again")
    if last["state"] != "prepared":
        return {"changed": False, "ledger": ledger, "status": _status(work)}
    if _status(work)["state"] == "none" and not work.check_mode:
        name = work.contract("migration.task")
        arguments = work.contract("migration.arguments").format(
            site=work.site, attempt=last["number"], key=last["key"], months=last["history_months"],
            status_file=work.contract("migration.status_file"),
        )  # fmt: skip
        work.host.tasks[name] = Task(work.contract("migration.program"), arguments)
        work.host.start_task(name)
    last.update(state="running", started=work.now, run=work.run_id)
    work.keep(ledger)
    return {"changed": True, "ledger": ledger, "status": _status(work)}


def _follow(work: Work) -> dict[str, Any]:
    ledger, last = _fenced(work)
    status = _status(work)
    if last["state"] == "running" and status["state"] != "none":
        last.update(counts=status["counts"], message=status["message"])
        if status["state"] != "running":
            last.update(state=status["state"], finished=work.now)
    return {"changed": work.keep(ledger), "ledger": ledger, "status": status}


def _saved_config(work: Work) -> str:
    return join(work.contract("paths.work"), "config.before")


def _switch(work: Work) -> dict[str, Any]:
    ledger, last = _fenced(work)
    mode = work.need("mode")
    wanted = work.contract("config.modes").get(mode)
    if not wanted:
        raise Refused(f"the mode {mode} is not described by the vendor")
    if last["state"] == "switched" and work.mode() == wanted["mode"]:
        return {"changed": False, "ledger": ledger, "mode": work.mode()}
    if last["state"] not in ("completed", "switched"):
        raise Refused(f"attempt {last['number']} ({last['key']}) is {last['state']}; only a completed one is switched")
    config = work.config()
    if config is None:
        raise Refused(f"{work.contract('paths.config')} is missing or no JSON")
    if not work.check_mode:
        path = work.contract("paths.config")
        if not work.host.drive.is_file(_saved_config(work)):
            work.host.drive.write(_saved_config(work), work.host.drive.read(path))
        config[work.contract("config.mode_key")] = wanted["mode"]
        config[work.contract("config.endpoint_key")] = wanted["endpoint"]
        work.host.drive.write(path, json.dumps(config, indent=2, ensure_ascii=False).encode())
        if not work.restart_service():
            raise Refused("the service does not answer after the switch")
    last.update(state="switched", switched=work.now, run=work.run_id)
    work.keep(ledger)
    return {"changed": True, "ledger": ledger, "mode": wanted["mode"]}


def _restore(work: Work) -> dict[str, Any]:
    ledger, last = _fenced(work)
    drive, path, saved = work.host.drive, work.contract("paths.config"), _saved_config(work)
    there = _give_back(work, ledger)
    if last["state"] == "rolled_back":
        changed = work.keep(ledger) or there
        return {"changed": changed, "ledger": ledger, "mode": work.mode()}
    mode = work.mode()
    if work.check_mode and drive.is_file(saved):
        mode = json.loads(drive.read(saved)).get(work.contract("config.mode_key"))
    if not work.check_mode:
        work.host.end_task(work.contract("migration.task"))
        if drive.is_file(saved):
            drive.write(path, drive.read(saved))
            if not work.restart_service():
                raise Refused("the service does not answer after the configuration was put back")
            drive.remove(saved)
        mode = work.mode()
    last.update(state="rolled_back", ended=work.now, run=work.run_id)
    work.keep(ledger)
    return {"changed": True, "ledger": ledger, "mode": mode}


_STEPS = {
    "look": _look,
    "lease": _lease,
    "manifest": _manifest,
    "start": _start,
    "follow": _follow,
    "switch": _switch,
    "handback": _handback,
    "restore": _restore,
}
