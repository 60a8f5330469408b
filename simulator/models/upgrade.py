"""interactor_upgrade: the newest Interactor on the server, or the old one as it was (U1)."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import Any

from simulator.calls import FetchError
from simulator.clock import instant, stamp
from simulator.files import join
from simulator.models import backup, lease
from simulator.models.common import Options, Refused, Work

OPTIONS: Options = {"step": (("look", "stage", "install", "confirm"), True), "lease_script": (str, False)}
_BOOT_TOLERANCE = timedelta(minutes=1)
_ACHIEVES = {"stage": "staged", "install": "upgraded", "confirm": "upgraded"}


async def answer(work: Work) -> None:
    """Do one step."""
    step = work.arguments["step"]
    if step in ("install", "confirm") and work.arguments["lease_script"] is None:
        raise Refused(f"step is {step} but all of the following are missing: lease_script")
    if step != "look" and not work.check_mode:
        work.lock()
    work.result["ledger"] = work.read_ledger()
    work.result["version"] = work.version()
    if step in _ACHIEVES:
        work.result.update({_ACHIEVES[step]: False, "reason": "", "again": False})
    match step:
        case "stage":
            await _stage(work)
        case "install":
            _install(work)
        case "confirm":
            _confirm(work)


def _installer_path(work: Work) -> str:
    name = work.contract("installer.url").rpartition("/")[2]
    if not re.fullmatch(r"[A-Za-z0-9._-]+\.(exe|msi)", name):
        raise Refused(f"contract: installer.url ends with '{name}'; the name of an .exe or .msi file is wanted")
    return join(work.contract("paths.work"), name)


def _contract_problem(work: Work) -> str:
    """Why nothing can be installed by this contract; empty where it can."""
    wanted, arguments = str(work.contract("installer.sha256")), str(work.contract("installer.arguments"))
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", wanted):
        return f"contract: installer.sha256 is '{wanted}', 64 hex digits are wanted: nothing unverified is installed"
    if "/norestart" not in arguments.casefold().split(" "):
        told = f"contract: installer.arguments is '{arguments}', without /norestart"
        return f"{told}: the office's EPJ may live on this server"
    return ""


def _problem(work: Work, path: str) -> str:
    """Why a file is not the installer of the contract; empty where it is."""
    if not work.host.drive.is_file(path):
        return f"{path} is missing"
    content, wanted = work.host.drive.read(path), str(work.contract("installer.sha256")).lower()
    found = hashlib.sha256(content).hexdigest()
    if found != wanted:
        return f"its SHA-256 is {found}, not {wanted}"
    signer, publisher = work.host.signer(content), work.contract("installer.publisher")
    if signer is None:
        return "its signature is NotSigned"
    return "" if signer == publisher else f"it is signed by '{signer}', not by '{publisher}'"


def _is_staged(work: Work, upgrade: dict[str, Any] | None) -> bool:
    return bool(upgrade and upgrade["state"] == "staged" and upgrade["to"] == work.contract("installer.version"))


def _is_cut_off(upgrade: dict[str, Any]) -> bool:
    return upgrade["state"] == "staged" and upgrade["started"] is not None and upgrade["finished"] is None


def _is_unproven(upgrade: dict[str, Any] | None) -> bool:
    """Whether it is not known what an installer has left."""
    return upgrade is not None and (upgrade["state"] in ("restart", "incident") or _is_cut_off(upgrade))


def _refuse_newer(work: Work) -> None:
    """Nobody goes back by an upgrade: a newer version than the contract's stays."""
    told, wanted = work.result["version"], work.contract("installer.version")
    if told and _numbers(told) > _numbers(wanted):
        raise Refused(f"refused: version {told} runs, which is newer than {wanted}")


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


async def _stage(work: Work) -> None:
    ledger, result, path = work.ledger_or_new(), work.result, _installer_path(work)
    before = ledger["upgrade"]
    if _is_unproven(before):
        raise Refused(f"refused: the upgrade to {before['to']} has not been brought to its end")
    _refuse_newer(work)
    problem = _problem(work, path)
    known = _is_staged(work, before)
    has = result["version"] == work.contract("installer.version") and not known
    staged = has or (known and not problem)
    result.update(staged=staged, changed=not staged)
    if staged:
        return
    missing = _contract_problem(work)
    if missing:
        result.update(reason=missing, changed=False)
        return
    if work.check_mode:
        return
    if problem:
        reason, again = await _fetch(work, path)
        if reason:
            result.update(reason=reason, again=again, changed=again)
            return
    ledger["upgrade"] = {
        "state": "staged", "from": result["version"], "to": work.contract("installer.version"), "started": None,
        "finished": None, "booted": None, "run": work.run_id, "reason": "", "code": None,
    }  # fmt: skip
    work.save(ledger)
    result["staged"] = True


