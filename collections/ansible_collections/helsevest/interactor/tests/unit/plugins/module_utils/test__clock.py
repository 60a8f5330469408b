# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock: real, simulated, and answering nonsense."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from types import SimpleNamespace

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils import _clock
from ansible_collections.helsevest.interactor.plugins.module_utils._clock import ClockError, now, wait_until

MOMENT = datetime(2027, 5, 18, 18, 30, tzinfo=UTC)


def test_real_time_is_utc_now():
    before = datetime.now(UTC)
    assert before <= now() <= datetime.now(UTC)
    assert now(None).tzinfo is UTC
    assert now("").tzinfo is UTC


def test_simulated_time_is_asked(web: SimpleNamespace):
    web.answer = lambda _asked: (200, {"now": "2027-05-18T18:30:00Z"})
    assert now(web.url + "/clock") == MOMENT
    assert [(asked.method, asked.path, asked.body) for asked in web.asked] == [("GET", "/clock", None)]


def test_simulated_waiting_moves_the_clock(web: SimpleNamespace):
    web.answer = lambda asked: (200, {"now": asked.body["until"]})
    assert wait_until(MOMENT, web.url) == MOMENT
    assert [(asked.method, asked.body) for asked in web.asked] == [("POST", {"until": "2027-05-18T18:30:00Z"})]


def test_the_clock_is_never_asked_through_a_proxy(web: SimpleNamespace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    web.answer = lambda _asked: (200, {"now": "2027-05-18T18:30:00Z"})
    assert now(web.url) == MOMENT


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>"),
        (200, {}),
        (200, []),
        (200, {"now": None}),
        (200, {"now": "soon"}),
        (200, {"now": "2027-05-18T18:30:00"}),
        (500, {"now": "2027-05-18T18:30:00Z"}),
        None,
    ],
)
def test_a_bad_answer_is_a_clock_error_that_names_the_clock(web: SimpleNamespace, answer: object):
    web.answer = lambda _asked: answer
    with pytest.raises(ClockError, match=f"the simulator's clock at {web.url} "):
        now(web.url)


def test_a_clock_that_is_not_there():
    with pytest.raises(ClockError, match=r"did not answer POST"):
        wait_until(MOMENT, "http://127.0.0.1:1/")


def test_real_waiting_naps_until_the_moment_has_come(monkeypatch: pytest.MonkeyPatch):
    class Time(datetime):
        current = MOMENT

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return cls.current.astimezone(tz)

    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        Time.current += timedelta(seconds=seconds)

    monkeypatch.setattr(_clock, "datetime", Time)
    monkeypatch.setattr(_clock.time, "sleep", nap)
    assert wait_until(MOMENT + timedelta(seconds=150)) == MOMENT + timedelta(seconds=150)
    assert naps == [60, 60, 30]
    assert wait_until(MOMENT) == Time.current
    assert len(naps) == 3


def test_waiting_for_a_moment_without_an_offset_is_refused():
    with pytest.raises(ValueError, match="no offset"):
        wait_until(datetime(2027, 5, 18))  # noqa: DTZ001
