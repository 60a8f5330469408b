"""What a Wine host needs is named where it is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.wine.discovery import WineMissing, find_tools


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder of programs of a machine that has none."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("INTERACTOR_WINE_HOST", raising=False)
    return folder


def put(folder: Path, name: str) -> str:
    path = folder / name
    path.write_text("#!/bin/sh\n", encoding="ascii")
    path.chmod(0o755)
    return str(path)


def test_without_the_program_that_makes_machines_it_says_where_it_looked(programs: Path) -> None:
    assert list(programs.iterdir()) == []
    with pytest.raises(WineMissing, match=r"\$INTERACTOR_WINE_HOST is not set and there is no wine-host on the PATH"):
        find_tools()


def test_one_that_is_named_and_is_none_is_told(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERACTOR_WINE_HOST", str(programs / "none"))
    with pytest.raises(WineMissing, match=r"none' is no program \(\$INTERACTOR_WINE_HOST\)"):
        find_tools()


@pytest.mark.parametrize(
    ("missing", "package"),
    [
        ("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64"),
        ("x86_64-w64-mingw32-windres", "gcc-mingw-w64-x86-64"),
        ("wixl", "wixl"),
    ],
)
def test_a_program_that_is_missing_is_told_with_its_package(programs: Path, missing: str, package: str) -> None:
    put(programs, "wine-host")
    put(programs, "wine64")
    for name in ("x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-windres", "wixl"):
        if name != missing:
            put(programs, name)
    with pytest.raises(WineMissing, match=rf"there is no {missing} \(Debian package {package}\)"):
        find_tools()
