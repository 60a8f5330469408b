"""What the models of our modules share: options, contract, ledger."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from simulator.calls import FetchError, Page
from simulator.files import join

if TYPE_CHECKING:
    from simulator.host import SimulatedHost

Kind = type[Any] | tuple[str, ...]
"""What an option holds: a type, or the words that are allowed."""
Options = Mapping[str, tuple[Kind, bool]]
"""By name: what it holds, and whether it is required."""

COMMON: Options = {"contract": (dict, True), "site": (str, True), "run_id": (str, True), "now": (str, True)}
_LEASE_STATES = ("held", "free")
_UPGRADE_STATES = ("staged", "done", "failed", "restart", "incident")
_ATTEMPT_STATES = ("prepared", "running", "completed", "failed", "switched", "rolled_back")
_ATTEMPT_PARTS = {
    "mode": "text", "history_months": "number", "prepared": "moment", "started": "moment", "finished": "moment",
    "switching": "moment", "switched": "moment", "ended": "moment", "before": "object", "counts": "object",
    "untouched": "object", "as_before": "object",
}  # fmt: skip
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


class Refused(Exception):  # noqa: N818
    """The module fails, with this message."""


def arguments_of(module: str, options: Options, given: Mapping[str, Any], inside: str = "") -> dict[str, Any]:
    """Check a call's arguments as Ansible.Basic does; those that are absent become None."""
    found_in = f" found in {inside}" if inside else ""
    unknown = sorted(set(given) - set(options))
    if unknown:
        supported = f"Supported parameters include: {', '.join(sorted(options))}"
        raise Refused(f"Unsupported parameters for ({module}) module: {', '.join(unknown)}{found_in}. {supported}")
    missing = sorted(name for name, (_kind, needed) in options.items() if needed and given.get(name) is None)
    if missing:
        raise Refused(f"missing required arguments: {', '.join(missing)}{found_in}")
    return {name: _value(name, kind, given.get(name), found_in) for name, (kind, _needed) in options.items()}


def _value(name: str, kind: Kind, value: Any, found_in: str) -> Any:  # noqa: ANN401
    if value is None:
        return None
    if isinstance(kind, tuple):
        if value not in kind:
            raise Refused(f"value of {name} must be one of: {', '.join(kind)}. Got no match for: {value}{found_in}")
        return value
    try:
        if kind is int:
            return int(value)
        if kind is bool and isinstance(value, bool):
            return value
        if kind is str and not isinstance(value, dict | list):
            return str(value)
        if isinstance(value, kind):
            return kind(value)
    except (TypeError, ValueError):
        pass
    found = type(value).__name__
    raise Refused(f"argument for {name} is of type {found} and we were unable to convert to {kind.__name__}{found_in}")


