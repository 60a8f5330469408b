# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways of requests: what a script answers and what a manual proxy comes to."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.proxy_way import (
    PORTS,
    is_too_long,
    manual_way,
    parse_answer,
)
from hypothesis import given, settings
from hypothesis import strategies as st

MANUAL = "sikker.proxy.nhn.no:8080"
P1, P2 = "https://interactor.dips.no", "https://dipsupsvr.dips.no"


@pytest.mark.parametrize(
    ("told", "long"),
    [
        ({}, True),
        ({"characters": 65_536}, False),
        ({"characters": None}, False),
        ({"text": "f"}, False),
        ({"status": 404}, False),
    ],
)
def test_what_is_too_long_to_be_brought_home(told: dict[str, Any], long: bool):
    assert is_too_long({"status": 200, "text": None, "characters": 65_537, **told}) is long


class TestAnswer:
    @pytest.mark.parametrize(
        ("text", "ways"),
        [
            ("DIRECT", ("DIRECT",)),
            ("", ("DIRECT",)),
            (" ; ", ("DIRECT",)),
            (
                "PROXY a.example:8080; SOCKS b.example:1; DIRECT",
                ("PROXY a.example:8080", "SOCKS b.example:1", "DIRECT"),
            ),
            ("proxy  A.example:080;direct;", ("PROXY a.example:80", "DIRECT")),
            ("PROXY a;HTTPS b;SOCKS5 c;HTTP d", ("PROXY a:80", "HTTPS b:443", "SOCKS5 c:1080", "HTTP d:80")),
            ("PROXY [2001:db8::1]:8080", ("PROXY [2001:db8::1]:8080",)),
            ("a.example:8080;b.example:81", ("PROXY a.example:8080", "PROXY b.example:81")),
            ("http://a.example:8080/", ("PROXY a.example:8080",)),
            ("PROXY kari:hemmelig@a.example:8080", ("PROXY a.example:8080",)),
            ("PROXY http://kari:hemmelig@a.example:8080", ("PROXY a.example:8080",)),
        ],
    )
    def test_ways(self, text: str, ways: tuple[str, ...]):
        assert parse_answer(text) == ways

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("PROXY", "'PROXY' is no way"),
            ("FTP a:1", "'FTP a:1' is no way"),
            ("PROXY a b", "'PROXY a b' is no way"),
            ("DIRECT a", "is no way"),
            ("PROXY a:0", "'a:0' is no address of a proxy"),
            ("PROXY a:65536", "is no address"),
            ("PROXY a:x", "is no address"),
            ("PROXY <b>", "is no address"),
            ("x" * 4097, "an answer of 4097 characters; 4096 are allowed"),
        ],
    )
    def test_what_is_none_is_told(self, text: str, told: str):
        with pytest.raises(ValueError, match=told):
            parse_answer(text)

    def test_no_error_quotes_credentials(self):
        with pytest.raises(ValueError, match="no address") as told:
            parse_answer("PROXY kari:hemmelig@a:x")
        assert "hemmelig" not in str(told.value)


names = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True)
ways = st.just("DIRECT") | st.builds(
    lambda word, name, port: f"{word} {name}:{port}", st.sampled_from(sorted(PORTS)), names, st.integers(1, 65535)
)


@settings(deadline=None, database=None)
@given(st.lists(ways, min_size=1, max_size=5), st.sampled_from(["; ", ";", " ;  "]))
def test_what_is_written_is_read(found: list[str], between: str):
    assert parse_answer(between.join(found)) == tuple(found)


@settings(deadline=None, max_examples=300, database=None)
@given(st.text(max_size=60) | st.text(st.sampled_from("PROXYDIECTa:;1@/[] .\n"), max_size=40))
def test_whatever_comes_it_is_ways_or_a_value_error(text: str):
    try:
        found = parse_answer(text)
    except ValueError:
        return
    assert parse_answer("; ".join(found)) == found


@pytest.mark.parametrize(
    ("proxy", "bypass", "url", "way"),
    [
        (MANUAL, "", P1, f"PROXY {MANUAL}"),
        (f"http://{MANUAL}", "", P1, f"PROXY {MANUAL}"),
        ("a.example", "", P1, "PROXY a.example:80"),
        (f"http=a.example:1;https={MANUAL};ftp=b:2", "", P1, f"PROXY {MANUAL}"),
        (f"http=a.example:1 https={MANUAL}", "", "http://dips.no", "PROXY a.example:1"),
        ("http=a.example:1", "", P1, "DIRECT"),
        ("http=a.example:1;socks=b.example:2", "", P1, "SOCKS b.example:2"),
        ("", "", P1, "DIRECT"),
        (MANUAL, "<local>", P1, f"PROXY {MANUAL}"),
        (MANUAL, "<local>", "http://srv/", "DIRECT"),
        (MANUAL, "*.dips.no", P1, "DIRECT"),
        (MANUAL, "<local>; *.DIPS.no", P2, "DIRECT"),
        (MANUAL, "https://*.dips.no:443", P1, "DIRECT"),
        (MANUAL, "http://*.dips.no", P1, f"PROXY {MANUAL}"),
        (MANUAL, "dips.no;interactor.*.se", P1, f"PROXY {MANUAL}"),
        (MANUAL, " ; ", P1, f"PROXY {MANUAL}"),
    ],
)
def test_a_manual_proxy(proxy: str, bypass: str, url: str, way: str):
    assert manual_way(proxy, bypass, url) == way


def test_what_is_no_address_is_told():
    with pytest.raises(ValueError, match="'a:b:c' is no address of a proxy"):
        manual_way("a:b:c", "", P1)
