# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's cloud, asked over HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.modules.vendor_migration import main

RunModule = Callable[..., dict[str, Any]]
TOKEN = "very-secret-token"
Answer = tuple[int, Any] | None


class FakeCloud:
    """Holds the attempts of one site as docs/contracts.md says; `next` are answers to give before that."""

    def __init__(self) -> None:
        self.attempts: list[dict[str, Any]] = []
        self.next: list[Answer] = []

    def have(self, number: int, key: str, state: str) -> None:
        self.attempts.append({"number": number, "key": key, "state": state, "counts": {}, "manifest": None})

    def __call__(self, asked: Any) -> Answer:
        if self.next:
            return self.next.pop(0)
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"error": f"bad token {asked.headers.get('Authorization')}"}
        path = asked.path.split("/")
        if path[1:4] != ["sites", "1001", "attempts"]:
            return 404, {"error": "no such site"}
        if asked.method == "GET" and len(path) > 5:
            return 200, {"ids": [f"{path[4]}/{path[5]}"]}
        if asked.method == "GET":
            return 200, {"attempts": self.attempts}
        if len(path) == 4:
            return self._start(asked.body)
        attempt = next((one for one in self.attempts if one["number"] == int(path[4])), None)
        if attempt is None:
            return 404, {"error": "no such attempt"}
        attempt["state"] = "discarded"
        return 200, attempt

    def _start(self, body: dict[str, Any]) -> Answer:
        if any((one["number"], one["key"]) == (body["number"], body["key"]) for one in self.attempts):
            return 200, {}
        if any(one["state"] != "discarded" or one["number"] >= body["number"] for one in self.attempts):
            return 409, {"error": "another attempt is in the way"}
        self.have(body["number"], body["key"], "open")
        return 201, {}


@pytest.fixture
def cloud(web: SimpleNamespace) -> FakeCloud:
    web.answer = FakeCloud()
    return web.answer


@pytest.fixture
def ask(run_module: RunModule, web: SimpleNamespace) -> RunModule:
    def call(operation: str, **options: object) -> dict[str, Any]:
        base: dict[str, object] = {"api": web.url, "token": TOKEN, "site": "1001", "operation": operation}
        if operation != "status":
            base |= {"number": 1, "key": "1001-1-a"}
        if operation == "start":
            base["history_months"] = 12
        result = run_module(main, **{**base, **options})
        assert TOKEN not in str(result)
        return result

    return call


def posts(web: SimpleNamespace) -> list[tuple[str, Any]]:
    return [(asked.path, asked.body) for asked in web.asked if asked.method == "POST"]


def test_start_opens_once(ask: RunModule, cloud: FakeCloud, web: SimpleNamespace):
    first, second = ask("start"), ask("start")
    assert (first["changed"], second["changed"]) == (True, False)
    assert first["attempt"]["state"] == second["attempt"]["state"] == "open"
    assert len(cloud.attempts) == 1
    assert posts(web)[0] == ("/sites/1001/attempts", {"number": 1, "key": "1001-1-a", "history_months": 12})


def test_status(ask: RunModule, cloud: FakeCloud):
    # Whether a module repeats how it was called is the core's own affair: 2.21 does not.
    assert ask("status") | {"invocation": None} == {"changed": False, "attempts": [], "invocation": None}
    cloud.have(1, "1001-1-a", "discarded")
    cloud.have(2, "1001-2-b", "completed")
    result = ask("status", number=2, key="1001-2-b")
    assert [one["number"] for one in result["attempts"]] == [1, 2]
    assert result["attempt"]["state"] == "completed"


def test_status_of_an_attempt_that_is_not_there_or_not_ours_fails(ask: RunModule, cloud: FakeCloud):
    assert ask("status", number=1)["msg"] == (
        "vendor_migration: status of attempt 1 of site 1001: the cloud has no attempt"
    )
    cloud.have(1, "1001-1-x", "open")
    message = ask("status", number=1, key="1001-1-a")["msg"]
    assert "attempt 1 of site 1001 has the key 1001-1-x in the cloud, and 1001-1-a here" in message


def test_ids_of_some_categories(ask: RunModule, cloud: FakeCloud, web: SimpleNamespace):
    cloud.have(1, "1001-1-a", "completed")
    result = ask("ids", categories=["orders", "favourite_packages"])
    assert result["ids"] == {
        "orders": ["1/ids?category=orders"],
        "favourite_packages": ["1/ids?category=favourite_packages"],
    }
    assert result["changed"] is False
    assert posts(web) == []
    assert ask("ids")["failed"], "without categories"


@pytest.mark.parametrize("ids", [None, {}, [1], "ord-1"])
def test_ids_in_another_form_are_refused_and_not_repeated(ask: RunModule, cloud: FakeCloud, ids: object):
    cloud.next = [(200, {"ids": ids})]
    message = ask("ids", categories=["orders"])["msg"]
    assert message.endswith("the cloud's answer is not the agreed one: ids must be a list of texts")
    assert "ids of orders of attempt 1 of site 1001" in message


def test_discard_once_and_only_what_is_there(ask: RunModule, cloud: FakeCloud, web: SimpleNamespace):
    nothing = ask("discard")
    assert (nothing["changed"], nothing["attempt"]) == (False, None)
    cloud.have(1, "1001-1-a", "failed")
    first, second = ask("discard"), ask("discard")
    assert (first["changed"], second["changed"]) == (True, False)
    assert first["attempt"]["state"] == second["attempt"]["state"] == "discarded"
    assert posts(web) == [("/sites/1001/attempts/1/discard", {"key": "1001-1-a"})]


