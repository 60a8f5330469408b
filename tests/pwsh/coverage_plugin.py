# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pytest reports which statements of our PowerShell were run, and fails where the whole of the tests runs too few."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from tests.pwsh.coverage import FOLDER, LEAST, FileCoverage, read_report

REPORT = pytest.StashKey[list[FileCoverage]]()
TITLE = "PowerShell statements that were run"


def is_worker(config: pytest.Config) -> bool:
    """Whether this process runs tests for another one, which reports."""
    return hasattr(config, "workerinput")


def is_whole(config: pytest.Config) -> bool:
    """Whether nothing that runs our PowerShell was left out."""
    option = config.option
    everywhere = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not option.keyword and not option.deselect
    return everywhere and option.markexpr in ("", "not playbook", "pwsh") and not getattr(option, "lf", False)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Ours beside pytest's own."""
    parser.addoption(
        "--no-pwsh-coverage", action="store_true", help="do not measure which statements of our PowerShell are run"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder of this run; workers and engines find it by the environment."""
    if not is_worker(config) and not config.option.no_pwsh_coverage:
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="interactor-coverage-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove it."""
    if not is_worker(config) and FOLDER in os.environ:
        shutil.rmtree(os.environ.pop(FOLDER), ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the engines of this process, which write what they have run; join it where no other process does."""
    # Who has run no test of the engine's shall not wait for it.
    if "tests.pwsh.engine" in sys.modules:
        for engine in [*sys.modules["tests.pwsh.engine"].Engine.running]:
            engine.close()
    config = session.config
    if is_worker(config) or FOLDER not in os.environ:
        return
    report = read_report(Path(os.environ[FOLDER]))
    config.stash[REPORT] = report
    there = bool(os.environ.get("INTERACTOR_PWSH") or shutil.which("pwsh"))
    if session.exitstatus == 0 and there and is_whole(config) and (not report or too_few(report)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def too_few(report: list[FileCoverage]) -> list[str]:
    """The files of which too little was run."""
    return [file.name for file in report if file.percent < LEAST]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """A row for each file."""
    report = config.stash.get(REPORT, [])
    if not report:
        return
    whole = is_whole(config)
    terminalreporter.section(TITLE)
    for file in report:
        if whole or file.percent:
            terminalreporter.write_line(str(file))
    if whole and (names := too_few(report)):
        terminalreporter.write_line(f"less than {LEAST:g} % of {', '.join(names)}: that is a failure", red=True)
