# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups in the engine: whole or not there, and a way back that is proven by the manifest."""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
from typing import Any

import pytest

from tests.pwsh.engine import HERE, MODULE_UTILS, PRETEND
from tests.pwsh.fixtures import Server

BACKUP = r"C:\ProgramData\HelseVest\InteractorMove\backup"
SOURCES = {"install": r"C:\Shop\Program", "configuration": r"C:\Shop\shop.json", "data": r"C:\Shop\Data"}
FILES = {
    r"C:\Shop\Program\shop.exe": "old program",
    r"C:\Shop\Program\lib\part one.dll": "old part",
    r"C:\Shop\shop.json": '\ufeff{"a": "Ø"}\r\n',
    r"C:\Shop\Data\orders.bin": "x" * 3_000_000,
    r"C:\Shop\Data\empty": "",
}


class Shop:
    """A server with the files above, and the functions of _Backup.psm1."""

    def __init__(self, server: Server) -> None:
        self.server = server
        for path, text in FILES.items():
            server.write(path, text)

    def call(self, line: str) -> Any:
        """A line of PowerShell; $contract and $source are there. Its answer, or a text that starts with `threw: `."""
        utilities = [MODULE_UTILS / f"{name}.psm1" for name in ("_Windows", "_Interactor", "_Backup")]
        imports = "\n".join(f"Import-Module -Name '{path}' -Force" for path in [*utilities, HERE / PRETEND])
        told = self.server.engine.script(f"""
        Set-StrictMode -Version Latest
        $ErrorActionPreference = 'Stop'
        $env:PRETEND_STATE = '{self.server.file}'
        {imports}
        $contract = ConvertFrom-StrictJson -Text '{json.dumps(self.server.contract).replace("'", "''")}'
        $source = ConvertFrom-StrictJson -Text '{json.dumps(SOURCES)}'
        try {{ $answer = {line} }} catch {{ $answer = "threw: $($_.Exception.Message)" }}
        ConvertTo-Json -Compress -Depth 5 -InputObject $answer
        """)
        assert "ERROR:" not in told, told
        return json.loads(told)

    def save(self, name: str = "one") -> Any:
        return self.call(f"Save-Backup -Contract $contract -Name '{name}' -Source $source")

    def restore(self, name: str = "one") -> Any:
        return self.call(f"Restore-Backup -Contract $contract -Name '{name}' -Source $source")

    def live(self) -> dict[str, bytes]:
        """What lies in the folder of the shop."""
        return {path: content for path, content in self.server.files().items() if path.startswith("Shop")}


@pytest.fixture
def shop(server: Server) -> Shop:
    return Shop(server)


