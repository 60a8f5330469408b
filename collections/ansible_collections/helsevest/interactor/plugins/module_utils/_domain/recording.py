# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the journal is told of a step: one result per host becomes the events that everything else is derived from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .words import EventKind, Outcome, Phase, Step


@dataclass(frozen=True)
class StepResult:
    """What one host, or the cloud on behalf of one site, answered to a step (docs/contracts.md)."""

    site: str
    host: str
    is_server: bool
    attempt: Mapping[str, Any] | None
    started: str
    result: Mapping[str, Any]

    @property
    def error(self) -> str | None:
        """Why the step did not do what it should, or None."""
        if self.result.get("reached") is False:
            return f"{self.host} not reached ({self.result.get('cause')})"
        error = self.result.get("error")
        if error is None and self.result.get("failed"):
            error = self.result.get("msg") or "failed without a message"
        return None if error is None else str(error)


def _event(of: StepResult, kind: EventKind, data: Mapping[str, Any], **more: str | None) -> dict[str, Any]:
    return {"site": of.site, "host": None, "kind": kind.value, "subject": None, "key": None, "data": dict(data), **more}


def _measured(of: StepResult) -> list[dict[str, Any]]:
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
        )
    ]
    if of.is_server and interactor:
        events.append(_ledger(of, interactor))
    return events


def _ledger(of: StepResult, source: Mapping[str, Any]) -> dict[str, Any]:
    data = {
        "ledger": source.get("ledger"),
        "error": source.get("ledger_error"),
        "mode": source.get("mode"),
        "version": source.get("version"),
    }
    return _event(of, EventKind.LEDGER, data, host=of.host)


def _refusal(step: Step, result: Mapping[str, Any]) -> str | None:
    """What a step that ran without an error still did not achieve."""
    if step is Step.LEASE and not result.get("held"):
        return f"Interactor is in use: {result.get('in_use')} open"
    if step is Step.INSTALL and not result.get("upgraded"):
        return str(result.get("reason") or "not upgraded")
    if step is Step.STAGE and not result.get("staged"):
        return str(result.get("reason") or "the installer could not be verified")
    return None


def events_of(phase: Phase, step: Step, results: Iterable[StepResult]) -> list[dict[str, Any]]:
    """The events to record after `step` was taken for some hosts, in the form that site_journal takes."""
    events: list[dict[str, Any]] = []
    for of in results:
        if step is Step.PROBE:
            events += _measured(of)
            continue
        number = str(of.attempt["number"]) if of.attempt else None
        if of.error is None:
            if of.result.get("ledger") is not None or step is Step.LOOK:
                events.append(_ledger(of, of.result))
            if step is Step.RECONCILE:
                data = {name: of.result[name] for name in ("equal", "differences", "counts")}
                events.append(
                    _event(of, EventKind.RECONCILED, data, subject=number, key=f"reconciled/{of.site}/{number}")
                )
            elif step is Step.DISCARD:
                events.append(_event(of, EventKind.DISCARDED, {}, subject=number, key=f"discarded/{of.site}/{number}"))
            elif step is Step.CHECK:
                events.append(_event(of, EventKind.CHECKED, {"checks": of.result["checks"]}, subject=number))
        detail = of.error or _refusal(step, of.result)
        data = {
            "phase": phase.value,
            "attempt": number,
            "ok": detail is None,
            "detail": detail or "",
            "started": of.started,
        }
        events.append(_event(of, EventKind.STEP, data, subject=step.value))
    return events


def rollback_events(answer: Mapping[str, Any], name: str, reason: str) -> list[dict[str, Any]]:
    """The wish of `name` to undo the attempt of every site of `answer` (site_gate's) that has one to undo."""
    return [
        {
            "site": site,
            "kind": EventKind.ROLLBACK_ASKED.value,
            "subject": str(decision["attempt"]["number"]),
            "key": f"rollback_asked/{site}/{decision['attempt']['number']}",
            "data": {"name": name, "reason": reason},
        }
        for site, decision in sorted(answer["sites"].items())
        if decision["attempt"] and decision["outcome"] != Outcome.ROLLED_BACK
    ]
