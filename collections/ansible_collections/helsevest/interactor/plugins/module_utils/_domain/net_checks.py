# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of what lies below a page that does not come: encryption (TLS) and names (DNS)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from .host_checks import section
from .page_kind import PageKind, kind_of_error
from .results import CheckResult, result
from .site import Site
from .words import Severity

LEAST_TLS = 12
"""TLS 1.2, as Windows writes protocols: `Tls12`."""


def needed_hosts(site: Site, role: str, contract: Mapping[str, Any]) -> frozenset[str]:
    """The names without which Interactor, or the move, does not work on a host (`server` or `client`)."""
    urls = [contract["pages"]["P1"]["url"]]
    if role == "server":
        urls += [contract["cloud"]["api"], contract["config"]["modes"].get(site.mode, {}).get("endpoint") or ""]
        urls += [contract["pages"]["P2"]["url"]] if site.mode == "server_in_cloud" else []
    return frozenset(filter(None, ((urlsplit(url).hostname or "").casefold() for url in urls)))


def judge_tls(facts: Mapping[str, Any], site: Site, role: str, contract: Mapping[str, Any]) -> CheckResult:
    """Judge whether Windows can talk to the end points by TLS 1.2 or later, and trusts them (TLS).

    A blocker where TLS 1.2 is switched off or a name of `needed_hosts` fails, else a warning; what could not be found
    out is a warning too, for P1 and P2 have asked the pages themselves. An end point that was not reached tells
    nothing of TLS.
    """
    tls = section(facts, "tls")
    needed = needed_hosts(site, role, contract)
    faults: dict[str, list[str]] = {}
    known = 0
    for endpoint in tls.get("endpoints") or ():
        code = _tls_fault(endpoint)
        known += code is not None
        if code:
            faults.setdefault(code, []).append(endpoint["name"] or "?")
    off = tls.get("enabled") is False
    blocks = off or any(name.casefold() in needed for names in faults.values() for name in names)
    told = [f"{_TOLD[code]}: {', '.join(names)}" for code, names in sorted(faults.items())]
    observed = "; ".join([*(["TLS 1.2 is switched off"] if off else []), *told])
    outcome = False if observed else True if known else None
    return result(
        site,
        "TLS",
        outcome,
        observed=observed or (f"well with {known} end points" if known else "not found out"),
        expected="TLS 1.2 or later, and certificates that Windows trusts",
        severity=Severity.BLOCKER if blocks else Severity.WARNING,
        remedies=[*(["TLS.off"] if off else []), *(code for code in sorted(faults) if not (off and code == "TLS.old"))],
        evidence={"enabled": tls.get("enabled"), "faults": dict(sorted(faults.items()))},
        names=", ".join(sorted({name for names in faults.values() for name in names})),
    )


_TOLD = {"TLS.old": "no TLS 1.2", "TLS.root": "certificate not trusted"}


def _tls_fault(endpoint: Mapping[str, Any]) -> str | None:
    """The remedy for what is wrong with an end point; empty where nothing is, None where nothing is known of it."""
    kind = kind_of_error(endpoint["error"]) if endpoint["error"] else None
    if kind is PageKind.NO_TLS or _is_old(endpoint["protocol"]):
        return "TLS.old"
    if endpoint["trusted"] is False or kind is PageKind.CERTIFICATE:
        return "TLS.root"
    return "" if kind is None and endpoint["protocol"] and endpoint["trusted"] else None


def _is_old(protocol: str | None) -> bool:
    """Whether a protocol, as Windows calls it (`Ssl3`, `Tls`, `Tls11`, `Tls12`), is older than TLS 1.2."""
    told = re.fullmatch(r"(ssl|tls)[ v]*(\d?)\.?(\d?)", (protocol or "").strip().casefold())
    if told is None:
        return False
    return told[1] == "ssl" or int(f"{told[2] or 1}{told[3] or 0}") < LEAST_TLS


def judge_dns(facts: Mapping[str, Any], site: Site) -> CheckResult:
    """Judge whether the host finds the addresses of the end points' names (DNS); a warning.

    Where a proxy asks for the pages it is the proxy that needs the addresses, and whether a page comes is P1's to say.
    A name whose every address is this machine's own or none at all is one that a filter keeps away.
    """
    names = facts.get("dns")
    missing, blocked, unknown = [], [], []
    for each in names or ():
        name, addresses = each["name"] or "?", each["addresses"]
        if each["error"] or addresses == []:
            missing.append(name)
        elif addresses is None:
            unknown.append(name)
        elif all(map(_leads_nowhere, addresses)):
            blocked.append(name)
    told = {"not found": missing, "kept away": blocked, "not known": unknown}
    observed = "; ".join(f"{words}: {', '.join(found)}" for words, found in told.items() if found)
    remedies = [*(["DNS.missing"] if missing else []), *(["DNS.blocked"] if blocked else [])]
    return result(
        site,
        "DNS",
        False if remedies else None if unknown or not names else True,
        observed=observed or (f"{len(names)} names found" if names else "not found out"),
        expected="an address for every name",
        severity=Severity.WARNING,
        remedies=remedies,
        evidence={"missing": missing, "blocked": blocked},
        names=", ".join(sorted({*missing, *blocked})),
    )


def _leads_nowhere(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return parsed.is_loopback or parsed.is_unspecified
