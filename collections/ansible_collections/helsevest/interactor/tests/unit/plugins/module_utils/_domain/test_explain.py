# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is known of one site: what is told of it, in which order, and what is not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.calendar import Calendar
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.decision import decide
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.explain import explain
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.explain_lists import explain_lists
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.gate_rules import Reason
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import standing_of
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.step import Situation
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import EventKind

from .test_decision import CALENDAR, MANIFEST, SETTINGS, VARIABLES
from .test_since import measured

NOON = datetime(2027, 5, 12, 10, tzinfo=UTC)
SERVER, PC1 = "1001-server", "1001-pc1"
WAVE = {
    "id": 1,
    "name": "Wave 1",
    "window": None,
    "dates": {"from": "2027-05-18", "to": "2027-05-27"},
    "freezes": [{"from": "2027-05-01", "to": "2027-05-02", "reason": "over"}],
}
VENDOR = {"windows": [], "freezes": [{"from": "2027-12-13", "to": "2028-01-03", "reason": "Christmas"}]}
WAIVER = {"check": "P3", "site": "1001", "reason": "a new line in June", "who": "Head", "until": "2027-06-30"}


def event(kind: str, at: datetime, **fields: Any) -> Event:
    return Event(kind=EventKind(kind), at=at, run_id="run-1", **fields)


def released(until: str = "2027-05-28T22:00:00Z") -> Event:
    data = {"name": "Kari", "reason": "all have answered", "until": until}
    return event("released", NOON - timedelta(days=1), subject="1", data=data)


def ready(at: datetime, server: str = "pass") -> list[Event]:
    return [measured(SERVER, server, at), measured(PC1, "pass", at)]


def told(events: list[Event], now: datetime = NOON, *, reasons: Any = None, **changes: Any) -> dict[str, Any]:
    """What is told of site 1001 with `changes` to its `interactor_site`, and with other `reasons` of the gate."""
    variables = {
        **VARIABLES,
        "interactor_site": {**VARIABLES["interactor_site"], "asked": "2027-03-01", **changes},
        "interactor_wave": WAVE if changes.get("wave", 1) else None,
        "interactor_vendor": VENDOR,
        "interactor_waivers": [WAIVER],
    }
    site = Site.from_vars(variables)
    situation = Situation(site, standing_of(site, events), CALENDAR, SETTINGS, now, "")
    decision = decide(situation)
    decision = decision if reasons is None else replace(decision, reasons=reasons)
    return explain(situation, decision, events, variables)


def lines(entries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(entry["at"], entry["what"]) for entry in entries]


def test_past_and_future_stand_in_order_of_time():
    answer = told([*ready(NOON - timedelta(hours=2)), released()])
    assert lines(answer["past"]) == [
        ("2027-03-01", "Asked for its answers (P6)"),
        ("2027-04-01", "Agreement sent for signing, digital (P4)"),
        ("2027-04-15", "Agreement signed, digital (P4)"),
        ("2027-04-20", "Confirmed that it reaches the web pages (P6)"),
        ("2027-04-20", "Confirmed its proxy setting (P6)"),
        ("2027-05-11T10:00:00Z", "Wave 1 released by Kari until 29.05.2027 00:00"),
        ("2027-05-12T08:00:00Z", "1001-server measured: not ready"),
        ("2027-05-12T08:00:00Z", "1001-pc1 measured: not ready"),
    ]
    assert lines(answer["ahead"]) == [
        ("2027-05-13T08:00:00Z", "End of the preflight of 1001-server: it is measured again"),
        ("2027-05-14T15:00:00Z", "Upgrade evening (U1)"),
        ("2027-05-18", "The days of wave 1"),
        ("2027-05-18T18:00:00Z", "Move window (M1)"),
        ("2027-05-19T05:00:00Z", "Check after the move, with the contact at work (A2)"),
        ("2027-05-26T08:00:00Z", "End of the preflight of 1001-pc1: it is measured again"),
        ("2027-05-28T22:00:00Z", "End of the release of wave 1 by Kari"),
        ("2027-06-30T21:59:00Z", "End of the waiver of P3"),
        ("2027-12-13", "Freeze of the vendor"),
    ]


