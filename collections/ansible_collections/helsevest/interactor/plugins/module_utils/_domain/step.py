# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one order of steps: what comes next for a site, and when (U1, M1).

Nothing here asks whether the step is allowed; that is the gate's. Nothing here knows what time it is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property

from .calendar import Calendar
from .checks import judge_register
from .days import Obstacle, common_opening, obstacles
from .ledger import Attempt, Ledger, Upgrade
from .results import CheckResult, apply_waivers
from .site import Site
from .standing import Made, Standing, Users
from .upgrade import has_failed, is_new_enough, judge_upgrade
from .verdict import (
    ClientResult,
    Finding,
    HostMeasurement,
    SiteVerdict,
    Validity,
    client_result,
    findings_of,
    host_verdict,
    site_verdict,
)
from .window import DEFAULT_UPGRADE_WINDOW, MORNING, OSLO, Opening, Window
from .words import AttemptState, Category, Origin, Phase, Step, Verdict

LOCAL_MODE = "local"
_BEFORE_ATTEMPT = frozenset({Step.CLOUD, Step.USERS, Step.MANIFEST})


@dataclass(frozen=True)
class Settings:
    """What operations may set; the defaults are those of design and requirements.

    `moves_several` is whether the vendor's migration program is told of all sites on a server at once.
    """

    target_version: str
    described_modes: frozenset[str]
    validity: Validity = field(default_factory=Validity)
    retry: timedelta = timedelta(minutes=15)
    upgrade_window: Window = DEFAULT_UPGRADE_WINDOW
    upgrade_takes: timedelta = timedelta(minutes=30)
    move_takes: timedelta = timedelta(minutes=60)
    switch_takes: timedelta = timedelta(minutes=5)
    stage_ahead: timedelta = timedelta(days=3)
    stage_retry: timedelta = timedelta(hours=6)
    confirm_retry: timedelta = timedelta(hours=1)
    lease_wait: timedelta = timedelta(hours=4)
    switch_tolerates: frozenset[Category] = frozenset({Category.FAVOURITE_PACKAGES})
    morning: time = MORNING
    moves_several: bool = True


