# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's cloud as docs/contracts.md assumes it (The vendor's cloud): the attempts to move a site."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit

from ansible.module_utils.urls import open_url

STATES = ("open", "receiving", "completed", "failed", "discarded")
TRIES = 2


class CloudError(RuntimeError):
    """A call that did not do what it should; its text names call, site and attempt, never the token."""


class CloudRefusedError(CloudError):
    """The cloud said no (409): another attempt is in the way, or the key is another."""


class Cloud:
    """The cloud's side of one site. `timeout` in seconds; `ca_path` a PEM file, or None for the system's."""

    def __init__(self, api: str, token: str, site: str, *, timeout: int = 30, ca_path: str | None = None) -> None:
        parts = urlsplit(api)
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise CloudError(f"api: {api!r} would carry the token in the clear; an https:// address is wanted")
        self._url = f"{api.rstrip('/')}/sites/{quote(site, safe='')}/attempts"
        self._token = token
        self._site = site
        self._timeout = timeout
        self._ca_path = ca_path

    def attempts(self) -> list[dict[str, Any]]:
        """All attempts that the cloud knows of the site, in its order; read once more if there was no answer."""
        what = f"status of site {self._site}"
        _, answer = self._call(what, "GET", self._url)
        attempts = answer.get("attempts")
        if not isinstance(attempts, list) or not all(_is_attempt(attempt) for attempt in attempts):
            raise CloudError(
                f"{what}: the cloud's answer is not the agreed one: attempts must be a list of number, key and state "
                f"(one of {', '.join(STATES)})"
            )
        return attempts

    def start(self, number: int, key: str, history_months: int) -> bool:
        """Open attempt `number`; whether it is new. Safe to repeat: the same number and key open nothing twice."""
        what = self._what("start", number)
        body = {"number": number, "key": key, "history_months": history_months}
        status, _ = self._call(what, "POST", self._url, body)
        return status == 201

    def discard(self, number: int, key: str) -> None:
        """Have the cloud throw away what it received of attempt `number`; safe to repeat."""
        self._call(self._what("discard", number), "POST", f"{self._url}/{number}/discard", {"key": key})

    def made(self, number: int) -> list[dict[str, Any]]:
        """What users have made in the cloud since attempt `number` was switched to: category, id and moment each."""
        what = self._what("made", number)
        _, answer = self._call(what, "GET", f"{self._url}/{number}/made")
        made = answer.get("made")
        if not isinstance(made, list) or not all(
            isinstance(one, dict) and isinstance(one.get("id"), str) for one in made
        ):
            raise CloudError(
                f"{what}: the cloud's answer is not the agreed one: made must be a list of category, id and at"
            )
        return [{name: one.get(name) for name in ("category", "id", "at")} for one in made]

    def ids(self, number: int, category: str) -> list[str]:
        """The ids of one category of what the cloud has of attempt `number`, in any order, each as often as it is."""
        what = f"ids of {self._what(category, number)}"
        _, answer = self._call(what, "GET", f"{self._url}/{number}/ids?category={quote(category, safe='')}")
        ids = answer.get("ids")
        if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
            raise CloudError(f"{what}: the cloud's answer is not the agreed one: ids must be a list of texts")
        return ids

    def find(self, attempts: Sequence[dict[str, Any]], number: int, key: str | None) -> dict[str, Any] | None:
        """Give attempt `number` of `attempts`, or None; CloudError if it has another key than `key`."""
        for attempt in attempts:
            if attempt["number"] == number:
                if key is not None and attempt["key"] != key:
                    raise CloudError(
                        f"attempt {number} of site {self._site} has the key {attempt['key']} in the cloud, "
                        f"and {key} here"
                    )
                return attempt
        return None

    def refusal(self, attempts: Sequence[dict[str, Any]], number: int) -> CloudRefusedError | None:
        """Why the cloud would refuse to open a new attempt `number`, or None if it would not."""
        alive = [attempt for attempt in attempts if attempt["state"] != "discarded"]
        if alive or any(attempt["number"] >= number for attempt in attempts):
            return CloudRefusedError(f"{self._what('start', number)}: the cloud would refuse; {told(attempts)}")
        return None

    def _what(self, call: str, number: int) -> str:
        return f"{call} of attempt {number} of site {self._site}"

    def _call(
        self, what: str, method: str, url: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Every call may be repeated, so that one answer that got lost is no failure yet."""
        for tries_left in reversed(range(TRIES)):
            try:
                return self._once(what, method, url, body)
            except HTTPError as exc:
                if exc.code < 500 or not tries_left:
                    error = CloudRefusedError if exc.code == 409 else CloudError
                    raise error(self._clean(f"{what}: {_refused(exc)}")) from None
            except CloudError:
                raise
            except Exception as exc:  # open_url's errors share no narrower base: URLError, SSL, sockets, its own
                if not tries_left:
                    raise CloudError(self._clean(f"{what}: {self._silence(exc)}")) from None
        raise AssertionError("unreachable")

    def _once(self, what: str, method: str, url: str, body: Mapping[str, Any] | None) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        with open_url(
            url,
            method=method,
            data=None if body is None else json.dumps(body),
            headers=headers,
            timeout=self._timeout,
            ca_path=self._ca_path,
            use_netrc=False,
            # A redirect would carry the token to wherever it points.
            follow_redirects="none",
        ) as response:
            status, kind, text = response.status, response.headers.get("Content-Type"), response.read()
        try:
            answer = json.loads(text)
        except ValueError:
            raise CloudError(
                f"{what}: the cloud answered {status} with {kind or 'something'} that is no JSON"
            ) from None
        if not isinstance(answer, dict):
            raise CloudError(f"{what}: the cloud answered {status} with JSON that is no object")
        return status, answer

    def _silence(self, exc: Exception) -> str:
        reason = getattr(exc, "reason", exc)
        if isinstance(exc, TimeoutError) or isinstance(reason, TimeoutError):
            return f"the cloud did not answer within {self._timeout} seconds (asked {TRIES} times)"
        return f"the cloud could not be asked ({TRIES} times): {reason}"

    def _clean(self, text: str) -> str:
        return text.replace(self._token, "***") if self._token else text


def told(attempts: Sequence[Mapping[str, Any]]) -> str:
    """The cloud's attempts in a few words, for an error."""
    names = ", ".join(f"attempt {one['number']} ({one['state']}, key {one['key']})" for one in attempts)
    return f"the cloud has {names or 'no attempt'}"


def _is_attempt(attempt: object) -> bool:
    return (
        isinstance(attempt, dict)
        and isinstance(attempt.get("number"), int)
        and isinstance(attempt.get("key"), str)
        and attempt.get("state") in STATES
    )


def _refused(exc: HTTPError) -> str:
    """What an answer other than 2xx means."""
    try:
        answer = json.loads(exc.read())
        error = f": {str(answer['error'])[:300]}"
    except (ValueError, KeyError, TypeError, OSError):
        error = ""
    match exc.code:
        case 401 | 403:
            return f"the cloud does not accept the token ({exc.code}){error}"
        case 404:
            return f"the cloud does not know it (404){error}"
        case 409:
            return f"the cloud refused (409){error}"
        case _:
            return f"the cloud answered {exc.code}{error}"
