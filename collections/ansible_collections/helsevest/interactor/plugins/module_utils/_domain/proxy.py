# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which proxy a user's profile really has: the registry's values and Windows' own binary forms of them (P5)."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag, StrEnum
from itertools import combinations
from typing import Any
from urllib.parse import urlsplit

VERSIONS = (0x46, 0x3C)
"""Of the connection settings: that of every Windows that is still in use, and that of a profile that is older."""
WINHTTP_VERSIONS = (0x28, 0x18)
"""Of WinHTTP's settings: since Windows 8, and before."""

_CREDENTIALS = re.compile(r"[^/;=\s]*@")


class Flags(IntFlag):
    """What is ticked under LAN settings; bits that are not named here are of no matter to us."""

    DIRECT = 0x01
    MANUAL = 0x02
    SCRIPT = 0x04
    AUTO_DETECT = 0x08


KNOWN_FLAGS = Flags.DIRECT | Flags.MANUAL | Flags.SCRIPT | Flags.AUTO_DETECT


@dataclass(frozen=True)
class ConnectionSettings:
    """The content of `DefaultConnectionSettings`; the texts stay there when their tick is removed."""

    counter: int
    flags: Flags
    proxy: str
    bypass: str
    script_url: str


@dataclass(frozen=True)
class WinHttpSettings:
    """The content of `WinHttpSettings`, which services of Windows go by; only a newer Windows knows a script there."""

    flags: Flags
    proxy: str
    bypass: str
    script_url: str = ""


class _Reader:
    """Reads numbers and texts, one after the other; each error says at which byte it was."""

    def __init__(self, raw: str | bytes, what: str, versions: tuple[int, ...]) -> None:
        self._what, self._at = what, 0
        if isinstance(raw, str):
            try:
                raw = bytes.fromhex(raw)
            except ValueError as error:
                raise self._error(f"no hex: {error}") from None
        self._raw = raw
        if (version := self.number("version")) not in versions:
            known = " and ".join(f"{one:#x}" for one in versions)
            raise self._error(f"version {version:#x} at byte 0; {known} are known")

    @property
    def is_at_end(self) -> bool:
        return self._at == len(self._raw)

    def number(self, name: str) -> int:
        (number,) = struct.unpack("<I", self._take(4, name))
        return int(number)

    def text(self, name: str) -> str:
        length, start = self.number(f"length of {name}"), self._at
        # Windows writes its own code page; only ASCII matters to us, and Latin-1 loses nothing of it.
        text = self._take(length, name).decode("latin-1")
        for offset, character in enumerate(text):
            if ord(character) < ord(" "):
                raise self._error(f"{name} has a control character at byte {start + offset}")
        return text

    def _take(self, length: int, name: str) -> bytes:
        start, end = self._at, self._at + length
        if end > len(self._raw):
            left = len(self._raw) - start
            raise self._error(f"{name} at byte {start} needs {length} bytes, {left} are left")
        self._at = end
        return self._raw[start:end]

    def _error(self, complaint: str) -> ValueError:
        return ValueError(f"{self._what}: {complaint}")


def parse_connection_settings(raw: str | bytes) -> ConnectionSettings:
    """Read `DefaultConnectionSettings` or `SavedLegacySettings`, as bytes or as hex (P5).

    Whatever follows the three texts is ignored. Raises ValueError that says at which byte something else was expected.
    """
    reader = _Reader(raw, "connection settings", VERSIONS)
    counter, flags = reader.number("counter"), reader.number("flags")
    proxy, bypass, script_url = reader.text("proxy"), reader.text("bypass"), reader.text("script")
    return ConnectionSettings(counter, Flags(flags & KNOWN_FLAGS), proxy, bypass, script_url)


def parse_winhttp_settings(raw: str | bytes) -> WinHttpSettings:
    """Read `WinHttpSettings`, which `netsh winhttp` writes, as bytes or as hex (P5).

    Whatever follows the two texts is ignored, unless the flags say that it is a script. Raises ValueError that says at
    which byte something else was expected.
    """
    reader = _Reader(raw, "WinHTTP settings", WINHTTP_VERSIONS)
    reader.number("counter")
    flags = Flags(reader.number("flags") & KNOWN_FLAGS)
    proxy, bypass = reader.text("proxy"), reader.text("bypass")
    # An older Windows writes no script, whatever its flags are.
    script_url = reader.text("script") if Flags.SCRIPT in flags and not reader.is_at_end else ""
    return WinHttpSettings(flags, proxy, bypass, script_url)


class ProfileProxy(StrEnum):
    """What a profile's proxy comes to; P5 wants the first."""

    SCRIPT_ONLY = "script_only"
    DOUBLE = "double"
    MANUAL_ONLY = "manual_only"
    DIRECT = "direct"
    OTHER_SCRIPT = "other_script"
    UNKNOWN = "unknown"


