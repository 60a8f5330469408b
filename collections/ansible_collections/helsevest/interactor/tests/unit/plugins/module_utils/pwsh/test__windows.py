# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between our scripts and Windows, for real as far as it goes here: files, hashes, the web on loopback."""

from __future__ import annotations

import hashlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.pwsh.engine import MODULE_UTILS, Engine

Call = Callable[..., Any]


@pytest.fixture
def call(engine: Engine, tmp_path: Path) -> Call:
    """Run a line of PowerShell with _Windows.psm1 loaded and C: as a folder; its answer."""
    head = f"""
    Set-StrictMode -Version Latest
    $ErrorActionPreference = 'Stop'
    $null = New-PSDrive -Name C -PSProvider FileSystem -Root '{tmp_path}' -Scope Global
    Import-Module -Name '{MODULE_UTILS / "_Windows.psm1"}' -Force
    """

    def run(line: str) -> Any:
        told = engine.script(f"{head}\nConvertTo-Json -Compress -Depth 5 -InputObject ({line})")
        assert "ERROR:" not in told, told
        return json.loads(told)

    return run


@pytest.fixture
def site() -> Iterator[str]:
    """A web server on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/missing")
                self.end_headers()
                return
            body = {
                "/missing": "default backend – 404".encode(),
                "/latin": "blåbær".encode("latin-1"),
                "/odd": "blåbær".encode(),
            }.get(self.path)
            charset = {"/latin": "iso-8859-1", "/odd": "no-such-code"}.get(self.path)
            part = self.headers["Range"] == "bytes=1000-" and self.path == "/parts"
            self.send_response(404 if self.path == "/missing" else 206 if part else 200)
            if charset:
                self.send_header("Content-Type", f"text/html; charset={charset}")
            self.send_header("Content-Length", str(len(body) if body is not None else 300_000))
            self.end_headers()
            self.wfile.write(body if body is not None else b"x" * 300_000)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_page_that_is_not_found_is_an_answer(call: Call, site: str):
    answer = call(f"Get-WebAnswer -Uri '{site}/moved'")
    assert (answer["status"], answer["content"], answer["error"]) == (404, "default backend – 404", None)
    assert answer["final_url"] == f"{site}/missing"
    assert answer["issuer"] == ""
    assert call(f"Get-WebAnswer -Uri '{site}/latin'")["content"] == "blåbær"
    assert call(f"Get-WebAnswer -Uri '{site}/odd'")["content"] == "blåbær"


def test_no_more_is_read_than_was_asked_for(call: Call, site: str):
    answer = call(f"Get-WebAnswer -Uri '{site}/big' -MaximumBytes 200000 -MaximumSeconds 5")
    assert (answer["status"], answer["length"]) == (200, 200_000)
    assert 0 <= answer["seconds"] < 5


@pytest.mark.parametrize(("path", "status"), [("parts", 206), ("whole", 200)])
def test_a_part_can_be_asked_for(call: Call, site: str, path: str, status: int):
    answer = call(f"Get-WebAnswer -Uri '{site}/{path}' -From 1000 -MaximumBytes 1")
    assert (answer["status"], answer["length"], answer["error"]) == (status, 1, None)


def test_memory_is_told_now_and_at_its_most(call: Call):
    told = call("Get-MemoryUse")
    assert 10_000_000 < told["now"] <= told["most"]


def test_no_answer_is_no_exception(call: Call):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        answer = call(f"Get-WebAnswer -Uri 'http://127.0.0.1:{closed.getsockname()[1]}/'")
    assert answer["status"] == 0
    assert answer["error"]
    assert (answer["content"], answer["final_url"], answer["issuer"]) == ("", None, None)


def test_an_address_that_is_none_is_no_exception(call: Call):
    answer = call("Get-WebAnswer -Uri 'no address'")
    assert (answer["status"], answer["content"]) == (0, "")
    assert "URI" in answer["error"]


def test_tls_1_2_is_offered_beside_what_the_host_allows(call: Call):
    manager = "[System.Net.ServicePointManager]::SecurityProtocol"
    line = f"""& {{
        $before = {manager}
        try {{
            foreach ($allowed in 'SystemDefault', 'Tls11') {{ {manager} = $allowed; Enable-Tls12; [string]{manager} }}
        }}
        finally {{ {manager} = $before }}
    }}"""
    # Windows' own choice is better than ours.
    assert call(line) == ["SystemDefault", "Tls11, Tls12"]


@pytest.fixture
def secure_site(tmp_path: Path) -> Iterator[str]:
    """The same over TLS; its certificate is of an authority that nobody knows."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_certificate_that_nobody_vouches_for_is_no_answer(call: Call, secure_site: str):
    answer = call(f"Get-WebAnswer -Uri '{secure_site}' -TimeoutSeconds 120")
    assert (answer["status"], answer["content"], answer["issuer"]) == (0, "", None)
    assert "SSL" in answer["error"]


