# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate: every rule with all that is told of it, every step in its order, and never a refusal without a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.calendar import Calendar
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.checks import CheckResult, judge_facts
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.decision import decide
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.gate import Answer, may
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.gate_rules import RULES
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.gate_texts import REASONS
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.ledger import Attempt, Ledger, Upgrade
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.results import result
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Freeze, Site, Span, Waiver
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import (
    Made,
    Release,
    RollbackAsked,
    Standing,
    Users,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.step import Settings, Situation
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.texts import REMEDIES
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import parse_time
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.verdict import HostMeasurement
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import EVERY_DAY, Window
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import (
    AttemptState,
    Outcome,
    Phase,
    Step,
)
from hypothesis import given
from hypothesis import strategies as st

from .conftest import SITE

MakeSite = Callable[..., Site]
RUN = "run-2"
CALENDAR = Calendar(frozenset({date(2027, 5, 17)}))
SETTINGS = Settings(target_version="6.2.0", described_modes=frozenset({"server_in_cloud"}))
DAY_ZERO = parse_time("2027-05-10T07:00:00Z")
UPGRADE_EVENING = parse_time("2027-05-14T16:00:00Z")
MOVE_NIGHT = parse_time("2027-05-18T18:30:00Z")
HOSTS = ("1001-server", "1001-pc1", "1001-pc2")
VERSION = {"version": "6.2.0"}
NO_ANSWERS = {
    "contact": None,
    "urls_confirmed": None,
    "proxy_confirmed": None,
    "closed": None,
    "signatory_known": False,
    "agreement_status": "missing",
}
P6 = {"P6.contact", "P6.urls", "P6.proxy", "P6.closed", "P6.signatory"}
MAY = Span(date(2027, 5, 1), date(2027, 5, 31))


def measured(at: datetime, *checks: CheckResult, hosts: tuple[str, ...] = HOSTS) -> tuple[HostMeasurement, ...]:
    return tuple(
        HostMeasurement(
            host=host,
            role="server" if host == HOSTS[0] else "client",
            at=at - timedelta(minutes=1),
            origin="measured",
            reached=True,
            error=None,
            checks=checks if host == HOSTS[0] else (),
        )
        for host in hosts
    )


def situation(site: Site, at: datetime, **changes: Any) -> Situation:
    fields: dict[str, Any] = {
        "measurements": measured(at),
        "version": "5.4.1",
        "mode": "local",
        "ledger_run": RUN,
        "cloud_run": RUN,
        "users": {host: Users(at, RUN, reached=True, active=False) for host in HOSTS[1:]},
        "release": Release("Kari", at + timedelta(days=60)),
    }
    return Situation(site, Standing(**{**fields, **changes}), CALENDAR, SETTINGS, at, RUN)


def codes(answer: Answer) -> list[str]:
    return [reason.code for reason in answer.reasons]


def undone() -> dict[str, Any]:
    attempt = Attempt(1, "k", AttemptState.ROLLED_BACK, started=MOVE_NIGHT, ended=MOVE_NIGHT + timedelta(minutes=40))
    held = {"ledger": Ledger("1001", attempts=(attempt,)), "known_attempts": 1, "discarded": frozenset({"1"})}
    return {**VERSION, **held}


def no_return() -> dict[str, Any]:
    attempt = Attempt(1, "k", AttemptState.SWITCHED, started=MOVE_NIGHT, switched=MOVE_NIGHT)
    held = {"ledger": Ledger("1001", attempts=(attempt,)), "known_attempts": 1, "mode": "server_in_cloud"}
    asked = {"1": RollbackAsked("Ola Hemmelig", "they ask")}
    return {**VERSION, **held, "rollback_asked": asked, "made": {"1": Made(RUN, known=True, count=3)}}


BUSY = {HOSTS[1]: Users(MOVE_NIGHT + timedelta(hours=3), "run-0", reached=True, active=True)}
FRIDAY = {"move_date": date(2027, 5, 21)}
EARLY = Window(EVERY_DAY, time(6), time(7))
"""Code → when, and what is then not as it should be: of the site and of its standing."""
AGAINST: Mapping[str, tuple[datetime, Mapping[str, Any], Mapping[str, Any]]] = {
    "moved_outside": (DAY_ZERO, {}, {"mode": "server_in_cloud"}),
    "shared_server": (UPGRADE_EVENING, {"shared_server": "house", "together": ("1001", "1002")}, {}),
    "ledger_damaged": (UPGRADE_EVENING, {}, {"ledger_error": "line 3: no JSON"}),
    "ledger_missing": (UPGRADE_EVENING, {}, {"known_attempts": 1}),
    "halted": (UPGRADE_EVENING, {}, {"halts": {"1": "Ola Hemmelig: the vendor asks"}}),
    "not_measured": (DAY_ZERO, {}, {"measurements": ()}),
    "preflight_expired": (DAY_ZERO, {}, {"measurements": measured(DAY_ZERO - timedelta(hours=25))}),
    "dated_early": (DAY_ZERO, {"urls_confirmed": None}, {}),
    "mode_not_described": (UPGRADE_EVENING, {"mode": "second"}, {}),
    "no_wave": (UPGRADE_EVENING, {"wave": None}, {}),
    "not_dated": (DAY_ZERO, {"move_date": None}, {}),
    "closed": (UPGRADE_EVENING, {"closed": (Span(date(2027, 5, 19), date(2027, 5, 20)),)}, {}),
    "contact_day_after": (DAY_ZERO, FRIDAY, {}),
    "wave_dates": (UPGRADE_EVENING, {"wave_dates": Span(date(2027, 5, 19), date(2027, 5, 20))}, {}),
    "freeze": (UPGRADE_EVENING, {"freezes": (Freeze(MAY, "Hemmelig grunn", "health_trust"),)}, {}),
    "no_opening": (UPGRADE_EVENING, {"wave_window": EARLY, "window": Window(EVERY_DAY, time(8), time(9))}, {}),
    "too_short": (UPGRADE_EVENING, {"window": Window(EVERY_DAY, time(20), time(20, 59))}, {}),
    "rolled_back": (MOVE_NIGHT + timedelta(hours=1), {}, undone()),
    "date_passed": (parse_time("2027-05-19T10:00:00Z"), {}, {}),
    "upgrade_missed": (parse_time("2027-05-15T10:00:00Z"), {}, {}),
    "in_use": (MOVE_NIGHT + timedelta(hours=4), {}, {**VERSION, "users": BUSY}),
    "point_of_no_return": (MOVE_NIGHT + timedelta(hours=14), {}, no_return()),
    "not_released": (UPGRADE_EVENING, {}, {"release": None}),
}
every_reason = pytest.mark.parametrize("code", AGAINST)


def against(make_site: MakeSite, code: str, **more: Any) -> Situation:
    at, of_site, of_standing = AGAINST[code]
    return situation(make_site(**of_site, **more), at, **of_standing)


@every_reason
def test_a_site_may_not_begin_for_just_this_reason(make_site: MakeSite, code: str) -> None:
    case = against(make_site, code)
    # A site that is to be measured first may be: what stands against its upgrade is asked for by name.
    answer = may(case, Step.STAGE if may(case).allowed else None)
    # What only looks stays allowed; to ask for the upgrade instead is then out of order as well.
    found = [one for one in codes(answer) if one not in ("out_of_order", "outside_window", "P6.urls")]
    assert (answer.allowed, found) == (False, [code])


def test_every_reason_that_has_texts_is_given_and_no_other(make_site: MakeSite) -> None:
    by_time = {"out_of_order", "outside_window", "does_not_fit"}
    assert set(AGAINST) | by_time == set(REASONS)
    late = parse_time("2027-05-14T19:45:00Z")
    staged = Ledger("1001", upgrade=Upgrade("staged", "6.2.0", None, ""))
    assert codes(may(situation(make_site(), late, ledger=staged))) == ["does_not_fit"]
    assert codes(may(situation(make_site(), DAY_ZERO), Step.INSTALL)) == ["out_of_order", "outside_window"]


@every_reason
@pytest.mark.parametrize("language", ["nb", "nn"])
def test_a_reason_says_all_there_is_to_say_and_nothing_of_a_person(
    make_site: MakeSite, code: str, language: str
) -> None:
    case = against(make_site, code, language=language)
    for reason in (*may(case).reasons, *may(case, Step.STAGE).reasons):
        assert reason.who in ("us", "site", "vendor")
        assert reason.text
        assert reason.do
        told = {**REASONS, **REMEDIES}[reason.code]
        assert reason.remedy == told.text(language, {})
        for personal in ("Kari", "Hemmelig", "Prøvesund", "55 00 00 00", "prove.example"):
            assert personal not in reason.remedy + reason.do
        assert set(reason.to_dict()) == {"code", "text", "do", "who", "remedy"}


def test_all_reasons_are_told_at_once(make_site: MakeSite) -> None:
    """A site that has nothing yet: no answers, no date, no wave, never measured, never released."""
    bare = make_site(wave=None, move_date=None, **NO_ANSWERS)
    case = situation(bare, DAY_ZERO, measurements=(), release=None)
    assert may(case).next.step is Step.PROBE
    told = set(codes(may(case, Step.INSTALL)))
    assert told == {"out_of_order", "not_measured", "P4", *P6, "no_wave", "not_dated", "outside_window"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"move_date": None}, {"not_dated"}),
        ({"move_date": None, "contact": None}, {"not_dated", "P6.contact"}),
        ({"move_date": None, **NO_ANSWERS}, {"not_dated", "P4", *P6}),
        ({"contact": None}, {"dated_early", "P6.contact"}),
        (NO_ANSWERS, {"dated_early", "P4", *P6}),
        ({"wave": None}, {"no_wave"}),
        ({"wave": None, "move_date": None}, {"no_wave", "not_dated"}),
    ],
)
def test_a_site_that_lacks_something_is_never_silent(
    make_site: MakeSite, changes: dict[str, Any], expected: set[str]
) -> None:
    decision = decide(situation(make_site(**changes), DAY_ZERO))
    assert not decision.allowed
    assert {reason.code for reason in decision.reasons} == expected
    why = decision.row()["why"]
    assert all(reason.text in why for reason in decision.reasons)


