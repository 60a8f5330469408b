# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbook finds out by itself on a real server: each measure says how its row of the checklist stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Any

from . import verify_contract as contract_measures
from . import verify_trial as trial_measures
from .checklist import Result, Row
from .findings import Answers, Case, Finding, Measure, failed, passed, still_open, whether
from .times import parse_time


def _connection(case: Case) -> Finding:
    told = case.answer["connection"]
    checked = told["validation"] != "ignore"
    observed = f"{told['plugin']}, {told['transport']} over {told['scheme']}, "
    return whether(told["scheme"] == "https" and checked, observed + f"certificate {'' if checked else 'not '}checked")


def _channel_binding(case: Case) -> Finding:
    level, transport = case.facts["channel_binding"], case.answer["connection"]["transport"] or ""
    if level == "Strict" and ("ntlm" in transport or "kerberos" in transport):
        return passed(f"reached with {transport} while CbtHardeningLevel is Strict")
    return still_open(f"CbtHardeningLevel is {level or 'not told'}, the transport {transport or 'not told'}")


def _powershell(case: Case) -> Finding:
    told = case.facts["powershell"]
    right = (
        told["version"].startswith("5.1.") and told["edition"] == "Desktop" and told["language_mode"] == "FullLanguage"
    )
    observed = f"{told['version']} {told['edition']}, {told['language_mode']}, culture {told['culture'] or 'not told'}"
    return whether(right, observed)


_POWER = ("sleep_minutes", "hibernate_minutes", "pending_restart", "scheduled_restarts")


def _facts(case: Case) -> Finding:
    facts = case.facts
    unknown = [f"host.{name}" for name, value in facts["host"].items() if value is None]
    interactor = facts["interactor"] or {}
    unknown += [f"interactor.{name}" for name in ("service", "version", "mode") if interactor.get(name) is None]
    unknown += [f"power.{name}" for name in _POWER if facts["power"].get(name) is None]
    unknown += [f"proxy.{name}" for name in ("profiles", "per_machine") if facts["proxy"].get(name) is None]
    return whether(not unknown, f"not found out: {', '.join(unknown)}" if unknown else "all found out")


def _unchanged(case: Case) -> Finding:
    before, after = (case.answers["look"].get("facts") or {}).get("state") or {}, case.facts["state"]
    changed = [name for name in after if after[name] != before.get(name)]
    left = (case.answers.get("trial", {}).get("trial") or {}).get("left") or []
    unknown = [name for name, mark in after.items() if mark is None]
    if changed or left:
        return failed("; ".join([*(f"{name} is not as before" for name in changed), *left]))
    return still_open(f"not found out: {', '.join(unknown)}") if unknown else passed("all is as before")


def _dry_run(case: Case) -> Finding:
    told = {name: case.answers.get(name) or {} for name in ("stage", "lease")}
    faults = [
        f"{name}: {answer.get('error') or 'not asked'}"
        for name, answer in told.items()
        if "changed" not in answer or answer.get("error") or answer.get("skipped")
    ]
    would = ", ".join(
        f"{name} {'would change something' if answer.get('dry') else 'changes nothing'}"
        for name, answer in told.items()
    )
    return whether(not faults, "; ".join(faults) or would)


def _boot(case: Case) -> Finding:
    """Readings of the same start must agree; over a short time that says little."""
    readings = [*case.readings, *boot_readings(case.answers)]
    if len(readings) < 2:
        return still_open("not found out")
    latest = max(booted for _at, booted in readings)
    same = [(at, booted) for at, booted in readings if at > latest]
    spread = max(booted for _, booted in same) - min(booted for _, booted in same)
    span = max(at for at, _ in same) - min(at for at, _ in same)
    observed = (
        f"{len(same)} readings over {span.total_seconds() / 60:.0f} minutes differ by {spread.total_seconds():.0f} s"
    )
    if spread.total_seconds() >= case.limits["seconds"]:
        return failed(observed)
    if span.total_seconds() < case.limits["apart_seconds"]:
        return still_open(f"{observed}: run it again later")
    return passed(observed)


def boot_readings(answers: Answers) -> list[tuple[datetime, datetime]]:
    """When the boot time was read in this run, by the controller's clock, and what it was."""
    found = []
    for name in ("look", "again"):
        answer = answers.get(name) or {}
        booted = (answer.get("facts") or {}).get("booted")
        if booted and answer.get("at"):
            found.append((parse_time(answer["at"]), parse_time(booted)))
    return found


