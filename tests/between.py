"""Pages with something between a host and them, without a wire: what the simulator's lines would bring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from simulator.calls import UNTRUSTED, Fetch, FetchError, Page, PageTrouble
from simulator.lines import pages_behind
from simulator.world import World

FIREWALL = "O=Brannmur"


def behind(world: Callable[[], World], fetch: Fetch) -> Callable[[PageTrouble], Fetch]:
    """How hosts of a world ask that have something between them and a page; `fetch` asks the world itself."""

    def of(trouble: PageTrouble) -> Fetch:
        async def ask(url: str, start: int = 0, most: int | None = None) -> Page:
            name = urlsplit(url).hostname or ""
            if not trouble.is_accepted:
                raise FetchError(UNTRUSTED.format(name))
            before = pages_behind(trouble, world().pages)
            page = before.get(name, {}).get("*")
            is_caught = trouble.is_caught and url.startswith("https:")
            if page is None:
                told = await fetch(url, start, most)
                return replace(told, issuer=FIREWALL) if is_caught else told
            if page.location:
                return await ask(page.location, start, most)
            body = page.body if isinstance(page.body, bytes) else page.body.encode()
            issuer = FIREWALL if is_caught else "CN=Test" if url.startswith("https:") else ""
            return Page(page.status, body, page.content_type, url, issuer, 7)

        return ask

    return of
