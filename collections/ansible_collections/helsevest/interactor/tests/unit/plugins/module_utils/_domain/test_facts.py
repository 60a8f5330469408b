# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of another shape are refused, with the place that is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.facts import check_shape


def put(facts: dict[str, Any], path: str, value: object) -> None:
    """Set or, for `...`, remove what `path` (`pages.0.id`) names."""
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    inner: Any = facts
    for part in parents:
        inner = inner[part]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value


def test_facts_of_a_server_and_of_a_client_are_well(facts: dict[str, Any]):
    check_shape(facts)
    check_shape({**facts, "interactor": None})


def test_what_a_newer_probe_adds_is_ignored(facts: dict[str, Any]):
    check_shape({**facts, "more": 1, "host": {**facts["host"], "more": 1}})


def test_every_value_may_be_null(facts: dict[str, Any]):
    for section in ("host", "clock", "tls", "speed", "proxy", "power", "interactor"):
        check_shape({**facts, section: dict.fromkeys(facts[section])})
    check_shape({**dict.fromkeys(facts), "probe": 3})


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("probe", 2, r"facts\.probe: 2; 3 is understood: an earlier version of this collection has measured"),
        ("probe", 4, r"facts\.probe: 4; 3 is understood$"),
        ("probe", True, r"facts\.probe: bool"),
        ("probe", ..., r"facts\.probe: NoneType"),
        ("host", ..., r"facts\.host: is missing"),
        ("host", [], r"facts\.host: a mapping is wanted, not list"),
        ("host.utc", ..., r"facts\.host\.utc: is missing"),
        ("host.utc", "2027-05-10T07:00:00", r"facts\.host\.utc: a moment is wanted, not str"),
        ("host.addresses", "10.20.1.5", r"facts\.host\.addresses: a list is wanted, not str"),
        ("clock.offset_seconds", "0", r"facts\.clock\.offset_seconds: a number is wanted, not str"),
        ("dns.0.addresses", [1], r"facts\.dns\[0\]\.addresses\[0\]: a text is wanted, not int"),
        ("tls.endpoints.0.trusted", "yes", r"facts\.tls\.endpoints\[0\]\.trusted: a flag is wanted, not str"),
        ("speed.samples", [None], r"facts\.speed\.samples\[0\]: a mapping is wanted, not null"),
        ("proxy.scripts.0.answers.0.proxy", ..., r"facts\.proxy\.scripts\[0\]\.answers\[0\]\.proxy: is missing"),
        ("proxy.profiles.0.saved", ..., r"facts\.proxy\.profiles\[0\]\.saved: is missing"),
        ("power.active_hours.start", 8.5, r"facts\.power\.active_hours\.start: a whole number is wanted, not float"),
        ("overdue", ..., r"facts\.overdue: is missing"),
        ("host.utc", 1, r"facts\.host\.utc: a moment is wanted, not int"),
        ("host.name", 5, r"facts\.host\.name: a text is wanted, not int"),
        ("host.free_gb", "81", r"facts\.host\.free_gb: a number is wanted, not str"),
        ("host.free_gb", True, r"facts\.host\.free_gb: a number is wanted, not bool"),
        ("pages", {}, r"facts\.pages: a list is wanted, not dict"),
        ("pages.1", None, r"facts\.pages\[1\]: a mapping is wanted, not null"),
        ("pages.1.status", "200", r"facts\.pages\[1\]\.status: a whole number is wanted, not str"),
        ("pages.0.heading", ..., r"facts\.pages\[0\]\.heading: is missing"),
        (
            "proxy.profiles.0.proxy_enable",
            0.5,
            r"\.profiles\[0\]\.proxy_enable: a whole number is wanted, not float",
        ),
        ("proxy.per_machine", 1, r"facts\.proxy\.per_machine: a flag is wanted, not int"),
        ("power.pending_restart", "windows_update", r"facts\.power\.pending_restart: a list is wanted, not str"),
        ("power.pending_restart", [None], r"facts\.power\.pending_restart\[0\]: a text is wanted, not null"),
        (
            "power.scheduled_restarts",
            ["tomorrow"],
            r"facts\.power\.scheduled_restarts\[0\]: a moment is wanted, not str",
        ),
    ],
)
def test_what_is_wrong_is_named(facts: dict[str, Any], path: str, value: object, told: str):
    put(facts, path, value)
    with pytest.raises(ValueError, match=told):
        check_shape(facts)


@pytest.mark.parametrize("value", [None, [], "facts", 1])
def test_facts_are_a_mapping(value: object):
    with pytest.raises(ValueError, match="facts: a mapping is wanted"):
        check_shape(value)
