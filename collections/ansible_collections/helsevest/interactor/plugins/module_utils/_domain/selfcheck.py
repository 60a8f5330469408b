# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that a self-check leaves at an office: what it must hold, and what it says of a client (docs/selfcheck.md).

Whoever sends it is not known, so that it may hold anything: each fault is an error of its own, and nothing is repeated
of what could name a person.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from .checks import judge_facts
from .facts import check_shape
from .near import nearest
from .results import CheckResult
from .site import Site
from .times import format_time, parse_time
from .verdict import host_verdict
from .words import EventKind, Origin

SCHEMA = 1
"""The form of the file that is understood here."""
MOST_AHEAD = timedelta(minutes=5)
"""As far as clocks may differ."""
MOST_BYTES = 1_000_000
"""A file of one client with seven scripts of the largest size, as many as the probe reads, has two thirds of it."""
FIELDS = ("selfcheck", "version", "site", "client", "made_at", "facts", "checksum")
SIGNED = ("version", "site", "client", "made_at", "facts")
"""What the checksum is of: these texts, a line feed between them."""
MOST_NUMBER = 10**15
MOST_SHOWN = 40
_MOST_TEXT = 300
# What the self-check has masked is a row of x.
_PERSONAL = re.compile(r"(?i)[\\/]users[\\/](?!x+(?:[\\/;]|$))|\bS-1-(?:5-21|12-1)-|://(?!x+@)[^/\s@]*@")
_HIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class SelfCheckError(ValueError):
    """What is wrong with a file; names it, the site, the field, the value and what is allowed, as far as is known."""


@dataclass(frozen=True)
class SelfCheck:
    """One file: whose client it is, when it was made by that PC's clock and, where it knew better, in truth.

    `key` tells two files apart, and the same file again.
    """

    file: str
    version: str
    site: str
    client: str
    made: datetime
    facts: Mapping[str, Any]
    key: str

    @property
    def host(self) -> str:
        """The client's name in the inventory."""
        return f"{self.site}-{self.client}"


def read_selfcheck(file: str, content: bytes, sites: Mapping[str, Site]) -> SelfCheck:
    """Read one file; `file` is its name for errors, `sites` are those of the register by their ids.

    Raises SelfCheckError for whatever is not as a self-check writes it, and for one of a site or client that the
    register does not have. Whether it is too old or ahead of time is `judge_selfcheck`'s to say.
    """
    raw = _parsed(file, content)
    id, client = raw["site"], raw["client"]
    if id not in sites:
        raise _fault(file, "site", id, f"the id of a site of the register{_near(id, sites)}")
    site = sites[id]
    if client not in site.clients:
        allowed = f"a client of the site, as the register names them: {', '.join(site.clients)}"
        raise _fault(file, "client", client, allowed, id)
    checksum = sha256("\n".join(raw[name] for name in SIGNED).encode()).hexdigest()
    if raw["checksum"] != checksum:
        raise _fault(file, "checksum", raw["checksum"], "that of what is in it: it was changed, or cut off", id)
    try:
        made = parse_time(raw["made_at"])
    except (ValueError, OverflowError) as exc:
        raise _fault(file, "made_at", raw["made_at"], "a moment as 2027-05-18T18:30:00Z", id) from exc
    facts = _facts(file, raw["facts"], id)
    offset = (facts["clock"] or {}).get("offset_seconds")
    if offset is not None:
        try:
            made -= timedelta(seconds=offset)
        except OverflowError as exc:
            raise _fault(file, "facts.clock.offset_seconds", offset, "seconds", id) from exc
    key = f"self_checked/{id}/{client}/{checksum[:32]}"
    return SelfCheck(file, raw["version"], id, client, made, facts, key)