def listed(path: str, text: str) -> dict[str, object]:
    content = text.encode()
    return {"path": path, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


ALL = [
    listed("configuration", FILES[r"C:\Shop\shop.json"]),
    listed("data/empty", ""),
    listed("data/orders.bin", FILES[r"C:\Shop\Data\orders.bin"]),
    listed("install/lib/part one.dll", "old part"),
    listed("install/shop.exe", "old program"),
]


def test_a_backup_holds_every_file_and_says_so_in_its_manifest(shop: Shop):
    assert shop.save() == ALL
    server = shop.server
    assert json.loads(server.read(BACKUP + r"\one\manifest.json") or "") == {"files": ALL}
    assert server.path(BACKUP + r"\one\configuration").read_bytes() == FILES[r"C:\Shop\shop.json"].encode()
    assert server.read(BACKUP + r"\one\install\lib\part one.dll") == "old part"
    assert server.read(BACKUP + r"\one\data\empty") == ""
    assert not [name for name in server.files() if ".part" in name or ".new" in name]
    assert shop.call("Get-FileList -Source $source") == ALL
    assert shop.call("Get-Backup -Contract $contract -Name 'one'") == ALL
    assert shop.call("Get-Backup -Contract $contract -Name 'two'") is None


def test_a_backup_counts_only_when_its_manifest_can_be_read(shop: Shop):
    """Windows PowerShell 5.1 reads no JSON that is too long for it; the way back is no moment to learn that."""
    spoil = "& (Get-Module -Name '_Backup') { Function script:Read-JsonFile { throw 'it is too long' } }"
    save = "Save-Backup -Contract $contract -Name 'one' -Source $source"
    assert shop.call(f"& {{ {spoil}; {save} }}") == "threw: it is too long"
    assert not shop.server.path(BACKUP + r"\one").exists()
    assert shop.save() == ALL
    assert "\n" not in (shop.server.read(BACKUP + r"\one\manifest.json") or "\n")


def test_a_backup_that_is_there_is_kept_as_it_is(shop: Shop):
    shop.save()
    shop.server.write(r"C:\Shop\Program\shop.exe", "half of the new program")
    assert shop.save() == ALL
    assert shop.server.read(BACKUP + r"\one\install\shop.exe") == "old program"


def test_what_an_interrupted_run_began_is_made_anew(shop: Shop):
    shop.server.write(BACKUP + r"\one.part\install\stray.dll", "of another time")
    assert shop.save() == ALL
    assert not [name for name in shop.server.files() if "stray" in name or ".part" in name]


def test_the_way_back_is_proven_and_loses_nothing(shop: Shop):
    server, before = shop.server, shop.live()
    shop.save()
    server.write(r"C:\Shop\Program\shop.exe", "new program")
    server.write(r"C:\Shop\Program\extra.dll", "only the new one has it")
    server.write(r"C:\Shop\Data\orders.bin", "y")
    server.path(r"C:\Shop\shop.json").unlink()
    saved = "(Get-Backup -Contract $contract -Name 'one')"
    assert shop.call(f"Compare-FileList -Before {saved} -After (Get-FileList -Source $source)") == [
        "configuration", "data/orders.bin", "install/extra.dll", "install/shop.exe",
    ]  # fmt: skip
    assert shop.restore() == []
    assert shop.live() == before
    aside = {
        name.rpartition("one-set-aside/")[2]: content for name, content in server.files().items() if "set-aside" in name
    }
    assert aside == {
        "install/shop.exe": b"new program",
        "install/extra.dll": b"only the new one has it",
        "data/orders.bin": b"y",
    }
    assert shop.restore() == []


def test_what_was_set_aside_is_never_overwritten(shop: Shop):
    shop.save()
    for text in ("first", "second", "second", "first"):
        shop.server.write(r"C:\Shop\Program\shop.exe", text)
        assert shop.restore() == []
    kept = [f"{BACKUP}\\one-set-aside\\install\\shop.exe{end}" for end in ("", ".2", ".3")]
    assert [shop.server.read(path) for path in kept] == ["first", "second", None]


def test_a_way_back_to_a_spoilt_backup_is_not_called_proven(shop: Shop):
    shop.save()
    shop.server.write(BACKUP + r"\one\install\shop.exe", "rotten")
    shop.server.write(r"C:\Shop\Program\shop.exe", "new program")
    assert shop.restore() == ["install/shop.exe"]


def test_one_file_that_cannot_be_put_back_stops_no_other(shop: Shop):
    """A new file under the name that the copy needs first: on Windows a program that still runs does it."""
    names = [rf"C:\Shop\Program\{letter}.dll" for letter in "abc"]
    for name in names:
        shop.server.write(name, "old")
    shop.save()
    for name in [*names, r"C:\Shop\Program\shop.exe"]:
        shop.server.write(name, "half new")
    shop.server.path(names[1] + ".new").mkdir()
    assert shop.restore() == ["install/b.dll"]
    assert [shop.server.read(name) for name in names] == ["old", "half new", "old"]
    assert shop.server.read(r"C:\Shop\Program\shop.exe") == "old program"
    shop.server.path(names[1] + ".new").rmdir()
    assert shop.restore() == []
    assert shop.server.read(BACKUP + r"\one-set-aside\install\b.dll") == "half new"


def test_a_file_that_cannot_be_read_comes_back_all_the_same(shop: Shop):
    shop.save()
    for name in ("shop.exe", r"lib\part one.dll"):
        shop.server.write("C:\\Shop\\Program\\" + name, "half new")
    with shop.server.path(r"C:\Shop\Program\lib\part one.dll").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert shop.restore() == []
    assert shop.server.read(r"C:\Shop\Program\lib\part one.dll") == "old part"
    assert shop.server.read(r"C:\Shop\Program\shop.exe") == "old program"


def test_what_cannot_be_set_aside_is_not_removed(shop: Shop):
    shop.save()
    shop.server.write(r"C:\Shop\Data\new.bin", "of a person")
    shop.server.write(r"C:\Shop\Program\shop.exe", "half new")
    shop.server.write(BACKUP + r"\one-set-aside\data", "a file where a folder is wanted")
    assert shop.restore() == ["data/new.bin"]
    assert shop.server.read(r"C:\Shop\Data\new.bin") == "of a person"
    assert shop.server.read(r"C:\Shop\Program\shop.exe") == "old program"


def test_only_the_sources_that_are_named_are_put_back(shop: Shop):
    shop.save()
    shop.server.write(r"C:\Shop\Program\shop.exe", "new program")
    shop.server.write(r"C:\Shop\shop.json", "{}")
    only = "([ordered]@{ configuration = $source['configuration'] })"
    assert shop.call(f"Restore-Backup -Contract $contract -Name 'one' -Source {only}") == []
    assert shop.server.path(r"C:\Shop\shop.json").read_bytes() == FILES[r"C:\Shop\shop.json"].encode()
    assert shop.server.read(r"C:\Shop\Program\shop.exe") == "new program"


def test_a_drive_with_too_little_room_is_refused_with_numbers(shop: Shop):
    computer = shop.server.state["computer"]
    size = sum(file["bytes"] for file in ALL)  # type: ignore[misc]
    shop.server.update(computer={**computer, "free_bytes": 1029 * 2**20})
    assert shop.save() == (
        f"threw: refused: the backup needs 1030 MB free on drive C: (its {size} bytes twice, and 1024 MB for the "
        "others), and 1029 MB are free"
    )
    assert not [name for name in shop.server.files() if "backup" in name]
    shop.server.update(computer={**computer, "free_bytes": 1030 * 2**20})
    assert shop.save() == ALL


@pytest.mark.parametrize("target", ["EPJ", "Shop"])
def test_a_folder_that_leads_elsewhere_is_refused(shop: Shop, target: str):
    """Windows PowerShell 5.1 follows a junction: what is behind it would be copied, and set aside on the way back."""
    shop.server.path(r"C:\Shop\Data\lib").mkdir()
    shop.server.path(r"C:\Shop\Data\lib\export").symlink_to(shop.server.path("C:\\" + target))
    assert re.fullmatch(r"threw: refused: the folder .*Data.lib.export leads elsewhere, so there is no .*", shop.save())
    assert not [name for name in shop.server.files() if "backup" in name]


def test_what_lies_behind_a_new_link_is_let_alone_on_the_way_back(shop: Shop):
    shop.save()
    shop.server.write(r"C:\EPJ\inbox.xml", "the EPJ's")
    shop.server.path(r"C:\Shop\Data\export").symlink_to(shop.server.path(r"C:\EPJ"))
    assert shop.restore() == []
    assert shop.server.read(r"C:\EPJ\inbox.xml") == "the EPJ's"


def test_what_cannot_be_is_refused(shop: Shop):
    shop.server.path(r"C:\Shop\shop.json").unlink()
    assert shop.save() == r"threw: refused: C:\Shop\shop.json is missing, so there is no backup of it"
    assert re.fullmatch(r"threw: backup .*one is not there", shop.restore())
    assert "letters, digits" in shop.save(r"..\one")
    shop.server.write(BACKUP + r"\two\install\shop.exe", "without a manifest")
    assert shop.save("two").endswith("has no manifest")


def test_four_thousand_files_in_a_folder(shop: Shop):
    """Kept by the test itself: our copies wait for the disk 4,000 times."""
    below = r"Pasienter [å] 2027"
    texts = {f"{below}\\brev {number}.txt": str(number) for number in range(4000)}
    for name, text in texts.items():
        shop.server.write(f"{SOURCES['data']}\\{name}", text)
        shop.server.write(f"{BACKUP}\\one\\data\\{name}", text)
    files = [listed(f"data/{name}".replace("\\", "/"), text) for name, text in texts.items()]
    files += [file for file in ALL if str(file["path"]).startswith("data/")]
    shop.server.write(BACKUP + r"\one\manifest.json", json.dumps({"files": files}))
    before = shop.live()
    folder = f"{SOURCES['data']}\\{below}"
    shop.server.write(f"{folder}\\brev 17.txt", "annet")
    shop.server.write(f"{folder}\\brev å.txt", "nytt")
    shop.server.path(f"{folder}\\brev 3999.txt").unlink()
    only = "([ordered]@{ data = $source['data'] })"
    assert shop.call(f"Restore-Backup -Contract $contract -Name 'one' -Source {only}") == []
    assert shop.live() == before


def test_a_backslash_at_the_end_of_a_folder_is_no_part_of_its_name(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(SOURCES, "data", SOURCES["data"] + "\\")
    assert shop.save() == ALL
    shop.server.write(r"C:\Shop\Data\orders.bin", "y")
    assert shop.restore() == []
    assert shop.server.read(r"C:\Shop\Data\orders.bin") == FILES[r"C:\Shop\Data\orders.bin"]
