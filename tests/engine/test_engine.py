"""A host on the PowerShell engine: what it tells as Windows would, what it refuses by name, and what stays."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.executor.powershell.module_manifest import _bootstrap_powershell_script

from simulator.calls import Answer, HostDown, Unknown
from simulator.clock import instant
from simulator.engine.pool import WorkerEndedError
from simulator.engines import Engines
from simulator.host import SimulatedHost
from simulator.scenario import Scenario
from simulator.windows import Process
from tests.engine import wire
from tests.engine.twins import Fleet

pytestmark = pytest.mark.pwsh
SERVER = "srv.ekte.example"


class Machine:
    """One server on the engine, and its PC on the model."""

    def __init__(self, engines: Engines, runner: asyncio.Runner, **said: Any) -> None:
        site = {"domain": "ekte.example", "clients": ["pc1"], **said}
        self.fleet = Fleet(Scenario.model_validate({"sites": {"9001": site}}).on("powershell"), engines)
        self.host: SimulatedHost = self.fleet.world.hosts[SERVER]
        self._runner = runner

    def send(self, line: str, stdin: bytes = b"") -> Answer:
        assert self.host.engine is not None
        return self._runner.run(self.host.engine.execute(line, stdin))

    def raw(self, script: str) -> str:
        """What a bare script shows; it must not complain."""
        answer = self.send(wire.command_line(script))
        assert answer.stderr == b"", answer.stderr.decode()
        return answer.stdout.decode().replace("\r\n", "\n").strip()

    def helper(self, name: str, stdin: bytes = b"", **params: object) -> Answer:
        """One of ansible-core's own scripts."""
        script, start = _bootstrap_powershell_script(name, params, has_input=bool(stdin))
        return self.send(wire.command_line(script), start + stdin)


@pytest.fixture
def machine(engines: Engines, runner: asyncio.Runner) -> Machine:
    return Machine(engines, runner)


@pytest.fixture
def machine_with(engines: Engines, runner: asyncio.Runner) -> Callable[..., Machine]:
    return lambda **said: Machine(engines, runner, **said)


def test_a_raw_command_answers_as_powershell_does(machine: Machine) -> None:
    answer = machine.send(wire.command_line("'blåbær'; Write-Error 'nei & <ikke>'; [Console]::Out.Flush(); exit 7"))
    assert (answer.stdout.decode(), answer.code) == ("blåbær\r\n", 7)
    errors = answer.stderr.decode()
    assert errors.startswith("#< CLIXML\r\n<Objs ")
    assert '<S S="Error">nei &amp; &lt;ikke&gt;_x000D__x000A_</S>' in errors
    assert machine.send(wire.command_line("throw 'slutt'")).code == 1


@pytest.mark.parametrize(
    ("script", "named"),
    [
        ("Get-Blåbær", "the command Get-Blåbær"),
        ("try { Get-EventLog -LogName System } catch { 'caught' }", "the command Get-EventLog"),
        ("ipconfig.exe /all", "the command ipconfig.exe"),
        ("ls.exe; hostname", "the command hostname"),
        ("try { Get-CimInstance -ClassName Win32_BIOS } catch { $null }", r"Get-CimInstance root\cimv2 Win32_BIOS"),
        ("Get-CimInstance -Namespace root/other Win32_OperatingSystem", "root/other Win32_OperatingSystem"),
        ("Get-CimInstance Win32_LogicalDisk -Filter \"DeviceID = 'E:'\"", "DeviceID = 'E:'"),
        ("Start-Process -FilePath C:\\EPJ\\epj.ini", "Start-Process C:\\EPJ\\epj.ini without -PassThru"),
        ("Stop-Process -Id 1", "Stop-Process without -Force"),
        ("icacls.exe C:\\EPJ /reset", "icacls.exe /reset"),
        ("msg.exe somebody hello", "msg.exe"),
        ("New-ScheduledTaskTrigger -Once -At (Get-Date)", "a trigger that is neither"),
        ("Test-Path -LiteralPath 'E:\\data'", "the drive E:"),
        (r"Get-Item -LiteralPath 'WSMan:\localhost\Shell\MaxShellsPerUser'", r"the drive WSMan:localhost\Shell"),
        ("Test-Path -LiteralPath 'Registry::HKEY_CLASSES_ROOT\\x'", "the registry's HKEY_CLASSES_ROOT"),
    ],
)
def test_what_it_does_not_know_is_loud(machine: Machine, script: str, named: str) -> None:
    with pytest.raises(Unknown) as refused:
        machine.send(wire.command_line(script))
    assert named in str(refused.value)
    assert machine.raw("'it goes on'") == "it goes on"


