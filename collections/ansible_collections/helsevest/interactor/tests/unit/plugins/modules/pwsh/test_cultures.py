# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our scripts say and do the same whatever the host's language, code page and names: a whole move, all of it odd."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.pwsh.engine import LEASE_SCRIPT, Engine, find, service
from tests.pwsh.fixtures import INSTALLER, Server

CULTURES = {"nb-NO": "nb_NO.UTF-8", "nn-NO": "nn_NO.UTF-8", "en-US": "en_US.UTF-8"}
"""As Windows names them; as an environment does."""
CODE_PAGES = {65001: "nb_NO.UTF-8", 850: "nb_NO.IBM850"}

INSTALL = r"C:\Program Files (x86)\Legekontoret Ærøy [øst]\Interactor"
PROGRAM_DATA = r"C:\ProgramData\Blåbærøya [1-2]"
WORK = r"C:\ProgramData\Flytting [åpen]\Arbeid"
MESSAGES = r"C:\EPJ [gammel]\Meldinger å"
SERVICE = "Interactor Blåbærøya [1]"
NAMES: dict[str, Any] = {
    "service": {"name": SERVICE},
    "paths": {
        "install": INSTALL,
        "data": f"{PROGRAM_DATA}\\Data",
        "config": f"{PROGRAM_DATA}\\interactor [å].json",
        "work": WORK,
        "maintenance_flag": f"{PROGRAM_DATA}\\vedlikehald [ø].flag",
    },
    "lease": {"task": "Flytting [å] leie"},
    "migration": {
        "task": "Flytting [å]",
        "program": f"{INSTALL}\\Flytt [æ].exe",
        "status_file": f"{WORK}\\stode [ø].json",
        "list_file": f"{WORK}\\liste [ø].jsonl",
    },
    "untouched": {"services": ["EPJ Øyafoss"], "folders": [MESSAGES], "files": [f"{MESSAGES}\\ærlig [1].xml"]},
}
ATTEMPT = {"number": 1, "key": "1001-1-4f3a"}
OPENING = {"attempt": ATTEMPT, "history_months": 12, "day": "2027-05-18", "mode": "server_in_cloud"}
WARNING = "Lukk Interactor nå. «Blåbærøya» flyttes – æøå ÆØÅ."
SHOW = "(Get-Culture).Name; 1.5.ToString(); 'aa'.StartsWith('a'); [datetime]::new(2027, 5, 18).ToString('D')"
MESSAGE = "Ferdig: 1,5 MB blåbærsyltetøy – ÆØÅ"
KARI = "HKEY_USERS\\S-1-5-21-1-2-3-1001\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"


def named(contract: dict[str, Any]) -> dict[str, Any]:
    """The contract with the names above."""
    return {
        part: {**told, **NAMES.get(part, {})} if isinstance(told, dict) else told for part, told in contract.items()
    }


def odd_server(folder: Path, contract: dict[str, Any], engine: Engine) -> Server:
    """Site 1001's server where everything has blanks, brackets and Norwegian letters in its name."""
    server = Server(folder, named(contract), engine)
    migration = server.contract["migration"]
    server.write(migration["program"], "flytteprogrammet")
    server.write_long_ago(f"{PROGRAM_DATA}\\Data\\ordre [å] 1.jsonl", "ein ordre")
    server.write(f"{MESSAGES}\\ærlig [1].xml", "melding")
    line = json.dumps({"category": "orders", "id": "ord-1", "date": "2027-05-01"})
    server.update(
        services={**server.state["services"], "EPJ Øyafoss": service(r"C:\EPJ [gammel]\epj.exe", account=r".\Kåre Ås")},
        registry={KARI: {"ProxyEnable": 1, "ProxyServer": "blåbær.example:8080"}},
        processes=[{"name": "Interactor", "path": f"{INSTALL}\\Interactor.exe", "session": 3, "window": "stays"}],
        users=["Kåre Ås", "Østen Æby"],
        downloads={server.contract["installer"]["url"]: INSTALLER},
        programs={
            "InteractorSetup-6.2.0.exe": {"exit_code": 0, "writes": {server.program: "6.2.0"}},
            "Flytt [æ].exe": {"exit_code": 0, "writes": {migration["list_file"]: line}},
        },
    )
    return server


