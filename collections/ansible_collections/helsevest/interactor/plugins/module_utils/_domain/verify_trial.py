# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the trial on a real server came to: files, lock, task and manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .findings import Case, Finding, Measure, failed, still_open, whether


def _trial(part: str) -> Callable[[Callable[[Case, Mapping[str, Any]], Finding]], Measure]:
    """A measure of a part of the trial, which a dry run does not make and a move under way refuses."""

    def wrap(judge: Callable[[Case, Mapping[str, Any]], Finding]) -> Measure:
        def measure(case: Case) -> Finding:
            trial = case.answer.get("trial")
            if trial is None:
                return still_open("nothing is tried in a dry run")
            if trial[part] is None:
                return still_open("the program that lists is not there yet: it comes with the upgrade")
            if trial[part]["error"]:
                return failed(trial[part]["error"])
            return judge(case, trial[part])

        return measure

    return wrap


@_trial("manifest")
def manifest(case: Case, told: Mapping[str, Any]) -> Finding:
    """Listing and counting are quick enough and take little memory."""
    quick = told["seconds"] <= case.limits["seconds"] and told["megabytes"] <= case.limits["megabytes"]
    counts = ", ".join(f"{name} {count}" for name, count in told["counts"].items())
    return whether(quick, f"{told['seconds']} s, {told['megabytes']} MB for {counts}")


@_trial("durable")
def durable(case: Case, told: Mapping[str, Any]) -> Finding:
    """Files are replaced whole, and a second run is kept out."""
    missing = [name for name in ("written", "replaced", "replaced_while_read", "completed", "locked") if not told[name]]
    system = (case.answers["look"].get("facts") or {}).get("file_system") or "a file system that is not told"
    return whether(not missing, f"on {system}: {'not ' + ', '.join(missing) if missing else 'all of it'}")


@_trial("task")
def task(case: Case, told: Mapping[str, Any]) -> Finding:
    """A scheduled task runs our script."""
    if not told["registered"]:
        return failed("it was not registered")
    return whether(
        told["ran"], "it ran, and took itself away" if told["ran"] else f"it did not run: result {told['result']}"
    )
