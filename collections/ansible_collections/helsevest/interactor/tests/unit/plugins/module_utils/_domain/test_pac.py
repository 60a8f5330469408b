# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The functions of an automatic proxy script, each by its description and at its limits."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_network
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.pac import (
    FUNCTIONS,
    PacHost,
    call,
    sh_exp_match,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.pac_facts import pac_host
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = {
    "interactor.dips.no": ("2001:db8::7", "91.102.26.7", "91.102.26.8"),
    "gone.dips.no": (),
    "six.dips.no": ("2001:db8::6",),
}
# A Monday in May, 9 o'clock in Norway.
MORNING = datetime(2027, 5, 10, 7, tzinfo=UTC)
HOURS = timedelta(hours=2)


def host(at: datetime | None = MORNING, ahead: timedelta | None = HOURS) -> PacHost:
    return PacHost(("fe80::1", "10.20.1.5"), NAMES, at, ahead)


@pytest.mark.parametrize(
    ("name", "given", "answer"),
    [
        ("isPlainHostName", ["srv"], True),
        ("isPlainHostName", ["srv.dips.no"], False),
        ("isPlainHostName", ["::1"], False),
        ("dnsDomainIs", ["interactor.dips.no", ".dips.no"], True),
        ("dnsDomainIs", ["interactor.dips.no", "dips.no"], True),
        ("dnsDomainIs", ["dips.no", ".dips.no"], False),
        ("dnsDomainIs", ["dips.no.example", ".dips.no"], False),
        ("localHostOrDomainIs", ["interactor.dips.no", "interactor.dips.no"], True),
        ("localHostOrDomainIs", ["interactor", "interactor.dips.no"], True),
        ("localHostOrDomainIs", ["inter", "interactor.dips.no"], False),
        ("localHostOrDomainIs", ["home.dips.no", "interactor.dips.no"], False),
        ("isResolvable", ["interactor.dips.no"], True),
        ("isResolvable", ["INTERACTOR.dips.no"], True),
        ("isResolvable", ["gone.dips.no"], False),
        ("isResolvable", ["six.dips.no"], False),
        ("isResolvable", [None], False),
        ("isResolvable", [""], False),
        ("isResolvableEx", ["six.dips.no"], True),
        ("isResolvableEx", ["gone.dips.no"], False),
        ("dnsResolve", ["interactor.dips.no"], "91.102.26.7"),
        ("dnsResolve", ["gone.dips.no"], None),
        ("dnsResolve", ["10.1.2.3"], "10.1.2.3"),
        ("dnsResolve", ["localhost"], "127.0.0.1"),
        ("dnsResolveEx", ["interactor.dips.no"], "2001:db8::7;91.102.26.7;91.102.26.8"),
        ("dnsResolveEx", ["gone.dips.no"], ""),
        ("isInNet", ["10.20.1.5", "10.20.0.0", "255.255.0.0"], True),
        ("isInNet", ["10.21.1.5", "10.20.0.0", "255.255.0.0"], False),
        ("isInNet", ["interactor.dips.no", "91.102.26.0", "255.255.255.0"], True),
        ("isInNet", ["gone.dips.no", "0.0.0.0", "0.0.0.0"], False),
        ("isInNet", ["10.20.1.5", "10.20.0.0", "255.255"], False),
        ("isInNet", ["10.20.1.5", None, "255.255.0.0"], False),
        ("isInNetEx", ["interactor.dips.no", "91.102.26.0/24"], True),
        ("isInNetEx", ["interactor.dips.no", "2001:db8::/32"], True),
        ("isInNetEx", ["six.dips.no", "91.102.26.0/24"], False),
        ("isInNetEx", ["interactor.dips.no", "no net"], False),
        ("myIpAddress", [], "10.20.1.5"),
        ("myIpAddressEx", [], "fe80::1;10.20.1.5"),
        ("dnsDomainLevels", ["srv"], 0),
        ("dnsDomainLevels", ["interactor.dips.no"], 2),
        ("shExpMatch", ["http://interactor.dips.no/a", "*.dips.no/*"], True),
        ("shExpMatch", ["interactor.dips.no", "*.dips.n?"], True),
        ("shExpMatch", ["interactorXdips.no", "interactor.dips.no"], False),
        ("shExpMatch", ["interactor.dips.no", "*.DIPS.no"], False),
        ("sortIpAddressList", ["10.0.0.9; 10.0.0.10;2001:db8::1"], "2001:db8::1;10.0.0.9;10.0.0.10"),
        ("sortIpAddressList", ["10.0.0.9;none"], ""),
        ("getClientVersion", [], "1.0"),
        ("alert", ["I was here", 1], None),
    ],
)
def test_what_a_function_answers(name: str, given: list[Any], answer: object):
    found = call(host(), name, given)
    assert (type(found), found) == (type(answer), answer)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("given", [[], [None], [1, 2.5, True], ["a"] * 9])
def test_what_does_not_fit_is_an_answer_or_a_value_error_with_the_name(name: str, given: list[Any]):
    told = ""
    try:
        call(host(), name, given)
    except ValueError as error:
        told = str(error)
    assert not told or name in told


def test_a_function_that_is_none_is_a_value_error():
    with pytest.raises(ValueError, match="system: 1 arguments do not fit"):
        call(host(), "system", ["x"])


def test_a_name_that_is_not_known_does_not_resolve_and_is_told_once():
    of = host()
    assert call(of, "dnsResolve", ["wpad.intern"]) is None
    assert call(of, "isInNet", ["WPAD.intern", "10.0.0.0", "255.0.0.0"]) is False
    assert call(of, "isResolvable", ["gone.dips.no"]) is False
    assert of.unknown == ["wpad.intern"]


def test_a_host_whose_address_is_not_known_has_that_of_every_host():
    of = PacHost()
    assert call(of, "myIpAddress", []) == "127.0.0.1"
    assert call(of, "myIpAddressEx", []) == ""
    assert of.unknown == ["the host's own address"]


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (["MON"], True),
        (["TUE"], False),
        (["MON", "FRI"], True),
        (["SAT", "MON"], True),
        (["TUE", "SUN"], False),
        (["SAT", "TUE"], True),
        (["mon"], False),
        ([], False),
        (["MON", "TUE", "WED"], False),
    ],
)
def test_weekdays(given: list[str], answer: bool):
    assert call(host(), "weekdayRange", given) is answer
    assert call(host(), "weekdayRange", [*given, "GMT"]) is answer


