# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two manifests: counts, hashes, dates, the agreed span, and the ids of what differs (M3)."""

from __future__ import annotations

import copy
from datetime import date, timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.manifest import months_before
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.reconcile import (
    Difference,
    Listing,
    Reconciliation,
    reconcile,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import Category
from hypothesis import given
from hypothesis import strategies as st

DAY, MONTHS = date(2027, 5, 18), 12
MANIFEST: dict[str, Any] = {
    "orders": {"count": 412, "hash": "a" * 64, "first": "2026-05-18", "last": "2027-05-18"},
    "started_requisitions": {"count": 0, "hash": "0" * 64, "first": None, "last": None},
    "favourite_packages": {"count": 12, "hash": "c" * 64, "first": "2019-01-01", "last": "2027-05-17"},
}


def compare(before: Any, after: Any) -> Reconciliation:
    return reconcile(before, after, DAY, MONTHS)


NOTHING: dict[str, Any] = {
    category.value: {"count": 0, "hash": "0" * 64, "first": None, "last": None} for category in Category
}
DIFFERENCE = {"category": "orders", "before": 412, "after": 411, "same_hash": True}


def changed(category: str, **entry: object) -> dict[str, Any]:
    manifest = copy.deepcopy(MANIFEST)
    manifest[category] |= entry
    return manifest


def test_equal():
    answer = compare(MANIFEST, copy.deepcopy(MANIFEST))
    assert answer.equal
    assert answer.differences == ()
    assert answer.counts == {"orders": "412/412", "started_requisitions": "0/0", "favourite_packages": "12/12"}


def test_one_lost():
    answer = compare(MANIFEST, changed("favourite_packages", count=11, hash="d" * 64))
    assert not answer.equal
    assert answer.differences == (Difference(Category.FAVOURITE_PACKAGES, 12, 11, False),)
    assert answer.counts["favourite_packages"] == "11/12"
    assert answer.differences[0].told == "favourite_packages: 11 of 12 in the cloud"


def test_as_many_but_others():
    answer = compare(MANIFEST, changed("orders", hash="d" * 64))
    assert answer.differences == (Difference(Category.ORDERS, 412, 412, False),)
    assert answer.counts["orders"] == "412/412 differ", "412/412 alone would read as if all were well"
    assert answer.differences[0].told == "orders: 412 of 412 in the cloud, not the same ones"


def test_as_many_with_other_dates():
    answer = compare(MANIFEST, changed("orders", first="2026-05-19"))
    assert answer.differences == (Difference(Category.ORDERS, 412, 412, True, same_dates=False),)
    assert answer.differences[0].told == "orders: 412 of 412 in the cloud, other dates"


def test_a_count_that_disagrees_with_its_hash_is_a_difference():
    answer = compare(MANIFEST, changed("orders", count=411))
    assert answer.differences == (Difference(Category.ORDERS, 412, 411, True),)


def test_the_case_of_a_hash_does_not_matter():
    assert compare(MANIFEST, changed("orders", hash="A" * 64)).equal


@pytest.mark.parametrize("category", list(Category))
@pytest.mark.parametrize("side", ["before", "after"])
def test_every_category_must_be_on_both_sides(category: Category, side: str):
    sides = {"before": copy.deepcopy(MANIFEST), "after": copy.deepcopy(MANIFEST)}
    del sides[side][category.value]
    with pytest.raises(ValueError, match=f"^{side} lacks {category.value}$"):
        compare(**sides)


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"count": -1}, r"after\.orders\.count must be a whole number"),
        ({"count": "412"}, r"after\.orders\.count must be a whole number"),
        ({"count": True}, r"after\.orders\.count must be a whole number"),
        ({"hash": "a" * 63}, r"after\.orders\.hash must be 64"),
        ({"hash": None}, r"after\.orders\.hash must be 64"),
        ({"first": None}, r"after\.orders\.first must be a date"),
        ({"last": "20270518"}, r"after\.orders\.last must be a date"),
        ({"last": "2027-02-29"}, r"after\.orders\.last must be a date"),
        ({"first": "2027-05-18", "last": "2027-05-17"}, r"after\.orders\.first must not be after"),
        ({"count": 0}, r"after\.orders\.first must be null"),
    ],
)
def test_a_bad_entry_names_side_category_and_field(entry: dict[str, Any], complaint: str):
    with pytest.raises(ValueError, match=complaint):
        compare(MANIFEST, changed("orders", **entry))


