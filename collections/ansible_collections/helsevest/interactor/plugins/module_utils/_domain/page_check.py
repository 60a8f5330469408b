# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of the cloud's pages (P1, P2): which way decides, what came that way, and what the site is told of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

from .host_checks import section
from .page_kind import (
    ERRORS,
    LOGIN,
    NETWORK_LOGIN,
    Look,
    PageKind,
    Wanted,
    deciding,
    kind_of_error,
    look_at,
    public_pattern,
)
from .results import CheckResult, result
from .site import Site
from .words import Severity

PLACES = ("issuer", "host", "status")
"""What the remedies of pages name beside the page itself, and only who looked can tell."""
SHOWN = 80
"""So many characters of a page are told."""

_QUOTED = frozenset({PageKind.AS_WANTED, PageKind.BLANK, PageKind.WRONG_STATUS, PageKind.WRONG_TEXT})
"""Kinds whose words are told. A log-in or block page of a network may say whose it is, so its words stay out."""

_REMEDIES = {
    PageKind.LOGIN: "PAGE.login",
    PageKind.REDIRECTED: "PAGE.redirected",
    PageKind.INSPECTED: "PAGE.inspected",
    PageKind.CERTIFICATE: "PAGE.certificate",
    PageKind.BLANK: "PAGE.blank",
    PageKind.WRONG_STATUS: "PAGE.status",
    PageKind.NAME: "PAGE.name",
    PageKind.REFUSED: "PAGE.refused",
    PageKind.TIMED_OUT: "PAGE.timeout",
    PageKind.NO_TLS: "PAGE.tls",
    PageKind.PROXY: "PAGE.proxy",
    PageKind.NO_ANSWER: "PAGE.silent",
}
"""The remedy of each kind; that of a wrong text is the check's own, which says what the page shows."""


def judge_page(
    facts: Mapping[str, Any],
    site: Site,
    contract: Mapping[str, Any],
    check: str,
    where: Literal["text", "heading"],
) -> CheckResult:
    """Judge one page of `facts["pages"]` (P1, P2); `where` is what of it the contract's words are compared with.

    A page that came as it should, but by a certificate of no public authority, fails as a warning: it is reached, and
    somebody reads along. Raises KeyError for a contract or an element of another shape.
    """
    told = contract["pages"][check]
    wanted = Wanted(told["url"], int(told["status"]), where, told[where])
    pages = [_with_issuer(page, facts) for page in facts["pages"] or () if page["id"] == check]
    looks = [look_at(page, wanted, contract["tls"]["public_issuers"]) for page in pages]
    look = deciding(looks)
    if look is None:
        observed, outcome, evidence, remedies = "not asked", None, {}, []
    else:
        observed, outcome = _observed(look, where), look.passes
        evidence = {**_shown(look), "ways": [_shown(each) for each in looks]}
        remedies = [_remedy(look, check)]
    return result(
        site,
        check,
        outcome,
        observed=observed,
        expected=f'{wanted.url}: status {wanted.status}, {where} "{wanted.words}"',
        severity=Severity.WARNING if look is not None and look.is_soft else Severity.BLOCKER,
        remedies=remedies,
        evidence=evidence,
        url=wanted.url,
        text=wanted.words,
        host=_host(look),
        status="" if look is None else look.page["status"],
        issuer=_name(look.page["issuer"]) if look is not None else "",
    )


def screen_rules(contract: Mapping[str, Any]) -> dict[str, Any]:
    """What the screen of a self-check judges a page by (_SelfCheckPage.psm1): our patterns, for text in lower case."""
    return {
        "public": public_pattern(contract["tls"]["public_issuers"]),
        "login": LOGIN.pattern,
        "login_statuses": list(NETWORK_LOGIN),
        "errors": [{"code": _REMEDIES[kind], "pattern": pattern.pattern} for kind, pattern in ERRORS],
    }


def _with_issuer(page: Mapping[str, Any], facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """A page whose certificate was refused, with the issuer that a handshake told; .NET tells none with that error.

    The handshake was direct, so it tells nothing of what came through a proxy.
    """
    if page["issuer"] or page["proxy"] or kind_of_error(page["error"] or "") is not PageKind.CERTIFICATE:
        return page
    name = urlsplit(page["url"]).hostname
    for endpoint in section(facts, "tls").get("endpoints") or ():
        if (endpoint["name"] or "").casefold() == name and endpoint["trusted"] is False:
            return {**page, "issuer": endpoint["issuer"]}
    return page


def _remedy(look: Look, check: str) -> str:
    if look.is_proven and look.kind in (PageKind.BLANK, PageKind.WRONG_STATUS, PageKind.WRONG_TEXT):
        return "PAGE.vendor"
    return _REMEDIES.get(look.kind, check)


def _observed(look: Look, where: str) -> str:
    page, kind = look.page, look.kind
    way = f" through {page['proxy'] or 'no proxy'}, as the script says" if page["way"] == "script" else ""
    if kind is PageKind.UNKNOWN:
        return f"no status or no {where}{way}"
    if page["error"]:
        return f"{kind}: {page['error']}{way}"
    parts = [f"status {page['status']}"]
    if kind in _QUOTED:
        parts.append(f'{where} "{(page[where] or "")[:SHOWN]}"')
    if kind is PageKind.REDIRECTED:
        parts.append(f"from {_host(look)}")
    if kind in (PageKind.INSPECTED, PageKind.CERTIFICATE):
        parts.append(f"certificate of {_name(page['issuer']) or 'nobody'}")
    lead = "" if kind is PageKind.AS_WANTED else f"{kind}: "
    return f"{lead}{', '.join(parts)}{way}"


def _shown(look: Look) -> dict[str, Any]:
    """What came one way, as evidence: nothing of the page's words, and of addresses only where they lead."""
    page = look.page
    kept = {key: page[key] for key in ("way", "proxy", "status", "milliseconds", "error")}
    return {
        **kept,
        "kind": look.kind.value,
        "url": page["url"],
        "script": _bare(page["script"]),
        "final_url": _bare(page["final_url"]),
        "issuer": _name(page["issuer"]),
        "trusted": page["trusted"],
    }


def _bare(url: str | None) -> str | None:
    """An address without account, query and fragment, which may tell who somebody is."""
    if not url:
        return url
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "", ""))
    except ValueError:
        return None


def _name(issuer: str | None) -> str | None:
    """An issuer without its mail address."""
    return issuer and re.sub(r"(?i)(?:^|,\s*)(?:E|EMAIL|EMAILADDRESS)=[^,]*", "", issuer).lstrip(", ")


def _host(look: Look | None) -> str:
    bare = _bare(look.page["final_url"]) if look is not None else None
    return urlsplit(bare or "").hostname or ""
