# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the gate, and what stands against a site in words.

Each rule stands once, with the steps that it guards; what is told of a reason stands in `gate_texts`. A step that only
reads, or that brings a running move to its end, is never stopped by a halt, a missing release or a check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from .days import too_little_in_common
from .gate_texts import REASONS
from .site import Site
from .standing import Standing
from .step import Next, Situation
from .texts import REMEDIES
from .times import format_local
from .verdict import Finding
from .window import Opening
from .words import Step

UPGRADING = frozenset({Step.STAGE, Step.INSTALL})
STARTING = frozenset({Step.LEASE, Step.MANIFEST, Step.START})
BEGINNING = UPGRADING | STARTING
CHANGING = BEGINNING | {Step.CONFIRM, Step.SWITCH, Step.DISCARD, Step.RESTORE}


@dataclass(frozen=True)
class Reason:
    """Why a site may not pass.

    `text` is what stands against it and `do` what operations does about it (both English), `who` has to act (`us`,
    `site` or `vendor`), `remedy` is what the site is told, in its language, also where it need do nothing.
    """

    code: str
    text: str
    do: str
    who: str
    remedy: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a module's result."""
        return asdict(self)


def of_neighbour(reason: Reason, neighbour: Site, site: Site) -> Reason:
    """What stands against `neighbour`, told to `site` on the same server: neither the office nor a letter to it learns
    what another one lacks."""
    return replace(
        reason,
        code="shared_server",
        text=f"site {neighbour.id} on the same server: {reason.text}",
        remedy=REASONS["shared_server"].text(site.language, {}),
    )


@dataclass(frozen=True)
class Case:
    """All that a rule may look at: the situation, what comes next, the step that is asked for (None where nothing is
    due), and the step whose rules hold for it."""

    situation: Situation
    next: Next
    asked: Step | None
    step: Step

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

    def reason(self, code: str, text: str) -> Reason:
        """A reason with all that is told of its code."""
        told = REASONS[code]
        return Reason(code, text, told.do, told.who, told.text(self.site.language, {}))


@dataclass(frozen=True)
class Rule:
    """One rule: `find` yields a reason for each thing that is wrong; `of_time` rules hold only when a step is asked
    for, and not for what is waited for."""

    code: str
    steps: frozenset[Step]
    what: str
    find: Callable[[Case], Iterator[Reason]]
    of_time: bool = False


def _out_of_order(case: Case) -> Iterator[Reason]:
    if case.asked and case.asked is not case.next.step:
        instead = "nothing is to be done"
        if case.next.step:
            instead = f"{case.next.step} comes next"
        elif case.next.at:
            instead = f"nothing is due before {format_local(case.next.at)}"
        yield case.reason("out_of_order", f"it is not the turn of {case.asked}: {instead}")


def _halted(case: Case) -> Iterator[Reason]:
    for scope, why in case.standing.halts.items():
        yield case.reason("halted", f"{'all is' if scope == 'all' else f'wave {scope} is'} halted by {why}")


def _no_wave(case: Case) -> Iterator[Reason]:
    if case.site.wave is None:
        yield case.reason("no_wave", "the site is in no wave, so nobody can release it")


def _not_released(case: Case) -> Iterator[Reason]:
    release = case.standing.release
    if case.site.wave is None:
        return
    if release is None:
        yield case.reason("not_released", f"wave {case.site.wave} is not released: run playbooks/release.yml")
    elif case.now >= release.until:
        text = f"the release of wave {case.site.wave} by {release.name} ended {format_local(release.until)}"
        yield case.reason("not_released", text)


def _mode_not_described(case: Case) -> Iterator[Reason]:
    if case.site.mode not in case.situation.settings.described_modes:
        mode = case.site.mode
        text = f"mode {mode} is not described by the vendor: vendor_contract.config.modes.{mode} is empty"
        yield case.reason("mode_not_described", text)


def _ledger_damaged(case: Case) -> Iterator[Reason]:
    if case.standing.ledger_error:
        yield case.reason("ledger_damaged", case.standing.ledger_error)


def _ledger_missing(case: Case) -> Iterator[Reason]:
    standing = case.standing
    seen = len(standing.ledger.attempts) if standing.ledger else 0
    if not standing.ledger_run or standing.ledger_error:
        return
    if case.situation.ledger_older:
        yield case.reason(
            "ledger_missing", "the ledger tells less of the last attempt than was done: the server was put back"
        )
    for who, known in (("the journal", standing.known_attempts), ("the cloud", standing.cloud_attempts)):
        if seen < known:
            yield case.reason("ledger_missing", f"the ledger on the server knows {seen} attempts, {who} {known}")


