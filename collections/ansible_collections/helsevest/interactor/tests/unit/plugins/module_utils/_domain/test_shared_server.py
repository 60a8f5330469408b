# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites of one server: upgraded once, moved together or not at all, and each row says whose fault it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.calendar import Calendar
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.days import common_opening
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.decision import Decision, decide_each
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.ledger import Attempt, Ledger, Upgrade
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.reconcile import Reconciliation
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Freeze, Site, Span
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import (
    Release,
    Standing,
    Users,
    standings,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.step import Settings, Situation
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import parse_time
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.verdict import HostMeasurement
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import EVERY_DAY, Window
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import (
    AttemptState,
    EventKind,
    Outcome,
    Phase,
    State,
    Step,
)
from hypothesis import assume, event, given
from hypothesis import strategies as st

from .conftest import SITE

RUN = "run-2"
CALENDAR = Calendar(frozenset({date(2027, 5, 17)}))
SETTINGS = Settings(target_version="6.2.0", described_modes=frozenset({"server_in_cloud"}))
DAY_ZERO = parse_time("2027-05-10T07:00:00Z")
UPGRADE_EVENING = parse_time("2027-05-14T16:00:00Z")
MOVE_NIGHT = parse_time("2027-05-18T18:30:00Z")
IDS = ("1001", "1002")
MANIFEST = {name: {"count": 6, "hash": "0" * 64} for name in ("orders", "started_requisitions", "favourite_packages")}


def office(number: str, together: Sequence[str] = IDS, **changes: Any) -> Site:
    fields = {"id": number, "name": f"Kontor {number}", "shared_server": "house", "together": tuple(together)}
    return replace(SITE, **{**fields, **changes})


def alone(site: Site) -> Site:
    """The same office with a server of its own."""
    return replace(site, shared_server=None, together=(site.id,))


def measured(site: Site, at: datetime) -> tuple[HostMeasurement, ...]:
    hosts = [(site.server_host, "server"), *((host, "client") for host in site.client_hosts)]
    return tuple(
        HostMeasurement(host=host, role=role, at=at, origin="measured", reached=True, error=None, checks=())  # type: ignore[arg-type]
        for host, role in hosts
    )


def asked(sites: Sequence[Site], at: datetime, active: Sequence[str] = ()) -> dict[str, Users]:
    return {host: Users(at, RUN, True, host in active) for site in sites for host in site.client_hosts}


def situations(
    sites: Sequence[Site], at: datetime, own: Mapping[str, Mapping[str, Any]] = {}, **shared: Any
) -> list[Situation]:
    """`shared` is what the leader's events tell of the server, `own` what is each site's, by its id."""
    found = []
    for site in sites:
        fields: dict[str, Any] = {
            "measurements": measured(site, at - timedelta(minutes=1)),
            "version": "5.4.1",
            "mode": "local",
            "ledger_run": RUN,
            "cloud_run": RUN,
            "users": asked(sites, at),
            "release": Release("Kari", at + timedelta(days=60)),
            **shared,
            **own.get(site.id, {}),
        }
        found.append(Situation(site, Standing(**fields), CALENDAR, SETTINGS, at, RUN))
    return found


def decided(
    sites: Sequence[Site], at: datetime, own: Mapping[str, Mapping[str, Any]] = {}, **shared: Any
) -> dict[str, Decision]:
    return decide_each(situations(sites, at, own, **shared))


def pair(**changes: Any) -> list[Site]:
    return [office(number, **changes) for number in IDS]


def with_attempt(state: AttemptState, *, sites: Sequence[str] = IDS, **changes: Any) -> dict[str, Any]:
    attempt = Attempt(
        1,
        "1001-1-k",
        state,
        started=MOVE_NIGHT,
        switched=MOVE_NIGHT if state is AttemptState.SWITCHED else None,
        ended=MOVE_NIGHT if state is AttemptState.ROLLED_BACK else None,
        before=MANIFEST,
        sites=tuple(sites),
    )
    held = state is not AttemptState.SWITCHED
    ledger = Ledger("house", lease_held=held, attempts=(attempt,))
    return {"version": "6.2.0", "ledger": ledger, "known_attempts": 1, **changes}


class TestWhoTakesTheSteps:
    def test_each_site_is_measured_and_the_first_one_takes_the_rest(self) -> None:
        found = decided(pair(), DAY_ZERO, {number: {"measurements": ()} for number in IDS})
        assert [(one.next.step, one.next.hosts[0]) for one in found.values()] == [
            (Step.PROBE, "1001-server"),
            (Step.PROBE, "1002-server"),
        ]
        found = decided(pair(), UPGRADE_EVENING)
        first, second = found["1001"], found["1002"]
        assert (first.next.step, first.next.hosts, first.allowed) == (Step.STAGE, ("1001-server",), True)
        assert (second.next.phase, second.next.step, second.next.hosts, second.allowed) == (None, None, (), False)
        assert second.row()["why"] == "moves with 1001"
        assert not second.needs_us

    def test_the_one_who_does_not_lead_waits_for_the_same_moment(self) -> None:
        found = decided(pair(), DAY_ZERO)
        assert found["1001"].next.at == found["1002"].next.at == parse_time("2027-05-11T15:00:00Z")

    @pytest.mark.parametrize("state", list(AttemptState))
    def test_whatever_the_attempt_only_the_first_one_acts(self, state: AttemptState) -> None:
        found = decided(pair(), MOVE_NIGHT, **with_attempt(state))
        assert found["1001"].next.hosts == ("1001-server",)
        assert found["1002"].next.step is None
        assert found["1001"].attempt == found["1002"].attempt
        assert found["1001"].outcome == found["1002"].outcome

    def test_a_new_attempt_is_for_all_of_them(self) -> None:
        held = Ledger("house", lease_held=True)
        found = decided(pair(), MOVE_NIGHT, version="6.2.0", ledger=held)
        assert found["1001"].next.step is Step.MANIFEST
        until = "2027-05-19T04:00:00Z"
        key = f"1001-1-{RUN}"
        assert found["1001"].attempt == {"number": 1, "key": key, "sites": ["1001", "1002"], "until": until}

    def test_every_pc_of_all_of_them_is_asked_for_users(self) -> None:
        held = {"version": "6.2.0", "ledger": Ledger("house", lease_held=True)}
        sites = pair()
        found = decided(sites, MOVE_NIGHT, users=asked(sites[:1], MOVE_NIGHT), **held)
        assert found["1001"].next.step is Step.USERS
        found = decided(sites, MOVE_NIGHT, users=asked(sites, MOVE_NIGHT, active=["1002-pc1"]), **held)
        assert found["1001"].next.step is Step.HANDBACK


class TestTogetherOrNotAtAll:
    def test_what_one_of_them_lacks_keeps_all_back_and_names_no_more_than_its_number(self) -> None:
        sites = [office("1001"), office("1002", agreement_status="sent")]
        found = decided(sites, UPGRADE_EVENING)
        (reason,) = found["1001"].reasons
        assert (found["1001"].allowed, reason.code) == (False, "shared_server")
        assert reason.text.startswith("site 1002 on the same server: ")
        assert "avtale" not in reason.remedy, "an office is not told what another one lacks"
        assert "annet kontor" in reason.remedy
        assert [reason.code for reason in found["1002"].reasons] == ["P4"]
        assert [owed.code for owed in found["1001"].owes] == []
        assert [owed.code for owed in found["1002"].owes] == ["P4"]
        assert found["1002"].row()["why"].startswith("moves with 1001; ")
        for decision in found.values():
            for personal in ("Kari", "prove.example", "55 00 00 00", "Kontor"):
                assert personal not in decision.row()["why"] + "".join(one.remedy for one in decision.reasons)

    def test_what_the_first_one_lacks_is_told_to_the_others(self) -> None:
        found = decided([office("1001", contact=None), office("1002")], UPGRADE_EVENING)
        assert {reason.code for reason in found["1002"].reasons} == {"shared_server"}
        assert all("site 1001 on the same server" in reason.text for reason in found["1002"].reasons)

    def test_a_reason_of_the_server_is_told_once(self) -> None:
        found = decided(pair(), UPGRADE_EVENING, ledger_error="line 3: no JSON")
        for decision in found.values():
            assert [reason.code for reason in decision.reasons] == ["ledger_damaged"]

    def test_one_that_was_never_measured_keeps_the_others_back(self) -> None:
        found = decided(pair(), UPGRADE_EVENING, {"1002": {"measurements": ()}})
        assert [reason.text for reason in found["1001"].reasons] == ["site 1002 on the same server: no preflight yet"]
        assert found["1002"].next.step is Step.PROBE
        assert found["1002"].allowed

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            (
                {"move_date": date(2027, 5, 19)},
                "the sites of server house have different move dates: 1001 2027-05-18, 1002 2027-05-19",
            ),
            ({"wave": 2}, "the sites of server house have different waves: 1001 1, 1002 2"),
            ({"history_months": 18}, "the sites of server house have different months of history: 1001 12, 1002 18"),
        ],
    )
    def test_what_they_must_agree_in(self, changes: dict[str, Any], text: str) -> None:
        found = decided([office("1001"), office("1002", **changes)], UPGRADE_EVENING)
        for decision in found.values():
            assert not decision.allowed
            assert [reason.text for reason in decision.reasons] == [text]
            assert [reason.code for reason in decision.reasons] == ["shared_server"]

    def test_one_that_is_not_in_the_run_keeps_back_who_is(self) -> None:
        (found,) = decided([office("1001")], UPGRADE_EVENING).values()
        assert [(reason.code, reason.text) for reason in found.reasons] == [
            ("shared_server", "1002 on the same server is not in this run: all of a server move together or not at all")
        ]
        (found,) = decided([office("1002")], UPGRADE_EVENING).values()
        assert found.row()["why"].startswith(
            "moves with 1001, which is not in this run; 1001 on the same server is not"
        )

    def test_without_a_common_time_nobody_moves(self) -> None:
        early = Window(EVERY_DAY, time(18), time(20, 30))
        sites = [office("1001", window=early), office("1002")]
        found = decided(sites, UPGRADE_EVENING)
        for decision in found.values():
            assert [(reason.code, reason.text) for reason in decision.reasons] == [
                ("shared_server", "on 2027-05-18 the sites of its server have no time in common")
            ]

    def test_they_move_only_while_all_may(self) -> None:
        late = Window(EVERY_DAY, time(22), time(5))
        sites = [office("1001"), office("1002", window=late)]
        night = {"version": "6.2.0"}
        assert decided(sites, MOVE_NIGHT, **night)["1001"].next.at == parse_time("2027-05-18T20:00:00Z")
        ten = parse_time("2027-05-18T20:00:00Z")
        assert (decided(sites, ten, **night)["1001"].next.step, decided(sites, ten, **night)["1001"].allowed) == (
            Step.LEASE,
            True,
        )
        five = parse_time("2027-05-19T03:00:00Z")
        found = decided(sites, five, **with_attempt(AttemptState.COMPLETED))["1001"]
        assert (found.next.phase, found.allowed) == (Phase.ROLLBACK, True), "its own window is open until six"

    def test_a_program_that_takes_one_site_moves_none_of_several(self) -> None:
        settings = replace(SETTINGS, moves_several=False)
        found = decide_each([replace(one, settings=settings) for one in situations(pair(), UPGRADE_EVENING)])
        assert [reason.code for reason in found["1001"].reasons] == ["shared_server"]
        own = [replace(one, settings=settings) for one in situations([alone(office("1001"))], UPGRADE_EVENING)]
        assert decide_each(own)["1001"].allowed

    def test_people_are_shut_out_only_where_all_agreed_to_that(self) -> None:
        late = parse_time("2027-05-18T23:00:00Z")
        for agreed, allowed in (((True, True), True), ((True, False), False)):
            sites = [office(number, close_agreed=one) for number, one in zip(IDS, agreed, strict=True)]
            busy = {"1001-pc1": Users(late - timedelta(minutes=15), "run-1", reached=True, active=True)}
            found = decided(sites, late, version="6.2.0", users=busy)["1001"]
            assert (found.next.step, found.allowed) == (Step.LEASE, allowed)