def test_what_stands_against_a_site_is_told_before_it_is_measured(make_site: MakeSite) -> None:
    decision = decide(situation(make_site(wave=None, move_date=None), DAY_ZERO, measurements=()))
    assert (decision.next.step, decision.allowed, decision.reasons) == (Step.PROBE, True, ())
    assert [reason.code for reason in decision.ahead] == ["not_measured", "no_wave", "not_dated"]
    assert decision.row()["why"] == (
        "no preflight yet; the site is in no wave, so nobody can release it; no move date; all answers are there"
    )


def test_what_is_missing_for_a_date_is_named(make_site: MakeSite) -> None:
    def text(**changes: Any) -> str:
        answer = may(situation(make_site(**changes), DAY_ZERO))
        return next(reason.text for reason in answer.reasons if reason.code in ("not_dated", "dated_early"))

    assert text(move_date=None) == "no move date; all answers are there"
    assert text(move_date=None, closed=None) == "no move date; these answers are not there: P6.closed"
    assert text(closed=None) == "the move date 2027-05-18 is set, but these answers are not there: P6.closed"


def test_an_answer_that_is_waived_keeps_no_site_from_moving(make_site: MakeSite) -> None:
    waived = make_site(urls_confirmed=None, waivers=(Waiver("P6.urls", "seen by us", "Kari", date(2027, 5, 31)),))
    assert may(situation(waived, UPGRADE_EVENING)).allowed
    assert not may(situation(replace(waived, waivers=()), UPGRADE_EVENING)).allowed