@dataclass(frozen=True)
class Situation:
    """Everything that a decision about one site rests on.

    `run_id` is this run's: a ledger read by an earlier run is read again before anything is changed. `members` are the
    sites on the same server that are in this run, itself among them; none for a site that shares no server.
    """

    site: Site
    standing: Standing
    calendar: Calendar
    settings: Settings
    now: datetime
    run_id: str
    members: tuple[Site, ...] = ()

    @property
    def all_on_server(self) -> tuple[Site, ...]:
        """The sites on its server that are in this run, itself among them."""
        return self.members or (self.site,)

    @property
    def move_date(self) -> date | None:
        """The date on which all sites on its server move; None where they have none, or not the same."""
        days = {site.move_date for site in self.all_on_server}
        return days.pop() if len(days) == 1 else None

    @cached_property
    def verdict(self) -> SiteVerdict | None:
        """What preflight says of the site; None before its server was measured."""
        found, validity = self.standing.measurements, self.settings.validity
        return site_verdict(self.site, found, self._checks, self.now, validity, self.clients)

    @cached_property
    def clients(self) -> tuple[ClientResult, ...]:
        """What counts of each client, in the order of the register."""
        found: dict[str, list[HostMeasurement]] = {host: [] for host in self.site.client_hosts}
        for measurement in self.standing.measurements:
            if measurement.host in found:
                found[measurement.host].append(measurement)
        validity = self.settings.validity
        return tuple(client_result(self.site, host, of, self.now, validity) for host, of in found.items())

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """All open checks; before the server was measured those of the register."""
        return self.verdict.findings if self.verdict else tuple(findings_of(self._checks))

    @property
    def _checks(self) -> list[CheckResult]:
        """What no host has to be measured for: the register's checks, and how the upgrade ended."""
        upgrade = judge_upgrade(self.site, self.upgrade, self.upgrade_failed)
        return [*judge_register(self.site, self.now), *apply_waivers(upgrade, self.site, self.now)]

    @cached_property
    def obstacles(self) -> tuple[Obstacle, ...]:
        """Every reason why the site cannot be moved on its move date; none without a date."""
        day, takes = self.site.move_date, self.settings.move_takes
        return () if day is None else obstacles(self.site, day, self.calendar, takes=takes, upgraded=self.is_upgraded)

    @property
    def ledger(self) -> Ledger | None:
        """The server's ledger as it was last read."""
        return self.standing.ledger

    @property
    def attempt(self) -> Attempt | None:
        """The newest attempt, or None before the first."""
        return self.ledger.last if self.ledger else None

    @property
    def lease_held(self) -> bool:
        """Whether people are kept out of Interactor."""
        return self.ledger is not None and self.ledger.lease_held

    @property
    def is_fresh(self) -> bool:
        """Whether this run has read the ledger."""
        return self.standing.ledger_run == self.run_id

    @property
    def ledger_doubtful(self) -> bool:
        """Whether the ledger as it was last read cannot be true: it is damaged, or lacks attempts that are known.

        It may be a reading that another run recorded late, so that it is read again before anything is said of it.
        """
        standing = self.standing
        attempts = len(standing.ledger.attempts) if standing.ledger else 0
        lacking = attempts < max(standing.known_attempts, standing.cloud_attempts)
        return standing.ledger_run is not None and (standing.ledger_error is not None or lacking or self.ledger_older)

    @property
    def ledger_older(self) -> bool:
        """Whether the ledger tells less of its last attempt than is on record: an image put the server back."""
        attempt, standing = self.attempt, self.standing
        if attempt is None:
            return False
        number = str(attempt.number)
        if number in standing.discarded:
            return attempt.state is not AttemptState.ROLLED_BACK
        return number in standing.switched and attempt.state not in (AttemptState.SWITCHED, AttemptState.ROLLED_BACK)

    @property
    def is_upgraded(self) -> bool:
        """Whether the version that is wanted or a newer one runs, and nothing of its installation is left to be
        proven (U1).
        """
        unproven = self.upgrade is not None and self.upgrade.is_unproven
        return is_new_enough(self.standing.version, self.settings.target_version) and not unproven

    @property
    def upgrade(self) -> Upgrade | None:
        """What the ledger says of the upgrade to the version that is wanted now, or of any that is not proven."""
        upgrade = self.ledger.upgrade if self.ledger else None
        wanted = upgrade is not None and upgrade.to == self.settings.target_version
        return upgrade if upgrade and (wanted or upgrade.is_unproven) else None

    @property
    def upgrade_failed(self) -> bool:
        """Whether the upgrade failed, and no other evening or time that somebody allowed has begun since."""
        return has_failed(self.upgrade, self.upgrade_opening)

    @property
    def lease_lost(self) -> bool:
        """Whether the server itself has let people in again: orders may have been made since."""
        return self.ledger is not None and self.ledger.lease_lost

    @property
    def lease_to_return(self) -> bool:
        """Whether the ledger has a lease, also one that it still has after the server let people in again.

        A ledger that keeps a lost lease would refuse the next upgrade.
        """
        return self.lease_held or self.lease_lost

    @property
    def cloud_asked(self) -> bool:
        """Whether this run has asked the cloud what it knows of the site."""
        return self.standing.cloud_run == self.run_id

    @property
    def users_asked(self) -> bool:
        """Whether this run has asked every client whether Interactor is in use there, of all sites on the server."""
        users, hosts = self.standing.users, [host for site in self.all_on_server for host in site.client_hosts]
        return all(host in users and users[host].run_id == self.run_id for host in hosts)

    @property
    def in_use(self) -> bool:
        """Whether this run has met somebody in Interactor, on the server or on a client (M2)."""
        return any(users.active and users.run_id == self.run_id for users in self.standing.users.values())

    @property
    def lease_limit(self) -> datetime | None:
        """Until when people in Interactor are waited for (M2); where it may be closed then, a move still has to fit."""
        move, settings = self.move_opening, self.settings
        if move is None:
            return None
        ticks = 2 * settings.retry if self.site.close_agreed else timedelta(0)
        return min(move.start + settings.lease_wait, move.end - settings.move_takes - ticks)

    @property
    def _met(self) -> tuple[Users, ...]:
        """What the hosts told of their users in this window, where people have been waited for long enough."""
        move, limit = self.move_opening, self.lease_limit
        if move is None or limit is None or self.now < limit:
            return ()
        return tuple(users for users in self.standing.users.values() if users.at >= move.start)

    @property
    def lease_given_up(self) -> bool:
        """Whether people have been waited for long enough in this window, and the last run still met some."""
        newest = max(self._met, key=lambda users: users.at, default=None)
        return newest is not None and any(users.active and users.run_id == newest.run_id for users in self._met)

    @property
    def may_close(self) -> bool:
        """Whether Interactor may be closed for who is in it: the site agrees, and they were warned in this window."""
        return self.site.close_agreed and any(users.active for users in self._met)

    @property
    def attempt_stands(self) -> bool:
        """Whether the newest attempt is on its way or has brought the site into the cloud."""
        return self.attempt is not None and self.attempt.state is not AttemptState.ROLLED_BACK

    @property
    def may_be_switched(self) -> bool:
        """Whether people may have worked in the cloud: the site was switched, or a switch that nobody brought to its
        end has left a configuration that does not name the server.

        A server that goes down in the middle of a switch lets people in when it starts again, and nobody records it.
        """
        attempt = self.attempt
        if attempt is None:
            return False
        begun = attempt.state.is_open and attempt.switching is not None and self.standing.mode != LOCAL_MODE
        return begun or attempt.state is AttemptState.SWITCHED

    @property
    def made_in_cloud(self) -> Made | None:
        """What the cloud told that people have made in it, where to undo the attempt would lose it."""
        attempt = self.attempt
        if attempt is None:
            return None
        number = str(attempt.number)
        kept = attempt.state is AttemptState.ROLLED_BACK and number not in self.standing.discarded
        return self.standing.made.get(number) if kept or self.may_be_switched else None

    @property
    def is_uncompared(self) -> bool:
        """Whether the site was switched without this journal: by another controller, or before it was restored.

        Ledger and cloud still know: the comparison is made anew.
        """
        if self.attempt is None or self.attempt.state is not AttemptState.SWITCHED:
            return False
        return str(self.attempt.number) not in self.standing.reconciled

    @property
    def is_moved_outside(self) -> bool:
        """Whether the site was found in the cloud without an attempt of ours: it is left alone."""
        return self.standing.mode not in (None, LOCAL_MODE) and not self.standing.known_attempts

    @cached_property
    def upgrade_opening(self) -> Opening | None:
        """The evening of the last working day before the move (U1), or the time that somebody allowed instead, at most
        until the move's window opens.

        None without a move date.
        """
        day, override = self.move_date, self.standing.override
        if override and day is not None:
            move = self.move_opening
            until = min(override.until, move.start) if move else override.until
            if override.at <= self.now < until:
                return Opening(override.at, until)
        return (
            None if day is None else self.settings.upgrade_window.opening_on(self.calendar.last_working_day_before(day))
        )

    @cached_property
    def move_opening(self) -> Opening | None:
        """When the move may run (M1): site ∩ wave ∩ vendor on the move date, of all sites on the server.

        None without a date or a common time.
        """
        day = self.move_date
        return None if day is None else common_opening(self.all_on_server, day)

    @property
    def is_rolled_back(self) -> bool:
        """Whether the move of this date was begun and undone: it is not tried again before another date is set."""
        move, ended = self.move_opening, self.attempt.ended if self.attempt else None
        return move is not None and ended is not None and ended >= move.start

    @property
    def in_window(self) -> bool:
        """Whether it is the upgrade's evening or the move's window."""
        openings = (self.upgrade_opening, self.move_opening)
        return any(opening is not None and opening.contains(self.now) for opening in openings)

    @property
    def check_due(self) -> datetime:
        """The morning of the next working day after the window ends: the contact is there, the check is made (A2)."""
        ends = [self.move_opening.end] if self.move_opening else []
        switched = self.attempt.switched if self.attempt else None
        return self._morning_after(max([switched or self.now, *ends]))

    @property
    def is_checked(self) -> bool:
        """Whether the check after the move was made: one in the evening of the move is not the morning's.

        By when the site was switched, for its date may have been changed since.
        """
        attempt = self.attempt
        checked = self.standing.checked.get(str(attempt.number)) if attempt else None
        if attempt is None or checked is None:
            return False
        return attempt.switched is None or checked.at >= self._morning_after(attempt.switched)

    def _morning_after(self, moment: datetime) -> datetime:
        ended = moment.astimezone(OSLO)
        day = ended.date()
        if ended.time() > self.settings.morning or not self.calendar.is_working_day(day):
            day = self.calendar.next_working_day_after(day)
        return datetime.combine(day, self.settings.morning, OSLO)

    def keeps_out_for_nothing(self, following: Next) -> bool:
        """Whether people are kept out for a move that has not begun, `following` being on the way to it."""
        return self.lease_held and not self.attempt_stands and following.step in _BEFORE_ATTEMPT