def test_the_day_is_that_of_the_host_unless_it_is_greenwichs():
    late = host(datetime(2027, 5, 9, 22, 30, tzinfo=UTC))
    assert call(late, "weekdayRange", ["MON"]) is True
    assert call(late, "weekdayRange", ["SUN", "GMT"]) is True
    assert call(late, "dateRange", [10]) is True
    assert call(late, "dateRange", [9, "GMT"]) is True
    assert call(late, "timeRange", [0]) is True
    assert call(late, "timeRange", [22, "GMT"]) is True


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ([10], True),
        (["10"], True),
        ([9], False),
        (["MAY"], True),
        (["JUN"], False),
        ([2027], True),
        ([2026], False),
        ([1, 10], True),
        ([11, 31], False),
        ([28, 10], True),
        (["JAN", "MAY"], True),
        (["NOV", "FEB"], False),
        (["NOV", "MAY"], True),
        ([2026, 2027], True),
        ([9, "MAY", 11, "MAY"], True),
        ([11, "MAY", 9, "JUN"], False),
        ([24, "DEC", 10, "MAY"], True),
        (["MAY", 2027, "JUN", 2027], True),
        (["JUN", 2026, "APR", 2027], False),
        ([10, "MAY", 2027, 10, "MAY", 2027], True),
        ([11, "MAY", 2027, 12, "MAY", 2028], False),
        ([], False),
        ([0], False),
        (["may"], False),
        ([1, "MAY"], False),
        ([1, "MAY", 2], False),
        ([1, 2, 3, 4], False),
        ([1.5], False),
    ],
)
def test_dates(given: list[Any], answer: bool):
    assert call(host(), "dateRange", given) is answer


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ([9], True),
        ([8], False),
        ([8, 9], True),
        ([10, 23], False),
        ([22, 9], True),
        ([9, 0, 9, 30], True),
        ([9, 1, 9, 30], False),
        ([22, 30, 9, 0], True),
        ([9, 0, 0, 9, 0, 0], True),
        ([9, 0, 1, 10, 0, 0], False),
        (["9"], True),
    ],
)
def test_times(given: list[Any], answer: bool):
    assert call(host(), "timeRange", given) is answer


