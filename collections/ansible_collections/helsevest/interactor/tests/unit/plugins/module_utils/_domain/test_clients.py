# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts of a client: measured, self-checked, or the office's own word, and which goes before which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.calendar import Calendar
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.decision import decide
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.results import CheckResult, result
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.since import failing_since
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site, Waiver
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import Standing
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.step import (
    Settings,
    Situation,
    hosts_to_probe,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.verdict import (
    ClientResult,
    HostMeasurement,
    Validity,
    client_result,
    confirmed_span,
    site_verdict,
    told_clients,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import OSLO
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import Origin, Severity, Verdict
from hypothesis import given
from hypothesis import strategies as st

MakeSite = Callable[..., Site]
SERVER, PC = "1001-server", "1001-pc1"
M, S, C = Origin.MEASURED, Origin.SELF_CHECKED, Origin.CONFIRMED
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
VALIDITY = Validity()
PASS: tuple[str, ...] = ()


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """One client, and nobody has said anything."""
    return make_site(clients=("pc1",), urls_confirmed=None, proxy_confirmed=None)


def failed(site: Site, check: str, outcome: bool | None = False) -> CheckResult:
    remedy = {"P1": "P1", "P5": "P5.double"}[check]
    return result(
        site, check, outcome, observed="seen", expected="wanted", remedies=[remedy], url="u", text="t", script="s"
    )


def look(
    site: Site, origin: Origin, at: datetime, failures: Sequence[str] = PASS, **changes: object
) -> HostMeasurement:
    checks = tuple(failed(site, name, name not in failures) for name in ("P1", "P5"))
    return replace(HostMeasurement(PC, "client", at, origin, reached=True, error=None, checks=checks), **changes)  # type: ignore[arg-type]


def counts(site: Site, now: datetime, *looks: HostMeasurement, validity: Validity = VALIDITY) -> ClientResult:
    return client_result(site, PC, looks, now, validity)


def told(found: ClientResult) -> tuple[Origin | None, Verdict, list[str]]:
    return found.origin, found.verdict, [check.id for check in found.checks if check.is_open]


@pytest.mark.parametrize(("origin", "days"), [(M, 14), (S, 30)])
def test_how_long_each_counts(site: Site, now: datetime, origin: Origin, days: int):
    for more, expected in ((timedelta(0), origin), (SECOND, None)):
        at = now - days * DAY - more
        found = counts(site, now, look(site, origin, at))
        assert found.origin == expected
        assert (found.at, found.until) == ((at, now) if expected else (None, None))


def test_the_validities_are_settings(site: Site, now: datetime):
    short = Validity(client=DAY, self_checked=2 * DAY)
    looks = [look(site, M, now - DAY - SECOND), look(site, S, now - 2 * DAY)]
    assert counts(site, now, *looks, validity=short).origin == S
    assert counts(site, now + SECOND, *looks, validity=short).origin is None


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        ((M, PASS), (S, PASS), (S, Verdict.READY, [])),
        ((S, PASS), (M, PASS), (M, Verdict.READY, [])),
        # The latest counts, whoever found it out.
        ((S, PASS), (M, ("P1", "P5")), (M, Verdict.NOT_READY, ["P1", "P5"])),
        ((M, PASS), (S, ("P5",)), (S, Verdict.NOT_READY, ["P5"])),
        ((S, ("P1", "P5")), (M, PASS), (M, Verdict.READY, [])),
        # But a self-check sees the proxy of one person alone.
        ((M, ("P1",)), (S, PASS), (S, Verdict.READY, [])),
        ((M, ("P5",)), (S, PASS), (S, Verdict.NOT_READY, ["P5"])),
        ((M, ("P1", "P5")), (S, ("P1",)), (S, Verdict.NOT_READY, ["P1", "P5"])),
        ((M, ("P5",)), (S, ("P5",)), (S, Verdict.NOT_READY, ["P5"])),
    ],
)
def test_which_of_two_counts(
    site: Site,
    now: datetime,
    earlier: tuple[Origin, Sequence[str]],
    later: tuple[Origin, Sequence[str]],
    expected: object,
):
    looks = [look(site, earlier[0], now - 2 * DAY, earlier[1]), look(site, later[0], now - DAY, later[1])]
    assert told(counts(site, now, *looks)) == expected
    assert told(counts(site, now, *reversed(looks))) == expected