async def _fetch(work: Work, path: str) -> tuple[str, bool]:
    """Fetch the installer, or the rest of it, and keep it if it is the contract's; why not, and whether to go on."""
    url, drive = work.contract("installer.url"), work.host.drive
    folder, _slash, name = path.rpartition("\\")
    part, note = join(folder, f"part-{name}"), join(folder, f"part-{name}.note")
    begun = drive.read(part) if drive.is_file(part) else b""
    total, _newline, tag = drive.read(note).decode().partition("\n") if drive.is_file(note) else ("", "", "")
    if begun and total == str(len(begun)):
        return _keep(work, path, part, note)
    try:
        page = await work.host.download(url, len(begun), work.contract("installer.fetch_seconds"))
        same = page.first == len(begun) and page.tag == tag and total in ("", str(page.total))
        if begun and (page.status == 416 or (page.status == 206 and not same)):
            begun = b""
            page = await work.host.download(url, 0, work.contract("installer.fetch_seconds"))
    except FetchError as error:
        return f"{url} could not be fetched: {error}", False
    if page.status not in (200, 206):
        return f"{url} could not be fetched: it answers {page.status}", False
    if page.status == 200:
        begun = b""
        drive.write(note, f"{page.total}\n{page.tag}".encode())
    drive.write(part, begun + page.body)
    arrived = len(begun) + len(page.body)
    if arrived == page.total:
        return _keep(work, path, part, note)
    if not page.body:
        return f"{url} could not be fetched: the line broke", False
    return f"{arrived} of {page.total} bytes fetched", True


def _keep(work: Work, path: str, part: str, note: str) -> tuple[str, bool]:
    """Keep what was fetched if it is the contract's installer."""
    problem = _problem(work, part)
    content = work.host.drive.read(part)
    work.host.drive.remove(note)
    work.host.drive.remove(part)
    if problem:
        return f"{work.contract('installer.url')} is not the installer: {problem}", False
    work.host.drive.write(path, content)
    return "", False


def _install(work: Work) -> None:
    ledger, result, target = work.ledger_or_new(), work.result, work.contract("installer.version")
    upgrade = ledger["upgrade"]
    unproven = _is_unproven(upgrade)
    result["upgraded"] = result["version"] == target and not unproven
    if result["upgraded"]:
        return
    if not unproven:
        _refuse_newer(work)
    if not _is_staged(work, upgrade):
        raise Refused(f"refused: version {target} is not staged")
    problem = _contract_problem(work)
    if problem:
        raise Refused(f"refused: {problem}")
    if lease.state(ledger) != "free":
        raise Refused("refused: the lease of a move is held")
    result["changed"] = True
    if work.check_mode or _is_at_work(work):
        return
    try:
        if unproven:
            _resume(work, ledger)
            result["version"] = work.version()
            if upgrade["state"] != "staged" or _is_unproven(upgrade):
                return
        if _is_installable(work, ledger):
            _upgrade(work, ledger)
    finally:
        _open(work, ledger)


def _open(work: Work, ledger: dict[str, Any]) -> None:
    """Let people in again, in every case; a service that an upgrade has left stopped is started."""
    lease.give_back(work, None)
    if _is_unproven(ledger["upgrade"]) and work.service() == "stopped":
        work.host.start_service(work.contract("service.name"))
    work.result["version"] = work.version()


def _is_at_work(work: Work) -> bool:
    """Whether the installer of an earlier run, or Windows Installer, is still at work; it is waited for."""
    name = _installer_path(work).rpartition("\\")[2].rpartition(".")[0].casefold()
    reason = ""
    if name in {process.name.casefold() for process in work.host.processes}:
        reason = "the installer of an earlier run is still at work"
    elif work.host.msi_at_work:
        reason = "another installation is at work on the server"
    if reason:
        work.result.update(changed=False, again=True, reason=reason)
    return bool(reason)


