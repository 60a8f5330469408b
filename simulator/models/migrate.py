"""interactor_migrate: the server's side of a move, step by step, each safe to repeat."""

from __future__ import annotations

from typing import Any

from simulator import data
from simulator.files import parent
from simulator.models import lease, switch
from simulator.models.common import Options, Refused, Work, arguments_of
from simulator.models.manifest import id_path, keep_ids, kept_ids, read_list, refuse_outside
from simulator.scenario import CATEGORIES
from simulator.windows import Task

OPTIONS: Options = {
    "step": (
        ("look", "lease", "users", "manifest", "start", "follow", "ids", "switch", "handback", "restore"),
        True,
    ),
    "attempt": (dict, False),
    "history_months": (int, False),
    "day": (str, False),
    "categories": (list, False),
    "mode": (str, False),
    "lease_script": (str, False),
    "warning": (str, False),
    "close": (bool, False),
}
_ATTEMPT: Options = {"number": (int, True), "key": (str, True), "sites": (list, False)}
_NEEDS = {
    "lease": ("lease_script",),
    "manifest": ("attempt", "history_months", "day", "mode"),
    "start": ("attempt",),
    "follow": ("attempt",),
    "ids": ("attempt", "categories"),
    "switch": ("attempt",),
    "restore": ("attempt",),
}


async def answer(work: Work) -> None:
    """Do one step (docs/contracts.md, What the host modules answer)."""
    step = work.arguments["step"]
    missing = [name for name in _NEEDS.get(step, ()) if work.arguments[name] is None]
    if missing:
        raise Refused(f"step is {step} but all of the following are missing: {', '.join(missing)}")
    if work.arguments["attempt"] is not None:
        arguments_of("interactor_migrate", _ATTEMPT, work.arguments["attempt"], "attempt")
    if step not in ("look", "users") and not work.check_mode:
        work.lock()
    if step != "users":
        work.result["ledger"] = work.read_ledger()
    _STEPS[step](work)
    if step in ("look", "manifest", "start", "follow", "switch"):
        lease.renew(work)


def _named(work: Work) -> tuple[int, str]:
    """Number and key of the attempt that this call names."""
    return int(work.arguments["attempt"]["number"]), str(work.arguments["attempt"]["key"])


def _status(work: Work) -> dict[str, Any]:
    """The vendor's status file in our words; state `none` where there is none."""
    path = work.contract("migration.status_file")
    told = work.read_json("status file", path)
    if told is None:
        return {"state": "none", "progress": 0, "counts": {}, "message": ""}
    keys, states = work.contract("migration.status_keys"), work.contract("migration.states")
    state = told.get(keys["state"])
    ours = [word for word, theirs in states.items() if theirs == state]
    if len(ours) != 1:
        allowed = ", ".join(sorted(states.values()))
        raise Refused(f"status file {path} says state '{'' if state is None else state}': allowed are {allowed}")
    return {
        "state": ours[0],
        "progress": int(told.get(keys["progress"]) or 0),
        "counts": told.get(keys["counts"]) or {},
        "message": str(told.get(keys["message"]) or ""),
    }


def _run_status(work: Work) -> dict[str, Any]:
    """How a migration that was started is getting on; one that ended without saying so has failed."""
    alive, status = work.host.task_runs(work.contract("migration.task")), _status(work)
    if alive and status["state"] == "none":
        return {**status, "state": "running"}
    if not alive and status["state"] in ("none", "running"):
        return {**status, "state": "failed", "message": "the migration program ended without saying so"}
    return status


def _fenced(work: Work) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ledger and its last attempt, which must be the one that this call names."""
    number, key = _named(work)
    ledger = work.ledger_or_new()
    if not ledger["attempts"]:
        raise Refused(f"refused: attempt {number} ({key}) is not in the ledger, which has none")
    last = ledger["attempts"][-1]
    if (last["number"], last["key"]) != (number, key):
        there = f"attempt {last['number']} ({last['key']})"
        raise Refused(f"refused: attempt {number} ({key}) is not the ledger's last, which is {there}")
    return ledger, last


def _look(work: Work) -> None:
    work.result.update(mode=work.mode(), status=_status(work))


def _mode_setting(work: Work, mode: str) -> dict[str, Any]:
    """What the configuration must say in a mode; refused where the vendor has not described it (M5)."""
    modes = work.contract("config.modes")
    if mode not in modes:
        raise Refused(f"mode is '{mode}': allowed are {', '.join(sorted(modes))}")
    setting = modes[mode]
    if not isinstance(setting, dict) or "mode" not in setting:
        raise Refused(f"mode '{mode}' is not described by the vendor")
    return setting


def _manifest(work: Work) -> None:
    (number, key), ledger = _named(work), work.ledger_or_new()
    last = ledger["attempts"][-1] if ledger["attempts"] else None
    if last and (last["number"], last["key"]) == (number, key):
        work.result["manifest"] = last["before"]
        return
    if last and last["state"] != "rolled_back":
        there = f"attempt {last['number']} ({last['key']})"
        raise Refused(f"refused: attempt {number}: {there} is {last['state']}")
    following = last["number"] + 1 if last else 1
    if number != following:
        raise Refused(f"refused: attempt {number}: the next one is {following}")
    mode, months, day = (work.arguments[name] for name in ("mode", "history_months", "day"))
    _mode_setting(work, mode)
    switch.need_local(work, number)
    version = work.version()
    if not version:
        raise Refused("refused: the service does not tell its version, so the way back could not be proved")
    work.result.update(changed=True, manifest=None)
    if work.check_mode:
        return
    switch.save_before(work, number)
    before = listed(work, number, day, months)
    work.host.drive.remove(work.contract("migration.status_file"))
    ledger["attempts"].append(
        {
            "number": number, "key": key, "sites": work.arguments["attempt"].get("sites") or [work.site],
            "state": "prepared", "mode": mode, "history_months": months,
            "day": day, "prepared": work.now, "started": None, "finished": None, "switching": None, "switched": None,
            "ended": None, "run": work.run_id, "version": version, "before": before, "counts": None,
            "untouched": work.untouched(), "as_before": None, "message": "",
        }
    )  # fmt: skip
    work.save(ledger)
    work.result["manifest"] = before


def listed(work: Work, number: int, day: str, months: int) -> dict[str, Any]:
    """Let the vendor's program list what a move will take; count and hash it. Of the list only the ids are kept."""
    path, drive = work.contract("migration.list_file"), work.host.drive
    drive.remove(path)
    arguments = work.expand("migration.list_arguments", months=months, day=day, list_file=path)
    program = work.contract("migration.program")
    if not drive.is_file(program):
        raise Refused("This command cannot be run due to the error: The system cannot find the file specified.")
    code = work.host.run_program(program, arguments)
    if code != 0:
        raise Refused(f"the list program ended with code {code}")
    if not drive.is_file(path):
        raise Refused(f"the list program wrote no {path}")
    content = drive.read(path)
    drive.remove(path)
    drive.make_folder(parent(id_path(work, number)))
    records = read_list(content)
    manifest = data.manifest(records)
    refuse_outside(manifest, day, months)
    keep_ids(work, number, records)
    return manifest