class TestTheDay:
    @pytest.mark.parametrize(
        ("day", "weekends", "refused"),
        [
            (date(2027, 5, 20), False, False),
            (date(2027, 5, 21), False, True),
            (date(2027, 5, 21), True, False),
            (date(2027, 5, 23), False, False),
            # Whit Monday is 17 May: a move on Sunday ends on a holiday.
            (date(2027, 5, 16), False, True),
        ],
    )
    def test_a_move_needs_its_contact_on_the_morning_after(
        self, make_site: MakeSite, day: date, weekends: bool, refused: bool
    ) -> None:
        contact = {"name": "K", "email": "k@prove.example", "phone": "55 00 00 00", "weekends": weekends}
        answer = may(situation(make_site(move_date=day, contact=contact), DAY_ZERO))
        assert ("contact_day_after" in codes(answer)) is refused
        assert [reason.who for reason in answer.reasons] == ["site"] * refused

    @pytest.mark.parametrize(
        ("first", "last", "refused"),
        [
            (date(2027, 5, 10), date(2027, 5, 17), False),
            (date(2027, 5, 10), date(2027, 5, 18), True),
            (date(2027, 5, 19), date(2027, 5, 30), True),
            (date(2027, 5, 20), date(2027, 5, 30), False),
        ],
    )
    def test_a_site_is_open_on_the_day_and_on_the_morning_after(
        self, make_site: MakeSite, first: date, last: date, refused: bool
    ) -> None:
        answer = may(situation(make_site(closed=(Span(first, last),)), UPGRADE_EVENING))
        assert codes(answer) == ["closed"] * refused

    @pytest.mark.parametrize(("whose", "who"), [("vendor", "vendor"), ("health_trust", "us"), ("wave", "us")])
    def test_a_freeze_says_whose_it_is(self, make_site: MakeSite, whose: str, who: str) -> None:
        frozen = make_site(freezes=(Freeze(MAY, "few people", whose),))
        (reason,) = may(situation(frozen, UPGRADE_EVENING)).reasons
        assert (reason.code, reason.who) == ("freeze", who)
        assert whose.replace("_", " ") in reason.text
        assert "few people" in reason.text

    def test_a_freeze_that_begins_at_midnight_lets_nothing_begin_after_midnight(self, make_site: MakeSite) -> None:
        days = Span(date(2027, 5, 19), date(2027, 5, 20))
        frozen = make_site(freezes=(Freeze(days, "few people", "vendor"),))
        midnight = parse_time("2027-05-18T22:00:00Z")
        for minutes, expected in ((60, []), (59, ["does_not_fit"]), (0, ["date_passed"])):
            answer = may(situation(frozen, midnight - timedelta(minutes=minutes), **VERSION))
            assert (answer.allowed, codes(answer)) == (not expected, expected)

    def test_a_freeze_today_says_nothing_of_a_later_date(self, make_site: MakeSite) -> None:
        past = make_site(freezes=(Freeze(Span(date(2027, 5, 10), date(2027, 5, 13)), "few people", "vendor"),))
        assert may(situation(past, DAY_ZERO)).reasons == ()

    def test_all_of_a_day_is_told_and_the_plan_says_the_same(self, make_site: MakeSite) -> None:
        freezes = tuple(Freeze(MAY, "few people", whose) for whose in ("vendor", "health_trust", "wave"))
        june = Span(date(2027, 6, 1), date(2027, 6, 30))
        site = make_site(**FRIDAY, closed=(MAY,), freezes=freezes, wave_dates=june)
        case = situation(site, DAY_ZERO)
        assert codes(may(case)) == ["closed", "contact_day_after", "wave_dates", "freeze", "freeze", "freeze"]
        assert {(one.code, one.text, one.who) for one in case.obstacles} == {
            (one.code, one.text, one.who) for one in may(case).reasons
        }

    def test_an_opening_shorter_than_a_move_is_too_short(self, make_site: MakeSite) -> None:
        def told(minutes: int) -> list[str]:
            window = Window(EVERY_DAY, time(20), time(20, minutes))
            return codes(may(situation(make_site(window=window), UPGRADE_EVENING)))

        assert told(59) == ["too_short"]
        hour = Window(EVERY_DAY, time(20), time(21))
        assert may(situation(make_site(window=hour), UPGRADE_EVENING)).allowed