def _parsed(file: str, content: bytes) -> dict[str, Any]:
    if len(content) > MOST_BYTES:
        raise SelfCheckError(f"{file}: is {len(content)} bytes or more; allowed are {MOST_BYTES}")
    try:
        raw = _json(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as exc:
        raise SelfCheckError(
            f"{file}: is no file of a self-check ({_reason(exc)}); allowed is what the self-check writes, JSON in UTF-8"
        ) from exc
    if not isinstance(raw, dict):
        raise SelfCheckError(f"{file}: is no file of a self-check; allowed is an object with {', '.join(FIELDS)}")
    # First, for another form may have other fields.
    if "selfcheck" in raw and (raw["selfcheck"] != SCHEMA or isinstance(raw["selfcheck"], bool)):
        raise _fault(file, "selfcheck", raw["selfcheck"], f"{SCHEMA}: the self-check is of another version than this")
    for name in FIELDS:
        if name not in raw:
            raise SelfCheckError(f"{file}: {name}: is missing; allowed are {', '.join(FIELDS)}, and all of them")
    for name in raw:
        if name not in FIELDS:
            raise SelfCheckError(f"{file}: {_shown(name)}: is no field; allowed are {', '.join(FIELDS)}")
    for name in FIELDS[1:]:
        value = raw[name]
        if not isinstance(value, str) or not value:
            raise _fault(file, name, value, "a text")
        if name != "facts" and (_HIDDEN.search(value) or "\n" in value):
            raise _fault(file, name, value, "a text of one line")
    return raw


def _facts(file: str, text: str, site: str) -> dict[str, Any]:
    try:
        loaded = _json(text)
    except (ValueError, RecursionError) as exc:
        raise _fault(file, "facts", None, f"the facts as the self-check writes them ({_reason(exc)})", site) from exc
    try:
        check_shape(loaded)
    except (ValueError, OverflowError) as exc:
        told = str(exc)
        raise SelfCheckError(
            f"{file}: site {site}: {told if len(told) <= _MOST_TEXT else told[:_MOST_TEXT] + '…'}"
        ) from exc
    # Which is what check_shape has made sure of.
    facts: dict[str, Any] = loaded if isinstance(loaded, dict) else {}
    if facts["interactor"] is not None:
        allowed = "null: a self-check is of a client, and never makes a server's result"
        raise _fault(file, "facts.interactor", None, allowed, site)
    for name in ("name", "addresses"):
        if (facts["host"] or {}).get(name):
            raise _fault(file, f"facts.host.{name}", None, "null: a self-check names no computer", site)
    for path, value in _texts(facts, "facts"):
        if _HIDDEN.search(value):
            raise _fault(file, path, None, "a text without control characters", site)
        if _PERSONAL.search(value):
            raise _fault(file, path, None, "a text without account, user's folder or password", site)
    return facts


def judge_selfcheck(
    found: SelfCheck, site: Site, contract: Mapping[str, Any], now: datetime, valid: timedelta
) -> list[CheckResult]:
    """Judge a file as the measurement of a client is judged, as of the moment when it was made.

    SelfCheckError where it is ahead of `now` by more than clocks may differ, or older than `valid`.
    """
    made = format_time(found.made)
    if found.made > now + MOST_AHEAD:
        raise _fault(found.file, "made_at", made, f"at latest {format_time(now + MOST_AHEAD)}", found.site)
    if now - found.made > valid:
        allowed = f"{format_time(now - valid)} or later: run the self-check again"
        raise _fault(found.file, "made_at", made, allowed, found.site)
    facts = dict(found.facts)
    if (facts["clock"] or {}).get("offset_seconds") is None and facts["host"]:
        # Its own clock is all that it knows, and says nothing about itself.
        facts["host"] = {**facts["host"], "utc": None}
    try:
        return [_short(check) for check in judge_facts(facts, site, "client", contract, found.made)]
    except (ArithmeticError, KeyError, TypeError, ValueError) as exc:
        # Whatever a file holds that has the right shape and cannot be: it stops no other file.
        told = f"facts that can be judged ({type(exc).__name__})"
        raise _fault(found.file, "facts", None, told, found.site) from exc


def selfcheck_event(found: SelfCheck, checks: Sequence[CheckResult]) -> dict[str, Any]:
    """The event for the journal (docs/contracts.md, Journal); the same file has the same key."""
    return {
        "site": found.site,
        "host": found.host,
        "kind": EventKind.MEASURED.value,
        "subject": None,
        "key": found.key,
        "data": {
            "origin": Origin.SELF_CHECKED.value,
            "made": format_time(found.made),
            "reached": True,
            "cause": None,
            "detail": "",
            "verdict": host_verdict(True, None, checks).value,
            "checks": [check.to_dict() for check in checks],
            "version": None,
            "mode": None,
        },
    }


def _short(check: CheckResult) -> CheckResult:
    """The check with texts that a table can hold: a file may hold any amount."""
    evidence = {name: value[:_MOST_TEXT] if isinstance(value, str) else value for name, value in check.evidence.items()}
    return replace(check, observed=check.observed[:_MOST_TEXT], evidence=evidence)


def _json(text: str) -> object:
    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in found]
        double = next((name for name in names if names.count(name) > 1), None)
        if double is not None:
            raise ValueError(f"{_shown(double)} stands there twice")
        return dict(found)

    def number(word: str) -> float:
        value = float(word) if set(word) & set(".eEIN") else int(word)
        # Also what is no number of JSON (NaN, Infinity), and what nobody could reckon with.
        if not abs(value) < MOST_NUMBER:
            raise ValueError(f"{_shown(word)} is no number of a self-check")
        return value

    loaded: object = json.loads(
        text, object_pairs_hook=pairs, parse_constant=number, parse_float=number, parse_int=number
    )
    return loaded


def _texts(value: object, path: str) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(path, value)]
    inner: list[tuple[str, object]] = []
    if isinstance(value, Mapping):
        inner = [(f"{path}.{_shown(name)}", each) for name, each in value.items()]
    elif isinstance(value, list):
        inner = [(f"{path}[{index}]", each) for index, each in enumerate(value)]
    return [found for name, each in inner for found in _texts(each, name)]


def _reason(exc: Exception) -> str:
    """Why it cannot be read, without the text that was read."""
    if isinstance(exc, json.JSONDecodeError):
        return f"line {exc.lineno}, column {exc.colno}: {exc.msg}"
    if isinstance(exc, UnicodeDecodeError):
        return f"no UTF-8 at byte {exc.start}"
    return "nested too deep" if isinstance(exc, RecursionError) else str(exc)


def _shown(value: object) -> str:
    text = _HIDDEN.sub("?", value if isinstance(value, str) else json.dumps(value)).replace("\n", "?")
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…"


def _fault(file: str, field: str, value: object, allowed: str, site: str = "") -> SelfCheckError:
    whose = f"site {site}: " if site else ""
    told = "has a value that is not allowed" if value is None else f"is {_shown(value)!r}"
    return SelfCheckError(f"{file}: {whose}{field}: {told}; allowed is {allowed}")


def _near(id: str, sites: Mapping[str, Site]) -> str:
    close = nearest(id, list(sites), most=1)
    return f"; did you mean {close[0]}?" if close else ""
