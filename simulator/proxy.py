"""The simulated internet: one HTTP proxy on a loopback port, behind which every simulated name stands.

A CONNECT is answered by the process itself: the accepted connection is taken over by TLS with the leaf of the name
that was asked for, and then by the HTTP server. So a client sees real names with validation on, and a tunnel costs one
socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

from simulator.pki import Authority, Leaf

_LARGEST_HEAD = 65_536
_HANDSHAKE_SECONDS = 15.0


class Refusal(Exception):  # noqa: N818
    """The proxy cannot reach what was asked for: 502 where a name or port is not there, 504 where a host is off."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Silence(Exception):  # noqa: N818
    """Nobody says anything: what is asked is never answered."""


class Peer:
    """What a TLS connection was opened to."""

    def __init__(self, name: str, port: int, leaf: Leaf) -> None:
        self.name = name
        self.port = port
        self.leaf = leaf


Peers = WeakKeyDictionary[asyncio.BaseTransport, Peer]
Reach = Callable[[str, int], str]
"""What is wrong with the certificate there, or nothing. Raises `Refusal` where a name and port cannot be reached, and
`Silence` where they never answer."""


class Proxy:
    """Makes the protocol of every accepted connection.

    Args:
        authority: issues the leaves.
        reach: says what is there.
        http: makes the HTTP server's protocol for a connection.
        peers: is filled with what each TLS connection was opened to.
    """

    def __init__(self, authority: Authority, reach: Reach, http: Callable[[], asyncio.Protocol], peers: Peers) -> None:
        self.authority = authority
        self.reach = reach
        self.http = http
        self.peers = peers
        self.upgrades: set[asyncio.Task[None]] = set()

    def __call__(self) -> asyncio.Protocol:
        """The protocol for a new connection."""
        return _Front(self)


class _Front(asyncio.Protocol):
    """Reads the first request's head and hands the connection on."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._head = bytearray()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            if len(self._head) > _LARGEST_HEAD:
                self._refuse(Refusal(431, "the request's head is too large"))
            return
        method, target = (*self._head.split(b"\r\n", 1)[0].decode("latin-1").split(" "), "")[:2]
        if method == "CONNECT":
            self._connect(target, early=len(self._head) > end + 4)
        elif target.startswith("http://"):
            handler = self._proxy.http()
            self._transport.set_protocol(handler)
            handler.connection_made(self._transport)
            handler.data_received(bytes(self._head))
        else:
            self._refuse(Refusal(400, "this is a proxy: it takes CONNECT and http:// addresses"))

    def _connect(self, target: str, early: bool) -> None:
        name, _, port = target.rpartition(":")
        try:
            if early or not name or not port.isdecimal():
                raise Refusal(400, "CONNECT takes name:port and nothing after its head")
            name = name.lower()
            flaw = self._proxy.reach(name, int(port))
        except Refusal as refusal:
            self._refuse(refusal)
            return
        except Silence:
            return
        # Nothing may be read between the answer and the hand-over to TLS.
        self._transport.pause_reading()
        self._transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        peer = Peer(name, int(port), self._proxy.authority.leaf(name, flaw))
        task = asyncio.ensure_future(self._upgrade(peer))
        self._proxy.upgrades.add(task)
        task.add_done_callback(self._proxy.upgrades.discard)

    async def _upgrade(self, peer: Peer) -> None:
        early = _Early()
        try:
            tls = await asyncio.get_running_loop().start_tls(
                self._transport,
                early,
                peer.leaf.context,
                server_side=True,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS,
            )
        except OSError:
            self._transport.close()
            return
        if tls is None or early.lost:
            return
        handler = self._proxy.http()
        self._proxy.peers[tls] = peer
        tls.set_protocol(handler)
        handler.connection_made(tls)
        if early.data:
            handler.data_received(bytes(early.data))

    def _refuse(self, refusal: Refusal) -> None:
        head = f"HTTP/1.1 {refusal.status} {refusal.reason}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        self._transport.write(head.encode("latin-1", "replace"))
        self._transport.close()


class _Early(asyncio.Protocol):
    """Keeps what arrives with the end of the handshake, before the HTTP server has the connection."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.lost = False

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