def test_at_the_same_moment_the_measurement_counts(site: Site, now: datetime):
    looks = [look(site, M, now, ("P1",)), look(site, S, now)]
    for order in (looks, looks[::-1]):
        assert told(counts(site, now, *order)) == (M, Verdict.NOT_READY, ["P1"])


def test_a_measured_proxy_stays_as_long_as_the_measurement_counts(site: Site, now: datetime):
    looks = [look(site, M, now, ("P5",)), look(site, S, now + DAY)]
    assert told(counts(site, now + 14 * DAY, *looks)) == (S, Verdict.NOT_READY, ["P5"])
    assert told(counts(site, now + 14 * DAY + SECOND, *looks)) == (S, Verdict.READY, [])


def test_a_measured_proxy_that_is_not_known_stands_in_nobodys_way(site: Site, now: datetime):
    unknown = look(site, M, now, checks=(failed(site, "P5", None),))
    assert told(counts(site, now, unknown)) == (M, Verdict.NOT_READY, ["P5"])
    assert told(counts(site, now + DAY, unknown, look(site, S, now + DAY))) == (S, Verdict.READY, [])
    harmless = look(site, M, now, checks=(replace(failed(site, "P5"), severity=Severity.WARNING),))
    assert told(counts(site, now + DAY, harmless, look(site, S, now + DAY))) == (S, Verdict.READY, [])


def test_what_has_failed_does_not_pass_again_because_it_is_over(site: Site, now: datetime):
    """A self-check that passed on the day before the failure is still valid when the measurement is not."""
    looks = [look(site, S, now - DAY), look(site, M, now, ("P1",))]
    assert told(counts(site, now + 14 * DAY, *looks)) == (M, Verdict.NOT_READY, ["P1"])
    assert told(counts(site, now + 15 * DAY, *looks)) == (None, Verdict.NOT_READY, [])
    passed = [look(site, S, now - DAY), look(site, M, now)]
    assert told(counts(site, now + 15 * DAY, *passed)) == (S, Verdict.READY, [])


def test_the_same_where_a_self_check_counts_shorter(site: Site, now: datetime):
    short = Validity(self_checked=DAY)
    looks = [look(site, M, now), look(site, S, now + DAY, ("P5",))]
    assert told(counts(site, now + 2 * DAY, *looks, validity=short)) == (S, Verdict.NOT_READY, ["P5"])
    assert told(counts(site, now + 3 * DAY, *looks, validity=short)) == (None, Verdict.NOT_READY, [])


def test_a_waived_failure_is_none(site: Site, now: datetime):
    waived = replace(site, waivers=(Waiver("P5", "r", "Ola", now.date()),))
    looks = [look(site, M, now - 2 * DAY, ("P5",)), look(site, S, now - DAY)]
    assert told(counts(waived, now, *looks)) == (S, Verdict.READY, [])
    assert told(counts(waived, now + DAY, *looks)) == (S, Verdict.NOT_READY, ["P5"])