@pytest.mark.parametrize("given", [[], [1, 2, 3], ["x"], [None], [True]])
def test_no_time_is_a_value_error(given: list[Any]):
    with pytest.raises(ValueError, match="timeRange takes 1, 2, 4 or 6 numbers"):
        call(host(), "timeRange", given)


@pytest.mark.parametrize(("name", "given"), [("weekdayRange", ["MON"]), ("dateRange", [1]), ("timeRange", [1])])
def test_a_time_that_is_not_known_is_told(name: str, given: list[Any]):
    with pytest.raises(ValueError, match="time of the host, which is not known"):
        call(host(None), name, given)
    with pytest.raises(ValueError, match="time of the host, which is not known"):
        call(host(MORNING, None), name, given)
    call(host(MORNING, None), name, [*given, "GMT"])


alphabet = st.text(st.sampled_from("ab.*?\n"), max_size=12)


@settings(deadline=None, max_examples=400, database=None)
@given(alphabet, alphabet)
def test_patterns_mean_what_they_mean_as_regular_expressions(text: str, pattern: str):
    meaning = "".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in pattern)
    assert sh_exp_match(text, pattern) is bool(re.fullmatch(meaning, text, re.DOTALL))


def test_a_pattern_that_a_regular_expression_would_never_come_to_an_end_with():
    assert sh_exp_match("a" * 3000, "*a" * 300 + "b") is False


@settings(deadline=None, database=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_a_net_is_what_the_library_takes_for_one(address: int, pattern: int, length: int):
    net = ip_network((pattern, length), strict=False)
    asked = [str(IPv4Address(address)), str(net.network_address), str(net.netmask)]
    assert call(host(), "isInNet", asked) is (IPv4Address(address) in net)
    assert call(host(), "isInNetEx", [asked[0], str(net)]) is (IPv4Address(address) in net)


class TestHost:
    FACTS: dict[str, Any] = {  # noqa: RUF012 - read only
        "host": {
            "name": "PC1",
            "addresses": ["fe80::1", "10.20.1.5", "nonsense"],
            "utc": "2027-05-10T07:00:00Z",
            "time_zone": "W. Europe Standard Time",
        },
        "dns": [
            {"name": "Interactor.dips.no", "addresses": ["91.102.26.7"], "error": None},
            {"name": "gone.dips.no", "addresses": None, "error": "no such name"},
            {"name": None, "addresses": None, "error": "x"},
        ],
    }

    def test_what_the_facts_say(self):
        found = pac_host(self.FACTS)
        assert found.addresses == ("fe80::1", "10.20.1.5")
        assert found.names == {
            "interactor.dips.no": ("91.102.26.7",),
            "gone.dips.no": (),
            "pc1": ("fe80::1", "10.20.1.5"),
        }
        assert (found.at, found.ahead) == (MORNING, HOURS)

    @pytest.mark.parametrize(
        ("zone", "hours"),
        [("Romance Standard Time", 2), ("UTC", 0), ("Tokyo Standard Time", None), (None, None)],
    )
    def test_zones(self, zone: str | None, hours: int | None):
        found = pac_host({"host": {**self.FACTS["host"], "time_zone": zone}})
        assert found.ahead == (None if hours is None else timedelta(hours=hours))

    def test_winter(self):
        found = pac_host({"host": {**self.FACTS["host"], "utc": "2027-01-10T07:00:00Z"}})
        assert found.ahead == timedelta(hours=1)

    @pytest.mark.parametrize("facts", [{}, {"host": None, "dns": None}, {"host": dict.fromkeys(FACTS["host"])}])
    def test_nothing_is_known(self, facts: dict[str, Any]):
        assert vars(pac_host(facts)) == vars(PacHost())
