# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a self-check: whatever it holds, it is read as what it says, or refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.selfcheck import (
    MOST_BYTES,
    SIGNED,
    SelfCheck,
    SelfCheckError,
    judge_selfcheck,
    read_selfcheck,
    selfcheck_event,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import standing_of
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import CheckOutcome, Origin
from hypothesis import given
from hypothesis import strategies as st

from .conftest import CONTRACT, FACTS, SITE

MONTH = timedelta(days=30)
MADE = "2027-05-10T07:00:00Z"
SITES = {"1001": SITE}
NAME = "selvsjekk-1001-pc1.json"


def client_facts() -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(json.dumps(FACTS))
    facts["interactor"] = None
    facts["host"] |= {"name": None, "addresses": None}
    facts["clock"]["offset_seconds"] = None
    facts["pages"] = facts["pages"][:1]
    return facts


def a_file(of: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    told = {
        "selfcheck": 1,
        "version": "1",
        "site": "1001",
        "client": "pc1",
        "made_at": MADE,
        "facts": json.dumps(of or client_facts(), ensure_ascii=False),
        **changes,
    }
    if all(isinstance(told[name], str) for name in SIGNED):
        told.setdefault("checksum", sha256("\n".join(told[name] for name in SIGNED).encode()).hexdigest())
    return {"checksum": "0" * 64, **told}


def content(*args: Any, **changes: Any) -> bytes:
    return json.dumps(a_file(*args, **changes), ensure_ascii=False).encode()


def read(raw: bytes) -> SelfCheck:
    return read_selfcheck(NAME, raw, SITES)


MANNER = "has a value that is not allowed; allowed is "


def spoiled(change: Callable[[dict[str, Any]], object]) -> bytes:
    facts = client_facts()
    change(facts)
    return content(facts)


def test_it_is_read_and_judged_as_a_measured_client(now: datetime):
    found = read(content())
    assert (found.host, found.made) == ("1001-pc1", now)
    checks = judge_selfcheck(found, SITE, CONTRACT, now, MONTH)
    outcomes = {check.id: check.outcome for check in checks}
    assert {name: outcomes[name] for name in ("P1", "P3", "P5")} == dict.fromkeys(("P1", "P3", "P5"), CheckOutcome.PASS)
    assert not {"P2", "P8", "SERVICE"} & set(outcomes)
    event = selfcheck_event(found, checks)
    assert event["key"] == f"self_checked/1001/pc1/{a_file()['checksum'][:32]}"
    (measurement,) = standing_of(SITE, [Event.from_dict(event, now + MONTH)]).measurements
    assert (measurement.origin, measurement.at, measurement.host) == (Origin.SELF_CHECKED, now, "1001-pc1")


def test_what_an_editor_of_windows_adds_does_no_harm():
    assert read(b"\xef\xbb\xbf" + content()) == read(content())


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", "is no file of a self-check (line 1, column 1: Expecting value); allowed is what the self-check"),
        (b"\xff\xfe{\x00", "no UTF-8 at byte 0"),
        (content()[:-40], "is no file of a self-check (line 1, column"),
        (b"[" * 100_000, "nested too deep"),
        (b"[]", "allowed is an object with selfcheck, version"),
        (b'{"site": "1001", "site": "1002"}', "site stands there twice"),
        (b'{"selfcheck": NaN}', "NaN is no number of a self-check"),
        (b'{"selfcheck": 1e999}', "1e999 is no number of a self-check"),
        (b'{"selfcheck": 1000000000000000}', "1000000000000000 is no number of a self-check"),
        (b" " * (MOST_BYTES + 1), f"is {MOST_BYTES + 1} bytes or more; allowed are {MOST_BYTES}"),
        (content(selfcheck=2), "selfcheck: is '2'; allowed is 1: the self-check is of another version than this"),
        (content(selfcheck=True), "selfcheck: is 'true'; allowed is 1"),
        (b'{"selfcheck": 1}', "version: is missing; allowed are selfcheck, version, site"),
        (content(who="x"), "who: is no field; allowed are selfcheck"),
        (content(site=1001), "site: is '1001'; allowed is a text"),
        (content(client=""), "client: is ''; allowed is a text"),
        (content(version="1\n2"), "version: is '1?2'; allowed is a text of one line"),
        (content(client="\x1b[31m"), "client: is '?[31m'; allowed is a text of one line"),
        (content(site="1O01"), "site: is '1O01'; allowed is the id of a site of the register; did you mean 1001?"),
        (content(site="x" * 99), f"site: is '{'x' * 40}…'; allowed is the id of a site of the register"),
        (content(client="server"), "site 1001: client: is 'server'; allowed is a client of the site"),
        (content(client="pc3"), "as the register names them: pc1, pc2"),
        (content(checksum="0" * 64), f"site 1001: checksum: is '{'0' * 40}…'; allowed is that of what is in it"),
        (content(made_at="i dag"), "site 1001: made_at: is 'i dag'; allowed is a moment as 2027-05-18T18:30:00Z"),
        (content(made_at="2027-05-10T07:00:00"), "made_at: is '2027-05-10T07:00:00'; allowed is a moment"),
        (content(made_at="0001-01-01T00:00:00+23:00"), "made_at: is '0001-01-01T00:00:00+23:00'; allowed is a"),
        (content(facts="{"), f"site 1001: facts: {MANNER}the facts as the self-check writes them (line 1, column"),
        (content({"probe": 1}), "site 1001: facts.probe: 1; 3 is understood"),
        (content({"probe": "x" * 999}), "site 1001: facts.probe: str; 3 is understood"),
        (spoiled(lambda facts: facts.pop("proxy")), "site 1001: facts.proxy: is missing"),
        (spoiled(lambda facts: facts.update(interactor=FACTS["interactor"])), f"facts.interactor: {MANNER}null: a"),
        (spoiled(lambda facts: facts["host"].update(name="PC-KARI")), f"facts.host.name: {MANNER}null: a self-check"),
        (spoiled(lambda facts: facts["host"].update(addresses=["10.0.0.1"])), f"facts.host.addresses: {MANNER}null"),
        (spoiled(lambda facts: facts["host"].update(utc="0001-01-01T00:00:00+23:00")), "site 1001: "),
        (spoiled(lambda facts: facts["clock"].update(offset_seconds=-(10**14))), "facts.clock.offset_seconds: is '-1"),
        (spoiled(lambda facts: facts["pages"][0].update(error="C:\\Users\\kari")), f"facts.pages[0].error: {MANNER}"),
        (spoiled(lambda facts: facts["dns"][0].update(name="http://kari:x@p:1")), f"facts.dns[0].name: {MANNER}a text"),
        (spoiled(lambda facts: facts["host"].update(os="\x1b]0;")), f"facts.host.os: {MANNER}a text without control"),
    ],
)  # fmt: skip
def test_what_is_refused_is_named(raw: bytes, text: str):
    with pytest.raises(SelfCheckError) as told:
        read(raw)
    assert text in str(told.value)
    assert str(told.value).startswith(f"{NAME}: ")
    assert "kari" not in str(told.value).lower()
    assert len(str(told.value)) < 500


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (timedelta(minutes=5), None),
        (timedelta(minutes=5, seconds=1), "allowed is at latest 2027-05-10T07:05:00Z"),
        (-MONTH, None),
        (-MONTH - timedelta(seconds=1), "allowed is 2027-04-10T07:00:00Z or later: run the self-check again"),
    ],
)
def test_neither_too_old_nor_ahead_of_time(now: datetime, at: timedelta, text: str | None):
    made = f"{now + at:%Y-%m-%dT%H:%M:%SZ}"
    found = read(content(made_at=made))
    if text is None:
        assert judge_selfcheck(found, SITE, CONTRACT, now, MONTH)
        return
    with pytest.raises(SelfCheckError) as told:
        judge_selfcheck(found, SITE, CONTRACT, now, MONTH)
    assert str(told.value) == f"{NAME}: site 1001: made_at: is {made!r}; {text}"