class TestTheOfficesWord:
    @pytest.fixture
    def confirming(self, make_site: MakeSite) -> Site:
        return make_site(clients=("pc1",), urls_confirmed=date(2027, 4, 20), proxy_confirmed=date(2027, 4, 22))

    FIRST = datetime(2027, 4, 20, tzinfo=OSLO)
    END = datetime(2027, 7, 20, tzinfo=OSLO)

    def test_it_covers_a_client_of_which_nothing_else_is_known(self, confirming: Site, now: datetime):
        assert counts(confirming, now) == ClientResult(PC, C, self.FIRST, self.END)
        off = look(confirming, M, now, reached=False, cause="timeout", checks=())
        ours = look(confirming, M, now, error="broken", checks=())
        for tried in (off, ours):
            assert told(counts(confirming, now, tried)) == (C, Verdict.READY, [])

    @pytest.mark.parametrize(
        ("at", "covers"),
        [
            (datetime(2027, 4, 21, 21, 59, 59, tzinfo=UTC), False),
            (datetime(2027, 4, 21, 22, tzinfo=UTC), True),
            (datetime(2027, 7, 19, 21, 59, 59, tzinfo=UTC), True),
            (datetime(2027, 7, 19, 22, tzinfo=UTC), False),
        ],
    )
    def test_from_when_both_are_said_to_the_last_day_of_the_earlier(self, confirming: Site, at: datetime, covers: bool):
        """Days of Norway; the earlier of the two is the older word."""
        assert (counts(confirming, at).origin == C) is covers

    @pytest.mark.parametrize("missing", ["urls_confirmed", "proxy_confirmed"])
    def test_half_a_word_is_none(self, confirming: Site, now: datetime, missing: str):
        half = replace(confirming, **{missing: None})  # type: ignore[arg-type]
        assert confirmed_span(half, now, VALIDITY) is None
        assert counts(half, now).origin is None

    def test_it_is_a_setting_and_may_count_nothing(self, confirming: Site, now: datetime):
        assert counts(confirming, now, validity=Validity(confirmed=19 * DAY)).origin is None
        assert counts(confirming, now, validity=Validity(confirmed=20 * DAY)).origin == C
        same_day = replace(confirming, urls_confirmed=now.date(), proxy_confirmed=now.date())
        assert counts(same_day, now, validity=Validity(confirmed=timedelta(0))).origin is None

    @pytest.mark.parametrize("origin", [M, S])
    def test_what_was_found_out_goes_before_it(self, confirming: Site, now: datetime, origin: Origin):
        assert told(counts(confirming, now, look(confirming, origin, now - DAY)))[0] == origin
        bad = look(confirming, origin, now - DAY, ("P1",))
        assert told(counts(confirming, now, bad)) == (origin, Verdict.NOT_READY, ["P1"])

    @pytest.mark.parametrize(("before", "origin"), [(timedelta(0), None), (SECOND, C)])
    def test_a_failure_that_is_over_counts_against_an_earlier_word_alone(
        self, confirming: Site, before: timedelta, origin: Origin | None
    ):
        bad = look(confirming, M, self.FIRST - before, ("P1",))
        assert counts(confirming, self.FIRST + 20 * DAY, bad).origin == origin

    def test_it_follows_on_what_passed(self, confirming: Site, now: datetime):
        good = look(confirming, M, now)
        assert told(counts(confirming, now + 14 * DAY + SECOND, good)) == (C, Verdict.READY, [])

    def test_it_never_covers_a_server(self, confirming: Site, now: datetime):
        assert site_verdict(confirming, [], [], now, VALIDITY) is None
        from_file = HostMeasurement(SERVER, "server", now, S, reached=True, error=None, checks=())
        assert site_verdict(confirming, [from_file], [], now, VALIDITY) is None


@given(
    looks=st.lists(st.tuples(st.sampled_from([M, S]), st.integers(-60, 0), st.booleans(), st.booleans()), max_size=5),
    word=st.one_of(st.none(), st.integers(-120, 0)),
)
def test_never_ready_on_a_newer_failure(looks: list[tuple[Origin, int, bool, bool]], word: int | None):
    """Whatever was found out and said in whatever order: ready is never told where the newest that is known failed."""
    from .conftest import SITE

    now = datetime(2027, 5, 10, 7, tzinfo=UTC)
    said = None if word is None else (now + word * DAY).date()
    site = replace(SITE, clients=("pc1",), urls_confirmed=said, proxy_confirmed=said)
    made = [
        look(site, origin, now + day * DAY, (("P1",) if bad else ()), reached=reached)
        for origin, day, bad, reached in looks
    ]
    found = counts(site, now, *made)
    judged = sorted((m for m in made if m.is_judged), key=lambda m: (m.at, m.origin == M))
    if not judged or not judged[-1].checks[0].is_open:
        return
    if found.verdict is Verdict.READY:
        assert found.origin == C
        assert said is not None
        assert judged[-1].at < datetime(said.year, said.month, said.day, tzinfo=OSLO)


