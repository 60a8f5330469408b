# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of steps, the gate and the decision, over one site on its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.calendar import Calendar
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.checks import CheckResult
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.decision import Decision, decide
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.ledger import Attempt, Ledger, Upgrade
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.reconcile import Reconciliation
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.reconcile import reconcile as compared
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import (
    Checked,
    Made,
    Override,
    Release,
    RollbackAsked,
    Standing,
    StepRecord,
    Users,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.step import Settings, Situation
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.texts import WARNINGS
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import parse_time
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.verdict import HostMeasurement
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import (
    AttemptState,
    CheckOutcome,
    Outcome,
    Phase,
    Severity,
    State,
    Step,
    Verdict,
)

RUN, EARLIER = "run-2", "run-1"
CALENDAR = Calendar(frozenset({date(2027, 5, 17)}))
SETTINGS = Settings(target_version="6.2.0", described_modes=frozenset({"local", "server_in_cloud"}))
UPGRADE_EVENING = parse_time("2027-05-14T16:00:00Z")
MOVE_NIGHT = parse_time("2027-05-18T18:30:00Z")
MORNING_AFTER = parse_time("2027-05-19T05:00:00Z")
DAY_ZERO = parse_time("2027-05-10T07:00:00Z")

VARIABLES: dict[str, Any] = {
    "interactor_site": {
        "id": "1001",
        "name": "Fjordgata legekontor",
        "kind": "gp_office",
        "county": "Vestland",
        "language": "nb",
        "epj": "Journalen",
        "wave": 1,
        "move_date": "2027-05-18",
        "mode": "server_in_cloud",
        "window": {"weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "20:00", "to": "06:00"},
        "asked": None,
        "closed": [],
        "contact": {"name": "K", "email": "k@fjordgata.example", "phone": "55 00 00 00", "weekends": False},
        "agreement": {
            "status": "signed",
            "form": "digital",
            "sent": "2027-04-01",
            "signed": "2027-04-15",
            "reference": "A1",
        },
        "signatory_known": True,
        "ros": {"requested": False, "sent": None},
        "confirmed": {"urls": "2027-04-20", "proxy": "2027-04-20"},
        "history_months": 12,
        "server": {"name": "server"},
        "clients": [{"name": "pc1"}],
        "shared_server": None,
    },
    "interactor_wave": {"id": 1, "name": "Wave 1", "window": None},
    "interactor_vendor": {"windows": [], "freezes": []},
    "interactor_waivers": [],
}
ENTRY = {"count": 3, "hash": "0" * 64, "first": "2027-05-18", "last": "2027-05-18"}
MANIFEST = dict.fromkeys(("orders", "started_requisitions", "favourite_packages"), ENTRY)


def reconcile(before: dict[str, Any], after: dict[str, Any]) -> Reconciliation:
    """Two manifests of one night."""
    return compared(before, after, date(2027, 5, 18), 12)


def site(**changes: Any) -> Site:
    return Site.from_vars({**VARIABLES, "interactor_site": {**VARIABLES["interactor_site"], **changes}})


def measured(at: datetime, host: str = "1001-server", **changes: Any) -> HostMeasurement:
    role = "server" if host.endswith("server") else "client"
    fields: dict[str, Any] = {"origin": "measured", "reached": True, "error": None, "checks": ()}
    return HostMeasurement(host=host, role=role, at=at, **{**fields, **changes})


def blocker() -> CheckResult:
    return CheckResult(
        id="P5",
        title="No double proxy",
        severity=Severity.BLOCKER,
        outcome=CheckOutcome.FAIL,
        observed="script and manual proxy",
        expected="the script only",
        remedy="Fjern krysset",
        evidence={},
    )


def ready(at: datetime) -> tuple[HostMeasurement, ...]:
    return (measured(at - timedelta(minutes=1)), measured(at - timedelta(minutes=1), "1001-pc1"))


def users(at: datetime, run: str = RUN, **active: bool) -> dict[str, Users]:
    """The PC, and the server where it is named, as they were asked by `run`; in use where `active` says so."""
    hosts = {"pc1": False, **active}
    return {f"1001-{host}": Users(at, run, reached=True, active=busy) for host, busy in hosts.items()}


def standing(at: datetime, **changes: Any) -> Standing:
    fields: dict[str, Any] = {
        "measurements": ready(at),
        "version": "5.4.1",
        "mode": "local",
        "ledger_run": RUN,
        "cloud_run": RUN,
        "users": users(at),
        "release": Release("Kari", at + timedelta(days=3)),
    }
    return Standing(**{**fields, **changes})


def upgraded(at: datetime, **changes: Any) -> Standing:
    return standing(at, version="6.2.0", **changes)


def with_attempt(at: datetime, state: AttemptState, *, lease_held: bool = True, **changes: Any) -> Standing:
    attempt = Attempt(
        1,
        "1001-1-k",
        state,
        started=MOVE_NIGHT,
        switched=MOVE_NIGHT if state is AttemptState.SWITCHED else None,
        ended=MOVE_NIGHT if state is AttemptState.ROLLED_BACK else None,
        before=MANIFEST,
    )
    return upgraded(
        at, **{"ledger": Ledger("1001", lease_held=lease_held, attempts=(attempt,)), "known_attempts": 1, **changes}
    )


def answer(at: datetime, of: Standing, **changes: Any) -> Decision:
    force = changes.pop("force", ())
    return decide(Situation(site(**changes), of, CALENDAR, SETTINGS, at, RUN), force)


def step(at: datetime, of: Standing, **changes: Any) -> tuple[Phase | None, Step | None, bool]:
    decision = answer(at, of, **changes)
    return decision.next.phase, decision.next.step, decision.allowed


def codes(at: datetime, of: Standing, **changes: Any) -> set[str]:
    return {reason.code for reason in answer(at, of, **changes).reasons}


def after(loses: str | None = None) -> Mapping[str, Any]:
    return {
        name: {**ENTRY, "count": 2, "hash": "1" * 64} if name == loses else entry for name, entry in MANIFEST.items()
    }


class TestTheOrderOfSteps:
    def test_an_unmeasured_site_is_probed_on_every_host(self) -> None:
        decision = answer(DAY_ZERO, standing(DAY_ZERO, measurements=()))
        assert (decision.next.step, decision.next.hosts, decision.allowed) == (
            Step.PROBE,
            ("1001-server", "1001-pc1"),
            True,
        )
        assert decision.verdict is None

    def test_a_server_is_probed_again_after_a_day_and_its_clients_are_not(self) -> None:
        later = DAY_ZERO + timedelta(hours=24)
        decision = answer(later, standing(later, measurements=ready(DAY_ZERO)))
        assert decision.next.hosts == ("1001-server",)

    def test_before_the_evening_it_waits_for_it(self) -> None:
        decision = answer(DAY_ZERO, standing(DAY_ZERO))
        assert (decision.next.phase, decision.next.step, decision.allowed) == (Phase.UPGRADE, None, False)
        assert decision.next.at == parse_time("2027-05-11T15:00:00Z"), "three days before it, the installer is fetched"
        assert decision.state is State.DATED
        assert decision.reasons == ()

    def test_the_evening_is_that_of_the_last_working_day(self) -> None:
        staged = Ledger("1001", upgrade=Upgrade("staged", "6.2.0", None, ""))
        before = parse_time("2027-05-14T14:59:00Z")
        decision = answer(before, standing(before, ledger=staged, ledger_run=EARLIER))
        assert (decision.next.step, decision.next.at) == (None, parse_time("2027-05-14T15:00:00Z"))
        for time, expected in (("2027-05-14T15:00:00Z", Step.STAGE), ("2027-05-14T19:59:00Z", Step.STAGE)):
            at = parse_time(time)
            assert step(at, standing(at))[1] is expected
        monday = parse_time("2027-05-17T16:00:00Z")
        assert step(monday, standing(monday))[1] is None

    def test_the_installer_is_fetched_in_the_days_before_and_a_failure_is_given_time(self) -> None:
        begins = parse_time("2027-05-11T15:00:00Z")
        assert step(begins, standing(begins)) == (Phase.UPGRADE, Step.STAGE, True)
        assert step(begins, standing(begins, ledger_run=EARLIER)) == (Phase.UPGRADE, Step.LOOK, True)
        failed = StepRecord(Step.STAGE, begins, ok=False, detail="its SHA-256 is another")
        for hours, expected in ((5.99, None), (6, Step.STAGE)):
            at = begins + timedelta(hours=hours)
            assert step(at, standing(at, last_step=failed))[1] is expected
        evening = parse_time("2027-05-14T15:00:00Z")
        for last, next_at in ((begins, begins + timedelta(hours=6)), (evening - timedelta(minutes=15), evening)):
            at = last + timedelta(minutes=5)
            decision = answer(at, standing(at, last_step=replace(failed, at=last)))
            assert (decision.next.step, decision.next.at) == (None, next_at), "in its evening it is tried at once"
        half = replace(failed, ok=True, detail="half of it")
        assert step(begins + timedelta(minutes=15), standing(begins, last_step=half))[1] is Step.STAGE

    def test_an_upgrade_may_be_allowed_at_another_time(self) -> None:
        noon = parse_time("2027-05-18T10:00:00Z")
        allowed = Override("Kari", "the office asks", noon, noon + timedelta(hours=4))
        staged = Ledger("1001", upgrade=Upgrade("staged", "6.2.0", None, ""))
        at = noon + timedelta(hours=1)
        assert step(at, standing(at, ledger=staged, override=allowed)) == (Phase.UPGRADE, Step.INSTALL, True)
        over = noon + timedelta(hours=4)
        assert step(over, standing(over, ledger=staged, override=allowed))[1] is None
        assert "upgrade_missed" in codes(over, standing(over, ledger=staged, override=allowed))

    @pytest.mark.parametrize("state", ["restart", "incident"])
    def test_what_the_installer_left_is_proven_before_anything_else(self, state: str) -> None:
        left = Ledger("1001", upgrade=Upgrade(state, "6.2.0", UPGRADE_EVENING, "3010", 3010))
        night = standing(MOVE_NIGHT, version="6.2.0", ledger=left)
        assert step(MOVE_NIGHT, night)[:2] == (Phase.UPGRADE, Step.CONFIRM)
        asked = StepRecord(Step.CONFIRM, MOVE_NIGHT, ok=True, detail="not yet restarted")
        assert step(MOVE_NIGHT, replace(night, last_step=asked))[1] is None
        later = MOVE_NIGHT + SETTINGS.retry
        assert step(later, replace(night, last_step=asked))[1] is Step.CONFIRM

    def test_a_ledger_of_an_earlier_run_is_read_again_first(self) -> None:
        assert step(UPGRADE_EVENING, standing(UPGRADE_EVENING, ledger_run=EARLIER)) == (Phase.UPGRADE, Step.LOOK, True)
        assert step(MOVE_NIGHT, upgraded(MOVE_NIGHT, ledger_run=EARLIER)) == (Phase.MIGRATE, Step.LOOK, True)

    def test_what_is_staged_is_installed_and_what_failed_is_not_tried_again(self) -> None:
        def held(state: str, to: str = "6.2.0") -> Standing:
            return standing(UPGRADE_EVENING, ledger=Ledger("1001", upgrade=Upgrade(state, to, None, "1603")))

        assert step(UPGRADE_EVENING, held("staged"))[1] is Step.INSTALL
        assert step(UPGRADE_EVENING, held("staged", "6.1.0"))[1] is Step.STAGE
        assert step(UPGRADE_EVENING, held("failed"))[1] is None
        assert codes(UPGRADE_EVENING, held("failed")) == {"U1"}

    @pytest.mark.parametrize(
        ("version", "is_upgraded"),
        [("6.2.0", True), ("6.3.0", True), ("6.10.0", True), ("6.2.0.1", True), ("6.1.10", False), ("6.2", False)],
    )
    def test_a_newer_version_is_left_alone(self, version: str, is_upgraded: bool) -> None:
        staged = Ledger("1001", upgrade=Upgrade("staged", "6.2.0", None, ""))
        decision = answer(UPGRADE_EVENING, standing(UPGRADE_EVENING, version=version, ledger=staged))
        assert (decision.next.step, decision.state is State.UPGRADED) == (
            (None, True) if is_upgraded else (Step.INSTALL, False)
        )
        if is_upgraded:
            assert (decision.next.phase, decision.row()["why"]) == (Phase.MIGRATE, "")

    def test_the_night_goes_from_lease_to_manifest_to_start(self) -> None:
        assert step(MOVE_NIGHT, upgraded(MOVE_NIGHT, cloud_run=EARLIER)) == (Phase.MIGRATE, Step.CLOUD, True)
        assert step(MOVE_NIGHT, upgraded(MOVE_NIGHT)) == (Phase.MIGRATE, Step.LEASE, True)
        held = upgraded(MOVE_NIGHT, ledger=Ledger("1001", lease_held=True))
        decision = answer(MOVE_NIGHT, held)
        assert (decision.next.step, decision.allowed) == (Step.MANIFEST, True)
        assert decision.attempt == {
            "number": 1,
            "key": f"1001-1-{RUN}",
            "sites": ["1001"],
            "until": "2027-05-19T04:00:00Z",
        }
        for state, expected in (
            (AttemptState.PREPARED, Step.START),
            (AttemptState.RUNNING, Step.FOLLOW),
            (AttemptState.COMPLETED, Step.RECONCILE),
        ):
            assert step(MOVE_NIGHT, with_attempt(MOVE_NIGHT, state)) == (Phase.MIGRATE, expected, True)
            decision = answer(MOVE_NIGHT, with_attempt(MOVE_NIGHT, state))
            assert (decision.state, decision.outcome) == (State.MOVING, None)

    def test_the_users_are_asked_once_nobody_new_gets_in(self) -> None:
        held = upgraded(MOVE_NIGHT, ledger=Ledger("1001", lease_held=True))
        assert step(MOVE_NIGHT, replace(held, users={}))[1] is Step.USERS
        assert step(MOVE_NIGHT, replace(held, users=users(MOVE_NIGHT, EARLIER)))[1] is Step.USERS
        assert step(MOVE_NIGHT, replace(held, users=users(MOVE_NIGHT, pc1=True)))[1] is Step.HANDBACK
        assert step(MOVE_NIGHT, replace(held, users=users(MOVE_NIGHT, server=True)))[1] is Step.HANDBACK
        assert step(MOVE_NIGHT, replace(held, users=users(MOVE_NIGHT, EARLIER, server=True)))[1] is Step.USERS

    def test_where_somebody_is_in_it_the_pcs_are_asked_too_and_the_next_tick_tries_again(self) -> None:
        met = users(MOVE_NIGHT, server=True)
        assert step(MOVE_NIGHT, upgraded(MOVE_NIGHT, users={"1001-server": met["1001-server"]}))[1:] == (
            Step.USERS,
            True,
        )
        for busy in (met, users(MOVE_NIGHT, pc1=True)):
            decision = answer(MOVE_NIGHT, upgraded(MOVE_NIGHT, users=busy))
            assert (decision.next.step, decision.next.at) == (None, MOVE_NIGHT + timedelta(minutes=15))
            assert (decision.allowed, decision.reasons) == (False, ())
            again = upgraded(MOVE_NIGHT, users={host: replace(told, run_id=EARLIER) for host, told in busy.items()})
            assert step(MOVE_NIGHT, again)[1:] == (Step.LEASE, True)

    def test_the_row_tells_where_it_is_in_use(self) -> None:
        handed_back = StepRecord(Step.HANDBACK, MOVE_NIGHT, ok=True, detail="", run_id=RUN)
        of = upgraded(MOVE_NIGHT, users=users(MOVE_NIGHT, server=True, pc1=True), last_step=handed_back)
        assert answer(MOVE_NIGHT, of).row()["why"] == "Interactor is in use on 1001-pc1, 1001-server"
        free = replace(of, users=users(MOVE_NIGHT))
        assert answer(MOVE_NIGHT, free).row()["why"] == ""
        asked = replace(of, last_step=StepRecord(Step.LEASE, MOVE_NIGHT, ok=True, detail="2 open", run_id=RUN))
        assert answer(MOVE_NIGHT, asked).row()["why"] == "lease: 2 open"
        halted = replace(asked, halts={"all": "Ola: calls"})
        late = replace(halted, users=users(MOVE_NIGHT, EARLIER, server=True))
        assert "Ola: calls" in answer(MOVE_NIGHT, late).row()["why"]

    def test_nobody_is_warned_where_nothing_may_begin(self) -> None:
        met = {"1001-server": users(MOVE_NIGHT, server=True)["1001-server"]}
        assert step(MOVE_NIGHT, upgraded(MOVE_NIGHT, users=met, halts={"all": "Ola: calls"}))[1:] == (
            Step.USERS,
            False,
        )

    @pytest.mark.parametrize(
        ("pc1", "server", "given_up"), [(True, False, True), (False, True, True), (False, False, False)]
    )
    def test_the_last_run_that_asked_decides_whether_it_is_given_up(
        self, pc1: bool, server: bool, given_up: bool
    ) -> None:
        opens = parse_time("2027-05-18T18:00:00Z")
        told = {**users(opens + timedelta(hours=1), "run-0", pc2=True), **users(opens, EARLIER, pc1=pc1, server=server)}
        # One run asks the server first and the PCs seconds later.
        pc = replace(told["1001-pc1"], at=opens + timedelta(hours=3, seconds=9))
        on_server = replace(told["1001-server"], at=opens + timedelta(hours=3))
        late = opens + timedelta(hours=5)
        of = upgraded(late, users={**told, "1001-pc1": pc, "1001-server": on_server})
        assert (codes(late, of) == {"in_use"}) is given_up

    def test_a_halt_lets_people_in_again_where_nothing_runs_yet(self) -> None:
        halts = {"1": "Ola: calls"}
        held = upgraded(MOVE_NIGHT, ledger=Ledger("1001", lease_held=True), halts=halts)
        assert step(MOVE_NIGHT, held) == (Phase.MIGRATE, Step.HANDBACK, True)
        prepared = with_attempt(MOVE_NIGHT, AttemptState.PREPARED, halts=halts)
        assert step(MOVE_NIGHT, prepared) == (Phase.ROLLBACK, Step.RESTORE, True)
        for state in (AttemptState.RUNNING, AttemptState.COMPLETED):
            assert step(MOVE_NIGHT, with_attempt(MOVE_NIGHT, state, halts=halts))[0] is Phase.MIGRATE, (
                "it is ended in order"
            )

    def test_people_are_waited_for_and_then_given_up_or_closed(self) -> None:
        opens = parse_time("2027-05-18T18:00:00Z")
        busy = users(opens + timedelta(hours=3), EARLIER, pc1=True)
        for hours, allowed in ((3.99, True), (4, False)):
            at = opens + timedelta(hours=hours)
            assert step(at, upgraded(at, users=busy)) == (Phase.MIGRATE, Step.LEASE, allowed)
        late = opens + timedelta(hours=4)
        assert codes(late, upgraded(late, users=busy)) == {"in_use"}
        assert step(late, upgraded(late, users=busy), close_agreed=True)[2]
        short = {"weekdays": ["tue"], "from": "20:00", "to": "22:30"}
        fits = opens + timedelta(minutes=90)
        early = upgraded(fits, users=users(opens, EARLIER, pc1=True))
        assert codes(fits, early, window=short) == {"in_use"}, "no move would fit any more"
        assert step(late, upgraded(late, users=users(late - timedelta(days=7), EARLIER, pc1=True)))[2], "another night"

    @pytest.mark.parametrize("state", [AttemptState.PREPARED, AttemptState.RUNNING, AttemptState.COMPLETED])
    def test_a_lease_that_the_server_gave_back_undoes_the_attempt(self, state: AttemptState) -> None:
        of = with_attempt(MOVE_NIGHT, state, reconciled={"1": reconcile(MANIFEST, MANIFEST)})
        assert of.ledger
        lost = replace(of, ledger=replace(of.ledger, lease_held=False, lease_lost=True))
        assert step(MOVE_NIGHT, lost) == (Phase.ROLLBACK, Step.RESTORE, True)

    def test_what_is_reconciled_is_switched_and_the_lease_given_back(self) -> None:
        equal = {"1": reconcile(MANIFEST, MANIFEST)}
        assert step(MOVE_NIGHT, with_attempt(MOVE_NIGHT, AttemptState.COMPLETED, reconciled=equal))[1] is Step.SWITCH
        assert step(MOVE_NIGHT, with_attempt(MOVE_NIGHT, AttemptState.SWITCHED, reconciled=equal))[1] is Step.HANDBACK

    @pytest.mark.parametrize(
        ("loses", "expected"),
        [
            ("favourite_packages", (Phase.MIGRATE, Step.SWITCH)),
            ("orders", (Phase.ROLLBACK, Step.RESTORE)),
            ("started_requisitions", (Phase.ROLLBACK, Step.RESTORE)),
        ],
    )
    def test_what_is_missing_in_the_cloud_decides_whether_it_is_switched(
        self, loses: str, expected: tuple[Phase, Step]
    ) -> None:
        of = with_attempt(MOVE_NIGHT, AttemptState.COMPLETED, reconciled={"1": reconcile(MANIFEST, after(loses))})
        assert step(MOVE_NIGHT, of)[:2] == expected

    def test_what_is_not_switched_when_the_window_ends_is_discarded_and_never_switched(self) -> None:
        end = parse_time("2027-05-19T04:00:00Z")
        equal = {"1": reconcile(MANIFEST, MANIFEST)}
        for state in (AttemptState.PREPARED, AttemptState.RUNNING, AttemptState.COMPLETED):
            assert step(end - timedelta(minutes=6), with_attempt(end, state, reconciled=equal))[0] is Phase.MIGRATE
            assert step(end, with_attempt(end, state, reconciled=equal)) == (Phase.ROLLBACK, Step.RESTORE, True)

    def test_the_cloud_discards_its_copy_when_the_office_works_again(self) -> None:
        undone = with_attempt(MOVE_NIGHT, AttemptState.ROLLED_BACK, lease_held=False)
        assert step(MOVE_NIGHT, undone) == (Phase.ROLLBACK, Step.DISCARD, True)
        assert answer(MOVE_NIGHT, undone).outcome is Outcome.ROLLED_BACK
        later = parse_time("2027-06-01T18:30:00Z")
        moved_again = replace(undone, measurements=ready(later), release=Release("Kari", later + timedelta(days=1)))
        assert step(later, moved_again, move_date="2027-06-01")[1] is Step.DISCARD, "no new attempt before that"

    def test_a_failed_attempt_is_rolled_back_and_not_tried_again_the_same_night(self) -> None:
        of = with_attempt(MOVE_NIGHT, AttemptState.FAILED)
        assert answer(MOVE_NIGHT, of).outcome is Outcome.FAILED
        assert step(MOVE_NIGHT, of) == (Phase.ROLLBACK, Step.RESTORE, True)
        undone = with_attempt(MOVE_NIGHT, AttemptState.ROLLED_BACK, lease_held=False, discarded=frozenset({"1"}))
        decision = answer(
            MOVE_NIGHT + timedelta(hours=1), replace(undone, measurements=ready(MOVE_NIGHT + timedelta(hours=1)))
        )
        assert (decision.next.step, decision.outcome, decision.state) == (None, Outcome.ROLLED_BACK, State.UPGRADED)
        assert decision.needs_us

    def test_a_rolled_back_site_moves_on_another_night_with_the_next_number(self) -> None:
        night = parse_time("2027-06-01T18:30:00Z")
        undone = with_attempt(night, AttemptState.ROLLED_BACK, discarded=frozenset({"1"}))
        decision = answer(night, undone, move_date="2027-06-01")
        assert decision.next.step is Step.MANIFEST
        assert decision.attempt == {
            "number": 2,
            "key": f"1001-2-{RUN}",
            "sites": ["1001"],
            "until": "2027-06-02T04:00:00Z",
        }

    def test_the_check_waits_for_the_morning_of_the_next_working_day(self) -> None:
        equal = {"1": reconcile(MANIFEST, MANIFEST)}
        of = with_attempt(MOVE_NIGHT, AttemptState.SWITCHED, lease_held=False, reconciled=equal)
        decision = answer(MOVE_NIGHT, of)
        assert (decision.next.phase, decision.next.step, decision.next.at) == (Phase.POSTCHECK, None, MORNING_AFTER)
        assert (decision.state, decision.outcome) == (State.MOVED, None)
        assert step(MORNING_AFTER, of) == (Phase.POSTCHECK, Step.CHECK, True)
        assert step(MOVE_NIGHT, of, force={Phase.POSTCHECK})[1] is Step.CHECK

    def test_what_another_controller_switched_is_reconciled_here_too(self) -> None:
        of = with_attempt(MORNING_AFTER, AttemptState.SWITCHED, lease_held=False, ledger_run=EARLIER)
        assert step(MORNING_AFTER, of) == (Phase.MIGRATE, Step.RECONCILE, True)
        assert answer(MORNING_AFTER, of).attempt == {
            "number": 1,
            "key": "1001-1-k",
            "before": MANIFEST,
            "day": None,
            "history_months": None,
            "sites": ["1001"],
            "until": "2027-05-19T04:00:00Z",
        }
        assert answer(MORNING_AFTER, of, move_date=None).attempt["until"] is None  # type: ignore[index]

    def test_a_rollback_that_was_asked_for_undoes_a_switched_site(self) -> None:
        asked = RollbackAsked("Kari", "the office asks")
        of = with_attempt(MORNING_AFTER, AttemptState.SWITCHED, lease_held=False, rollback_asked={"1": asked})
        assert step(MORNING_AFTER, replace(of, ledger_run=EARLIER)) == (Phase.ROLLBACK, Step.LOOK, True)
        assert step(MORNING_AFTER, of) == (Phase.ROLLBACK, Step.MADE, True)
        assert step(MORNING_AFTER, replace(of, made={"1": Made(EARLIER, True, 0)}))[1] is Step.MADE
        assert step(MORNING_AFTER, replace(of, made={"1": Made(RUN, True, 0)})) == (Phase.ROLLBACK, Step.RESTORE, True)

    @pytest.mark.parametrize(
        ("known", "count", "loses", "allowed"),
        [
            (True, 0, None, True),
            (True, 3, None, False),
            (True, 3, "2", False),
            (True, 3, "unknown", False),
            (True, 3, "3", True),
            (False, 0, None, False),
            (False, 0, "0", False),
            (False, 0, "unknown", True),
        ],
    )
    def test_past_the_point_of_no_return_it_is_said_what_is_lost(
        self, known: bool, count: int, loses: str | None, allowed: bool
    ) -> None:
        asked = {"1": RollbackAsked("Kari", "the office asks", loses)}
        made = {"1": Made(RUN, known, count)}
        of = with_attempt(MORNING_AFTER, AttemptState.SWITCHED, lease_held=False, rollback_asked=asked, made=made)
        assert step(MORNING_AFTER, of) == (Phase.ROLLBACK, Step.RESTORE, allowed)
        assert codes(MORNING_AFTER, of) == (set() if allowed else {"point_of_no_return"})
        decision = answer(MORNING_AFTER, of)
        assert decision.needs_us
        assert ("rollback_loses=" in decision.row()["why"]) is not allowed

    @pytest.mark.parametrize(
        ("asked_in", "told_in", "loses", "stands"),
        [
            (EARLIER, EARLIER, None, False),
            (EARLIER, EARLIER, "2", False),
            (EARLIER, EARLIER, "3", True),
            (RUN, EARLIER, None, True),
            (EARLIER, RUN, None, True),
        ],
    )
    def test_a_wish_that_an_earlier_run_refused_lapses(
        self, asked_in: str, told_in: str, loses: str | None, stands: bool
    ) -> None:
        asked = {"1": RollbackAsked("Kari", "the office asks", loses, asked_in)}
        made = {"1": Made(told_in, True, 3)}
        equal = {"1": reconcile(MANIFEST, MANIFEST)}
        of = with_attempt(
            MORNING_AFTER, AttemptState.SWITCHED, lease_held=False, rollback_asked=asked, made=made, reconciled=equal
        )
        expected = Phase.ROLLBACK if stands else Phase.POSTCHECK
        assert step(MORNING_AFTER, of)[0] is expected

    @pytest.mark.parametrize("state", [AttemptState.COMPLETED, AttemptState.RUNNING])
    def test_before_the_switch_nothing_can_have_been_made_and_a_wish_stands(self, state: AttemptState) -> None:
        asked = {"1": RollbackAsked("Kari", "the office asks", None, EARLIER)}
        of = with_attempt(MOVE_NIGHT, state, rollback_asked=asked, made={"1": Made(EARLIER, True, 3)})
        assert step(MOVE_NIGHT, of) == (Phase.ROLLBACK, Step.RESTORE, True)

    @pytest.mark.parametrize("at", [MOVE_NIGHT, MORNING_AFTER])
    @pytest.mark.parametrize("mode", ["server_in_cloud", None])
    def test_a_switch_that_nobody_brought_to_its_end_may_have_let_people_work_in_the_cloud(
        self, at: datetime, mode: str | None
    ) -> None:
        """The server went down in the middle of it, and let people in when it came up again."""
        of = with_attempt(at, AttemptState.COMPLETED, mode=mode, reconciled={"1": reconcile(MANIFEST, MANIFEST)})
        assert of.ledger is not None
        (attempt,) = of.ledger.attempts
        begun = replace(attempt, switching=MOVE_NIGHT)
        lost = replace(of, ledger=replace(of.ledger, lease_held=False, lease_lost=True, attempts=(begun,)))
        assert step(at, lost) == (Phase.ROLLBACK, Step.MADE, True)
        assert step(at, replace(lost, made={"1": Made(RUN, True, 0)})) == (Phase.ROLLBACK, Step.RESTORE, True)
        used = replace(lost, made={"1": Made(RUN, True, 3)})
        assert step(at, used) == (Phase.ROLLBACK, Step.RESTORE, False)
        assert codes(at, used) == {"point_of_no_return"}
        assert answer(at, used).needs_us
        said = replace(used, rollback_asked={"1": RollbackAsked("Kari", "the office asks", "3")})
        assert step(at, said) == (Phase.ROLLBACK, Step.RESTORE, True)
        put_back = replace(lost, mode="local")
        assert step(at, put_back) == (Phase.ROLLBACK, Step.RESTORE, True)

    @pytest.mark.parametrize(
        ("at", "state"),
        [
            (MOVE_NIGHT, AttemptState.COMPLETED),
            (MOVE_NIGHT, AttemptState.FAILED),
            (MORNING_AFTER, AttemptState.RUNNING),
            (MORNING_AFTER, AttemptState.COMPLETED),
        ],
    )
    def test_a_ledger_that_tells_less_than_is_on_record_is_a_stop(self, at: datetime, state: AttemptState) -> None:
        """The server was put back by an image of its move night."""
        for known in ({"switched": frozenset({"1"})}, {"discarded": frozenset({"1"})}):
            of = with_attempt(at, state, reconciled={"1": reconcile(MANIFEST, MANIFEST)}, **known)
            assert not answer(at, of).allowed
            assert "ledger_missing" in codes(at, of)
            assert answer(at, of).needs_us

    def test_with_the_copy_in_the_cloud_no_more_is_lost_than_was_said(self) -> None:
        back = with_attempt(MORNING_AFTER, AttemptState.ROLLED_BACK, lease_held=False)
        assert step(MORNING_AFTER, back)[1] is Step.DISCARD
        assert "made" not in (answer(MORNING_AFTER, back).attempt or {})
        asked = {"1": RollbackAsked("Kari", "the office asks", "3")}
        told = replace(back, made={"1": Made(EARLIER, True, 3)}, rollback_asked=asked)
        assert step(MORNING_AFTER, told) == (Phase.ROLLBACK, Step.DISCARD, True)
        assert (answer(MORNING_AFTER, told).attempt or {})["made"] == 3
        failed = StepRecord(Step.DISCARD, MORNING_AFTER, ok=False, detail="4 made in the cloud", run_id=EARLIER)
        refused = replace(told, last_step=failed)
        assert step(MORNING_AFTER, refused) == (Phase.ROLLBACK, Step.MADE, True)
        more = replace(refused, made={"1": Made(RUN, True, 4)})
        assert step(MORNING_AFTER, more) == (Phase.ROLLBACK, Step.DISCARD, False)
        assert codes(MORNING_AFTER, more) == {"point_of_no_return"}
        assert "rollback_loses=4" in answer(MORNING_AFTER, more).row()["why"]
        said = replace(more, rollback_asked={"1": RollbackAsked("Kari", "the office asks", "4")})
        assert step(MORNING_AFTER, said) == (Phase.ROLLBACK, Step.DISCARD, True)

    def test_a_check_in_the_evening_of_the_move_is_not_the_mornings(self) -> None:
        equal = {"1": reconcile(MANIFEST, MANIFEST)}
        for at, verified in ((MOVE_NIGHT + timedelta(hours=1), False), (MORNING_AFTER, True)):
            of = with_attempt(
                MORNING_AFTER, AttemptState.SWITCHED, lease_held=False, reconciled=equal, checked={"1": Checked(at, ())}
            )
            assert (answer(MORNING_AFTER, of).outcome == "verified") is verified
            assert (step(MORNING_AFTER, of)[1] is Step.CHECK) is not verified
            # A date that somebody changes later makes nothing unchecked.
            assert (answer(MORNING_AFTER, of, move_date="2027-06-18").outcome == "verified") is verified

    def test_the_answer_tells_whether_the_point_of_no_return_is_passed(self) -> None:
        thing = {"category": "orders", "id": "o-1", "at": "2027-05-19T06:10:00Z"}
        for made, expected in (
            (None, None),
            (Made(EARLIER, True, 0), {"passed": False, "made": []}),
            (Made(EARLIER, True, 1, (thing,)), {"passed": True, "made": [thing]}),
            (Made(EARLIER, False, 0), {"passed": None, "made": []}),
        ):
            of = with_attempt(MORNING_AFTER, AttemptState.SWITCHED, lease_held=False, made={"1": made} if made else {})
            decision = answer(MORNING_AFTER, of)
            assert decision.to_dict()["point_of_no_return"] == expected
            assert "made in the cloud" not in decision.row()["why"]
        assert answer(DAY_ZERO, standing(DAY_ZERO)).to_dict()["point_of_no_return"] is None

    def test_a_server_that_is_not_as_it_was_needs_us_and_says_why(self) -> None:
        raw = {"number": 1, "key": "k", "state": "rolled_back", "ended": "2027-05-18T19:00:00Z", "message": "it failed"}
        for as_before, why in (
            (None, "it failed"),
            ({"equal": True, "changed": []}, "it failed"),
            ({"equal": False, "changed": ["data/a", "data/b"]}, "it failed; not as it was before: data/a, data/b"),
        ):
            ledger = Ledger("1001", attempts=(Attempt.from_dict({**raw, "as_before": as_before}),))
            decision = answer(MORNING_AFTER, upgraded(MORNING_AFTER, ledger=ledger, discarded=frozenset({"1"})))
            assert (decision.row()["why"], decision.needs_us, decision.outcome) == (why, True, Outcome.ROLLED_BACK)

    def test_a_lease_without_an_attempt_is_given_back_when_the_window_ends(self) -> None:
        end = parse_time("2027-05-19T04:00:00Z")
        assert step(end, upgraded(end, ledger=Ledger("1001", lease_held=True)))[:2] == (Phase.MIGRATE, Step.HANDBACK)

    def test_a_lease_is_given_back_when_the_date_is_changed_in_the_middle_of_the_night(self) -> None:
        for day in ("2027-05-25", None):
            for run, expected in ((RUN, Step.HANDBACK), (EARLIER, Step.LOOK)):
                of = upgraded(MOVE_NIGHT, ledger=Ledger("1001", lease_held=True), ledger_run=run)
                decision = answer(MOVE_NIGHT, of, move_date=day)
                assert (decision.next.step, decision.allowed) == (expected, True)

    def test_a_lease_that_was_lost_after_the_switch_is_written_off(self) -> None:
        of = with_attempt(MOVE_NIGHT, AttemptState.SWITCHED, lease_held=False)
        assert of.ledger is not None
        lost = replace(of, ledger=replace(of.ledger, lease_lost=True))
        assert step(MOVE_NIGHT, lost) == (Phase.MIGRATE, Step.HANDBACK, True)

    def test_an_attempt_that_is_to_start_has_what_is_too_old_measured_again(self) -> None:
        old = (measured(MOVE_NIGHT - timedelta(hours=24)), measured(MOVE_NIGHT, "1001-pc1"))
        for state, expected in ((AttemptState.PREPARED, Step.PROBE), (AttemptState.RUNNING, Step.FOLLOW)):
            assert step(MOVE_NIGHT, with_attempt(MOVE_NIGHT, state, measurements=old))[1] is expected

    def test_a_running_migration_that_cannot_be_followed_is_looked_at(self) -> None:
        for ok, expected in ((True, Step.FOLLOW), (False, Step.LOOK)):
            followed = StepRecord(Step.FOLLOW, MOVE_NIGHT, ok=ok, detail="refused: it is not the ledger's last")
            of = with_attempt(MOVE_NIGHT, AttemptState.RUNNING, last_step=followed, ledger_run=EARLIER)
            assert step(MOVE_NIGHT, of)[1] is expected
            assert step(MOVE_NIGHT, replace(of, ledger_run=RUN))[1] is Step.FOLLOW

    @pytest.mark.parametrize(
        "doubt", [{"known_attempts": 1}, {"cloud_attempts": 1}, {"ledger": None, "ledger_error": "is no JSON"}]
    )
    def test_a_ledger_that_cannot_be_true_is_read_again_by_every_run(self, doubt: dict[str, Any]) -> None:
        for at in (DAY_ZERO, MOVE_NIGHT, MORNING_AFTER):
            assert step(at, upgraded(at, ledger_run=EARLIER, **doubt)) == (Phase.MIGRATE, Step.LOOK, True)
            assert step(at, upgraded(at, ledger_run=RUN, **doubt))[1] is not Step.LOOK
        assert step(MOVE_NIGHT, upgraded(MOVE_NIGHT, ledger_run=None, measurements=(), **doubt))[1] is Step.PROBE


class TestTheGate:
    @pytest.mark.parametrize(
        ("changes", "site_changes", "expected"),
        [
            ({"release": None}, {}, "not_released"),
            ({"release": Release("Kari", MOVE_NIGHT)}, {}, "not_released"),
            ({"halts": {"1": "Ola: calls"}}, {}, "halted"),
            ({"halts": {"all": "Ola: calls"}}, {}, "halted"),
            ({"ledger_error": "damaged"}, {}, "ledger_damaged"),
            ({"known_attempts": 1}, {}, "ledger_missing"),
            ({"measurements": (measured(MOVE_NIGHT, checks=(blocker(),)), measured(MOVE_NIGHT, "1001-pc1"))}, {}, "P5"),
            ({}, {"agreement": {"status": "sent", "sent": "2027-04-01", "signed": None}}, "P4"),
            ({}, {"mode": "second"}, "mode_not_described"),
            ({}, {"closed": [{"from": "2027-05-18", "to": "2027-05-20"}]}, "closed"),
        ],
    )
    def test_each_rule_stops_the_move_with_its_reason(
        self, changes: dict[str, Any], site_changes: dict[str, Any], expected: str
    ) -> None:
        assert step(MOVE_NIGHT, upgraded(MOVE_NIGHT))[2]
        decision = answer(MOVE_NIGHT, upgraded(MOVE_NIGHT, **changes), **site_changes)
        assert not decision.allowed
        assert expected in {reason.code for reason in decision.reasons}

    def test_a_server_is_not_even_looked_at_where_the_phase_may_not_begin(self) -> None:
        assert step(MOVE_NIGHT, upgraded(MOVE_NIGHT, ledger_run=EARLIER))[1:] == (Step.LOOK, True)
        assert step(MOVE_NIGHT, upgraded(MOVE_NIGHT, ledger_run=EARLIER, release=None))[1:] == (Step.LOOK, False)
        late = parse_time("2027-05-19T03:30:00Z")
        assert step(late, upgraded(late, ledger_run=EARLIER))[2] is False
        held = with_attempt(late, AttemptState.PREPARED, ledger_run=EARLIER, release=None)
        assert step(late, held)[1:] == (Step.LOOK, True)

    def test_a_freeze_of_the_vendor_stops_it(self) -> None:
        frozen = Site.from_vars(
            {
                **VARIABLES,
                "interactor_vendor": {
                    "windows": [],
                    "freezes": [{"from": "2027-05-18", "to": "2027-05-18", "reason": "x"}],
                },
            }
        )
        decision = decide(Situation(frozen, upgraded(MOVE_NIGHT), CALENDAR, SETTINGS, MOVE_NIGHT, RUN))
        assert [reason.code for reason in decision.reasons] == ["freeze"]
        assert not decision.allowed

    @pytest.mark.parametrize(("minutes_left", "allowed"), [(61, True), (60, True), (59, False)])
    def test_what_cannot_end_inside_the_window_does_not_start(self, minutes_left: int, allowed: bool) -> None:
        at = parse_time("2027-05-19T04:00:00Z") - timedelta(minutes=minutes_left)
        of = upgraded(at)
        assert step(at, of)[2] is allowed
        assert ("does_not_fit" in codes(at, of)) is not allowed

    def test_a_halt_lets_running_moves_end(self) -> None:
        halted = {"halts": {"all": "Ola: calls"}}
        for state, allowed in (
            (AttemptState.RUNNING, True),
            (AttemptState.FAILED, True),
        ):
            assert step(MOVE_NIGHT, with_attempt(MOVE_NIGHT, state, **halted))[2] is allowed
        equal = {"1": reconcile(MANIFEST, MANIFEST)}
        assert step(MOVE_NIGHT, with_attempt(MOVE_NIGHT, AttemptState.COMPLETED, reconciled=equal, **halted))[1:] == (
            Step.SWITCH,
            True,
        )

    def test_reasons_are_told_long_before_the_step_is_due(self) -> None:
        sent = {"status": "sent", "sent": "2027-04-01", "signed": None}
        assert codes(DAY_ZERO, standing(DAY_ZERO, release=None), agreement=sent) == {"P4", "not_released"}

    def test_a_window_that_has_passed_asks_for_a_new_date(self) -> None:
        noon = parse_time("2027-05-19T10:00:00Z")
        assert codes(noon, standing(noon)) == {"date_passed"}
        weekend = parse_time("2027-05-15T10:00:00Z")
        assert codes(weekend, standing(weekend)) == {"upgrade_missed"}


class TestWhatPeopleAreTold:
    OPENS = parse_time("2027-05-18T18:00:00Z")

    def lease(self, minutes: int, *, met: bool = True, **changes: Any) -> Any:
        at = self.OPENS + timedelta(minutes=minutes)
        of = upgraded(at, users=users(self.OPENS, EARLIER, pc1=met))
        return answer(at, of, **changes).to_dict()["lease"]

    def test_until_when_they_are_waited_for(self) -> None:
        told = self.lease(15)
        assert told["close"] is False
        for words in ("flyttes til skyen nå", "60 minutter", "Lagre", "lukk Interactor", "venter til kl. 00.00"):
            assert words in told["warning"]
        assert "flyttast til skya no" in self.lease(15, language="nn")["warning"]

    def test_when_it_will_be_closed_and_when_it_is(self) -> None:
        told = self.lease(15, close_agreed=True)
        assert told["close"] is False
        assert "Kl. 00.00 blir Interactor lukket" in told["warning"]
        assert self.lease(239, close_agreed=True)["close"] is False
        told = self.lease(240, close_agreed=True)
        assert told["close"] is True
        assert "om et øyeblikk" in told["warning"]
        assert "om ein augeblink" in self.lease(240, close_agreed=True, language="nn")["warning"]

    def test_nobody_is_closed_out_unwarned_or_without_the_sites_word(self) -> None:
        assert self.lease(240, met=False, close_agreed=True)["close"] is False
        at = self.OPENS + timedelta(hours=4)
        week_ago = users(self.OPENS - timedelta(days=7), EARLIER, pc1=True)
        assert answer(at, upgraded(at, users=week_ago), close_agreed=True).lease["close"] is False  # type: ignore[index]
        assert self.lease(240)["close"] is False

    def test_in_a_short_window_it_is_closed_while_a_move_still_fits(self) -> None:
        short = {"weekdays": ["tue"], "from": "20:00", "to": "22:30"}
        assert "Kl. 21.00" in self.lease(15, close_agreed=True, window=short)["warning"]
        assert self.lease(60, close_agreed=True, window=short)["close"] is True
        assert "til kl. 21.30" in self.lease(15, window=short)["warning"]

    def test_the_step_on_the_pcs_says_the_same(self) -> None:
        at = self.OPENS + timedelta(hours=4)
        met = {
            "1001-pc1": Users(self.OPENS, EARLIER, reached=True, active=True),
            "1001-server": Users(at, RUN, reached=True, active=True),
        }
        decision = answer(at, upgraded(at, users=met), close_agreed=True)
        assert decision.next.step is Step.USERS
        assert decision.lease is not None
        assert decision.lease["close"] is True

    def test_no_other_step_tells_them_anything(self) -> None:
        held = upgraded(MOVE_NIGHT, ledger=Ledger("1001", lease_held=True))
        assert answer(MOVE_NIGHT, held).to_dict()["lease"] is None

    @pytest.mark.parametrize("language", ["nb", "nn"])
    @pytest.mark.parametrize("kind", WARNINGS)
    def test_a_text_fits_into_a_message_of_windows(self, kind: str, language: str) -> None:
        text = WARNINGS[kind][language].format_map({"minutes": 120, "until": "23.45"})
        assert len(text) <= 255
        assert not set(text) & set('"\n{}%')


class TestTheAnswer:
    def test_a_site_in_the_cloud_without_an_attempt_is_left_alone(self) -> None:
        decision = answer(MOVE_NIGHT, upgraded(MOVE_NIGHT, mode="server_in_cloud"))
        assert (decision.next.step, decision.outcome) == (None, Outcome.MOVED_OUTSIDE)

    def test_equal_and_checked_is_verified(self) -> None:
        equal = {"1": reconcile(MANIFEST, MANIFEST)}
        of = with_attempt(
            MORNING_AFTER,
            AttemptState.SWITCHED,
            lease_held=False,
            reconciled=equal,
            checked={"1": Checked(MORNING_AFTER, ())},
        )
        decision = answer(MORNING_AFTER, of)
        assert (decision.state, decision.outcome, decision.needs_us) == (State.VERIFIED, Outcome.VERIFIED, False)
        assert decision.row()["counts"] == {"orders": "3/3", "started_requisitions": "3/3", "favourite_packages": "3/3"}
        assert decision.next.step is None

    def test_a_difference_or_a_failing_check_is_uncertain_and_ours(self) -> None:
        lost = {"1": reconcile(MANIFEST, after("favourite_packages"))}
        equal = {"1": reconcile(MANIFEST, MANIFEST)}
        for changes in (
            {"reconciled": lost},
            {"reconciled": equal, "checked": {"1": Checked(MORNING_AFTER, (blocker(),))}},
            {},
        ):
            decision = answer(
                MORNING_AFTER, with_attempt(MORNING_AFTER, AttemptState.SWITCHED, lease_held=False, **changes)
            )
            assert (decision.state, decision.outcome, decision.needs_us) == (State.MOVED, Outcome.UNCERTAIN, True)

    def test_states_before_the_move(self) -> None:
        assert answer(DAY_ZERO, standing(DAY_ZERO), contact=None, move_date=None).state is State.REGISTERED
        assert answer(DAY_ZERO, standing(DAY_ZERO), move_date=None).state is State.ANSWERED
        assert answer(DAY_ZERO, standing(DAY_ZERO)).state is State.DATED
        assert answer(DAY_ZERO, upgraded(DAY_ZERO)).state is State.UPGRADED

    def test_a_server_that_is_off_is_ours_only_inside_its_window(self) -> None:
        off = {"reached": False}
        by_day = standing(DAY_ZERO, measurements=(measured(DAY_ZERO, **off), measured(DAY_ZERO, "1001-pc1")))
        decision = answer(DAY_ZERO, by_day)
        assert (decision.verdict, decision.outcome, decision.needs_us) == (
            Verdict.UNREACHABLE,
            Outcome.NOT_STARTED,
            False,
        )
        at_night = upgraded(MOVE_NIGHT, measurements=(measured(MOVE_NIGHT, **off), measured(MOVE_NIGHT, "1001-pc1")))
        assert answer(MOVE_NIGHT, at_night).needs_us

    def test_a_step_that_failed_is_told_and_ours(self) -> None:
        failed = StepRecord(Step.START, MOVE_NIGHT, ok=False, detail="409: attempt 1 is open")
        decision = answer(MOVE_NIGHT, with_attempt(MOVE_NIGHT, AttemptState.PREPARED, last_step=failed))
        assert decision.needs_us
        assert decision.row()["why"] == "start: 409: attempt 1 is open"

    def test_the_row_event_says_the_same_twice_with_one_key(self) -> None:
        first, second = (answer(DAY_ZERO, standing(DAY_ZERO)).row_event() for _ in range(2))
        assert first == second
        assert first["key"] != answer(DAY_ZERO, upgraded(DAY_ZERO)).row_event()["key"]
