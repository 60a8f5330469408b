# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that answers with something else: an error with its reason, and nothing of what it sent."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible_collections.helsevest.interactor.plugins.action import (
    interactor_migrate,
    interactor_preflight,
    interactor_verify,
)
from ansible_collections.helsevest.interactor.plugins.plugin_utils._host_module import HostModule

from .test_interactor import COMMON, FACTS, VARIABLES

NAME = "Kari Nordmann"
Say = Callable[..., dict[str, Any]]


def spoiled(path: str, value: object) -> dict[str, Any]:
    """The facts with another value at a path."""
    facts: Any = copy.deepcopy(FACTS)
    *groups, last = path.split(".")
    place = facts
    for group in groups:
        place = place[group]
    place[last] = value
    return {"changed": False, "facts": facts, "ledger": None}


GOOD = {"changed": False, "facts": {**FACTS, "host": {**FACTS["host"], "name": NAME}}, "ledger": None}
TEXT = json.dumps(GOOD, ensure_ascii=False)


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Say:
    """`say(bytes)` lets a host print them and returns what the action plugin makes of it."""
    monkeypatch.setattr("ansible.plugins.action.ActionBase.run", lambda *_: {})

    def say(output: bytes, plugin: type[HostModule] = interactor_preflight.ActionModule, **options: Any):
        arguments = {**COMMON, "role": "server", "now": "2027-05-18T18:30:00Z", **options}
        task = SimpleNamespace(args=arguments, check_mode=False, async_val=0, action="x")
        action: Any = plugin(task, SimpleNamespace(close=lambda: None), SimpleNamespace(), None, None, None)

        def execute(**_: Any) -> dict[str, Any]:
            text = output.decode("utf-8", "surrogateescape")
            told: Any = action._parse_returned_data({"stdout": text, "stderr": NAME, "rc": 0}, "legacy")
            # As ansible-core 2.21 goes on; before, it is one.
            answer: dict[str, Any] = told if isinstance(told, dict) else told.as_result_dict(for_round_trip=True)
            return answer

        monkeypatch.setattr(action, "_execute_module", execute)
        result: dict[str, Any] = action.run(task_vars=VARIABLES)
        assert "failed" not in result
        return result

    return say


def test_a_good_answer_is_taken(say: Say):
    result = say(TEXT.encode())
    assert (result["error"], result["verdict"], result["facts"]["host"]["name"]) == (None, "ready", NAME)
    assert say(b"velkommen\r\n" + TEXT.encode() + b"\r\n")["error"] is None


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (TEXT.encode()[:-200], "the answer is cut off, or something follows it (exit code 0)"),
        (TEXT.rpartition(', "ledger"')[0].encode(), "the answer is cut off, or no JSON (exit code 0)"),
        (TEXT.replace('"changed"', "changed", 1).encode(), "the answer is cut off, or no JSON (exit code 0)"),
        (f"{NAME}: ingen tilgang".encode(), "the answer is no JSON object (exit code 0)"),
        (b"", "the answer is empty (exit code 0)"),
        (f'["{NAME}"]'.encode(), "the answer is no JSON object (exit code 0)"),
        (f"{TEXT}\n{NAME}".encode(), "the answer is cut off, or something follows it (exit code 0)"),
        (TEXT.replace(NAME, "Pål Ærøy").encode("cp865", "replace"), "the answer is no UTF-8 (exit code 0)"),
        (TEXT.replace(NAME, NAME * 400_000).encode(), "at most 2000000 are taken (exit code 0)"),
        (json.dumps(spoiled("speed.seconds", float("nan"))).encode(), "the answer has a number that is none"),
        (TEXT.replace('"changed": false', f'"changed": false, "x": {"[" * 200}{"]" * 200}').encode(), "levels deep"),
        (f'{{"a": {"[" * 100_000}{"]" * 100_000}}}'.encode(), "nested deeper than can be read (exit code 0)"),
        (json.dumps(spoiled("probe", 0)).encode(), "ValueError: facts.probe: 0; "),
        (json.dumps(spoiled("probe", NAME)).encode(), "ValueError: facts.probe: "),
        (json.dumps(spoiled("host.utc", NAME)).encode(), "ValueError: facts.host.utc: a moment is wanted"),
        (json.dumps(spoiled("host.build", {NAME: NAME})).encode(), "ValueError: facts.host.build: a text is wanted"),
        (json.dumps(spoiled("pages", [NAME])).encode(), "ValueError: facts.pages[0]: a mapping is wanted, not str"),
        (json.dumps(spoiled("pages", NAME)).encode(), "ValueError: facts.pages: a list is wanted, not str"),
        (json.dumps({"changed": False, "facts": NAME}).encode(), "ValueError: facts: a mapping is wanted, not str"),
        (json.dumps({"changed": False, NAME: NAME}).encode(), "ValueError: facts: a mapping is wanted, not NoneType"),
        (b"{}", "ValueError: facts: a mapping is wanted, not NoneType"),
    ],
)
def test_a_bad_one_is_an_error_that_says_why_and_nothing_of_it(say: Say, output: bytes, reason: str):
    result = say(output)
    assert (result["verdict"], result["reached"], result["checks"], result["facts"]) == ("error", True, [], None)
    assert reason in result["error"]
    told = json.dumps(result)
    for word in (NAME, "Nordmann", "Pål", "P\\udc86l"):
        assert word not in told


def test_a_list_of_a_whole_category_may_be_long(say: Say):
    ids = [f"ord-{number:036d}" for number in range(60_000)]
    output = json.dumps({"changed": False, "ids": {"orders": ids}, "ledger": None}).encode()
    assert len(output) > interactor_preflight.ActionModule.largest
    assert say(output, interactor_migrate.ActionModule, step="ids")["ids"] == {"orders": ids}
    assert "characters; at most" in say(output)["error"]


def test_who_does_more_than_ask_goes_on_with_the_error(say: Say):
    result = say(b"", interactor_verify.ActionModule, step="look", round_trips=1)
    assert (result["error"], result["at"]) == ("the answer is empty (exit code 0)", "2027-05-18T18:30:00Z")
    assert {"connection", "round_trips"} <= set(result)


def test_what_winrm_quotes_of_the_output_is_not_told(say: Say, monkeypatch: pytest.MonkeyPatch):
    def quote(*_: Any) -> None:
        raise AnsibleError(f"winrm send_input failed; \nstdout: {NAME}\nstderr {NAME}")

    monkeypatch.setattr(HostModule, "_parse_returned_data", quote)
    assert say(b"")["error"] == "AnsibleError: winrm send_input failed;"