class TestWhoIsAskedAgain:
    """With WinRM: a self-check is no reason to leave a PC alone for ever, and one that differs is one to look again."""

    def due(self, site: Site, now: datetime, *looks: HostMeasurement) -> bool:
        server = HostMeasurement(SERVER, "server", now, M, reached=True, error=None, checks=())
        standing = Standing(measurements=tuple(sorted([server, *looks], key=lambda m: m.at)))
        settings = Settings("6.2.0", frozenset({"server_in_cloud"}))
        return PC in hosts_to_probe(Situation(site, standing, Calendar(frozenset()), settings, now, "run"))

    EVENING = datetime(2027, 5, 18, 19, tzinfo=UTC)

    def test_a_self_check_after_a_measured_failure(self, site: Site, now: datetime):
        bad = look(site, M, now - 2 * DAY, ("P5",))
        assert not self.due(site, now, bad)
        assert not self.due(site, now, bad, look(site, S, now - 3 * DAY))
        assert self.due(site, now, bad, look(site, S, now - DAY))
        assert not self.due(site, now, look(site, M, now - 2 * DAY), look(site, S, now - DAY, ("P5",)))

    def test_a_self_check_alone_does_not_keep_us_from_trying(self, site: Site, now: datetime):
        assert self.due(site, now, look(site, S, now))

    def test_a_pc_that_is_vouched_for_is_not_waited_for_every_quarter(self, site: Site):
        now = self.EVENING
        off = look(site, M, now - timedelta(minutes=15), reached=False, cause="timeout", checks=())
        assert self.due(site, now, off)
        assert self.due(site, now, off, look(site, S, now - DAY, ("P1",)))
        assert not self.due(site, now, off, look(site, S, now - DAY))
        said = replace(site, urls_confirmed=date(2027, 5, 1), proxy_confirmed=date(2027, 5, 1))
        assert not self.due(said, now, off)
        assert self.due(said, now, replace(off, at=now - DAY))


class TestSince:
    def since(self, site: Site, now: datetime, *looks: HostMeasurement) -> dict[str, datetime]:
        return failing_since(site, looks, {}, now, VALIDITY)

    def test_a_self_check_does_not_end_the_run_of_what_it_sees_in_part(self, site: Site, now: datetime):
        looks = [look(site, M, now - 2 * DAY, ("P1", "P5")), look(site, S, now - DAY)]
        assert self.since(site, now, *looks) == {"P5": now - DAY}
        assert failing_since(site, looks, {"P5": now - 2 * DAY}, now, VALIDITY) == {"P5": now - 2 * DAY}

    def test_a_client_is_owed_since_the_last_of_all_that_counted(self, make_site: MakeSite, site: Site, now: datetime):
        code = f"CLIENT.{PC}"
        measured = look(site, M, now)
        assert self.since(site, now + 20 * DAY, measured) == {code: now + 14 * DAY}
        assert self.since(site, now + 20 * DAY, measured, look(site, S, now - DAY)) == {}
        assert self.since(site, now + 40 * DAY, measured, look(site, S, now - DAY)) == {code: now + 29 * DAY}
        said = make_site(clients=("pc1",), urls_confirmed=date(2027, 4, 20), proxy_confirmed=date(2027, 4, 20))
        assert self.since(said, now + 20 * DAY, measured) == {}
        assert self.since(said, now + 90 * DAY, measured) == {code: datetime(2027, 7, 20, tzinfo=OSLO)}
        failure = look(said, M, now, ("P1",))
        assert self.since(said, now + 90 * DAY, failure) == {code: now + 14 * DAY, "P1": now}


def test_the_decision_tells_them_apart(make_site: MakeSite, now: datetime):
    site = make_site(clients=("pc1", "pc2", "pc3"))
    looks = (
        HostMeasurement(SERVER, "server", now, M, reached=True, error=None, checks=()),
        look(site, M, now - DAY, host=PC),
        look(site, S, now - DAY, ("P5",), host="1001-pc2"),
    )
    settings = Settings("6.2.0", frozenset({"server_in_cloud"}))
    standing = Standing(as_of=now, measurements=looks)
    decision = decide(Situation(site, standing, Calendar(frozenset()), settings, now, "run"))
    told = decision.to_dict()
    assert [tuple(client.values()) for client in told["clients"]] == [
        ("1001-pc1", "measured", "2027-05-09T07:00:00Z", "2027-05-23T07:00:00Z", "ready"),
        ("1001-pc2", "self_checked", "2027-05-09T07:00:00Z", "2027-06-08T07:00:00Z", "not_ready"),
        ("1001-pc3", "confirmed", "2027-04-19T22:00:00Z", "2027-07-19T22:00:00Z", "ready"),
    ]
    assert list(told["clients"][0]) == ["host", "origin", "at", "until", "verdict"]
    assert told["row"]["clients"] == {"measured": 1, "self_checked": 1, "confirmed": 1, "missing": 0}
    assert told_clients([ClientResult(PC, None)])["missing"] == 1
