# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of page came: every rule, every limit, and which way decides."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.page_kind import (
    Look,
    PageKind,
    Wanted,
    deciding,
    fold,
    is_public,
    kind_of_error,
    look_at,
)
from hypothesis import given
from hypothesis import strategies as st

P1 = Wanted("https://interactor.dips.no", 404, "text", "default backend - 404")
P2 = Wanted("https://dipsupsvr.dips.no", 200, "heading", "Testing 123")
PUBLIC = ("Buypass", "Let's Encrypt", "SSL.com")
OURS = "CN=R11, O=Let's Encrypt, C=US"
THEIRS = "CN=Kontorets brannmur, O=Fortinet"
PAGE: dict[str, Any] = {
    "id": "P1",
    "way": "direct",
    "script": None,
    "proxy": None,
    "url": P1.url,
    "status": 404,
    "text": "default backend – 404",
    "heading": None,
    "final_url": "https://interactor.dips.no/",
    "issuer": OURS,
    "trusted": True,
    "milliseconds": 31,
    "error": None,
}
NONE = {"status": 0, "text": None, "final_url": None, "issuer": None, "trusted": None}


def look(wanted: Wanted = P1, **changes: Any) -> Look:
    return look_at({**PAGE, **changes}, wanted, PUBLIC)


def kind(wanted: Wanted = P1, **changes: Any) -> PageKind:
    return look(wanted, **changes).kind


def second(**changes: Any) -> PageKind:
    page = {"url": P2.url, "status": 200, "text": "Testing 123", "heading": "Testing 123", "final_url": P2.url}
    return kind(P2, **{**page, **changes})


class TestTheWantedPage:
    def test_as_wanted(self):
        assert kind() is PageKind.AS_WANTED
        assert second() is PageKind.AS_WANTED

    @pytest.mark.parametrize(
        "changes",
        [
            {"issuer": None, "trusted": None},
            {"issuer": ""},
            {"trusted": None},
            {"final_url": None},
            {"final_url": "http://INTERACTOR.dips.no.:8080/other?x=1"},
            {"final_url": "https://[broken"},
        ],
    )
    def test_what_is_not_told_stands_not_against_it(self, changes: dict[str, Any]):
        assert kind(**changes) is PageKind.AS_WANTED

    @pytest.mark.parametrize(
        ("changes", "found"),
        [
            ({"status": None}, PageKind.UNKNOWN),
            ({"text": None}, PageKind.UNKNOWN),
            ({"text": None, "status": 200}, PageKind.WRONG_STATUS),
            ({"text": "default backend 404"}, PageKind.WRONG_TEXT),
            ({"text": ""}, PageKind.WRONG_TEXT),
            ({"status": 403}, PageKind.WRONG_STATUS),
            ({"status": 200}, PageKind.WRONG_STATUS),
            ({"status": 0}, PageKind.NO_ANSWER),
        ],
    )
    def test_the_words_and_the_status(self, changes: dict[str, Any], found: PageKind):
        assert kind(**changes) is found

    @pytest.mark.parametrize(
        ("changes", "found"),
        [
            ({"heading": None}, PageKind.WRONG_TEXT),
            ({"heading": None, "text": None}, PageKind.UNKNOWN),
            ({"heading": None, "text": None, "status": 502}, PageKind.WRONG_STATUS),
            ({"heading": "Testing 124"}, PageKind.WRONG_TEXT),
            ({"heading": "TESTING  123"}, PageKind.AS_WANTED),
        ],
    )
    def test_the_heading(self, changes: dict[str, Any], found: PageKind):
        assert second(**changes) is found


class TestBlank:
    @pytest.mark.parametrize("status", [200, 204, 299])
    @pytest.mark.parametrize("text", ["", " \n\u00a0"])
    def test_nothing_with_a_good_status(self, status: int, text: str):
        assert kind(status=status, text=text) is PageKind.BLANK

    @pytest.mark.parametrize("issuer", [None, OURS, THEIRS])
    @pytest.mark.parametrize("trusted", [True, False, None])
    def test_whoever_empties_it_a_blank_page_is_blank(self, issuer: str | None, trusted: bool | None):
        assert kind(status=200, text="", issuer=issuer, trusted=trusted) is PageKind.BLANK
        assert kind(status=200, text="", issuer=issuer, final_url="https://other.example/") is PageKind.REDIRECTED

    @pytest.mark.parametrize("status", [199, 300, 500])
    def test_nothing_with_another_status(self, status: int):
        assert kind(status=status, text="") is PageKind.WRONG_STATUS

    def test_a_page_without_text_and_heading(self):
        assert second(heading=None, text="") is PageKind.BLANK
        assert second(heading="", text="x") is PageKind.WRONG_TEXT