def test_a_window_tells_its_end_and_its_real_length():
    (window,) = [entry for entry in told([], move_date="2027-10-30")["ahead"] if entry["what"] == "Move window (M1)"]
    assert (window["at"], window["until"]) == ("2027-10-30T18:00:00Z", "2027-10-31T05:00:00Z")
    assert window["detail"] == "11 h, for the clocks change that night"


def test_a_closure_that_has_begun_lies_ahead_until_its_last_day_is_over():
    closed = [{"from": "2027-05-10", "to": "2027-05-12"}, {"from": "2027-07-05", "to": "2027-07-25"}]
    for now, expected in ((NOON, 2), (NOON + timedelta(hours=12), 1)):
        ahead = told([], now, closed=closed)["ahead"]
        assert [entry["what"] for entry in ahead].count("Closed") == expected


def test_the_head_is_told_in_words():
    head = told([])["head"]
    assert head["wave"] == "1, Wave 1, 18.05.2027 to 27.05.2027"
    assert head["window"] == "20:00 to 06:00 on the next day, every day"
    assert head["move_date"] == "Tuesday 18.05.2027"
    assert head["upgrade_evening"] == "Friday 14.05.2027 17:00 to 22:00 (5 h)"
    assert head["move_window"] == "Tuesday 18.05.2027 20:00 to Wednesday 19.05.2027 06:00 (10 h)"
    assert head["waivers"] == ["P3 until 30.06.2027, by Head: a new line in June"]
    assert (head["kind"], head["language"], head["shared_server"]) == ("gp office", "bokmål", "no")
    shared = told([], together=["1001", "1018", "1019"], shared_server="kai")["head"]["shared_server"]
    assert shared == "kai, with 1018, 1019"


def test_of_a_site_that_moves_with_another_it_tells_so_and_what_was_done_on_the_server():
    shared = {"together": ["1000", "1001"], "shared_server": "kai"}
    held = {"schema": 1, "site": "kai", "upgrade": None, "lease": None, "attempts": []}
    data = {"ledger": held, "error": None, "mode": "local", "version": "6.2.0"}
    of_the_server = event("ledger", NOON, site="1000", host="1000-server", data=data)
    step = {"phase": "upgrade", "attempt": None, "ok": True, "detail": "", "started": "2027-05-12T09:00:00Z"}
    taken = event("step", NOON, site="1000", subject="stage", data=step)
    told_of = told([*ready(NOON), of_the_server, taken], **shared)
    assert told_of["next"]["text"] == "Nothing of its own: it moves with 1000, on whose server the steps are taken"
    past = " ".join(entry["what"] for entry in told_of["past"])
    assert "cannot be trusted" not in past
    assert "stage" in past


@pytest.mark.parametrize(
    ("day", "length"),
    [
        ("2027-03-27", "(9 h, for the clocks change that night)"),
        ("2027-10-30", "(11 h, for the clocks change that night)"),
        ("2027-03-28", "(10 h)"),
    ],
)
def test_a_night_is_as_long_as_it_is(day: str, length: str):
    assert told([], move_date=day)["head"]["move_window"].endswith(f" 06:00 {length}")


def test_a_site_without_anything_is_told_as_well():
    changes = {"wave": None, "move_date": None, "contact": None, "closed": None, "epj": None, "clients": []}
    answer = told([], **changes)
    head = answer["head"]
    assert (head["wave"], head["move_date"], head["upgrade_evening"], head["move_window"]) == (
        "none yet",
        "not set",
        "not set",
        "not set",
    )
    assert head["contact"] == "not known"
    needed = {(one["code"], one["who"]) for one in answer["next"]["needed"]}
    assert {("not_measured", "us"), ("P6.contact", "site"), ("no_wave", "us"), ("not_dated", "us")} <= needed


def test_of_the_contact_it_says_only_that_there_is_one():
    answer = told(ready(NOON))
    assert answer["head"]["contact"] == "known"
    text = json.dumps([answer, explain_lists(answer)], ensure_ascii=False)
    contact = VARIABLES["interactor_site"]["contact"]
    assert [contact[name] for name in ("email", "phone") if contact[name] in text] == []


