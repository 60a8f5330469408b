"""Which Python the tests on the newest supported ansible-core take."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.next_python import newest


def python(path: Path, told: str, code: int = 0) -> str:
    """A program that says it is a Python of that version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {told}\nexit {code}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}


def test_none(home: dict[str, str], tmp_path: Path):
    python(tmp_path / "bin" / "python3.11", "3 11 7")
    python(tmp_path / ".pyenv" / "versions" / "3.11.7" / "bin" / "python", "3 11 7")
    python(tmp_path / ".pyenv" / "versions" / "3.15.0" / "bin" / "python", "3 15 0")
    python(tmp_path / "bin" / "python3.12", "something else")
    Path(python(tmp_path / "bin" / "python3.13", "")).write_bytes(b"no program")
    assert newest(home) is None


def test_a_name_that_does_not_run_is_passed_over(home: dict[str, str], tmp_path: Path):
    python(tmp_path / "bin" / "python3.13", "pyenv: no", 127)
    old = python(tmp_path / "bin" / "python3.12", "3 12 1")
    assert newest(home) == old
    new = python(tmp_path / ".pyenv" / "versions" / "3.13.0" / "bin" / "python", "3 13 0")
    assert newest(home) == new
    elsewhere = python(tmp_path / "root" / "versions" / "3.13.10" / "bin" / "python", "3 13 10")
    assert newest({**home, "PYENV_ROOT": str(tmp_path / "root")}) == elsewhere
