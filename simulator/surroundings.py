"""What a simulated host meets in its net: names, time servers, TLS, pages by one way or another, proxy scripts."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from simulator.calls import Fetch, FetchError, Page
from simulator.scenario import Machine

ISSUER = "CN=Simulated public CA"
INTERCEPTOR = "CN=Simulated firewall"


@dataclass(frozen=True)
class Net:
    """The net of a scenario: whether a name is known in it, and what each proxy script says (by host name, or `*`)."""

    fetch: Fetch
    known: Callable[[str], bool] = lambda _name: True
    scripts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Surroundings:
    """A net as one machine sees it; what does not work raises FetchError with the words of its Windows."""

    def __init__(self, machine: Machine, net: Net) -> None:
        self._machine = machine
        self._net = net

    def clock_offset(self) -> float:
        """Seconds by which the machine's clock is ahead of a time server's."""
        if not self._machine.time_server:
            raise FetchError("no answer came in time")
        return float(self._machine.clock_offset_seconds)

    def addresses(self, name: str) -> list[str]:
        """The addresses of a name."""
        if name in self._machine.unknown_names or not self._net.known(name):
            raise FetchError(f"{name} is not a known name")
        return [f"192.0.2.{zlib.crc32(name.encode()) % 254 + 1}"]

    def handshake(self, name: str) -> dict[str, Any]:
        """Protocol, issuer and whether it is trusted, of a direct connection."""
        self.addresses(name)
        if not self._machine.direct:
            raise FetchError("no connection came about")
        if not self._machine.tls_allowed:
            raise FetchError("the client and server possess no common algorithm")
        caught = name in self._machine.intercepted
        return {"protocol": "Tls12", "trusted": not caught, "issuer": INTERCEPTOR if caught else ISSUER}

    async def page(self, url: str, proxy: str) -> Page:
        """A page by a proxy (`host:port`); directly where that is empty."""
        self.way(url, proxy)
        return await self._net.fetch(url)

    def way(self, url: str, proxy: str) -> None:
        """Whether a page can be asked for by a proxy (`host:port`), or directly where that is empty."""
        name = urlsplit(url).hostname or ""
        if proxy in self._machine.dead_proxies:
            raise FetchError(f"ConnectFailure: {proxy} does not answer")
        if not proxy:
            self.addresses(name)
            if not self._machine.direct and urlsplit(url).hostname not in self._inside:
                raise FetchError(f"ConnectFailure: no way to {name} but by a proxy")
        if name in self._machine.intercepted and url.startswith("https:"):
            raise FetchError(f"TrustFailure: the certificate of {name} is not trusted")

    def script_answer(self, script: str, url: str) -> str:
        """What WinHTTP says for an address by a script."""
        said = self._net.scripts.get(script)
        if said is None:
            raise FetchError("The PAC script could not be run.")
        return said.get(urlsplit(url).hostname or "", said.get("*", "DIRECT"))

    @property
    def _inside(self) -> set[str | None]:
        """Servers that need no proxy: those that have the scripts."""
        return {urlsplit(script).hostname for script in self._net.scripts}