class TestWhatComesNext:
    def test_a_measurement_that_is_due_hides_no_reason(self):
        answer = told([], agreement={**VARIABLES["interactor_site"]["agreement"], "status": "sent"})
        assert answer["next"]["text"] == "Preflight probe on 1001-server, 1001-pc1, with the next tick"
        assert {"not_measured", "not_released"} <= {reason["code"] for reason in answer["standing"]["reasons"]}
        needed = [one["code"] for one in answer["next"]["needed"]]
        assert sorted(needed) == ["P4", "not_measured", "not_released"], "each once"

    def test_what_waits_for_its_time_says_when(self):
        monday = NOON - timedelta(days=2)
        answer = told([*ready(monday), released()], monday)
        assert answer["next"]["text"] == "Upgrade, when its time comes: Tuesday 11.05.2027 17:00"
        assert answer["next"]["needed"] == []

    def test_what_may_not_says_what_stands_against_it(self):
        evening = datetime(2027, 5, 14, 16, tzinfo=UTC)
        answer = told([*ready(evening, "fail"), released()], evening)
        assert answer["next"]["text"] == "Upgrade look on 1001-server, as soon as nothing stands against it"
        (needed,) = answer["next"]["needed"]
        assert (needed["code"], needed["who"]) == ("P5", "site")
        (owed,) = answer["standing"]["owes"]
        assert (owed["code"], owed["since"]) == ("P5", "2027-05-14T16:00:00Z")

    def test_a_site_without_a_date_waits_for_one(self):
        assert told(ready(NOON), move_date=None)["next"]["text"] == "Nothing before the site has a move date"

    def test_what_the_gate_says_operations_does_is_what_is_needed(self):
        reason = Reason("not_released", "wave 1 is not released", "release it", "us", "Vi venter.")
        answer = told(ready(NOON), reasons=(reason,))
        assert answer["next"]["needed"] == [{"code": "not_released", "who": "us", "text": "release it"}]
        why = explain_lists(answer)[3]["rows"]
        assert ["us", "not_released", "wave 1 is not released\nrelease it\n«Vi venter.»"] in why


def moved() -> list[Event]:
    night = datetime(2027, 5, 18, 19, tzinfo=UTC)
    attempt = {"number": 1, "key": "k", "state": "switched", "started": "2027-05-18T18:31:00Z", "before": MANIFEST}
    ledger = {"schema": 1, "site": "1001", "attempts": [{**attempt, "switched": "2027-05-18T19:00:00Z"}]}
    counts = {"orders": "3/3"}
    return [
        *ready(night),
        released(),
        event(
            "ledger",
            night,
            site="1001",
            host=SERVER,
            data={"ledger": ledger, "error": None, "mode": "server_in_cloud", "version": "6.2.0"},
        ),
        event("reconciled", night, site="1001", subject="1", data={"equal": True, "differences": [], "counts": counts}),
    ]


def test_after_the_move_the_morning_check_lies_ahead_and_then_nothing_does():
    answer = told(moved(), datetime(2027, 5, 19, 1, tzinfo=UTC))
    assert answer["next"]["text"] == "Postcheck, when its time comes: Wednesday 19.05.2027 07:00"
    assert "Check after the move, with the contact at work (A2)" in {entry["what"] for entry in answer["ahead"]}
    morning = datetime(2027, 5, 19, 5, tzinfo=UTC)
    checked = [*moved(), event("checked", morning, site="1001", subject="1", data={"checks": []})]
    answer = told(checked, morning + timedelta(hours=1))
    assert answer["next"]["text"] == "Nothing: the site is moved and verified"
    assert answer["next"]["needed"] == []
    assert "measured again" not in json.dumps(answer["ahead"])
    assert "Check after the move, with the contact at work (A2)" not in {entry["what"] for entry in answer["ahead"]}


def made(known: bool, *ids: str) -> Event:
    things = [{"category": "orders", "id": name, "at": "2027-05-19T06:10:00Z"} for name in ids]
    morning = datetime(2027, 5, 19, 7, tzinfo=UTC)
    return event("made", morning, site="1001", subject="1", data={"known": known, "made": things})


