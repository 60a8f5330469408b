# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one order of steps: what comes next for a site, and when (U1, M1).

Nothing here asks whether the step is allowed; that is the gate's. Nothing here knows what time it is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from .calendar import Calendar
from .checks import answered
from .ledger import Attempt
from .site import Site
from .standing import Standing
from .verdict import HostMeasurement, Validity, host_verdict
from .window import DEFAULT_UPGRADE_WINDOW, OSLO, Opening, Window, intersection_on
from .words import AttemptState, Category, Phase, Step, Verdict

LOCAL_MODE = "local"


@dataclass(frozen=True)
class Settings:
    """What operations may set; the defaults are those of design and requirements."""

    target_version: str
    described_modes: frozenset[str]
    validity: Validity = field(default_factory=Validity)
    retry: timedelta = timedelta(minutes=15)
    upgrade_window: Window = DEFAULT_UPGRADE_WINDOW
    upgrade_takes: timedelta = timedelta(minutes=30)
    move_takes: timedelta = timedelta(minutes=60)
    switch_takes: timedelta = timedelta(minutes=5)
    switch_tolerates: frozenset[Category] = frozenset({Category.FAVOURITE_PACKAGES})
    morning: time = time(7)


@dataclass(frozen=True)
class Next:
    """The next step and the hosts that it touches; `step` is None while it is waited for, until `at`."""

    phase: Phase | None = None
    step: Step | None = None
    hosts: tuple[str, ...] = ()
    at: datetime | None = None


DONE = Next()


def upgrade_opening(site: Site, calendar: Calendar, settings: Settings) -> Opening | None:
    """The evening of the last working day before the move (U1); None without a move date."""
    if site.move_date is None:
        return None
    return settings.upgrade_window.opening_on(calendar.last_working_day_before(site.move_date))


def move_opening(site: Site) -> Opening | None:
    """When the move may run (M1): site ∩ wave ∩ vendor on the move date; None without a date or a meeting."""
    if site.move_date is None:
        return None
    return intersection_on(site.move_date, site.window, site.wave_window, site.vendor_windows)


def morning_after(opening_end: datetime, calendar: Calendar, settings: Settings) -> datetime:
    """The morning of the next working day after the window ends: the contact is there and the check is made (A2)."""
    ended = opening_end.astimezone(OSLO)
    day = ended.date()
    if ended.time() > settings.morning or not calendar.is_working_day(day):
        day = calendar.next_working_day_after(day)
    return datetime.combine(day, settings.morning, OSLO)


def next_step(
    site: Site,
    standing: Standing,
    calendar: Calendar,
    settings: Settings,
    now: datetime,
    run_id: str,
    force: Collection[Phase] = (),
) -> Next:
    """What comes next for `site`.

    `run_id` is this run's: a ledger read by an earlier run is read again (step look) before anything is changed;
    to follow a running migration is to read it.
    `force` names phases that a person asked for although they are not due: preflight, postcheck.
    """
    if Phase.PREFLIGHT in force:
        return Next(Phase.PREFLIGHT, Step.PROBE, (site.server_host, *site.client_hosts))
    attempt = standing.ledger.last if standing.ledger else None
    if attempt and attempt.state is AttemptState.ROLLED_BACK and str(attempt.number) not in standing.discarded:
        # Only now: the office works again whether or not the cloud answers, and nothing can arrive there any more.
        return Next(Phase.ROLLBACK, Step.DISCARD, (site.server_host,))
    if attempt and attempt.state is not AttemptState.ROLLED_BACK:
        return _step_of_attempt(site, standing, attempt, calendar, settings, now, run_id, force)
    if is_moved_outside(standing):
        return DONE
    due = hosts_to_probe(site, standing, calendar, settings, now)
    if due:
        return Next(Phase.PREFLIGHT, Step.PROBE, due)
    if site.move_date is None or not answered(site):
        return DONE
    return _step_towards_move(site, standing, calendar, settings, now, run_id)


def is_moved_outside(standing: Standing) -> bool:
    """Whether the site was found in the cloud without an attempt of ours: it is left alone."""
    return standing.mode not in (None, LOCAL_MODE) and not standing.known_attempts


