# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of the checklist: what it adds to what the server answers."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.helsevest.interactor.plugins.module_utils import _clock

from tests.pwsh.engine import LEASE_SCRIPT

COMMON = {"contract": {"service": {}}, "site": "1001", "run_id": "verify"}
NOW = datetime(2027, 5, 18, 22, 30, tzinfo=UTC)
WINRM = SimpleNamespace(
    transport="winrm",
    _winrm_scheme="https",
    _winrm_transport=["ntlm"],
    _winrm_kwargs={"server_cert_validation": "ignore"},
)


class Host:
    """Answers our module and the ping; `broken` breaks the line at that ping."""

    def __init__(self, broken: int | None = None, ping: str = "pong") -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.broken, self.ping = broken, ping

    def execute(self, module_name: str, module_args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((module_name.rpartition(".")[2], module_args))
        if module_name.endswith("win_ping"):
            if len(self.asked) - 1 == self.broken:
                raise AnsibleConnectionFailure("Connection refused")
            return {"ping": self.ping}
        if self.broken == 0:
            raise AnsibleConnectionFailure("Connection refused")
        return {"changed": False, "ledger": None, "facts": {}}


def act(monkeypatch: pytest.MonkeyPatch, host: Host, connection: Any = WINRM, **options: Any) -> dict[str, Any]:
    monkeypatch.setattr(_clock, "now", lambda _url=None: NOW)
    monkeypatch.setattr("ansible.plugins.action.ActionBase.run", lambda *_: {})
    plugin = importlib.import_module("ansible_collections.helsevest.interactor.plugins.action.interactor_verify")
    task = SimpleNamespace(args={**COMMON, **options}, check_mode=False, async_val=0, action="interactor_verify")
    action = plugin.ActionModule(task, connection, SimpleNamespace(), None, None, None)
    monkeypatch.setattr(action, "_execute_module", host.execute)
    result: dict[str, Any] = action.run(task_vars={})
    return result


def test_a_look_tells_the_connection_and_its_round_trips(monkeypatch: pytest.MonkeyPatch):
    host = Host()
    told = act(monkeypatch, host, step="look", round_trips="3")
    assert [name for name, _ in host.asked] == ["interactor_verify", "win_ping", "win_ping", "win_ping"]
    assert host.asked[0][1] == {**COMMON, "step": "look", "now": "2027-05-18T22:30:00Z"}
    assert told["connection"] == {
        "plugin": "winrm",
        "scheme": "https",
        "transport": "ntlm",
        "validation": "ignore",
    }
    assert (len(told["round_trips"]), told["at"]) == (3, "2027-05-18T22:30:00Z")
    assert "seconds" not in told
    assert act(monkeypatch, Host(), step="look", timed=True)["seconds"] >= 0


@pytest.mark.parametrize(("host", "count"), [(Host(broken=2), 1), (Host(ping="what"), 0)])
def test_what_was_measured_until_the_line_broke_counts(monkeypatch: pytest.MonkeyPatch, host: Host, count: int):
    told = act(monkeypatch, host, step="look", round_trips=5)
    assert (len(told["round_trips"]), told["reached"], told["error"]) == (count, True, None)


def test_a_server_that_is_not_there_is_not_asked_again(monkeypatch: pytest.MonkeyPatch):
    host = Host(broken=0)
    told = act(monkeypatch, host, SimpleNamespace(), step="look", round_trips=5)
    assert (told["reached"], told["cause"], told["round_trips"], len(host.asked)) == (False, "refused", [], 1)
    assert told["connection"]["scheme"] is None


def test_a_trial_brings_the_script_and_the_day_in_norway(monkeypatch: pytest.MonkeyPatch):
    host = Host()
    told = act(monkeypatch, host, step="trial", history_months=12)
    sent = host.asked[0][1]
    assert (sent["day"], sent["lease_script"]) == ("2027-05-19", LEASE_SCRIPT.read_text(encoding="utf-8"))
    assert "round_trips" not in told
