# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which statements of our PowerShell the tests have run: marked copies of the scripts run in the engine instead.

The folder of a run is named by `$INTERACTOR_COVERAGE`; without it nothing is measured. Every engine writes what it has
run into a file of its own there when it ends; `read_report` joins them.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLUGINS = HERE.parent.parent / "collections" / "ansible_collections" / "helsevest" / "interactor" / "plugins"
FOLDER = "INTERACTOR_COVERAGE"
LEAST = 95.0
"""Per cent of the statements of each file that the whole run of the tests has to run."""

MOST_SPANS = 20

Ask = Callable[[str, str], str]
"""Runs a script (its text, its standard input) in an engine; its output."""


def scripts() -> list[Path]:
    """Every script that goes to a host, in one order."""
    return sorted([*PLUGINS.rglob("*.ps1"), *PLUGINS.rglob("*.psm1")])


class MarkedScripts:
    """The copies with marks, of all scripts."""

    def __init__(self, folder: Path, ask: Ask) -> None:
        self.folder = folder
        self._copies = {path: folder / "plugins" / path.relative_to(PLUGINS) for path in scripts()}
        # Several processes may be here at once; they write the same, and each file whole.
        if not (folder / "lines.json").is_file():
            self._make(ask)

    def _make(self, ask: Ask) -> None:
        texts = [path.read_text(encoding="utf-8") for path in self._copies]
        told = ask((HERE / "coverage.ps1").read_text(encoding="utf-8"), json.dumps(texts))
        assert "ERROR:" not in told, told
        made = json.loads(told)
        for copy, text in zip(self._copies.values(), made["texts"], strict=True):
            _write(copy, text)
        _write(self.folder / "lines.json", json.dumps(made["lines"]))

    def path(self, script: Path) -> Path:
        """The copy of a script; the script itself where it is none of ours."""
        return self._copies.get(script, script)

    def text(self, text: str) -> str:
        """A text that names scripts by their paths, with the copies' paths."""
        return text.replace(str(PLUGINS), str(self.folder / "plugins"))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def marked_scripts(ask: Ask) -> MarkedScripts | None:
    """The copies of this run; None where it does not measure."""
    folder = os.environ.get(FOLDER)
    return MarkedScripts(Path(folder), ask) if folder else None


@dataclass(frozen=True)
class FileCoverage:
    """What was run of a file."""

    name: str
    statements: int
    missed: tuple[int, ...]
    """The lines of the statements that were not run."""

    @property
    def percent(self) -> float:
        """Of the statements."""
        return 100.0 * (self.statements - len(self.missed)) / self.statements if self.statements else 100.0

    def __str__(self) -> str:
        spans = list(_spans(self.missed))
        more = ", …" if len(spans) > MOST_SPANS else ""
        missed = f"  not run: lines {', '.join(spans[:MOST_SPANS])}{more}" if spans else ""
        return f"{self.name:26}{self.statements:4} statements{self.percent:7.1f} %{missed}"


def _spans(lines: Iterable[int]) -> Iterator[str]:
    """Lines as `3-5`, where they follow each other."""
    for _, group in itertools.groupby(enumerate(sorted(set(lines))), lambda item: item[1] - item[0]):
        span = [line for _, line in group]
        yield f"{span[0]}-{span[-1]}" if len(span) > 1 else str(span[0])


def read_report(folder: Path) -> list[FileCoverage]:
    """What all engines of a run have run together; empty where none was used."""
    runs = [path.read_bytes() for path in folder.glob("*.hits")]
    if not runs or not (folder / "lines.json").is_file():
        return []
    run = [any(hits) for hits in zip(*runs, strict=True)]
    report, number = [], 0
    for path, lines in zip(scripts(), json.loads((folder / "lines.json").read_text(encoding="utf-8")), strict=True):
        missed = tuple(line for at, line in enumerate(lines, number) if not run[at])
        report.append(FileCoverage(path.name, len(lines), missed))
        number += len(lines)
    return report