@dataclass(frozen=True)
class Next:
    """The next step and the hosts that it touches; `step` is None while it is waited for, until `at`."""

    phase: Phase | None = None
    step: Step | None = None
    hosts: tuple[str, ...] = ()
    at: datetime | None = None


DONE = Next()


def next_step(situation: Situation, force: Collection[Phase] = ()) -> Next:
    """What comes next for a site; `force` names phases that a person asked for although they are not due.

    A site that moves with another on its server takes no steps of its own but those of preflight.
    """
    following = _next_on_server(situation, force)
    if situation.site.leads or following.phase is Phase.PREFLIGHT:
        return following
    return Next(at=following.at)


def _next_on_server(situation: Situation, force: Collection[Phase]) -> Next:
    site, attempt = situation.site, situation.attempt
    if Phase.PREFLIGHT in force:
        return Next(Phase.PREFLIGHT, Step.PROBE, (site.server_host, *site.client_hosts))
    if situation.ledger_doubtful and not situation.is_fresh:
        # A run checks hosts before it looks, and does not go back: who only ever looked would never be measured again.
        due = hosts_to_probe(situation)
        return Next(Phase.PREFLIGHT, Step.PROBE, due) if due else Next(Phase.MIGRATE, Step.LOOK, (site.server_host,))
    if attempt and attempt.state is AttemptState.ROLLED_BACK:
        if str(attempt.number) not in situation.standing.discarded:
            # Only now: the office works again whether or not the cloud answers, and nothing can arrive there any more.
            # Where that was refused, it is asked anew what is lost with the copy.
            made, last = situation.standing.made.get(str(attempt.number)), situation.standing.last_step
            refused = last is not None and last.step is Step.DISCARD and not last.ok
            again = refused and made is not None and made.run_id != situation.run_id
            return Next(Phase.ROLLBACK, Step.MADE if again else Step.DISCARD, (site.server_host,))
    elif attempt:
        return _step_of_attempt(situation, attempt, force)
    if situation.is_moved_outside:
        return DONE
    due = hosts_to_probe(situation)
    if due:
        return Next(Phase.PREFLIGHT, Step.PROBE, due)
    move = situation.move_opening
    if situation.lease_to_return and not (move and move.contains(situation.now)):
        # No attempt is open, and none begins now: also where the date was changed in the middle of the night.
        return Next(Phase.MIGRATE, Step.HANDBACK if situation.is_fresh else Step.LOOK, (site.server_host,))
    if situation.move_date is None:
        return DONE
    return _step_towards_move(situation)


