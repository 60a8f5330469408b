"""Where a PowerShell engine is looked for, and what comes of one that does not work."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.engine.discovery import EngineBroken, EngineMissing, find_pwsh
from tests.pwsh.engine import find

WORKS = "#!/bin/sh\necho 7\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without an engine: its folder of programs, to put one there."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("INTERACTOR_PWSH", raising=False)
    return programs


def put(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text.replace("#!/bin/sh", "#!/bin/sh\nPATH=/usr/bin:/bin"), encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_the_variable_comes_first_then_the_path(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path = put(machine, "pwsh", WORKS)
    assert find_pwsh() == on_path
    named = put(machine, "another", WORKS)
    monkeypatch.setenv("INTERACTOR_PWSH", named)
    assert find_pwsh() == named


def test_without_one_a_test_is_skipped_and_says_so(machine: Path) -> None:
    assert list(machine.iterdir()) == []
    with pytest.raises(EngineMissing, match=r"\$INTERACTOR_PWSH is not set and there is no pwsh on the PATH"):
        find_pwsh()
    with pytest.raises(pytest.skip.Exception, match="no PowerShell engine"):
        find()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("#!/bin/sh\necho no ICU >&2\nexit 134\n", "code 134: no ICU"),
        ("#!/bin/sh\necho hello\n", "code 0"),
        (None, "No such file"),
    ],
)
def test_one_that_is_named_and_does_not_work_fails_the_test(
    machine: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, why: str
) -> None:
    put(machine, "pwsh", WORKS)
    named = put(machine, "broken", text) if text else str(machine / "none")
    monkeypatch.setenv("INTERACTOR_PWSH", named)
    with pytest.raises(EngineBroken, match=why):
        find_pwsh()
    with pytest.raises(pytest.fail.Exception, match="does not work"):
        find()
