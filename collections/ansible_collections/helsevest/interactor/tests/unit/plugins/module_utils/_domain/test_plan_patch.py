# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the register has to be told, so that it says what a plan says."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.plan_patch import moved_on, wanted

TUESDAY = date(2027, 3, 16)
NEW = {"id": 11, "name": "Week 11, 2027", "from": "2027-03-15", "to": "2027-03-21"}


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({}, {"wave": 11, "move_date": "2027-03-16"}),
        ({"was": {"wave": 11, "move_date": None}}, {"move_date": "2027-03-16"}),
        ({"was": {"wave": 11, "move_date": "2027-03-16"}}, None),
        ({"was": {"wave": 3, "move_date": "2027-02-01"}}, {"wave": 11, "move_date": "2027-03-16"}),
        # P7: neither wave nor date before the site has answered, and no date that no longer holds.
        ({"answered": False}, None),
        ({"answered": False, "was": {"wave": None, "move_date": "2027-02-01"}}, {"move_date": None}),
        ({"answered": False, "was": {"wave": 11, "move_date": None}}, None),
        ({"answered": False, "was": {"wave": 11, "move_date": "2027-02-01"}}, {"move_date": None}),
        # What was promised is kept, whatever came of the answers since.
        ({"answered": False, "promised": True, "was": {"wave": 11, "move_date": "2027-03-16"}}, None),
    ],
)
def test_only_what_differs(plans: Any, given: dict[str, Any], values: dict[str, Any] | None):
    plan = plans.plan(plans.site(1001, TUESDAY, **given))
    assert wanted(plan) == ([("sites", "1001", values)] if values else [])


def test_new_waves_come_first_and_whole(plans: Any):
    entries = wanted(plans.plan(plans.site(1001, TUESDAY), new_waves=[NEW]))
    assert [entry[:2] for entry in entries] == [("waves", "11"), ("sites", "1001")]
    assert entries[0][2] == {"id": 11, "name": "Week 11, 2027", "dates": {"from": "2027-03-15", "to": "2027-03-21"}}


def test_a_new_wave_of_reserved_sites_alone_is_not_written(plans: Any):
    reserved = plans.site(1001, TUESDAY, wave=12, answered=False)
    new_waves = [NEW, {**NEW, "id": 12}]
    assert wanted(plans.plan(reserved, new_waves=new_waves)) == []
    both = plans.plan(reserved, plans.site(1002, TUESDAY), new_waves=new_waves)
    assert [entry[:2] for entry in wanted(both)] == [("waves", "11"), ("sites", "1002")]
    shared = plans.plan({**reserved, "wave": 11}, plans.site(1002, TUESDAY), new_waves=[NEW])
    assert [entry[:2] for entry in wanted(shared)] == [("waves", "11"), ("sites", "1002")]


def test_a_register_that_says_something_else_by_now(plans: Any):
    plan = plans.plan(*(plans.site(n, TUESDAY, was={"wave": 11, "move_date": None}) for n in (1, 2, 3, 4)))
    now = {"1": (11, None), "2": (12, None), "3": (11, "2027-03-16")}
    assert moved_on(plan, now) == ["2", "3", "4"]
