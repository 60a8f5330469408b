# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Some of the checks alone: which they are, and that they never make a site ready nor hide what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.families import (
    FAMILIES,
    chosen,
    family_of,
    list_of_part,
    of_families,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.results import CheckResult, result
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.since import failing_since
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import standing_of
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.verdict import Validity, site_verdict
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import EventKind, Severity, Verdict
from hypothesis import given
from hypothesis import strategies as st

from .conftest import SITE

START = datetime(2027, 5, 3, 7, tzinfo=UTC)
SERVER, PC = "1001-server", "1001-pc1"
VALIDITY = Validity()
REMEDIES = {"P5": ("P5.double", {"script": "s"}), "P8": ("P8.sleep", {}), "P1": ("P1", {"url": "u", "text": "t"})}
Outcomes = Mapping[str, bool | None]


def check(name: str, outcome: bool | None) -> CheckResult:
    remedy, values = REMEDIES[name]
    return result(SITE, name, outcome, observed="x", expected="y", remedies=[remedy], **values)


def whole(hours: int, host: str = SERVER, **outcomes: bool | None) -> Event:
    checks = [check(name, outcome) for name, outcome in {"P1": True, "P5": True, "P8": True, **outcomes}.items()]
    verdict = "not_ready" if any(one.blocks for one in checks) else "ready"
    data = {"origin": "measured", "reached": True, "cause": None, "detail": "", "verdict": verdict}
    data |= {"checks": [one.to_dict() for one in checks], "version": "5.4.1", "mode": "local"}
    return Event(kind=EventKind.MEASURED, at=START + timedelta(hours=hours), site="1001", host=host, data=data)


def part(hours: int, host: str = SERVER, **outcomes: bool | None) -> Event:
    checks = [check(name, outcome).to_dict() for name, outcome in outcomes.items()]
    data = {"origin": "measured", "families": sorted({family_of(name) for name in outcomes}), "checks": checks}
    return Event(kind=EventKind.PART_MEASURED, at=START + timedelta(hours=hours), site="1001", host=host, data=data)


def off(hours: int, host: str = SERVER) -> Event:
    data = {"origin": "measured", "reached": False, "cause": "timeout", "detail": "", "verdict": "unreachable"}
    data |= {"checks": [], "version": None, "mode": None}
    return Event(kind=EventKind.MEASURED, at=START + timedelta(hours=hours), site="1001", host=host, data=data)


def verdict(events: Sequence[Event], hours: int = 6) -> tuple[Verdict | None, set[str]]:
    """The verdict of a site with a server alone, and the ids of its findings."""
    standing = standing_of(ALONE, events)
    found = site_verdict(ALONE, standing.measurements, [], START + timedelta(hours=hours), VALIDITY)
    return (found.verdict, {finding.check.id for finding in found.findings}) if found else (None, set())


ALONE = SITE.__class__(**{**vars(SITE), "clients": (), "waivers": ()})


class TestFamilies:
    def test_a_check_has_one(self):
        assert {name: family_of(name) for name in ("P1", "P2", "P3", "P4.ros", "P5", "P6.urls", "P8", "CLOCK")} == {
            "P1": "pages",
            "P2": "pages",
            "P3": "speed",
            "P4.ros": "register",
            "P5": "proxy",
            "P6.urls": "register",
            "P8": "power",
            "CLOCK": "clock",
        }
        assert {"clock", "pages", "power", "proxy", "register", "service", "speed"} <= set(FAMILIES)

    @pytest.mark.parametrize(
        ("tags", "skipped", "families"),
        [
            (["all"], [], []),
            (FAMILIES, [], []),
            (["proxy"], [], ["proxy"]),
            (["speed", "proxy", "always"], [], ["proxy", "speed"]),
            (["all"], ["speed"], [family for family in FAMILIES if family != "speed"]),
            (["proxy", "speed"], ["speed"], ["proxy"]),
            (["all"], ["molecule-notest", "notest", "molecule-idempotence-notest"], []),
        ],
    )
    def test_tags_choose_them(self, tags: list[str], skipped: list[str], families: list[str]):
        assert chosen(tags, skipped) == families

    @pytest.mark.parametrize(
        ("tags", "skipped", "told"),
        [
            (["proxi"], [], r"'proxi' is no family of checks; did you mean proxy\? \(allowed: clock, "),
            (["all"], ["zzz"], r"^'zzz' is no family of checks \(allowed: "),
            (["proxy"], ["proxy"], "no family of checks is left"),
        ],
    )
    def test_a_word_that_is_none_is_refused(self, tags: list[str], skipped: list[str], told: str):
        with pytest.raises(ValueError, match=told):
            chosen(tags, skipped)

    def test_they_choose_among_the_checks(self):
        checks = [check("P1", True), check("P5", False)]
        assert of_families(checks, []) == checks
        assert of_families(checks, ["proxy", "speed"]) == [checks[1]]