def _step_of_attempt(
    site: Site,
    standing: Standing,
    attempt: Attempt,
    calendar: Calendar,
    settings: Settings,
    now: datetime,
    run_id: str,
    force: Collection[Phase],
) -> Next:
    server = (site.server_host,)
    number = str(attempt.number)
    fresh = standing.ledger_run == run_id
    opening = move_opening(site)
    if attempt.state is AttemptState.SWITCHED and number not in standing.rollback_asked:
        if standing.ledger and standing.ledger.lease_held:
            return Next(Phase.MIGRATE, Step.HANDBACK if fresh else Step.LOOK, server)
        due = morning_after(max(attempt.switched or now, opening.end if opening else now), calendar, settings)
        if Phase.POSTCHECK in force:
            return Next(Phase.POSTCHECK, Step.CHECK, server)
        if number in standing.checked:
            return DONE
        return Next(Phase.POSTCHECK, Step.CHECK if now >= due else None, server, due)
    if must_roll_back(site, standing, attempt, settings, now):
        return Next(Phase.ROLLBACK, Step.RESTORE if fresh else Step.LOOK, server)
    if not fresh and attempt.state is not AttemptState.RUNNING:
        return Next(Phase.MIGRATE, Step.LOOK, server)
    step = {
        AttemptState.PREPARED: Step.START,
        AttemptState.RUNNING: Step.FOLLOW,
        AttemptState.COMPLETED: Step.SWITCH if number in standing.reconciled else Step.RECONCILE,
    }[attempt.state]
    return Next(Phase.MIGRATE, step, server)


def must_roll_back(site: Site, standing: Standing, attempt: Attempt, settings: Settings, now: datetime) -> bool:
    """Whether an attempt has to be undone.

    It failed, somebody asked for it, more is missing in the cloud than a switch may tolerate, or it stands unswitched
    when its window has ended, finished or not: the office needs Interactor in the morning, and orders that it makes
    locally would be missing in the cloud.
    """
    number = str(attempt.number)
    if attempt.state is AttemptState.FAILED or number in standing.rollback_asked:
        return True
    if not attempt.state.is_open:
        return False
    opening = move_opening(site)
    if opening is None or not opening.contains(now):
        return True
    reconciliation = standing.reconciled.get(number)
    return reconciliation is not None and any(
        difference.category not in settings.switch_tolerates for difference in reconciliation.differences
    )


def _step_towards_move(
    site: Site, standing: Standing, calendar: Calendar, settings: Settings, now: datetime, run_id: str
) -> Next:
    server = (site.server_host,)
    ledger = standing.ledger
    fresh = standing.ledger_run == run_id
    move = move_opening(site)
    if move is None:
        return DONE
    if ledger and ledger.last and ledger.last.ended and ledger.last.ended >= move.start:
        return DONE
    if standing.version == settings.target_version:
        if now < move.start:
            return Next(Phase.MIGRATE, None, server, move.start)
        held = ledger is not None and ledger.lease_held
        if not move.contains(now):
            return Next(Phase.MIGRATE, Step.HANDBACK if fresh else Step.LOOK, server) if held else DONE
        if not fresh:
            return Next(Phase.MIGRATE, Step.LOOK, server)
        return Next(Phase.MIGRATE, Step.MANIFEST if held else Step.LEASE, server)
    evening = upgrade_opening(site, calendar, settings)
    if evening is None or now >= evening.end:
        return DONE
    if now < evening.start:
        return Next(Phase.UPGRADE, None, server, evening.start)
    if not fresh:
        return Next(Phase.UPGRADE, Step.LOOK, server)
    upgrade = ledger.upgrade if ledger else None
    if upgrade and upgrade.to == settings.target_version and upgrade.state == "failed":
        return DONE
    staged = upgrade is not None and upgrade.to == settings.target_version and upgrade.state == "staged"
    return Next(Phase.UPGRADE, Step.INSTALL if staged else Step.STAGE, server)


def hosts_to_probe(
    site: Site, standing: Standing, calendar: Calendar, settings: Settings, now: datetime
) -> tuple[str, ...]:
    """The hosts whose last measurement is too old to count, or whose failure is worth another look now.

    Inside the window of a step a host that was not found ready is asked again every `retry`, outside it once a day.
    """
    latest: dict[str, HostMeasurement] = {}
    reached: dict[str, HostMeasurement] = {}
    for measurement in standing.measurements:
        latest[measurement.host] = measurement
        if measurement.reached and not measurement.error:
            reached[measurement.host] = measurement
    evening, move = upgrade_opening(site, calendar, settings), move_opening(site)
    in_window = any(opening is not None and opening.contains(now) for opening in (evening, move))

    def is_due(host: str, validity: timedelta) -> bool:
        last, good = latest.get(host), reached.get(host)
        if last is None:
            return True
        if good is last:
            if now - last.at >= validity:
                return True
            return (
                in_window
                and host_verdict(last.reached, last.error, last.checks) is not Verdict.READY
                and now - last.at >= settings.retry
            )
        patience = settings.retry if in_window else settings.validity.server
        return now - last.at >= patience and (good is None or now - good.at >= validity)

    server = [site.server_host] if is_due(site.server_host, settings.validity.server) else []
    return (*server, *(host for host in site.client_hosts if is_due(host, settings.validity.client)))
