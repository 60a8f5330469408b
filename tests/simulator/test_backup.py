"""Backups of the model: what _Backup.psm1 does on a real host."""

from __future__ import annotations

import hashlib
import json

import pytest

from simulator.models import backup
from simulator.models.common import Refused, Work
from tests.simulator.office import Office, Opened

BACKUP = r"C:\ProgramData\HelseVest\InteractorMove\backup"
SOURCES = {"install": r"C:\Shop\Program", "configuration": r"C:\Shop\shop.json"}


def work_of(office: Office) -> Work:
    drive = office.server.drive
    drive.write(r"C:\Shop\Program\shop.exe", b"old program")
    drive.write(r"C:\Shop\Program\lib\part.dll", b"old part")
    drive.write(r"C:\Shop\shop.json", b"{}")
    return Work(office.server, {"contract": office.contract, "site": "9001", "run_id": "r", "now": "n"}, False)


@pytest.fixture
def work(office: Office) -> Work:
    return work_of(office)


def listed(path: str, content: bytes) -> dict[str, object]:
    return {"path": path, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


ALL = [
    listed("configuration", b"{}"),
    listed("install/lib/part.dll", b"old part"),
    listed("install/shop.exe", b"old program"),
]


def test_a_backup_holds_every_file_and_is_kept_as_it_is(work: Work):
    drive = work.host.drive
    assert backup.save(work, "one", SOURCES) == ALL
    assert json.loads(drive.read(BACKUP + r"\one\manifest.json")) == {"files": ALL}
    assert drive.read(BACKUP + r"\one\install\lib\part.dll") == b"old part"
    drive.write(r"C:\Shop\Program\shop.exe", b"new program")
    assert backup.save(work, "one", SOURCES) == ALL
    assert drive.read(BACKUP + r"\one\install\shop.exe") == b"old program"
    assert backup.saved(work, "two") is None


def test_the_way_back_is_proven_and_loses_nothing(work: Work):
    drive, before = work.host.drive, work.host.drive.snapshot()
    backup.save(work, "one", SOURCES)
    drive.write(r"C:\Shop\Program\SHOP.exe", b"new program")
    drive.write(r"C:\Shop\Program\extra.dll", b"only the new one has it")
    drive.remove(r"C:\Shop\shop.json")
    assert backup.compare(ALL, backup.file_list(work, SOURCES)) == [
        "configuration", "install/extra.dll", "install/shop.exe",
    ]  # fmt: skip
    assert backup.restore(work, "one", SOURCES) == []
    drive_now = {path: digest for path, digest in drive.snapshot().items() if r"\backup" not in path}
    assert drive_now == {**before, **{path: "" for path in drive_now if path not in before}}
    assert drive.read(BACKUP + r"\one-set-aside\install\extra.dll") == b"only the new one has it"
    assert drive.read(BACKUP + r"\one-set-aside\install\shop.exe") == b"new program"


def test_what_was_set_aside_is_never_overwritten(work: Work):
    backup.save(work, "one", SOURCES)
    for text in (b"first", b"second", b"second"):
        work.host.drive.write(r"C:\Shop\Program\shop.exe", text)
        assert backup.restore(work, "one", SOURCES) == []
    aside = BACKUP + r"\one-set-aside\install\shop.exe"
    assert (work.host.drive.read(aside), work.host.drive.read(f"{aside}.2")) == (b"first", b"second")
    assert not work.host.drive.is_file(f"{aside}.3")


def test_a_way_back_to_a_spoilt_backup_is_not_called_proven(work: Work):
    backup.save(work, "one", SOURCES)
    work.host.drive.write(BACKUP + r"\one\install\shop.exe", b"rotten")
    work.host.drive.write(r"C:\Shop\Program\shop.exe", b"new program")
    assert backup.restore(work, "one", SOURCES) == ["install/shop.exe"]


def test_what_cannot_be_is_refused(opened: Opened):
    work = work_of(opened(server={"free_gb": 1.0}))
    with pytest.raises(Refused, match=r"needs 1025 MB free on drive C: \(its 21 bytes twice, .* and 1024 MB are free"):
        backup.save(work, "one", SOURCES)
    assert not work.host.drive.is_folder(BACKUP)
    with pytest.raises(Refused, match=r"one is not there"):
        backup.restore(work, "one", SOURCES)
    with pytest.raises(Refused, match=r"letters, digits"):
        backup.save(work, r"..\one", SOURCES)
    with pytest.raises(Refused, match=r"C:\\nothing is missing"):
        backup.save(work, "one", {"install": r"C:\nothing"})
    work.host.drive.write(BACKUP + r"\two\file", b"")
    with pytest.raises(Refused, match=r"has no manifest"):
        backup.save(work, "two", SOURCES)
