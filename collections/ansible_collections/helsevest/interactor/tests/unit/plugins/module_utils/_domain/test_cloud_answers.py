# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifests of a server's sites add up to that of the server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.cloud_answers import (
    add_manifests,
    join_answers,
)
from hypothesis import given
from hypothesis import strategies as st

Records = Sequence[tuple[str, date]]


def manifest(records: Records) -> dict[str, dict[str, Any]]:
    """As docs/contracts.md tells it, of one category."""
    total = sum(int.from_bytes(sha256(name.encode()).digest(), "big") for name, _ in records) % 2**256
    days = sorted(day.isoformat() for _, day in records)
    entry = {"count": len(days), "hash": f"{total:064x}"}
    return {"orders": {**entry, "first": days[0] if days else None, "last": days[-1] if days else None}}


records = st.lists(st.tuples(st.text(max_size=8), st.dates()), max_size=6)


@given(parts=st.lists(records, min_size=1, max_size=4))
def test_what_the_parts_hold_is_what_all_hold(parts: list[list[tuple[str, date]]]) -> None:
    whole = [record for part in parts for record in part]
    assert add_manifests([manifest(part) for part in parts]) == manifest(whole)


def test_the_hash_goes_round_at_its_end() -> None:
    most = {"orders": {"count": 1, "hash": "f" * 64}}
    assert add_manifests([most, {"orders": {"count": 2, "hash": f"{2:064x}"}}])["orders"] == {
        "count": 3,
        "hash": f"{1:064x}",
    }


def test_one_alone_stays_as_it_is() -> None:
    odd = {"orders": {"count": 1, "hash": "ABC", "more": True}}
    assert add_manifests([odd]) == odd


def test_a_category_that_one_lacks_is_not_taken_for_an_empty_one() -> None:
    full = {**manifest([]), "favourite_packages": {"count": 0, "hash": "0" * 64}}
    assert list(add_manifests([full, manifest([])])) == ["orders"]


@pytest.mark.parametrize("wrong", [{"count": 1, "hash": "none"}, {"count": "many", "hash": "0" * 64}])
def test_what_is_no_manifest_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"invalid literal"):
        add_manifests([{"orders": wrong}, manifest([])])
    with pytest.raises(ValueError, match="no manifest to add up"):
        add_manifests([])


def attempt(number: int, state: str, records: Records | None) -> dict[str, Any]:
    counts = {} if records is None else {"orders": len(records)}
    told = None if records is None else manifest(records)
    return {"number": number, "key": "k", "state": state, "counts": counts, "manifest": told}


def answer(one: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    return {"changed": False, "attempts": [one] if one else [], "attempt": one, **more}


def test_answers_are_joined_and_their_attempts_added_up() -> None:
    day = date(2027, 5, 18)
    parts = [[("a", day)], [("b", day), ("c", day)]]
    both = join_answers([answer(attempt(1, "completed", part)) for part in parts])
    assert both["attempt"] == attempt(1, "completed", [record for part in parts for record in part])
    assert len(both["attempts"]) == 2


def test_what_one_of_them_has_not_completed_has_no_manifest() -> None:
    both = join_answers([answer(attempt(1, "completed", [])), answer(attempt(1, "receiving", None))])
    assert both["attempt"]["manifest"] is None
    assert both["attempt"]["state"] == "completed, receiving"
    assert join_answers([answer(attempt(1, "completed", [])), answer(None)])["attempt"] is None


def test_what_users_made_and_the_ids_are_those_of_all() -> None:
    one = answer(attempt(1, "completed", []), made=[{"id": "a"}], ids={"orders": ["a"]})
    two = answer(attempt(1, "completed", []), made=[{"id": "b"}], ids={"orders": ["b"]})
    both = join_answers([one, two])
    assert both["made"] == [{"id": "a"}, {"id": "b"}]
    assert both["ids"] == {"orders": ["a", "b"]}


@pytest.mark.parametrize("dry", [(True, True), (True, False), (False, True)])
def test_what_a_dry_run_has_not_done_for_one_of_them_is_not_done(dry: tuple[bool, bool]) -> None:
    joined = join_answers([answer(attempt(1, "discarded", []), dry=one) for one in dry])
    assert joined["dry"] is True
    assert "dry" not in join_answers([answer(attempt(1, "discarded", []))] * 2)