def test_discard_of_another_key_is_refused_before_it_is_sent(ask: RunModule, cloud: FakeCloud, web: SimpleNamespace):
    cloud.have(1, "1001-1-x", "open")
    assert "1001-1-x" in ask("discard")["msg"]
    assert posts(web) == []


def test_a_refused_start_names_both_attempts(ask: RunModule, cloud: FakeCloud):
    cloud.have(1, "1001-1-a", "receiving")
    assert ask("start", number=2, key="1001-2-b")["msg"] == (
        "vendor_migration: start of attempt 2 of site 1001: the cloud refused (409): another attempt is in the way; "
        "the cloud has attempt 1 (receiving, key 1001-1-a)"
    )


@pytest.mark.parametrize(
    ("have", "changed"),
    [
        ([], True),
        ([(1, "1001-1-a", "open")], False),
        ([(2, "1001-2-b", "discarded")], None),
        ([(0, "x", "open")], None),
    ],
)
def test_check_mode_says_what_start_would_do(
    ask: RunModule, cloud: FakeCloud, web: SimpleNamespace, have: list[Any], changed: bool | None
):
    for one in have:
        cloud.have(*one)
    planned = ask("start", check=True)
    assert posts(web) == []
    done = ask("start")
    assert planned.get("failed", False) == done.get("failed", False) == (changed is None)
    if changed is None:
        assert "would refuse" in planned["msg"]
    else:
        assert (planned["changed"], done["changed"]) == (changed, changed)
        assert (planned["dry"], done.get("dry")) == (changed, None)
        assert planned["attempt"] == done["attempt"]


@pytest.mark.parametrize("state", ["open", "failed", "discarded"])
def test_check_mode_says_what_discard_would_do(ask: RunModule, cloud: FakeCloud, web: SimpleNamespace, state: str):
    cloud.have(1, "1001-1-a", state)
    planned = ask("discard", check=True)
    assert posts(web) == []
    done = ask("discard")
    assert planned["changed"] == done["changed"] == planned.get("dry", False) == (state != "discarded")
    assert planned["attempt"] == done["attempt"]


@pytest.mark.parametrize("operation", ["status", "start", "discard"])
@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ((401, {"error": f"bad token {TOKEN}"}), "the cloud does not accept the token (401): bad token ***"),
        ((404, {"error": "no such site"}), "the cloud does not know it (404): no such site"),
        ((418, b"<html>"), "the cloud answered 418"),
        ((302, {}), "the cloud answered 302"),
        ((200, b"<html>"), "the cloud answered 200 with text/html that is no JSON"),
        ((200, []), "the cloud answered 200 with JSON that is no object"),
    ],
)
def test_a_wrong_answer_names_call_and_site_and_is_not_asked_again(
    ask: RunModule, cloud: FakeCloud, web: SimpleNamespace, operation: str, answer: Answer, complaint: str
):
    cloud.next = [answer]
    result = ask(operation)
    assert result["failed"]
    assert result["msg"].endswith(complaint)
    asked = "start of attempt 1 of site 1001" if operation == "start" else "status of site 1001"
    assert result["msg"].startswith(f"vendor_migration: {asked}: ")
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    "attempts", [None, {}, ["1"], [{"number": 1, "key": "k"}], [{"number": "1", "key": "k", "state": "open"}]]
)
def test_attempts_in_another_form_are_refused(ask: RunModule, cloud: FakeCloud, attempts: object):
    cloud.next = [(200, {"attempts": attempts})]
    assert "the cloud's answer is not the agreed one: attempts must be a list" in ask("status")["msg"]


@pytest.mark.parametrize("lost", [None, (500, {}), (503, b"busy")])
def test_one_lost_answer_is_no_failure(ask: RunModule, cloud: FakeCloud, lost: Answer):
    cloud.next = [lost]
    assert ask("start")["attempt"]["number"] == 1
    cloud.next = [lost]
    assert len(ask("status")["attempts"]) == 1


def test_two_are(ask: RunModule, cloud: FakeCloud):
    cloud.next = [(503, {"error": "closed"}), (503, {"error": "closed"})]
    assert ask("status")["msg"] == "vendor_migration: status of site 1001: the cloud answered 503: closed"
    cloud.next = [None, None]
    assert "status of site 1001: the cloud could not be asked (2 times): " in ask("status")["msg"]


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def accept() -> None:
            try:
                while True:
                    held.append(server.accept()[0])
            except OSError:
                return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for connection in held:
            connection.close()


def test_silence_names_how_long_it_was_waited(ask: RunModule, silent: str):
    message = ask("status", api=silent, timeout=1)["msg"]
    assert message.endswith("status of site 1001: the cloud did not answer within 1 seconds (asked 2 times)")


def test_the_proxy_of_the_environment_is_used(ask: RunModule, web: SimpleNamespace, monkeypatch: pytest.MonkeyPatch):
    web.answer = lambda _asked: (200, {"attempts": []})
    monkeypatch.setenv("http_proxy", web.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert ask("status", api="http://localhost:1/v1")["attempts"] == []
    assert [asked.path for asked in web.asked] == ["http://localhost:1/v1/sites/1001/attempts"]


def test_the_token_never_travels_in_the_clear(ask: RunModule):
    assert "an https:// address is wanted" in ask("status", api="http://interactor.example/v1")["msg"]


@pytest.mark.parametrize(
    ("operation", "missing"), [("start", "history_months"), ("start", "key"), ("discard", "number")]
)
def test_what_an_operation_needs(ask: RunModule, operation: str, missing: str):
    assert missing in ask(operation, **{missing: None})["msg"]