def test_a_clock_that_is_wrong_and_says_so_is_put_right(now: datetime):
    """Its PC believes that it is an hour later, and has asked a time server."""
    facts = client_facts()
    facts["clock"]["offset_seconds"] = 3600
    facts["host"]["utc"] = "2027-05-10T08:00:00Z"
    found = read(content(facts, made_at="2027-05-10T08:00:00Z"))
    assert found.made == now
    (clock,) = [check for check in judge_selfcheck(found, SITE, CONTRACT, now, MONTH) if check.id == "CLOCK"]
    assert clock.outcome is CheckOutcome.FAIL


def test_a_clock_that_knows_nothing_better_is_not_known(now: datetime):
    (clock,) = [c for c in judge_selfcheck(read(content()), SITE, CONTRACT, now, MONTH) if c.id == "CLOCK"]
    assert clock.outcome is CheckOutcome.UNKNOWN


def test_long_texts_are_cut(now: datetime):
    found = read(spoiled(lambda facts: facts["pages"][0].update(status=0, error="x" * 9999)))
    (page,) = [check for check in judge_selfcheck(found, SITE, CONTRACT, now, MONTH) if check.id == "P1"]
    assert len(page.observed) <= 300


def test_facts_that_cannot_be_judged_are_refused_by_name(now: datetime, monkeypatch: pytest.MonkeyPatch):
    def broken(*_args: object) -> None:
        raise OverflowError("kari")

    name = "ansible_collections.helsevest.interactor.plugins.module_utils._domain.selfcheck.judge_facts"
    monkeypatch.setattr(name, broken)
    with pytest.raises(SelfCheckError, match="site 1001: facts: has a value that is not allowed") as told:
        judge_selfcheck(read(content()), SITE, CONTRACT, now, MONTH)
    assert "kari" not in str(told.value)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PATHS = [(part, key) for part, inner in FACTS.items() if isinstance(inner, dict) for key in inner]


@given(raw=st.binary(max_size=200) | TREES.map(lambda tree: json.dumps(tree).encode()))
def test_any_bytes_are_refused_by_the_files_name(raw: bytes):
    with pytest.raises(SelfCheckError, match=f"^{NAME}: "):
        read(raw)


@given(path=st.sampled_from(PATHS), value=TREES)
def test_any_value_in_the_facts_is_judged_or_refused(path: tuple[str, str], value: object):
    facts = client_facts()
    if facts[path[0]] is None:
        return
    facts[path[0]][path[1]] = value
    now = datetime(2027, 5, 10, 7, tzinfo=UTC)
    try:
        checks = judge_selfcheck(read(content(facts)), SITE, CONTRACT, now, MONTH)
    except SelfCheckError:
        return
    Event.from_dict(selfcheck_event(read(content(facts)), checks), now)


def test_any_change_of_a_file_is_noticed(make_site: Callable[..., Site]):
    told = a_file()
    for name in SIGNED:
        with pytest.raises(SelfCheckError):
            read_selfcheck(
                NAME, json.dumps({**told, name: told[name].replace("1", "2")}).encode(), {**SITES, "2002": SITE}
            )
