"""A whole scenario come to life: hosts, cloud, pages and clock."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from simulator.calls import Fetch, PageTrouble
from simulator.clock import Clock
from simulator.cloud import Cloud
from simulator.engines import Engines
from simulator.host import SimulatedHost
from simulator.lines import BytesPage
from simulator.programs import Programs, installer_bytes
from simulator.scenario import Machine, Scenario, Site
from simulator.surroundings import Behind, Net

_PAC = """function FindProxyForURL(url, host) {
    if (isPlainHostName(host) || dnsDomainIs(host, ".nhn.no") || dnsDomainIs(host, ".dips.no")) {
        return "DIRECT";
    }
    return "PROXY sikker.proxy.nhn.no:8080; DIRECT";
}
"""
_SCRIPT = "http://config.nhn.no/kunde.pac"
_TESTING = "<!DOCTYPE html>\n<html><head><title>Testing</title></head><body><h1>Testing 123</h1></body></html>\n"
_SPEED_BYTES = 2_000_000


def _pages(scenario: Scenario) -> dict[str, dict[str, BytesPage]]:
    installer = scenario.installer
    _scheme, _slashes, rest = installer.url.partition("://")
    download_host, _slash, download_path = rest.partition("/")
    octets = "application/octet-stream"
    pages = {
        "interactor.dips.no": {"*": BytesPage(404, "text/plain; charset=utf-8", "default backend – 404")},
        "dipsupsvr.dips.no": {"*": BytesPage(200, "text/html; charset=utf-8", _TESTING)},
        "config.nhn.no": {"/kunde.pac": BytesPage(200, "application/x-ns-proxy-autoconfig", _PAC)},
        "speedtest.dips.no": {"/2mb.bin": BytesPage(200, octets, bytes(_SPEED_BYTES))},
        download_host: {"/" + download_path: BytesPage(200, octets, installer_bytes(installer))},
    }
    for name, by_path in scenario.pages.items():
        for path, page in by_path.items():
            pages.setdefault(name, {})[path] = BytesPage(page.status, page.content_type, page.body, page.location)
    return pages


class World:
    """All of a scenario (the protocol of simulator.calls).

    Args:
        scenario: the fleet.
        clock: its time.
        fetch: how hosts ask the servers of the net.
        engines: makes the hosts' engines; several worlds may have the same.
        behind: how hosts ask that have something between them and a page; None: no host of the scenario has.
    """

    def __init__(
        self,
        scenario: Scenario,
        clock: Clock,
        fetch: Fetch,
        engines: Engines | None = None,
        behind: Behind | None = None,
    ) -> None:
        self.clock = clock
        self.cloud = Cloud(scenario.sites, self.settle)
        self.cloud_url = scenario.vendor.cloud
        self._cloud_name = urlsplit(self.cloud_url).hostname
        self.pages = _pages(scenario)
        self.hosts: dict[str, SimulatedHost] = {}
        self._servers: dict[str, SimulatedHost] = {}
        self._scenario = scenario
        scripts = {_SCRIPT: {"*": "DIRECT"}, **scenario.scripts}
        self._net = Net(fetch, lambda name: name in self.pages or name == self._cloud_name, scripts, behind)
        # First those with a server: others may share it.
        for number in sorted(scenario.sites, key=lambda number: scenario.sites[number].shares is not None):
            self._open(number, scenario.site(number))
        # All was there before the clock starts: nobody has just been at work.
        self._engines = engines or Engines()
        for host in self.hosts.values():
            host.drive.date(host.booted)
            host.engine = self._engines.of(host)

    def _host(self, name: str, role: str, number: str, machine: Machine) -> SimulatedHost:
        host = SimulatedHost(
            name,
            role,
            machine,
            site=number,
            started=self._scenario.clock,
            now=self.clock.now,
            net=self._net,
        )
        self.hosts[name] = host
        return host

    def _open(self, number: str, site: Site) -> None:
        server = self._shared(site.shares, number, site) if site.shares else self._server(number, site)
        clients = [self._host(f"{client.name}.{site.domain}", "client", number, client) for client in site.clients]
        for client in clients:
            self._open_interactor(client)
        # Who has Interactor open on a PC holds files open on the server.
        server.clients += tuple(client for client in clients if client.people)

    def _server(self, number: str, site: Site) -> SimulatedHost:
        server = self._host(f"srv.{site.domain}", "server", number, site.server)
        server.programs = Programs(server, number, site, self._scenario, self.cloud, self.clock.now)
        server.damages_downloads = site.upgrade.ends == "bad_hash"
        server.cut_after = site.upgrade.cut_after
        if site.upgrade.ends in ("unsigned", "other_publisher"):
            other = "Noen Andre AS" if site.upgrade.ends == "other_publisher" else None
            server.signed_by = lambda _publisher: other
        self._servers[number] = server
        self._open_interactor(server)
        return server

    def _shared(self, owner: str, number: str, site: Site) -> SimulatedHost:
        server = self._servers[owner]
        if server.programs:
            server.programs.hold(number, site, self._scenario)
        return server

    def _open_interactor(self, host: SimulatedHost) -> None:
        vendor = self._scenario.vendor
        host.open_interactor(vendor.process, vendor.install, vendor.data)

    @property
    def page_troubles(self) -> dict[str, PageTrouble]:
        """What stands between a host and pages, by the host's name."""
        troubles = {name: host.machine.page_trouble for name, host in self.hosts.items()}
        return {name: trouble for name, trouble in troubles.items() if trouble is not None}

    def settle(self) -> None:
        """Bring up to the clock every server, and the PCs whose people are in Interactor."""
        for server in self._servers.values():
            server.settle()

    async def catch_up(self) -> None:
        """Bring every host up to the clock, with what tasks have begun by themselves. Raises `Unknown` as a command."""
        for host in self.hosts.values():
            host.settle()
        engines = [host.engine for host in self.hosts.values() if host.engine is not None]
        ended = await asyncio.gather(*(engine.catch_up() for engine in engines), return_exceptions=True)
        # Not before all have come to their end: what is at work still asks what time it is.
        for error in filter(None, ended):
            raise error

    async def advance_to(self, moment: datetime) -> datetime:
        """Move the clock forward; answers the moment it then is.

        It stops on its way wherever a task starts by itself on the PowerShell engine: its script asks what time it is.
        """
        hosts = [host for host in self.hosts.values() if host.runs_scripts]
        if hosts:
            # What a restart has begun comes before all that is later.
            await self.catch_up()
        while (starts := [at for host in hosts if (at := host.next_start) is not None]) and min(starts) <= moment:
            self.clock.advance_to(min(starts))
            await self.catch_up()
        return self.clock.advance_to(moment)

    @property
    def engine_figures(self) -> dict[str, float]:
        """What the hosts on engines have cost: commands, with the scripts of tasks, and seconds of processor time."""
        return self._engines.figures

    @property
    def installer_sha256(self) -> str:
        """What the vendor contract has to say of this scenario's installer."""
        return hashlib.sha256(installer_bytes(self._scenario.installer)).hexdigest()

    def snapshot(self) -> dict[str, Any]:
        """The state of every host and of the cloud, as plain data."""
        self.settle()
        programs = {number: server.programs for number, server in self._servers.items() if server.programs}
        return {
            "hosts": {name: host.snapshot() for name, host in sorted(self.hosts.items())},
            "cloud": self.cloud.snapshot(),
            "migrations_started": {number: each.migrations_started for number, each in programs.items()},
            "installers_run": {number: each.installers_run for number, each in programs.items()},
        }