def test_an_unknown_category_and_what_is_no_manifest():
    with pytest.raises(ValueError, match=r"before: category is 'images' and must be one of orders"):
        compare({**MANIFEST, "images": MANIFEST["orders"]}, MANIFEST)
    with pytest.raises(ValueError, match="after must be a manifest, not NoneType"):
        compare(MANIFEST, None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"before\.orders must be a dictionary"):
        compare({**MANIFEST, "orders": 412}, MANIFEST)


def entries(first: date, last: date) -> st.SearchStrategy[dict[str, Any]]:
    """Entries of a manifest whose dates lie between two days."""
    days = st.tuples(st.dates(first, last), st.dates(first, last)).map(sorted)
    some = st.builds(
        lambda count, digest, dates: {
            "count": count,
            "hash": digest,
            "first": dates[0].isoformat(),
            "last": dates[1].isoformat(),
        },
        st.integers(1, 3),
        st.sampled_from(["a" * 64, "b" * 64]),
        days,
    )
    return st.one_of(st.just({"count": 0, "hash": "0" * 64, "first": None, "last": None}), some)


MANIFESTS = st.fixed_dictionaries(
    {
        "orders": entries(date(2026, 5, 18), DAY),
        "started_requisitions": entries(DAY, date(2027, 12, 31)),
        "favourite_packages": entries(date(1999, 1, 1), date(2030, 1, 1)),
    }
)


@given(MANIFESTS, MANIFESTS)
def test_equal_exactly_when_the_same_and_back_from_plain_data(before: dict[str, Any], after: dict[str, Any]):
    answer = compare(before, after)
    assert answer.equal == (before == after)
    assert {difference.category.value for difference in answer.differences} == {
        category for category in before if before[category] != after[category]
    }
    assert Reconciliation.from_dict(answer.to_dict()) == answer


@pytest.mark.parametrize(
    ("day", "months", "since"),
    [
        ("2027-03-31", 1, "2027-02-28"),
        ("2028-03-31", 1, "2028-02-29"),
        ("2028-02-29", 12, "2027-02-28"),
        ("2029-02-28", 12, "2028-02-28"),
        ("2027-08-31", 18, "2026-02-28"),
        ("2029-08-30", 18, "2028-02-29"),
        ("2027-01-01", 12, "2026-01-01"),
        ("2027-12-31", 13, "2026-11-30"),
    ],
)
def test_months_are_counted_back_to_the_same_day_or_the_months_last(day: str, months: int, since: str):
    assert months_before(date.fromisoformat(day), months) == date.fromisoformat(since)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 36))
def test_the_span_of_orders_is_so_many_months_and_never_skips_a_day(day: date, months: int):
    since = months_before(day, months)
    assert (day.year * 12 + day.month) - (since.year * 12 + since.month) == months
    assert since.day == day.day or (since.day < day.day and (since + timedelta(days=1)).day == 1)
    assert months_before(day + timedelta(days=1), months) - since in (timedelta(0), *map(timedelta, (1, 2, 3, 4)))


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(12, 18), st.integers(-2, 2), st.integers(-2, 2))
def test_what_lies_outside_the_span_is_a_difference_though_both_sides_have_it(
    day: date, months: int, first: int, last: int
):
    since = months_before(day, months)
    dates = {"first": (since + timedelta(days=first)).isoformat(), "last": (day + timedelta(days=last)).isoformat()}
    manifest = {**NOTHING, "orders": {"count": 2, "hash": "a" * 64, **dates}}
    answer = reconcile(manifest, manifest, day, months)
    assert answer.equal == (first >= 0 >= last)
    if not answer.equal:
        assert answer.differences == (Difference(Category.ORDERS, 2, 2, True, outside=("before", "after")),)
        assert answer.differences[0].told.endswith("some outside the agreed span on the server and in the cloud")


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(-2, 2))
def test_started_requisitions_begin_with_the_day_and_have_no_end(day: date, ahead: int):
    entry = {"count": 2, "hash": "a" * 64, "first": (day + timedelta(days=ahead)).isoformat(), "last": "9999-12-31"}
    manifest = {**NOTHING, "started_requisitions": entry}
    assert reconcile(manifest, manifest, day, 12).equal == (ahead >= 0)


