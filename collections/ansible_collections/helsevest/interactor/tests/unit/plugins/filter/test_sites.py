# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters: which sites a play is about, and what a step leaves for the journal."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.helsevest.interactor.plugins.filter.sites import (
    client_users,
    cloud_answer,
    no_such_site,
    site_states,
    site_vars,
    step_events,
    unrecorded,
    wave_sites,
)

GROUPS = {
    "site_1001": ["1001-server", "1001-pc1"],
    "site_1002": ["1002-server"],
    "servers": ["1001-server", "1002-server"],
}
HOSTVARS: dict[str, dict[str, Any]] = {
    "1001-server": {"interactor_site_id": "1001", "interactor_role": "server", "interactor_site": {"id": "1001"}},
    "1001-pc1": {"interactor_site_id": "1001", "interactor_role": "client", "interactor_site": {"id": "1001"}},
    "1002-server": {"interactor_site_id": "1002", "interactor_role": "server", "interactor_site": {"id": "1002"}},
}
ANSWER = {
    "now": "2027-05-18T18:30:00Z",
    "sites": {"1001": {"attempt": {"number": 1, "key": "k"}}, "1002": {"attempt": None}},
}


def test_each_site_comes_once_in_order() -> None:
    hosts = ["1002-server", "1001-pc1", "1001-server"]
    assert [one["interactor_site"]["id"] for one in site_vars(HOSTVARS, GROUPS, hosts)] == ["1001", "1002"]


def test_a_site_whose_client_alone_is_in_the_limit_counts() -> None:
    assert site_vars(HOSTVARS, GROUPS, ["1001-pc1"]) == [{"interactor_site": {"id": "1001"}}]


def test_a_host_of_no_site_is_named() -> None:
    with pytest.raises(AnsibleFilterError, match="stranger"):
        site_vars(HOSTVARS, GROUPS, ["1001-server", "stranger"])


def test_results_become_events_of_their_site_and_attempt() -> None:
    hostvars = {**HOSTVARS, "1001-server": {**HOSTVARS["1001-server"], "__migrate_result": {"error": "no"}}}
    (event,) = step_events(["1001-server"], hostvars, "migrate", "start", ANSWER)
    assert (event["site"], event["kind"], event["subject"]) == ("1001", "step", "start")
    assert event["data"] == {
        "phase": "migrate",
        "attempt": "1",
        "ok": False,
        "detail": "no",
        "started": ANSWER["now"],
        "cause": None,
    }


def test_a_step_that_left_no_result_or_a_strange_one_or_broke_is_that_sites_failure_alone() -> None:
    hostvars = {**HOSTVARS, "1001-server": {**HOSTVARS["1001-server"], "__migrate_result": {"equal": True}}}
    hosts = ["1001-server", "1002-server"]
    strange, none = step_events(hosts, hostvars, "migrate", "reconcile", ANSWER)
    assert (strange["site"], strange["data"]["ok"]) == ("1001", False)
    assert strange["data"]["detail"] == "step reconcile of migrate: KeyError: 'differences'"
    assert (none["site"], none["data"]["ok"]) == ("1002", False)
    assert none["data"]["detail"] == "step reconcile of migrate left no __migrate_result"
    (broken,) = step_events(["1001-server"], hostvars, "migrate", "look", ANSWER, "it broke")
    assert (broken["kind"], broken["data"]["ok"], broken["data"]["detail"]) == ("step", False, "it broke")


def test_the_sites_of_a_wave_are_counted_whatever_the_limit() -> None:
    groups = {
        **GROUPS,
        "wave_1": ["1001-server", "1001-pc1", "1002-server"],
        "wave_2": [],
        "wave_none": ["1003-server"],
    }
    assert wave_sites(groups, ["1001-pc1"]) == {"1": ["1001", "1002"]}
    assert wave_sites(groups, ["1003-server"]) == {}


def test_a_dry_run_goes_on_from_what_each_site_has_found() -> None:
    answer = {
        "sites": {"1001": {"hosts": ["1001-server"]}, "1002": {"hosts": ["1002-server"]}},
        "unrecorded": [{"site": "1001", "n": 1}, {"site": "1002", "n": 2}],
    }
    own = {"unrecorded": [{"site": "1001", "n": 1}, {"site": "1001", "n": 3}]}
    hostvars = {**HOSTVARS, "localhost": {"reconciler_answer": answer}}
    hostvars["1001-server"] = {**hostvars["1001-server"], "__reconciler_own": own}
    assert [event["n"] for event in unrecorded(hostvars, ["1001-server", "1001-pc1", "1002-server"])] == [1, 3, 2]
    assert [event["n"] for event in unrecorded(hostvars, ["1002-server"])] == [2]
    assert unrecorded({**HOSTVARS, "localhost": {}}, ["1001-server"]) == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("1003", "site '1003' is none of the register's 2 site(s); did you mean '1001' or '1002'?"),
        ("Fjordgata", "site 'Fjordgata' is none of the register's 2 site(s)"),
    ],
)
def test_a_site_that_is_not_there_is_told_with_those_that_look_like_it(asked: str, told: str) -> None:
    assert no_such_site(asked, GROUPS) == told


def test_a_near_miss_is_told_as_it_is_written() -> None:
    assert no_such_site("kirke2", {"site_Kirke1": []}).endswith("did you mean 'Kirke1'?")


def test_the_planner_gets_state_and_outcome_of_each_site() -> None:
    answers = {
        "1001": {"state": "verified", "outcome": "verified", "rolled_back": False, "row": {}},
        "1002": {"state": "dated", "outcome": "rolled_back", "rolled_back": True},
    }
    assert site_states(answers) == {
        "1001": {"state": "verified", "outcome": "verified", "rolled_back": False},
        "1002": {"state": "dated", "outcome": "rolled_back", "rolled_back": True},
    }


@pytest.mark.parametrize("answers", [None, {"1001": {}}, {"1001": None}])
def test_what_are_no_answers_of_the_gate(answers: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="site_states: these are no answers of site_gate"):
        site_states(answers)


def test_who_uses_interactor_is_told_of_every_client_of_every_site_on_the_server() -> None:
    sites = [
        {"id": "1001", "clients": [{"name": "pc1"}]},
        {"id": "1002", "clients": [{"name": "pc1"}, {"name": "pc2"}]},
    ]
    results = [
        {"__migrate_client": "1001-pc1", "users": {"active": False, "sessions": 0}},
        {"__migrate_client": "1002-pc1", "users": {"active": True, "sessions": 1}},
    ]
    assert [(one["host"], one["reached"], one["active"]) for one in client_users(results, sites)] == [
        ("1001-pc1", True, False),
        ("1002-pc1", True, True),
        ("1002-pc2", False, False),
    ]


def test_the_clouds_answers_for_a_server_are_one() -> None:
    one = {"changed": False, "attempts": [{"number": 1}], "attempt": None}
    assert cloud_answer([one])["attempts"] == [{"number": 1}]
    both = cloud_answer([one, {**one, "changed": True, "attempts": [{"number": 2}]}])
    assert both == {"changed": True, "attempts": [{"number": 1}, {"number": 2}], "attempt": None}
    with pytest.raises(AnsibleFilterError, match="cloud_answer: KeyError"):
        cloud_answer([one, {}])
