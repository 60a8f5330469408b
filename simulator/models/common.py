"""What the models of our modules share: options, contract, ledger."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulator.calls import FetchError
from simulator.clock import instant
from simulator.files import join

if TYPE_CHECKING:
    from simulator.host import SimulatedHost

Kind = type[Any] | tuple[str, ...]
"""What an option holds: a type, or the words that are allowed."""

COMMON: dict[str, tuple[Kind, bool]] = {
    "contract": (dict, True),
    "site": (str, True),
    "run_id": (str, True),
    "now": (str, True),
}


class Refused(Exception):  # noqa: N818
    """The module fails, with this message."""


def arguments_of(module: str, options: Mapping[str, tuple[Kind, bool]], given: Mapping[str, Any]) -> dict[str, Any]:
    """Check a call's arguments as Ansible.Basic does; those that are absent become None."""
    unknown = sorted(set(given) - set(options))
    if unknown:
        supported = f"Supported parameters include: {', '.join(sorted(options))}"
        raise Refused(f"Unsupported parameters for ({module}) module: {', '.join(unknown)}. {supported}")
    missing = sorted(name for name, (_kind, needed) in options.items() if needed and given.get(name) is None)
    if missing:
        raise Refused(f"missing required arguments: {', '.join(missing)}")
    return {name: _value(name, kind, given.get(name)) for name, (kind, _needed) in options.items()}


def _value(name: str, kind: Kind, value: Any) -> Any:  # noqa: ANN401
    if value is None:
        return None
    if isinstance(kind, tuple):
        if value not in kind:
            raise Refused(f"value of {name} must be one of: {', '.join(kind)}. Got no match for: {value}")
        return value
    try:
        if kind is int:
            return int(value)
        if kind is str and not isinstance(value, dict | list):
            return str(value)
        if isinstance(value, kind):
            return dict(value)
    except (TypeError, ValueError):
        pass
    raise Refused(
        f"argument for {name} is of type {type(value).__name__} and we were unable to convert to {kind.__name__}"
    )


class Work:
    """One call of one of our modules on one host."""

    def __init__(self, host: SimulatedHost, arguments: Mapping[str, Any], check_mode: bool) -> None:
        self.host = host
        self.arguments = arguments
        self.check_mode = check_mode
        self.site: str = arguments["site"]
        self.run_id: str = arguments["run_id"]
        self.now: str = arguments["now"]
        try:
            instant(self.now)
        except ValueError as error:
            raise Refused(f"now: {error}") from error

    def contract(self, path: str) -> Any:  # noqa: ANN401
        """A part of the vendor contract, by its path with dots; refused where it is missing."""
        found: Any = self.arguments["contract"]
        for name in path.split("."):
            if not isinstance(found, Mapping) or name not in found:
                raise Refused(f"contract.{path} is missing")
            found = found[name]
        return found

    def need(self, option: str) -> Any:  # noqa: ANN401
        """An option that this step cannot do without."""
        if self.arguments[option] is None:
            raise Refused(f"missing required arguments: {option} (step is {self.arguments['step']})")
        return self.arguments[option]

    @property
    def ledger_path(self) -> str:
        """Where the ledger lies on the server."""
        return join(self.contract("paths.work"), "ledger.json")

    def read_ledger(self) -> dict[str, Any] | None:
        """The ledger, None where there is none yet; refused where it is damaged or another site's."""
        path = self.ledger_path
        if not self.host.drive.is_file(path):
            return None
        try:
            ledger = json.loads(self.host.drive.read(path).decode("utf-8"))
        except ValueError as error:
            raise Refused(f"the ledger {path} is no JSON") from error
        if not isinstance(ledger, dict) or ledger.get("schema") != 1 or not isinstance(ledger.get("attempts"), list):
            raise Refused(f"the ledger {path} is not of schema 1")
        if ledger.get("site") != self.site:
            raise Refused(f"the ledger {path} is of site {ledger.get('site')}, not {self.site}")
        return ledger

    def ledger_or_new(self) -> dict[str, Any]:
        """The ledger, or an empty one."""
        return self.read_ledger() or {"schema": 1, "site": self.site, "upgrade": None, "lease": None, "attempts": []}

    def keep(self, ledger: dict[str, Any]) -> bool:
        """Write the ledger if it differs from what is there; whether it does."""
        if ledger == self.read_ledger():
            return False
        if not self.check_mode:
            self.host.drive.write(self.ledger_path, json.dumps(ledger, ensure_ascii=False).encode())
        return True

    def config(self) -> dict[str, Any] | None:
        """Interactor's configuration file, None where it is missing or no JSON object."""
        path = self.contract("paths.config")
        try:
            found = json.loads(self.host.drive.read(path).decode("utf-8-sig"))
        except (FileNotFoundError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def mode(self) -> str | None:
        """The mode that the configuration names."""
        config = self.config()
        return None if config is None else config.get(self.contract("config.mode_key"))

    def version(self) -> str | None:
        """What the running service says of itself, None where it does not answer."""
        body = self.host.local_get(self.contract("service.version_url"))
        found = json.loads(body).get("version") if body else None
        return None if found is None else str(found)

    def service(self) -> str:
        """Interactor's service in Windows' words; `missing` where there is none."""
        return self.host.services.get(self.contract("service.name"), "missing")

    def restart_service(self) -> bool:
        """Stop and start Interactor's service, nothing else's; whether it answers with its version again."""
        name = self.contract("service.name")
        self.host.stop_service(name)
        return self.host.start_service(name) and self.version() is not None

    def untouched(self) -> dict[str, str]:
        """A hash for every service and folder that must stay as it is."""
        found = {}
        for name in self.contract("untouched.services"):
            found[f"service:{name}"] = _sha256(self.host.services.get(name, "missing"))
        for folder in self.contract("untouched.folders"):
            files = (
                f"{name}\t{hashlib.sha256(content).hexdigest()}" for name, content in self.host.drive.below(folder)
            )
            found[f"folder:{folder}"] = _sha256("\n".join(sorted(files)))
        return found

    async def pages(self, *, server: bool) -> list[dict[str, Any]]:
        """P1, and on a server P2, as this host sees them."""
        return [await self._page(check) for check in (("P1", "P2") if server else ("P1",))]

    async def _page(self, check: str) -> dict[str, Any]:
        url = self.contract(f"pages.{check}.url")
        found: dict[str, Any] = {"id": check, "url": url, "status": 0, "text": None, "heading": None, "final_url": None}
        found.update(issuer=None, milliseconds=None, error=None)
        try:
            page = await self.host.get(url)
        except FetchError as error:
            return {**found, "error": str(error)}
        body = page.body.decode("utf-8", "replace")
        heading = re.search(r"(?is)<h([1-3])\b[^>]*>(.*?)</h\1\s*>", body)
        return {
            **found,
            "status": page.status,
            "text": plain(body)[:2000],
            "heading": plain(heading[2]) if heading else None,
            "final_url": page.final_url,
            "issuer": page.issuer or None,
            "milliseconds": page.milliseconds,
        }


def plain(body: str) -> str:
    """A page's text: no tags, white space folded."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