def _use(case: Case) -> Finding:
    users = case.answer.get("users")
    if users is None:
        return still_open(f"the lease was not tried: {case.answer.get('error') or 'no answer'}")
    wanted = ["sessions", "open_files"] + (["last_activity"] if case.contract["use"]["quiet_minutes"] else [])
    unknown = [name for name in wanted if users.get(name) is None]
    observed = ", ".join(f"{name} {users.get(name)}" for name in wanted)
    return whether(not unknown, observed if not unknown else f"not told: {', '.join(unknown)}")


def _round_trip(case: Case) -> Finding:
    seconds = case.answer["round_trips"]
    if not seconds:
        return still_open("none was answered; it needs the collection ansible.windows")
    middle = median(seconds)
    return whether(
        middle <= case.limits["seconds"], f"median {middle:.2f} s of {len(seconds)}, {min(seconds)} to {max(seconds)} s"
    )


def _upgraded(case: Case) -> Finding:
    upgrade = (case.answer["ledger"] or {}).get("upgrade")
    if not upgrade or upgrade["state"] == "staged":
        return still_open("not upgraded yet")
    told = f"{upgrade['from']} to {upgrade['to']}: {upgrade['state']}, the service tells {case.facts['version']}"
    right = upgrade["state"] == "done" and case.facts["version"] == upgrade["to"]
    return whether(right, f"{told} {upgrade['reason'] or ''}".strip())


def _restored(case: Case) -> Finding:
    attempts = (case.answer["ledger"] or {}).get("attempts") or []
    undone = [attempt for attempt in attempts if attempt.get("as_before")]
    if not undone:
        return still_open("nothing has been rolled back yet")
    compared = undone[-1]["as_before"]
    changed = f"not as before: {', '.join(map(str, compared['changed']))}"
    return whether(
        compared["equal"], f"attempt {undone[-1]['number']}: {'all as before' if compared['equal'] else changed}"
    )


MEASURES: Mapping[str, tuple[str, tuple[str, ...], Measure]] = {
    "connection": ("look", (), _connection),
    "channel_binding": ("look", (), _channel_binding),
    "powershell": ("look", ("powershell",), _powershell),
    "facts": ("preflight", ("host", "power", "proxy"), _facts),
    "service": ("look", ("service",), contract_measures.service),
    "version": ("look", (), contract_measures.version),
    "paths": ("look", ("there",), contract_measures.paths),
    "configuration": ("look", (), contract_measures.configuration),
    "signature": ("look", ("service",), contract_measures.signature),
    "names": ("look", ("there", "tasks"), contract_measures.names),
    "pages": ("preflight", (), contract_measures.checks("P1", "P2")),
    "speed": ("preflight", ("speed",), contract_measures.speed),
    "installer": ("look", ("web",), contract_measures.installer),
    "script": ("look", ("web",), contract_measures.script),
    "cloud": ("cloud", (), contract_measures.cloud),
    "unchanged": ("again", ("state",), _unchanged),
    "dry_run": ("stage", (), _dry_run),
    "boot": ("again", ("booted",), _boot),
    "use": ("lease", (), _use),
    "manifest": ("trial", (), trial_measures.manifest),
    "durable": ("trial", (), trial_measures.durable),
    "task": ("trial", (), trial_measures.task),
    "round_trip": ("look", (), _round_trip),
    "clock": ("preflight", (), contract_measures.checks("CLOCK")),
    "upgraded": ("look", (), _upgraded),
    "restored": ("look", (), _restored),
}
"""By name: which answer it is made of, which facts it cannot do without, and how."""


def judge_row(
    row: Row, answers: Answers, contract: Mapping[str, Any], readings: Sequence[tuple[datetime, datetime]] = ()
) -> Finding | None:
    """How a row stands by what was measured; None where nothing measures it. `readings` are of earlier runs."""
    if row.measure is None:
        return None
    source, needed, measure = MEASURES[row.measure]
    answer = answers.get(source)
    if not answer or answer.get("skipped"):
        return still_open("not asked")
    seconds = answer.get("seconds")
    if not answer.get("reached", True):
        told = f"the server was not reached: {answer['cause']}: {answer['detail']}"
        return Finding(Result.FAILED if row.measure == "connection" else Result.OPEN, told, seconds)
    error = answer.get("error")
    # What is about the way to the server, or tells the error itself, needs nothing that the module should have found.
    if error and row.measure not in ("connection", "round_trip", "use"):
        under_way = ": refused: " in error
        return Finding(Result.OPEN if under_way else Result.FAILED, error, seconds)
    case = Case(answer, answers, contract, row.limits, readings)
    unknown = [name for name in needed if case.facts.get(name) is None]
    if unknown:
        return Finding(Result.FAILED, f"not found out: {', '.join(unknown)}", seconds)
    found = measure(case)
    return Finding(found.result, found.observed, seconds)
