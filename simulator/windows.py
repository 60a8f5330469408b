"""Small pieces of Windows that hosts and models share."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulator.clock import stamp
from simulator.scenario import Proxy, Use


@dataclass
class Task:
    """A scheduled task: a program with its arguments; when it starts by itself, how often, and whether at startup."""

    program: str
    arguments: str
    at: datetime | None = None
    every: timedelta | None = None
    startup: bool = False

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


def connection_settings(proxy: Proxy) -> bytes:
    """Windows' DefaultConnectionSettings for these Internet Options: version, counter, flags, three texts, filler."""
    flags = 1 | (2 if proxy.proxy_enable else 0) | (4 if proxy.auto_config_url else 0)
    texts = [(text or "").encode() for text in (proxy.proxy_server, proxy.proxy_override, proxy.auto_config_url)]
    body = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    return struct.pack("<III", 0x46, proxy.counter, flags) + body + bytes(32)
