# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan puts into the team's calendars."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ansible_collections.helsevest.interactor.plugins.module_utils._domain.plan_events import team_events
from hypothesis import given
from hypothesis import strategies as st

OSLO = ZoneInfo("Europe/Oslo")
TUESDAY = date(2027, 3, 16)
DAYS = st.dates(date(2026, 1, 1), date(2032, 12, 31))


def local(event: Any) -> tuple[str, str]:
    return tuple(f"{moment.astimezone(OSLO):%Y-%m-%d %H:%M}" for moment in (event.start, event.end))


def test_one_event_a_night_from_the_first_opening_to_the_last_end(plans: Any):
    plan = plans.plan(
        plans.site(1002, TUESDAY, window=(21, 6)),
        plans.site(1001, TUESDAY, window=(18, 23), name="Fjordgata <legekontor>"),
        plans.site(1003, TUESDAY + timedelta(days=1)),
    )
    first, second = team_events(plan)["moves"]
    assert local(first) == ("2027-03-16 18:00", "2027-03-17 06:00")
    assert (first.summary, second.summary) == ("Flytting: 2 kontor", "Flytting: 1 kontor")
    assert first.description == "1001 Fjordgata <legekontor>\n1002 Kontor 1002"
    assert first.uid == "move-2027-03-16@plan.interactor"


def test_reserved_sites_are_marked_in_every_calendar(plans: Any):
    wednesday = TUESDAY + timedelta(days=1)
    plan = plans.plan(
        plans.site(1001, TUESDAY),
        plans.site(1002, TUESDAY, answered=False),
        plans.site(1003, wednesday, answered=False),
        plans.site(1004, wednesday + timedelta(days=1), answered=False, promised=True),
    )
    for events in team_events(plan).values():
        assert [(event.description, event.is_tentative) for event in events] == [
            ("1001 Kontor 1001\n1002? Kontor 1002 (reservert)", False),
            ("1003? Kontor 1003 (reservert)", True),
            ("1004 Kontor 1004", False),
        ]
        assert [event.summary.partition(": ")[2] for event in events] == [
            "2 kontor (1 reservert)",
            "1 kontor (1 reservert)",
            "1 kontor",
        ]


def test_upgrades_and_calls_are_together_on_their_days(plans: Any):
    monday = str(date(2027, 3, 22))
    sites = [plans.site(n, TUESDAY + timedelta(days=n), morning=monday, upgrade_date="2027-03-19") for n in (4, 5)]
    events = team_events(plans.plan(*sites))
    (upgrade,), (morning,) = events["upgrades"], events["mornings"]
    assert local(upgrade) == ("2027-03-19 17:00", "2027-03-19 22:00")
    assert local(morning) == ("2027-03-22 07:00", "2027-03-22 12:00")
    assert (upgrade.summary, morning.summary) == ("Oppgradering: 2 kontor", "Ring kontaktpersonene: 2 kontor")
    assert [upgrade.uid, morning.uid] == ["upgrade-2027-03-19@plan.interactor", "morning-2027-03-22@plan.interactor"]


@given(DAYS)
def test_the_clocks_of_norway_show_the_times_on_every_day(plans: Any, day: date):
    events = team_events(plans.plan(plans.site(1, day)))
    after = day + timedelta(days=1)
    assert local(events["moves"][0]) == (f"{day} 20:00", f"{after} 06:00")
    assert local(events["upgrades"][0]) == (f"{day - timedelta(days=1)} 17:00", f"{day - timedelta(days=1)} 22:00")
    assert local(events["mornings"][0]) == (f"{after} 07:00", f"{after} 12:00")


def test_a_night_of_a_clock_change_is_as_long_as_it_is(plans: Any):
    lengths = [
        (event.end - event.start).total_seconds() / 3600
        for day in (date(2027, 3, 27), date(2027, 10, 30), TUESDAY)
        for event in team_events(plans.plan(plans.site(1, day)))["moves"]
    ]
    assert lengths == [9, 11, 10]


def test_a_promise_for_which_nothing_opens_stands_in_the_calendar_all_the_same(plans: Any):
    site = plans.site(1, TUESDAY, opens=None, ends=None, morning=None)
    events = team_events(plans.plan(site))
    assert local(events["moves"][0]) == ("2027-03-16 20:00", "2027-03-17 06:00")
    assert events["mornings"] == []
    mixed = team_events(plans.plan(site, plans.site(2, TUESDAY, window=(18, 22))))
    assert local(mixed["moves"][0]) == ("2027-03-16 18:00", "2027-03-16 22:00")


def test_nothing_planned_nothing_to_do(plans: Any):
    assert team_events(plans.plan()) == {"moves": [], "upgrades": [], "mornings": []}
