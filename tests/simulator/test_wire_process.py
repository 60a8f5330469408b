"""`python -m simulator` as a process: ready, used, moved in time, ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import yaml

from simulator.testing import running

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = ROOT / "simulator" / "scenarios" / "small.yml"


def start(*arguments: str, **more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    command = [sys.executable, "-m", "simulator", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd="/"
    )


def test_a_simulation_is_used_and_leaves_nothing_behind(tmp_path: Path):
    start_of_clock = yaml.safe_load(SCENARIO.read_text(encoding="utf-8"))["clock"]
    with running(SCENARIO, tmp_path / "one") as one, running(SCENARIO, tmp_path / "two") as two:
        assert one.environment == {"INTERACTOR_SIMULATION": str(tmp_path / "one" / "simulation.json")}
        assert one.path.stat().st_mode & 0o777 == 0o600
        assert one.facts["password"] != two.facts["password"]
        assert one.facts["cloud_token"] != two.facts["cloud_token"]
        assert one.now() == start_of_clock.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert one.set_clock("2030-01-01T00:00:00Z") == "2030-01-01T00:00:00Z"
        assert (one.now(), two.now() < one.now()) == ("2030-01-01T00:00:00Z", True)
        assert one.calls() == []
        assert one.state() != {}
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["simulator.log"]
    assert (tmp_path / "one" / "simulator.log").read_text() == ""
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(one.clock_url, timeout=5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_and_takes_its_own_folder_along(number: signal.Signals):
    process = start("--scenario", str(SCENARIO))
    assert process.stdout is not None
    ready = process.stdout.readline()
    path = Path(ready.removeprefix("ready: ").rstrip("\n"))
    assert process.stdout.readline() == f"export INTERACTOR_SIMULATION={path}\n"
    assert json.loads(path.read_text())["pid"] == process.pid
    process.send_signal(number)
    rest, errors = process.communicate(timeout=20)
    assert (process.returncode, rest, errors) == (0, "", "")
    assert not path.parent.exists()


def test_a_reader_may_go_after_the_first_line(tmp_path: Path):
    # In such a pipe a read gives one write: all is said at once, so nothing can follow that finds no reader.
    reader, writer = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)
    command = [sys.executable, "-m", "simulator", "--scenario", str(SCENARIO), "--run-dir", str(tmp_path)]
    unbuffered = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE, env=unbuffered) as process:
        os.close(writer)
        said = os.read(reader, 4096).decode()
        os.close(reader)
        process.terminate()
        _, errors = process.communicate(timeout=20)
    path = tmp_path / "simulation.json"
    assert said == f"ready: {path}\nexport INTERACTOR_SIMULATION={path}\n"
    assert (process.returncode, errors) == (0, b"")


def test_it_ends_with_its_parent(tmp_path: Path):
    code = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-m', 'simulator', '--with-parent',"
        f" '--scenario', {str(SCENARIO)!r}, '--run-dir', {str(tmp_path)!r}], stdout=subprocess.PIPE, text=True);"
        " sys.stdout.write(p.stdout.readline()); sys.stdout.flush(); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert parent.stdout is not None
    assert parent.stderr is not None
    assert parent.stdout.readline().startswith("ready: ")
    parent.kill()
    # The simulator has inherited the parent's error output, which therefore ends only when it ends, too.
    assert parent.stderr.read() == ""
    parent.wait(10)
    assert list(tmp_path.iterdir()) == []


def test_a_clock_with_a_rate_runs(tmp_path: Path):
    with running(SCENARIO, tmp_path, rate=1e6) as one:
        first = one.now()
        while one.now() == first:
            pass


def test_a_wrong_scenario_is_told_and_ends_with_1(tmp_path: Path):
    wrong = tmp_path / "wrong.yml"
    wrong.write_text("sites: {1001: {nonsense: true}}\n")
    process = start("--scenario", str(wrong), "--run-dir", str(tmp_path / "run"))
    out, errors = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert "wrong.yml" in errors
    assert "nonsense" in errors
    assert "Traceback" not in errors
    with pytest.raises(RuntimeError, match="nonsense"), running(wrong, tmp_path / "run"):
        pass


def test_an_engine_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("INTERACTOR_WINE_HOST", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    scenario = tmp_path / "scenario.yml"
    scenario.write_text("sites: {9001: {domain: proverom.example, clients: [], server: {engine: wine}}}")
    done = start("--scenario", str(scenario))
    out, errors = done.communicate(timeout=20)
    assert (done.returncode, out) == (1, "")
    missing = "no Wine hosts: $INTERACTOR_WINE_HOST is not set and there is no wine-host on the PATH"
    assert errors == f"srv.proverom.example: engine: {missing}\n"
