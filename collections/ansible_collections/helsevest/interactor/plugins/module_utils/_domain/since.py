# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Since when a site owes what it owes (P6): from the register's dates and from the runs of failed measurements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from .results import apply_waivers
from .site import Site
from .times import format_time, parse_time
from .verdict import HostMeasurement, Validity, client_result, confirmed_span, host_verdict
from .window import OSLO
from .words import CheckOutcome, Verdict


class Basis(StrEnum):
    """Where the moment comes from from which a thing is owed."""

    ASKED = "asked"
    NOT_ASKED = "not_asked"
    AGREEMENT_SENT = "agreement_sent"
    MEASURED = "measured"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Since:
    """A date of the register, or the moment of a measurement; None where nobody has asked yet, or nobody knows."""

    at: date | datetime | None
    basis: Basis

    @property
    def day(self) -> date | None:
        """The day in Norway."""
        return self.at.astimezone(OSLO).date() if isinstance(self.at, datetime) else self.at

    def to_text(self) -> str | None:
        """As the contracts write it: a date, or a moment in UTC."""
        if isinstance(self.at, datetime):
            return format_time(self.at)
        return self.at.isoformat() if self.at else None


def failing_since(
    site: Site,
    measurements: Iterable[HostMeasurement],
    carried: Mapping[str, datetime],
    now: datetime,
    validity: Validity,
) -> dict[str, datetime]:
    """The beginning of the unbroken run of failures of each check that some host of the site fails, by the check's id.

    `measurements` are the newest of each host; `carried` is what this function said before them, so that a run stays
    as old as it is. A run begins with a failure that the site can mend, and ends when every host passes; a host that
    was not reached, a waiver, or a result that could not be found out does not end it. `SERVER` and `CLIENT.<host>`
    are runs of not being measured; that of a client of which something counted once begins when that ceased to count.
    """
    measurements = list(measurements)
    unwaived = replace(site, waivers=())
    latest: dict[str, HostMeasurement] = {}
    judged: dict[str, HostMeasurement] = {}
    for measurement in sorted(measurements, key=lambda measurement: measurement.at):
        if measurement.host in (site.server_host, *site.client_hosts):
            latest[measurement.host] = measurement
            if measurement.is_judged:
                judged[measurement.host] = measurement
    begun: dict[str, datetime] = {}
    for host, measurement in judged.items():
        # A self-check does not end the run of what it does not see whole.
        found = client_result(unwaived, host, measurements, now, validity)
        checks = found.checks if found.at == measurement.at else measurement.checks
        failed = [check for check in checks if check.outcome is not CheckOutcome.PASS]
        for check in apply_waivers(failed, unwaived, now):
            if check.blocks and (check.id in carried or check.who == "site"):
                # A part that found it is younger than the measurement that it belongs to.
                at = parse_time(check.evidence["part"]) if "part" in check.evidence else measurement.at
                begun[check.id] = carried.get(check.id, min(at, begun.get(check.id, at)))
    for host, last in latest.items():
        code = "SERVER" if host == site.server_host else f"CLIENT.{host}"
        if host in judged and host != site.server_host:
            ends = _ends(site, host, measurements, now, validity)
            if now > ends:
                begun[code] = ends
        elif not last.is_judged and (code in carried or not last.is_ours):
            begun[code] = carried.get(code, last.at)
    return begun


def _ends(
    site: Site, host: str, measurements: Iterable[HostMeasurement], now: datetime, validity: Validity
) -> datetime:
    """When the last thing ceases to count that counts, or counted, of a client which was judged once."""
    judged = [m for m in measurements if m.host == host and m.is_judged]
    failed = [m.at for m in judged if host_verdict(True, None, apply_waivers(m.checks, site, now)) is not Verdict.READY]
    ends = [m.at + validity.of_client(m.origin) for m in judged if not any(at > m.at for at in failed)]
    confirmed = confirmed_span(site, now, validity)
    if confirmed and not any(at >= confirmed[0] for at in failed):
        ends.append(confirmed[1])
    return max(ends)


def since_of(code: str, site: Site, begun: Mapping[str, datetime], now: datetime) -> Since:
    """Since when `site` owes the check `code`: its answers since it was asked, the signature since it was sent, else as
    `begun` (failing_since) says. A date that lies ahead of `now` does not count yet.
    """
    today = now.astimezone(OSLO).date()
    if code.startswith("P6."):
        asked = site.asked is not None and site.asked <= today
        return Since(site.asked, Basis.ASKED) if asked else Since(None, Basis.NOT_ASKED)
    if code == "P4":
        sent = site.agreement_sent is not None and site.agreement_sent <= today
        return Since(site.agreement_sent, Basis.AGREEMENT_SENT) if sent else Since(None, Basis.UNKNOWN)
    return Since(begun[code], Basis.MEASURED) if code in begun else Since(None, Basis.UNKNOWN)