class TestTheOrder:
    @pytest.mark.parametrize("step", Step)
    def test_only_the_step_that_comes_next_may_be_taken(self, make_site: MakeSite, step: Step) -> None:
        answer = may(situation(make_site(), UPGRADE_EVENING), step)
        assert answer.next.step is Step.STAGE
        assert answer.allowed is (step is Step.STAGE)
        assert ("out_of_order" in codes(answer)) is (step is not Step.STAGE)

    @pytest.mark.parametrize(
        ("at", "changes", "words"),
        [
            (UPGRADE_EVENING, {}, "it is not the turn of switch: stage comes next"),
            (DAY_ZERO, {}, "it is not the turn of switch: nothing is due before 2027-05-11 17:00"),
            (DAY_ZERO, {"move_date": None}, "it is not the turn of switch: nothing is to be done"),
        ],
    )
    def test_it_says_what_comes_instead(
        self, make_site: MakeSite, at: datetime, changes: dict[str, Any], words: str
    ) -> None:
        answer = may(situation(make_site(**changes), at), Step.SWITCH)
        assert words in [reason.text for reason in answer.reasons]

    def test_a_person_may_ask_for_a_preflight_that_is_not_due(self, make_site: MakeSite) -> None:
        case = situation(make_site(), DAY_ZERO)
        assert not may(case, Step.PROBE).allowed
        assert may(case, Step.PROBE, force={Phase.PREFLIGHT}).allowed

    def test_nothing_stands_against_a_move_that_has_begun(self, make_site: MakeSite) -> None:
        halted = {**VERSION, "halts": {"all": "Ola: calls"}, "known_attempts": 1}
        for state, told in ((AttemptState.RUNNING, []), (AttemptState.ROLLED_BACK, ["halted"])):
            ledger = Ledger("1001", attempts=(Attempt(1, "k", state, started=MOVE_NIGHT),))
            answer = may(
                situation(make_site(), MOVE_NIGHT, ledger=ledger, **halted), Step.PROBE, force={Phase.PREFLIGHT}
            )
            assert [reason.code for reason in answer.ahead] == told


