# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan on the terminal."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.callback.site_table import render
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.plan_sheets import NAMED, plan_sheets

MONDAY = date(2027, 1, 25)
CHANGES = [{"site": str(1000 + n), "from": "2027-05-16", "to": "2027-05-10"} for n in range(12)]
LEFT_OUT = {"site": "9", "name": "Utelatt [b]", "reasons": [{"code": "closed", "text": "It is closed."}]}


def big(plans: Any, sites: int, left_out: int) -> dict[str, Any]:
    placed = [plans.site(1000 + n, MONDAY + timedelta(days=n // 20), promised=n % 10 == 0) for n in range(sites)]
    out = [{**LEFT_OUT, "site": str(9000 + n), "name": f"Utelatt {n}"} for n in range(left_out)]
    return plans.plan(
        *placed, left_out=out, warnings=["Look at 1001."], status="feasible", distance=0.013, changes=CHANGES
    )


@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize(("sites", "left_out"), [(3, 1), (NAMED, NAMED), (NAMED + 1, NAMED + 1), (1500, 100)])
def test_every_site_is_there_and_no_line_is_too_long(plans: Any, width: int, sites: int, left_out: int):
    plan = big(plans, sites, left_out)
    text = render(plan_sheets(plan, width), width, coloured=False)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    for site in [*plan["sites"], *plan["left_out"]]:
        assert site["site"] in text
    assert "1000*" in text
    for line in (
        "The plan is within 1.3 % of the best possible.",
        "12 sites have another date",
        "Warning: Look at 1001.",
    ):
        assert line in text


def test_the_first_changes_are_told(plans: Any):
    text = render(plan_sheets(big(plans, 3, 1), 100), 100, coloured=False)
    told = " ".join(text.split())
    assert "previous plan: 1000 (16.05 → 10.05), 1001 (16.05 → 10.05)," in told
    assert "1009 (16.05 → 10.05) and 2 more." in told
    assert "1010 (" not in told


def test_a_large_plan_is_a_few_lines_a_night(plans: Any):
    plan = big(plans, 1500, 100)
    lines = render(plan_sheets(plan, 140), 140, coloured=False).splitlines()
    assert len(lines) < 4 * len(plan["nights"])


def test_a_small_plan_has_names_and_a_large_one_has_not(plans: Any):
    assert "Kontor 1000" in render(plan_sheets(big(plans, NAMED, 0), 140), 140, coloured=False)
    assert "Kontor 1000" not in render(plan_sheets(big(plans, NAMED + 1, 0), 140), 140, coloured=False)


@pytest.mark.parametrize("width", [80, 140])
def test_a_night_in_one_row(plans: Any, width: int):
    plan = plans.plan(
        plans.site(1001, MONDAY, promised=True), plans.site(1002, MONDAY, answered=False), left_out=[LEFT_OUT]
    )
    text = render(plan_sheets(plan, width), width, coloured=False)
    (row,) = [line for line in text.splitlines() if "Mon 25.01" in line]
    for part in ("4/2027", "2 of 20", "Tue 26.01: 2 of 20", "1001* Kontor 1001"):
        assert part in row
    assert "1002? Kontor 1002" in text
    assert "Utelatt [b]" in text
    assert "It is closed." in text
    assert "The plan is optimal" in text


def test_more_than_a_night_holds_stands_out(plans: Any):
    plan = plans.plan(plans.site(1, MONDAY))
    for capacity, colour in ((0, "\x1b[1;31m1 of 0"), (1, "\x1b[33m1 of 1"), (2, "1 of 2")):
        plan["nights"][0]["capacity"] = capacity
        assert colour in render(plan_sheets(plan, 140), 140, coloured=True)


def test_many_left_out_stand_under_each_of_their_reasons(plans: Any):
    out = [
        {"site": str(n), "name": "x", "reasons": [{"code": "closed", "text": "a"}, {"code": "no_night", "text": "b"}]}
        for n in range(9000, 9000 + NAMED + 1)
    ]
    text = render(plan_sheets(plans.plan(left_out=out), 140), 140, coloured=False)
    assert text.count("9000") == 2
    assert "no night" in text


def test_a_plan_of_nothing_is_told(plans: Any):
    text = render(plan_sheets(plans.plan(), 80), 80, coloured=False)
    assert "0 of 0 sites on 0 nights" in text


@pytest.mark.parametrize("plan", [{}, {"sites": []}, {"sites": 1}])
def test_what_is_no_plan(plan: dict[str, Any]):
    with pytest.raises((KeyError, TypeError, ValueError)):
        plan_sheets(plan, 80)