def tell(server: Server) -> list[Any]:
    """Preflight, upgrade, move, check and way back: every answer, then what is on the server."""
    migration, told = server.contract["migration"], list[Any]()

    def ask(module: str, **options: Any) -> None:
        answer = server.ask(module, **options)
        # How long the probe worked is different every time.
        answer.get("facts", {}).pop("seconds", None)
        told.append({"asked": [module, options.get("step")], **answer})

    ask("preflight", role="server")
    ask("upgrade", step="stage")
    ask("upgrade", step="install")
    ask("migrate", step="lease", warning=WARNING)
    ask("migrate", step="users", warning=WARNING, close=True)
    server.update(processes=[], open_files=[f"{PROGRAM_DATA}\\Data\\ordre [å] 1.jsonl"])
    ask("migrate", step="lease")
    server.update(open_files=[r"C:\Felles\brev [æ].docx"])
    ask("upgrade", step="install")
    ask("migrate", step="lease")
    ask("migrate", step="manifest", **OPENING)
    ask("migrate", step="start", **OPENING)
    done = {"state": "completed", "progress": 100, "counts": {"orders": 1}, "message": MESSAGE}
    server.write(migration["status_file"], json.dumps(done, ensure_ascii=False))
    ask("migrate", step="follow", **OPENING)
    ask("migrate", step="ids", categories=["orders"], **OPENING)
    ask("migrate", step="switch", **OPENING)
    ask("preflight", role="client")
    ask("postcheck")
    ask("migrate", step="handback")
    server.write(f"{INSTALL}\\ny [å].dll", "det som kom til")
    server.write(server.program, "6.3.0")
    ask("migrate", step="restore", **OPENING)
    server.update(computer={**server.state["computer"], "free_bytes": 2**20})
    ask("migrate", step="manifest", **{**OPENING, "attempt": {"number": 2, "key": "1001-2-4f3a"}})
    told.append({path: content.decode() for path, content in sorted(server.files().items())})
    return [*told, server.state["tasks"], server.state["calls"]]


@dataclass
class Story:
    """A server before and after everything that is asked of it, in one culture."""

    shown: list[str]
    before: dict[str, bytes]
    told: list[Any]
    server: Server


@pytest.fixture(scope="module")
def story_in(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, dict[str, Any]], Story]:
    """The story in a culture, told once, in an engine of its own."""
    stories: dict[str, Story] = {}

    def tell_in(culture: str, contract: dict[str, Any]) -> Story:
        if culture not in stories:
            engine = Engine(tmp_path_factory.mktemp(culture), {"LC_ALL": CULTURES[culture]})
            try:
                shown = engine.script(SHOW).splitlines()
                server = odd_server(tmp_path_factory.mktemp("server"), contract, engine)
                before = server.files()
                stories[culture] = Story(shown, before, tell(server), server)
            finally:
                engine.close()
        return stories[culture]

    return tell_in


@pytest.mark.parametrize("culture", CULTURES)
def test_a_whole_move_is_the_same_in_every_language(story_in: Any, culture: str, contract: dict[str, Any]):
    story = story_in(culture, contract)
    name, decimal, begins, day = story.shown
    assert (name, decimal, begins) == (culture, "1.5" if culture == "en-US" else "1,5", str(culture == "en-US"))
    assert ("mai" in day) == (culture != "en-US")
    for mine, other in zip(story.told, story_in("nb-NO", contract).told, strict=True):
        assert mine == other