def _is_installable(work: Work, ledger: dict[str, Any]) -> bool:
    """Whether the installer is still sound, and nobody is in Interactor, now that nobody new gets in."""
    path, result = _installer_path(work), work.result
    result.update(again=False, reason="")
    problem = _problem(work, path)
    if problem:
        work.host.drive.remove(path)
        ledger["upgrade"] = None
        work.save(ledger)
        result["reason"] = f"the staged installer is no longer sound: {problem}"
        return False
    if not result["version"]:
        raise Refused("refused: the service does not tell its version, so the way back could not be proved")
    lease.keep_out(work)
    users = lease.look(work, client=False)
    if users["active"]:
        result.update(changed=False, again=True, reason=lease.why(users))
    return not users["active"]


def _confirm(work: Work) -> None:
    ledger, result = work.ledger_or_new(), work.result
    upgrade = ledger["upgrade"]
    if not _is_unproven(upgrade):
        result["upgraded"] = result["version"] == work.contract("installer.version")
        return
    cut = _is_cut_off(upgrade)
    if not cut and not _is_restarted(work, upgrade):
        result.update(again=True, reason=f"the server runs since {upgrade['booted']} and waits for a restart")
        if not work.check_mode:
            _open(work, ledger)
        return
    result["changed"] = True
    if work.check_mode or (cut and _is_at_work(work)):
        return
    try:
        if cut:
            _resume(work, ledger)
        else:
            _prove(work, ledger)
    finally:
        _open(work, ledger)


def sources(work: Work) -> dict[str, str]:
    """What an upgrade may change, and a way back brings back."""
    return {
        "install": work.contract("paths.install"),
        "configuration": work.contract("paths.config"),
        "data": work.contract("paths.data"),
    }


def _is_restarted(work: Work, upgrade: dict[str, Any]) -> bool:
    """Whether the server was started again after the boot time that the ledger noted; both are of its own clock."""
    return work.host.booted - instant(upgrade["booted"]) > _BOOT_TOLERANCE


def _version_problem(work: Work, version: str | None = None) -> str:
    """Start the service and let it tell its version: why it is not proven, or nothing."""
    name = work.contract("service.name")
    if work.service() != "running" and not work.host.start_service(name):
        return f"the service does not start: Service '{name}' cannot be started."
    told = work.version()
    if told and version in (None, told):
        return ""
    return (
        f"the service tells version '{told or ''}', not {version}"
        if version
        else "the service does not tell its version"
    )


def _save(work: Work, ledger: dict[str, Any], state: str, reason: str = "") -> None:
    upgrade, staged = ledger["upgrade"], state == "staged"
    upgrade.update(state=state, reason="" if staged else reason, finished=None if staged else work.now)
    if staged:
        upgrade.update(started=None, code=None)
    work.save(ledger)
    work.result.update(upgraded=state == "done", again=state in ("staged", "restart"), reason=reason)


def _undo(work: Work, ledger: dict[str, Any], reason: str, state: str = "failed") -> None:
    """Go back to the old version because of a reason, and say whether that is proven; wait for who works with it."""
    upgrade = ledger["upgrade"]
    kept_out = _is_kept_out(work, upgrade)
    if not _is_way_back_open(work, kept_out):
        return
    work.host.stop_service(work.contract("service.name"))
    files, newer = sources(work), list[str]()
    data = {"data": files["data"]}
    if not kept_out:
        # What is newer may be the office's work.
        del files["data"]
    try:
        differ = backup.restore(work, _backup_name(upgrade), files)
        problem = f"not as before: {', '.join(differ)}" if differ else ""
        if not kept_out:
            newer = backup.differing(work, _backup_name(upgrade), data)
    except Refused as refusal:
        problem = str(refusal)
    problems = [text for text in (problem, _version_problem(work, upgrade["from"])) if text]
    end = f"the way back failed too: {'; '.join(problems)}" if problems else f"version {upgrade['from']} is back"
    if newer:
        left = "people had been let in, so the data are left as they are, newer than the backup"
        end += f"; {left}: {', '.join(newer)}"
    _save(work, ledger, "failed" if problems or newer else state, f"{reason}; {end}")