def _blockers(case: Case) -> list[Finding]:
    return [finding for finding in case.situation.findings if finding.check.blocks]


def _not_ready(case: Case) -> Iterator[Reason]:
    verdict, blockers = case.situation.verdict, _blockers(case)
    if verdict is None:
        yield case.reason("not_measured", "no preflight yet")
    for finding in blockers:
        check = finding.check
        where = f"{finding.host}: " if finding.host else ""
        remedies = [REMEDIES[code] for code in check.evidence.get("remedies") or ["UNKNOWN"]]
        yield Reason(
            check.id,
            f"{where}{check.told}",
            "; ".join(dict.fromkeys(remedy.do for remedy in remedies)),
            finding.who,
            check.remedy or REMEDIES["UNKNOWN"].text(case.site.language, {}),
        )
    if verdict and verdict.expired and not blockers:
        yield case.reason("preflight_expired", "the server's last preflight is too old to count")


def _not_dated(case: Case) -> Iterator[Reason]:
    missing = [finding.check.id for finding in _blockers(case) if finding.check.id.startswith("P6.")]
    lacking = f"these answers are not there: {', '.join(missing)}"
    if case.site.move_date is None:
        yield case.reason("not_dated", f"no move date; {lacking if missing else 'all answers are there'}")
    elif missing:
        yield case.reason("dated_early", f"the move date {case.site.move_date} is set, but {lacking}")


def _shared_server(case: Case) -> Iterator[Reason]:
    """What the sites of a server must have in common, so that they can be moved together."""
    site, members = case.site, case.situation.all_on_server
    if len(site.group) == 1:
        return
    absent = [other for other in site.group if other not in {member.id for member in members}]
    if absent:
        text = f"{', '.join(absent)} on the same server is not in this run: all of a server move together or not at all"
        yield case.reason("shared_server", text)
    for name, told in (
        ("move dates", {member.id: str(member.move_date or "none") for member in members}),
        ("waves", {member.id: str(member.wave or "none") for member in members}),
        ("months of history", {member.id: str(member.history_months) for member in members}),
    ):
        if len(set(told.values())) > 1:
            each = ", ".join(f"{other} {value}" for other, value in told.items())
            yield case.reason("shared_server", f"the sites of server {site.unit} have different {name}: {each}")
    if not case.situation.settings.moves_several:
        yield case.reason("shared_server", "vendor_contract.migration.arguments names one {site} and not {sites}")
    attempt = case.situation.attempt
    if attempt and attempt.state.is_open and attempt.sites and attempt.sites != site.group:
        text = f"attempt {attempt.number} was opened for {', '.join(attempt.sites)}, on the server are now"
        yield case.reason("shared_server", f"{text} {', '.join(site.group)}")
    day, takes = case.situation.move_date, case.situation.settings.move_takes
    apart = too_little_in_common(members, day, takes) if day and not absent else ""
    if apart and not any(too_little_in_common([member], day, takes) for member in members if day):
        yield case.reason("shared_server", apart)


def _of_the_day(*codes: str) -> Callable[[Case], Iterator[Reason]]:
    """What stands against the move date and has one of these codes; the plan asks the same function."""

    def find(case: Case) -> Iterator[Reason]:
        for obstacle in case.situation.obstacles:
            if obstacle.code in codes:
                yield replace(case.reason(obstacle.code, obstacle.text), who=obstacle.who)

    return find


