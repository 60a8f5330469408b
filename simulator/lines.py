"""What stands between an office and some pages: a line of its own into the simulated internet (docs/scenario.md).

A line is one more proxy on loopback. On it some names have a firewall's certificate, or other pages, or both.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from simulator.calls import Pages, PageTrouble, StaticPage
from simulator.pki import Authority
from simulator.proxy import Peers, Proxy

if TYPE_CHECKING:
    from simulator.web import Web

HTML = "text/html; charset=utf-8"
PORTAL = "login.gjestenett.example"
BLOCKED = "sperret.filter.example"


@dataclass(frozen=True)
class BytesPage:
    """A page with its body ready to send; with a location it sends whoever asks there."""

    status: int
    content_type: str
    body: str | bytes
    location: str = ""


_FORM = BytesPage(
    200,
    HTML,
    "<html><body><h1>Velkommen til gjestenettet</h1><form>Brukernavn <input> Passord <input type=password>"
    "<button>Logg inn</button></form></body></html>\n",
)
# Not every client goes from HTTPS to HTTP; this is what it gets that does not.
_WAY = "<html><body>Du må logge inn på gjestenettet: <a href='/'>Logg inn</a></body></html>\n"
_NOTICE = BytesPage(200, HTML, "<html><body><h1>Siden er sperret</h1><p>Kategori: ukjent</p></body></html>\n")
_ENTITY = re.compile(r"(&\w+;)")
_WORDS = str.maketrans({"–": "—", " ": "\N{NO-BREAK SPACE} "})


def pages_behind(trouble: PageTrouble, pages: Pages) -> dict[str, dict[str, StaticPage]]:
    """The pages that a line has in place of the net's, `pages`."""
    match trouble.kind:
        case "captive":
            sent = {name: BytesPage(302, HTML, _WAY, f"http://{PORTAL}/?fra={name}") for name in trouble.names}
            return _everywhere({**sent, PORTAL: _FORM})
        case "captive_form":
            return _everywhere(dict.fromkeys(trouble.names, _FORM))
        case "blank":
            return _everywhere(dict.fromkeys(trouble.names, BytesPage(200, HTML, "")))
        case "elsewhere":
            sent = {name: BytesPage(302, HTML, "", f"https://{BLOCKED}/") for name in trouble.names}
            return _everywhere({**sent, BLOCKED: _NOTICE})
        case "reworded":
            return {
                name: {path: _reworded(page) for path, page in pages.get(name, {}).items()} for name in trouble.names
            }
        case "intercepted" | "no_root":
            return {}


def _everywhere(pages: dict[str, BytesPage]) -> dict[str, dict[str, StaticPage]]:
    return {name: {"*": page} for name, page in pages.items()}


def _reworded(page: StaticPage) -> BytesPage:
    """The page with another dash, other case and other white space in its words: what a person reads as the same."""
    body = page.body.decode() if isinstance(page.body, bytes) else page.body
    begin, tag, rest = body.partition("<h1>")
    words, end, after = (rest if tag else begin).partition("</h1>")
    # What stands for a character has a case of its own.
    told = "".join(part if part[:1] == "&" else part.upper().translate(_WORDS) for part in _ENTITY.split(words))
    return BytesPage(page.status, page.content_type, f"{begin}{tag}{told}{end}{after}" if tag else told)


@asynccontextmanager
async def opened(
    troubles: Iterable[PageTrouble], internet: Web, authority: Authority, peers: Peers, pages: Pages
) -> AsyncIterator[dict[PageTrouble, str]]:
    """Open a line for each trouble, until the block ends; the address of each line's proxy."""
    async with AsyncExitStack() as stack:
        found = {}
        for trouble in dict.fromkeys(troubles):
            before = pages_behind(trouble, pages)
            http = web.Server(partial(internet.handle, before=before), access_log=None)
            proxy = Proxy(authority, partial(_reach, internet, trouble, before), http, peers)
            listener = socket.create_server(("127.0.0.1", 0))
            server = await asyncio.get_running_loop().create_server(proxy, sock=listener)
            stack.push_async_callback(http.shutdown, 1.0)
            stack.callback(server.close)
            found[trouble] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield found


def _reach(internet: Web, trouble: PageTrouble, before: Pages, name: str, port: int) -> str:
    """What is wrong with the certificate there, as `Web.reach`."""
    flaw = "" if name in before and port in (80, 443) else internet.reach(name, port)
    return "firewall" if trouble.is_caught and (name in trouble.names or name in before) else flaw