def checked(site: Site, *remedies: str, outcome: bool | None = False) -> CheckResult:
    return result(site, "P5", outcome, observed="double", expected="script", remedies=remedies, script="pac")


class TestChecks:
    def test_a_check_tells_what_each_of_us_does(self, make_site: MakeSite) -> None:
        site = make_site(language="nn")
        check = checked(site, "P5.double", "P5.disagreeing")
        (reason,) = may(situation(site, UPGRADE_EVENING, measurements=measured(UPGRADE_EVENING, check))).reasons
        assert (reason.code, reason.who, reason.remedy) == ("P5", "site", check.remedy)
        assert reason.text == "1001-server: Only the automatic proxy script is set: no, double"
        assert reason.do == f"{REMEDIES['P5.double'].do}; {REMEDIES['P5.disagreeing'].do}"

    @pytest.mark.parametrize("language", ["nb", "nn"])
    def test_whatever_is_wrong_with_a_host_is_told_whole(
        self, make_site: MakeSite, facts: dict[str, Any], contract: dict[str, Any], language: str
    ) -> None:
        site = make_site(language=language)
        for page in facts["pages"]:
            page.update(status=500, text="no", heading="no", trusted=None)
        facts["proxy"]["profiles"][0].update(proxy_enable=1, proxy_server="proxy.example:8080")
        facts["power"].update(sleep_minutes=30, pending_restart=["update"], scheduled_restarts=["2027-05-15T01:00:00Z"])
        facts["interactor"]["service"] = "stopped"
        checks = judge_facts(facts, site, "server", contract, UPGRADE_EVENING)
        case = situation(site, UPGRADE_EVENING, measurements=measured(UPGRADE_EVENING, *checks))
        reasons = may(case).reasons
        assert [reason.code for reason in reasons] == ["P1", "P2", "P5", "P8", "SERVICE"]
        for reason in reasons:
            assert "{" not in reason.remedy + reason.do
            assert all(reason.to_dict().values())
            assert reason.who == "site"

    def test_what_could_not_be_found_out_is_ours(self, make_site: MakeSite) -> None:
        site = make_site()
        for check in (checked(site, outcome=None), replace(checked(site, "P5.double"), remedy="", evidence={})):
            case = situation(site, UPGRADE_EVENING, measurements=measured(UPGRADE_EVENING, check))
            (reason,) = may(case).reasons
            assert (reason.who, reason.do) == ("us", REMEDIES["UNKNOWN"].do)
            assert reason.remedy == REMEDIES["UNKNOWN"].nb