SESSION = """
$shell = [PowerShell]::Create({state})
$shell.AddScript("(Get-CimInstance Win32_OperatingSystem).Caption").Invoke()
"""


@pytest.mark.parametrize(
    "state", ["", "[initialsessionstate]::CreateDefault2()", "[initialsessionstate]::CreateDefault()"]
)
def test_a_session_of_a_commands_own_is_on_that_windows_too(machine: Machine, state: str) -> None:
    assert machine.raw(SESSION.replace("{state}", state)).startswith("Microsoft Windows")


def test_a_session_with_modules_of_its_own_is_refused(machine: Machine) -> None:
    script = (
        "$state = [initialsessionstate]::CreateDefault2(); $state.ImportPSModule('x'); [PowerShell]::Create($state)"
    )
    with pytest.raises(Unknown, match="a session with modules or scripts of its own"):
        machine.send(wire.command_line(script))


def test_the_interpreter_that_later_ansible_cores_name_is_the_one_that_runs(machine: Machine) -> None:
    found = "(Get-Command -Name powershell -CommandType Application -ErrorAction Ignore).Path"
    assert machine.raw(f"[System.IO.Path]::GetDirectoryName({found}) -eq $PSHOME") == "True"
    assert machine.raw("(Get-Command -Name ConvertFrom-Json).Parameters.ContainsKey('InputObject')") == "True"
    with pytest.raises(Unknown, match="the command pwsh"):
        machine.raw("Get-Command -Name pwsh -CommandType Application -ErrorAction Ignore")


def test_async_is_refused(machine: Machine) -> None:
    starter = {"name": "exec_wrapper", "script": "…", "params": {}}
    actions = [{"name": "async_wrapper.ps1", "params": {}}, {"name": "module_wrapper.ps1", "params": {}}]
    stdin = json.dumps(starter).encode() + b"\n\0\0\0\0\n" + json.dumps({"scripts": {}, "actions": actions}).encode()
    with pytest.raises(Unknown, match=r"the wrapper async_wrapper\.ps1"):
        machine.send(wire.command_line("bootstrap"), stdin)


def test_the_clock_is_the_scenarios_in_the_machines_own_zone(machine_with: Callable[..., Machine]) -> None:
    machine = machine_with(server={"clock_offset_seconds": 90})
    show = """
        (Get-Date).ToString('s'); Get-Date -Format 'HH:mm'; (Get-TimeZone).Id
        [datetimeoffset]::new((Get-Date)).Offset.Hours
    """
    assert machine.raw(show).split("\n") == ["2027-05-10T09:01:30", "09:01", "W. Europe Standard Time", "2"]
    machine.fleet.clock.advance_to(instant("2027-11-01T07:00:00Z"))
    assert machine.raw(show).split("\n") == ["2027-11-01T08:01:30", "08:01", "W. Europe Standard Time", "1"]
    assert machine.raw("Start-Sleep -Seconds 3600; (Get-Date).ToString('s')") == "2027-11-01T08:01:30"
    assert machine_with(server={"time_zone": "UTC"}).raw("(Get-Date).Hour") == "7"


