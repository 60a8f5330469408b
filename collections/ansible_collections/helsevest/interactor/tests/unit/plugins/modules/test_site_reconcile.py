# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reconciling module: only translation, the comparison is tested in _domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.helsevest.interactor.plugins.modules.site_reconcile import main

RunModule = Callable[..., dict[str, Any]]
BEFORE = {name: {"count": 12, "hash": "a" * 64} for name in ("orders", "started_requisitions", "favourite_packages")}
AFTER = {**BEFORE, "favourite_packages": {"count": 11, "hash": "b" * 64}}


def test_equal(run_module: RunModule):
    result = run_module(main, before=BEFORE, after=BEFORE, check=True)
    assert (result["changed"], result["equal"], result["differences"]) == (False, True, [])


def test_one_lost(run_module: RunModule):
    result = run_module(main, before=BEFORE, after=AFTER)
    assert result["equal"] is False
    assert result["differences"] == [{"category": "favourite_packages", "before": 12, "after": 11, "same_hash": False}]
    assert result["counts"] == {"orders": "12/12", "started_requisitions": "12/12", "favourite_packages": "11/12"}


def test_a_manifest_that_is_not_whole(run_module: RunModule):
    result = run_module(main, before=BEFORE, after={"orders": BEFORE["orders"]})
    assert result["failed"]
    assert result["msg"] == "site_reconcile: after lacks started_requisitions, favourite_packages"
