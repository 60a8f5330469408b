"""Small pieces of Windows that hosts and models share."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from simulator.scenario import Proxy


@dataclass
class Task:
    """A scheduled task: a program and its arguments."""

    program: str
    arguments: str


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
    return struct.pack("<III", 0x46, 3, flags) + body + bytes(32)
