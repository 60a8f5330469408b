# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way that a request takes: what an automatic script answers, and what a manual proxy comes to (P5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .pac import sh_exp_match

DIRECT = "DIRECT"
PORTS = {"PROXY": 80, "HTTP": 80, "HTTPS": 443, "SOCKS": 1080, "SOCKS4": 1080, "SOCKS5": 1080}
"""The ways through a proxy that a script may name, and the port of one that names none."""
LONGEST_SCRIPT = 65_536
"""So many characters of a script are brought home, in the units of Windows (UTF-16); of a longer one none."""
LONGEST_ANSWER = 4096
"""So many characters of an answer are read; a real one has two or three proxies."""

_ADDRESS = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,253})(?::([0-9]{1,5}))?", re.ASCII)


@dataclass(frozen=True)
class Evaluation:
    """What a script answers for one address by our own evaluation; `unknown` are names that the facts do not know."""

    ways: tuple[str, ...] = ()
    error: str | None = None
    unknown: tuple[str, ...] = ()


Evaluations = Mapping[tuple[str, str], Evaluation]
"""The evaluations by the script's address, as `proxy.plain_url` gives it, and the address asked for."""


def is_fetched(script: Mapping[str, Any]) -> bool:
    """Whether an element of `proxy.scripts` of the facts holds a script, and not what a server said in its place."""
    return script["status"] == 200 and bool(script["text"])


def is_too_long(script: Mapping[str, Any]) -> bool:
    """Whether the host has the script, and it is too long to be brought home."""
    return script["status"] == 200 and not script["text"] and (script["characters"] or 0) > LONGEST_SCRIPT


def in_words(ways: tuple[str, ...]) -> str:
    """The ways as people read them: the first, and what is taken only where those before it fail."""
    return ", else ".join(ways)


def parse_answer(text: str) -> tuple[str, ...]:
    """The ways that an answer names, best first, as `PROXY host:port` or `DIRECT` (P5).

    `text` is what `FindProxyForURL` returns (`PROXY a:1; SOCKS b:2; DIRECT`), or Windows' form of it without the words
    (`a:1;b:2`). An empty one means direct. Credentials are left out. Raises ValueError that quotes the part of it that
    is no way.
    """
    if len(text) > LONGEST_ANSWER:
        raise ValueError(f"an answer of {len(text)} characters; {LONGEST_ANSWER} are allowed")
    parts = [part.split() for part in text.split(";") if part.strip()]
    return tuple(_way(part) for part in parts) or (DIRECT,)


def _way(part: list[str]) -> str:
    word = part[0].upper()
    if word == DIRECT and len(part) == 1:
        return DIRECT
    if len(part) == 1 and word not in PORTS:
        return named("PROXY", part[0])
    if word in PORTS and len(part) == 2:
        return named(word, part[1])
    raise ValueError(f"{' '.join(part)[:80]!r} is no way; one of {', '.join(PORTS)} with its address, or {DIRECT}, is")


def named(word: str, address: str) -> str:
    """`word` and an address with its port; ValueError for what is no address of a proxy, which is quoted."""
    bare = address.strip().casefold().partition("://")[2] or address.strip().casefold()
    found = _ADDRESS.fullmatch(bare.rpartition("@")[2].rstrip("/"))
    if not found or not 0 < int(found[2] or PORTS[word]) < 65536:
        raise ValueError(f"{address.rpartition('@')[2][:80]!r} is no address of a proxy, as proxy.example:8080")
    return f"{word} {found[1]}:{int(found[2] or PORTS[word])}"


def manual_way(proxy: str, bypass: str, url: str) -> str:
    """The way that `url` takes where `proxy` and `bypass` are set by hand, as they stand under LAN settings (P5).

    `proxy` is one address for all, or one for each kind (`http=a:1;https=b:2;socks=c:3`); `bypass` are patterns, with
    `<local>` for names without a dot. Raises ValueError for what is no address.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").casefold()
    if any(_goes_past(pattern, parts.scheme, host) for pattern in re.split(r"[;\s]+", bypass.casefold()) if pattern):
        return DIRECT
    by_kind: dict[str, str] = {}
    for entry in re.split(r"[;\s]+", proxy.casefold()):
        kind, found, address = entry.rpartition("=")
        if address:
            by_kind.setdefault(kind if found else "", address)
    for kind in (parts.scheme, ""):
        if kind in by_kind:
            return named("PROXY", by_kind[kind])
    return named("SOCKS", by_kind["socks"]) if "socks" in by_kind else DIRECT


def _goes_past(pattern: str, scheme: str, host: str) -> bool:
    if pattern == "<local>":
        return "." not in host
    of, found, rest = pattern.rpartition("://")
    return (not found or of == scheme) and sh_exp_match(host, rest.partition(":")[0])