class View(StrEnum):
    """Where a profile's set-up stands, the one first by which the user's programs (WinINet) go."""

    CONNECTIONS = "connections"
    REGISTRY = "registry"
    SAVED = "saved"


@dataclass(frozen=True)
class SetUp:
    """A proxy set-up, wherever it was read: what is in use, else an empty text."""

    proxy: str
    bypass: str
    script_url: str
    detects: bool = field(default=False, compare=False)
    """Whether Windows looks for a script by itself first; only the binary forms tell it, so it makes none disagree."""

    def kind(self, script_url: str) -> ProfileProxy:
        """What it comes to, where `script_url` is the wanted script; one of the same host counts as the wanted one.

        Automatic detection is ticked on every new Windows and no second proxy, so that it does not matter here: what
        it brings, where it brings anything, is a finding of its own.
        """
        if self.script_url:
            if self.proxy:
                return ProfileProxy.DOUBLE
            wanted = _host(self.script_url) == _host(script_url)
            return ProfileProxy.SCRIPT_ONLY if wanted else ProfileProxy.OTHER_SCRIPT
        return ProfileProxy.MANUAL_ONLY if self.proxy else ProfileProxy.DIRECT


@dataclass(frozen=True)
class Profile:
    """What one profile comes to: its set-up by the view that counts, and which views say another thing."""

    number: int
    kind: ProfileProxy
    set_up: SetUp | None
    view: View | None
    disagreeing: tuple[tuple[View, View], ...] = ()
    is_used: bool = True
    """Whether somebody works with it: a temporary profile and a backup of one are told, but hold up nobody."""
    is_managed: bool = False
    """Whether its user cannot change it: a group policy sets it."""
    others: Mapping[View, SetUp] = field(default_factory=dict, compare=False)
    """The set-ups by the views that say another thing than the one that counts."""


USED_KINDS = (None, "local", "roaming")


def look_at(profile: Mapping[str, Any], script_url: str) -> Profile:
    """Tell what one element of `proxy.profiles` of the facts comes to, where `script_url` is the wanted script (P5).

    The user's programs go by `DefaultConnectionSettings`; where a profile has none yet, Windows makes it of the
    registry's values. A profile that could not be read, or whose binary cannot be understood, is unknown.
    """
    number = int(profile["profile"])
    is_used = profile["kind"] in USED_KINDS
    is_managed = bool(profile["policy"])
    found: dict[View, SetUp] = {}
    error = profile["error"]
    for view, key in ((View.CONNECTIONS, "connections"), (View.SAVED, "saved")):
        if profile[key] is not None:
            try:
                found[view] = _from_settings(parse_connection_settings(profile[key]))
            except ValueError as unreadable:
                # By the saved settings only connections go that are dialled: they alone make nothing unknown.
                error = error or (str(unreadable) if view is View.CONNECTIONS else None)
    if profile["proxy_enable"] is not None:
        manual, script = bool(profile["proxy_enable"]), profile["auto_config_url"]
        found[View.REGISTRY] = _set_up(manual, profile["proxy_server"], profile["proxy_override"], script)
    views = [view for view in View if view in found]
    if error or views in ([], [View.SAVED]):
        return Profile(number, ProfileProxy.UNKNOWN, None, None, (), is_used, is_managed)
    best = views[0]
    pairs = tuple((one, other) for one, other in combinations(views, 2) if found[one] != found[other])
    others = {view: found[view] for view in views if found[view] != found[best]}
    return Profile(number, found[best].kind(script_url), found[best], best, pairs, is_used, is_managed, others)


def _from_settings(settings: ConnectionSettings) -> SetUp:
    script_url = settings.script_url if Flags.SCRIPT in settings.flags else ""
    manual, detects = Flags.MANUAL in settings.flags, Flags.AUTO_DETECT in settings.flags
    return _set_up(manual, settings.proxy, settings.bypass, script_url, detects)


def _set_up(
    manual: bool, proxy: str | None, bypass: str | None, script_url: str | None, detects: bool = False
) -> SetUp:
    # A tick without an address is a proxy all the same: Windows then waits for one.
    used = _CREDENTIALS.sub("", proxy or "").strip().casefold() or "unnamed" if manual else ""
    return SetUp(used, (bypass or "").strip().casefold() if manual else "", plain_url(script_url), detects)


def plain_url(url: str | None) -> str:
    """An address as it is compared: in lower case, without credentials."""
    scheme, found, rest = (url or "").strip().casefold().partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{found}{authority.rpartition('@')[2]}{slash}{path}"


def _host(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        return parts.hostname if parts.scheme in ("http", "https") else None
    except ValueError:
        return None
