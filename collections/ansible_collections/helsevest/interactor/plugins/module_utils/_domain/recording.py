# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the journal is told of a step: one result per host becomes the events that everything else is derived from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .cause import tell_cause
from .words import EventKind, Outcome, Phase, Step


@dataclass(frozen=True)
class StepResult:
    """What one host, or the cloud on behalf of one site, answered to a step of the run `run_id` (docs/contracts.md)."""

    site: str
    host: str
    is_server: bool
    attempt: Mapping[str, Any] | None
    started: str
    result: Mapping[str, Any]
    run_id: str = ""

    @property
    def error(self) -> str | None:
        """Why the step did not do what it should, or None."""
        if self.result.get("reached") is False:
            return f"{self.host} not reached ({tell_cause(self.result.get('cause'), self.result.get('detail') or '')})"
        error = self.result.get("error")
        if error is None and self.result.get("failed"):
            error = self.result.get("msg") or "failed without a message"
        return None if error is None else str(error)


def _event(of: StepResult, kind: EventKind, data: Mapping[str, Any], **more: str | None) -> dict[str, Any]:
    return {"site": of.site, "host": None, "kind": kind.value, "subject": None, "key": None, "data": dict(data), **more}


def _once(of: StepResult, kind: EventKind) -> str | None:
    """The key of what a host was asked once, so that it is recorded once, whoever of a run records it first."""
    asked = of.result.get("asked")
    return f"{kind.value}/{of.host}/{of.run_id}/{asked}" if asked and of.run_id else None


def _measured(of: StepResult) -> list[dict[str, Any]]:
    families = of.result.get("families")
    if families and of.result.get("reached") and of.error is None:
        # A part says nothing of the rest: neither a verdict nor what the server's ledger tells.
        part = {"origin": "measured", "families": list(families), "checks": of.result["checks"]}
        return [_event(of, EventKind.PART_MEASURED, part, host=of.host, key=_once(of, EventKind.PART_MEASURED))]
    interactor = (of.result.get("facts") or {}).get("interactor") or {}
    events = [
        _event(
            of,
            EventKind.MEASURED,
            {
                "origin": "measured",
                "reached": of.result.get("reached", True),
                "cause": of.result.get("cause"),
                "detail": of.result.get("detail") or of.error or "",
                "verdict": of.result.get("verdict", "error"),
                "checks": of.result.get("checks", []),
                "version": interactor.get("version"),
                "mode": interactor.get("mode"),
            },
            host=of.host,
            key=_once(of, EventKind.MEASURED),
        )
    ]
    if of.is_server and interactor:
        events.append(_ledger(of, interactor) | {"key": _once(of, EventKind.LEDGER)})
    return events


def _ledger(of: StepResult, source: Mapping[str, Any]) -> dict[str, Any]:
    data = {
        "ledger": source.get("ledger"),
        "error": source.get("ledger_error"),
        "mode": source.get("mode"),
        "version": source.get("version"),
    }
    return _event(of, EventKind.LEDGER, data, host=of.host)


_ACHIEVED = {Step.LEASE: "held", Step.STAGE: "staged", Step.INSTALL: "upgraded", Step.CONFIRM: "upgraded"}
"""The field of the answer that says whether a step achieved what it is for; `reason` says why not."""


def _shortfall(step: Step, result: Mapping[str, Any]) -> tuple[str, bool]:
    """What a step that ran without an error still did not achieve, and whether that is as it should be for now."""
    if step is Step.USERS:
        busy = [client["host"] for client in result["clients"] if client["active"]]
        return (f"Interactor is in use on {', '.join(busy)}" if busy else ""), True
    achieved = _ACHIEVED.get(step)
    if achieved is None or result.get(achieved):
        return "", True
    return str(result.get("reason") or f"not {achieved}"), bool(result.get("again"))


_USERS_DATA = ("reached", "active", "sessions", "open_files", "last_activity", "warned", "closed")


def _users(of: StepResult, host: str, told: Mapping[str, Any]) -> dict[str, Any]:
    return _event(of, EventKind.USERS, {name: told.get(name) for name in _USERS_DATA}, host=host)