class TestOnceItHasBegun:
    def test_what_the_office_lacks_now_stops_nothing_that_runs(self) -> None:
        sites = [office("1001"), office("1002", agreement_status="missing")]
        found = decided(sites, MOVE_NIGHT, **with_attempt(AttemptState.RUNNING))
        assert (found["1001"].next.step, found["1001"].allowed) == (Step.FOLLOW, True)

    def test_it_is_not_switched_without_the_others_in_the_run(self) -> None:
        same = {"1": Reconciliation(True)}
        done = with_attempt(AttemptState.COMPLETED, reconciled=same)
        (found,) = decided([office("1001")], MOVE_NIGHT, **done).values()
        assert (found.next.step, found.allowed) == (Step.SWITCH, False)
        assert [reason.code for reason in found.reasons] == ["shared_server"]
        assert decided(pair(), MOVE_NIGHT, **done)["1001"].allowed

    def test_it_is_brought_back_without_the_others_in_the_run(self) -> None:
        (found,) = decided([office("1001")], MOVE_NIGHT, **with_attempt(AttemptState.FAILED)).values()
        assert (found.next.step, found.allowed) == (Step.RESTORE, True)

    def test_a_date_that_is_taken_from_one_of_them_brings_all_back(self) -> None:
        sites = [office("1001"), office("1002", move_date=None)]
        found = decided(sites, MOVE_NIGHT, **with_attempt(AttemptState.RUNNING))["1001"]
        assert (found.next.phase, found.allowed) == (Phase.ROLLBACK, True)

    def test_one_that_came_to_the_server_during_the_move_is_not_switched(self) -> None:
        ids = (*IDS, "1003")
        sites = [office(number, ids) for number in ids]
        done = with_attempt(AttemptState.COMPLETED, reconciled={"1": Reconciliation(True)})
        found = decided(sites, MOVE_NIGHT, **done)["1001"]
        assert (found.next.step, found.allowed) == (Step.SWITCH, False)
        assert [reason.text for reason in found.reasons] == [
            "attempt 1 was opened for 1001, 1002, on the server are now 1001, 1002, 1003"
        ]
        assert found.attempt is not None
        assert found.attempt["sites"] == ["1001", "1002"], "what the cloud has is that of the two"

    def test_one_that_came_to_the_server_after_the_move_is_not_told_as_moved(self) -> None:
        ids = (*IDS, "1003")
        moved = with_attempt(AttemptState.SWITCHED, reconciled={"1": Reconciliation(True)})
        found = decided([office(number, ids) for number in ids], MOVE_NIGHT, **moved)
        assert found["1001"].outcome is None
        assert found["1003"].outcome is Outcome.UNCERTAIN
        assert found["1003"].needs_us
        assert found["1003"].row()["why"] == "its server was moved for 1001, 1002 only"

    def test_the_rows_have_the_same_state_and_times(self) -> None:
        moved = with_attempt(AttemptState.SWITCHED, reconciled={"1": Reconciliation(True)})
        rows = [one.row() for one in decided(pair(), MOVE_NIGHT, **moved).values()]
        assert [row["state"] for row in rows] == [State.MOVED, State.MOVED]
        for name in ("outcome", "started", "finished", "switched", "counts"):
            assert rows[0][name] == rows[1][name]