def test_every_step_of_it_did_what_it_should(story_in: Any, contract: dict[str, Any]):
    story = story_in("nb-NO", contract)
    server = story.server
    *answers, files, tasks, calls = story.told
    (
        probe, stage, busy, in_it, users, read, install, lease, manifest, start, follow, ids, switch, client, check,
        handback, restore, refused,
    ) = answers  # fmt: skip
    assert not [answer for answer in answers[:-1] if answer.get("failed")]
    facts = probe["facts"]
    sample = facts["speed"]["samples"][0]
    assert (facts["host"]["free_gb"], sample["seconds"], facts["host"]["uptime_hours"]) == (81.5, 0.31, 120.5)
    assert facts["proxy"]["profiles"][0]["proxy_server"] == "blåbær.example:8080"
    assert (stage["staged"], busy["upgraded"], busy["again"]) == (True, False, True)
    assert (in_it["held"], in_it["users"]["sessions"], in_it["users"]["warned"]) == (False, 1, 2)
    assert (users["users"]["closed"], read["held"], read["users"]["open_files"]) == (0, False, 1)
    assert (install["upgraded"], install["version"]) == (True, "6.2.0")
    assert (lease["held"], manifest["manifest"]["orders"]["count"]) == (True, 1)
    assert start["ledger"]["attempts"][0]["state"] == "running"
    assert follow["ledger"]["attempts"][0]["message"] == MESSAGE
    assert (ids["ids"]["orders"], switch["mode"], switch["changed_meanwhile"]) == (["ord-1"], "server_in_cloud", [])
    assert (client["facts"]["interactor"], check["facts"]["version"]) == (None, "6.2.0")
    assert list(check["facts"]["untouched"]) == [
        "service:EPJ Øyafoss", f"folder:{MESSAGES}", f"file:{MESSAGES}\\ærlig [1].xml",
    ]  # fmt: skip
    assert check["facts"]["maintenance"] is True
    assert handback["changed"] is True
    assert restore["as_before"] == {"equal": True, "changed": []}
    assert re_drive(refused["msg"]) == "manifest: refused: the backup needs 1025 MB free on drive C:"
    kept = {path: content.decode() for path, content in story.before.items() if "Arbeid" not in path}
    after = kept | {str(server.path(server.program).relative_to(server.drive)): "6.2.0"}
    assert {path: text for path, text in files.items() if "Arbeid" not in path} == after
    assert [name for name in tasks if "leie" in name] == []
    assert f"msg * /TIME:900 {WARNING}" in calls
    assert any(path.endswith("set-aside/install/ny [å].dll") for path in files)


def re_drive(message: str) -> str:
    """A refusal without its numbers of bytes."""
    return message.partition(" (")[0]


def run_pwsh(page: int, tools: Path, *arguments: str, stdin: str = "") -> bytes:
    """The bytes that a process of its own writes on a host with this code page."""
    run = subprocess.run(
        [find(), "-NoProfile", "-NonInteractive", *arguments],
        input=stdin.encode(),
        capture_output=True,
        check=True,
        timeout=900,
        env={**os.environ, "LC_ALL": CODE_PAGES[page], "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
    )
    return run.stdout


def test_the_controller_reads_the_same_whatever_the_code_page(engine: Engine, contract: dict[str, Any], tmp_path: Path):
    server = odd_server(tmp_path / "server", contract, engine)
    server.write(server.ledger_file, '{"schema": 1, "site": "Ålesund [æ]"}')
    sent = {
        "contract": server.contract, "site": "1001", "run_id": "køyring å", "now": "2027-05-18T18:30:00Z",
        "role": "server", "_ansible_module_name": "interactor_preflight",
    }  # fmt: skip
    bootstrap, stdin = engine.on_the_wire("interactor_preflight", sent, server, elsewhere=True)
    command = base64.b64encode(bootstrap.encode("utf-16-le")).decode()
    answers = []
    for page in CODE_PAGES:
        shown = run_pwsh(page, engine.folder / "bin", "-Command", "[Console]::OutputEncoding.CodePage; 'æ'")
        assert shown.split() == [str(page).encode(), "æ".encode("utf-8" if page == 65001 else f"cp{page}")]
        written = run_pwsh(page, engine.folder / "bin", "-EncodedCommand", command, stdin=stdin)
        answers.append(json.loads(written.decode("utf-8")))
        del answers[-1]["facts"]["seconds"]
    assert answers[0] == answers[1]
    assert answers[0]["facts"]["proxy"]["profiles"][0]["proxy_server"] == "blåbær.example:8080"
    assert "'Ålesund [æ]'" in answers[0]["facts"]["interactor"]["ledger_error"]


def test_a_script_that_lies_on_a_host_is_plain():
    """Windows PowerShell 5.1 reads a file without a mark in the host's own code page."""
    assert LEASE_SCRIPT.read_bytes().isascii()
