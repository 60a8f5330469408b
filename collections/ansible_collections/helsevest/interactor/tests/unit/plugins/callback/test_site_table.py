# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table on the terminal."""

from __future__ import annotations

import builtins
import re
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.utils import color
from ansible_collections.helsevest.interactor.plugins.callback.site_table import CallbackModule, render, site_sheets
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.lists import list_sheets
from ansible_collections.helsevest.interactor.plugins.plugin_utils._site_rows import NotRecordedError

ROW: dict[str, Any] = {
    "site": "1004",
    "name": "Fjellsida legekontor i Øvre Ytterdal kommune",
    "wave": 1,
    "window": "20:00–06:00",
    "state": "moved",
    "verdict": "unreachable",
    "outcome": "moved_outside",
    "owes": ["agreement_not_signed", "contact_missing"],
    "upgraded": "2027-05-14T15:31:00Z",
    "started": None,
    "finished": None,
    "switched": "2027-05-18T18:45:00Z",
    "verified": "2027-05-19T05:00:00Z",
    "counts": {"orders": "10412/10412", "started_requisitions": "1031/1031", "favourite_packages": "111/112"},
    "needs_us": True,
    "why": "a text with [bold]brackets[/bold] that is long enough to be wrapped at any width: " + "word " * 20,
}
TABLE = {"title": "Wave [1]", "rows": [ROW, {"site": "1005"}]}


def ok(answer: dict[str, Any], **more: Any) -> SimpleNamespace:
    """A task's result as a callback gets it."""
    task = {"action": "x", "register": None, "args": {}, "check_mode": False, **more}
    return SimpleNamespace(result=answer, host=SimpleNamespace(name="1001-server"), task=SimpleNamespace(**task))


def drawn(table: dict[str, Any], width: int, *, coloured: bool = False) -> str:
    return render(site_sheets(table, width), width, coloured=coloured)


@pytest.fixture
def callback(monkeypatch: pytest.MonkeyPatch) -> CallbackModule:
    callback = CallbackModule()
    shown: list[tuple[str, dict[str, Any]]] = []
    callback._display = SimpleNamespace(
        display=lambda text, **more: shown.append((text, more)),
        warning=lambda text: shown.append((text, {"warning": True})),
    )
    callback.shown = shown
    monkeypatch.setattr(color, "ANSIBLE_COLOR", False)
    return callback


