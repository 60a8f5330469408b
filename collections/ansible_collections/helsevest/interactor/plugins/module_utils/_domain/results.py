# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check comes to, in words for operations (English) and for the site (its own language), and waivers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from .site import Site
from .texts import REMEDIES, TITLES
from .window import OSLO
from .words import CheckOutcome, Severity


@dataclass(frozen=True)
class CheckResult:
    """What one check came to; `remedy` is in the site's language and empty where there is nothing to do.

    `evidence` is plain data without personal data; its `remedies` are the codes of `texts.REMEDIES` that were used.
    """

    id: str
    title: str
    severity: Severity
    outcome: CheckOutcome
    observed: str
    expected: str
    remedy: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether it failed or could not be found out, and is not waived."""
        return self.outcome in (CheckOutcome.FAIL, CheckOutcome.UNKNOWN)

    @property
    def told(self) -> str:
        """What is wrong, as a person says it: `The line is fast enough: no, 12 Mbit/s`."""
        return f"{self.title}: {self.answer}, {self.observed}"

    @property
    def answer(self) -> str:
        """Whether what its title says is so: `yes`, `no` or `not known`."""
        return {CheckOutcome.FAIL: "no", CheckOutcome.UNKNOWN: "not known"}.get(self.outcome, "yes")

    @property
    def blocks(self) -> bool:
        """Whether it keeps a site from being ready."""
        return self.is_open and self.severity is Severity.BLOCKER

    @property
    def who(self) -> str:
        """Who has to act: `site`, `vendor` or `us`; the site where it has to do any of several things."""
        found = {REMEDIES[code].who for code in self.evidence.get("remedies", ())}
        return next((who for who in ("site", "vendor") if who in found), "us")

    def to_dict(self) -> dict[str, Any]:
        """Plain data for results and the journal (docs/contracts.md, Check result)."""
        return {**asdict(self), "severity": self.severity.value, "outcome": self.outcome.value}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> CheckResult:
        """Read what `to_dict` wrote; ValueError for an unknown word, TypeError for missing or unknown fields."""
        return cls(**{**raw, "severity": Severity(raw["severity"]), "outcome": CheckOutcome(raw["outcome"])})


def result(
    site: Site,
    check: str,
    outcome: CheckOutcome | bool | None,
    *,
    observed: str,
    expected: str,
    severity: Severity = Severity.BLOCKER,
    remedies: Sequence[str] = (),
    evidence: Mapping[str, Any] | None = None,
    **values: object,
) -> CheckResult:
    """Build a check's result in the site's language.

    `outcome` may be True (pass), False (fail) or None (unknown); `remedies` are codes of `texts.REMEDIES`, used when it
    failed, and `values` what their texts name. The title is that of `check` or of its part before the dot.
    """
    if not isinstance(outcome, CheckOutcome):
        outcome = {True: CheckOutcome.PASS, False: CheckOutcome.FAIL, None: CheckOutcome.UNKNOWN}[outcome]
    codes = {CheckOutcome.PASS: (), CheckOutcome.UNKNOWN: ("UNKNOWN",)}.get(outcome, tuple(remedies))
    return CheckResult(
        id=check,
        title=TITLES.get(check) or TITLES[check.partition(".")[0]],
        severity=severity,
        outcome=outcome,
        observed=observed,
        expected=expected,
        remedy=" ".join(REMEDIES[code].text(site.language, values) for code in codes),
        evidence={**(evidence or {}), **({"remedies": list(codes)} if codes else {})},
    )


def apply_waivers(checks: Iterable[CheckResult], site: Site, now: datetime) -> list[CheckResult]:
    """The checks with the site's waivers as they are at `now`: whatever was waived before is looked at anew.

    A waiver counts until its last day in Norway has ended, and only for what failed or is unknown.
    """
    today = now.astimezone(OSLO).date()
    until = {waiver.check: waiver.until for waiver in site.waivers if today <= waiver.until}
    judged = []
    for check in checks:
        evidence = dict(check.evidence)
        waived = evidence.pop("waived", None)
        bare = replace(check, outcome=CheckOutcome(waived["outcome"]), evidence=evidence) if waived else check
        if bare.is_open and bare.id in until:
            evidence["waived"] = {"outcome": bare.outcome.value, "until": until[bare.id].isoformat()}
            bare = replace(bare, outcome=CheckOutcome.WAIVED, evidence=evidence)
        judged.append(bare)
    return judged
