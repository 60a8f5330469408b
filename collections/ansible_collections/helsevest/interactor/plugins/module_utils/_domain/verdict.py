# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts: what preflight says of a host and of a site, worst first (error, unreachable, not_ready, ready)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from .cause import tell_cause
from .results import CheckResult, apply_waivers, result
from .site import Site
from .table import words
from .words import CheckOutcome, Severity, Verdict

_WORST_FIRST = list(Verdict)
_HEAVIEST_FIRST = list(Severity)
OUR_CAUSES = frozenset({"name", "certificate", "credentials", "quota"})
"""Why a host was not reached, where it is ours to mend."""


@dataclass(frozen=True)
class HostMeasurement:
    """One look at one host; `host` is its name in the inventory, `error` is ours, `cause` why it was not reached.

    `detail` is what the connection said then.
    """

    host: str
    role: Literal["server", "client"]
    at: datetime
    origin: str
    reached: bool
    error: str | None
    checks: Sequence[CheckResult]
    cause: str | None = None
    detail: str = ""

    @property
    def is_judged(self) -> bool:
        """Whether the host was reached and its facts were judged."""
        return self.reached and self.error is None

    @property
    def is_ours(self) -> bool:
        """Whether it is ours to mend that the host was not judged."""
        return self.error is not None or self.cause in OUR_CAUSES


@dataclass(frozen=True)
class Validity:
    """How long a result counts."""

    server: timedelta = timedelta(hours=24)
    client: timedelta = timedelta(days=14)


@dataclass(frozen=True)
class Finding:
    """A check that failed or is unknown; `host` is None where the register was judged."""

    host: str | None
    check: CheckResult

    @property
    def who(self) -> str:
        """Who has to act: `site`, `vendor` or `us`."""
        return self.check.who


@dataclass(frozen=True)
class SiteVerdict:
    """The verdict of a site; `findings` are all open checks, the heaviest first; `at` is when its server was measured.

    `expired`: the server's result is too old to count, though it is the latest.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    expired: bool
    at: datetime

    @property
    def blockers(self) -> tuple[Finding, ...]:
        """The findings that keep the site from being ready."""
        return tuple(finding for finding in self.findings if finding.check.blocks)


def host_verdict(reached: bool, error: str | None, checks: Iterable[CheckResult]) -> Verdict:
    """The verdict of one host; an unknown blocker makes it not ready as a failed one does."""
    if error is not None:
        return Verdict.ERROR
    if not reached:
        return Verdict.UNREACHABLE
    return Verdict.NOT_READY if any(check.blocks for check in checks) else Verdict.READY


def turn_of(was: str | None, now: str | None) -> str:
    """That a site became ready, or fell back, from one verdict to the next; empty where it did neither."""
    if was is None or was == now or Verdict.READY not in (was, now):
        return ""
    turn = "became ready" if now == Verdict.READY else f"fell back to {words(now or 'none')}"
    return f"{turn}, was {words(was)}"


def findings_of(checks: Iterable[CheckResult], host: str | None = None) -> list[Finding]:
    """The open ones of `checks`, in their order."""
    return [Finding(host, check) for check in checks if check.is_open]


def site_verdict(
    site: Site,
    measurements: Iterable[HostMeasurement],
    register_checks: Iterable[CheckResult],
    now: datetime,
    validity: Validity,
) -> SiteVerdict | None:
    """The verdict of a site at `now`, or None before its server was measured.

    Counted are the server's latest result and, per client, the latest that reached it and is still valid: a PC that is
    merely off keeps it. A client without any is a blocker `CLIENT.<host>`; where its latest try was our error, the
    site's verdict is `error`. Waivers are those of `now`; hosts that are not the site's are ignored.
    """
    by_time = sorted(measurements, key=lambda measurement: measurement.at)
    server = next((m for m in reversed(by_time) if m.host == site.server_host), None)
    if server is None:
        return None
    register = apply_waivers(register_checks, site, now)
    parts = [(host_verdict(True, None, register), findings_of(register)), _server(site, server, now)]
    for host in site.client_hosts:
        parts.append(_client(site, host, [m for m in by_time if m.host == host], now, validity.client))
    findings = [finding for _, found in parts for finding in found]
    return SiteVerdict(
        verdict=min((verdict for verdict, _ in parts), key=_WORST_FIRST.index),
        findings=tuple(sorted(findings, key=lambda finding: _HEAVIEST_FIRST.index(finding.check.severity))),
        expired=now - server.at > validity.server,
        at=server.at,
    )


def _measured(site: Site, measurement: HostMeasurement, now: datetime) -> tuple[Verdict, list[Finding]]:
    checks = apply_waivers(measurement.checks, site, now)
    verdict = host_verdict(measurement.reached, measurement.error, checks)
    return verdict, findings_of(checks, measurement.host)


def _server(site: Site, server: HostMeasurement, now: datetime) -> tuple[Verdict, list[Finding]]:
    verdict, findings = _measured(site, server, now)
    if server.is_judged:
        return verdict, findings
    check = result(
        site,
        "SERVER",
        False,
        observed=server.error or f"not reached ({tell_cause(server.cause, server.detail)})",
        expected="reached",
        remedies=["OURS" if server.is_ours else "SERVER.unreachable"],
    )
    return verdict, findings_of([check], server.host)


def _client(
    site: Site, host: str, measurements: Sequence[HostMeasurement], now: datetime, validity: timedelta
) -> tuple[Verdict, list[Finding]]:
    """`measurements` are those of the client alone, the oldest first."""
    good = [m for m in measurements if m.is_judged and now - m.at <= validity]
    if good:
        return _measured(site, good[-1], now)
    error = measurements[-1].error if measurements else None
    check = result(
        site,
        f"CLIENT.{host}",
        False,
        observed=error or ("no valid result" if measurements else "never measured"),
        expected=f"a result of the last {validity.days} days",
        remedies=["CLIENT.missing" if error is None else "OURS"],
    )
    (check,) = apply_waivers([check], site, now)
    if check.outcome is CheckOutcome.WAIVED:
        return Verdict.READY, []
    return Verdict.NOT_READY if error is None else Verdict.ERROR, findings_of([check], host)