class Work:
    """One call of one of our modules on one host. `result` fills up as the work goes; a failure brings it along."""

    def __init__(self, host: SimulatedHost, arguments: Mapping[str, Any], check_mode: bool) -> None:
        self.host = host
        self.arguments = arguments
        self.check_mode = check_mode
        self.site: str = arguments["site"]
        self.run_id: str = arguments["run_id"]
        self.now: str = arguments["now"]
        self.result: dict[str, Any] = {"changed": False}

    def contract(self, path: str) -> Any:  # noqa: ANN401
        """A part of the vendor contract, by its path with dots; refused where it is missing."""
        found: Any = self.arguments["contract"]
        for name in path.split("."):
            if not isinstance(found, Mapping) or name not in found:
                raise Refused(f"contract: {path} is missing")
            found = found[name]
        return found

    def expand(self, path: str, **values: object) -> str:
        """A program's arguments of the contract, filled in; refused what could become more than one argument."""
        text: str = self.contract(path)
        for name, value in values.items():
            filled = str(value)
            # Several sites are one argument, with commas between them.
            parts = filled.split(",") if name == "sites" else [filled]
            plain = name.endswith("_file") or all(re.fullmatch(r"[A-Za-z0-9._-]+", part) for part in parts)
            if not plain or re.search(r'["\r\n]', filled):
                raise Refused(f"{name} is '{filled}': letters, digits, dot, dash and underscore are allowed")
            text = text.replace("{" + name + "}", filled)
        left = re.search(r"\{(\w+)\}", text)
        if left:
            raise Refused(f"contract: arguments name {{{left[1]}}}, which is not known here")
        return text

    @property
    def ledger_path(self) -> str:
        """Where the ledger lies on the server."""
        return join(self.contract("paths.work"), "ledger.json")

    def read_json(self, what: str, path: str) -> dict[str, Any] | None:
        """A JSON object from a file; None where there is no file, refused where it is none."""
        if not self.host.drive.is_file(path):
            return None
        try:
            found = json.loads(self.host.drive.read(path).decode("utf-8-sig"))
        except ValueError as error:
            raise Refused(f"{what} {path} is no JSON: {error}") from error
        if not isinstance(found, dict):
            raise Refused(f"{what} {path} is no JSON object")
        return found

    def read_durable(self, what: str, path: str) -> dict[str, Any] | None:
        """`read_json` of a file that is written durably: a whole new one that has not its name yet is the file."""
        found = self.read_json(what, path)
        if found is None:
            with suppress(Refused):
                found = self.read_json(what, path + ".new")
        return found

    def lock(self) -> None:
        """Nobody else is at work here, and a write that the power cut off is ended."""
        self.host.drive.make_folder(self.contract("paths.work"))
        for path in (self.ledger_path, self.contract("paths.config")):
            if not self.host.drive.is_file(path) and self.read_durable("file", path) is not None:
                self.host.drive.move(path + ".new", path)

    def read_ledger(self) -> dict[str, Any] | None:
        """The ledger, None where there is none yet; refused where it is damaged or another site's."""
        path = self.ledger_path
        ledger = self.read_durable("ledger", path)
        if ledger is None:
            return None
        if ledger.get("schema") != 1:
            raise Refused(f"ledger {path} has schema '{ledger.get('schema')}', this version writes 1")
        if ledger.get("site") != self.site:
            raise Refused(f"ledger {path} belongs to site '{ledger.get('site')}', not to '{self.site}'")
        damage = _damage(ledger)
        if damage:
            raise Refused(f"ledger {path} is damaged: {damage}")
        lease, flag = ledger["lease"], self.contract("paths.maintenance_flag")
        if lease and lease["state"] == "held" and not self.host.drive.is_file(flag):
            lease["state"] = "lost"
        return ledger

    def ledger_or_new(self) -> dict[str, Any]:
        """The ledger that was read, or an empty one that is not yet written."""
        found: dict[str, Any] | None = self.result["ledger"]
        return found or {"schema": 1, "site": self.site, "upgrade": None, "lease": None, "attempts": []}

    def save(self, ledger: dict[str, Any]) -> None:
        """Write the ledger and answer with it. That a lease is lost is never written: the flag tells it."""
        lost = ledger["lease"] and ledger["lease"]["state"] == "lost"
        written = {**ledger, "lease": {**ledger["lease"], "state": "held"}} if lost else ledger
        self.host.drive.write_durably(self.ledger_path, json.dumps(written, ensure_ascii=False).encode())
        self.result["ledger"] = ledger

    def config(self) -> dict[str, Any]:
        """Interactor's configuration; refused where it is missing or no JSON object."""
        path = self.contract("paths.config")
        found = self.read_durable("configuration", path)
        if found is None:
            raise Refused(f"configuration {path} is missing")
        return found

    def mode(self) -> Any:  # noqa: ANN401
        """The mode that the configuration names, in the contract's word where it has one."""
        told = self.config().get(self.contract("config.mode_key"))
        words = (word for word, said in self.contract("config.modes").items() if said and said.get("mode") == told)
        return next(words, told)

    def version(self) -> str | None:
        """What the running service says of itself, None where it does not answer with a version."""
        body = self.host.local_get(self.contract("service.version_url"))
        found = str(json.loads(body).get(self.contract("service.version_key"))) if body else ""
        return found if re.fullmatch(r"\d+(\.\d+){1,3}", found) else None

    def service(self) -> str:
        """Interactor's service in Windows' word; `missing` where there is none."""
        return self.host.service_word(self.contract("service.name"))

    def restart_service(self, version: str | None) -> None:
        """Restart Interactor's service and no other; refused where it does not tell that version then."""
        name = self.contract("service.name")
        self.host.stop_service(name)
        told = self.version() if self.host.start_service(name) else None
        if told is None:
            raise Refused("the service does not answer after its restart")
        if version and told != version:
            raise Refused(f"the service tells version '{told}' after its restart, not {version}")

    def untouched(self) -> dict[str, str]:
        """A hash for every service, folder and file that must stay as it is."""
        found = {}
        for name in self.contract("untouched.services"):
            service = self.host.services.get(name)
            told = f"{service.program}\n{service.start_mode}\n{service.account}" if service else ""
            found[f"service:{name}"] = _sha256(told.encode())
        for folder in self.contract("untouched.folders"):
            files = self.host.drive.below(folder)
            lines = sorted("{}\t{}".format(name.replace("\\", "/"), _sha256(content)) for name, content in files)
            found[f"folder:{folder}"] = _sha256("\n".join(lines).encode())
        for file in self.contract("untouched.files"):
            there = self.host.drive.is_file(file)
            found[f"file:{file}"] = _sha256(self.host.drive.read(file)) if there else "missing"
        return found

    async def pages(self, *checks: str) -> list[dict[str, Any]]:
        """The contract's pages as this host sees them."""
        return [_by_way(await self._page(check), "account") for check in checks]

    async def page_by(
        self, check: str, way: str, script: str | None, proxy: str, problem: str | None = None
    ) -> dict[str, Any]:
        """A page of the contract by a proxy, or directly; with a problem it is not asked."""
        url = self.contract(f"pages.{check}.url")
        if problem:
            found = {**_no_page(check, url), "error": problem}
        else:
            found = await self._page(check, lambda url: self.host.surroundings.page(url, proxy))
        return _by_way(found, way, script, proxy)

    async def _page(self, check: str, ask: Callable[[str], Awaitable[Page]] | None = None) -> dict[str, Any]:
        url = self.contract(f"pages.{check}.url")
        found = _no_page(check, url)
        try:
            page = await (ask or self.host.get)(url)
        except FetchError as error:
            return {**found, "error": str(error)}
        body = page.body.decode("utf-8", "replace")
        heading = re.search(r"(?is)<h[123][^>]*>(.*?)</h[123]\s*>", body)
        return {
            **found,
            "status": page.status,
            "text": plain(body)[:2000],
            "heading": plain(heading[1]) if heading else None,
            "final_url": page.final_url,
            "issuer": page.issuer,
            "milliseconds": page.milliseconds,
        }