class TestLogin:
    @pytest.mark.parametrize("status", [407, 511])
    def test_a_status_that_only_a_network_has(self, status: int):
        assert kind(status=status, text=None) is PageKind.LOGIN
        assert kind(status=status, text=P1.words, trusted=True) is PageKind.LOGIN

    @pytest.mark.parametrize(
        "text",
        [
            "Velkommen! Logg inn for å bruke gjestenettet",
            "LOGG PÅ",
            "Log in",
            "Sign in to continue",
            "Username Password",
            "Brukernavn",
            "Brukarnamn og passord",
            "You must accept our terms",
            "Godta vilkårene for å gå videre",
        ],
    )
    @pytest.mark.parametrize("where", ["text", "heading"])
    def test_a_page_that_asks_to_log_in(self, text: str, where: str):
        came = {"status": 200, "text": "Hei", "issuer": None, "trusted": None, where: text}
        assert kind(**came) is PageKind.LOGIN
        assert kind(**{**came, "issuer": THEIRS, "trusted": False}) is PageKind.LOGIN
        assert kind(**{**came, "final_url": "https://portal.example/"}) is PageKind.LOGIN

    @pytest.mark.parametrize("text", ["Blokkert", "catalogue in stock", "Vilkår for bruk", "blogg inne"])
    def test_a_page_that_does_not(self, text: str):
        assert kind(status=200, text=text, issuer=None) is PageKind.WRONG_STATUS

    def test_401_is_a_login_unless_it_is_the_vendors(self):
        assert kind(status=401, text="", issuer=None) is PageKind.LOGIN
        assert kind(status=401, text="") is PageKind.WRONG_STATUS

    def test_what_the_vendor_proves_to_be_its_own_is_no_login_of_a_network(self):
        found = look(status=200, text="Logg inn")
        assert (found.kind, found.is_proven) == (PageKind.WRONG_STATUS, True)

    def test_the_wanted_page_may_speak_of_a_password(self):
        wanted = Wanted(P1.url, 200, "text", "Ingen passord her")
        assert kind(wanted, status=200, text="Ingen passord her", issuer=None) is PageKind.AS_WANTED


class TestRedirected:
    @pytest.mark.parametrize("final", ["https://block.example/", "http://www.interactor.dips.no/", "https://dips.no"])
    def test_another_host(self, final: str):
        found = look(final_url=final)
        assert (found.kind, found.is_proven) == (PageKind.REDIRECTED, False), "even with the right words"


class TestCertificates:
    @pytest.mark.parametrize("trusted", [True, False, None])
    @pytest.mark.parametrize("text", [P1.words, "anything"])
    def test_an_issuer_that_is_not_public_reads_along(self, trusted: bool | None, text: str):
        found = look(issuer=THEIRS, trusted=trusted, text=text)
        assert found.kind is PageKind.INSPECTED
        assert found.is_soft == (text == P1.words)

    def test_a_public_one_that_windows_does_not_trust(self):
        assert kind(trusted=False) is PageKind.CERTIFICATE
        assert kind(trusted=False, text="anything") is PageKind.CERTIFICATE

    def test_an_error_of_the_certificate_is_told_by_its_issuer(self):
        told = {**NONE, "error": "TrustFailure: The underlying connection was closed"}
        assert kind(**told) is PageKind.CERTIFICATE
        assert kind(**{**told, "issuer": OURS}) is PageKind.CERTIFICATE
        assert kind(**{**told, "issuer": THEIRS}) is PageKind.INSPECTED
        assert not look(**{**told, "issuer": THEIRS}).is_soft
        assert kind(**{**told, "issuer": THEIRS, "error": "Timeout: x"}) is PageKind.TIMED_OUT

    @pytest.mark.parametrize(
        ("issuer", "public"),
        [
            (OURS, True),
            ("CN=BUYPASS Class 2 CA 5, O=BUYPASS AS-983163327, C=NO", True),
            ("CN=SSL.com RSA", True),
            ("CN=Buypassende AS", False),
            ("CN=SSLXcom", False),
            ("", False),
        ],
    )
    def test_a_word_counts_as_a_whole_and_in_any_case(self, issuer: str, public: bool):
        assert is_public(issuer, PUBLIC) is public


