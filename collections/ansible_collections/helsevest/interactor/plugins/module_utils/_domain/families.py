# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Families of checks, so that a person can ask for some of them: `--tags proxy`.

What such a part is worth is told in docs/decisions/0026-a-dead-host-and-a-part.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .cause import tell_cause
from .near import nearest
from .results import CheckResult
from .table import number_of, words
from .texts import TITLES
from .times import format_time
from .verdict import HostMeasurement
from .words import CheckOutcome

REGISTER = "register"
"""The family that is judged by the register alone: no host is asked for it."""

_GROUPED = {
    "pages": ("P1", "P2"),
    "speed": ("P3",),
    "proxy": ("P5",),
    "power": ("P8",),
    REGISTER: ("P4", "P6", "P7"),
}
_NONE = frozenset({"CLIENT", "SERVER", "U1", "A1", "MODE", "LEASE"})
"""What is no check of a preflight's own."""


_NO_WORDS_OF_OURS = frozenset({"all", "always", "notest", "molecule-notest", "molecule-idempotence-notest"})
"""Ansible's own, and those that molecule skips in every run."""


def family_of(check: str) -> str:
    """The family of a check by its id, as `proxy` of P5; a check that is in no group is one by its own name."""
    first = check.partition(".")[0]
    return next((family for family, checks in _GROUPED.items() if first in checks), first.casefold())


FAMILIES = tuple(sorted({family_of(check) for check in TITLES if check.partition(".")[0] not in _NONE}))
"""All families."""


def chosen(tags: Iterable[str], skipped: Iterable[str] = ()) -> list[str]:
    """The families that a run is about, by ansible's `--tags` and `--skip-tags`; none of them where it is about all.

    ValueError for a word that is no family, with what may have been meant, and where nothing would be left.
    """
    asked, left_out = (set(words) - _NO_WORDS_OF_OURS for words in (tags, skipped))
    for word in sorted(asked | left_out):
        if word not in FAMILIES:
            close = "".join(f"; did you mean {near}?" for near in nearest(word, FAMILIES))
            raise ValueError(f"{word!r} is no family of checks{close} (allowed: {', '.join(FAMILIES)})")
    found = sorted((asked or set(FAMILIES)) - left_out)
    if not found:
        raise ValueError("no family of checks is left by --tags and --skip-tags")
    return [] if found == list(FAMILIES) else found


def of_families(checks: Iterable[CheckResult], families: Sequence[str]) -> list[CheckResult]:
    """Those of `checks` that are of some of `families`; all where there are none."""
    return [check for check in checks if not families or family_of(check.id) in families]


def with_parts(whole: HostMeasurement, parts: Iterable[HostMeasurement]) -> HostMeasurement:
    """A whole measurement with what later parts of one, the oldest first, found wrong.

    What is wrong counts at once. What is right does not: it takes a whole measurement to close what one has opened, so
    that no part makes a site ready or hides what keeps it from being so. `whole` stays as old as it is.
    """
    known = {check.id for check in whole.checks if check.outcome is not CheckOutcome.PASS}
    wrong = {
        check.id: check if check.id in known else _of_a_part(check, part)
        for part in parts
        for check in part.checks
        if check.outcome is not CheckOutcome.PASS
    }
    kept = [wrong.pop(check.id, check) for check in whole.checks]
    return replace(whole, checks=(*kept, *(wrong[check] for check in sorted(wrong))))


def list_of_part(results: Iterable[tuple[str, Mapping[str, Any]]], families: Sequence[str]) -> dict[str, Any]:
    """A table of what a part did not find right; `results` are the hosts, each with interactor_preflight's answer."""
    found = {host: _not_right(result) for host, result in results}
    rows = [[host, *row] for host, rows in found.items() for row in rows]
    title = f"Only {', '.join(families)}: a part of the checks, and no verdict"
    right = f"{number_of(len(found), 'host')}: {sum(not rows for rows in found.values())} with nothing wrong"
    if not rows:
        return {"title": title, "headings": [], "rows": [], "notes": [title, right]}
    return {"title": title, "headings": ["Host", "Check", "Outcome", "Seen"], "rows": rows, "notes": [right]}


def _not_right(result: Mapping[str, Any]) -> list[list[str]]:
    if not result.get("reached"):
        return [["–", "not reached", tell_cause(result.get("cause"), str(result.get("detail") or ""))]]
    if result.get("error") is not None:
        return [["–", "error", str(result["error"])]]
    checks = [CheckResult.from_dict(check) for check in result.get("checks") or ()]
    return [
        [check.id, words(check.outcome), check.observed] for check in checks if check.outcome is not CheckOutcome.PASS
    ]


def _of_a_part(check: CheckResult, part: HostMeasurement) -> CheckResult:
    """`part` is the newest that found it: the journal's latest events have no other for certain."""
    told = f"{check.observed}; found when {family_of(check.id)} alone was asked for"
    return replace(check, observed=told, evidence={**check.evidence, "part": format_time(part.at)})
