# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud, asked inside Ansible's worker: the task's environment holds there too, and the token is told nowhere."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.helsevest.interactor.plugins.action import site_reconcile, vendor_migration
from ansible_collections.helsevest.interactor.plugins.modules import site_reconcile as reconcile_module
from ansible_collections.helsevest.interactor.plugins.modules import vendor_migration as migration_module

TOKEN = "very-secret-token"
CONNECTION = SimpleNamespace(_shell=SimpleNamespace(tmpdir="", env_prefix=lambda **_variables: ""))


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))


def run(plugin: Any, environment: list[dict[str, str]], *, check_mode: bool = False, **args: object) -> dict[str, Any]:
    task = SimpleNamespace(
        args=args, check_mode=check_mode, environment=environment, diff=False, async_val=0, action="", no_log=False
    )
    loader = DataLoader()
    action = plugin.ActionModule(task, CONNECTION, SimpleNamespace(), loader, Templar(loader=loader), None)
    result: dict[str, Any] = action.run(task_vars={})
    assert TOKEN not in str(result)
    return result


def ask(url: str, environment: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    return run(vendor_migration, environment, operation="status", api=url, token=TOKEN, site="1001", **more)


def test_the_answer_is_the_modules(web: SimpleNamespace) -> None:
    attempt = {"number": 1, "key": "1001-1-a", "state": "open", "counts": {}, "manifest": None}
    web.answer = lambda _asked: (200, {"attempts": [attempt]})
    result = ask(web.url, [], number=1, key="1001-1-a")
    assert (result["attempts"], result["attempt"], result["changed"]) == ([attempt], attempt, False)


def test_the_tasks_environment_names_the_proxy(web: SimpleNamespace) -> None:
    web.answer = lambda _asked: (200, {"attempts": []})
    assert "failed" not in ask(web.url, [])
    result = ask(web.url, [{"http_proxy": "http://127.0.0.1:1", "no_proxy": ""}])
    assert result["failed"]
    assert result["msg"].startswith("vendor_migration: status of site 1001: the cloud could not be asked (2 times)")


def test_what_lacks_and_what_is_refused_is_told(web: SimpleNamespace) -> None:
    assert run(vendor_migration, [], operation="discard", api=web.url, token=TOKEN, site="1001", number=1)["msg"] == (
        "vendor_migration: discard needs key"
    )
    web.answer = lambda _asked: (401, {"error": f"bad token {TOKEN}"})
    assert "does not accept the token (401): bad token ***" in ask(web.url, [])["msg"]


def test_in_check_mode_nothing_is_opened(web: SimpleNamespace) -> None:
    web.answer = lambda asked: (200, {"attempts": []}) if asked.method == "GET" else (500, {})
    given = {"operation": "start", "number": 1, "key": "1001-1-a", "history_months": 12}
    result = run(vendor_migration, [], check_mode=True, api=web.url, token=TOKEN, site="1001", **given)
    assert (result["dry"], result["changed"]) == (True, True)


def test_a_comparison_is_the_modules() -> None:
    part = {"count": 0, "hash": "0" * 64, "first": None, "last": None}
    side = {"orders": part, "started_requisitions": part, "favourite_packages": part}
    given: dict[str, Any] = {"before": side, "after": side, "months": 12}
    assert run(site_reconcile, [], day="2027-05-18", **given)["equal"] is True
    assert run(site_reconcile, [], day="18.05.2027", **given)["msg"] == (
        "site_reconcile: day is '18.05.2027': a date as 2027-05-18 is wanted"
    )


def test_module_and_action_plugin_have_the_same_arguments() -> None:
    assert vendor_migration.ActionModule.spec is migration_module.ARGUMENT_SPEC
    assert site_reconcile.ActionModule.spec is reconcile_module.ARGUMENT_SPEC
