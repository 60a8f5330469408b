"""interactor_upgrade: the newest Interactor on the server, or the old one as it was (U1)."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from simulator.calls import FetchError
from simulator.files import join
from simulator.models.common import Options, Refused, Work
from simulator.programs import described

OPTIONS: Options = {"step": (("look", "stage", "install"), True)}


async def answer(work: Work) -> None:
    """Do one step."""
    if work.arguments["step"] != "look" and not work.check_mode:
        work.lock()
    work.result["ledger"] = work.read_ledger()
    work.result["version"] = work.version()
    match work.arguments["step"]:
        case "stage":
            await _stage(work)
        case "install":
            _install(work)


def _installer_path(work: Work) -> str:
    name = work.contract("installer.url").rpartition("/")[2]
    if not re.fullmatch(r"[A-Za-z0-9._-]+\.(exe|msi)", name):
        raise Refused(f"contract: installer.url ends with '{name}'; the name of an .exe or .msi file is wanted")
    return join(work.contract("paths.work"), name)


def _problem(work: Work, content: bytes) -> str:
    """Why these bytes are not the installer of the contract; empty where they are."""
    wanted = str(work.contract("installer.sha256"))
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", wanted):
        return f"contract: installer.sha256 is '{wanted}', 64 hex digits are wanted: nothing unverified is installed"
    found = hashlib.sha256(content).hexdigest()
    if found != wanted.lower():
        return f"its SHA-256 is {found}, not {wanted.lower()}"
    signer, publisher = described(content).get("publisher"), work.contract("installer.publisher")
    if signer is None:
        return "its signature is NotSigned"
    return "" if signer == publisher else f"it is signed by '{signer}', not by '{publisher}'"


def _staged_problem(work: Work) -> str:
    path = _installer_path(work)
    return _problem(work, work.host.drive.read(path)) if work.host.drive.is_file(path) else f"{path} is missing"


def _is_staged(work: Work, upgrade: dict[str, Any] | None) -> bool:
    return bool(upgrade and upgrade["state"] == "staged" and upgrade["to"] == work.contract("installer.version"))


async def _stage(work: Work) -> None:
    ledger, result = work.ledger_or_new(), work.result
    problem = _staged_problem(work)
    known = _is_staged(work, ledger["upgrade"])
    has = result["version"] == work.contract("installer.version") and not known
    staged = has or (known and not problem)
    result.update(staged=staged, reason="", changed=not staged)
    if staged or work.check_mode:
        return
    if problem:
        reason = await _fetch(work)
        if reason:
            result.update(reason=reason, changed=False)
            return
    target = work.contract("installer.version")
    ledger["upgrade"] = {"state": "staged", "from": result["version"], "to": target, "started": None, "finished": None}
    ledger["upgrade"].update(run=work.run_id, reason="")
    work.save(ledger)
    result["staged"] = True


async def _fetch(work: Work) -> str:
    """Fetch the installer and keep it if it is the contract's; why not, or nothing."""
    url = work.contract("installer.url")
    try:
        page = await work.host.download(url)
    except FetchError as error:
        return f"{url} could not be fetched: {error}"
    if page.status != 200:
        return f"{url} could not be fetched: it answers {page.status}"
    problem = _problem(work, page.body)
    if problem:
        return f"{url} is not the installer: {problem}"
    work.host.drive.write(_installer_path(work), page.body)
    return ""


def _install(work: Work) -> None:
    ledger, result = work.ledger_or_new(), work.result
    upgrade, target = ledger["upgrade"], work.contract("installer.version")
    staged = _is_staged(work, upgrade)
    result.update(upgraded=result["version"] == target, reason="")
    if result["upgraded"] and not staged:
        return
    if not staged:
        raise Refused(f"refused: version {target} is not staged")
    result["changed"] = True
    if work.check_mode:
        return
    if result["upgraded"]:
        _complete(work, ledger, "")
        return
    problem = _staged_problem(work)
    if problem:
        raise Refused(f"refused: the staged installer is no longer sound: {problem}")
    if not result["version"]:
        raise Refused("refused: the service does not tell its version, so the way back could not be proved")
    upgrade.update({"from": result["version"], "started": work.now, "run": work.run_id})
    backup = join(work.contract("paths.work"), "backup", upgrade["from"])
    drive, install, config = work.host.drive, work.contract("paths.install"), work.contract("paths.config")
    drive.copy_folder(install, join(backup, "install"))
    drive.write(join(backup, "configuration"), drive.read(config))
    work.save(ledger)
    reason = ""
    try:
        _replace(work, target)
    except Refused as failure:
        work.host.stop_service(work.contract("service.name"))
        drive.copy_folder(join(backup, "install"), install)
        drive.write(config, drive.read(join(backup, "configuration")))
        work.host.start_service(work.contract("service.name"))
        back = f"version {upgrade['from']} is back"
        if work.version() != upgrade["from"]:
            back = f"the way back failed too: the service tells version '{work.version()}', not {upgrade['from']}"
        reason = f"{failure}; {back}"
    result["version"] = work.version()
    _complete(work, ledger, reason)


def _replace(work: Work, target: str) -> None:
    """Stop the service, install, start it, prove the version."""
    service = work.contract("service.name")
    work.host.stop_service(service)
    code = work.host.run_program(_installer_path(work), work.contract("installer.arguments"))
    if code not in work.contract("installer.success_codes"):
        raise Refused(f"the installer ended with code {code}")
    work.host.start_service(service)
    if work.version() != target:
        raise Refused(f"the service tells version '{work.version() or ''}', not {target}")


def _complete(work: Work, ledger: dict[str, Any], reason: str) -> None:
    ledger["upgrade"].update(state="failed" if reason else "done", finished=work.now, reason=reason)
    work.save(ledger)
    work.result.update(upgraded=not reason, reason=reason)
