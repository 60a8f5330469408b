# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts: what preflight says of a host and of a site, worst first (error, unreachable, not_ready, ready)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from .cause import tell_cause
from .results import CheckResult, apply_waivers, result
from .site import Site, is_ahead
from .table import words
from .times import format_time
from .window import OSLO
from .words import CheckOutcome, Origin, Severity, Verdict

_WORST_FIRST = list(Verdict)
_HEAVIEST_FIRST = list(Severity)
OUR_CAUSES = frozenset({"name", "certificate", "credentials", "quota"})
"""Why a host was not reached, where it is ours to mend."""
SEEN_IN_PART = frozenset({"P5"})
"""The checks of which a self-check sees a part only: the proxy of whoever started it, and not of the PC's others."""


@dataclass(frozen=True)
class HostMeasurement:
    """One look at one host; `host` is its name in the inventory, `error` is ours, `cause` why it was not reached.

    `detail` is what the connection said then. `at` is when the host was looked at: of a self-check that is earlier than
    when we were told.
    """

    host: str
    role: Literal["server", "client"]
    at: datetime
    origin: Origin
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

    @property
    def slot(self) -> tuple[str, bool, Origin]:
        """What a later look makes irrelevant: one of the same host and origin that came as far."""
        return self.host, self.is_judged, self.origin


@dataclass(frozen=True)
class Validity:
    """How long a result counts, to its last second: of a server, of a client by who found it out.

    None `confirmed` at all (0 days) is a house that does not go by an office's word.
    """

    server: timedelta = timedelta(hours=24)
    client: timedelta = timedelta(days=14)
    self_checked: timedelta = timedelta(days=30)
    confirmed: timedelta = timedelta(days=90)

    def of_client(self, origin: Origin) -> timedelta:
        """How long a client's result of that origin counts."""
        return {
            Origin.MEASURED: self.client,
            Origin.SELF_CHECKED: self.self_checked,
            Origin.CONFIRMED: self.confirmed,
        }[origin]


