"""The requests of simulated hosts to the servers of the simulated internet."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from ssl import SSLContext

import aiohttp

from simulator.calls import FetchError, Page

REFUSED = "X-Simulated-Proxy"
"""The header of an answer of the proxy's own."""
_FETCH_SECONDS = 30.0


class Fetcher:
    """Makes the requests of simulated hosts: real ones, through the proxy, with validation on (a `Fetch`).

    Args:
        proxy: the proxy's address.
        trust: makes the TLS context that trusts the authority.
        issuer: the authority's name; it alone is trusted and signs every leaf itself, so what was accepted is by it.
    """

    def __init__(self, proxy: str, trust: Callable[[], SSLContext], issuer: str) -> None:
        self.proxy = proxy
        self._trust = trust
        self._issuer = issuer
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, url: str, start: int = 0, most: int | None = None) -> Page:
        """GET a page from byte `start` on and read up to `most` bytes, redirects followed.

        Raises `FetchError` where no answer came.
        """
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=_FETCH_SECONDS)
            connector = aiohttp.TCPConnector(ssl=self._trust())
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False)
        begin = time.perf_counter()
        try:
            headers = {"Range": f"bytes={start}-"} if start else {}
            async with self._session.get(url, proxy=self.proxy, headers=headers) as response:
                if REFUSED in response.headers:
                    raise FetchError(response.reason or str(response.status))
                body = await (response.read() if most is None else _read(response, most))
        except aiohttp.ClientHttpProxyError as error:
            raise FetchError(error.message) from None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise FetchError(f"{type(error).__name__}: {error}") from None
        final = str(response.url)
        told = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        return Page(
            status=response.status,
            body=body,
            content_type=response.content_type,
            final_url=final if response.url.raw_path_qs != "/" or final.endswith("/") else f"{final}/",
            issuer=self._issuer if response.url.scheme == "https" else "",
            milliseconds=round((time.perf_counter() - begin) * 1_000),
            tag=response.headers.get("ETag", ""),
            first=int(told[1]) if told else 0,
            total=int(told[2]) if told else response.content_length,
        )

    async def close(self) -> None:
        """Close the connections that are kept open."""
        if self._session is not None:
            await self._session.close()


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The first `most` bytes of a body."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        body += chunk
        if len(body) >= most:
            break
    return bytes(body[:most])