def _made(of: StepResult, told: Mapping[str, Any]) -> dict[str, Any]:
    number = str(of.attempt["number"]) if of.attempt else None
    return _event(of, EventKind.MADE, {name: told[name] for name in ("known", "made")}, subject=number)


def events_of(phase: Phase, step: Step, results: Iterable[StepResult]) -> list[dict[str, Any]]:
    """The events to record after `step` was taken for some hosts, in the form that site_journal takes.

    A step that a dry run has not taken, for it would have changed something, tells only what was read.
    """
    events: list[dict[str, Any]] = []
    for of in results:
        if step is Step.PROBE:
            events += _measured(of)
            continue
        number = str(of.attempt["number"]) if of.attempt else None
        if of.error is None:
            if of.result.get("ledger") is not None or step is Step.LOOK:
                events.append(_ledger(of, of.result))
            if of.result.get("dry"):
                continue
            if step is Step.RECONCILE:
                data = {name: of.result[name] for name in ("equal", "differences", "counts")}
                data["unlisted"] = of.result.get("unlisted") or ""
                events.append(
                    _event(of, EventKind.RECONCILED, data, subject=number, key=f"reconciled/{of.site}/{number}")
                )
            elif step is Step.CLOUD:
                attempts = [{name: one[name] for name in ("number", "key", "state")} for one in of.result["attempts"]]
                events.append(_event(of, EventKind.CLOUD, {"attempts": attempts}))
            elif step is Step.LEASE and of.result.get("users"):
                events.append(_users(of, of.host, {"reached": True, **of.result["users"]}))
            elif step is Step.USERS:
                events += [_users(of, client["host"], client) for client in of.result["clients"]]
            elif step is Step.MADE:
                events.append(_made(of, of.result))
            elif step is Step.RESTORE and of.result.get("as_before") is not None:
                data = {name: of.result["as_before"][name] for name in ("equal", "changed")}
                events.append(_event(of, EventKind.RESTORED, data, subject=number))
            elif step is Step.DISCARD:
                # An attempt that a late start has opened again is discarded once more.
                key = f"discarded/{of.site}/{number}/{of.started}"
                events.append(_event(of, EventKind.DISCARDED, {}, subject=number, key=key))
            elif step is Step.CHECK:
                events.append(_event(of, EventKind.CHECKED, {"checks": of.result["checks"]}, subject=number))
                if of.result.get("made") is not None:
                    events.append(_made(of, of.result["made"]))
        detail, ok = (of.error, False) if of.error is not None else _shortfall(step, of.result)
        data = {
            "phase": phase.value,
            "attempt": number,
            "ok": ok or not detail,
            "detail": detail,
            "started": of.started,
            "cause": of.result.get("cause"),
        }
        events.append(_event(of, EventKind.STEP, data, subject=step.value))
    return events


def rollback_events(
    answer: Mapping[str, Any], name: str, reason: str, loses: str | None = None
) -> list[dict[str, Any]]:
    """The wish of `name` to undo the attempt of every site of `answer` (site_gate's) that has one to undo.

    `loses` is what the person knows to be lost past the point of no return: a count, or `unknown`. A wish is of its
    run: one that was refused is asked anew by the next.
    """
    return [
        {
            "site": site,
            "kind": EventKind.ROLLBACK_ASKED.value,
            "subject": str(decision["attempt"]["number"]),
            "key": f"rollback_asked/{site}/{decision['attempt']['number']}/{answer['run_id']}",
            "data": {"name": name, "reason": reason, "loses": loses or None},
        }
        for site, decision in sorted(answer["sites"].items())
        if decision["attempt"] and (decision["outcome"] != Outcome.ROLLED_BACK or _awaits_a_word(decision))
    ]


def _awaits_a_word(decision: Mapping[str, Any]) -> bool:
    """Whether a server is put back and its copy in the cloud kept until somebody says what is lost with it."""
    return any(reason["code"] == "point_of_no_return" for reason in decision["reasons"])
