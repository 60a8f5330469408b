# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks: what the facts of a host and the register's answers say about a site (P1 to P8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal

from .facts import check_shape
from .proxy_check import judge_proxy
from .proxy_way import Evaluations
from .results import CheckResult, apply_waivers, result
from .site import Site, is_ahead
from .times import format_time, parse_time
from .window import OSLO
from .words import CheckOutcome, Severity, State

__all__ = ["CheckResult", "answered", "judge_facts", "judge_page", "judge_register", "judge_service"]

CLOCK_TOLERANCE = timedelta(minutes=5)
RESTART_HORIZON = timedelta(hours=48)
CONTACT_FIELDS = ("name", "email", "phone")

_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"))


def judge_facts(
    facts: Mapping[str, Any],
    site: Site,
    role: Literal["server", "client"],
    contract: Mapping[str, Any],
    now: datetime,
    evaluations: Evaluations | None = None,
) -> list[CheckResult]:
    """Judge what the probe found on one host (P1, P2, P3, P5, P8, CLOCK, SERVICE); `now` is the controller's time.

    `contract` is the vendor contract, `evaluations` what the host's proxy scripts come to (None: not evaluated).
    Raises ValueError for facts of another shape or probe, KeyError for a contract that lacks a key.
    """
    if role not in ("server", "client"):
        raise ValueError(f"role {role!r}; server or client is allowed")
    check_shape(facts)
    checks = [judge_page(facts, site, contract, "P1", "text")]
    if role == "server" and site.mode == "server_in_cloud":
        checks.append(judge_page(facts, site, contract, "P2", "heading"))
    checks += [_speed(facts, site, contract), *judge_proxy(facts, site, role, contract, evaluations)]
    if role == "server":
        checks += [_power(facts, site, now), judge_service(facts, site, contract)]
    return apply_waivers([*checks, _clock(facts, site, now)], site, now)


def _section(facts: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return facts.get(name) or {}


def _fold(text: str) -> str:
    """The text as people compare it: any dash, any case, any white space."""
    return " ".join(text.translate(_DASHES).split()).casefold()


def judge_page(
    facts: Mapping[str, Any], site: Site, contract: Mapping[str, Any], check: str, where: str
) -> CheckResult:
    """Judge one page of `facts["pages"]` (P1, P2); `where` (`text` or `heading`) is what the contract compares."""
    wanted = contract["pages"][check]
    expected = f'{wanted["url"]}: status {wanted["status"]}, {where} "{wanted[where]}"'
    page = next((page for page in facts["pages"] or () if page["id"] == check), None)
    outcome, observed, evidence = None, "not asked", {}
    if page is not None:
        evidence = {key: page[key] for key in ("url", "final_url", "status", "issuer", "milliseconds", "error")}
        shown = page[where]
        if page["error"]:
            outcome, observed = False, page["error"]
        elif page["status"] is not None and (shown is not None or page["status"] != wanted["status"]):
            outcome = page["status"] == int(wanted["status"]) and _fold(shown or "") == _fold(wanted[where])
            observed = f'status {page["status"]}, {where} "{(shown or "")[:80]}"'
        else:
            observed = f"no status or no {where}"
    return result(
        site,
        check,
        outcome,
        observed=observed,
        expected=expected,
        remedies=[check],
        evidence=evidence,
        url=wanted["url"],
        text=wanted[where],
    )


def _speed(facts: Mapping[str, Any], site: Site, contract: Mapping[str, Any]) -> CheckResult:
    wanted = float(contract["speed"]["recommended_mbit"])
    speed = _section(facts, "speed")
    outcome, observed, evidence = None, speed.get("error") or "not measured", {}
    if not speed.get("error") and speed.get("bytes") is not None and (speed.get("seconds") or 0) > 0:
        mbit = speed["bytes"] * 8 / speed["seconds"] / 1_000_000
        outcome, observed, evidence = mbit > wanted, f"{mbit:.1f} Mbit/s", {"mbit": round(mbit, 1)}
    return result(
        site,
        "P3",
        outcome,
        observed=observed,
        expected=f"over {wanted:g} Mbit/s",
        severity=Severity.WARNING,
        remedies=["P3"],
        evidence=evidence,
        mbit=f"{wanted:g}",
    )


def _power(facts: Mapping[str, Any], site: Site, now: datetime) -> CheckResult:
    power = _section(facts, "power")
    faults: dict[str, str] = {}
    sleeps = {name: power.get(f"{name}_minutes") for name in ("sleep", "hibernate")}
    if any(sleeps.values()):
        faults["P8.sleep"] = ", ".join(f"{name} after {minutes} minutes" for name, minutes in sleeps.items() if minutes)
    if power.get("pending_restart"):
        faults["P8.pending"] = f"restart pending: {', '.join(power['pending_restart'])}"
    planned = sorted(parse_time(text) for text in power.get("scheduled_restarts") or ())
    soon = [moment for moment in planned if now <= moment <= now + RESTART_HORIZON]
    if soon:
        faults["P8.scheduled"] = f"restart scheduled: {', '.join(map(format_time, soon))}"
    names = ("sleep_minutes", "hibernate_minutes", "pending_restart", "scheduled_restarts")
    unknown = [name for name in names if power.get(name) is None]
    return result(
        site,
        "P8",
        False if faults else None if unknown else True,
        observed="; ".join([*faults.values(), *(f"{name} not found out" for name in unknown)]) or "stays on",
        expected="no sleep, no hibernation, no pending restart, none scheduled within 48 hours",
        remedies=list(faults),
        evidence={name: power.get(name) for name in names},
        when=" / ".join(f"{moment.astimezone(OSLO):%d.%m.%Y kl. %H.%M}" for moment in soon),
    )


def _clock(facts: Mapping[str, Any], site: Site, now: datetime) -> CheckResult:
    told = _section(facts, "host").get("utc")
    offset = parse_time(told) - now if told else None
    seconds = round(offset.total_seconds()) if offset is not None else None
    return result(
        site,
        "CLOCK",
        None if offset is None else abs(offset) <= CLOCK_TOLERANCE,
        observed="not found out" if seconds is None else f"{seconds:+d} seconds",
        expected=f"within {CLOCK_TOLERANCE.seconds // 60} minutes of ours",
        severity=Severity.WARNING,
        remedies=["CLOCK"],
        evidence={"offset_seconds": seconds},
        minutes=round(abs(seconds or 0) / 60),
    )


def judge_service(facts: Mapping[str, Any], site: Site, contract: Mapping[str, Any]) -> CheckResult:
    """Judge `facts["interactor"]["service"]` (SERVICE)."""
    state = _section(facts, "interactor").get("service")
    return result(
        site,
        "SERVICE",
        None if state is None else state == "running",
        observed=state or "not found out",
        expected="running",
        remedies=["SERVICE.missing" if state == "missing" else "SERVICE.stopped"],
        evidence={"service": state},
        service=contract["service"]["name"],
    )


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