def _by_way(found: dict[str, Any], way: str, script: str | None = None, proxy: str = "") -> dict[str, Any]:
    """What a page answered, with the way that it was asked."""
    trusted = None
    if found["status"] and found["final_url"].lower().startswith("https:"):
        trusted = True
    elif (found["error"] or "").startswith("TrustFailure"):
        trusted = False
    return {**found, "way": way, "script": script, "proxy": proxy or None, "trusted": trusted}


def _no_page(check: str, url: str) -> dict[str, Any]:
    found: dict[str, Any] = {"id": check, "url": url, "status": 0, "text": None, "heading": None, "final_url": None}
    return {**found, "issuer": None, "milliseconds": 0, "error": None}


def _damage(ledger: dict[str, Any]) -> str:
    """What is wrong inside a ledger; empty where it is sound."""
    for part in ("upgrade", "lease"):
        if not isinstance(ledger.get(part), dict | None):
            return f"{part} is no object"
    upgrade = ledger.get("upgrade")
    if upgrade is not None and upgrade.get("state") not in _UPGRADE_STATES:
        return f"upgrade.state is '{upgrade.get('state')}'"
    lease = ledger.get("lease")
    if lease is not None and lease.get("state") not in _LEASE_STATES:
        return f"lease.state is '{lease.get('state')}'"
    if not isinstance(ledger.get("attempts"), list):
        return "attempts is no list"
    for number, attempt in enumerate(ledger["attempts"], 1):
        damage = _attempt_damage(number, attempt)
        if damage:
            return damage
    return ""


def _attempt_damage(number: int, attempt: object) -> str:
    if not isinstance(attempt, dict) or not _is("number", attempt.get("number")) or attempt["number"] != number:
        return f"attempt {number} is not where it should be"
    if attempt.get("state") not in _ATTEMPT_STATES or not _is("text", attempt.get("key")):
        # None as PowerShell says it.
        state, key = (attempt.get(name) or "" for name in ("state", "key"))
        return f"attempt {number} has state '{state}' and key '{key}'"
    for name, kind in _ATTEMPT_PARTS.items():
        if not _is(kind, attempt.get(name)):
            return f"{name} of attempt {number} is no {kind}"
    return ""


def _is(kind: str, value: object) -> bool:
    """Whether a value is what it should be: a text or a number; a moment or an object, or null."""
    match kind:
        case "text":
            return isinstance(value, str) and value != ""
        case "number":
            return type(value) is int
        case "moment":
            return value is None or (isinstance(value, str) and re.fullmatch(_MOMENT, value) is not None)
        case _:
            return isinstance(value, dict | None)


def plain(body: str) -> str:
    """A page's text: no tags, white space folded."""
    text = re.sub(r"(?is)<(script|style)\b.*?</\1\s*>", " ", body)
    text = re.sub(r"(?s)<[^>]*>", " ", re.sub(r"(?s)<!--.*?-->", " ", text))
    return " ".join(html.unescape(text).split())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