def test_a_command_finds_nothing_of_an_earlier_one(machine: Machine) -> None:
    machine.raw(
        "$global:left = 1; function Left { 'here' }; $env:LEFT = 'x'; $env:COMPUTERNAME = 'other'; Set-Location C:\\EPJ"
    )
    assert machine.raw('"$(Get-Variable left*)$env:LEFT"; $env:COMPUTERNAME; "$PWD"; Test-Path function:Left') == (
        "SRV9001\nC:/\nFalse"
    )


def test_nothing_of_a_command_works_on_at_the_next_one(machine: Machine, machine_with: Callable[..., Machine]) -> None:
    """A part that nobody waits for is ended with its command: another host would answer what it asks."""
    machine.raw(
        """
        $part = Open-Session
        $null = $part.AddScript({ while ($true) { Set-Content -LiteralPath C:\\EPJ\\left.txt -Value 1 } }).BeginInvoke()
        while (-not (Test-Path -LiteralPath C:\\EPJ\\left.txt)) { }
        """
    )
    machine.host.drive.remove(r"C:\EPJ\left.txt")
    assert machine_with().raw("Test-Path -LiteralPath C:\\EPJ\\left.txt") == "False"
    assert machine.raw("Test-Path -LiteralPath C:\\EPJ\\left.txt") == "False"


def test_paths_have_windows_slash(machine: Machine) -> None:
    told = machine.raw(
        r"""
        Join-Path -Path C:\Temp -ChildPath a\b
        'C:\Temp', 'D:\x' | Join-Path -ChildPath c
        Split-Path -Path C:\Temp\a\b.txt -Parent
        Split-Path C:\Temp\a\b.txt -Leaf
        Split-Path -LiteralPath 'C:\Temp\[1]\b.txt'
        Split-Path -Path D:\a -Qualifier
        Split-Path -Path HKLM:\SOFTWARE\X -NoQualifier
        """
    )
    assert told.split("\n") == [
        r"C:\Temp\a\b", r"C:\Temp\c", r"D:\x\c", r"C:\Temp\a", "b.txt", r"C:\Temp\[1]", "D:", r"\SOFTWARE\X",
    ]  # fmt: skip


def test_files_are_the_hosts_own(machine: Machine) -> None:
    drive = machine.host.drive
    assert machine.raw("Get-Content -LiteralPath C:\\EPJ\\epj.ini -Encoding utf8") == f"ini of {SERVER}"
    machine.raw(
        "$null = New-Item -Path 'C:\\Mine [1] filer\\æøå' -ItemType Directory;"
        "Set-Content -LiteralPath 'C:\\Mine [1] filer\\æøå\\å b.txt' -Value 'hei' -Encoding utf8;"
        "Remove-Item -LiteralPath C:\\EPJ\\epj.ini; Move-Item C:\\EPJ\\Data\\journal.mdf C:\\EPJ\\flyttet.mdf"
    )
    name = "C:\\Mine [1] filer\\æøå\\å b.txt"
    assert drive.read(name).strip() == b"hei"
    assert drive.written(name) == machine.host.utc, "by the host's clock"
    assert drive.written(r"C:\EPJ\flyttet.mdf") == machine.host.booted, "a move keeps the moment"
    assert not drive.is_file(r"C:\EPJ\epj.ini")
    drive.write(name, b"and back")
    drive.remove(r"C:\EPJ\Meldinger")
    machine.fleet.clock.advance_to(instant("2027-06-01T00:00:00Z"))
    told = machine.raw(
        f"Get-Content -LiteralPath '{name}'; Test-Path C:\\EPJ\\Meldinger;"
        f"(Get-Item -LiteralPath '{name}').LastWriteTimeUtc.ToString('s')"
    )
    assert told == "and back\nFalse\n2027-05-10T07:00:00"


def test_names_that_differ_only_in_case_are_refused(machine: Machine) -> None:
    with pytest.raises(Unknown, match="differ in nothing but case"):
        machine.raw("$null = New-Item -Path C:\\epj -ItemType Directory")


