"""interactor_upgrade: the newest Interactor on the server, or the old one as it was (U1)."""

from __future__ import annotations

import hashlib
from typing import Any

from simulator.calls import FetchError
from simulator.files import join
from simulator.models.common import Kind, Refused, Work
from simulator.programs import described

OPTIONS: dict[str, tuple[Kind, bool]] = {"step": (("look", "stage", "install"), True)}


async def answer(work: Work) -> dict[str, Any]:
    """Do one step."""
    match work.arguments["step"]:
        case "stage":
            return await _stage(work)
        case "install":
            return _install(work)
        case _:
            return {"changed": False, "ledger": work.read_ledger(), "version": work.version()}


def _kept(work: Work) -> str:
    return join(work.contract("paths.work"), work.contract("installer.url").rpartition("/")[2])


def _complaint(work: Work, content: bytes) -> str | None:
    """What is wrong with an installer, None if nothing is."""
    url, wanted = work.contract("installer.url"), work.contract("installer.sha256")
    if not wanted:
        return "contract.installer.sha256 is empty: an installer that cannot be verified is not used"
    found = hashlib.sha256(content).hexdigest()
    if found != str(wanted).lower():
        return f"{url} has the SHA-256 {found}, not {wanted}"
    publisher = described(content).get("publisher")
    if publisher != work.contract("installer.publisher"):
        return f"{url} is signed by {publisher}, not {work.contract('installer.publisher')}"
    return None


async def _stage(work: Work) -> dict[str, Any]:
    ledger = work.ledger_or_new()
    version, target, drive = work.version(), work.contract("installer.version"), work.host.drive
    upgrade = ledger["upgrade"]
    done = version == target
    there = drive.is_file(_kept(work)) and _complaint(work, drive.read(_kept(work))) is None
    if done or (there and upgrade and upgrade["state"] == "staged" and upgrade["to"] == target):
        return {"changed": False, "ledger": work.read_ledger(), "version": version, "staged": there}
    if not there and not work.check_mode:
        try:
            content = await work.host.download(work.contract("installer.url"))
        except FetchError as error:
            raise Refused(f"the installer cannot be fetched: {error}") from error
        complaint = _complaint(work, content)
        if complaint:
            raise Refused(complaint)
        drive.write(_kept(work), content)
    ledger["upgrade"] = {
        "state": "staged", "from": version, "to": target, "started": work.now, "finished": None,
        "run": work.run_id, "reason": "",
    }  # fmt: skip
    work.keep(ledger)
    return {"changed": True, "ledger": ledger, "version": version, "staged": True}


def _install(work: Work) -> dict[str, Any]:
    ledger = work.ledger_or_new()
    version, target, upgrade = work.version(), work.contract("installer.version"), ledger["upgrade"]
    if version == target:
        if upgrade and upgrade["state"] != "done":
            upgrade.update(state="done", finished=work.now, run=work.run_id, reason="")
        changed = work.keep(ledger) if upgrade else False
        return {
            "changed": changed, "ledger": ledger if upgrade else work.read_ledger(),
            "version": version, "upgraded": True, "reason": "",
        }  # fmt: skip
    if not upgrade or upgrade["state"] not in ("staged", "failed") or not work.host.drive.is_file(_kept(work)):
        raise Refused("the installer is not staged")
    complaint = _complaint(work, work.host.drive.read(_kept(work)))
    if complaint:
        raise Refused(complaint)
    reason = "" if work.check_mode else _replace(work, target)
    state = "failed" if reason else "done"
    upgrade.update(state=state, finished=work.now, run=work.run_id, reason=reason)
    work.keep(ledger)
    after = target if work.check_mode else work.version()
    return {"changed": True, "ledger": ledger, "version": after, "upgraded": not reason, "reason": reason}


def _replace(work: Work, target: str) -> str:
    """Install; on any failure put the old version back. Why it failed, or nothing."""
    drive, service = work.host.drive, work.contract("service.name")
    install, config = work.contract("paths.install"), work.contract("paths.config")
    backup = join(work.contract("paths.work"), "backup")
    old_config = drive.read(config)
    drive.copy_folder(install, join(backup, "install"))
    drive.write(join(backup, config.rpartition("\\")[2]), old_config)
    work.host.stop_service(service)
    code = work.host.run_program(_kept(work), work.contract("installer.arguments"))
    if code not in work.contract("installer.success_codes"):
        reason = f"the installer ended with code {code}"
    elif not work.host.start_service(service) or work.version() is None:
        reason = "the service does not answer after the installation"
    elif work.version() != target:
        reason = f"the version is {work.version()} after the installation, not {target}"
    else:
        return ""
    work.host.stop_service(service)
    drive.copy_folder(join(backup, "install"), install)
    drive.write(config, old_config)
    work.host.start_service(service)
    return reason
