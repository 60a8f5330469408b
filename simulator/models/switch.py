"""To the cloud's mode and back: what _Switch.psm1 does on a real host."""

from __future__ import annotations

import codecs
import json
from contextlib import suppress
from typing import Any

from simulator.models import backup
from simulator.models.common import Refused, Work

_MOST_CHANGED = 100


def sources(work: Work) -> dict[str, str]:
    """What a move may touch, and a rollback brings back."""
    return {
        "install": work.contract("paths.install"),
        "data": work.contract("paths.data"),
        "configuration": work.contract("paths.config"),
    }


def save_before(work: Work, number: int) -> None:
    """Keep programs, data and configuration as they are before an attempt."""
    backup.remove(work, f"attempt-{number}")
    backup.save(work, f"attempt-{number}", sources(work))


def need_local(work: Work, number: int) -> None:
    """Refused where Interactor is not in the local mode although no attempt of ours has switched it."""
    mode = work.mode()
    if mode != "local":
        raise Refused(
            f"refused: attempt {number}: Interactor is in the mode '{mode}' already, without an attempt of ours "
            "(moved_outside)"
        )


def differing(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The names whose hash is another one, or is there only once."""
    changed = [name for name in after if before.get(name) != after[name]]
    return changed + [name for name in before if name not in after]


def switch(
    work: Work, ledger: dict[str, Any], attempt: dict[str, Any], setting: dict[str, Any], before: dict[str, str]
) -> None:
    """Switch a completed attempt to its mode, or leave the configuration as it was; `before` hashes the untouched."""
    name = f"attempt-{attempt['number']}"
    if backup.saved(work, name) is None:
        raise Refused(f"refused: there is no backup {name}, so there is no way back")
    attempt["switching"] = work.now
    work.save(ledger)
    try:
        _write_mode(work, setting)
        work.restart_service(attempt.get("version"))
        changed = differing(before, work.untouched())
        if changed:
            raise Refused(f"the switch has changed what it must leave alone: {', '.join(changed)}")
    except Refused as failure:
        try:
            backup.restore(work, name, {"configuration": work.contract("paths.config")})
        except OSError as second:
            reason = f"{failure}; the configuration is not as before: {second}"
            raise Refused(_with_service(work, reason)) from second
        try:
            work.restart_service(attempt.get("version"))
        except Refused as second:
            raise Refused(f"{failure}; with the configuration as before: {second}") from second
        raise Refused(f"{failure}; the configuration is as before") from failure
    attempt.update(state="switched", switched=work.now)
    work.save(ledger)


def _write_mode(work: Work, setting: dict[str, Any]) -> None:
    config = work.config()
    config[work.contract("config.mode_key")] = setting["mode"]
    config[work.contract("config.endpoint_key")] = setting.get("endpoint")
    config.update(setting.get("also") or {})
    path = work.contract("paths.config")
    encoding = "utf-8-sig" if work.host.drive.read(path).startswith(codecs.BOM_UTF8) else "utf-8"
    work.host.drive.write_durably(path, json.dumps(config, indent=2, ensure_ascii=False).encode(encoding))


def restore_before(work: Work, ledger: dict[str, Any], attempt: dict[str, Any]) -> dict[str, Any]:
    """Bring programs, data and configuration back to what they were before an attempt; what still differs."""
    name = f"attempt-{attempt['number']}"
    saved = backup.saved(work, name)
    if saved is None:
        if work.mode() != "local":
            raise Refused(f"there is no backup {name} to bring the configuration back from")
        return _as_before([f"there is no backup {name} to compare with"])
    source = sources(work)
    differ = backup.compare(saved, backup.file_list(work, source))
    lease = ledger["lease"]
    flagged = work.host.drive.is_file(work.contract("paths.maintenance_flag"))
    held = lease is not None and lease["state"] == "held" and flagged
    files = {"install": source["install"]}
    # In the local mode and without the lease somebody may have worked here since: what is newer is theirs.
    if held or not _is_local(work):
        files["data"] = source["data"]
    back = [path for path in differ if path == "configuration" or path.split("/")[0] in files]
    if back:
        work.host.stop_service(work.contract("service.name"))
        # What could not be put back is told by the comparison at the end.
        with suppress(OSError):
            backup.restore(work, name, files)
        # Last: as long as it names the cloud, nobody works with the data here.
        try:
            backup.restore(work, name, {"configuration": source["configuration"]})
        except OSError as failure:
            raise Refused(_with_service(work, str(failure))) from failure
    work.host.drive.remove(source["configuration"] + ".new")
    version, told = attempt.get("version"), work.version()
    if back or attempt.get("switching") or not told or (version and told != version):
        work.restart_service(version)
    return _as_before(backup.compare(saved, backup.file_list(work, source)))


def _is_local(work: Work) -> bool:
    """Whether people can work with the data here."""
    try:
        return bool(work.mode() == "local")
    except Refused:
        return False


def _with_service(work: Work, reason: str) -> str:
    """Start the service that a way back has stopped, whatever its configuration says; the reason, with what became."""
    if work.service() == "running":
        return reason
    try:
        work.restart_service(None)
    except Refused as failure:
        return f"{reason}; {failure}"
    return f"{reason}; the service runs with what is there"


def _as_before(changed: list[str]) -> dict[str, Any]:
    left = len(changed) - _MOST_CHANGED
    more = [f"and {left} more"] if left > 0 else []
    return {"equal": not changed, "changed": [*changed[:_MOST_CHANGED], *more]}
