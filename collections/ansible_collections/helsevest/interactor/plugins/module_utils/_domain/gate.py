# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate: may a step be taken for a site now, and if not, every reason in words.

Each rule stands once, with the steps that it guards. A step that only reads, or that brings a running move to its end,
is never stopped by a halt, a missing release or a check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from .site import Site
from .standing import Standing
from .step import Situation
from .verdict import SiteVerdict
from .window import OSLO, Opening
from .words import Phase, Step

UPGRADING = frozenset({Step.STAGE, Step.INSTALL})
STARTING = frozenset({Step.LEASE, Step.MANIFEST, Step.START})
BEGINNING = UPGRADING | STARTING
CHANGING = BEGINNING | {Step.SWITCH, Step.DISCARD, Step.RESTORE}


@dataclass(frozen=True)
class Reason:
    """Why a site may not pass: a code, in English for operations, in the site's language where the site must act."""

    code: str
    text: str
    who: str
    remedy: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a module's result."""
        return asdict(self)


@dataclass(frozen=True)
class Case:
    """All that a rule may look at: the situation, what preflight says, and the step that is asked for."""

    situation: Situation
    verdict: SiteVerdict | None
    phase: Phase | None
    step: Step | None

    @property
    def site(self) -> Site:
        """The site."""
        return self.situation.site

    @property
    def standing(self) -> Standing:
        """What the journal remembers of it."""
        return self.situation.standing

    @property
    def now(self) -> datetime:
        """The moment."""
        return self.situation.now


@dataclass(frozen=True)
class Rule:
    """One rule: `find` yields a reason for each thing that is wrong; `of_time` rules hold only when the step is due."""

    code: str
    steps: frozenset[Step]
    what: str
    find: Callable[[Case], Iterator[Reason]]
    of_time: bool = False


def _local(moment: datetime) -> str:
    return moment.astimezone(OSLO).strftime("%Y-%m-%d %H:%M")


def _halted(case: Case) -> Iterator[Reason]:
    for scope, why in case.standing.halts.items():
        yield Reason(
            "halted", f"wave {scope} is halted by {why}" if scope != "all" else f"all is halted by {why}", "us"
        )


def _not_released(case: Case) -> Iterator[Reason]:
    release = case.standing.release
    if case.site.wave is None:
        return
    if release is None:
        yield Reason("not_released", f"wave {case.site.wave} is not released: run playbooks/release.yml", "us")
    elif case.now >= release.until:
        text = f"the release of wave {case.site.wave} by {release.name} ended {_local(release.until)}"
        yield Reason("not_released", text, "us")


def _mode_not_described(case: Case) -> Iterator[Reason]:
    if case.site.mode not in case.situation.settings.described_modes:
        mode = case.site.mode
        text = f"mode {mode} is not described by the vendor: vendor_contract.config.modes.{mode} is empty"
        yield Reason("mode_not_described", text, "vendor")


def _ledger_damaged(case: Case) -> Iterator[Reason]:
    if case.standing.ledger_error:
        yield Reason("ledger_damaged", case.standing.ledger_error, "us")


def _ledger_missing(case: Case) -> Iterator[Reason]:
    seen = len(case.standing.ledger.attempts) if case.standing.ledger else 0
    if case.standing.ledger_run and not case.standing.ledger_error and seen < case.standing.known_attempts:
        text = f"the ledger on the server knows {seen} attempts, the journal {case.standing.known_attempts}"
        yield Reason("ledger_missing", text, "us")


def _not_ready(case: Case) -> Iterator[Reason]:
    if case.verdict is None:
        yield Reason("not_measured", "no preflight yet", "us")
        return
    for finding in case.verdict.blockers:
        where = f"{finding.host}: " if finding.host else ""
        yield Reason(
            finding.check.id,
            f"{where}{finding.check.title}: {finding.check.observed}",
            finding.who,
            finding.check.remedy,
        )
    if case.verdict.expired and not case.verdict.blockers:
        yield Reason("preflight_expired", "the server's last preflight is too old to count", "us")


def _freeze(case: Case) -> Iterator[Reason]:
    today = case.now.astimezone(OSLO).date()
    for freeze in case.site.freezes:
        if today in freeze.days or (case.site.move_date and case.site.move_date in freeze.days):
            yield Reason("freeze", f"frozen {freeze.days.first} to {freeze.days.last}: {freeze.reason}", "vendor")


def _closed(case: Case) -> Iterator[Reason]:
    day = case.site.move_date
    for span in case.site.closed or ():
        if day is not None and day in span:
            yield Reason("closed", f"the site is closed {span.first} to {span.last}, the move date is {day}", "us")


