# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of one host's own state: line (P3), power (P8), CLOCK, SERVICE and room (DISK)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from statistics import median
from typing import Any

from .results import CheckResult, result
from .site import Site
from .times import format_time, parse_time
from .window import OSLO, Window
from .words import Severity

CLOCK_TOLERANCE = timedelta(minutes=5)
RESTART_HORIZON = timedelta(hours=48)


def section(facts: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of the facts; empty where it could not be found out."""
    return facts.get(name) or {}


def judge_speed(facts: Mapping[str, Any], site: Site, contract: Mapping[str, Any]) -> CheckResult:
    """Judge the line by the median of `facts["speed"]` (P3); a warning at most.

    At most `speed.samples` of the contract count, in their order. Unknown without any, and where the probe tells an
    error: what it read then may be another page.
    """
    wanted, most = float(contract["speed"]["recommended_mbit"]), int(contract["speed"]["samples"])
    speed = section(facts, "speed")
    found = [] if speed.get("error") else _rates(speed)[:most]
    outcome, observed, evidence = None, speed.get("error") or "not measured", {}
    if found:
        mbit = median(found)
        outcome, observed = mbit > wanted, f"{mbit:.1f} Mbit/s"
        evidence = {"mbit": round(mbit, 1), "samples": [round(each, 1) for each in found]}
        if len(found) > 1:
            observed += f", the median of {len(found)} samples ({min(found):.1f} to {max(found):.1f})"
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


def samples_of(speed: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The samples of `facts["speed"]`, `bytes` and `seconds` each, of which any may be None."""
    return speed.get("samples") or ()


def _rates(speed: Mapping[str, Any]) -> list[float]:
    """Mbit/s of each sample that was measured."""
    return [
        sample["bytes"] * 8 / sample["seconds"] / 1_000_000
        for sample in samples_of(speed)
        if sample.get("bytes") is not None and (sample.get("seconds") or 0) > 0
    ]


_PENDING = {
    "file_rename": "P8.files",
    "computer_rename": "P8.renamed",
    "domain_join": "P8.renamed",
    "configuration_manager": "P8.managed",
}
"""The remedy of each sign of a pending restart; `P8.pending` for every other one."""


def judge_power(facts: Mapping[str, Any], site: Site, now: datetime) -> CheckResult:
    """Judge whether the server stays on all evening and night (P8); `now` is the controller's time.

    The hours in which Windows Update does not restart by itself matter only where a restart is pending: then it may
    come in the middle of the site's window. Neither they nor the plan's name make the check unknown.
    """
    power = section(facts, "power")
    faults: dict[str, str] = {}
    remedies: list[str] = []
    sleeps = {name: power.get(f"{name}_minutes") for name in ("sleep", "hibernate")}
    plan, hours = str(power.get("plan") or "")[:40], power.get("active_hours")
    if not hours or None in (hours["start"], hours["end"]):
        hours = None
    if any(sleeps.values()):
        faults["sleep"] = ", ".join(f"{name} after {minutes} minutes" for name, minutes in sleeps.items() if minutes)
        remedies += ["P8.sleep", *(["P8.plan"] if plan else [])]
    pending = power.get("pending_restart") or []
    if pending:
        faults["pending"] = f"restart pending: {', '.join(pending)}"
        remedies += list(dict.fromkeys(_PENDING.get(sign, "P8.pending") for sign in pending))
        if hours and not _covers(hours, site.window):
            faults["hours"] = f"Windows may restart by itself outside {_told(hours)}"
            remedies.append("P8.active_hours")
    planned = sorted(parse_time(text) for text in power.get("scheduled_restarts") or ())
    soon = [moment for moment in planned if now <= moment <= now + RESTART_HORIZON]
    if soon:
        faults["scheduled"] = f"restart scheduled: {', '.join(map(format_time, soon))}"
        remedies.append("P8.scheduled")
    names = ("sleep_minutes", "hibernate_minutes", "pending_restart", "scheduled_restarts")
    unknown = [name for name in names if power.get(name) is None]
    return result(
        site,
        "P8",
        False if faults else None if unknown else True,
        observed="; ".join([*faults.values(), *(f"{name} not found out" for name in unknown)]) or "stays on",
        expected="no sleep, no hibernation, no pending restart, none scheduled within 48 hours",
        remedies=remedies,
        evidence={name: power.get(name) for name in (*names, "plan", "active_hours")},
        when=" / ".join(f"{moment.astimezone(OSLO):%d.%m.%Y kl. %H.%M}" for moment in soon),
        plan=plan,
        hours=_told(hours) if hours else "",
        window=f"{site.window.start:%H.%M}–{site.window.end:%H.%M}",
    )


def _told(hours: Mapping[str, Any]) -> str:
    return f"{hours['start']:02d}.00–{hours['end']:02d}.00"


def _covers(hours: Mapping[str, Any], window: Window) -> bool:
    """Whether a window lies within the hours from `start` up to `end`, which may pass midnight."""
    day = 24 * 60
    length = (hours["end"] - hours["start"]) * 60 % day
    opens = (_minutes(window.start) - hours["start"] * 60) % day
    return bool(opens + (_minutes(window.end) - _minutes(window.start)) % day <= length)


def _minutes(wall: time) -> int:
    return wall.hour * 60 + wall.minute


def judge_clock(facts: Mapping[str, Any], site: Site, now: datetime) -> CheckResult:
    """Judge the host's clock (CLOCK): against the time server where it answered the host, else against `now`.

    The time server counts because ours may be wrong as well, and a probe takes its time; `now` is the controller's.
    Both offsets are in the evidence.
    """
    told = section(facts, "host").get("utc")
    against_us = round((parse_time(told) - now).total_seconds()) if told else None
    clock = section(facts, "clock")
    by_server = None if clock.get("error") else clock.get("offset_seconds")
    seconds = against_us if by_server is None else round(by_server)
    against = "ours" if by_server is None else "the time server"
    exact = against_us if by_server is None else by_server
    return result(
        site,
        "CLOCK",
        None if exact is None else abs(exact) <= CLOCK_TOLERANCE.total_seconds(),
        observed="not found out" if seconds is None else f"{seconds:+d} seconds against {against}",
        expected=f"within {CLOCK_TOLERANCE.seconds // 60} minutes of {against}",
        severity=Severity.WARNING,
        remedies=["CLOCK"],
        evidence={"offset_seconds": seconds, "against_ours": against_us, "against_server": by_server},
        minutes=round(abs(seconds or 0) / 60),
    )


def judge_service(facts: Mapping[str, Any], site: Site, contract: Mapping[str, Any]) -> CheckResult:
    """Judge `facts["interactor"]["service"]` (SERVICE)."""
    state = section(facts, "interactor").get("service")
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


def judge_disk(facts: Mapping[str, Any], site: Site, contract: Mapping[str, Any]) -> CheckResult:
    """Judge the room on the server's drive C: against the contract's limit (DISK); a warning, for it is a rough limit.

    What a backup really needs is measured when it is made, and it is not begun without.
    """
    free, least = section(facts, "host").get("free_gb"), contract["disk"]["free_gb"]
    return result(
        site,
        "DISK",
        None if free is None else free >= least,
        observed="not found out" if free is None else f"{free:g} GB free on drive C:",
        expected=f"at least {least} GB",
        severity=Severity.WARNING,
        remedies=["DISK"],
        evidence={"free_gb": free},
        free=f"{free or 0:g}",
        least=least,
    )