def _ids(work: Work) -> None:
    _, last = _fenced(work)
    allowed = sorted(set(work.arguments["categories"]) - set(CATEGORIES))
    if allowed:
        raise Refused(f"categories: {', '.join(allowed)}")
    work.result["ids"] = kept_ids(work, last["number"], work.arguments["categories"])


def _start(work: Work) -> None:
    ledger, last = _fenced(work)
    if last["state"] == "rolled_back":
        raise Refused(f"refused: attempt {last['number']} is rolled back")
    work.result["status"] = _status(work)
    if last["state"] != "prepared":
        return
    lease.require(ledger)
    work.result["changed"] = True
    if work.check_mode:
        return
    task = work.contract("migration.task")
    if work.result["status"]["state"] == "none" and not work.host.task_runs(task):
        status_file = work.contract("migration.status_file")
        sites = last.get("sites") or [work.site]
        arguments = work.expand(
            "migration.arguments",
            **({"site": sites[0]} if len(sites) == 1 else {}),
            sites=",".join(sites),
            attempt=last["number"],
            key=last["key"],
            months=last["history_months"],
            day=last["day"],
            status_file=status_file,
        )
        work.host.tasks[task] = Task(work.contract("migration.program"), arguments)
        work.host.start_task(task)
        if _status(work)["state"] == "none" and not work.host.task_runs(task):
            raise Refused(f"task '{task}' was started, but neither it nor a status file shows")
    last.update(state="running", started=work.now)
    work.save(ledger)
    work.result["status"] = _run_status(work)


def _follow(work: Work) -> None:
    ledger, last = _fenced(work)
    if last["state"] == "prepared":
        raise Refused(f"refused: attempt {last['number']} is not started")
    if last["state"] != "running":
        work.result["status"] = _status(work)
        return
    status = work.result["status"] = _run_status(work)
    if status["state"] == "running":
        return
    work.result["changed"] = True
    if work.check_mode:
        return
    last.update(state=status["state"], finished=work.now, counts=status["counts"], message=status["message"])
    work.save(ledger)


def _switch(work: Work) -> None:
    ledger, last = _fenced(work)
    mode = work.arguments["mode"] or last["mode"]
    if mode != last["mode"]:
        raise Refused(f"refused: mode is '{mode}', attempt {last['number']} was opened for '{last['mode']}'")
    setting = _mode_setting(work, mode)
    before = work.untouched()
    work.result.update(mode=work.mode(), changed_meanwhile=switch.differing(last.get("untouched") or {}, before))
    if last["state"] == "switched":
        return
    if last["state"] != "completed":
        raise Refused(f"refused: attempt {last['number']} is {last['state']}, not completed")
    lease.require(ledger)
    work.result["changed"] = True
    if work.check_mode:
        return
    switch.switch(work, ledger, last, setting, before)
    work.result["mode"] = work.mode()


def _restore(work: Work) -> None:
    ledger, last = _fenced(work)
    ended, task = last["state"] == "rolled_back", work.contract("migration.task")
    leased = lease.kept(work, ledger)
    work.result.update(changed=not ended or task in work.host.tasks or leased, as_before=last.get("as_before"))
    if work.check_mode or not work.result["changed"]:
        work.result["mode"] = work.mode()
        return
    work.host.end_task(task)
    if not ended:
        work.host.drive.remove(id_path(work, last["number"]))
        last["as_before"] = switch.restore_before(work, ledger, last)
        last.update(state="rolled_back", ended=work.now)
    lease.give_back(work, ledger)
    work.save(ledger)
    work.result.update(mode=work.mode(), as_before=last["as_before"])


_STEPS = {
    "look": _look,
    "lease": lease.take,
    "users": lease.users,
    "manifest": _manifest,
    "start": _start,
    "follow": _follow,
    "ids": _ids,
    "switch": _switch,
    "handback": lease.hand_back,
    "restore": _restore,
}
