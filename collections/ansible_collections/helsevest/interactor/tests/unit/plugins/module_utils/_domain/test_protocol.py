# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The protocol: what counts where measure, answer and earlier protocol say something, and how a person reads it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from ansible_collections.helsevest.interactor.plugins.module_utils._domain.checklist import (
    Checklist,
    Needs,
    Result,
    Row,
    Seen,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.protocol import (
    Walk,
    lists,
    make_protocol,
    read_earlier,
    to_markdown,
)

WALK = Walk(datetime(2027, 5, 12, 10, tzinfo=UTC), "Kari", "1001-server", "1001", "abc", False, 12.5)
CHECKLIST = Checklist(
    (
        Row("1", "Is it | there?", Needs.NOBODY, ("verify look",), "so", "version"),
        Row("2", "Strict?", Needs.PERSON, ("verify look",), "set it", "channel_binding"),
        Row("3", "Seen?", Needs.PERSON, ("report",), "look at it"),
        Row("4", "Upgraded?", Needs.STEP, ("upgrade install",), "later", "upgraded"),
    ),
    {"verify look": ("model", "engine")},
)
CONTRACT = {"service": {"version_url": "http://v", "version_key": "version"}}
SEEN = Seen(Result.PASSED, "it was so", "Ola", date(2027, 5, 11))


def answers(**facts: Any) -> dict[str, Any]:
    found = {"version": "5.4.1", "channel_binding": "Relaxed", "booted": "2027-05-10T04:00:00Z", **facts}
    look = {
        "reached": True,
        "error": None,
        "ledger": None,
        "seconds": 1.5,
        "at": "2027-05-12T10:00:00Z",
        "facts": found,
    }
    return {"look": {**look, "connection": {"transport": "ntlm"}}}


def protocol(seen: Any = None, earlier: Any = None, walk: Walk = WALK, **facts: Any) -> dict[str, Any]:
    return make_protocol(walk, CHECKLIST, answers(**facts), CONTRACT, seen or {}, earlier or {})


def row(told: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in told["rows"] if each["id"] == name)
    return found


def test_every_row_is_there_with_its_result():
    told = protocol()
    assert [(each["id"], each["result"], each["by"]) for each in told["rows"]] == [
        ("1", "passed", "measured"),
        ("2", "open", None),
        ("3", "open", None),
        ("4", "open", None),
    ]
    assert told["counts"] == {"failed": 0, "open": 3, "passed": 1, "not applicable": 0}
    assert (row(told, "1")["seconds"], row(told, "3")["seconds"]) == (1.5, None)
    assert row(told, "1")["passed_on"] == ["model", "engine"]
    assert {name: told[name] for name in ("at", "who", "host", "site", "commit", "dry", "seconds")} == {
        "at": "2027-05-12T10:00:00Z", "who": "Kari", "host": "1001-server", "site": "1001", "commit": "abc",
        "dry": False, "seconds": 12.5,
    }  # fmt: skip


def test_what_somebody_has_seen_counts_where_it_is_open():
    told = protocol({"2": SEEN, "3": replace(SEEN, result=Result.FAILED)})
    assert [(row(told, name)["result"], row(told, name)["by"]) for name in "23"] == [
        ("passed", "seen"),
        ("failed", "seen"),
    ]
    assert row(told, "3")["observed"] == "it was so"


def test_what_is_measured_goes_before_it():
    told = protocol({"2": replace(SEEN, result=Result.FAILED)}, channel_binding="Strict")
    assert (row(told, "2")["result"], row(told, "2")["by"]) == ("passed", "measured")


def test_what_needs_nobody_is_nobodys_to_say():
    earlier = protocol()
    row(earlier, "1")["seen"] = SEEN.to_dict()
    told = protocol(earlier=earlier, version=None)
    assert (row(told, "1")["result"], row(told, "1")["seen"]) == ("failed", None)


def test_an_earlier_protocol_is_carried_on_until_somebody_says_otherwise():
    first = protocol({"3": SEEN})
    second = protocol(earlier=first)
    assert row(second, "3")["seen"] == SEEN.to_dict()
    assert row(second, "3")["result"] == "passed"
    third = protocol({"3": replace(SEEN, result=Result.OPEN)}, second)
    assert (row(third, "3")["result"], row(third, "3")["by"]) == ("open", None)
    assert len(second["boot"]) == 2


def test_a_protocol_of_another_server_is_not():
    first = protocol({"3": SEEN})
    assert read_earlier(first, WALK) == first
    for other in (replace(WALK, host="1002-server"), replace(WALK, site="1002")):
        assert read_earlier(first, other) == {}
    for data in (None, [], {**first, "schema": 2}):
        assert read_earlier(data, WALK) == {}


def test_a_person_reads_first_what_failed_and_what_is_open():
    text = to_markdown(protocol({"3": replace(SEEN, result=Result.FAILED)}))
    parts = [
        "## Failed",
        "| 3 | Seen?",
        "Ola, 2027-05-11",
        "## Open",
        "| 2 | Strict? | a person |",
        "| 4 |",
        "## Passed",
    ]
    assert [text.index(part) for part in parts] == sorted(text.index(part) for part in parts)
    assert r"Is it \| there?" in text
    assert "| commit of the project | abc |" in text
    assert "commit of the project | not known" in to_markdown(protocol(walk=replace(WALK, commit=None)))
    assert "nothing was tried" in to_markdown(protocol(walk=replace(WALK, dry=True)))


def test_the_terminal_shows_what_is_left():
    [told] = lists(protocol({"3": SEEN}))
    assert told["title"] == "Checklist for 1001-server: 0 failed, 2 open, 2 passed, 0 not applicable"
    assert [line[0] for line in told["rows"]] == ["2", "4"]