def _no_opening(case: Case) -> Iterator[Reason]:
    if case.site.move_date is not None and case.situation.move_opening is None:
        text = f"on {case.site.move_date} the windows of site, wave and vendor do not meet"
        yield Reason("no_opening", text, "us")


def _outside(case: Case, opening: Opening | None, name: str) -> Iterator[Reason]:
    takes = case.situation.settings.move_takes
    if case.step in UPGRADING:
        takes = case.situation.settings.upgrade_takes
    elif case.step is Step.SWITCH:
        takes = case.situation.settings.switch_takes
    if opening is None or not opening.contains(case.now):
        when = f"{_local(opening.start)} to {_local(opening.end)}" if opening else "not set"
        yield Reason("outside_window", f"it is {_local(case.now)}, the {name} window is {when}", "us")
    elif not opening.fits(case.now, takes):
        left = int(opening.remaining(case.now).total_seconds() // 60)
        needs = int(takes.total_seconds() // 60)
        yield Reason("does_not_fit", f"{case.step} takes {needs} minutes, the {name} window ends in {left}", "us")


def _upgrade_window(case: Case) -> Iterator[Reason]:
    yield from _outside(case, case.situation.upgrade_opening, "upgrade")


def _move_window(case: Case) -> Iterator[Reason]:
    yield from _outside(case, case.situation.move_opening, "move")


def _upgrade_failed(case: Case) -> Iterator[Reason]:
    upgrade = case.standing.ledger.upgrade if case.standing.ledger else None
    if upgrade and upgrade.state == "failed" and not case.situation.is_upgraded:
        yield Reason("upgrade_failed", f"the upgrade to {upgrade.to} failed: {upgrade.reason}", "us")


def _date_passed(case: Case) -> Iterator[Reason]:
    evening, move = case.situation.upgrade_opening, case.situation.move_opening
    if move and case.now >= move.end:
        yield Reason("date_passed", f"the window of {case.site.move_date} has passed: set a new move date", "us")
    elif evening and not case.situation.is_upgraded and case.now >= evening.end:
        yield Reason("upgrade_missed", f"the upgrade evening ended {_local(evening.end)}: set a new move date", "us")


def _moved_outside(case: Case) -> Iterator[Reason]:
    if case.situation.is_moved_outside:
        yield Reason("moved_outside", "found in the cloud without an attempt of ours: left alone", "us")


RULES: tuple[Rule, ...] = (
    Rule(
        "moved_outside", BEGINNING, "a site that is in the cloud without a ledger of ours is left alone", _moved_outside
    ),
    Rule("ledger_damaged", CHANGING, "the ledger on the server can be read", _ledger_damaged),
    Rule("ledger_missing", CHANGING, "the ledger knows every attempt that the journal knows", _ledger_missing),
    Rule("halted", BEGINNING, "neither the wave nor all is halted", _halted),
    Rule(
        "not_ready", BEGINNING, "preflight says ready: the agreement (P4), the answers (P6) and every host", _not_ready
    ),
    Rule("mode_not_described", BEGINNING, "the vendor has described the mode (M5)", _mode_not_described),
    Rule("closed", BEGINNING, "the site is open on the move date", _closed),
    Rule("freeze", BEGINNING, "the vendor has no freeze today or on the move date", _freeze),
    Rule("no_opening", BEGINNING, "the windows of site, wave and vendor meet on the move date (M1)", _no_opening),
    Rule("upgrade_failed", BEGINNING, "the upgrade (U1) has not failed", _upgrade_failed),
    Rule("date_passed", BEGINNING, "the windows of the move date have not passed", _date_passed),
    Rule("not_released", BEGINNING, "the wave is released, by whom and until when", _not_released),
    Rule(
        "upgrade_window",
        UPGRADING,
        "it is the evening of the last working day before, with time to end (U1)",
        _upgrade_window,
        True,
    ),
    Rule(
        "move_window", STARTING | {Step.SWITCH}, "the move's window is open, with time to end (M1)", _move_window, True
    ),
)


def _guarded(case: Case) -> Step:
    """The step whose rules hold: a phase that has not begun is asked for as a whole, by its first changing step."""
    attempt = case.situation.attempt
    begun = case.situation.lease_held or (attempt is not None and attempt.state.is_open)
    if case.step and (begun or case.phase is Phase.ROLLBACK or case.step is not Step.LOOK):
        return case.step
    return Step.LEASE if case.phase is Phase.MIGRATE else Step.STAGE


def reasons_against(case: Case) -> list[Reason]:
    """Why `case.step` may not be taken now; empty when it may. Without a step: why its phase could not begin."""
    ahead = case.step is None
    case = replace(case, step=_guarded(case))
    return [
        reason
        for rule in RULES
        if case.step in rule.steps and not (rule.of_time and ahead)
        for reason in rule.find(case)
    ]