def _is_kept_out(work: Work, upgrade: dict[str, Any]) -> bool:
    """Whether nobody has been let into Interactor since the installer was begun: the flag is still that run's own."""
    flag = work.contract("paths.maintenance_flag")
    if upgrade["state"] != "staged" or not work.host.drive.is_file(flag):
        return False
    return work.host.drive.read(flag).decode().strip() == f"{upgrade['run']} {upgrade['started']}"


def _is_way_back_open(work: Work, kept_out: bool) -> bool:
    """Whether the service may be stopped for the way back: nobody was let in, or nobody is in it now."""
    if kept_out or work.service() != "running":
        return True
    lease.keep_out(work)
    users = lease.look(work, client=False)
    if users["active"]:
        work.result.update(changed=False, again=True, reason=lease.why(users))
    return not users["active"]


def _backup_name(upgrade: dict[str, Any]) -> str:
    return f"upgrade-{upgrade['from']}"


def _upgrade(work: Work, ledger: dict[str, Any]) -> None:
    """Stop the service, back up, install and prove the version, or go back."""
    upgrade, service = ledger["upgrade"], work.contract("service.name")
    upgrade["from"] = work.result["version"]
    backup.need_room(work, sources(work))
    backup.remove(work, _backup_name(upgrade))
    upgrade.update(started=work.now, booted=stamp(work.host.booted), run=work.run_id)
    work.save(ledger)
    work.host.stop_service(service)
    try:
        backup.save(work, _backup_name(upgrade), sources(work))
    except Refused as refusal:
        old = _version_problem(work, upgrade["from"])
        if old:
            raise Refused(f"{refusal}; {old}") from refusal
        _save(work, ledger, "staged")
        raise Refused(f"{refusal}; version {upgrade['from']} runs on") from refusal
    upgrade["code"] = work.host.run_program(_installer_path(work), work.contract("installer.arguments"))
    if upgrade["code"] in work.contract("installer.restarted_codes"):
        _save(work, ledger, "incident", f"the installer restarts the server by itself (code {upgrade['code']})")
        return
    work.save(ledger)
    _complete(work, ledger)


def _complete(work: Work, ledger: dict[str, Any]) -> None:
    """Bring an upgrade to its end by the code that the installer ended with."""
    upgrade = ledger["upgrade"]
    code = upgrade["code"]
    if code in work.contract("installer.busy_codes"):
        _undo(work, ledger, f"another installation is at work on the server (code {code})", "staged")
    elif code in work.contract("installer.restart_codes"):
        problem = _version_problem(work)
        wants = f"the installer wants a restart of the server (code {code})"
        if problem:
            _undo(work, ledger, f"{wants}, and {problem}")
        else:
            _save(work, ledger, "restart", wants)
    elif code in work.contract("installer.success_codes"):
        problem = _version_problem(work, upgrade["to"])
        if problem:
            _undo(work, ledger, problem)
        else:
            _save(work, ledger, "done")
    else:
        _undo(work, ledger, f"the installer ended with code {code}")


def _resume(work: Work, ledger: dict[str, Any]) -> None:
    """Bring an upgrade that was cut off to a proven end: done, failed with the old version back, or as never begun."""
    upgrade = ledger["upgrade"]
    if upgrade["code"] is not None:
        _complete(work, ledger)
    elif backup.saved(work, _backup_name(upgrade)) is None:
        problem = _version_problem(work, upgrade["from"])
        if problem:
            raise Refused(f"the upgrade was cut off before the installer ran, and {problem}")
        _save(work, ledger, "staged", "the upgrade was cut off before the installer ran")
    elif _is_restarted(work, upgrade):
        _undo(work, ledger, "the server was restarted while the installer ran")
    elif _version_problem(work, upgrade["to"]):
        _undo(work, ledger, "the upgrade was cut off", "staged")
    else:
        _save(work, ledger, "done")


def _prove(work: Work, ledger: dict[str, Any]) -> None:
    """After the restart that an installer wanted, or made: prove the new version, or go back."""
    upgrade = ledger["upgrade"]
    problem = _version_problem(work, upgrade["to"])
    kept = upgrade["reason"] if upgrade["state"] == "incident" else ""
    if problem:
        _undo(work, ledger, "; ".join(text for text in (kept, f"after the restart {problem}") if text))
        return
    _save(work, ledger, "done", kept)
