# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the second probe tells of a host's own state: samples of the line, hours, signs, the time server, room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from statistics import median
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.checks import CheckResult
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.host_checks import (
    _covers,
    judge_clock,
    judge_disk,
    judge_power,
    judge_speed,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import format_time
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import Window
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import CheckOutcome, Severity
from hypothesis import given
from hypothesis import strategies as st

from .conftest import SITE

MakeSite = Callable[..., Site]
PASS, FAIL, UNKNOWN = CheckOutcome.PASS, CheckOutcome.FAIL, CheckOutcome.UNKNOWN
EVERY_DAY = frozenset(range(7))


def samples(*mbit: float | None) -> list[dict[str, Any]]:
    return [{"bytes": None if each is None else round(each * 125_000), "seconds": 1.0} for each in mbit]


class TestSpeed:
    @pytest.fixture
    def judge(self, make_site: MakeSite, contract: dict[str, Any]) -> Callable[..., CheckResult]:
        return lambda **speed: judge_speed({"speed": {"error": None, **speed}}, make_site(), contract)

    @pytest.mark.parametrize(
        ("mbit", "outcome"),
        [
            ((20.1,), PASS),
            ((20,), FAIL),
            ((5, 30, 40), PASS),
            ((5, 6, 40), FAIL),
            ((10, 30), FAIL),
            ((10, 30.2), PASS),
            ((None, None, 21), PASS),
            ((1, 1, 1, 99, 99, 99, 99), FAIL),
            ((), UNKNOWN),
            ((None,), UNKNOWN),
        ],
    )
    def test_the_median_counts_of_as_many_as_the_contract_allows(
        self, judge: Callable[..., CheckResult], mbit: tuple[float | None, ...], outcome: CheckOutcome
    ):
        check = judge(samples=samples(*mbit))
        assert (check.outcome, check.severity) == (outcome, Severity.WARNING)

    def test_it_is_told_with_its_spread(self, judge: Callable[..., CheckResult]):
        check = judge(samples=samples(8, 30, 12))
        assert check.observed == "12.0 Mbit/s, the median of 3 samples (8.0 to 30.0)"
        assert check.evidence == {"mbit": 12.0, "samples": [8.0, 30.0, 12.0], "remedies": ["P3"]}

    def test_samples_that_are_not_known_or_come_with_an_error_are_none(self, judge: Callable[..., CheckResult]):
        assert judge(samples=None).outcome is UNKNOWN
        check = judge(samples=samples(99), error="it answers 404")
        assert (check.outcome, check.observed) == (UNKNOWN, "it answers 404")

    @given(mbit=st.lists(st.floats(0, 1_000), min_size=1, max_size=3))
    def test_whatever_was_measured(self, mbit: list[float]):
        contract = {"speed": {"recommended_mbit": 20, "samples": 3}}
        told = samples(*mbit)
        rates = [each["bytes"] * 8 / 1_000_000 for each in told]
        check = judge_speed({"speed": {"samples": told, "error": None}}, SITE, contract)
        assert (check.outcome is PASS) == (median(rates) > 20)
        assert min(rates) <= median(rates) <= max(rates)


class TestPower:
    @pytest.fixture
    def judge(self, facts: dict[str, Any], make_site: MakeSite, now: datetime) -> Callable[..., CheckResult]:
        def judge(window: Window | None = None, **power: Any) -> CheckResult:
            facts["power"].update({"plan": None, "active_hours": None, **power})
            return judge_power(facts, make_site(**({"window": window} if window else {})), now)

        return judge

    def test_the_plan_is_named_where_the_server_sleeps(self, judge: Callable[..., CheckResult]):
        check = judge(sleep_minutes=30, plan="Balansert")
        assert check.evidence["remedies"] == ["P8.sleep", "P8.plan"]
        assert "«Balansert»" in check.remedy

    @pytest.mark.parametrize("plan", [None, "Strømsparing"])
    def test_the_plan_alone_is_no_fault(self, judge: Callable[..., CheckResult], plan: str | None):
        assert judge(plan=plan, active_hours=None).outcome is PASS

    @pytest.mark.parametrize(
        ("signs", "remedies"),
        [
            (["windows_update"], ["P8.pending"]),
            (["windows_update", "component_servicing", "a_new_one"], ["P8.pending"]),
            (["file_rename"], ["P8.files"]),
            (["file_rename", "update_services"], ["P8.files", "P8.pending"]),
            (["computer_rename", "domain_join"], ["P8.renamed"]),
            (["configuration_manager"], ["P8.managed"]),
        ],
    )
    def test_each_sign_has_its_remedy(self, judge: Callable[..., CheckResult], signs: list[str], remedies: list[str]):
        check = judge(pending_restart=signs)
        assert check.evidence["remedies"] == remedies
        assert check.observed == f"restart pending: {', '.join(signs)}"

    def test_hours_matter_only_where_a_restart_is_pending(self, judge: Callable[..., CheckResult]):
        hours = {"start": 8, "end": 17}
        assert judge(active_hours=hours).outcome is PASS
        check = judge(active_hours=hours, pending_restart=["windows_update"])
        assert check.evidence["remedies"] == ["P8.pending", "P8.active_hours"]
        assert "08.00–17.00" in check.remedy
        assert "20.00–06.00" in check.remedy
        assert check.evidence["active_hours"] == hours

    def test_hours_that_cover_the_window_are_no_further_fault(self, judge: Callable[..., CheckResult]):
        check = judge(active_hours={"start": 19, "end": 7}, pending_restart=["windows_update"])
        assert check.evidence["remedies"] == ["P8.pending"]

    @pytest.mark.parametrize(
        ("start", "end", "opens", "closes", "covered"),
        [
            (8, 17, time(8), time(17), True),
            (8, 17, time(8), time(17, 1), False),
            (8, 17, time(7, 59), time(17), False),
            (20, 6, time(20), time(6), True),
            (20, 6, time(20), time(6, 1), False),
            (20, 6, time(23, 30), time(0, 30), True),
            (6, 20, time(20), time(6), False),
            (18, 12, time(20), time(6), True),
            (8, 8, time(9), time(10), False),
        ],
    )
    def test_every_limit_of_the_hours(self, start: int, end: int, opens: time, closes: time, covered: bool):
        assert _covers({"start": start, "end": end}, Window(EVERY_DAY, opens, closes)) is covered

    @given(start=st.integers(0, 23), length=st.integers(1, 18), hour=st.integers(0, 23), last=st.integers(1, 23))
    def test_the_hours_are_as_a_clock_goes_round(self, start: int, length: int, hour: int, last: int):
        window = Window(EVERY_DAY, time(hour), time((hour + last) % 24))
        inside = {(start + each) % 24 for each in range(length)}
        every_hour = {(hour + each) % 24 for each in range(last)}
        # A window that lies in the hours but leaves and comes back to them would have to be longer than they are.
        covered = every_hour <= inside and last <= length
        assert _covers({"start": start, "end": (start + length) % 24}, window) is covered


class TestClock:
    @pytest.fixture
    def judge(self, facts: dict[str, Any], make_site: MakeSite, now: datetime) -> Callable[..., CheckResult]:
        def judge(ours: float | None, server: float | None, error: str | None = None) -> CheckResult:
            facts["host"]["utc"] = None if ours is None else format_time(now + timedelta(seconds=ours))
            facts["clock"] = {"server": "ntp.example", "offset_seconds": server, "error": error}
            return judge_clock(facts, make_site(), now)

        return judge

    @pytest.mark.parametrize(
        ("ours", "server", "outcome"),
        [
            (0, 301, FAIL),
            (0, -301, FAIL),
            (0, 300, PASS),
            (0, 300.4, FAIL),
            (900, 0.2, PASS),
            (900, None, FAIL),
            (None, 0.2, PASS),
            (None, None, UNKNOWN),
        ],
    )
    def test_the_time_server_counts_where_it_answered(
        self,
        judge: Callable[..., CheckResult],
        ours: float | None,
        server: float | None,
        outcome: CheckOutcome,
    ):
        check = judge(ours, server)
        assert (check.outcome, check.severity) == (outcome, Severity.WARNING)
        assert check.evidence["against_ours"] == ours
        assert check.evidence["against_server"] == server

    def test_what_it_is_against_is_told(self, judge: Callable[..., CheckResult]):
        assert judge(900, 0.2).observed == "+0 seconds against the time server"
        assert judge(900, None).observed == "+900 seconds against ours"

    def test_an_error_of_the_time_server_leaves_ours(self, judge: Callable[..., CheckResult]):
        check = judge(2, 900, "no answer")
        assert (check.outcome, check.observed) == (PASS, "+2 seconds against ours")

    def test_no_part_of_it_is_needed(self, facts: dict[str, Any], make_site: MakeSite, now: datetime):
        facts["clock"] = None
        assert judge_clock(facts, make_site(), now).outcome is PASS


class TestDisk:
    @pytest.mark.parametrize(("free", "outcome"), [(5, PASS), (4.9, FAIL), (0, FAIL), (None, UNKNOWN)])
    def test_the_contracts_limit(
        self,
        facts: dict[str, Any],
        make_site: MakeSite,
        contract: dict[str, Any],
        free: float | None,
        outcome: CheckOutcome,
    ):
        facts["host"]["free_gb"] = free
        check = judge_disk(facts, make_site(), contract)
        assert (check.outcome, check.severity) == (outcome, Severity.WARNING)
        assert (f"{free:g} GB ledig" in check.remedy) if outcome is FAIL else "GB" not in check.remedy