def told(site: str | None, kind: EventKind, subject: str | None = None, host: str | None = None, **data: Any) -> Event:
    return Event(kind=kind, at=DAY_ZERO, site=site, host=host, subject=subject, data=data, run_id=RUN)


def ledger(site: str, of: str = "house", state: str = "running") -> Event:
    attempt = {"number": 1, "key": "k", "state": state, "sites": list(IDS)}
    held = {"schema": 1, "site": of, "upgrade": None, "lease": None, "attempts": [attempt]}
    return told(site, EventKind.LEDGER, host=f"{site}-server", ledger=held, error=None, mode="local", version="6.2.0")


def seen(site: str, host: str, *checks: Mapping[str, Any]) -> Event:
    return told(
        site, EventKind.MEASURED, host=host, origin="measured", reached=True, cause=None, detail="", verdict="ready",
        checks=list(checks), version="6.2.0", mode="local",
    )  # fmt: skip


class TestWhatTheJournalTells:
    def test_the_server_is_told_of_by_the_first_one_and_measurements_are_each_its_own(self) -> None:
        events = [seen("1001", "1001-server"), seen("1002", "1002-server"), ledger("1001")]
        found = standings(pair(), events)
        for number, standing in found.items():
            assert standing.ledger is not None
            assert standing.ledger.attempts[0].state is AttemptState.RUNNING
            assert [one.host for one in standing.measurements] == [f"{number}-server"]
            assert (standing.known_attempts, standing.ledger_run) == (1, RUN)

    def test_another_sites_events_are_nobodys(self) -> None:
        assert standings(pair(), [ledger("1003")])["1001"].ledger is None

    def test_a_ledger_from_before_they_shared_is_a_stop(self) -> None:
        for site, of in (("1001", "1001"), ("1002", "1002")):
            (standing,) = standings([office(site)], [ledger("1001", of)]).values()
            assert standing.ledger is None
            assert standing.ledger_error == f"site house: ledger: it belongs to site {of!r}"
        found = decided(pair(), MOVE_NIGHT, version="6.2.0", ledger_error="it belongs to site '1001'")
        assert not found["1001"].allowed

    @pytest.mark.parametrize("site", IDS)
    def test_what_is_asked_for_one_is_asked_for_all(self, site: str) -> None:
        events = [
            ledger("1001", state="switched"),
            told(site, EventKind.ROLLBACK_ASKED, "1", name="Kari", reason="they ask"),
            told(site, EventKind.UPGRADE_ALLOWED, name="Kari", reason="they ask", until="2027-05-18T18:30:00Z"),
        ]
        for standing in standings(pair(), events).values():
            assert standing.rollback_asked["1"].reason == "they ask"
            assert standing.override is not None

    def test_a_waiver_is_of_the_site_that_has_it(self) -> None:
        check = {
            "id": "P2", "title": "t", "severity": "blocker", "outcome": "waived", "observed": "o", "expected": "e",
            "remedy": "r", "evidence": {"waived": {"outcome": "fail", "until": "2027-05-31"}},
        }  # fmt: skip
        waiver = replace(office("1001"), waivers=())
        found = standings([waiver, office("1002")], [told("1001", EventKind.CHECKED, "1", checks=[check])])
        assert found["1002"].checked["1"].checks[0].outcome == "fail"

    def test_a_release_is_that_of_each_ones_wave(self) -> None:
        release = told(None, EventKind.RELEASED, "2", name="Kari", reason=None, until="2027-06-01T00:00:00Z")
        found = standings([office("1001"), office("1002", wave=2)], [release])
        assert found["1001"].release is None
        assert found["1002"].release is not None