@pytest.mark.parametrize("width", [100, 160])
def test_every_word_is_there_and_no_line_is_too_long(width: int):
    text = drawn(TABLE, width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "\x1b" not in text
    assert "…" not in text
    for whole in ("Wave [1]", "1004", "20:00–06:00", "unreachable", "moved outside", "orders 10412/10412", "needs us"):
        assert whole in text
    for whole in ("upgraded 14.05 17:31", "moved 18.05 20:45", "verified 19.05 07:00", "packages 111/112", "[bold]"):
        assert whole in text
    assert "2 sites: 1 moved outside, 1 under way; 1 needs us" in text


def test_one_row_a_site_in_the_given_order():
    text = drawn({"rows": [{"site": site} for site in ("2001", "1001", "1002")]}, 160)
    assert re.findall(r"\b\d{4}\b", text) == ["2001", "1001", "1002"]


def test_colours_only_where_they_are_wanted():
    rows = [{"outcome": "verified"}, {"outcome": "failed"}, {"verdict": "not_ready"}]
    text = drawn({"rows": rows}, 160, coloured=True)
    assert "\x1b[32mverified" in text
    assert "\x1b[1;31mfailed" in text
    assert "\x1b[33mnot ready" in text


@pytest.mark.parametrize("answer", [{"site_table": TABLE}, {"ansible_facts": {"site_table": TABLE}}])
def test_a_result_or_a_fact_is_shown(callback: CallbackModule, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(color, "ANSIBLE_COLOR", True)
    callback.v2_runner_on_ok(ok(answer))
    (screen, screen_only), (log, log_only) = callback.shown
    assert (screen_only, log_only) == ({"screen_only": True}, {"log_only": True})
    assert "\x1b[" in screen
    assert log == drawn(TABLE, 100)


@pytest.mark.parametrize("answer", [{}, {"ansible_facts": None}, {"ansible_facts": {"x": 1}}, {"site_table": None}])
def test_other_results_are_left_alone(callback: CallbackModule, answer: dict[str, Any]):
    callback.v2_runner_on_ok(ok(answer))
    assert callback.shown == []


@pytest.mark.parametrize("table", ["text", {"title": "x"}, {"rows": [1]}, {"rows": [{"upgraded": "soon"}]}])
def test_what_is_no_table_is_a_warning_and_no_crash(callback: CallbackModule, table: object):
    callback.v2_runner_on_ok(ok({"site_table": table}))
    [(text, more)] = callback.shown
    assert more == {"warning": True}
    assert text.startswith("site_table: this is no table of sites: ")


@pytest.mark.parametrize("answer", [{"plan_calendar": "text"}, {"ansible_facts": {"plan_calendar": {"sites": []}}}])
def test_what_is_no_plan_is_a_warning_and_no_crash(callback: CallbackModule, answer: dict[str, Any]):
    callback.v2_runner_on_ok(ok(answer))
    [(text, more)] = callback.shown
    assert more == {"warning": True}
    assert text.startswith("site_table: this is no plan: ")


def test_a_plan_is_shown(callback: CallbackModule, plans: Any):
    callback.v2_runner_on_ok(ok({"ansible_facts": {"plan_calendar": plans.plan()}}))
    assert [more for _, more in callback.shown] == [{"screen_only": True}, {"log_only": True}]
    assert "The plan is optimal" in callback.shown[0][0]


def test_without_rich_the_package_is_named(callback: CallbackModule, monkeypatch: pytest.MonkeyPatch):
    real = builtins.__import__

    def without_rich(name: str, *more: Any) -> object:
        if name.split(".")[0] == "rich":
            raise ImportError(f"No module named {name!r}")
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without_rich)
    callback.v2_runner_on_ok(ok({"site_table": TABLE}))
    assert callback.shown == [
        ("site_table: the table needs the Python package rich: No module named 'rich'", {"warning": True})
    ]


LIST = {
    "title": "What [is] owed",
    "headings": ["Since", "Site", "Check", "What"],
    "rows": [["01.05.2027", "1001", "", "a text with [bold]brackets[/bold] that is long: " + "word " * 30]],
}


@pytest.mark.parametrize("width", [90, 160])
@pytest.mark.parametrize("headings", [LIST["headings"], [""] * 4])
def test_a_list_tells_every_word_at_any_width(width: int, headings: list[str]):
    text = render(list_sheets([{**LIST, "headings": headings}], width), width, coloured=False)
    assert max(len(line) for line in text.splitlines()) <= width
    for whole in ("What [is] owed", "01.05.2027", "1001", "[bold]brackets[/bold]"):
        assert whole in text
    assert text.count("word") == 30
    assert ("Since" in text) is bool(headings[0])


@pytest.mark.parametrize("width", [80, 120, 160])
def test_long_texts_before_the_last_column_take_room_from_no_other(width: int):
    before, after = (f"counter {number}, flags 7, script http://config.nhn.no/kunde.pac" for number in (3, 4))
    row = ["1002-pc2", "proxy", "profile 2, DefaultConnectionSettings", before, after, "at the next start"]
    changed = {
        "title": "Changed",
        "headings": ["Host", "Check", "What", "Before", "After", "Takes effect"],
        "rows": [row],
    }
    text = render(list_sheets([changed], width), width, coloured=False)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "1002-pc2" in text
    assert "proxy" in text
    together = re.sub(r"\s", "", text)
    assert together.count("flags7") == 2
    if width >= 120:
        assert all(heading in text for heading in changed["headings"])
        assert "at the next" in text


def test_lists_are_shown_one_below_the_other(callback: CallbackModule, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "160")
    callback.v2_runner_on_ok(ok({"site_lists": [LIST, {**LIST, "title": "The last"}]}))
    (text, _), _log = callback.shown
    assert text.index("What [is] owed") < text.index("The last")


@pytest.mark.parametrize("lists", ["text", [{"title": "x"}], [{**LIST, "rows": [["too", "short"]]}]])
def test_what_is_no_list_is_a_warning_and_no_crash(callback: CallbackModule, lists: object):
    callback.v2_runner_on_ok(ok({"site_lists": lists}))
    [(text, more)] = callback.shown
    assert more == {"warning": True}
    assert text.startswith("site_table: this is no list of lists: ")


GATE = "helsevest.interactor.site_gate"
PROBE = "__preflight_result"


class Rows:
    """What the callback tells of a run, and what it is told."""

    def __init__(self) -> None:
        self.met: list[Any] = []
        self.answer: list[dict[str, Any]] | Exception = []

    def begin(self, hosts: Any) -> None:
        self.met.append(list(hosts()))

    def gate(self, asked: object, answer: object) -> None:
        self.met.append(("gate", asked, answer))

    def answered(self, host: str, result: object, *, dry: bool) -> list[dict[str, Any]]:
        self.met.append((host, result, dry))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def rows(callback: CallbackModule) -> Rows:
    callback._rows = Rows()
    return callback._rows


def test_a_preflight_is_told_as_it_comes(callback: CallbackModule, rows: Rows):
    manager = SimpleNamespace(get_vars=lambda play: {"ansible_play_hosts_all": ["1001-server", play.name]})
    callback.v2_playbook_on_play_start(SimpleNamespace(name="1001-pc1", get_variable_manager=lambda: manager))
    callback.v2_runner_on_ok(ok({"run_id": "r"}, action=GATE, args={"sites": []}))
    rows.answer = [{"site": "1001", "name": "Fjordgata", "verdict": "ready"}, {**ROW, "owes": [], "why": "it is off"}]
    callback.v2_runner_on_ok(ok({"verdict": "ready"}, register=PROBE))
    rows.answer = []
    later = {PROBE: "what ansible-core 2.21 writes there"}
    callback.v2_runner_on_ok(ok({"verdict": "ready"}, register=later, check_mode=True))
    assert rows.met == [
        ["1001-server", "1001-pc1"],
        ("gate", {"sites": []}, {"run_id": "r"}),
        ("1001-server", {"verdict": "ready"}, False),
        ("1001-server", {"verdict": "ready"}, True),
    ]
    assert callback.shown == [
        ("1001 Fjordgata: ready", {"color": "green"}),
        ("1004 Fjellsida legekontor i Øvre Ytterdal kommune: unreachable, needs us: it is off", {"color": "red"}),
    ]


def test_other_tasks_are_no_preflight(callback: CallbackModule, rows: Rows):
    for other in ("__verify_preflight", f"{PROBE}_2", {f"{PROBE}_2": "x"}, {}, None):
        callback.v2_runner_on_ok(ok({"verdict": "ready"}, register=other))
    callback.v2_runner_on_failed(ok({}), ignore_errors=True)
    assert rows.met == []


def test_a_host_that_is_out_of_the_play_is_not_waited_for(callback: CallbackModule, rows: Rows):
    callback.v2_runner_on_failed(ok({"msg": "no"}))
    callback.v2_runner_on_unreachable(ok({"msg": "no"}))
    assert rows.met == [("1001-server", None, False)] * 2


def test_what_cannot_be_recorded_yet_is_a_warning(callback: CallbackModule, rows: Rows):
    rows.answer = NotRecordedError("the journal is locked")
    callback.v2_runner_on_ok(ok({"verdict": "ready"}, register=PROBE))
    told = "site_table: what hosts answer is recorded and told at the end only: the journal is locked"
    assert callback.shown == [(told, {"warning": True})]