def test_a_favourite_package_may_have_any_date():
    entry = {"count": 2, "hash": "a" * 64, "first": "0001-01-01", "last": "9999-12-31"}
    manifest = {**NOTHING, "favourite_packages": entry}
    assert reconcile(manifest, manifest, DAY, 12).equal


def test_only_the_cloud_outside():
    answer = compare(MANIFEST, changed("orders", count=413, hash="d" * 64, first="2026-05-17"))
    assert answer.differences[0].outside == ("after",)
    assert answer.differences[0].told == (
        "orders: 413 of 412 in the cloud, other dates, some outside the agreed span in the cloud"
    )


def test_no_months_is_no_span():
    with pytest.raises(ValueError, match="months must be a whole number from 1 up"):
        reconcile(MANIFEST, MANIFEST, DAY, 0)


IDS = st.lists(st.sampled_from("abcdef"), max_size=8)


@given(IDS, IDS)
def test_the_listing_says_what_would_make_the_sides_the_same(before: list[str], after: list[str]):
    answer = compare(MANIFEST, changed("orders", hash="d" * 64)).with_ids({"orders": before}, {"orders": after})
    [difference] = answer.differences
    assert difference.missing is not None
    assert difference.extra is not None
    mended = [*after, *difference.missing.ids]
    for one in difference.extra.ids:
        mended.remove(one)
    assert sorted(mended) == sorted(before)
    assert not set(difference.missing.ids) & set(difference.extra.ids)
    assert Reconciliation.from_dict(answer.to_dict()) == answer


def test_a_lost_id_and_a_doubled_one():
    answer = compare(MANIFEST, changed("orders", hash="d" * 64)).with_ids(
        {"orders": ["b", "a", "c"]}, {"orders": ["c", "c", "b"]}
    )
    assert answer.differences[0].missing == Listing(1, ("a",))
    assert answer.differences[0].extra == Listing(1, ("c",))
    assert answer.differences[0].told == "orders: 412 of 412 in the cloud, 1 missing, 1 too many"


def test_of_many_ids_the_first_are_named_and_all_are_counted():
    ids = [f"{number:03}" for number in reversed(range(201))]
    answer = compare(MANIFEST, changed("orders", count=1, hash="d" * 64)).with_ids({"orders": ids}, {"orders": []})
    assert answer.differences[0].missing == Listing(201, tuple(sorted(ids)[:200]))
    assert Reconciliation.from_dict(answer.to_dict()) == answer


def test_what_is_not_on_both_sides_is_not_listed():
    answer = compare(MANIFEST, changed("orders", count=411))
    assert answer.with_ids({"orders": ["a"]}, {}) == answer
    assert answer.with_ids({}, {"orders": ["a"]}) == answer
    assert answer.with_ids({"favourite_packages": ["a"]}, {"favourite_packages": []}) == answer


def test_what_an_earlier_version_recorded_is_read():
    raw = {
        "equal": False,
        "differences": [{"category": "orders", "before": 412, "after": 411, "same_hash": False}],
        "counts": {"orders": "411/412"},
    }
    assert Reconciliation.from_dict(raw) == Reconciliation(
        False, (Difference(Category.ORDERS, 412, 411, False),), {"orders": "411/412"}
    )


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
        ({"unlisted": 3}, "unlisted must be text"),
        ({"differences": [{**DIFFERENCE, "outside": ["here"]}]}, r"differences\[0\]: outside must be a list of before"),
        ({"differences": [{**DIFFERENCE, "outside": None}]}, r"differences\[0\]: outside"),
        ({"differences": [{**DIFFERENCE, "same_dates": 1}]}, r"differences\[0\]: same_dates"),
        ({"differences": [{**DIFFERENCE, "missing": ["a"]}]}, r"differences\[0\]: missing must be a dictionary"),
        ({"differences": [{**DIFFERENCE, "extra": {"count": 1, "ids": [1]}}]}, r"differences\[0\]: extra must be"),
        (
            {"differences": [{**DIFFERENCE, "extra": {"count": 2, "ids": ["a"]}}]},
            r"differences\[0\]: extra counts 2 and names 1 ids",
        ),
    ],
)
def test_damaged_plain_data(change: dict[str, Any], complaint: str):
    raw = compare(MANIFEST, changed("orders", count=411)).to_dict()
    with pytest.raises(ValueError, match=complaint):
        Reconciliation.from_dict({**raw, **change})
