# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way an address takes by a set-up: by automatic detection, else by its script, else by hand (P5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .page_kind import PageKind, kind_of_error
from .proxy import SetUp, plain_url
from .proxy_way import (
    DIRECT,
    LONGEST_SCRIPT,
    Evaluation,
    Evaluations,
    in_words,
    is_fetched,
    is_too_long,
    manual_way,
    parse_answer,
)

NOT_ASKED = ("no time was left", "no more than")
"""How the probe begins to say that it did not ask for a script at all."""
_UNANSWERED = (PageKind.REFUSED, PageKind.TIMED_OUT, PageKind.PROXY)


@dataclass(frozen=True)
class Way:
    """What one address would take: by our evaluation, by the host's own answer, and what there is to say of it."""

    ours: tuple[str, ...] | None = None
    host: tuple[str, ...] | None = None
    error: str | None = None
    unknown: tuple[str, ...] = ()
    unanswered: str | None = None
    """Why the proxy that is named first did not bring the page, in one word."""

    @property
    def known(self) -> tuple[str, ...]:
        """All ways, best first: ours, for the host leaves out the rest as it likes; none where nothing is known."""
        return self.ours or self.host or ()

    @property
    def first(self) -> str | None:
        """The way that is tried first."""
        return next(iter(self.known), None)

    def to_dict(self) -> dict[str, Any]:
        """As evidence: what is known, and both ways in any case."""
        told = {
            "ours": "; ".join(self.ours or ()) or None,
            "host": "; ".join(self.host or ()) or None,
            "error": self.error,
            "unknown": list(self.unknown),
            "unanswered": self.unanswered,
        }
        return {key: value for key, value in told.items() if value or key in ("ours", "host")}


class Scripts:
    """A host's automatic scripts: what it fetched and says of them, and what they come to by our evaluation."""

    def __init__(self, facts: Mapping[str, Any], evaluations: Evaluations) -> None:
        proxy: Mapping[str, Any] = facts.get("proxy") or {}
        self._evaluations = evaluations
        self._scripts = {plain_url(found["url"]): found for found in proxy.get("scripts") or () if found["url"]}
        self._unanswered = dict(_unanswered(facts))
        detected = proxy.get("detected") or {"url": None, "error": None}
        self.detected = plain_url(detected["url"])
        """The address that automatic detection finds; empty for none, or where it is not known."""
        self.detection_error: str | None = detected["error"]

    def is_detected(self, set_up: SetUp) -> bool:
        """Whether automatic detection brings a script for the set-up: Windows then asks for no other."""
        script = self._scripts.get(self.detected)
        if not set_up.detects or script is None or not (is_fetched(script) or is_too_long(script)):
            return False
        return self.why_failed(self.detected) is None

    def why_failed(self, url: str) -> str | None:
        """Why nobody gets an answer of a script, as of a page that a network shows instead; None where one does."""
        ours = [evaluation for (script, _), evaluation in self._evaluations.items() if script == url]
        hosts = (self._scripts.get(url) or {}).get("answers") or ()
        if any(evaluation.ways for evaluation in ours) or any(answer["proxy"] is not None for answer in hosts):
            return None
        errors = [evaluation.error for evaluation in ours] + [answer["error"] for answer in hosts]
        return next(filter(None, errors), None)

    def of(self, set_up: SetUp) -> Mapping[str, Any] | None:
        """The script that counts for the set-up; None where it has none, or nothing is known of it."""
        return self._scripts.get(self.detected if self.is_detected(set_up) else set_up.script_url)

    def why_not(self, url: str) -> str | None:
        """Why the host did not get a script, so that Windows goes on without it; None where it did, or is not known."""
        script = self._scripts.get(url)
        if script is None or is_fetched(script) or is_too_long(script):
            return None
        if (script["error"] or "").startswith(NOT_ASKED) or (script["error"] is None and script["status"] is None):
            return None
        return str(script["error"] or f"it answers {script['status']}")

    def way(self, set_up: SetUp, url: str, *, detection: bool = True) -> Way:
        """What `url` takes by a set-up; without `detection` as if nothing were detected."""
        if detection and self.is_detected(set_up):
            return self._by_script(self.detected, url)
        if set_up.script_url and self.why_not(set_up.script_url) is None:
            return self._by_script(set_up.script_url, url)
        # Where Windows gets no script it goes on with the manual proxy, or with none.
        return by_hand(set_up.proxy, set_up.bypass, url) if set_up.proxy else Way((DIRECT,))

    def _by_script(self, script_url: str, url: str) -> Way:
        evaluation = self._evaluations.get((script_url, url)) or Evaluation()
        unanswered = self._unanswered.get((script_url, _bare(url)))
        host = _answer(self._scripts.get(script_url), url)
        return Way(evaluation.ways or None, host, evaluation.error, evaluation.unknown, unanswered)


def by_hand(proxy: str, bypass: str, url: str) -> Way:
    """What `url` takes by a manual proxy."""
    try:
        return Way((manual_way(proxy, bypass, url),))
    except ValueError as error:
        return Way(error=str(error))


def too_long(script: Mapping[str, Any]) -> str:
    """How operations reads that a script is not evaluated for its length."""
    most = f"{LONGEST_SCRIPT:,} are brought home"
    return f"{plain_url(script['url'])} has {script['characters']:,} characters, {most}: not evaluated"


def fallbacks(ways: Iterable[tuple[str, Way]]) -> list[str]:
    """How operations reads ways that do not end with the first, each with the addresses that take them."""
    found: dict[str, dict[str, None]] = {}
    for url, way in ways:
        if len(way.known) > 1:
            found.setdefault(in_words(way.known), {})[url] = None
    return [f"{words} for {', '.join(urls)}" for words, urls in found.items()]


def _unanswered(facts: Mapping[str, Any]) -> list[tuple[tuple[str, str], str]]:
    """Script and address of each page that its script's first proxy did not bring, and why."""
    found = []
    for page in facts.get("pages") or ():
        if page["way"] == "script" and page["proxy"] and page["error"]:
            kind = kind_of_error(page["error"])
            if kind in _UNANSWERED:
                found.append(((plain_url(page["script"]), _bare(page["url"])), kind.value))
    return found


def _answer(script: Mapping[str, Any] | None, url: str) -> tuple[str, ...] | None:
    """The host's own answer for the address; None where it gave none that can be understood."""
    for answer in (script or {}).get("answers") or ():
        if answer["proxy"] is not None and _bare(answer["url"]) == _bare(url):
            try:
                return parse_answer(answer["proxy"])
            except ValueError:
                return None
    return None


def _bare(url: str | None) -> str:
    return plain_url(url).rstrip("/")
