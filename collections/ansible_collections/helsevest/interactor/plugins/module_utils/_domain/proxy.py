# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which proxy a user's profile really has: the registry's values and Windows' own binary form of them (P5)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag, StrEnum
from typing import Any
from urllib.parse import urlsplit

VERSION = 0x46


class Flags(IntFlag):
    """What is ticked under LAN settings; bits that are not named here are of no matter to us."""

    DIRECT = 0x01
    MANUAL = 0x02
    SCRIPT = 0x04
    AUTO_DETECT = 0x08


@dataclass(frozen=True)
class ConnectionSettings:
    """The content of `DefaultConnectionSettings`; the texts stay there when their tick is removed."""

    counter: int
    flags: Flags
    proxy: str
    bypass: str
    script_url: str


def parse_connection_settings(raw: str | bytes) -> ConnectionSettings:
    """Read `DefaultConnectionSettings`, as bytes or as hex; whatever follows the three texts is ignored.

    Raises ValueError that says at which byte something else was expected.
    """
    if isinstance(raw, str):
        try:
            raw = bytes.fromhex(raw)
        except ValueError as error:
            raise ValueError(f"connection settings: no hex: {error}") from None
    version, at = _number(raw, 0, "version")
    if version != VERSION:
        raise ValueError(f"connection settings: version {version:#x} at byte 0; {VERSION:#x} is known")
    counter, at = _number(raw, at, "counter")
    flags, at = _number(raw, at, "flags")
    proxy, at = _text(raw, at, "proxy")
    bypass, at = _text(raw, at, "bypass")
    script_url, at = _text(raw, at, "script")
    known = Flags.DIRECT | Flags.MANUAL | Flags.SCRIPT | Flags.AUTO_DETECT
    return ConnectionSettings(counter, Flags(flags & known), proxy, bypass, script_url)


def _number(raw: bytes, at: int, name: str) -> tuple[int, int]:
    end = at + 4
    if end > len(raw):
        raise ValueError(f"connection settings: {name} at byte {at} needs 4 bytes, {max(len(raw) - at, 0)} are left")
    (number,) = struct.unpack_from("<I", raw, at)
    return number, end


def _text(raw: bytes, at: int, name: str) -> tuple[str, int]:
    length, start = _number(raw, at, f"length of {name}")
    end = start + length
    if end > len(raw):
        raise ValueError(
            f"connection settings: {name} at byte {start} needs {length} bytes, {len(raw) - start} are left"
        )
    # Windows writes its own code page; only ASCII matters to us, and Latin-1 loses nothing of it.
    text = raw[start:end].decode("latin-1")
    for offset, character in enumerate(text):
        if ord(character) < ord(" "):
            raise ValueError(f"connection settings: {name} has a control character at byte {start + offset}")
    return text, end


class ProfileProxy(StrEnum):
    """What a profile's proxy comes to; P5 wants the first."""

    SCRIPT_ONLY = "script_only"
    DOUBLE = "double"
    MANUAL_ONLY = "manual_only"
    DIRECT = "direct"
    OTHER_SCRIPT = "other_script"
    DISAGREEING = "disagreeing"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class _Ticks:
    """A proxy set-up, wherever it was read: what is in use, else an empty text."""

    proxy: str
    script_url: str


def judge_profile(profile: Mapping[str, Any], script_url: str) -> ProfileProxy:
    """Tell what one element of `proxy.profiles` of the facts comes to, where `script_url` is the wanted script (P5).

    A script of the same host counts as the wanted one, whatever its path. Automatic detection is ticked on every new
    Windows and no second proxy, so that it does not matter. A value that is missing in the registry is read from the
    binary; a binary that cannot be read makes the profile unknown.
    """
    registry = _from_registry(profile)
    binary: _Ticks | None = None
    if profile["connections"] is not None:
        try:
            binary = _from_settings(parse_connection_settings(profile["connections"]))
        except ValueError:
            return ProfileProxy.UNKNOWN
    ticks = registry or binary
    if ticks is None:
        return ProfileProxy.UNKNOWN
    if registry and binary and registry != binary:
        return ProfileProxy.DISAGREEING
    if ticks.script_url:
        if ticks.proxy:
            return ProfileProxy.DOUBLE
        return ProfileProxy.SCRIPT_ONLY if _host(ticks.script_url) == _host(script_url) else ProfileProxy.OTHER_SCRIPT
    return ProfileProxy.MANUAL_ONLY if ticks.proxy else ProfileProxy.DIRECT


def _from_registry(profile: Mapping[str, Any]) -> _Ticks | None:
    if profile["proxy_enable"] is None:
        return None
    return _ticks(bool(profile["proxy_enable"]), profile["proxy_server"], profile["auto_config_url"])


def _from_settings(settings: ConnectionSettings) -> _Ticks:
    script_url = settings.script_url if Flags.SCRIPT in settings.flags else ""
    return _ticks(Flags.MANUAL in settings.flags, settings.proxy, script_url)


def _ticks(manual: bool, proxy: str | None, script_url: str | None) -> _Ticks:
    # A tick without an address is a proxy all the same: Windows then waits for one.
    used = (proxy or "").strip().casefold() or "unnamed" if manual else ""
    return _Ticks(used, (script_url or "").strip().casefold())


def _host(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        return parts.hostname if parts.scheme in ("http", "https") else None
    except ValueError:
        return None