def _step_of_attempt(situation: Situation, attempt: Attempt, force: Collection[Phase]) -> Next:
    standing, number = situation.standing, str(attempt.number)
    server = (situation.site.server_host,)
    if must_roll_back(situation, attempt):
        if not situation.is_fresh:
            return Next(Phase.ROLLBACK, Step.LOOK, server)
        made = standing.made.get(number)
        # Until the switch nobody can have made anything in the cloud.
        asked = not situation.may_be_switched or (made is not None and made.run_id == situation.run_id)
        return Next(Phase.ROLLBACK, Step.RESTORE if asked else Step.MADE, server)
    if attempt.state is AttemptState.SWITCHED:
        if situation.lease_to_return:
            return Next(Phase.MIGRATE, Step.HANDBACK if situation.is_fresh else Step.LOOK, server)
        if situation.is_uncompared:
            return Next(Phase.MIGRATE, Step.RECONCILE, server)
        if Phase.POSTCHECK in force:
            return Next(Phase.POSTCHECK, Step.CHECK, server)
        if situation.is_checked:
            return DONE
        due = situation.check_due
        return Next(Phase.POSTCHECK, Step.CHECK if situation.now >= due else None, server, due)
    stale = hosts_to_probe(situation) if attempt.state is AttemptState.PREPARED else ()
    if stale:
        # It is started only where every host is ready, and what was measured has become too old meanwhile.
        return Next(Phase.PREFLIGHT, Step.PROBE, stale)
    # To follow a running migration is to read the ledger, unless it was refused: then there is another attempt.
    last = standing.last_step
    follows = attempt.state is AttemptState.RUNNING and not (last and last.step is Step.FOLLOW and not last.ok)
    if not situation.is_fresh and not follows:
        return Next(Phase.MIGRATE, Step.LOOK, server)
    step = {
        AttemptState.PREPARED: Step.START,
        AttemptState.RUNNING: Step.FOLLOW,
        AttemptState.COMPLETED: Step.SWITCH if number in standing.reconciled else Step.RECONCILE,
    }[attempt.state]
    return Next(Phase.MIGRATE, step, server)