def test_no_rule_stops_what_brings_a_move_to_its_end() -> None:
    ending = {
        Step.CLOUD,
        Step.USERS,
        Step.MADE,
        Step.FOLLOW,
        Step.RECONCILE,
        Step.HANDBACK,
        Step.CHECK,
        Step.LOOK,
        Step.PROBE,
    }
    assert {rule.code for rule in RULES if rule.steps & ending} == {"out_of_order"}
    assert {rule.code for rule in RULES if {Step.RESTORE, Step.DISCARD} & rule.steps} == {
        "out_of_order",
        "ledger_damaged",
        "ledger_missing",
        "point_of_no_return",
    }


@st.composite
def situations(draw: st.DrawFn) -> Callable[[MakeSite], Situation]:
    """Any mixture of what may be wrong, at any hour around the move."""
    at = datetime(2027, 5, 8, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 15 * 24 * 60)))
    picked = draw(st.lists(st.sampled_from(sorted(AGAINST)), max_size=4, unique=True))
    of_site = {name: value for code in picked for name, value in AGAINST[code][1].items()}
    of_standing = {name: value for code in picked for name, value in AGAINST[code][2].items()}
    if draw(st.booleans()):
        of_standing = {**VERSION, **of_standing}
    if draw(st.booleans()):
        state = draw(st.sampled_from(AttemptState))
        switched = MOVE_NIGHT if state is AttemptState.SWITCHED else None
        ended = MOVE_NIGHT if state is AttemptState.ROLLED_BACK else None
        attempt = Attempt(1, "k", state, started=MOVE_NIGHT, switched=switched, ended=ended)
        ledger = Ledger("1001", lease_held=draw(st.booleans()), attempts=(attempt,))
        of_standing = {**of_standing, "ledger": ledger, "known_attempts": 1}
    return lambda make_site: situation(make_site(**of_site), at, **of_standing)


@given(make=situations(), step=st.none() | st.sampled_from(Step))
def test_a_refusal_always_has_a_reason_or_a_time(make: Callable[[MakeSite], Situation], step: Step | None) -> None:
    case = make(lambda **changes: replace(SITE, **changes))
    answer, decision = may(case, step), decide(case)
    assert answer.allowed is (step in (None, answer.next.step) and answer.next.step is not None and not answer.reasons)
    if not answer.allowed:
        done = decision.outcome in (Outcome.VERIFIED, Outcome.UNCERTAIN)
        assert answer.reasons or (step is None and (answer.next.at or done))
    assert (decision.allowed, decision.reasons) == (may(case).allowed, may(case).reasons)
    for reason in answer.reasons:
        assert all(reason.to_dict().values())