def _outside(case: Case, opening: Opening | None, name: str) -> Iterator[Reason]:
    takes = case.situation.settings.move_takes
    if case.step in UPGRADING:
        takes = case.situation.settings.upgrade_takes
    elif case.step is Step.SWITCH:
        takes = case.situation.settings.switch_takes
    if opening is None or not opening.contains(case.now):
        when = f"{format_local(opening.start)} to {format_local(opening.end)}" if opening else "not set"
        yield case.reason("outside_window", f"it is {format_local(case.now)}, the {name} window is {when}")
    elif not opening.fits(case.now, takes):
        left = int(opening.remaining(case.now).total_seconds() // 60)
        needs = int(takes.total_seconds() // 60)
        yield case.reason("does_not_fit", f"{case.step} takes {needs} minutes, the {name} window ends in {left}")


def _upgrade_window(case: Case) -> Iterator[Reason]:
    yield from _outside(case, case.situation.upgrade_opening, "upgrade")


def _move_window(case: Case) -> Iterator[Reason]:
    yield from _outside(case, case.situation.move_opening, "move")


def _in_use(case: Case) -> Iterator[Reason]:
    if case.situation.lease_given_up and not case.site.close_agreed:
        yield case.reason("in_use", "somebody was in Interactor until it was too late to wait any longer")


def _point_of_no_return(case: Case) -> Iterator[Reason]:
    attempt = case.situation.attempt
    made = case.situation.made_in_cloud
    if attempt is None or made is None:
        return
    if not made.is_accepted(case.standing.rollback_asked.get(str(attempt.number))):
        what = (
            f"{made.count} made in the cloud since the switch"
            if made.known
            else "the cloud does not say what was made in it"
        )
        text = f"{what}: a rollback would lose it; to do so all the same, say rollback_loses={made.lost}"
        yield case.reason("point_of_no_return", text)


def _rolled_back(case: Case) -> Iterator[Reason]:
    if case.situation.is_rolled_back:
        yield case.reason("rolled_back", f"the move of {case.site.move_date} was rolled back: set a new move date")


def _date_passed(case: Case) -> Iterator[Reason]:
    evening, move = case.situation.upgrade_opening, case.situation.move_opening
    if move and case.now >= move.end:
        yield case.reason("date_passed", f"the window of {case.site.move_date} has passed: set a new move date")
    elif evening and not case.situation.is_upgraded and case.now >= evening.end:
        yield case.reason(
            "upgrade_missed", f"the upgrade evening ended {format_local(evening.end)}: set a new move date"
        )


def _moved_outside(case: Case) -> Iterator[Reason]:
    if case.situation.is_moved_outside:
        yield case.reason("moved_outside", "found in the cloud without an attempt of ours: left alone")


RULES: tuple[Rule, ...] = (
    Rule("out_of_order", frozenset(Step), "it is the one that comes next", _out_of_order),
    Rule(
        "moved_outside", BEGINNING, "a site that is in the cloud without a ledger of ours is left alone", _moved_outside
    ),
    Rule("ledger_damaged", CHANGING, "the ledger on the server can be read", _ledger_damaged),
    Rule(
        "ledger_missing",
        CHANGING,
        "the ledger knows every attempt that journal and cloud know",
        _ledger_missing,
    ),
    Rule("halted", BEGINNING, "neither the wave nor all is halted", _halted),
    Rule(
        "not_ready",
        BEGINNING,
        "preflight says ready: the agreement (P4), the answers (P6), every host and the upgrade (U1)",
        _not_ready,
    ),
    Rule("mode_not_described", BEGINNING, "the vendor has described the mode (M5)", _mode_not_described),
    Rule("no_wave", BEGINNING, "the site is in a wave", _no_wave),
    Rule("not_dated", BEGINNING, "the site has a move date, and all answers are there (P7)", _not_dated),
    Rule("closed", BEGINNING, "the site is open on the move date and on the morning after", _of_the_day("closed")),
    Rule(
        "contact_day_after",
        BEGINNING,
        "the contact can be reached on the morning after, also where that is a day off (P6)",
        _of_the_day("contact_day_after"),
    ),
    Rule("wave_dates", BEGINNING, "the move date is one of the wave's dates", _of_the_day("wave_dates")),
    Rule(
        "freeze",
        BEGINNING,
        "neither wave nor vendor nor health trust has frozen the move date or the evening of the upgrade",
        _of_the_day("freeze"),
    ),
    Rule(
        "no_opening",
        BEGINNING,
        "the windows of site, wave and vendor meet on the move date, long enough for a move (M1)",
        _of_the_day("no_opening", "too_short"),
    ),
    Rule(
        "shared_server",
        BEGINNING | {Step.SWITCH},
        "all sites of its server are in the run, agree in date, wave and history, and have a common opening",
        _shared_server,
    ),
    Rule("rolled_back", BEGINNING, "the move of this date has not been rolled back", _rolled_back),
    Rule("date_passed", BEGINNING, "the windows of the move date have not passed", _date_passed),
    Rule("not_released", BEGINNING, "the wave is released, by whom and until when", _not_released),
    Rule("in_use", frozenset({Step.LEASE}), "people in Interactor have not been waited for too long (M2)", _in_use),
    Rule(
        "point_of_no_return",
        frozenset({Step.RESTORE, Step.DISCARD}),
        "nothing has been made in the cloud, or it is known and said what is lost",
        _point_of_no_return,
    ),
    Rule(
        "upgrade_window",
        frozenset({Step.INSTALL}),
        "it is the evening of the last working day before, with time to end (U1)",
        _upgrade_window,
        True,
    ),
    Rule(
        "move_window", STARTING | {Step.SWITCH}, "the move's window is open, with time to end (M1)", _move_window, True
    ),
)