def must_roll_back(situation: Situation, attempt: Attempt) -> bool:
    """Whether an attempt has to be undone.

    It failed, somebody asked for it, more differs in the cloud than a switch may tolerate, the server has let people
    in again, a halt came before the migration was started, or it stands unswitched when its window has ended, finished
    or not: the office needs Interactor in the morning, and orders that it makes locally would be missing in the cloud.
    """
    number = str(attempt.number)
    if attempt.state is AttemptState.FAILED or _is_asked_for(situation, attempt):
        return True
    if not attempt.state.is_open:
        return False
    opening = situation.move_opening
    if opening is None or not opening.contains(situation.now) or situation.lease_lost:
        return True
    if attempt.state is AttemptState.PREPARED and situation.standing.halts:
        return True
    reconciliation = situation.standing.reconciled.get(number)
    return reconciliation is not None and any(
        difference.outside or difference.category not in situation.settings.switch_tolerates
        for difference in reconciliation.differences
    )


def _is_asked_for(situation: Situation, attempt: Attempt) -> bool:
    """Whether somebody's wish to roll back stands: one that an earlier run refused has lapsed (point of no return).

    Otherwise the tick would go on asking for the person, and a site that stays in the cloud would never be checked.
    """
    standing, number = situation.standing, str(attempt.number)
    asked, made = standing.rollback_asked.get(number), standing.made.get(number)
    if asked is None:
        return False
    answered = made is not None and situation.run_id not in (made.run_id, asked.run_id)
    refused = situation.may_be_switched and made is not None and not made.is_accepted(asked)
    return not (answered and refused)


def _step_towards_move(situation: Situation) -> Next:
    server = (situation.site.server_host,)
    move, now = situation.move_opening, situation.now
    if move is None or situation.is_rolled_back:
        return DONE
    if not situation.is_upgraded:
        return _step_of_upgrade(situation)
    if now < move.start:
        return Next(Phase.MIGRATE, None, server, move.start)
    if not move.contains(now):
        return DONE
    if not situation.is_fresh:
        return Next(Phase.MIGRATE, Step.LOOK, server)
    step = _step_before_attempt(situation)
    return Next(Phase.MIGRATE, step, server, None if step else now + situation.settings.retry)


