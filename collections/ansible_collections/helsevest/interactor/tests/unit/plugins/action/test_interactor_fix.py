# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of the remediation: whom it asks for what, and until when."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.helsevest.interactor.plugins.filter.sites import fix_events, fix_lists
from ansible_collections.helsevest.interactor.plugins.module_utils import _clock

from tests.pwsh.engine import FIX_SCRIPT

from .test_interactor import VARIABLES

NOW = datetime(2027, 5, 18, 12, tzinfo=UTC)
COMMON = {"contract": {"lease": {}}, "site": "1001", "run_id": "run-1"}
ANSWER = {
    "changed": True,
    "ledger": None,
    "changes": [{"check": "proxy", "what": "profile 1", "name": "ProxyEnable", "before": "1", "after": "0"}],
    "left": [],
    "until": None,
}


def act(monkeypatch: pytest.MonkeyPatch, answer: Any, *, check: bool = False, **options: Any) -> tuple[Any, list[Any]]:
    asked: list[Any] = []

    def execute(module_name: str, module_args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        asked.append((module_name.rpartition(".")[2], module_args))
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)

    monkeypatch.setattr(_clock, "now", lambda _url=None: NOW)
    monkeypatch.setattr("ansible.plugins.action.ActionBase.run", lambda *_: {})
    plugin = importlib.import_module("ansible_collections.helsevest.interactor.plugins.action.interactor_fix")
    task = SimpleNamespace(args={**COMMON, **options}, check_mode=check, async_val=0, action="interactor_fix")
    action = plugin.ActionModule(task, None, SimpleNamespace(), None, None, None)
    monkeypatch.setattr(action, "_execute_module", execute)
    return action.run(task_vars=VARIABLES), asked


def test_a_server_is_asked_once_until_the_end_of_its_night(monkeypatch: pytest.MonkeyPatch):
    told, asked = act(monkeypatch, ANSWER, step="fix", checks=["sleep", "proxy"], role="server")
    sent = {"until": "2027-05-19T04:00:00Z", "fix_script": FIX_SCRIPT.read_text(encoding="utf-8")}
    said = {**COMMON, "step": "fix", "checks": ["proxy", "sleep"], "now": "2027-05-18T12:00:00Z"}
    assert asked == [("interactor_fix", {**said, **sent})]
    assert (told["changed"], told["undo"], told["error"]) == (True, False, None)


def test_a_person_may_say_until_when(monkeypatch: pytest.MonkeyPatch):
    _told, asked = act(monkeypatch, ANSWER, step="fix", checks=["sleep"], until="2027-05-20T08:00:00+02:00")
    assert asked[0][1]["until"] == "2027-05-20T06:00:00Z"
    told, asked = act(monkeypatch, ANSWER, step="fix", checks=["sleep"], until="2027-05-18T12:00:00Z")
    assert asked == []
    assert "preflight_fix_until: is 2027-05-18T12:00:00Z" in told["error"]


def test_an_undo_brings_nothing_along(monkeypatch: pytest.MonkeyPatch):
    told, asked = act(monkeypatch, ANSWER, step="undo", checks=["proxy"], role="client", until="2027-05-20T06:00:00Z")
    assert asked == [("interactor_fix", {**COMMON, "step": "undo", "checks": ["proxy"], "now": "2027-05-18T12:00:00Z"})]
    assert told["undo"] is True


def test_a_client_is_not_asked_for_what_is_the_servers(monkeypatch: pytest.MonkeyPatch):
    told, asked = act(monkeypatch, ANSWER, step="fix", checks=["sleep", "restart"], role="client")
    assert asked == []
    assert told == {
        "changed": False,
        "reached": True,
        "cause": None,
        "detail": "",
        "error": None,
        "changes": [],
        "left": [],
        "until": None,
        "undo": False,
    }


@pytest.mark.parametrize(
    ("answer", "options", "part"),
    [
        (AnsibleConnectionFailure("Connection refused"), {}, {"reached": False, "cause": "refused", "changes": []}),
        ({"failed": True, "msg": "fix: refused: no"}, {}, {"reached": True, "error": "fix: refused: no", "left": []}),
        (
            ANSWER,
            {"checks": ["dns"]},
            {"error": "ValueError: preflight_fix_checks: 'dns'; allowed are proxy, sleep, restart"},
        ),
    ],
)
def test_an_answer_comes_out_of_every_host(
    monkeypatch: pytest.MonkeyPatch, answer: Any, options: dict[str, Any], part: dict[str, Any]
):
    told, _asked = act(monkeypatch, answer, **{"step": "fix", "checks": ["proxy"], **options})
    assert part.items() <= told.items()


def test_its_answers_are_recorded_and_told_and_a_dry_run_is_told_alone(monkeypatch: pytest.MonkeyPatch):
    wet, _asked = act(monkeypatch, ANSWER, step="fix", checks=["proxy"])
    dry, _asked = act(monkeypatch, ANSWER, check=True, step="fix", checks=["proxy"])
    skipped = {"skipped": True, "changed": False}
    hostvars = {
        name: {"interactor_site_id": "1001", **({"__preflight_fixed": result} if result else {})}
        for name, result in {"a": wet, "b": dry, "c": None, "d": skipped}.items()
    }
    hosts = list(hostvars)
    assert [event["host"] for event in fix_events(hosts, hostvars)] == ["a"]
    assert [row[0] for row in fix_lists(hosts, hostvars, True)[0]["rows"]] == ["a", "b"]
