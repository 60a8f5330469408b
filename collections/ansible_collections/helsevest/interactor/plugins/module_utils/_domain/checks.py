# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks: what the facts of a host and the register's answers say about a site (P1 to P8)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Literal

from .facts import check_shape
from .host_checks import judge_clock, judge_disk, judge_power, judge_service, judge_speed
from .net_checks import judge_dns, judge_tls
from .page_check import judge_page
from .proxy_check import judge_proxy
from .proxy_way import Evaluations
from .results import CheckResult, apply_waivers, result
from .site import Site, is_ahead
from .window import OSLO
from .words import CheckOutcome, Severity, State

__all__ = ["CheckResult", "answered", "judge_facts", "judge_register"]

CONTACT_FIELDS = ("name", "email", "phone")

OVERDUE = "took longer than its time"
_PARTS = {
    "pages": ("P1", "P2"),
    "speed": ("P3",),
    "proxy": ("P5", "P5.machine"),
    "scripts": ("P5",),
    "power": ("P8",),
    "interactor": ("SERVICE",),
    "host": ("DISK", "CLOCK"),
    "clock": ("CLOCK",),
    "tls": ("TLS",),
    "dns": ("DNS",),
}
"""The checks that each part of the facts answers."""


def judge_facts(
    facts: Mapping[str, Any],
    site: Site,
    role: Literal["server", "client"],
    contract: Mapping[str, Any],
    now: datetime,
    evaluations: Evaluations | None = None,
) -> list[CheckResult]:
    """Judge what the probe found on one host (P1, P2, P3, P5, P5.machine, P8, CLOCK, SERVICE, DISK, TLS, DNS).

    `contract` is the vendor contract, `now` the controller's time, `evaluations` what the host's proxy scripts come to
    (None: not evaluated). What a part that took longer than its time has found by then does not count. Raises
    ValueError for facts of another shape or probe, KeyError for a contract that lacks a key.
    """
    if role not in ("server", "client"):
        raise ValueError(f"role {role!r}; server or client is allowed")
    check_shape(facts)
    overdue = facts.get("overdue") or ()
    told = {**facts, **dict.fromkeys(overdue)}
    checks = [judge_page(told, site, contract, "P1", "text")]
    if role == "server" and site.mode == "server_in_cloud":
        checks.append(judge_page(told, site, contract, "P2", "heading"))
    checks += [judge_speed(told, site, contract), *judge_proxy(told, site, role, contract, evaluations)]
    if role == "server":
        checks += [judge_power(told, site, now), judge_service(told, site, contract), judge_disk(told, site, contract)]
    checks.append(judge_clock(told, site, now))
    checks += [judge_tls(told, site, role, contract), judge_dns(told, site)]
    return apply_waivers([_with_reason(check, overdue) for check in checks], site, now)


def _with_reason(check: CheckResult, overdue: Collection[str]) -> CheckResult:
    """An unknown check whose part took too long says so."""
    late = any(check.id in _PARTS.get(part, ()) for part in overdue)
    return replace(check, observed=OVERDUE) if late and check.outcome is CheckOutcome.UNKNOWN else check


def missing_contact(site: Site) -> list[str]:
    """What of the contact person for the day after is not answered (P6): of `name`, `email`, `phone`."""
    return [name for name in CONTACT_FIELDS if not str((site.contact or {}).get(name) or "").strip()]


def answered(site: Site, day: date) -> bool:
    """Whether every answer that P6 asks for is there as of `day`, a day in Norway: none counts before its date."""
    return all(check.outcome is CheckOutcome.PASS for check in _answers(site, day))


def register_state(site: Site, day: date) -> State:
    """Where the site stands as of `day`, as far as the register alone tells."""
    if not answered(site, day):
        return State.REGISTERED
    return State.DATED if site.move_date else State.ANSWERED


def judge_register(site: Site, now: datetime) -> list[CheckResult]:
    """Judge what the register knows (P4, P4.ros, one P6.* per answer, P7), the waivers at `now` applied.

    What the register says was done on a day that is still to come is not done.
    """
    day = now.astimezone(OSLO).date()
    signed = site.is_signed(day)
    early = not signed and site.agreement_status == "signed"
    ros_early = is_ahead(site.ros_sent, day)
    ros_sent = not site.ros_requested or (site.ros_sent is not None and not ros_early)
    checks = [
        result(
            site,
            "P4",
            signed,
            observed=_still_to_come(site.agreement_signed) if early else site.agreement_status,
            expected="signed",
            remedies=["AHEAD" if early else "P4.sent" if site.agreement_status == "sent" else "P4.missing"],
        ),
        result(
            site,
            "P4.ros",
            ros_sent,
            observed="not asked for"
            if not site.ros_requested
            else _still_to_come(site.ros_sent)
            if ros_early
            else ("sent" if site.ros_sent else "not sent"),
            expected="sent where asked for",
            severity=Severity.WARNING,
            remedies=["AHEAD" if ros_early else "P4.ros"],
        ),
        *_answers(site, day),
        _dating(site, day),
    ]
    return apply_waivers(checks, site, now)


def _still_to_come(told: date | None) -> str:
    return f"dated {told}, which is still to come"


def _answers(site: Site, day: date) -> list[CheckResult]:
    missing = missing_contact(site)
    given = {
        "P6.contact": (not missing, f"missing: {', '.join(missing)}", None),
        "P6.urls": (site.urls_confirmed is not None, "not confirmed", site.urls_confirmed),
        "P6.proxy": (site.proxy_confirmed is not None, "not confirmed", site.proxy_confirmed),
        "P6.closed": (site.closed is not None, "not answered", None),
        "P6.signatory": (site.signatory_known or site.is_signed(day), "not answered", None),
    }
    return [
        result(site, check, False, observed=_still_to_come(told), expected="answered", remedies=["AHEAD"])
        if is_ahead(told, day)
        else result(site, check, there, observed="answered" if there else lack, expected="answered", remedies=[check])
        for check, (there, lack, told) in given.items()
    ]


def _dating(site: Site, day: date) -> CheckResult:
    complete, dated = answered(site, day), site.move_date is not None
    return result(
        site,
        "P7",
        complete == dated,
        observed=f"answers {'there' if complete else 'missing'}, move date {'set' if dated else 'not set'}",
        expected="a move date as soon as all answers are there, and not before",
        severity=Severity.INFO,
        remedies=["P7.early" if dated else "P7.undated"],
    )
