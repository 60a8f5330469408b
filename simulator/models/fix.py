"""interactor_fix: the remediation of a preflight, and the task that puts back what was for a night."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from simulator.clock import instant
from simulator.engine.registry import CONNECTIONS, MACHINE, USERS
from simulator.files import join, parent
from simulator.models.common import Options, Refused, Work
from simulator.programs import words
from simulator.settings import IDLE, PLAN, Settings, edited, parts, same, text
from simulator.windows import POWERSHELL, UNATTENDED, Task, hidden

if TYPE_CHECKING:
    from simulator.host import SimulatedHost

OPTIONS: Options = {
    "step": (("fix", "undo"), True),
    "checks": (list, True),
    "until": (str, False),
    "fix_script": (str, False),
}
_EVERY = timedelta(minutes=15)
_NIGHT = ("sleep", "restart")
_UNENDED = ("prepared", "running", "completed", "failed")
_INTERNET = r"Microsoft\Windows\CurrentVersion\Internet Settings"
_PANEL = r"Software\Policies\Microsoft\Internet Explorer\Control Panel"
_POLICIES = (
    (rf"Software\Policies\{_INTERNET}", "ProxyEnable", "Internet Settings"),
    (rf"Software\Policies\{_INTERNET}", "ProxyServer", "Internet Settings"),
    (rf"Software\Policies\{_INTERNET}", "ProxyOverride", "Internet Settings"),
    (rf"Software\Policies\{_INTERNET}", "AutoConfigURL", "Internet Settings"),
    (_PANEL, "Proxy", "Prevent changing proxy settings"),
    (_PANEL, "Autoconfig", "Disable changing Automatic Configuration settings"),
)
_MANUAL, _AUTOMATIC = 2, 4
Change = dict[str, Any]


async def answer(work: Work) -> None:
    """Find out what is to be done and, outside of check mode, do it."""
    needed = [name for name in ("until", "fix_script") if work.arguments[name] is None]
    if work.arguments["step"] == "fix" and needed:
        raise Refused(f"step is fix but all of the following are missing: {', '.join(needed)}")
    work.result.update(ledger=None, changes=[], left=[], until=None)
    changes = _Step(work).take(meant=False)
    if work.result["changed"] and not work.check_mode:
        work.lock()
        changes = _Step(work).take(meant=True)
    work.result["changes"] = [_told(each) for each in changes]
    work.result["diff"] = {side: "".join(map(_line(side), work.result["changes"])) for side in ("before", "after")}


def _told(change: Change) -> dict[str, str]:
    return {
        "check": change["check"],
        "what": hidden(change["what"]),
        "name": "state" if change["kind"] in ("idle", "task") else change["name"],
        "before": text(change, change["before"]),
        "after": text(change, change["after"]),
    }


def _line(side: str) -> Any:  # noqa: ANN401
    return lambda told: f"{told['check']}, {told['what']}, {told['name']}: {told[side]}\n"


def fire(host: SimulatedHost, name: str, moment: datetime) -> None:
    """What the task of a fix does on the host at a moment: the script that `_register` put there."""
    said = words(host.tasks[name].arguments.removeprefix(UNATTENDED))
    options = dict(zip(said[::2], said[1::2], strict=True))
    record = join(parent(options["-File"]), "fix.json")
    if moment < instant(options["-Until"]) or host.drive.is_file(options["-Flag"]):
        return
    settings = Settings(host)
    there = [path for path in (record, f"{record}.new") if host.drive.is_file(path)]
    for each in json.loads(host.drive.read(there[0]))["settings"] if there else []:
        if each["check"] in _NIGHT and same(each, settings.get(each), each["after"]):
            settings.set(each, each["before"])
    host.tasks.pop(name)


class _Step:
    """One look at the host, and what follows from it."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.settings = Settings(work.host)
        self.left: list[dict[str, str]] = []
        self.checks: list[str] = work.arguments["checks"]
        self.task = f"{work.contract('lease.task')} fix"
        self.path = join(work.contract("paths.work"), "fix.json")

    def take(self, *, meant: bool) -> list[Change]:
        """The changes of the step, made where they are meant."""
        work = self.work
        work.result["ledger"] = work.read_ledger()
        self._refuse_a_move()
        record = self._record()
        done: list[Change] = []
        later = False
        if work.arguments["step"] == "fix":
            changes = [each for check in ("proxy", *_NIGHT) if check in self.checks for each in self._plan(check)]
            until = work.arguments["until"]
            asked = [each for each in record["settings"] if each["check"] in _NIGHT and each["check"] in self.checks]
            later = bool(asked) and record["until"] != until
            if later or any(each["check"] in _NIGHT for each in changes):
                work.result["until"] = until
            if meant:
                self._fix(record, changes)
        else:
            changes, done = self._undo_plan(record)
            if meant:
                self._undo(record, changes, done)
        work.result.update(changed=bool(changes or later or done), left=self.left)
        return changes

    def _leave(self, check: str, what: str, why: str) -> None:
        self.left.append({"check": check, "what": hidden(what), "why": hidden(why)})

    def _refuse_a_move(self) -> None:
        ledger = self.work.result["ledger"]
        last = ledger["attempts"][-1] if ledger and ledger["attempts"] else None
        if last and last["state"] in _UNENDED:
            raise Refused(f"refused: a move is under way: attempt {last['number']} is {last['state']}")
        if self.work.host.drive.is_file(self.work.contract("paths.maintenance_flag")):
            raise Refused("refused: a move is under way: people are kept out of Interactor")
        upgrade = ledger["upgrade"] if ledger else None
        if upgrade and upgrade["started"] is not None and upgrade["finished"] is None:
            raise Refused("refused: an upgrade is under way")

    # ---- the record

    def _record(self) -> dict[str, Any]:
        record = self.work.read_durable("record of fixes", self.path)
        if record is None:
            return {"schema": 1, "site": self.work.site, "until": None, "settings": []}
        if record["site"] != self.work.site:
            of, site = record["site"], self.work.site
            raise Refused(f"record of fixes {self.path} belongs to site '{of}', not to '{site}'")
        if self.task not in self.work.host.tasks:
            self._forget(record, [each for each in record["settings"] if each["check"] in _NIGHT])
        return record

    def _forget(self, record: dict[str, Any], settings: list[Change]) -> None:
        record["settings"] = [each for each in record["settings"] if each not in settings]
        if not any(each["check"] in _NIGHT for each in record["settings"]):
            record["until"] = None

    def _save(self, record: dict[str, Any]) -> None:
        drive = self.work.host.drive
        if record["settings"]:
            drive.write_durably(self.path, json.dumps(record, ensure_ascii=False).encode())
        else:
            drive.remove(self.path)
        if not any(each["check"] in _NIGHT for each in record["settings"]):
            self.work.host.tasks.pop(self.task, None)
            drive.remove(join(parent(self.path), "fix.ps1"))

    def _register(self, until: str) -> None:
        script = join(parent(self.path), "fix.ps1")
        self.work.host.drive.write(script, self.work.arguments["fix_script"].encode())
        flag = self.work.contract("paths.maintenance_flag")
        arguments = f'{UNATTENDED} -File "{script}" -Until "{until}" -Flag "{flag}" -FixTask "{self.task}"'
        self.work.host.tasks[self.task] = Task(POWERSHELL, arguments, at=instant(until), every=_EVERY, startup=True)

    # ---- what to change

    def _plan(self, check: str) -> Iterator[Change]:
        match check:
            case "proxy":
                return self._proxy()
            case "sleep":
                return self._sleep()
            case _:
                return self._restart()

    def _proxy(self) -> Iterator[Change]:
        machine = rf"{MACHINE}\SOFTWARE\Policies\{_INTERNET}"
        if self.settings.value(machine, "ProxySettingsPerUser") == 0:
            title = "Make proxy settings per-machine (rather than per-user)"
            self._leave("proxy", "every profile", f"Group Policy: {title} ({machine}, ProxySettingsPerUser)")
            return
        for number, (account, signed_in) in enumerate(self.settings.accounts().items(), 1):
            policy = self._policy(account)
            if not signed_in:
                why = "not signed in, so its settings are not loaded: to be done at its next log-on"
                self._leave("proxy", f"profile {number}", why)
            elif policy:
                self._leave("proxy", f"profile {number}", f"Group Policy: {policy}")
            else:
                yield from self._profile(rf"{USERS}\{account}\Software\{_INTERNET}", number)

    def _policy(self, account: str) -> str:
        for whose, hive in (("machine", MACHINE), ("user", rf"{USERS}\{account}")):
            for key, name, title in _POLICIES:
                value = self.settings.value(rf"{hive}\{key}", name)
                if value is not None and (key != _PANEL or value != 0):
                    return f"{title} (of the {whose}, {key}, {name})"
        return ""

    def _profile(self, key: str, number: int) -> Iterator[Change]:
        enable, url = (self.settings.value(key, name) for name in ("ProxyEnable", "AutoConfigURL"))
        binaries = {name: self.settings.value(rf"{key}\Connections", name) for name in CONNECTIONS}
        told = {name: parts(raw) for name, raw in binaries.items() if raw is not None}
        scripts = [] if enable is None else [(url or "").strip()]
        if CONNECTIONS[0] in told:
            first = told[CONNECTIONS[0]]
            scripts.append(first["script"].strip() if first["flags"] & _AUTOMATIC else "")
        manual = bool(enable) or any(each["flags"] & _MANUAL for each in told.values())
        wanted = self.work.contract("proxy.script")
        if not manual and len({script.casefold() for script in scripts}) <= 1:
            self._leave_profile(number, scripts[0] if scripts else "", wanted)
            return
        script = next(filter(None, scripts), wanted)
        common = {"check": "proxy", "what": f"profile {number}"}
        if enable:
            yield {**common, "kind": "value", "where": key, "name": "ProxyEnable", "before": enable, "after": 0}
        if (url or "").strip() != script:
            yield {**common, "kind": "value", "where": key, "name": "AutoConfigURL", "before": url, "after": script}
        for name, each in told.items():
            flags = (each["flags"] | _AUTOMATIC) & ~_MANUAL
            if (flags, script) != (each["flags"], each["script"]):
                of = {"kind": "connection", "where": rf"{key}\Connections", "name": name}
                yield {**common, **of, "before": binaries[name], "after": edited(binaries[name], flags, script)}

    def _leave_profile(self, number: int, script: str, wanted: str) -> None:
        if not script:
            self._leave("proxy", f"profile {number}", "no proxy and no script: no second proxy to remove")
        elif urlsplit(script).hostname != urlsplit(wanted).hostname:
            self._leave("proxy", f"profile {number}", f"another script, {script}, and no second proxy to remove")

    def _sleep(self) -> Iterator[Change]:
        for what, name in IDLE.items():
            change = {"check": "sleep", "what": what, "kind": "idle", "where": PLAN, "name": name}
            before = self.settings.get(change)
            policy = rf"{MACHINE}\SOFTWARE\Policies\Microsoft\Power\PowerSettings\{name.strip('{}')}"
            if not before:
                continue
            if self.settings.value(policy, "ACSettingIndex") is not None:
                self._leave("sleep", what, f"Group Policy: Power Management ({policy}, ACSettingIndex)")
                continue
            yield {**change, "before": before, "after": 0}

    def _restart(self) -> Iterator[Change]:
        for name, restart in self.work.host.restarts.items():
            if restart.enabled and restart.at <= instant(self.work.arguments["until"]):
                of = {"kind": "task", "where": "\\", "name": name}
                yield {"check": "restart", "what": f"\\{name}", **of, "before": "enabled", "after": "disabled"}

    # ---- what is done

    def _fix(self, record: dict[str, Any], changes: list[Change]) -> None:
        for change in changes:
            place = [change[name] for name in ("kind", "where", "name")]
            known = [each for each in record["settings"] if [each[n] for n in ("kind", "where", "name")] == place]
            if known:
                known[0]["after"] = change["after"]
            else:
                record["settings"].append({**change, "run": self.work.run_id, "at": self.work.now})
        if any(each["check"] in _NIGHT for each in record["settings"]):
            record["until"] = self.work.arguments["until"]
        self._save(record)
        if record["until"] is not None:
            self._register(record["until"])
        for change in changes:
            self.settings.set(change, change["after"])

    def _undo_plan(self, record: dict[str, Any]) -> tuple[list[Change], list[Change]]:
        changes, done = [], []
        for entry in reversed(record["settings"]):
            if entry["check"] not in self.checks:
                continue
            now = self.settings.get(entry)
            if same(entry, now, entry["before"]):
                done.append(entry)
            elif not same(entry, now, entry["after"]):
                why = f"somebody has changed it meanwhile, to {text(entry, now)}"
                self._leave(entry["check"], f"{entry['what']}, {entry['name']}", why)
            else:
                former = entry["before"]
                if entry["kind"] == "connection":
                    before = parts(former)
                    former = edited(now, before["flags"], before["script"])
                changes.append({**entry, "before": now, "after": former, "entry": entry})
        return changes, done

    def _undo(self, record: dict[str, Any], changes: list[Change], done: list[Change]) -> None:
        for change in changes:
            self.settings.set(change, change["after"])
        self._forget(record, [*done, *(change["entry"] for change in changes)])
        self._save(record)
