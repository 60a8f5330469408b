# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom to call, why, and what to ask (A2): one entry for a site whose move is uncertain, undone or was given up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .call_texts import CAUSES, QUESTIONS, Said
from .decision import Decision
from .gate_rules import Reason
from .words import AttemptState, Category, Outcome

GIVEN_UP = ("in_use", "date_passed", "upgrade_missed")
"""The gate's reasons by which a move was given up before it began."""

_BY_CHECK: Mapping[str, str] = {"P1": "opens", "P2": "opens", "SERVICE": "opens", "LEASE": "let_in", "A1": "messages"}


@dataclass(frozen=True)
class Call:
    """Why a site's contact is called: `code` is one of call_texts.CAUSES, `ask` are questions in the site's language.

    `happened` is what the office is told in its language, `why` the same for us, in English. Nothing of the contact.
    """

    code: str
    happened: str
    why: str
    ask: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in docs/contracts.md."""
        return {"code": self.code, "happened": self.happened, "why": self.why, "ask": list(self.ask)}


def call_of(decision: Decision) -> Call | None:
    """The call that a site needs now, or None. It is gone with its cause: verified, another date, nobody in the way."""
    code = _cause(decision)
    if code is None:
        return None
    language = decision.site.language
    why = next((reason.text for reason in _against(decision) if reason.code == code), None)
    asked = dict.fromkeys(said.text(language) for said in _questions(code, decision))
    return Call(code, CAUSES[code].text(language), why or decision.why(decision.last_attempt), tuple(asked))


def _against(decision: Decision) -> tuple[Reason, ...]:
    """What stands against the next step, and against the move of a site that is to be measured first."""
    return (*decision.reasons, *decision.ahead)


def _cause(decision: Decision) -> str | None:
    match decision.outcome:
        case Outcome.UNCERTAIN | Outcome.FAILED:
            return decision.outcome.value
        case Outcome.ROLLED_BACK if decision.rolled_back or decision.site.move_date is None:
            return decision.outcome.value
        case Outcome.VERIFIED | Outcome.MOVED_OUTSIDE:
            return None
    attempt = decision.last_attempt
    if attempt and attempt.state is not AttemptState.ROLLED_BACK:
        # Under way, or moved and waiting for the morning's check.
        return None
    told = {reason.code for reason in _against(decision)}
    return next((code for code in GIVEN_UP if code in told), None)


def _questions(code: str, decision: Decision) -> Iterable[Said]:
    attempt = decision.last_attempt
    if code == Outcome.UNCERTAIN:
        yield QUESTIONS["works"]
        for check in decision.failing:
            yield QUESTIONS[_BY_CHECK.get(check.id, "as_usual")]
        for difference in decision.differences:
            missing = difference.missing.count if difference.missing else max(0, difference.before - difference.after)
            extra = difference.extra.count if difference.extra else max(0, difference.after - difference.before)
            if missing or not extra:
                yield _missing(difference.category).filled(count=missing or "?", months=_months(decision))
            if extra:
                yield QUESTIONS[f"extra_{difference.category.value}"].filled(count=extra)
        return
    yield QUESTIONS["works_locally"]
    if code == Outcome.FAILED:
        yield QUESTIONS["server_on"]
        return
    if code == Outcome.ROLLED_BACK and attempt and attempt.switched:
        yield QUESTIONS["made_meanwhile"]
    if code == "in_use":
        yield QUESTIONS["who_in_the_evening"]
        yield QUESTIONS["may_close"]
    yield QUESTIONS["new_date"]


def _missing(category: Category) -> Said:
    return QUESTIONS[f"missing_{category.value}"]


def _months(decision: Decision) -> int:
    attempt = decision.last_attempt
    return (attempt.history_months if attempt else None) or decision.site.history_months


def call_entry(decision: Decision, call: Call) -> dict[str, Any]:
    """The entry of the call list, with the contact: it may stand in the list and nowhere else (docs/security.md)."""
    site = decision.site
    contact = site.contact or {}
    return {
        "site": site.id,
        "name": site.name,
        "wave": site.wave,
        "epj": site.epj,
        "language": site.language,
        **call.to_dict(),
        "differences": [
            {
                "category": each.category.value,
                "before": each.before,
                "after": each.after,
                "missing": each.missing.count if each.missing else None,
                "extra": each.extra.count if each.extra else None,
            }
            for each in decision.differences
        ],
        "checks": [check.id for check in decision.failing],
        "contact": {name: contact.get(name) for name in ("name", "phone", "weekends")} if contact else None,
    }


HEADINGS = (
    "Kontornr",
    "Kontor",
    "Bølge",
    "EPJ",
    "Årsak",
    "Hva som har skjedd",
    "Kontaktperson",
    "Telefon",
    "Kan nås i helger",
    "Spør om",
)


def call_rows(entries: Iterable[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """The list as a sheet: HEADINGS, and a row of texts for each entry of `call_entry`."""
    rows: list[tuple[str, ...]] = [HEADINGS]
    for entry in entries:
        contact = entry["contact"] or {}
        weekends = {True: "ja", False: "nei", None: ""}[contact.get("weekends")]
        rows.append(
            (
                entry["site"],
                entry["name"],
                "" if entry["wave"] is None else str(entry["wave"]),
                entry["epj"] or "",
                entry["code"],
                entry["happened"],
                contact.get("name") or "",
                contact.get("phone") or "",
                weekends,
                "\n".join(entry["ask"]),
            )
        )
    return rows
