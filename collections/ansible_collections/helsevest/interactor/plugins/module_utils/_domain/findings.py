# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a measure of the checklist for a real server looks at, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .checklist import Result

Answers = Mapping[str, Any]
"""What was answered, by what was asked: look, preflight, stage, lease, cloud, trial, again."""


@dataclass(frozen=True)
class Finding:
    """How a row stands by what was measured, in words what was seen, and how many seconds it took to find out."""

    result: Result
    observed: str
    seconds: float | None = None


@dataclass(frozen=True)
class Case:
    """What a measure looks at: the answer that it is made of, all answers, contract, limits, earlier boot readings."""

    answer: Mapping[str, Any]
    answers: Answers
    contract: Mapping[str, Any]
    limits: Mapping[str, float]
    readings: Sequence[tuple[datetime, datetime]]

    @property
    def facts(self) -> Mapping[str, Any]:
        """The facts of the answer."""
        found: Mapping[str, Any] = self.answer.get("facts") or {}
        return found


Measure = Callable[[Case], Finding]


def passed(observed: str) -> Finding:
    """It is as it should be."""
    return Finding(Result.PASSED, observed)


def failed(observed: str) -> Finding:
    """It is not."""
    return Finding(Result.FAILED, observed)


def still_open(observed: str) -> Finding:
    """It is not known yet."""
    return Finding(Result.OPEN, observed)


def whether(good: bool, observed: str) -> Finding:
    """Passed or failed."""
    return passed(observed) if good else failed(observed)
