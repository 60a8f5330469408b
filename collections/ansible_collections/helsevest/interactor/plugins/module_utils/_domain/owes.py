# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a site still owes: the blockers that it has to remove itself, in its own language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from .site import Site
from .verdict import Finding


@dataclass(frozen=True)
class Owed:
    """One thing to do: the check's id, what is wrong (English), what to do (the site's language), who has to."""

    code: str
    text: str
    remedy: str
    who: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data for results and reports."""
        return asdict(self)


def to_do(findings: Iterable[Finding]) -> list[Owed]:
    """All that blocks, whoever has to act; what several hosts have in common is told once."""
    grouped: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        if finding.check.blocks:
            grouped.setdefault((finding.check.id, finding.who), []).append(finding)
    return [
        Owed(code, _text(same), " ".join(dict.fromkeys(finding.check.remedy for finding in same)), who)
        for (code, who), same in grouped.items()
    ]


def owes(site: Site, findings: Iterable[Finding]) -> list[Owed]:
    """What the site itself has to do before it can be moved; findings of hosts that are not its own do not count."""
    own = (None, site.server_host, *site.client_hosts)
    return [owed for owed in to_do(f for f in findings if f.host in own) if owed.who == "site"]


def _text(same: list[Finding]) -> str:
    found = (
        f"{finding.check.observed} ({finding.host})" if finding.host else finding.check.observed for finding in same
    )
    return f"{same[0].check.title}: {'; '.join(found)}"
