# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of a moved server: it is as it should be in the cloud's mode, and what must be untouched is (A1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .host_checks import judge_service
from .page_check import judge_page
from .results import CheckResult, apply_waivers, result
from .site import Site

CLOUD_MODE = "server_in_cloud"


def judge_postcheck(
    facts: Mapping[str, Any],
    site: Site,
    attempt: Mapping[str, Any] | None,
    contract: Mapping[str, Any],
    now: datetime,
) -> list[CheckResult]:
    """Judge what interactor_postcheck found on a server: A1, MODE, SERVICE, LEASE, P1, and P2 where the mode needs it.

    `attempt` is the ledger's last one, or None: then A1 is unknown, and the mode is the register's. Raises KeyError or
    TypeError for facts, an attempt or a contract of another shape.
    """
    mode = attempt["mode"] if attempt else site.mode
    checks = [
        _untouched(facts["untouched"], attempt["untouched"] if attempt else None, site),
        _mode(facts, site, contract, mode),
        judge_service({"interactor": {"service": facts["service"]}}, site, contract),
        result(
            site,
            "LEASE",
            None if facts["maintenance"] is None else not facts["maintenance"],
            observed="kept out" if facts["maintenance"] else "let in",
            expected="let in",
            remedies=["OURS"],
        ),
        judge_page(facts, site, contract, "P1", "text"),
    ]
    if mode == CLOUD_MODE:
        checks.append(judge_page(facts, site, contract, "P2", "heading"))
    return apply_waivers(checks, site, now)


def _untouched(now: Mapping[str, str], before: Mapping[str, str] | None, site: Site) -> CheckResult:
    outcome, observed = None, "no hashes from before the move"
    evidence: dict[str, list[str]] = {}
    if before is not None:
        changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
        outcome, evidence = not changed, {"changed": changed}
        observed = f"changed: {', '.join(changed)}" if changed else f"{len(before)} unchanged"
    return result(
        site, "A1", outcome, observed=observed, expected="as before the move", remedies=["OURS"], evidence=evidence
    )


def _mode(facts: Mapping[str, Any], site: Site, contract: Mapping[str, Any], mode: str) -> CheckResult:
    wanted = contract["config"]["modes"][mode]
    also, told = wanted.get("also") or {}, facts.get("also") or {}
    other = sorted(key for key, value in also.items() if told.get(key) != value)
    known = facts["mode"] is not None and facts["endpoint"] is not None
    # Their names and not their values: those may be secrets of the vendor's.
    observed = ", ".join([str(facts["mode"]), str(facts["endpoint"]), *(f"another {key}" for key in other)])
    expected = ", ".join([mode, wanted["endpoint"], *(f"{key} of the mode" for key in sorted(also))])
    return result(
        site,
        "MODE",
        (facts["mode"], facts["endpoint"]) == (mode, wanted["endpoint"]) and not other if known else None,
        observed=observed,
        expected=expected,
        remedies=["OURS"],
    )
