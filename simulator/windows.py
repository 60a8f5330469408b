"""Small pieces of Windows that hosts and models share."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulator.clock import stamp
from simulator.scenario import Settings, Use

_HEAD, _TEXTS = 12, 3
"""Settings in a binary form: so many bytes stand before the first text, and so many texts there are at most."""


POWERSHELL = r"%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe"
UNATTENDED = "-NoProfile -NonInteractive -ExecutionPolicy Bypass"
"""What our tasks run, and how it is told that nobody sits there."""


@dataclass
class Task:
    """A scheduled task: a program with its arguments; when it starts by itself, how often, and whether at startup.

    `result` is what its script ended with in an engine, Windows' LastTaskResult.
    """

    program: str
    arguments: str
    at: datetime | None = None
    every: timedelta | None = None
    startup: bool = False
    result: int = 0

    @property
    def is_script(self) -> bool:
        """Whether PowerShell runs it."""
        return self.program.casefold().endswith(r"\powershell.exe")

    def due(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The moments after `after`, up to `until`, at which it starts by itself."""
        if self.at is None:
            return
        if self.every is None:
            moments = [self.at] if after < self.at <= until else []
            yield from moments
            return
        passed = max(0, (after - self.at) // self.every + 1) if after >= self.at else 0
        moment = self.at + passed * self.every
        while moment <= until:
            yield moment
            moment += self.every

    def told(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "program": self.program,
            "arguments": self.arguments,
            "at": stamp(self.at) if self.at else None,
            "every_minutes": self.every // timedelta(minutes=1) if self.every else None,
            "startup": self.startup,
        }


@dataclass
class Restart:
    """A scheduled task that restarts the machine: when, and whether it is enabled."""

    at: datetime
    enabled: bool = True


@dataclass
class Process:
    """A program that runs; of a person who has Interactor open also what that person does, and until when."""

    name: str
    path: str
    use: Use | None = None
    until: datetime | None = None


@dataclass
class Service:
    """A Windows service: its state in Windows' word (lower case) and how it is set up."""

    state: str
    program: str
    start_mode: str = "Auto"
    account: str = "LocalSystem"


def connection_settings(proxy: Settings) -> bytes:
    """Windows' DefaultConnectionSettings for these Internet Options: version, counter, flags, three texts, filler."""
    flags = 1 | (2 if proxy.proxy_enable else 0) | (4 if proxy.auto_config_url else 0) | (8 if proxy.auto_detect else 0)
    texts = [(text or "").encode() for text in (proxy.proxy_server, proxy.proxy_override, proxy.auto_config_url)]
    body = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    return struct.pack("<III", 0x46, proxy.counter, flags) + body + bytes(32)


def read_connection_settings(raw: bytes) -> Settings:
    """The Internet Options that `connection_settings` made these bytes of."""
    counter, flags = struct.unpack_from("<II", raw, 4)
    texts, at = [], 12
    for _ in range(3):
        (length,) = struct.unpack_from("<I", raw, at)
        texts.append(raw[at + 4 : at + 4 + length].decode() or None)
        at += 4 + length
    server, override, script = texts
    said = {"proxy_server": server, "proxy_override": override, "auto_config_url": script}
    return Settings(proxy_enable=1 if flags & 2 else 0, auto_detect=bool(flags & 8), **said).written(counter)


def winhttp_settings(proxy: str | None, script: str | None = None) -> bytes:
    """Windows' WinHttpSettings for a proxy, or for none; only a newer form of them has a script."""
    flags = 1 | (2 if proxy else 0) | (4 if script else 0)
    texts = [(proxy or "").encode(), b"", *([script.encode()] if script else [])]
    body = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    return struct.pack("<III", 0x28 if script else 0x18, 0, flags) + body


def hidden(text: str) -> str:
    """A text with an x for every character of a user in an address, of a user's folder in a path, of a SID's number."""

    def hide(found: re.Match[str]) -> str:
        return found[1] + "x" * len(found[2]) + found[3]

    text = re.sub(r"(://)([^/\s\x00-\x1f]+)(@)", hide, text)
    text = re.sub(r"(?<![^/\s;=\x00-\x1f])()([^/\s;=\x00-\x1f]+)(@)", hide, text)
    text = re.sub(r"(S-1-)([0-9-]+)()", hide, text)
    return re.sub(r"(?i)([\\/]Users[\\/])([^\\/;\x00-\x1f]+)([\\/]?)", hide, text)


def hidden_hex(binary: bytes) -> str:
    """A binary value in hex, each of its texts masked by itself, and what follows them as one text."""
    told, done, masked = binary.decode("latin-1"), 0, ""
    for _ in range(_TEXTS):
        start = max(done, _HEAD)
        if start + 4 > len(binary):
            break
        (length,) = struct.unpack_from("<I", binary, start)
        if length > len(binary) - start - 4:
            break
        masked += told[done : start + 4] + hidden(told[start + 4 : start + 4 + length])
        done = start + 4 + length
    return (masked + hidden(told[done:])).encode("latin-1").hex()
