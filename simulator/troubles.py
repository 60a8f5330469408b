"""What stands between a controller and a host's WinRM service, connection by connection (docs/scenario.md, Trouble)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import get_args
from weakref import WeakKeyDictionary

from simulator.calls import AtConnect, AtRequest, Host


class Troubles:
    """The troubles of `hosts`, and how many connections have met each."""

    def __init__(self, hosts: Mapping[str, Host]) -> None:
        self._hosts = hosts
        self._met: Counter[str] = Counter()
        self._of_lines: WeakKeyDictionary[asyncio.BaseTransport, str] = WeakKeyDictionary()

    def at_connect(self, name: str) -> str:
        """What a new connection to a host, or to another name, meets before anything is said; empty: nothing."""
        return self._meet(name, get_args(AtConnect))

    def at_request(self, name: str, line: asyncio.BaseTransport) -> str:
        """What the requests over a line to a host meet, all of them or none; empty: nothing."""
        if line not in self._of_lines:
            self._of_lines[line] = self._meet(name, get_args(AtRequest))
        return self._of_lines[line]

    def _meet(self, name: str, kinds: tuple[str, ...]) -> str:
        trouble = self._hosts[name].trouble if name in self._hosts else None
        if trouble is None or trouble.kind not in kinds or self._met[name] == trouble.times:
            return ""
        self._met[name] += 1
        return trouble.kind
