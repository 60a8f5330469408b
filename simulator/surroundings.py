"""What a simulated host meets in its net: names, time servers, TLS, pages by one way or another, proxy scripts."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from simulator.calls import UNTRUSTED, Fetch, FetchError, Page, PageTrouble
from simulator.pki import FIREWALL, PUBLIC
from simulator.scenario import Machine

Behind = Callable[[PageTrouble], Fetch]
"""How a host asks that has something between it and a page."""


@dataclass(frozen=True)
class Net:
    """The net of a scenario: whether a name is known in it, and what each proxy script says (by host name, or `*`)."""

    fetch: Fetch
    known: Callable[[str], bool] = lambda _name: True
    scripts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    behind: Behind | None = None


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
        trouble = self._between(name)
        issuer = f"O={FIREWALL if trouble and trouble.is_caught else PUBLIC}"
        return {"protocol": "Tls12", "trusted": trouble is None or trouble.is_accepted, "issuer": issuer}

    async def page(self, url: str, proxy: str) -> Page:
        """A page by a proxy (`host:port`); directly where that is empty."""
        self.way(url, proxy)
        return await self.get(url)

    async def get(self, url: str, start: int = 0, most: int | None = None) -> Page:
        """A page by the way that the account has, from byte `start` on and up to `most` bytes."""
        trouble = self._between(urlsplit(url).hostname or "")
        if trouble is None:
            return await self._net.fetch(url, start, most)
        assert self._net.behind is not None, "a world without a wire has nothing between a host and a page"
        return await self._net.behind(trouble)(url, start, most)

    def way(self, url: str, proxy: str) -> None:
        """Whether a page can be asked for by a proxy (`host:port`), or directly where that is empty."""
        name = urlsplit(url).hostname or ""
        if proxy in self._machine.dead_proxies:
            raise FetchError(f"ConnectFailure: {proxy} does not answer")
        if not proxy:
            self.addresses(name)
            if not self._machine.direct and urlsplit(url).hostname not in self._inside:
                raise FetchError(f"ConnectFailure: no way to {name} but by a proxy")

    def trust(self, url: str) -> None:
        """Whether Windows trusts the certificate of an address: what a real client of the wire finds out by itself."""
        name = urlsplit(url).hostname or ""
        trouble = self._between(name)
        if trouble is not None and not trouble.is_accepted and url.startswith("https:"):
            raise FetchError(UNTRUSTED.format(name))

    def script_answer(self, script: str, url: str) -> str:
        """What WinHTTP says for an address by a script."""
        said = self._net.scripts.get(script)
        if said is None:
            raise FetchError("The PAC script could not be run.")
        return said.get(urlsplit(url).hostname or "", said.get("*", "DIRECT"))

    def detected(self) -> str:
        """The address of the script that automatic detection finds; empty for none."""
        if not self._machine.detection:
            raise FetchError("The service has not been started.")
        return self._machine.wpad or ""

    def _between(self, name: str) -> PageTrouble | None:
        trouble = self._machine.page_trouble
        return trouble if trouble is not None and name in trouble.names else None

    @property
    def _inside(self) -> set[str | None]:
        """Servers that need no proxy: those that have the scripts."""
        return {urlsplit(script).hostname for script in self._net.scripts}
