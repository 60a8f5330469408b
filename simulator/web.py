"""What answers behind the proxy: WinRM on the hosts, the vendor's migration service, and the scenario's pages."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from aiohttp import web

from simulator.calls import CloudRefusal, Credential, HostDown, Pages, StaticPage, World
from simulator.faults import Faults, FaultyHost, cloud_of
from simulator.fetch import REFUSED
from simulator.ntlm import Login
from simulator.proxy import Peer, Peers, Refusal, Silence
from simulator.traffic import Traffic
from simulator.troubles import Troubles
from simulator.winrm import Record, WinRM

WINRM_PORT = 5986
_ATTEMPTS = re.compile(r"/sites/([^/]+)/attempts(?:/(\d+)/(discard|ids|made))?")


class Web:
    """The one HTTP handler of the simulated internet, for every name.

    Args:
        world: the scenario.
        credential: what WinRM accepts.
        token: the bearer token that the vendor's migration service accepts.
        peers: what each TLS connection was opened to.
        record: is told of every call to a host.
        faults: what is to break.
        traffic: counts what goes over the lines.
    """

    def __init__(
        self,
        world: World,
        credential: Credential,
        token: str,
        peers: Peers,
        record: Record,
        faults: Faults,
        traffic: Traffic,
    ) -> None:
        self._world = world
        cloud = urlsplit(world.cloud_url)
        self._cloud_host, self._cloud_path = cloud.hostname, cloud.path
        self._faults = faults
        self._hosts = {name: FaultyHost(host, faults) for name, host in world.hosts.items()}
        self._credential = credential
        self._token = token
        self._peers = peers
        self._logins: WeakKeyDictionary[asyncio.BaseTransport, Login] = WeakKeyDictionary()
        profile = rf"C:\Users\{credential.user}"
        self._troubles = Troubles(self._hosts)
        self._traffic = traffic
        self._services = {name: WinRM(host, profile, record) for name, host in self._hosts.items()}

    def reach(self, name: str, port: int) -> str:
        """What is wrong with the certificate there, or nothing.

        Raises a `Refusal` that names the host where the name is unknown, the host is off, or nothing listens, and
        `Silence` where nothing is ever said.
        """
        host = self._hosts.get(name)
        if host is not None and not host.powered_on:
            raise Refusal(504, f"{name} does not answer")
        if host is None and name != self._cloud_host and name not in self._world.pages:
            raise Refusal(502, f"{name} is not a known name")
        if port not in ((WINRM_PORT,) if host is not None else (80, 443)):
            raise Refusal(502, f"{name} refuses connections to port {port}")
        match trouble := self._troubles.at_connect(name):
            case "dead":
                raise Silence
            case "closed":
                raise Refusal(502, f"{name} refuses connections to port {port}")
            case "unknown":
                raise Refusal(502, f"{name} is not a known name")
        return trouble

    async def handle(self, request: web.BaseRequest, before: Pages | None = None) -> web.StreamResponse:
        """Answer one request of any kind; `before`: pages that stand before everything else of their names."""
        before = before or {}
        body = await request.read()
        transport = request.transport
        if transport is None:
            return web.Response(status=503)
        peer = self._peers.get(transport)
        name = (request.url.host or "").lower()
        if peer is None:
            try:
                if name not in before:
                    self.reach(name, request.url.port or 80)
            except Refusal as refusal:
                return web.Response(status=refusal.status, reason=refusal.reason, headers={REFUSED: "refused"})
        elif name != peer.name:
            return web.Response(status=421, text=f"this connection is to {peer.name}")
        if name in before:
            return _page(request, before[name])
        if name in self._services:
            # Without TLS no port of a host can be reached, so there is always a peer here.
            assert peer is not None
            answer = await self._winrm(request, peer, transport, body)
            self._traffic.count(name, len(body), len(answer.body) if isinstance(answer.body, bytes) else 0)
            return answer
        if name == self._cloud_host and request.path.startswith(f"{self._cloud_path}/"):
            return await self._cloud_over_the_line(request, transport, body)
        return _page(request, self._world.pages.get(name, {}))

    async def _winrm(
        self, request: web.BaseRequest, peer: Peer, transport: asyncio.BaseTransport, body: bytes
    ) -> web.Response:
        service = self._services[peer.name]
        if not self._hosts[peer.name].powered_on:
            return _abort(service, transport)
        if request.path != "/wsman":
            return web.Response(status=404)
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"})
        if transport not in self._logins:
            self._logins[transport] = Login(self._credential, peer.leaf.binding)
        trouble = self._troubles.at_request(peer.name, transport)
        if trouble == "silent":
            await asyncio.Event().wait()
        passed, offers = self._logins[transport].check(request.headers.get("Authorization"))
        headers = [("WWW-Authenticate", offer) for offer in offers]
        if not passed or trouble == "rejects":
            return web.Response(status=401, headers=headers)
        if request.content_type != "application/soap+xml":
            return web.Response(
                status=415, text="over HTTPS the simulator takes application/soap+xml, not encrypted again"
            )
        try:
            status, answer = await service.handle(body, trouble)
        except HostDown:
            return _abort(service, transport)
        return web.Response(
            status=status, body=answer, content_type="application/soap+xml", charset="utf-8", headers=headers
        )

    async def _cloud_over_the_line(
        self, request: web.BaseRequest, transport: asyncio.BaseTransport, body: bytes
    ) -> web.Response:
        words = f"{request.path} {request.method}"
        line = cloud_of(request.path.partition("/sites/")[2].partition("/")[0])
        try:
            if self._faults.is_broken(line):
                raise HostDown
            await self._faults.meet(line, words, "before", _no_restart)
            answer = self._cloud(request, body)
            await self._faults.meet(line, words, "after", _no_restart)
        except HostDown:
            return _silence(transport)
        return answer

    def _cloud(self, request: web.BaseRequest, body: bytes) -> web.Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), self._token.encode()):
            return _json(401, {"error": "a valid bearer token is needed"}, {"WWW-Authenticate": "Bearer"})
        match = _ATTEMPTS.fullmatch(request.path.removeprefix(self._cloud_path))
        if match is None:
            return _json(404, {"error": f"there is nothing at {request.path}"})
        site, number, what = match[1], match[2], match[3]
        try:
            if what == "ids" and request.method == "GET":
                category = request.query.get("category", "")
                return _json(200, {"ids": self._world.cloud.ids(site, int(number), category)})
            if what == "made" and request.method == "GET":
                return _json(200, {"made": self._world.cloud.made(site, int(number))})
            if what == "discard" and request.method == "POST":
                asked = _asked(body, key=str)
                return _json(200, self._world.cloud.discard(site, int(number), asked["key"]))
            if number is None and request.method == "POST":
                asked = _asked(body, number=int, key=str, history_months=int)
                attempt, new = self._world.cloud.open_attempt(site, **asked)
                return _json(201 if new else 200, attempt)
            if number is None and request.method == "GET":
                return _json(200, {"attempts": self._world.cloud.list_attempts(site)})
        except CloudRefusal as refusal:
            return _json(refusal.status, {"error": refusal.message})
        return _json(405, {"error": f"{request.method} is not allowed here"})


def _page(request: web.BaseRequest, pages: Mapping[str, StaticPage]) -> web.Response:
    """The page of one name, by its path."""
    if request.method not in ("GET", "HEAD"):
        return web.Response(status=405, headers={"Allow": "GET, HEAD"})
    page = pages.get(request.path) or pages.get("*")
    if page is None:
        return web.Response(status=404, text="Not Found")
    body = page.body if isinstance(page.body, bytes) else page.body.encode()
    headers = {"Content-Type": page.content_type, **({"Location": page.location} if page.location else {})}
    if page.status != 200:
        return web.Response(status=page.status, body=body, headers=headers)
    headers |= {"ETag": _tag(body), "Accept-Ranges": "bytes"}
    asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
    if asked is None:
        return web.Response(body=body, headers=headers)
    start = int(asked[1])
    if start >= len(body):
        return web.Response(status=416, headers={"Content-Range": f"bytes */{len(body)}"})
    headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
    return web.Response(status=206, body=body[start:], headers=headers)


def _no_restart() -> None:
    """The cloud is nobody's to restart: that it is not reached is all that is seen."""


def _abort(service: WinRM, transport: asyncio.BaseTransport) -> web.Response:
    """The host is down: its shells are gone, and so is the line to it."""
    service.lose_power()
    return _silence(transport)


def _silence(transport: asyncio.BaseTransport) -> web.Response:
    """End the connection; what is returned goes nowhere."""
    assert isinstance(transport, asyncio.WriteTransport)
    transport.abort()
    return web.Response(status=503)


@lru_cache(maxsize=64)
def _tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def _asked(body: bytes, **fields: type) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        raise CloudRefusal(400, "the body is no JSON") from None
    if not isinstance(value, dict) or set(value) != set(fields):
        raise CloudRefusal(400, f"the body has to be an object of {', '.join(fields)}")
    for name, kind in fields.items():
        if type(value[name]) is not kind:
            raise CloudRefusal(400, f"{name} has to be of type {kind.__name__}")
    return value


def _json(status: int, value: object, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(value, status=status, headers=headers)
