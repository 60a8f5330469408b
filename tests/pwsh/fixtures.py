# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: one engine for a whole session, and a server of the vendor contract to run our scripts on."""

from __future__ import annotations

import atexit
import functools
import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pwsh.engine import FIX_SCRIPT, HERE, LEASE_SCRIPT, PRETEND, Engine, PretendHost, default_state

ROOT = Path(__file__).resolve().parent.parent.parent
INSTALLER = "6.2.0 set-up"
NOW = "2027-05-18T18:30:00Z"


@functools.cache
def shared_engine() -> Engine:
    """The one engine of this process; it ends with it."""
    folder = tempfile.TemporaryDirectory(prefix="interactor-engine-")
    engine = Engine(Path(folder.name))
    atexit.register(folder.cleanup)
    atexit.register(engine.close)
    return engine


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine; skipped with the reason where there is none. Several folders use this fixture, and share it."""
    return shared_engine()


@pytest.fixture
def contract() -> dict[str, Any]:
    """The vendor contract with the hash of the pretended installer."""
    defaults = (ROOT / "roles" / "vendor_contract" / "defaults" / "main.yml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(defaults)["vendor_contract"]
    loaded["installer"]["sha256"] = hashlib.sha256(INSTALLER.encode()).hexdigest()
    return loaded


class Server(PretendHost):
    """Site 1001's server, asked as the action plugins ask."""

    def __init__(self, folder: Path, contract: dict[str, Any], engine: Engine) -> None:
        super().__init__(folder, default_state(contract))
        self.contract = contract
        self.engine = engine
        paths = contract["paths"]
        self.program = paths["install"] + "\\Interactor.exe"
        self.ledger_file = paths["work"] + "\\ledger.json"
        self.write(self.program, "5.4.1")
        # Bytes that a way back has to bring back: a BOM, a key of the vendor's own, Norwegian letters.
        self.write(paths["config"], '\ufeff{"endpoint": "", "mode": "local", "printer": "Skranke Ø", "list": [1]}\r\n')
        self.write_long_ago(paths["data"] + "\\orders.jsonl", "what is there before")
        self.write(r"C:\EPJ\epj.ini", "untouched")

    def ask(self, module: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run a module; its result."""
        arguments = {"contract": self.contract, "site": "1001", "run_id": "run-1", "now": NOW}
        if module in ("migrate", "upgrade"):
            arguments["lease_script"] = LEASE_SCRIPT.read_text(encoding="utf-8")
        if module == "fix":
            arguments["fix_script"] = FIX_SCRIPT.read_text(encoding="utf-8")
        arguments.update(options)
        arguments = {name: value for name, value in arguments.items() if value is not None}
        return self.engine.module(f"interactor_{module}", arguments, self, check_mode=check)

    def fire(self, task: str, *, fails: str = "") -> None:
        """Run what a scheduled task of ours runs: a script that lies on the host, with the task's own arguments.

        `fails`: part of the error that it ends with.
        """
        action = self.state["tasks"][task]["actions"][0]
        assert action["Execute"].endswith("\\powershell.exe")
        script, arguments = re.fullmatch(
            r'-NoProfile -NonInteractive -ExecutionPolicy Bypass -File "([^"]+)" (.*)', action["Arguments"]
        ).groups()  # type: ignore[union-attr]
        with self._marked(self.path(script)):
            told = self.engine.script(
                f"""
                $env:PRETEND_STATE = '{self.file}'
                Import-Module -Name '{HERE / PRETEND}' -Force
                & '{self.path(script)}' {arguments}
                """
            )
        assert (fails in told) if fails else told.strip() == "", told
        assert not self.state["refused"], self.state["refused"]

    @contextmanager
    def _marked(self, script: Path) -> Iterator[None]:
        """A script on the host, as the copy that tells what of it was run; it has to lie where it lies."""
        sent = script.read_bytes()
        ours = next(each for each in (LEASE_SCRIPT, FIX_SCRIPT) if sent == each.read_bytes())
        script.write_bytes(self.engine.marked(ours).read_bytes())
        try:
            yield
        finally:
            script.write_bytes(sent)

    def unchanged_by(self, module: str, **options: Any) -> dict[str, Any]:
        """Run a module in check mode and see that it leaves everything as it was; its result."""
        before = (self.files(), self.state)
        result = self.ask(module, check=True, **options)
        assert (self.files(), self.state) == before
        return result


def step(server: Server, name: str, **options: Any) -> dict[str, Any]:
    """A step of a move; its result."""
    result = server.ask("migrate", step=name, **options)
    assert not result.get("failed"), result
    return result


def refused(server: Server, name: str, **options: Any) -> str:
    """The step fails, and the server is as it was; why."""
    before = server.files()
    result = server.ask("migrate", step=name, **options)
    assert result["failed"] is True
    assert server.files() == before
    return str(result["msg"])


@pytest.fixture
def server(tmp_path: Path, contract: dict[str, Any], engine: Engine) -> Server:
    """A server on which all is well."""
    return Server(tmp_path / "server", contract, engine)
