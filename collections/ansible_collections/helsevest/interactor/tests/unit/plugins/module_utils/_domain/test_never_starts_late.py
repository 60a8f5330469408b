# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A step never starts that cannot end inside (M1, U1): the gate as a whole against wall_clock, on any night."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.calendar import Calendar
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.decision import Decision, decide
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.ledger import Attempt, Ledger, Upgrade
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.reconcile import Reconciliation
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.reconcile import reconcile as compared
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Freeze, Site, Span
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import Release, Standing, Users
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.step import Settings, Situation
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.verdict import HostMeasurement
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import (
    DEFAULT_UPGRADE_WINDOW,
    EVERY_DAY,
    Window,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import AttemptState, Step
from ansible_collections.helsevest.interactor.tests.unit.plugins.module_utils._domain.conftest import SITE
from ansible_collections.helsevest.interactor.tests.unit.plugins.module_utils._domain.wall_clock import (
    DAY,
    MINUTE,
    Stretch,
    any_day,
    any_time,
    common_stretch,
    open_minutes,
    runs,
    small_hours,
)
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

RUN = "run-1"
ENTRY = {"count": 3, "hash": "0" * 64, "first": "2027-05-18", "last": "2027-05-18"}
MANIFEST = dict.fromkeys(("orders", "started_requisitions", "favourite_packages"), ENTRY)


def reconcile(before: dict[str, Any], after: dict[str, Any]) -> Reconciliation:
    """Two manifests of one night."""
    return compared(before, after, date(2027, 5, 18), 12)


OFFICE = replace(
    SITE,
    contact={"name": "K", "email": "k@prove.example", "phone": "55 00 00 00", "weekends": True},
    urls_confirmed=date(2027, 1, 4),
    proxy_confirmed=date(2027, 1, 4),
)
UPGRADE = frozenset({Step.INSTALL})
TIMED = UPGRADE | {Step.LEASE, Step.MANIFEST, Step.START, Step.SWITCH}


def standing(step: Step, now: datetime) -> Standing:
    """Where a site stands for which `step` comes next, with nothing against it but the time."""

    def attempt(state: AttemptState) -> Ledger:
        return Ledger("1001", lease_held=True, attempts=(Attempt(1, "1001-1-k", state, before=MANIFEST),))

    ledger = {
        Step.INSTALL: Ledger("1001", upgrade=Upgrade("staged", "6.2.0", None, "1603")),
        Step.LEASE: None,
        Step.MANIFEST: Ledger("1001", lease_held=True),
        Step.START: attempt(AttemptState.PREPARED),
        Step.SWITCH: attempt(AttemptState.COMPLETED),
    }[step]
    return Standing(
        measurements=tuple(
            HostMeasurement(
                host=host, role=role, origin="measured", at=now - MINUTE, reached=True, error=None, checks=()
            )
            for host, role in (("1001-server", "server"), ("1001-pc1", "client"), ("1001-pc2", "client"))
        ),
        version="5.4.1" if step in UPGRADE else "6.2.0",
        mode="local",
        ledger=ledger,
        ledger_run=RUN,
        cloud_run=RUN,
        users={host: Users(now, RUN, True, False) for host in ("1001-pc1", "1001-pc2")},
        release=Release("Kari", now + DAY),
        known_attempts=len(ledger.attempts) if ledger else 0,
        reconciled={"1": reconcile(MANIFEST, MANIFEST)} if step is Step.SWITCH else {},
    )


def answer(step: Step, site: Site, chosen: Settings, now: datetime) -> Decision:
    return decide(Situation(site, standing(step, now), Calendar(frozenset()), chosen, now, RUN))


def stretch_for(step: Step, site: Site, chosen: Settings) -> Stretch | None:
    """When the step may run, by the clocks."""
    assert site.move_date
    if step not in UPGRADE:
        frozen = any(site.move_date + DAY in freeze.days for freeze in site.freezes)
        return common_stretch(site.window, site.wave_window, site.vendor_windows, site.move_date, by_midnight=frozen)
    evening = site.move_date - DAY
    while evening.isoweekday() > 5:
        evening -= DAY
    return next(iter(runs(open_minutes(chosen.upgrade_window, evening))), None)


def takes(step: Step, chosen: Settings) -> timedelta:
    if step in UPGRADE:
        return chosen.upgrade_takes
    return chosen.switch_takes if step is Step.SWITCH else chosen.move_takes


def durations(**takes: timedelta) -> Settings:
    return Settings(target_version="6.2.0", described_modes=frozenset({"local", "server_in_cloud"}), **takes)


times = st.lists(any_time | small_hours, min_size=2, max_size=2, unique=True)
every_night = times.map(lambda pair: Window(EVERY_DAY, *pair))
minutes = st.integers(1, 12 * 60).map(lambda number: number * MINUTE)


@settings(deadline=None, max_examples=300, database=None)
@given(
    step=st.sampled_from(sorted(TIMED)),
    day=any_day,
    site_window=every_night,
    wave_window=every_night | st.none(),
    vendor_windows=st.lists(every_night, max_size=2).map(tuple),
    upgrade_window=every_night | st.just(DEFAULT_UPGRADE_WINDOW),
    lengths=st.tuples(minutes, minutes, minutes),
    # Around the last moment at which the step fits, or anywhere from an hour before to an hour after the opening.
    late=st.integers(-3, 3) | st.none(),
    frozen_after=st.booleans(),
    seconds=st.integers(-3600, 27 * 3600),
)
def test_a_step_that_is_allowed_ends_inside(
    step: Step,
    day: date,
    site_window: Window,
    wave_window: Window | None,
    vendor_windows: tuple[Window, ...],
    upgrade_window: Window,
    lengths: tuple[timedelta, timedelta, timedelta],
    late: int | None,
    frozen_after: bool,
    seconds: int,
):
    chosen = replace(
        durations(upgrade_takes=lengths[0], move_takes=lengths[1], switch_takes=lengths[2]),
        upgrade_window=upgrade_window,
    )
    site = replace(OFFICE, move_date=day, window=site_window, wave_window=wave_window, vendor_windows=vendor_windows)
    if frozen_after:
        site = replace(site, freezes=(Freeze(Span(day + DAY, day + DAY), "release", "vendor"),))
    stretch = stretch_for(step, site, chosen)
    assume(stretch is not None)
    assert stretch
    now = stretch.start + timedelta(seconds=seconds)
    if late is not None:
        now = stretch.end - takes(step, chosen) + timedelta(seconds=late)
    decision = answer(step, site, chosen, now)
    begins = decision.allowed and decision.next.step in TIMED
    event(f"begins: {begins}")
    if begins:
        assert decision.next.step
        allowed = stretch_for(decision.next.step, site, chosen)
        assert allowed
        assert allowed.holds(now, takes(decision.next.step, chosen))


NIGHTS = [
    # The window is 20:00 to 06:00; its end in UTC on a common night, in spring and in autumn; upgrades are on workdays.
    (date(2027, 5, 18), "2027-05-19T04:00", TIMED),
    (date(2027, 3, 27), "2027-03-28T04:00", TIMED - UPGRADE),
    (date(2027, 10, 30), "2027-10-31T05:00", TIMED - UPGRADE),
]


@pytest.mark.parametrize(("day", "end", "step"), [(*night[:2], step) for night in NIGHTS for step in sorted(night[2])])
def test_the_last_second_at_which_a_step_may_begin(day: date, end: str, step: Step):
    hours = timedelta(hours=8)
    chosen = replace(
        durations(upgrade_takes=hours, move_takes=hours, switch_takes=hours),
        upgrade_window=Window(EVERY_DAY, time(20), time(6)),
    )
    site = replace(OFFICE, move_date=day + DAY if step in UPGRADE else day)
    last = datetime.fromisoformat(end).replace(tzinfo=UTC) - hours
    decision = answer(step, site, chosen, last)
    assert (decision.next.step, decision.allowed, decision.reasons) == (step, True, ())
    decision = answer(step, site, chosen, last + timedelta(seconds=1))
    if step is Step.MANIFEST:
        # People are let in again, for nothing begins any more.
        assert (decision.next.step, decision.allowed) == (Step.HANDBACK, True)
    else:
        assert (decision.next.step, decision.allowed) == (step, False)
    assert [reason.code for reason in (*decision.reasons, *decision.ahead)] == ["does_not_fit"]
