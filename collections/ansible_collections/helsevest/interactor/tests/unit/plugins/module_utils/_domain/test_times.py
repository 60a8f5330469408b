# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments in and out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import (
    format_local,
    format_time,
    parse_time,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-05-18T18:30:00Z", datetime(2027, 5, 18, 18, 30, tzinfo=UTC)),
        ("2027-05-18T20:30:00+02:00", datetime(2027, 5, 18, 18, 30, tzinfo=UTC)),
    ],
)
def test_parse(text: str, moment: datetime):
    assert parse_time(text) == moment
    assert parse_time(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["2027-05-18T18:30:00", "2027-05-18", "", "soon", None, 7])
def test_what_is_no_moment_is_refused(text: object):
    with pytest.raises(ValueError, match="as 2027-05-18T18:30:00Z"):
        parse_time(text)  # type: ignore[arg-type]


def test_format_turns_to_utc_and_refuses_naive():
    oslo = timezone(timedelta(hours=2))
    assert format_time(datetime(2027, 5, 18, 20, 30, 59, 999999, tzinfo=oslo)) == "2027-05-18T18:30:59Z"
    with pytest.raises(ValueError, match="no offset"):
        format_time(datetime(2027, 5, 18))  # noqa: DTZ001


def test_people_read_norwegian_time():
    assert format_local(datetime(2027, 5, 18, 22, 30, 59, tzinfo=UTC)) == "2027-05-19 00:30"
    assert format_local(datetime(2027, 12, 31, 23, 0, tzinfo=UTC)) == "2028-01-01 00:00"


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9000, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_round_trip_to_the_second(moment: datetime):
    assert parse_time(format_time(moment)) == moment.astimezone(UTC).replace(microsecond=0)
