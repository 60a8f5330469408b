# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a site still owes: the blockers that it has to remove itself, in its own language; and what it is warned of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from .since import Basis, Since, since_of
from .site import Site
from .verdict import Finding
from .words import Severity


@dataclass(frozen=True)
class Owed:
    """One thing to do: the check's id, what is wrong (English), what to do (the site's language), who has to.

    `since` is when the site came to owe it. An answer that nobody has asked the site for is ours to ask for.
    """

    code: str
    text: str
    remedy: str
    who: str
    since: Since

    def to_dict(self) -> dict[str, Any]:
        """Plain data for results and reports."""
        return {**asdict(self), "since": self.since.to_text(), "basis": self.since.basis.value}


@dataclass(frozen=True)
class Warned:
    """What a site is warned of and what stops nobody: the check's id and title, what was seen (English), what to do."""

    code: str
    title: str
    text: str
    remedy: str
    who: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data for results and reports."""
        return asdict(self)


def owes(site: Site, findings: Iterable[Finding], begun: Mapping[str, datetime], now: datetime) -> list[Owed]:
    """What the site itself has to do before it can be moved, and since when (`begun` as of failing_since).

    What several hosts have in common is told once; findings of hosts that are not its own do not count.
    """
    owed = (finding for finding in findings if finding.check.blocks and finding.who == "site")
    return [_owed(code, same, since_of(code, site, begun, now)) for code, same in _by_check(site, owed).items()]


def warnings(site: Site, findings: Iterable[Finding]) -> list[Warned]:
    """What the site is warned of, told as what it owes."""
    light = (finding for finding in findings if finding.check.severity is Severity.WARNING)
    return [
        Warned(code, same[0].check.title, _text(same), _remedy(same), same[0].check.who)
        for code, same in _by_check(site, light).items()
    ]


def _by_check(site: Site, findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    own = (None, site.server_host, *site.client_hosts)
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.host in own:
            grouped.setdefault(finding.check.id, []).append(finding)
    return grouped


def _owed(code: str, same: list[Finding], since: Since) -> Owed:
    return Owed(code, _text(same), _remedy(same), "us" if since.basis is Basis.NOT_ASKED else "site", since)


def _remedy(same: list[Finding]) -> str:
    return " ".join(dict.fromkeys(finding.check.remedy for finding in same))


def _text(same: list[Finding]) -> str:
    found = (
        f"{finding.check.observed} ({finding.host})" if finding.host else finding.check.observed for finding in same
    )
    return f"{same[0].check.title}: {same[0].check.answer}, {'; '.join(found)}"