BLEMISHES: tuple[dict[str, Any], ...] = (
    {"agreement_status": "sent"},
    {"contact": None},
    {"closed": (Span(date(2027, 5, 18), date(2027, 5, 18)),)},
    {"mode": "second"},
    {"freezes": (Freeze(Span(date(2027, 5, 18), date(2027, 5, 18)), "why", "vendor"),)},
    {"wave_dates": Span(date(2027, 5, 20), date(2027, 5, 21))},
)
STANDING: tuple[dict[str, Any], ...] = (
    {"measurements": ()},
    {"release": None},
    {"release": Release("Kari", DAY_ZERO)},
    {"halts": {"all": "Kari: why"}},
)
windows = st.builds(
    lambda start, end: Window(EVERY_DAY, time(start), time(end)), st.integers(17, 23), st.integers(0, 8)
)
members = st.tuples(
    st.one_of(st.just({}), st.just({}), st.sampled_from(BLEMISHES), windows.map(lambda window: {"window": window})),
    st.one_of(st.just({}), st.just({}), st.sampled_from(STANDING)),
)


@given(
    group=st.lists(members, min_size=2, max_size=3),
    at=st.one_of(
        st.just(UPGRADE_EVENING),
        st.integers(-4 * 60, 12 * 60).map(lambda minutes: MOVE_NIGHT + timedelta(minutes=minutes)),
    ),
    shared=st.sampled_from(
        [
            {},
            {"version": "6.2.0"},
            {"version": "6.2.0", "ledger": Ledger("house", lease_held=True)},
            {"ledger": Ledger("house", upgrade=Upgrade("staged", "6.2.0", None, ""))},
            with_attempt(AttemptState.PREPARED),
        ]
    ),
)
def test_the_first_one_may_exactly_where_each_of_them_alone_might(
    group: list[tuple[dict[str, Any], dict[str, Any]]], at: datetime, shared: dict[str, Any]
) -> None:
    # The attempt was opened for two.
    assume(len(group) == 2 or "known_attempts" not in shared)
    ids = [str(1001 + number) for number in range(len(group))]
    sites = [office(number, ids, **changes) for number, (changes, _) in zip(ids, group, strict=True)]
    own = {number: changes for number, (_, changes) in zip(ids, group, strict=True)}
    leader = decided(sites, at, own, **shared)[ids[0]]
    each = [decided([alone(site)], at, own, **{**shared, "users": asked(sites, at)})[site.id] for site in sites]
    begins = {Step.STAGE, Step.INSTALL, Step.LEASE, Step.MANIFEST, Step.START}
    may = leader.allowed and leader.next.step in begins
    all_may = all(one.allowed and one.next.step in begins for one in each)
    event(f"may: {may}, {leader.next.step}")
    assert may == all_may, [reason.text for reason in leader.reasons]
    if not leader.allowed and leader.next.step is not None:
        assert leader.reasons


@given(
    windows_of=st.lists(windows, min_size=2, max_size=3),
    minutes=st.integers(-5 * 60, 14 * 60),
)
def test_a_group_works_only_while_all_of_it_may(windows_of: list[Window], minutes: int) -> None:
    ids = [str(1001 + number) for number in range(len(windows_of))]
    sites = [office(number, ids, window=window) for number, window in zip(ids, windows_of, strict=True)]
    at = MOVE_NIGHT + timedelta(minutes=minutes)
    leader = decided(sites, at, version="6.2.0")["1001"]
    opening = common_opening(sites, date(2027, 5, 18))
    if leader.next.step is Step.LEASE and leader.allowed:
        assert opening is not None
        assert opening.fits(at, SETTINGS.move_takes)
    else:
        assert opening is None or not opening.fits(at, SETTINGS.move_takes)