def test_past_the_point_of_no_return_it_lists_what_was_made_in_the_cloud():
    later = datetime(2027, 5, 19, 8, tzinfo=UTC)
    for known, ids, passed, rows in (
        (True, (), False, None),
        (True, ("o-1",), True, [["1001", "19.05.2027 08:10", "orders", "o-1"]]),
        (False, (), None, [["1001", "", "", "the cloud does not say what was made in it"]]),
    ):
        answer = told([*moved(), made(known, *ids)], later)
        assert answer["standing"]["point_of_no_return"]["passed"] is passed
        lists = explain_lists(answer)[6:]
        assert [each["rows"] for each in lists] == ([] if rows is None else [rows])
        count = "an unknown number" if not known else len(ids)
        assert f"Made in the cloud since the switch: {count}" in [entry["what"] for entry in answer["past"]]
    silent = told([*moved(), made(True, "o-1"), made(False)], later)
    assert silent["standing"]["point_of_no_return"]["passed"] is True
    assert [row[3] for row in explain_lists(silent)[6]["rows"]] == ["o-1"]
    assert told(moved(), later)["standing"]["point_of_no_return"] is None


class TestLists:
    def test_every_list_has_as_many_cells_as_headings(self):
        for answer in (told([]), told([*ready(NOON, "fail"), released()]), told(moved(), NOON + timedelta(days=9))):
            for each in explain_lists(answer):
                assert {len(row) for row in each["rows"]} == {len(each["headings"])}
                assert all(isinstance(cell, str) for row in each["rows"] for cell in row)

    def test_what_was_folded_and_what_is_owed_is_told(self):
        events = [event for hours in (3, 2, 1) for event in ready(NOON - timedelta(hours=hours), "fail")]
        head, past, _ahead, why, _clients, following = explain_lists(told(events))
        assert head["title"] == "Site 1001 as of 12.05.2027 12:00"
        texts = [row[2] for row in past["rows"]]
        first = "1001-server measured: not ready, open: P5 – 3 times the same, the last 12.05.2027 11:00"
        assert [text.splitlines()[0] for text in texts if text.startswith("1001-server")] == [first]
        assert why["title"] == "Why it is where it is: dated, not ready, not started"
        (reason,) = [row for row in why["rows"] if row[1] == "P5"]
        assert reason[0] == "site"
        text, owed, *_do, remedy = reason[2].splitlines()
        assert (text, owed) == (f"{SERVER}: Only the automatic proxy script is set: no, x", "owed since: 12.05.2027")
        assert remedy.startswith("«PC-en har dobbelt proxyoppsett")
        assert following["rows"][0][0] == "next"

    def test_an_empty_list_says_so(self):
        no_dates = {"asked": None, "agreement": {"status": "missing", "form": "digital", "sent": None, "signed": None}}
        answer = told([], confirmed={"urls": None, "proxy": None}, move_date=None, **no_dates)
        assert explain_lists(answer)[1]["rows"] == [["", "", "nothing"]]


def test_a_calendar_that_does_not_reach_is_an_error():
    site = Site.from_vars(VARIABLES)
    short = Calendar(frozenset(), frozenset({2030}))
    situation = Situation(site, standing_of(site, []), short, SETTINGS, NOON, "")
    with pytest.raises(ValueError, match="outside 2030"):
        explain(situation, decide(situation), [], VARIABLES)


def test_what_is_known_of_each_client_and_by_whom():
    answer = told([])
    base = {"at": "2027-05-09T10:00:00Z", "until": "2027-06-08T10:00:00Z", "verdict": "not_ready"}
    answer["standing"]["clients"] = [
        {"host": "1001-pc1", "origin": "self_checked", **base},
        {"host": "1001-pc2", "origin": None, "at": None, "until": None, "verdict": "not_ready"},
        {"host": "1001-pc3", "origin": "measured", **base},
        {"host": "1001-pc4", "origin": "confirmed", **base},
    ]
    (known,) = [each for each in explain_lists(answer) if each["title"] == "What is known of its clients"]
    assert known["rows"] == [
        ["1001-pc1", "self-checked by the office: not ready", "09.05.2027 12:00", "08.06.2027 12:00"],
        ["1001-pc2", "nothing that counts", "", ""],
        ["1001-pc3", "measured by us: not ready", "09.05.2027 12:00", "08.06.2027 12:00"],
        ["1001-pc4", "confirmed by the office: not ready", "09.05.2027 12:00", "08.06.2027 12:00"],
    ]
