# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan by week and night, in words."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain import plan_view as view
from ansible_collections.helsevest.interactor.plugins.module_utils._domain import plan_words as words
from hypothesis import given
from hypothesis import strategies as st

FRIDAY, SUNDAY, MONDAY = date(2027, 1, 29), date(2027, 1, 31), date(2027, 2, 1)


def test_weeks_hold_the_nights_on_which_something_moves(plans: Any):
    plan = plans.plan(
        plans.site(1003, MONDAY), plans.site(1002, FRIDAY), plans.site(1001, FRIDAY, answered=False, promised=True)
    )
    plan["nights"].append({"date": "2027-01-28", "moves": 0, "capacity": 20, "promised": 0})
    first, second = view.weeks(plan)
    assert (first.year, first.number, first.first, first.last) == (2027, 4, date(2027, 1, 25), SUNDAY)
    (night,) = first.nights
    assert [site.id for site in night.sites] == ["1001", "1002"]
    assert (night.day, night.moves, night.capacity, night.promised, night.reserved) == (FRIDAY, 2, 20, 1, 1)
    assert (first.moves, second.moves, second.number) == (2, 1, 5)


def test_a_morning_tells_all_its_calls_and_a_night_all_its_mornings(plans: Any):
    friday = plans.site(1, FRIDAY, morning=str(MONDAY))
    saturday = plans.site(2, FRIDAY + timedelta(days=1), morning=str(MONDAY))
    by_day = plans.site(3, FRIDAY, window=(8, 12), morning=str(FRIDAY + timedelta(days=1)))
    (week,) = view.weeks(plans.plan(friday, saturday, by_day))
    assert week.nights[0].mornings == (
        view.Morning(date(2027, 1, 30), 1, 20),
        view.Morning(MONDAY, 2, 20),
    )
    assert week.nights[1].mornings == (view.Morning(MONDAY, 2, 20),)


def test_the_week_of_new_year_is_one_week(plans: Any):
    plan = plans.plan(plans.site(1, date(2026, 12, 31)), plans.site(2, date(2027, 1, 1)))
    (week,) = view.weeks(plan)
    assert (week.year, week.number, len(week.nights)) == (2026, 53, 2)


@pytest.mark.parametrize(
    ("moves", "capacity", "load"), [(0, 20, 0), (5, 20, 25), (20, 20, 100), (21, 20, 100), (1, 0, 100)]
)
def test_how_full_a_night_is(moves: int, capacity: int, load: int):
    assert view.Night(FRIDAY, moves, capacity, 0, (), ()).load == load


@given(st.dates(date(2026, 1, 1), date(2032, 12, 31)), st.integers(0, 400))
def test_months_hold_each_of_their_days_once_under_its_weekday(plans: Any, first: date, days: int):
    last = first + timedelta(days=days)
    months = view.months(view.weeks(plans.plan(plans.site(1, first), plans.site(2, last))))
    held = []
    for month in months:
        for row in month.rows:
            assert len(row) == 7
            assert any(row)
            for place, day in enumerate(row):
                if day:
                    assert (day.weekday(), day.year, day.month) == (place, month.year, month.number)
                    held.append(day)
    assert held == [held[0] + timedelta(days=n) for n in range(len(held))]
    assert held[0] == first.replace(day=1)
    assert held[-1].month == last.month
    assert (held[-1] + timedelta(days=1)).day == 1


def test_no_night_no_month():
    assert view.months(()) == ()


def test_a_month_has_its_name(plans: Any):
    (month,) = view.months(view.weeks(plans.plan(plans.site(1, FRIDAY))))
    assert month.name == "January 2027"


@pytest.mark.parametrize(
    ("distance", "said"),
    [(0.013, "1.3"), (0.0131, "1.4"), (0.0001, "0.1"), (0.001, "0.1"), (0.0, "0.0"), (0.5, "50.0"), (1.1, "110.0")],
)
def test_how_near_the_best_it_is_holds_when_rounded(plans: Any, distance: float, said: str):
    plan = plans.plan(status="feasible", distance=distance)
    assert words.status_line(plan) == f"The plan is within {said} % of the best possible."


def test_an_optimal_plan_says_so(plans: Any):
    assert words.status_line(plans.plan()) == "The plan is optimal: nothing within these settings is better."


@pytest.mark.parametrize(
    ("moved", "lost", "said"),
    [
        (0, 0, "No site has another date than in the previous plan."),
        (1, 0, "1 site has another date than in the previous plan."),
        (1200, 0, "1,200 sites have another date than in the previous plan."),
        (3, 1, "3 sites have another date than in the previous plan, 1 has none any more."),
        (1, 2, "1 site has another date than in the previous plan, 2 have none any more."),
        (0, 1, "1 site of the previous plan has no date any more."),
        (0, 2, "2 sites of the previous plan have no date any more."),
    ],
)
def test_what_changed(plans: Any, moved: int, lost: int, said: str):
    changes = [
        {"site": str(n), "from": "2027-05-16", "to": "2027-05-10" if n < moved else None} for n in range(moved + lost)
    ]
    assert words.changed_line(plans.plan(changes=changes)) == said


