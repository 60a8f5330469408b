# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of page a host got in place of the wanted one (P1, P2): each kind has a cause and a remedy of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import urlsplit

_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"))
NETWORK_LOGIN = (407, 511)
"""Statuses that only a proxy or a network's own log-in page answers with."""


class PageKind(StrEnum):
    """What came when a page was asked for."""

    AS_WANTED = "as_wanted"
    LOGIN = "login"
    REDIRECTED = "redirected"
    INSPECTED = "inspected"
    CERTIFICATE = "certificate"
    BLANK = "blank"
    WRONG_STATUS = "wrong_status"
    WRONG_TEXT = "wrong_text"
    NAME = "name_not_found"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    NO_TLS = "no_tls"
    PROXY = "proxy"
    NO_ANSWER = "no_answer"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Wanted:
    """The page that is wanted: `where` (`text` or `heading`) is what has to be `words`, any dash and any case."""

    url: str
    status: int
    where: Literal["text", "heading"]
    words: str


@dataclass(frozen=True)
class Look:
    """One page as one way brought it.

    `is_right`: status and words are the wanted ones. `is_proven`: it comes from the wanted host, by a public
    certificate that Windows trusts, so that nobody between the host and the cloud has written it.
    """

    page: Mapping[str, Any]
    kind: PageKind
    is_right: bool
    is_proven: bool

    @property
    def is_soft(self) -> bool:
        """Whether the page came through although somebody reads along."""
        return self.kind is PageKind.INSPECTED and self.is_right

    @property
    def passes(self) -> bool | None:
        """Whether it is the wanted page; None where that could not be found out."""
        return None if self.kind is PageKind.UNKNOWN else self.kind is PageKind.AS_WANTED


def fold(text: str) -> str:
    """The text as people compare it: any dash, any case, any white space."""
    return " ".join(text.translate(_DASHES).split()).casefold()


def public_pattern(words: Iterable[str]) -> str:
    """What finds one of the `words` of public authorities, as a whole, in an issuer's name in lower case."""
    told = "|".join(re.escape(word.casefold()) for word in words)
    return rf"(?<!\w)(?:{told})(?!\w)" if told else "(?!)"


def is_public(issuer: str, words: Iterable[str]) -> bool:
    """Whether an issuer's name has one of the `words` that public authorities have, in any case."""
    return re.search(public_pattern(words), issuer.casefold()) is not None


LOGIN = re.compile(
    r"\b(?:log ?in|log ?on|sign ?in|logg? (?:inn|på)|innlogging|pålogging|user ?name|brukernavn|brukarnamn"
    r"|password|passord|captive portal|gjestenett|guest (?:network|wi-?fi)"
    r"|(?:accept|godta|godkjenn|aksepter)\b.{0,40}\b(?:terms|vilkår\w*))\b"
)

# The first that fits counts. The words before the colon are .NET's own, which are the same in every language of
# Windows; the numbers are those of Windows Sockets (10060 to 11004) and WinHTTP (12002 to 12175).
ERRORS: tuple[tuple[PageKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (PageKind.LOGIN, r"proxy authentication|\b407\b"),
        (PageKind.PROXY, r"proxynameresolutionfailure|requestprohibitedbyproxy"),
        (PageKind.NAME, r"nameresolutionfailure|could not be resolved|kunne ikke løses|no such host|getaddrinfo"),
        (PageKind.NAME, r"name or service not known|\b(?:1100[1-4]|12007)\b"),
        (PageKind.TIMED_OUT, r"\btimeout\b|timed? ?out|tidsavbr|did not properly respond|\b(?:10060|12002)\b"),
        (
            PageKind.CERTIFICATE,
            r"trustfailure|certificate|sertifikat|\b(?:12037|12038|12044|12045|12169|12170|12175)\b",
        ),
        (PageKind.NO_TLS, r"securechannelfailure|\b(?:ssl|tls|schannel)\b|secure channel|\b12157\b"),
        (PageKind.REFUSED, r"connectfailure|refused|avviste|\b(?:10061|12029)\b"),
    )
)


def kind_of_error(error: str) -> PageKind:
    """Why no answer came, by what Windows said of it; `NO_ANSWER` where that is none of the known causes."""
    told = error.casefold()
    return next((kind for kind, pattern in ERRORS if pattern.search(told)), PageKind.NO_ANSWER)


def look_at(page: Mapping[str, Any], wanted: Wanted, public_issuers: Iterable[str]) -> Look:
    """What kind of page an element of the facts' `pages` is; `public_issuers` are words of public authorities' names.

    A page of the wanted host that comes by a public certificate which Windows trusts is the vendor's own, whatever
    stands in it: no network in between can have written it, so it is no log-in page of a network.
    """
    words = tuple(public_issuers)
    issuer = page["issuer"] or None
    public = None if issuer is None else is_public(issuer, words)
    status, shown = page["status"], page[wanted.where]
    redirected = _leads_elsewhere(wanted.url, page["final_url"])
    is_right = status == wanted.status and shown is not None and fold(shown) == fold(wanted.words)
    is_proven = page["trusted"] is True and public is True and not redirected
    if page["error"]:
        kind = kind_of_error(page["error"])
        if kind is PageKind.CERTIFICATE and public is False:
            kind = PageKind.INSPECTED
        return Look(page, kind, False, False)
    if status is None:
        kind = PageKind.UNKNOWN
    elif status == 0:
        kind = PageKind.NO_ANSWER
    elif status in NETWORK_LOGIN or (not is_right and not is_proven and _asks_to_log_in(page)):
        kind = PageKind.LOGIN
    elif redirected:
        kind = PageKind.REDIRECTED
    elif not is_right and 200 <= status < 300 and page["text"] is not None and not fold(page["text"] + (shown or "")):
        kind = PageKind.BLANK
    elif public is False:
        kind = PageKind.INSPECTED
    elif page["trusted"] is False:
        kind = PageKind.CERTIFICATE
    elif is_right:
        kind = PageKind.AS_WANTED
    elif status != wanted.status:
        kind = PageKind.WRONG_STATUS
    elif shown is None and page["text"] is None:
        kind = PageKind.UNKNOWN
    else:
        kind = PageKind.WRONG_TEXT
    return Look(page, kind, is_right, is_proven)


def deciding(looks: Sequence[Look]) -> Look | None:
    """The look that decides; None where there is none.

    People's programs go the way that the script names, so what came that way counts, and the direct way only where no
    script was asked. Of several scripts' ways the worst decides, of equal ones the first.
    """
    scripts = [look for look in looks if look.page["way"] == "script"]
    return min(scripts or looks, key=_rank, default=None)


def _rank(look: Look) -> int:
    """The lower, the worse."""
    if look.passes is None:
        return 1
    return 3 if look.passes else 2 if look.is_soft else 0


def _leads_elsewhere(url: str, final_url: str | None) -> bool:
    wanted, final = _host(url), _host(final_url or "")
    return bool(wanted and final) and wanted != final


def _host(url: str) -> str | None:
    try:
        return (urlsplit(url).hostname or "").casefold().rstrip(".") or None
    except ValueError:
        return None


def _asks_to_log_in(page: Mapping[str, Any]) -> bool:
    return page["status"] == 401 or any(LOGIN.search(fold(page[where] or "")) for where in ("text", "heading"))
