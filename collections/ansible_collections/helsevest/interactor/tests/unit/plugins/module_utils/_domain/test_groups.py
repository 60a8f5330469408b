# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory's groups: every value has a name of its own that a limit can be written with."""

from __future__ import annotations

import dataclasses
import re
from datetime import date, time

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.groups import (
    PARENTS,
    groups_of,
    in_order,
    safe,
    window_name,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import WEEKDAYS, Window
from hypothesis import given
from hypothesis import strategies as st

from .conftest import SITE


def test_a_site_is_in_a_group_of_each_parent() -> None:
    site = dataclasses.replace(SITE, epj="Journalen 3", county="Møre og Romsdal", language="nn")
    assert groups_of(site) == {
        "counties": ("county_more_og_romsdal",),
        "dates": ("date_2027_05_18",),
        "epjs": ("epj_journalen_3",),
        "kinds": ("kind_gp_office",),
        "languages": ("language_nn",),
        "modes": ("mode_server_in_cloud",),
        "sites": ("site_1001",),
        "states": ("state_dated",),
        "waves": ("wave_1",),
        "windows": ("window_night", "window_all_2000_0600"),
    }
    assert tuple(groups_of(site)) == PARENTS


def test_what_is_not_known_has_a_group_too() -> None:
    groups = groups_of(dataclasses.replace(SITE, epj=None, wave=None, move_date=None, contact=None))
    assert (groups["epjs"], groups["waves"], groups["dates"]) == (("epj_none",), ("wave_none",), ("date_none",))
    assert groups["states"] == ("state_registered",)
    assert groups_of(dataclasses.replace(SITE, move_date=None))["states"] == ("state_answered",)


def test_an_epj_that_is_called_none_is_told_from_one_that_is_not_known() -> None:
    assert groups_of(dataclasses.replace(SITE, epj="None"))["epjs"] != ("epj_none",)


@pytest.mark.parametrize(
    ("days", "name"),
    [
        ("mon tue wed thu", "mon_thu"),
        ("mon thu", "mon_and_thu"),
        ("mon tue", "mon_tue"),
        ("sun", "sun"),
        ("mon sun", "mon_and_sun"),
        ("mon wed fri", "mon_and_wed_and_fri"),
        ("mon tue wed fri sat", "mon_wed_and_fri_sat"),
        ("mon tue wed thu fri sat sun", "all"),
    ],
)
def test_a_window_is_named_by_its_days_and_times(days: str, name: str) -> None:
    window = Window(frozenset(WEEKDAYS.index(day) for day in days.split()), time(20), time(6))
    assert window_name(window) == f"{name}_2000_0600"


def test_groups_are_sorted_as_people_do() -> None:
    names = ["wave_10", "wave_none", "wave_2", "wave_1"]
    assert in_order(names) == ["wave_1", "wave_2", "wave_10", "wave_none"]
    assert in_order({"date_2027_10_01", "date_none", "date_2027_09_30"})[0] == "date_2027_09_30"
    assert in_order({"site_7B", "site_7a", "site_10", "site_0010"})[:2] == ["site_7B", "site_7a"]


def test_no_two_windows_have_one_name() -> None:
    days = [frozenset(day for day in range(7) if bits >> day & 1) for bits in range(1, 128)]
    windows = [Window(some, *times) for some in days for times in ((time(20), time(6)), (time(10), time(14, 30)))]
    assert len({window_name(window) for window in windows}) == len(windows)


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("Vestland", "vestland"),
        ("Møre og Romsdal", "more_og_romsdal"),
        ("MØRE  OG-ROMSDAL.", "more_og_romsdal"),
        ("Trøndelag", "trondelag"),
        ("Ærfugl Ås", "aerfugl_as"),
        ("Romsa/Finnmárku, Đeatnu", "romsa_finnmarku_deatnu"),
        ("Café №5 ß", "cafe_no5_ss"),
    ],
)
def test_a_name_is_made_safe(name: str, group: str) -> None:
    assert safe(name) == group


def test_a_name_of_which_nothing_is_left_has_a_group_of_its_own() -> None:
    names = {safe(name) for name in ("日本", "中国", "!!!", "none", "NONE.")}
    assert len(names) == 5
    assert all(re.fullmatch(r"x[0-9a-f]{8}", name) for name in names)


sites = st.builds(
    lambda **said: dataclasses.replace(SITE, **said),
    id=st.from_regex(r"[A-Za-z0-9]{1,16}", fullmatch=True),
    county=st.text(min_size=1),
    epj=st.none() | st.text(min_size=1),
    wave=st.none() | st.integers(1, 9999),
    move_date=st.none() | st.dates(date(2000, 1, 1), date(2099, 12, 31)),
)


@given(sites)
def test_every_group_is_one_that_ansible_takes_and_of_its_parent_only(site: Site) -> None:
    taken = {"all", "ungrouped", "interactor", "servers", "clients", *PARENTS}
    prefixes = {"counties": "county"} | {parent: parent.removesuffix("s") for parent in PARENTS if parent != "counties"}
    for parent, names in groups_of(site).items():
        for name in names:
            assert re.fullmatch(r"[a-z]+_[A-Za-z0-9_]+", name, re.ASCII)
            assert name.partition("_")[0] == prefixes[parent]
            assert name not in taken
