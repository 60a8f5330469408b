# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts and hashes of two manifests (M3)."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.reconcile import (
    Difference,
    Reconciliation,
    reconcile,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import Category
from hypothesis import given
from hypothesis import strategies as st

MANIFEST: dict[str, Any] = {
    "orders": {"count": 412, "hash": "a" * 64},
    "started_requisitions": {"count": 0, "hash": "b" * 64},
    "favourite_packages": {"count": 12, "hash": "c" * 64},
}


def changed(category: str, **entry: object) -> dict[str, Any]:
    manifest = copy.deepcopy(MANIFEST)
    manifest[category] |= entry
    return manifest


def test_equal():
    answer = reconcile(MANIFEST, copy.deepcopy(MANIFEST))
    assert answer.equal
    assert answer.differences == ()
    assert answer.counts == {"orders": "412/412", "started_requisitions": "0/0", "favourite_packages": "12/12"}


def test_one_lost():
    answer = reconcile(MANIFEST, changed("favourite_packages", count=11, hash="d" * 64))
    assert not answer.equal
    assert answer.differences == (Difference(Category.FAVOURITE_PACKAGES, 12, 11, False),)
    assert answer.counts["favourite_packages"] == "11/12"


def test_as_many_but_others():
    answer = reconcile(MANIFEST, changed("orders", hash="d" * 64))
    assert answer.differences == (Difference(Category.ORDERS, 412, 412, False),)


def test_a_count_that_disagrees_with_its_hash_is_a_difference():
    answer = reconcile(MANIFEST, changed("orders", count=411))
    assert answer.differences == (Difference(Category.ORDERS, 412, 411, True),)


def test_the_case_of_a_hash_does_not_matter():
    assert reconcile(MANIFEST, changed("orders", hash="A" * 64)).equal


@pytest.mark.parametrize("category", list(Category))
@pytest.mark.parametrize("side", ["before", "after"])
def test_every_category_must_be_on_both_sides(category: Category, side: str):
    sides = {"before": copy.deepcopy(MANIFEST), "after": copy.deepcopy(MANIFEST)}
    del sides[side][category.value]
    with pytest.raises(ValueError, match=f"^{side} lacks {category.value}$"):
        reconcile(**sides)


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"count": -1}, r"after\.orders\.count must be a whole number"),
        ({"count": "412"}, r"after\.orders\.count must be a whole number"),
        ({"count": True}, r"after\.orders\.count must be a whole number"),
        ({"hash": "a" * 63}, r"after\.orders\.hash must be 64"),
        ({"hash": None}, r"after\.orders\.hash must be 64"),
    ],
)
def test_a_bad_entry_names_side_category_and_field(entry: dict[str, Any], complaint: str):
    with pytest.raises(ValueError, match=complaint):
        reconcile(MANIFEST, changed("orders", **entry))


def test_an_unknown_category_and_what_is_no_manifest():
    with pytest.raises(ValueError, match=r"before: category is 'images' and must be one of orders"):
        reconcile({**MANIFEST, "images": MANIFEST["orders"]}, MANIFEST)
    with pytest.raises(ValueError, match="after must be a manifest, not NoneType"):
        reconcile(MANIFEST, None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"before\.orders must be a dictionary"):
        reconcile({**MANIFEST, "orders": 412}, MANIFEST)


ENTRIES = st.fixed_dictionaries({"count": st.integers(0, 3), "hash": st.sampled_from(["a" * 64, "b" * 64])})
MANIFESTS = st.fixed_dictionaries({category.value: ENTRIES for category in Category})


@given(MANIFESTS, MANIFESTS)
def test_equal_exactly_when_the_same_and_back_from_plain_data(before: dict[str, Any], after: dict[str, Any]):
    answer = reconcile(before, after)
    assert answer.equal == (before == after)
    assert {difference.category.value for difference in answer.differences} == {
        category for category in before if before[category] != after[category]
    }
    assert Reconciliation.from_dict(answer.to_dict()) == answer


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"equal": "yes"}, "equal must be true or false"),
        ({"equal": True}, "equal is True, and there are 1 differences"),
        (
            {"differences": [{"category": "orders", "before": 1, "after": None, "same_hash": False}]},
            r"differences\[0\]: after",
        ),
        ({"differences": ["orders"]}, r"differences\[0\]: must be a dictionary"),
        ({"differences": None}, "differences must be a list"),
        ({"counts": None}, "counts must be a dictionary"),
        ({"counts": {"images": "1/1"}}, "category is 'images'"),
    ],
)
def test_damaged_plain_data(change: dict[str, Any], complaint: str):
    raw = reconcile(MANIFEST, changed("orders", count=411)).to_dict()
    with pytest.raises(ValueError, match=complaint):
        Reconciliation.from_dict({**raw, **change})