def test_files_are_put_and_fetched_by_ansibles_own_scripts(machine: Machine) -> None:
    content = bytes(range(256)) * 300
    lines = b"".join(base64.b64encode(content[at : at + 1000]) + b"\r\n" for at in range(0, len(content), 1000))
    path = r"C:\Temp\en fil.bin"
    put = machine.helper("winrm_put_file.ps1", lines, Path=path)
    assert json.loads(put.stdout)["sha1"], put
    assert machine.host.drive.read(path) == content
    got = machine.helper("winrm_fetch_file.ps1", Path=path, BufferSize=len(content), Offset=100)
    assert base64.b64decode(got.stdout) == content[100:]
    assert machine.helper("winrm_fetch_file.ps1", Path=r"C:\Temp", BufferSize=9, Offset=0).stdout.strip() == b"[DIR]"
    missing = machine.helper("winrm_fetch_file.ps1", Path=r"C:\none", BufferSize=9, Offset=0)
    assert (missing.code, b"C:\\none does not exist" in missing.stderr) == (1, True)
    assert sorted(machine.host.drive.folders()) == sorted({*machine.host.drive.folders()} - {"C:\\none"})


def test_ansibles_folder_for_the_time_being_is_made(machine: Machine) -> None:
    temp = r"C:\Users\interactor-svc\AppData\Local\Temp"
    made = machine.helper("powershell_mkdtemp.ps1", Directory="%TEMP%", Name="ansible-tmp-1")
    assert made.stdout.decode() == f"{temp}\\ansible-tmp-1\r\n"
    assert machine.host.drive.is_folder(f"{temp}\\ansible-tmp-1")
    assert machine.helper("powershell_expand_user.ps1", Path="~\\x").stdout == b"C:\\Users\\interactor-svc\\x\r\n"


def test_the_registry_is_read_and_written(machine_with: Callable[..., Machine]) -> None:
    machine = machine_with(server={"pending_restart": ["file_rename"], "proxies": [{}, {"proxy_enable": 1}]})
    told = machine.raw(
        r"""
        (Get-ItemProperty -LiteralPath HKLM:\SOFTWARE\EPJ).Path
        @(Get-ChildItem -LiteralPath Registry::HKEY_USERS).PSChildName
        $settings = 'HKU:\S-1-5-21-1-2-3-1002\Software\Microsoft\Windows\CurrentVersion\Internet Settings'
        (Get-ItemProperty -LiteralPath $settings).ProxyEnable.GetType().Name
        (Get-ItemProperty -LiteralPath "$settings\Connections").DefaultConnectionSettings.GetType().Name
        @((Get-ItemProperty 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager').PendingFileRenameOperations).Count
        Test-Path -LiteralPath HKLM:\SOFTWARE\Ingen
        """
    )
    assert told.split("\n") == [
        r"C:\EPJ\Server.exe", "S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1002", "Int32", "Byte[]", "2", "False",
    ]  # fmt: skip
    machine.raw(
        r"""
        $null = New-Item -Path HKLM:\SOFTWARE\Ny\Under -Force
        $null = New-ItemProperty -Path HKLM:\SOFTWARE\Ny -Name Tall -PropertyType DWord -Value 5
        $null = New-ItemProperty -Path HKLM:\SOFTWARE\Ny -Name Bytes -PropertyType Binary -Value ([byte[]](1, 255))
        Set-ItemProperty -Path HKLM:\SOFTWARE\Ny -Name Tekst -Value 'æ'
        Remove-ItemProperty -Path HKLM:\SOFTWARE\EPJ -Name Path
        """
    )
    assert machine.host.snapshot()["registry"][r"HKLM\SOFTWARE\Ny"] == {"Tall": 5, "Bytes": "01ff", "Tekst": "æ"}
    assert machine.host.snapshot()["registry"][r"HKLM\SOFTWARE\EPJ"] == {}
    again = r"$n = gp HKLM:\SOFTWARE\Ny; $n.Tall + 1; $n.Bytes[1]; $n.Tekst; Test-Path HKLM:\SOFTWARE\Ny\Under"
    assert machine.raw(again).split("\n") == ["6", "255", "æ", "True"]
    machine.raw(r"Remove-Item -Path HKLM:\SOFTWARE\Ny -Recurse")
    assert machine.raw(r"Test-Path HKLM:\SOFTWARE\Ny") == "False"
    assert not [key for key in machine.host.snapshot()["registry"] if "Ny" in key]