def _step_before_attempt(situation: Situation) -> Step | None:
    """From the open window to the attempt: first nobody new gets in, then it is seen that nobody is in (M2).

    None where this run has met somebody everywhere it could, and warned them: the next one asks again.
    """
    last = situation.standing.last_step
    # Where the line broke, the attempt may have been opened all the same.
    broke = last is not None and last.refused_in(situation.run_id) and last.step in _BEFORE_ATTEMPT
    if situation.lease_held and (situation.standing.halts or broke):
        # Nobody is kept out for as long as a halt stands, nor until the next tick where this one cannot begin.
        return Step.HANDBACK
    if not situation.cloud_asked:
        return Step.CLOUD
    if not situation.lease_held:
        if not situation.in_use:
            return Step.LEASE
        # Who holds the server's files open sits at a PC, and has to be warned there.
        return None if situation.users_asked else Step.USERS
    if not situation.users_asked:
        return Step.USERS
    return Step.HANDBACK if situation.in_use else Step.MANIFEST


def _step_of_upgrade(situation: Situation) -> Next:
    server = (situation.site.server_host,)
    evening, upgrade, now = situation.upgrade_opening, situation.upgrade, situation.now
    settings = situation.settings
    if upgrade and upgrade.is_unproven:
        return _again(situation, Step.CONFIRM, settings.retry if situation.in_window else settings.confirm_retry)
    if evening is None or now >= evening.end or situation.upgrade_failed:
        return DONE
    staged = upgrade is not None and upgrade.state == "staged"
    if now < evening.start:
        stages = evening.start - settings.stage_ahead
        if staged or now < stages:
            return Next(Phase.UPGRADE, None, server, evening.start if staged else stages)
        again = _again(situation, Step.STAGE, settings.stage_retry)
        # In its evening it is tried at once.
        return replace(again, at=min(again.at, evening.start)) if again.at else again
    if not situation.is_fresh:
        return Next(Phase.UPGRADE, Step.LOOK, server)
    return Next(Phase.UPGRADE, Step.INSTALL if staged else Step.STAGE, server)


def _again(situation: Situation, step: Step, pause: timedelta) -> Next:
    """A step of the upgrade for which there is time: not before `pause` has gone by since it failed or had to wait."""
    server, last = (situation.site.server_host,), situation.standing.last_step
    if last and last.step is step and (not last.ok or step is Step.CONFIRM) and situation.now < last.at + pause:
        return Next(Phase.UPGRADE, None, server, last.at + pause)
    return Next(Phase.UPGRADE, step if situation.is_fresh else Step.LOOK, server)


def hosts_to_probe(situation: Situation) -> tuple[str, ...]:
    """The hosts whose last measurement is too old to count, or whose failure is worth another look now.

    Inside the window of a step a host that was not found ready is asked again every `retry`, outside it once a day. So
    is a PC that we do not reach and its office vouches for. A self-check that was made after a measured failure is a
    reason to look again.
    """
    site, settings, now, in_window = situation.site, situation.settings, situation.now, situation.in_window
    latest: dict[str, HostMeasurement] = {}
    reached: dict[str, HostMeasurement] = {}
    checked = {m.host: m.at for m in situation.standing.measurements if m.origin == Origin.SELF_CHECKED}
    for measurement in situation.standing.measurements:
        if measurement.origin != Origin.MEASURED:
            continue
        latest[measurement.host] = measurement
        if measurement.reached and not measurement.error:
            reached[measurement.host] = measurement

    def is_vouched_for(host: str) -> bool:
        found = (client for client in situation.clients if client.host == host)
        return any(client.origin and client.verdict is Verdict.READY for client in found)

    def is_due(host: str, validity: timedelta) -> bool:
        last, good = latest.get(host), reached.get(host)
        if last is None:
            return True
        if good is last:
            if now - last.at >= validity:
                return True
            again = checked.get(host, last.at) > last.at or (in_window and now - last.at >= settings.retry)
            return again and host_verdict(last.reached, last.error, last.checks) is not Verdict.READY
        patience = settings.retry if in_window and not is_vouched_for(host) else settings.validity.server
        return now - last.at >= patience and (good is None or now - good.at >= validity)

    server = [site.server_host] if is_due(site.server_host, settings.validity.server) else []
    return (*server, *(host for host in site.client_hosts if is_due(host, settings.validity.client)))