class TestErrors:
    @pytest.mark.parametrize(
        ("error", "found"),
        [
            ("NameResolutionFailure: The remote name could not be resolved: 'interactor.dips.no'", PageKind.NAME),
            ("NameResolutionFailure: Kan ikke løse det eksterne navnet", PageKind.NAME),
            ("WinHTTP 12007", PageKind.NAME),
            ("No such host is known. (interactor.dips.no:443)", PageKind.NAME),
            ("ProxyNameResolutionFailure: The remote name could not be resolved: 'proxy'", PageKind.PROXY),
            ("RequestProhibitedByProxy: x", PageKind.PROXY),
            ("The remote server returned an error: (407) Proxy Authentication Required.", PageKind.LOGIN),
            ("Timeout: The operation has timed out", PageKind.TIMED_OUT),
            ("ConnectFailure: … did not properly respond after a period of time 10.0.0.1:443", PageKind.TIMED_OUT),
            ("error 12002", PageKind.TIMED_OUT),
            (
                "TrustFailure: Could not establish trust relationship for the SSL/TLS secure channel",
                PageKind.CERTIFICATE,
            ),
            ("error 12175", PageKind.CERTIFICATE),
            ("SecureChannelFailure: Could not create SSL/TLS secure channel.", PageKind.NO_TLS),
            ("error 12157", PageKind.NO_TLS),
            ("ConnectFailure: Unable to connect to the remote server", PageKind.REFUSED),
            ("No connection could be made because the target machine actively refused it", PageKind.REFUSED),
            ("error 12029", PageKind.REFUSED),
            ("ReceiveFailure: The connection was closed unexpectedly", PageKind.NO_ANSWER),
            ("error 120070", PageKind.NO_ANSWER),
            ("", PageKind.NO_ANSWER),
        ],
    )
    def test_each_cause(self, error: str, found: PageKind):
        assert kind_of_error(error) is found
        if error:
            assert kind(**{**NONE, "error": error}) is found

    def test_an_error_counts_whatever_else_is_told(self):
        assert kind(error="Timeout: x") is PageKind.TIMED_OUT


class TestWays:
    GOOD: Any = look()
    BAD: Any = look(status=500)
    SOFT: Any = look(issuer=THEIRS)
    UNKNOWN: Any = look(status=None)

    def script(self, one: Look) -> Look:
        return Look({**one.page, "way": "script"}, one.kind, one.is_right, one.is_proven)

    def test_none(self):
        assert deciding([]) is None

    @pytest.mark.parametrize("direct", [GOOD, BAD, SOFT, UNKNOWN])
    @pytest.mark.parametrize("through", [GOOD, BAD, SOFT, UNKNOWN])
    def test_the_scripts_way_decides_where_there_is_one(self, direct: Look, through: Look):
        found = deciding([direct, self.script(through)])
        assert found == self.script(through)
        assert deciding([direct]) == direct

    def test_of_several_scripts_the_worst_decides(self):
        worst_first = [self.script(each) for each in (self.BAD, self.UNKNOWN, self.SOFT, self.GOOD)]
        for number, worst in enumerate(worst_first):
            assert deciding(list(reversed(worst_first[number:]))) == worst

    def test_of_equal_ones_the_first_decides(self):
        other = look(status=503)
        assert deciding([self.script(self.BAD), self.script(other)]) == self.script(self.BAD)


PAGES = st.fixed_dictionaries(
    {
        "status": st.none() | st.integers(0, 600),
        "text": st.none() | st.text(max_size=40) | st.just("default backend – 404"),
        "heading": st.none() | st.text(max_size=10) | st.just("Testing 123"),
        "final_url": st.none() | st.text(max_size=20) | st.just(P1.url),
        "issuer": st.none() | st.text(max_size=20) | st.just(OURS),
        "trusted": st.none() | st.booleans(),
        "error": st.none() | st.text(max_size=20),
    }
)


class TestWhateverComes:
    @given(changes=PAGES)
    def test_every_page_has_a_kind_and_only_the_wanted_one_passes(self, changes: dict[str, Any]):
        for wanted in (P1, P2):
            found = look(wanted, **{**changes, "url": wanted.url})
            if found.kind is PageKind.AS_WANTED:
                assert changes["status"] == wanted.status
                assert fold(changes[wanted.where]) == fold(wanted.words)
                assert not changes["error"]
                assert changes["trusted"] is not False
                assert found.passes is True
            assert (found.passes is None) == (found.kind is PageKind.UNKNOWN)
            assert not (found.is_soft and found.passes)

    @given(dash=st.sampled_from("-‐‑‒–—―−"), upper=st.booleans(), space=st.sampled_from([" ", "  ", "\n", "\u00a0"]))
    def test_any_dash_any_case_any_white_space(self, dash: str, upper: bool, space: str):
        text = f"default backend{space}{dash}{space}404"
        assert kind(text=text.upper() if upper else text) is PageKind.AS_WANTED

    @given(error=st.text())
    def test_every_error_has_a_kind(self, error: str):
        assert kind_of_error(error) in PageKind