def test_services_tasks_and_processes_are_the_hosts_own(machine: Machine) -> None:
    host = machine.host
    host.processes.append(Process("Interactor", r"C:\Program Files\DIPS\Interactor\Interactor.exe"))
    told = machine.raw(
        r"""
        (Get-Service -Name DIPSInteractor).Status
        $own = (Get-CimInstance -ClassName Win32_Service | Where-Object Name -EQ DIPSInteractor).ProcessId
        @(Get-Process -Name Interactor).Count
        @(Get-Process -Name Interactor | Where-Object Id -NE $own).Count
        Stop-Service -Name DIPSInteractor
        @(Get-Process -Name Interactor).Count
        Stop-Process -Id (Get-Process -Name Interactor).Id -Force
        @(Get-Process -Name Interactor).Count
        """
    )
    assert told.split("\n") == ["Running", "2", "1", "1", "0"]
    assert (host.service_word("DIPSInteractor"), [each.name for each in host.processes]) == ("stopped", ["EPJ"])
    host.drive.remove(r"C:\Program Files\DIPS\Interactor\Interactor.exe")
    cannot = machine.raw('try { Start-Service -Name DIPSInteractor } catch { "$_" }')
    assert cannot == "Service 'DIPSInteractor' cannot be started."


def test_a_host_that_goes_down_in_the_middle_gives_no_answer(machine_with: Callable[..., Machine]) -> None:
    machine = machine_with(upgrade={"ends": "dies"})
    host, setup = machine.host, r"C:\Temp\setup.exe"
    host.drive.write(
        setup, machine.fleet.world.pages["nedlasting.dips.no"]["/interactor/InteractorSetup-6.2.0.exe"].body
    )
    host.stop_service("DIPSInteractor")
    begun = host.booted
    machine.fleet.clock.advance_to(instant("2027-05-10T09:00:00Z"))
    run = f"Start-Process -FilePath {setup} -ArgumentList '/quiet /norestart' -Wait -PassThru;"
    with pytest.raises(HostDown):
        machine.raw("Set-Content C:\\Temp\\before.txt x; " + run + "Set-Content C:\\Temp\\after.txt x")
    assert host.booted > begun
    assert (host.drive.is_file(r"C:\Temp\before.txt"), host.drive.is_file(r"C:\Temp\after.txt")) == (True, False)
    assert machine.raw("Test-Path C:\\Temp\\before.txt; (Get-Service DIPSInteractor).Status") == "True\nStopped"


def test_a_process_that_dies_is_told_and_another_takes_its_place(machine: Machine) -> None:
    with pytest.raises(WorkerEndedError, match="code 3"):
        machine.raw("Set-Content C:\\half.txt x; [System.Environment]::Exit(3)")
    assert machine.raw("Test-Path C:\\half.txt") == "True"


def test_a_time_zone_that_nobody_has_told_of_is_refused(machine_with: Callable[..., Machine]) -> None:
    with pytest.raises(ValueError, match="engine: the time zone 'Tokyo Standard Time'"):
        machine_with(server={"time_zone": "Tokyo Standard Time"})


def test_nothing_is_found_of_the_machine_that_it_runs_on(machine: Machine, tmp_path: Path) -> None:
    told = machine.raw("@(Get-ChildItem -LiteralPath C:\\).Name -join ','; \"$env:PATH\"")
    assert told == "EPJ,Program Files,ProgramData,Users"
