"""The requests of simulated hosts to the servers of the simulated internet."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from ssl import SSLContext

import aiohttp
from aiohttp.connector import Connection
from cryptography import x509

from simulator.calls import UNTRUSTED, Fetch, FetchError, Page, PageTrouble

REFUSED = "X-Simulated-Proxy"
"""The header of an answer of the proxy's own."""
_FETCH_SECONDS = 30.0


class Fetcher:
    """Makes the requests of simulated hosts: real ones, through the proxy, with validation on (a `Fetch`).

    Args:
        proxy: the proxy's address.
        trust: makes the TLS context that trusts the `public` authority, the `firewall`'s, both or none.

    `lines`: the proxies of the lines that have something between a host and its pages.
    """

    def __init__(self, proxy: str, trust: Callable[..., SSLContext]) -> None:
        self.proxy = proxy
        self.lines: Mapping[PageTrouble, str] = {}
        self._trust = trust
        self._sessions: dict[tuple[bool, bool], aiohttp.ClientSession] = {}

    def behind(self, trouble: PageTrouble) -> Fetch:
        """How a host asks behind a trouble: by that line, with what its Windows trusts there."""
        public, firewall = trouble.is_caught or trouble.is_accepted, trouble.is_caught and trouble.is_accepted
        return partial(self._get, self.lines[trouble], (public, firewall))

    async def __call__(self, url: str, start: int = 0, most: int | None = None) -> Page:
        """GET a page from byte `start` on and read up to `most` bytes, redirects followed.

        Raises `FetchError` where no answer came.
        """
        return await self._get(self.proxy, (True, False), url, start, most)

    async def _get(
        self, proxy: str, trusts: tuple[bool, bool], url: str, start: int = 0, most: int | None = None
    ) -> Page:
        begin = time.perf_counter()
        try:
            headers = {"Range": f"bytes={start}-"} if start else {}
            async with self._session(trusts).get(url, proxy=proxy, headers=headers) as response:
                if REFUSED in response.headers:
                    raise FetchError(response.reason or str(response.status))
                body = await (response.read() if most is None else _read(response, most))
        except aiohttp.ClientHttpProxyError as error:
            raise FetchError(error.message) from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise FetchError(UNTRUSTED.format(error.host)) from None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise FetchError(f"{type(error).__name__}: {error}") from None
        final = str(response.url)
        told = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        return Page(
            status=response.status,
            body=body,
            content_type=response.content_type,
            final_url=final if response.url.raw_path_qs != "/" or final.endswith("/") else f"{final}/",
            issuer=response.issuer if isinstance(response, _Response) else "",
            milliseconds=round((time.perf_counter() - begin) * 1_000),
            tag=response.headers.get("ETag", ""),
            first=int(told[1]) if told else 0,
            total=int(told[2]) if told else response.content_length,
        )

    def _session(self, trusts: tuple[bool, bool]) -> aiohttp.ClientSession:
        if trusts not in self._sessions:
            public, firewall = trusts
            connector = aiohttp.TCPConnector(ssl=self._trust(public=public, firewall=firewall))
            timeout = aiohttp.ClientTimeout(total=_FETCH_SECONDS)
            self._sessions[trusts] = aiohttp.ClientSession(
                connector=connector, timeout=timeout, trust_env=False, response_class=_Response
            )
        return self._sessions[trusts]

    async def close(self) -> None:
        """Close the connections that are kept open."""
        for session in self._sessions.values():
            await session.close()


class _Response(aiohttp.ClientResponse):
    """Keeps whose certificate the connection has, which is given back with the last byte."""

    issuer = ""

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """Read the head."""
        tls = connection.transport.get_extra_info("ssl_object") if connection.transport else None
        if tls is not None:
            self.issuer = x509.load_der_x509_certificate(tls.getpeercert(True)).issuer.rfc4514_string()
        return await super().start(connection)


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The first `most` bytes of a body."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        body += chunk
        if len(body) >= most:
            break
    return bytes(body[:most])