@dataclass(frozen=True)
class ClientResult:
    """What counts of a client: who found it out, when, until when it counts, and the checks (docs/contracts.md).

    `origin`, `at` and `until` are None where nothing counts; `error` is then ours, where the latest try was one, and
    `tried` whether there ever was a try.
    """

    host: str
    origin: Origin | None
    at: datetime | None = None
    until: datetime | None = None
    checks: tuple[CheckResult, ...] = ()
    error: str | None = None
    tried: bool = False

    @property
    def verdict(self) -> Verdict:
        """Ready where something counts and nothing of it blocks."""
        if self.origin is None:
            return Verdict.NOT_READY if self.error is None else Verdict.ERROR
        return host_verdict(True, None, self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for results: all but the checks."""
        return {
            "host": self.host,
            "origin": str(self.origin) if self.origin else None,
            "at": format_time(self.at) if self.at else None,
            "until": format_time(self.until) if self.until else None,
            "verdict": self.verdict.value,
        }


def told_clients(clients: Iterable[ClientResult]) -> dict[str, int]:
    """How many clients we measured, how many checked themselves, are confirmed, or have nothing that counts."""
    origins = [client.origin for client in clients]
    return {**{origin.value: origins.count(origin) for origin in Origin}, "missing": origins.count(None)}


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

    Counted are the server's latest measurement and, per client, what `client_result` says: a PC that is merely off
    keeps its result. A client without any is a blocker `CLIENT.<host>`; where its latest try was our error, the
    site's verdict is `error`. Waivers are those of `now`; hosts that are not the site's are ignored.
    """
    by_time = sorted(measurements, key=lambda measurement: measurement.at)
    server = next((m for m in reversed(by_time) if m.host == site.server_host and m.origin == Origin.MEASURED), None)
    if server is None:
        return None
    register = apply_waivers(register_checks, site, now)
    parts = [(host_verdict(True, None, register), findings_of(register)), _server(site, server, now)]
    for host in site.client_hosts:
        parts.append(_client(site, client_result(site, host, by_time, now, validity), now, validity))
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


def _client(site: Site, found: ClientResult, now: datetime, validity: Validity) -> tuple[Verdict, list[Finding]]:
    if found.origin is not None:
        return found.verdict, findings_of(found.checks, found.host)
    check = result(
        site,
        f"CLIENT.{found.host}",
        False,
        observed=found.error or ("no valid result" if found.tried else "never measured"),
        expected=f"measured in the last {validity.client.days} days, or self-checked in the last "
        f"{validity.self_checked.days}",
        remedies=["CLIENT.missing" if found.error is None else "OURS"],
    )
    (check,) = apply_waivers([check], site, now)
    if check.outcome is CheckOutcome.WAIVED:
        return Verdict.READY, []
    return found.verdict, findings_of([check], found.host)


def client_result(
    site: Site, host: str, measurements: Iterable[HostMeasurement], now: datetime, validity: Validity
) -> ClientResult:
    """What counts of one client at `now` (P1, P5), with the waivers of `now`; `measurements` may be of other hosts too.

    The latest that was found out and is still valid counts, whoever found it out. Three things go before that
    (docs/decisions/0028):

    - What has failed does not pass again because it is over: an older result does not count after a newer failure.
    - A self-check sees the proxy of one person. A failure of `SEEN_IN_PART` that was measured, and is valid, stays
      until it is measured again.
    - The office's word (both of `confirmed`, from the earlier day on) covers a client of which nothing else counts,
      unless a failure was found on that day or later.
    """
    tries = sorted((m for m in measurements if m.host == host), key=lambda m: (m.at, m.origin == Origin.MEASURED))
    judged = [replace(m, checks=apply_waivers(m.checks, site, now)) for m in tries if m.is_judged]
    valid = [m for m in judged if now - m.at <= validity.of_client(m.origin)]
    failures = [m for m in judged if host_verdict(True, None, m.checks) is not Verdict.READY]
    if valid and not any(m.at > valid[-1].at for m in failures):
        latest = valid[-1]
        checks = (*latest.checks, *_still_failing(latest, valid))
        return ClientResult(host, latest.origin, latest.at, latest.at + validity.of_client(latest.origin), checks)
    confirmed = confirmed_span(site, now, validity)
    if confirmed and confirmed[0] <= now < confirmed[1] and not any(m.at >= confirmed[0] for m in failures):
        return ClientResult(host, Origin.CONFIRMED, *confirmed)
    return ClientResult(host, None, error=tries[-1].error if tries else None, tried=bool(tries))


def _still_failing(latest: HostMeasurement, valid: Sequence[HostMeasurement]) -> list[CheckResult]:
    """What was measured before a self-check, and it does not see whole; nothing where the self-check fails it too."""
    if latest.origin != Origin.SELF_CHECKED:
        return []
    measured = next((m for m in reversed(valid) if m.origin == Origin.MEASURED), None)
    told = {check.id for check in latest.checks if check.blocks}
    return [
        check
        for check in (measured.checks if measured else ())
        if check.id in SEEN_IN_PART - told and check.blocks and check.outcome is CheckOutcome.FAIL
    ]


def confirmed_span(site: Site, now: datetime, validity: Validity) -> tuple[datetime, datetime] | None:
    """From when to when the office's own word counts (P6); None where it has not said both, or says it ahead of time.

    It begins with the earlier of the two days in Norway, and ends with the last of the days that it is valid.
    """
    urls, proxy = site.urls_confirmed, site.proxy_confirmed
    today = now.astimezone(OSLO).date()
    if urls is None or proxy is None or is_ahead(urls, today) or is_ahead(proxy, today) or not validity.confirmed:
        return None
    first = min(urls, proxy)
    return _midnight(first), _midnight(first + timedelta(days=validity.confirmed.days + 1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), OSLO)
