"""A machine's files and a host's drive, brought to the same; here the machine is a folder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulator.files import Drive
from simulator.wine.discovery import Tools
from simulator.wine.machine import Machine
from simulator.wine.sight import Sight

NOON = datetime(2027, 5, 18, 12, tzinfo=UTC)
FOLDER = r"C:\ProgramData\DIPS"
FILE = rf"{FOLDER}\Data\orders.jsonl"


class Office:
    def __init__(self, folder: Path) -> None:
        self.machine = Machine(Tools("", ""), folder / "prefix", "Europe/Oslo")
        self.machine.drive.mkdir(parents=True)
        self.machine.set_clock(NOON)
        self.drive = Drive(lambda: NOON)
        self.sight = Sight(self.drive, self.machine, [FOLDER])
        self.file = self.machine.drive / "ProgramData" / "DIPS" / "Data" / "orders.jsonl"

    def shown(self, path: Path) -> datetime:
        """When a program on the machine sees that a file was written."""
        ahead = self.machine.real(NOON) - NOON.timestamp()
        return datetime.fromtimestamp(path.stat().st_mtime - ahead, UTC)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_what_the_simulator_writes_is_on_the_machine_and_of_its_moment(office: Office) -> None:
    office.drive.write(FILE, b"one")
    office.drive.date(NOON - timedelta(days=3))
    office.sight.push()
    assert office.file.read_bytes() == b"one"
    assert abs(office.shown(office.file) - (NOON - timedelta(days=3))) < timedelta(milliseconds=1)
    office.drive.remove(FILE)
    office.sight.push()
    assert not office.file.exists()


def test_what_a_program_on_the_machine_writes_or_removes_the_simulator_sees(office: Office) -> None:
    office.drive.write(FILE, b"one")
    office.sight.push()
    office.file.write_bytes(b"two")
    office.file.with_name("æøå.jsonl").write_bytes(b"new")
    office.sight.pull()
    assert (office.drive.read(FILE), office.drive.read(rf"{FOLDER}\Data\æøå.jsonl")) == (b"two", b"new")
    office.file.unlink()
    office.sight.pull()
    assert not office.drive.is_file(FILE)
    office.sight.push()
    assert not office.file.exists()


def test_files_outside_of_the_folders_are_not_taken_for_removed(office: Office) -> None:
    other = r"C:\Users\Public\list.jsonl"
    office.drive.write(other, b"list")
    office.sight.push()
    office.sight.pull()
    assert office.drive.read(other) == b"list"


def test_a_leap_of_the_clock_leaves_files_of_their_moment(office: Office) -> None:
    office.drive.write(FILE, b"one")
    office.sight.push()
    before = office.shown(office.file)
    leap = office.machine.set_clock(NOON + timedelta(hours=8))
    assert leap == pytest.approx(8 * 3600, abs=5)
    office.sight.leap(leap)
    assert abs(office.shown(office.file) - before) < timedelta(milliseconds=1)