def test_an_issuer_that_is_not_told_is_null(call: Call, secure_site: str):
    """Windows PowerShell 5.1 tells it; the engine of these tests never does."""
    manager = "[System.Net.ServicePointManager]::ServerCertificateValidationCallback"
    line = f"""& {{
        # A block of PowerShell's could not be called where this is called from.
        $kind = [System.Net.Security.RemoteCertificateValidationCallback]
        [System.Linq.Expressions.ParameterExpression[]]$takes = $kind.GetMethod('Invoke').GetParameters() |
            ForEach-Object {{ [System.Linq.Expressions.Expression]::Parameter($_.ParameterType) }}
        $yes = [System.Linq.Expressions.Expression]::Constant($true)
        try {{
            {manager} = [System.Linq.Expressions.Expression]::Lambda($kind, $yes, $takes).Compile()
            Get-WebAnswer -Uri '{secure_site}' -TimeoutSeconds 120
        }}
        finally {{ {manager} = $null }}
    }}"""
    answer = call(line)
    assert (answer["status"], answer["content"], answer["issuer"]) == (200, "ok", None)


def test_a_server_that_says_nothing_is_given_up(call: Call):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        answer = call(f"Get-WebAnswer -Uri 'http://127.0.0.1:{silent.getsockname()[1]}/' -TimeoutSeconds 1")
    assert (answer["status"], bool(answer["error"])) == (0, True)


def test_a_file_is_written_whole_and_replaced(call: Call, tmp_path: Path):
    for text in ("first æøå", "second"):
        call(f"Write-DurableText -Path 'C:\\ledger.json' -Text '{text}'")
        assert (tmp_path / "ledger.json").read_bytes() == text.encode()
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.json"]
    assert call("Read-SharedText -Path 'C:\\ledger.json'") == "second"
    assert call("Read-SharedText -Path 'C:\\other.json'") is None


def test_a_new_file_that_is_gone_leaves_the_old_one(call: Call, tmp_path: Path):
    (tmp_path / "ledger.json").write_text("old")
    line = f"""& {{
        try {{ & (Get-Module -Name _Windows) {{ Move-WholeFile -Path '{tmp_path}/ledger.json' }}; 'moved' }}
        catch {{ $_.Exception.Message }}
    }}"""
    assert "ledger.json.new" in call(line)
    assert (tmp_path / "ledger.json").read_text() == "old"


def test_a_file_that_others_hold_for_a_moment_is_replaced_a_moment_later(call: Call, tmp_path: Path):
    (tmp_path / "a").mkdir()
    lets_go = f"Function script:Wait-Moment {{ [System.IO.Directory]::Delete('{tmp_path / 'a'}') }}"
    line = f"""& {{
        & (Get-Module -Name '_Windows') {{ {lets_go} }}
        Write-DurableText -Path 'C:\\a' -Text 'new'
    }}"""
    assert call(line) is None
    assert (tmp_path / "a").read_text() == "new"


def test_a_file_that_others_keep_is_given_up(call: Call, tmp_path: Path):
    (tmp_path / "a").mkdir()
    line = """& {
        & (Get-Module -Name '_Windows') { $script:HeldFor = [timespan]::Zero }
        try { Write-DurableText -Path 'C:\\a' -Text 'new' } catch { $_.Exception.GetType().Name }
    }"""
    assert call(line)
    assert (tmp_path / "a.new").read_text() == "new"