class TestStanding:
    def test_what_a_part_finds_wrong_counts_at_once(self):
        assert verdict([whole(0)]) == (Verdict.READY, set())
        assert verdict([whole(0), part(1, P5=False)]) == (Verdict.NOT_READY, {"P5"})
        assert verdict([whole(0), part(1, P5=None)]) == (Verdict.NOT_READY, {"P5"})

    def test_what_a_part_finds_right_counts_in_a_whole_preflight_only(self):
        assert verdict([whole(0, P5=False), part(1, P5=True)]) == (Verdict.NOT_READY, {"P5"})
        assert verdict([whole(0), part(1, P5=False), part(2, P5=True)]) == (Verdict.NOT_READY, {"P5"})
        assert verdict([whole(0), part(1, P5=False), whole(2)]) == (Verdict.READY, set())

    def test_a_part_alone_is_no_verdict(self):
        assert verdict([part(0, P1=True, P5=True, P8=True)]) == (None, set())

    def test_a_part_makes_nothing_younger(self):
        standing = standing_of(ALONE, [whole(0), part(20, P5=True)])
        found = site_verdict(ALONE, standing.measurements, [], START + timedelta(hours=25), VALIDITY)
        assert found is not None
        assert (found.expired, found.at) == (True, START)
        assert verdict([whole(0), off(1), part(2, P5=True)])[0] is Verdict.UNREACHABLE

    def test_it_says_that_it_is_a_part_and_since_when(self):
        standing = standing_of(ALONE, [whole(0), part(3, P5=False, P8=False), part(4, P5=False)])
        (measurement,) = standing.measurements
        told = {one.id: one.observed for one in measurement.checks}
        assert (told["P5"], told["P1"]) == ("x; found when proxy alone was asked for", "x")
        carried = {"P5": START + timedelta(hours=3)}
        begun = failing_since(ALONE, standing.measurements, carried, START + timedelta(hours=5), VALIDITY)
        assert begun == {"P5": START + timedelta(hours=3), "P8": START + timedelta(hours=3)}
        begun = failing_since(ALONE, standing.measurements, {}, START + timedelta(hours=5), VALIDITY)
        assert begun["P5"] == START + timedelta(hours=4), "without a row that carries it, since a part saw it last"
        again = standing_of(ALONE, [whole(0, P5=False), part(3, P5=False)])
        begun = failing_since(ALONE, again.measurements, {}, START + timedelta(hours=5), VALIDITY)
        assert begun == {"P5": START}, "it was wrong before"

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["whole", "part", "off"]),
                st.dictionaries(st.sampled_from(["P1", "P5", "P8"]), st.sampled_from([True, False, None]), min_size=1),
            ),
            max_size=8,
        )
    )
    def test_no_part_makes_a_site_ready_or_hides_what_is_wrong(self, history: list[tuple[str, Outcomes]]):
        events: list[Event] = []
        for number, (kind, outcomes) in enumerate(history):
            made = {"whole": whole, "part": part}.get(kind)
            events.append(made(number, **outcomes) if made else off(number))
        without = verdict([event for event in events if event.kind is not EventKind.PART_MEASURED], len(history))
        found = verdict(events, len(history))
        order = [*Verdict, None]
        assert order.index(found[0]) <= order.index(without[0])
        assert without[1] <= found[1]
        wholes = [number for number, (kind, _) in enumerate(history) if kind == "whole"]
        if wholes and history[-1][0] != "off" and found[0] is not Verdict.UNREACHABLE:
            since = [outcomes for kind, outcomes in history[wholes[-1] + 1 :] if kind == "part"]
            wrong = {name for outcomes in since for name, outcome in outcomes.items() if outcome is not True}
            assert found[1] == without[1] | wrong
        # What the journal gives of a long history says the same as all of it.
        newest = {(event.kind, event.slot): event for event in events}
        short = sorted(newest.values(), key=lambda event: event.at)
        assert verdict(short, len(history)) == found


def test_the_table_of_a_part():
    results = [
        ("1001-server", {"reached": True, "error": None, "checks": [check("P5", False).to_dict()]}),
        ("1001-pc1", {"reached": False, "cause": "refused", "detail": "", "checks": []}),
        ("1001-pc2", {"reached": True, "error": "KeyError: 'x'", "checks": []}),
    ]
    right = ("1001-pc3", {"reached": True, "error": None, "checks": [check("P5", True).to_dict()]})
    table = list_of_part([*results, right], ["proxy", "speed"])
    assert table["title"] == "Only proxy, speed: a part of the checks, and no verdict"
    assert table["notes"] == ["4 hosts: 1 with nothing wrong"]
    assert table["rows"] == [
        ["1001-server", "P5", "fail", "x"],
        ["1001-pc1", "–", "not reached", "refused: its port for remote management is closed"],
        ["1001-pc2", "–", "error", "KeyError: 'x'"],
    ]
    assert list_of_part([right], ["proxy"]) == {
        "title": "Only proxy: a part of the checks, and no verdict",
        "headings": [],
        "rows": [],
        "notes": ["Only proxy: a part of the checks, and no verdict", "1 host: 1 with nothing wrong"],
    }


def test_a_warning_of_a_part_is_none_of_the_verdict():
    warning = result(SITE, "P3", False, observed="x", expected="y", severity=Severity.WARNING, remedies=["P3"], mbit=20)
    event = part(1, P5=True)
    light = Event.from_dict({**event.to_dict(), "data": {**event.data, "checks": [warning.to_dict()]}}, event.at)
    assert verdict([whole(0), light]) == (Verdict.READY, {"P3"})
