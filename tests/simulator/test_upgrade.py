"""The upgrade as the model does it: every exit code, every refusal, every point at which a run may be cut off (U1)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.calls import HostDown
from simulator.clock import stamp
from simulator.models import backup
from simulator.models.common import Work
from simulator.models.upgrade import sources
from simulator.windows import Process
from tests.simulator.office import Office, Opened

OLD, NEW = "5.4.1", "6.2.0"
NOW = "2027-05-10T07:00:00Z"


def staged(office: Office) -> Office:
    assert office.ask("upgrade", step="stage")["staged"]
    return office


def of_interactor(office: Office) -> dict[str, str]:
    """Programs, configuration and data files."""
    return {path: digest for path, digest in office.server.drive.snapshot().items() if "DIPS" in path and digest}


def of_others(office: Office) -> dict[str, Any]:
    """All of the server that an upgrade must leave alone."""
    snapshot = office.server.snapshot()
    snapshot["files"] = {
        path: digest for path, digest in snapshot["files"].items() if "DIPS" not in path and "HelseVest" not in path
    }
    snapshot["services"].pop("DIPSInteractor")
    return snapshot


def is_open(office: Office) -> bool:
    """The service runs, and people are let in."""
    flag = office.contract["paths"]["maintenance_flag"]
    return office.server.service_word("DIPSInteractor") == "running" and not office.server.drive.is_file(flag)


def ended(office: Office) -> tuple[str, str, int | None]:
    upgrade = office.ledger["upgrade"]
    return upgrade["state"], upgrade["reason"], upgrade["code"]


def cut_off(office: Office, code: int | None = None) -> None:
    """What an install leaves that died just before the installer: people kept out, the service stopped, a backup."""
    host, ledger = office.server, office.ledger
    ledger["upgrade"].update(started=NOW, booted=stamp(host.booted), code=code)
    office.write_ledger(json.dumps(ledger).encode())
    arguments = {"contract": office.contract, "site": "9001", "run_id": "run-0", "now": NOW, "lease_script": "#"}
    work = Work(host, arguments, False)
    backup.save(work, f"upgrade-{OLD}", sources(work))
    host.drive.write(office.contract["paths"]["maintenance_flag"], f"{ledger['upgrade']['run']} {NOW}\n".encode())
    host.stop_service("DIPSInteractor")


def test_an_upgrade(office: Office):
    others = of_others(office)
    assert office.ask("upgrade", step="look")["version"] == OLD
    first = office.ask("upgrade", step="stage")
    assert (first["staged"], first["changed"], first["version"]) == (True, True, OLD)
    assert office.ask("upgrade", step="stage")["changed"] is False
    office.later(5)
    assert first["ledger"]["upgrade"]["started"] is None
    done = office.ask("upgrade", step="install")
    assert (done["upgraded"], done["version"], done["reason"], done["again"]) == (True, NEW, "", False)
    for step in ("stage", "install", "confirm"):
        assert office.ask("upgrade", step=step)["changed"] is False, "the record of how it got the version stays"
    assert office.ledger["upgrade"] == {
        "state": "done", "from": OLD, "to": NEW, "started": "2027-05-10T07:05:00Z",
        "finished": "2027-05-10T07:05:00Z", "booted": stamp(office.server.booted), "run": "run-1", "reason": "",
        "code": 0,
    }  # fmt: skip
    assert of_others(office) == others
    assert is_open(office)


@pytest.mark.parametrize("step", ["stage", "install", "confirm"])
@pytest.mark.parametrize("before", ["nothing", "staged", "cut off", "restart"])
def test_check_mode_changes_nothing(opened: Opened, step: str, before: str):
    office = opened(upgrade={"ends": "code_3010"})
    if before != "nothing":
        staged(office)
    if before == "cut off":
        cut_off(office)
    if before == "restart":
        office.ask("upgrade", step="install")
        office.later(10)
        office.server.restart()
    snapshot = office.world.snapshot()
    office.ask("upgrade", step=step, check=True)
    assert office.world.snapshot() == snapshot


@pytest.mark.parametrize(
    ("ends", "says"),
    [
        ("code_1603", "the installer ended with code 1603; version 5.4.1 is back"),
        ("code_87", "the installer ended with code 87; version 5.4.1 is back"),
        ("wrong_version", "the service tells version '5.4.1', not 6.2.0; version 5.4.1 is back"),
        (
            "no_start",
            "the service does not start: Service 'DIPSInteractor' cannot be started.; version 5.4.1 is back",
        ),
    ],
)
def test_an_upgrade_that_fails_brings_the_old_back(opened: Opened, ends: str, says: str):
    office = staged(opened(upgrade={"ends": ends}))
    before, others = of_interactor(office), of_others(office)
    result = office.ask("upgrade", step="install")
    assert (result["upgraded"], result["again"], result["version"], result["reason"]) == (False, False, OLD, says)
    assert ended(office)[:2] == ("failed", says)
    assert (of_interactor(office), of_others(office)) == (before, others)
    assert is_open(office)


def test_a_busy_installer_is_tried_again(opened: Opened):
    office = staged(opened(upgrade={"ends": "code_1618", "times": 2}))
    for _ in range(2):
        result = office.ask("upgrade", step="install")
        assert (result["upgraded"], result["again"], result["version"]) == (False, True, OLD)
        assert result["reason"] == "another installation is at work on the server (code 1618); version 5.4.1 is back"
        assert ended(office) == ("staged", "", None)
        assert is_open(office)
    assert office.ask("upgrade", step="install")["upgraded"]


def test_a_restart_that_is_needed_is_waited_for(opened: Opened):
    office = staged(opened(upgrade={"ends": "code_3010"}))
    wants = "the installer wants a restart of the server (code 3010)"
    result = office.ask("upgrade", step="install")
    assert (result["upgraded"], result["again"], result["reason"], result["version"]) == (False, True, wants, OLD)
    assert ended(office) == ("restart", wants, 3010)
    assert is_open(office)
    for step in ("stage", "install"):
        assert "refused" in office.ask("upgrade", step=step)["msg"]
    waits = office.ask("upgrade", step="confirm")
    assert (waits["upgraded"], waits["again"], waits["changed"]) == (False, True, False)
    assert waits["reason"] == f"the server runs since {stamp(office.server.booted)} and waits for a restart"
    office.later(60)
    office.server.restart()
    done = office.ask("upgrade", step="confirm")
    assert (done["upgraded"], done["version"], ended(office)) == (True, NEW, ("done", "", 3010))
    assert is_open(office)


def test_boot_times_are_of_the_servers_own_clock(opened: Opened):
    office = staged(opened(upgrade={"ends": "code_3010"}, server={"clock_offset_seconds": -86_400}))
    office.ask("upgrade", step="install")
    office.later(60)
    assert office.ask("upgrade", step="confirm")["again"]
    office.server.restart()
    assert office.ask("upgrade", step="confirm")["upgraded"]


def test_an_installer_that_restarts_the_server_is_an_incident(opened: Opened):
    office = staged(opened(upgrade={"ends": "code_1641"}))
    told = "the installer restarts the server by itself (code 1641)"
    before = office.server.booted
    office.later(10)
    result = office.ask("upgrade", step="install")
    assert (result["upgraded"], result["again"], result["reason"]) == (False, False, told)
    assert ended(office) == ("incident", told, 1641)
    assert office.server.booted > before
    done = office.ask("upgrade", step="confirm")
    assert (done["upgraded"], ended(office)) == (True, ("done", told, 1641))


def test_a_server_that_goes_down_in_the_middle_of_the_installer(opened: Opened):
    office = staged(opened(upgrade={"ends": "dies"}))
    before = of_interactor(office)
    office.later(10)
    with pytest.raises(HostDown):
        office.ask("upgrade", step="install")
    assert office.ledger["upgrade"]["finished"] is None
    assert office.server.service_word("DIPSInteractor") == "stopped"
    result = office.ask("upgrade", step="confirm")
    says = "the server was restarted while the installer ran; version 5.4.1 is back"
    assert (result["upgraded"], result["again"], result["reason"]) == (False, False, says)
    assert (ended(office), of_interactor(office)) == (("failed", says, None), before)
    assert is_open(office)


@pytest.mark.parametrize("step", ["install", "confirm"])
@pytest.mark.parametrize("installed", [b"half a file", None])
def test_a_run_that_was_cut_off_is_brought_to_an_end(office: Office, installed: bytes | None, step: str):
    staged(office)
    before = of_interactor(office)
    cut_off(office)
    if installed:
        office.server.drive.write(office.contract["paths"]["install"] + r"\\Interactor.exe", installed)
    result = office.ask("upgrade", step=step)
    if step == "confirm":
        assert (result["again"], result["reason"]) == (True, "the upgrade was cut off; version 5.4.1 is back")
        assert (ended(office), of_interactor(office)) == (("staged", "", None), before)
    else:
        assert (result["upgraded"], ended(office)) == (True, ("done", "", 0))
    assert is_open(office)


def test_a_run_that_was_cut_off_after_the_installer_is_gone_on_with(office: Office):
    staged(office)
    cut_off(office, code=0)
    programs = office.server.programs
    assert programs is not None
    programs._put_executables(NEW)
    result = office.ask("upgrade", step="confirm")
    assert (result["upgraded"], ended(office)) == (True, ("done", "", 0))
    assert is_open(office)


def test_a_run_that_was_cut_off_while_the_installer_went_on(office: Office):
    staged(office)
    cut_off(office)
    office.server.processes = [Process("InteractorSetup-6.2.0", "")]
    result = office.ask("upgrade", step="confirm")
    assert (result["again"], result["reason"]) == (True, "the installer of an earlier run is still at work")
    office.server.processes = []
    programs = office.server.programs
    assert programs is not None
    programs._put_executables(NEW)
    assert office.ask("upgrade", step="confirm")["upgraded"]
    assert ended(office) == ("done", "", None)
    assert is_open(office)


def test_what_people_have_made_since_is_not_taken_back(opened: Opened):
    """After a restart that the office has made at its leisure, and where the host has let people in again."""
    left = "people had been let in, so the data are left as they are, newer than the backup: data/orders.jsonl"
    for cut in (False, True):
        office = staged(opened(upgrade={"ends": "code_3010"}))
        host, programs = office.server, office.server.programs
        assert programs is not None
        if cut:
            cut_off(office)
            host.drive.remove(office.contract["paths"]["maintenance_flag"])
            host.start_service("DIPSInteractor")
        else:
            office.ask("upgrade", step="install")
            office.later(60)
            host.restart()
        programs._put_executables("6.1.9")
        data = office.contract["paths"]["data"] + r"\orders.jsonl"
        host.drive.write(data, host.drive.read(data) + b"an order of this morning")
        made, entry = host.drive.read(data), office.ledger["upgrade"]
        office.later(10)
        host.processes.append(Process("Interactor", ""))
        for step in ("confirm", "install") if cut else ("confirm",):
            result = office.ask("upgrade", step=step)
            assert (result["upgraded"], result["again"], result["changed"]) == (False, True, False)
            assert (result["reason"], office.ledger["upgrade"]) == ("Interactor is in use: 1 open", entry)
            assert is_open(office)
        host.processes.pop()
        result = office.ask("upgrade", step="confirm")
        assert result["reason"].endswith(f"; version 5.4.1 is back; {left}")
        assert (result["again"], result["version"], ended(office)[0]) == (False, OLD, "failed")
        assert host.drive.read(data) == made
        assert is_open(office)


def test_the_files_come_back_where_the_service_itself_is_gone(opened: Opened):
    office = staged(opened(upgrade={"ends": "code_3010"}))
    before = of_interactor(office)
    office.ask("upgrade", step="install")
    office.later(60)
    office.server.restart()
    assert of_interactor(office) != before
    office.server.services.pop("DIPSInteractor")
    reason = office.ask("upgrade", step="confirm")["reason"]
    assert "; the way back failed too: the service does not start: " in reason
    assert of_interactor(office) == before


def test_windows_installer_at_work_is_waited_for(office: Office):
    staged(office)
    cut_off(office)
    office.server.msi_at_work = True
    for step in ("confirm", "install"):
        result = office.ask("upgrade", step=step)
        assert (result["again"], result["reason"]) == (True, "another installation is at work on the server")
    office.server.msi_at_work = False
    assert office.ask("upgrade", step="install")["upgraded"]


def test_people_in_interactor_are_waited_for(opened: Opened):
    office = staged(opened(clients=[{"name": "pc1", "in_use": 1}]))
    before, others = of_interactor(office), of_others(office)
    result = office.ask("upgrade", step="install")
    assert (result["upgraded"], result["again"], result["changed"]) == (False, True, False)
    assert result["reason"] == "Interactor is in use: 1 files open from PCs"
    assert (of_interactor(office), of_others(office)) == (before, others)
    assert is_open(office)


def test_a_full_drive_is_refused(opened: Opened):
    office = staged(opened(server={"free_gb": 0.5}))
    message = office.ask("upgrade", step="install")["msg"]
    assert message.startswith("install: refused: the backup needs 1025 MB free on drive C:")
    assert (office.server.service_word("DIPSInteractor"), ended(office)[0]) == ("running", "staged")


def test_an_installer_that_is_not_the_right_one(opened: Opened, office: Office):
    url = office.contract["installer"]["url"]
    for ends, says in (
        ("bad_hash", "its SHA-256 is "),
        ("unsigned", "its signature is NotSigned"),
        ("other_publisher", "it is signed by 'Noen Andre AS', not by 'DIPS AS'"),
    ):
        spoilt = opened(upgrade={"ends": ends})
        result = spoilt.ask("upgrade", step="stage")
        assert (result["staged"], result["changed"], result["again"]) == (False, False, False)
        assert result["reason"].startswith(f"{url} is not the installer: {says}")
        assert not [path for path in spoilt.server.drive.snapshot() if "Setup" in path]

    def reason() -> str:
        return str(office.ask("upgrade", step="stage")["reason"])

    office.contract["installer"]["publisher"] = "Somebody Else"
    assert reason() == f"{url} is not the installer: it is signed by 'DIPS AS', not by 'Somebody Else'"
    office.contract["installer"]["url"] = "https://nedlasting.dips.no/none.exe"
    assert "could not be fetched" in reason()
    office.contract["installer"]["arguments"] = "/quiet"
    assert "without /norestart" in reason()
    office.contract["installer"]["sha256"] = ""
    assert "installer.sha256 is '', 64 hex digits are wanted" in reason()
    assert office.ask("upgrade", step="install")["msg"] == "install: refused: version 6.2.0 is not staged"


def test_an_installer_that_was_changed_after_staging(office: Office):
    staged(office)
    path = office.contract["paths"]["work"] + r"\InteractorSetup-6.2.0.exe"
    office.server.drive.write(path, b"MZ another")
    result = office.ask("upgrade", step="install")
    assert result["reason"].startswith("the staged installer is no longer sound: its SHA-256 is ")
    assert (office.ledger["upgrade"], result["version"]) == (None, OLD)
    staged(office)
    assert office.ask("upgrade", step="install")["upgraded"]


@pytest.mark.parametrize("step", ["stage", "install"])
def test_a_newer_version_is_never_replaced_by_an_older_one(office: Office, step: str):
    staged(office)
    office.contract["installer"]["version"] = "5.4.0"
    ledger = office.ledger
    ledger["upgrade"]["to"] = "5.4.0"
    office.write_ledger(json.dumps(ledger).encode())
    before = office.server.snapshot()
    told = office.ask("upgrade", step=step)
    assert told["msg"] == f"{step}: refused: version {OLD} runs, which is newer than 5.4.0"
    assert office.server.snapshot() == before


def test_a_download_goes_on_where_the_line_broke(opened: Opened):
    office = opened(upgrade={"cut_after": 150_000})
    for arrived in (150_000, 300_000):
        result = office.ask("upgrade", step="stage")
        assert (result["staged"], result["again"], result["changed"]) == (False, True, True)
        assert result["reason"] == f"{arrived} of 400000 bytes fetched"
    assert office.ask("upgrade", step="stage")["staged"]
    assert not [path for path in office.server.drive.snapshot() if "part-" in path]


def test_a_slow_line_brings_so_much_in_one_call(opened: Opened):
    office = opened(server={"link_mbit": 0.02})
    assert office.ask("upgrade", step="stage")["reason"] == "300000 of 400000 bytes fetched"
    assert office.ask("upgrade", step="stage")["staged"]


@pytest.mark.parametrize("change", ["tag", "length", "file"])
def test_a_download_of_another_file_starts_over(opened: Opened, change: str):
    office = opened(upgrade={"cut_after": 250_000})
    assert office.ask("upgrade", step="stage")["again"]
    folder = office.contract["paths"]["work"]
    part, note = folder + r"\part-InteractorSetup-6.2.0.exe", folder + r"\part-InteractorSetup-6.2.0.exe.note"
    begun = office.server.drive.read(part)
    if change == "file":
        office.server.drive.write(part, begun + bytes(400_000))
    else:
        office.server.drive.write(note, b"400000\nanother" if change == "tag" else b"400001\none")
    assert office.ask("upgrade", step="stage")["reason"] == "250000 of 400000 bytes fetched"
    assert office.server.drive.read(part) == begun
    assert office.ask("upgrade", step="stage")["staged"]


def test_a_restarted_host_has_started_its_services_and_ended_its_programs(opened: Opened):
    office = opened()
    office.bring_to("running")
    host = office.server
    host.stop_service("EPJServer")
    host.processes.append(Process("Interactor", ""))
    host.restart()
    assert (host.uptime_hours, host.service_word("EPJServer")) == (0, "running")
    assert [process.name for process in host.processes] == ["EPJ"]
    status = office.migrate("follow")["status"]
    assert (status["state"], status["message"]) == ("failed", "the migration program ended without saying so")
