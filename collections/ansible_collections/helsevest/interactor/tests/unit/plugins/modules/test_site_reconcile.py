# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reconciling module: only translation, the comparison is tested in _domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.helsevest.interactor.plugins.modules.site_reconcile import main

RunModule = Callable[..., dict[str, Any]]
DATES = {"first": "2027-05-18", "last": "2027-05-18"}
SPAN: dict[str, Any] = {"day": "2027-05-18", "months": 12}
BEFORE = {
    name: {"count": 12, "hash": "a" * 64, **DATES} for name in ("orders", "started_requisitions", "favourite_packages")
}
AFTER = {**BEFORE, "favourite_packages": {"count": 11, "hash": "b" * 64, **DATES}}


DIFFERENCE = {
    "category": "favourite_packages",
    "before": 12,
    "after": 11,
    "same_hash": False,
    "same_dates": True,
    "outside": [],
    "missing": None,
    "extra": None,
}


def test_equal(run_module: RunModule):
    result = run_module(main, **SPAN, before=BEFORE, after=BEFORE, check=True)
    assert (result["changed"], result["equal"], result["differences"]) == (False, True, [])


def test_one_lost(run_module: RunModule):
    result = run_module(main, **SPAN, before=BEFORE, after=AFTER)
    assert result["equal"] is False
    assert result["differences"] == [DIFFERENCE]
    assert result["counts"] == {"orders": "12/12", "started_requisitions": "12/12", "favourite_packages": "11/12"}


def test_with_ids(run_module: RunModule):
    sides = {"ids_before": {"favourite_packages": ["a", "b"]}, "ids_after": {"favourite_packages": ["b"]}}
    result = run_module(main, **SPAN, before=BEFORE, after=AFTER, **sides)
    listed = {"missing": {"count": 1, "ids": ["a"]}, "extra": {"count": 0, "ids": []}}
    assert result["differences"] == [{**DIFFERENCE, **listed}]
    assert result["unlisted"] == ""


def test_why_there_is_no_list_goes_on_record(run_module: RunModule):
    assert run_module(main, **SPAN, before=BEFORE, after=AFTER, unlisted="not reached")["unlisted"] == "not reached"


def test_a_day_that_is_none(run_module: RunModule):
    result = run_module(main, before=BEFORE, after=AFTER, day="18.05.2027", months=12)
    assert result["msg"] == "site_reconcile: day is '18.05.2027': a date as 2027-05-18 is wanted"


def test_a_manifest_that_is_not_whole(run_module: RunModule):
    result = run_module(main, **SPAN, before=BEFORE, after={"orders": BEFORE["orders"]})
    assert result["failed"]
    assert result["msg"] == "site_reconcile: after lacks started_requisitions, favourite_packages"