def test_a_read_only_file_is_made_writable_before_it_is_replaced(call: Call, tmp_path: Path):
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o444)
    assert call(f"& (Get-Module -Name '_Windows') {{ Clear-ReadOnly -Path '{tmp_path / 'a'}' }}") is None
    assert (tmp_path / "a").stat().st_mode & 0o200


def test_a_copy_has_the_same_bytes(call: Call, tmp_path: Path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbf{}\r\n\xff")
    call("Copy-DurableFile -Path 'C:\\a' -Destination 'C:\\b'")
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()


def test_a_lock_is_held_once_and_leaves_nothing(call: Call, tmp_path: Path):
    line = """& {
        $held = Lock-File -Path 'C:\\run.lock'
        try { $null = Lock-File -Path 'C:\\run.lock'; 'got it twice' }
        catch { $_.Exception.Message }
        finally { $held.Dispose() }
    }"""
    assert call(line).startswith("another run is at work on this server: C:\\run.lock is held")
    assert list(tmp_path.iterdir()) == []


def test_windows_installer_is_at_work_while_somebody_holds_its_mutex(call: Call):
    line = """& {
        $name = 'Global\\interactor-test-' + [guid]::NewGuid().ToString('N')
        $told = @(Test-InstallerService -Name $name)
        $other = [PowerShell]::Create()
        $other.Runspace = [RunspaceFactory]::CreateRunspace()
        $other.Runspace.ThreadOptions = 'ReuseThread'
        $other.Runspace.Open()
        $null = $other.AddScript('$mutex = [System.Threading.Mutex]::new($true, $args[0])').AddArgument($name).Invoke()
        $told += Test-InstallerService -Name $name
        $told += Test-InstallerService -Name $name
        $other.Commands.Clear()
        $null = $other.AddScript('$mutex.ReleaseMutex()').Invoke()
        $told += Test-InstallerService -Name $name
        $other.Commands.Clear()
        $null = $other.AddScript('$free = $mutex.WaitOne(0); $mutex.ReleaseMutex(); $mutex.Dispose()').Invoke()
        $told += $other.Runspace.SessionStateProxy.GetVariable('free')
        $other.Runspace.Dispose()
        $told
    }"""
    assert call(line) == [False, True, True, False, True]


@pytest.mark.parametrize("text", ["", "blåbær"])
def test_a_hash_is_that_of_utf_8(call: Call, text: str):
    assert call(f"Get-Sha256 -Text '{text}'") == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("code", [0, 3])
def test_a_program_tells_its_code(call: Call, code: int):
    assert call(f"Invoke-ProgramInTime -Path /bin/sh -Argument '-c \"exit {code}\"' -Seconds 60") == code


def test_one_that_does_not_end_is_ended(call: Call):
    line = "try { Invoke-ProgramInTime -Path /bin/sleep -Argument 3600 -Seconds 0 } catch { $_.Exception.Message }"
    assert call(f"$({line})") == "/bin/sleep has not ended after 0 seconds, and was ended"


class TestServiceInTime:
    """A service as .NET shows it, which takes `takes` looks to do what it was asked for."""

    @pytest.fixture
    def told(self, engine: Engine) -> Call:
        """Run a line beside a service that is `status`; what it was asked for, the seconds that went by, the error."""

        def run(line: str, status: str, *, takes: int = 1, ends: str = "", needs: str = "") -> Any:
            told = engine.script(
                f"""
                Set-StrictMode -Version Latest
                $ErrorActionPreference = 'Stop'
                $global:Said = [ordered]@{{ asked = @(); slept = 0; error = $null }}
                $global:Fake = [pscustomobject]@{{
                    Name = 'X'; Status = '{status}'; Wanted = '{status}'; Left = 0
                    DependentServices = @('{needs}'.Split(',').Where({{ $_ }}) |
                        ForEach-Object -Process {{ [pscustomobject]@{{ Name = $_; Status = 'Running' }} }})
                }}
                if ('{status}' -like '*Pending') {{
                    $Fake.Wanted = @{{ StopPending = 'Stopped'; StartPending = 'Running' }}['{status}']
                    $Fake.Left = {takes}
                }}
                $ask = {{ param($verb, $pending, $end)
                    $Said.asked += $verb; $Fake.Status = $pending; $Fake.Left = {takes}; $Fake.Wanted = $end }}
                $Fake | Add-Member -MemberType ScriptMethod -Name Stop -Value {{
                    & $ask 'stop' 'StopPending' 'Stopped' }}.GetNewClosure()
                $Fake | Add-Member -MemberType ScriptMethod -Name Start -Value {{
                    & $ask 'start' 'StartPending' @('Running', '{ends}').Where({{ $_ }})[-1] }}.GetNewClosure()
                $Fake | Add-Member -MemberType ScriptMethod -Name Refresh -Value {{
                    if ($this.Left -gt 0) {{ $this.Left -= 1 }}
                    if ($this.Left -eq 0) {{ $this.Status = $this.Wanted }} }}
                Function global:Get-Service {{ [pscustomobject]@{{ Name = 'XY' }}; $Fake }}
                Function global:Start-Sleep {{ param([int] $Seconds) $Said.slept += $Seconds }}
                Import-Module -Name '{MODULE_UTILS / "_Windows.psm1"}' -Force
                try {{ {line} }} catch {{ $Said.error = $_.Exception.Message }}
                ConvertTo-Json -Compress -InputObject $Said
                """
            )
            assert "ERROR:" not in told, told
            return tuple(json.loads(told).values())

        return run

    @pytest.mark.parametrize(
        ("line", "status", "asked"),
        [
            ("Stop-ServiceInTime X", "Running", ["stop"]),
            ("Stop-ServiceInTime X", "Stopped", []),
            ("Stop-ServiceInTime X", "StopPending", []),
            ("Start-ServiceInTime X", "Stopped", ["start"]),
            ("Start-ServiceInTime X", "Running", []),
            ("Start-ServiceInTime X", "StartPending", []),
            ("Restart-ServiceInTime X", "Running", ["stop", "start"]),
            ("Restart-ServiceInTime X", "Stopped", ["start"]),
        ],
    )
    def test_it_is_asked_once_and_waited_for(self, told: Call, line: str, status: str, asked: list[str]):
        assert told(line, status, takes=3) == (asked, 2 * max(len(asked), "Pending" in status), None)

    @pytest.mark.parametrize(
        ("line", "status", "word"),
        [("Stop-ServiceInTime X", "Running", "StopPending"), ("Start-ServiceInTime X", "Stopped", "StartPending")],
    )
    def test_one_that_hangs_is_an_error_after_three_minutes(self, told: Call, line: str, status: str, word: str):
        _asked, slept, error = told(line, status, takes=1000)
        assert slept == 180
        assert error.startswith(f"service 'X' is {word} after 180 seconds, not ")
        assert told(f"{line} -Seconds 7", status, takes=1000)[1] == 7

    def test_one_that_stops_while_it_starts_is_given_up(self, told: Call):
        _asked, slept, error = told("Start-ServiceInTime X", "Stopped", takes=2, ends="Stopped")
        assert (slept, error) == (5, "service 'X' is Stopped after 5 seconds, not Running")

    def test_one_that_another_needs_is_not_stopped(self, told: Call):
        assert told("Restart-ServiceInTime X", "Running", needs="A,B") == ([], 0, "service 'X' is needed by A, B")
        assert told("Stop-ServiceInTime Y", "Running") == ([], 0, "there is no service 'Y'")


def test_a_process_that_would_not_end_is_ended_by_a_session_of_its_own(call: Call):
    told = call("""& (Get-Module -Name '_Windows') {
        $said = [System.Collections.Generic.List[object]]::new()
        $session = [pscustomobject]@{ said = $said }
        foreach ($name in 'AddScript', 'AddArgument', 'BeginInvoke') {
            $told = @{ MemberType = 'ScriptMethod'; Name = $name; Value = { $this.said.Add("$args"); $this } }
            Add-Member -InputObject $session @told
        }
        Function Open-Session { $session }
        Start-Exit -Seconds 5
        , $said
    }""")
    assert "[System.Environment]::Exit(0)" in told[0]
    assert told[1:] == ["5", ""]


def test_what_nobody_uses_is_let_go_of(call: Call):
    told = call("""& {
        $kept = & { [System.WeakReference]::new([object]::new()) }
        Clear-Memory
        $kept.IsAlive
    }""")
    assert told is False