def test_what_changed_by_name(plans: Any):
    plan = plans.plan(
        changes=[
            {"site": "1015", "from": "2027-05-16", "to": "2027-05-10"},
            {"site": "1016", "from": "2027-12-30", "to": "2028-01-03"},
            {"site": "1017", "from": "2027-05-16", "to": None},
        ]
    )
    said = "2 sites have another date than in the previous plan, 1 has none any more: 1015 (16.05 → 10.05), 1016 ("
    assert words.changed_line(plan, 3) == said + "30.12.2027 → 03.01.2028), 1017 (16.05 → none)."
    assert words.changed_line(plan, 1) == said.removesuffix(", 1016 (") + " and 2 more."


def test_a_first_plan_has_changed_nothing(plans: Any):
    assert words.changed_line(plans.plan(previous=None)) == "This is the first plan."


def test_the_plan_in_one_line(plans: Any):
    plan = plans.plan(
        plans.site(1, FRIDAY, promised=True),
        plans.site(2, FRIDAY, answered=False),
        plans.site(3, MONDAY),
        left_out=[{"site": "4", "name": "D", "reasons": []}],
    )
    assert words.summary_line(plan) == "3 of 4 sites on 2 nights; 1 promised, 1 reserved, 1 left out"
    assert words.span_line(plan) == "25.01.2027 to 24.07.2027"


@pytest.mark.parametrize("code", ["moving", "moved", "verified", "moved_outside"])
def test_who_has_moved_is_not_left_out(plans: Any, code: str):
    gone = {"site": "4", "name": "D", "reasons": [{"code": code, "text": "x"}]}
    plan = plans.plan(plans.site(1, FRIDAY), left_out=[gone])
    assert view.left_out(plan) == ()
    assert words.summary_line(plan) == (
        "1 of 2 sites on 1 night; 0 promised, 0 reserved, 0 left out, 1 moved or on their way"
    )


def test_who_is_left_out_and_why_the_most_frequent_first(plans: Any):
    def one(site: str, *codes: str) -> dict[str, Any]:
        return {
            "site": site,
            "name": f"Kontor {site}",
            "reasons": [{"code": code, "text": f"{code}!"} for code in codes],
        }

    sites = view.left_out(plans.plan(left_out=[one("1", "closed"), one("2", "no_night", "closed"), one("3", "a", "a")]))
    assert sites[1] == view.LeftOut("2", "Kontor 2", ("no_night", "closed"), ("no_night!", "closed!"))
    counted = [(why, [site.id for site in having]) for why, having in view.by_reason(sites)]
    assert counted == [("closed", ["1", "2"]), ("a", ["3"]), ("no night", ["2"])]


def test_what_is_to_be_known_of_a_place(plans: Any):
    site = plans.site(
        1,
        FRIDAY,
        promised=True,
        answered=False,
        signed=False,
        shared_server="hus",
        epj=None,
        wave_name=None,
        was={"wave": 2, "move_date": "2027-01-26"},
    )
    (placed,) = view.weeks(plans.plan(site))[0].nights[0].sites
    assert placed.notes == (
        "promised",
        "reserved: not answered",
        "agreement not signed",
        "was Tue 26.01",
        "was in wave 2",
        "shares server hus",
    )
    assert (placed.epj, placed.wave, placed.window) == ("–", "Wave 4", "20:00–06:00")
    (other,) = (
        view.weeks(plans.plan(plans.site(1, FRIDAY, was={"wave": 4, "move_date": str(FRIDAY)})))[0].nights[0].sites
    )
    assert other.notes == ()


def test_a_promise_that_breaks_a_rule_has_no_window_and_still_stands_there(plans: Any):
    site = plans.site(1, FRIDAY, opens=None, ends=None, morning=None, upgrade_date=None)
    (night,) = view.weeks(plans.plan(site))[0].nights
    assert (night.sites[0].window, night.sites[0].morning, night.mornings) == ("no opening", None, ())


@pytest.mark.parametrize("day", [date(2027, 3, 27), date(2027, 10, 30), date(2027, 6, 1)])
def test_the_window_is_told_as_the_clocks_of_norway_show_it(plans: Any, day: date):
    (night,) = view.weeks(plans.plan(plans.site(1, day)))[0].nights
    assert night.sites[0].window == "20:00–06:00"


def test_the_same_plan_made_later_is_the_same(plans: Any):
    plan = plans.plan(plans.site(1, FRIDAY))
    later = {**plan, "made": "2027-02-01T08:00:00Z", "changed": 7, "changes": [1], "previous": None}
    assert view.same_plan(plan, later)
    assert not view.same_plan(plan, {**later, "distance": 0.1})
    assert not view.same_plan(plan, {**later, "more": 1})
    assert not view.same_plan(None, plan)
