# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of a moved server: each thing that may be wrong is found, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.postcheck import judge_postcheck
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site, Waiver
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import CheckOutcome, Severity

PASS, FAIL, UNKNOWN, WAIVED = CheckOutcome.PASS, CheckOutcome.FAIL, CheckOutcome.UNKNOWN, CheckOutcome.WAIVED
CLOUD = "https://dipsupsvr.dips.no"
NOW = datetime(2027, 5, 19, 6, tzinfo=UTC)
ATTEMPT = {"number": 1, "mode": "server_in_cloud", "untouched": {"service:EPJServer": "aa", r"folder:C:\EPJ": "bb"}}

Judge = Callable[..., dict[str, CheckOutcome]]


@pytest.fixture
def moved(facts: dict[str, Any]) -> dict[str, Any]:
    """What interactor_postcheck finds where all is well."""
    return {
        "service": "running",
        "version": "6.2.0",
        "mode": "server_in_cloud",
        "endpoint": CLOUD,
        "pages": facts["pages"],
        "untouched": dict(ATTEMPT["untouched"]),  # type: ignore[call-overload]
        "maintenance": False,
    }


@pytest.fixture
def judge(make_site: Callable[..., Site], contract: dict[str, Any], moved: dict[str, Any]) -> Judge:
    modes = {"local": {"endpoint": ""}, "server_in_cloud": {"endpoint": CLOUD}, "second": {"endpoint": "https://b"}}
    contract = {**contract, "config": {"modes": modes}}

    def judge(attempt: Mapping[str, Any] | None = ATTEMPT, site: Site | None = None, **spoilt: Any) -> dict[str, Any]:
        checks = judge_postcheck({**moved, **spoilt}, site or make_site(), attempt, contract, NOW)
        assert all(check.severity is Severity.BLOCKER for check in checks)
        assert all(check.title and (check.remedy == "") == (check.outcome is PASS) for check in checks)
        return {check.id: check.outcome for check in checks}

    return judge


def test_all_is_well(judge: Judge):
    assert judge() == dict.fromkeys(["A1", "MODE", "SERVICE", "LEASE", "P1", "P2"], PASS)


@pytest.mark.parametrize(
    ("spoilt", "check", "outcome"),
    [
        ({"untouched": {"service:EPJServer": "cc", r"folder:C:\EPJ": "bb"}}, "A1", FAIL),
        ({"untouched": {"service:EPJServer": "aa"}}, "A1", FAIL),
        ({"untouched": {**ATTEMPT["untouched"], "service:x": "dd"}}, "A1", FAIL),  # type: ignore[dict-item]
        ({"mode": "local", "endpoint": ""}, "MODE", FAIL),
        ({"endpoint": "https://elsewhere"}, "MODE", FAIL),
        ({"mode": None}, "MODE", UNKNOWN),
        ({"endpoint": None}, "MODE", UNKNOWN),
        ({"service": "stopped"}, "SERVICE", FAIL),
        ({"service": None}, "SERVICE", UNKNOWN),
        ({"maintenance": True}, "LEASE", FAIL),
        ({"maintenance": None}, "LEASE", UNKNOWN),
        ({"pages": []}, "P1", UNKNOWN),
    ],
)
def test_what_is_wrong_is_found(judge: Judge, spoilt: dict[str, Any], check: str, outcome: CheckOutcome):
    found = judge(**spoilt)
    assert found.pop(check) is outcome
    found.pop("P2")
    assert set(found.values()) == {PASS}


@pytest.mark.parametrize(
    ("also", "outcome", "observed"),
    [
        ({"tenant": "1001", "zone": 2}, PASS, f"server_in_cloud, {CLOUD}"),
        ({"tenant": "1001", "zone": 3}, FAIL, f"server_in_cloud, {CLOUD}, another zone"),
        ({"tenant": "1001"}, FAIL, f"server_in_cloud, {CLOUD}, another zone"),
        ({}, FAIL, f"server_in_cloud, {CLOUD}, another tenant, another zone"),
    ],
)
def test_what_else_the_mode_sets_is_looked_at(
    make_site: Callable[..., Site],
    contract: dict[str, Any],
    moved: dict[str, Any],
    also: dict[str, Any],
    outcome: CheckOutcome,
    observed: str,
):
    modes = {"server_in_cloud": {"endpoint": CLOUD, "also": {"tenant": "1001", "zone": 2}}}
    contract = {**contract, "config": {"modes": modes}}
    checks = judge_postcheck({**moved, "also": also}, make_site(), ATTEMPT, contract, NOW)
    (mode,) = [check for check in checks if check.id == "MODE"]
    assert (mode.outcome, mode.observed) == (outcome, observed)
    assert mode.expected == f"server_in_cloud, {CLOUD}, tenant of the mode, zone of the mode"


def test_a_page_that_shows_something_else(judge: Judge, moved: dict[str, Any]):
    pages = copy.deepcopy(moved["pages"])
    pages[1]["heading"] = "Innlogging"
    assert judge(pages=pages)["P2"] is FAIL


def test_p2_matters_in_the_mode_that_needs_it_only(judge: Judge):
    found = judge({**ATTEMPT, "mode": "second"}, mode="second", endpoint="https://b")
    assert "P2" not in found
    assert found["MODE"] is PASS


def test_without_an_attempt_nobody_knows_what_was_untouched(judge: Judge, make_site: Callable[..., Site]):
    found = judge(None, make_site(mode="server_in_cloud"))
    assert (found["A1"], found["MODE"]) == (UNKNOWN, PASS)


def test_a_waiver_counts(judge: Judge, make_site: Callable[..., Site]):
    site = make_site(waivers=(Waiver("P2", "known", "Kari", date(2027, 6, 1)),))
    assert judge(site=site, pages=[])["P2"] is WAIVED


def test_what_changed_is_named(make_site: Callable[..., Site], contract: dict[str, Any], moved: dict[str, Any]):
    contract["config"] = {"modes": {"server_in_cloud": {"endpoint": CLOUD}}}
    moved["untouched"]["service:EPJServer"] = "cc"
    first = judge_postcheck(moved, make_site(), ATTEMPT, contract, NOW)[0]
    assert (first.observed, first.evidence["changed"]) == ("changed: service:EPJServer", ["service:EPJServer"])
