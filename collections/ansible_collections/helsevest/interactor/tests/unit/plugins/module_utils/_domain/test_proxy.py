# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The binary form of a user's proxy, and what a profile comes to (P5)."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.proxy import (
    ConnectionSettings,
    Flags,
    ProfileProxy,
    View,
    WinHttpSettings,
    look_at,
    parse_connection_settings,
    parse_winhttp_settings,
    plain_url,
)
from hypothesis import given, settings
from hypothesis import strategies as st

SCRIPT = "http://config.nhn.no/kunde.pac"
MANUAL = "sikker.proxy.nhn.no:8080"
# As Windows 10 writes it with the script and the manual proxy ticked.
DOUBLE = (
    "460000000300000007000000"
    "18000000" + MANUAL.encode().hex() + "07000000" + b"<local>".hex() + "1e000000" + SCRIPT.encode().hex() + "00" * 32
)


def binary(flags: int, proxy: str = "", bypass: str = "", script: str = "", *, counter: int = 3) -> bytes:
    texts = (text.encode("latin-1") for text in (proxy, bypass, script))
    body = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    return struct.pack("<III", 0x46, counter, flags) + body


def profile(**values: object) -> dict[str, Any]:
    well = {
        "profile": 1,
        "kind": "local",
        "loaded": True,
        "saved": None,
        "policy": False,
        "error": None,
        "proxy_enable": 0,
        "proxy_server": None,
        "proxy_override": None,
        "auto_config_url": SCRIPT,
        "connections": None,
    }
    return {**well, **values}


class TestParser:
    def test_a_value_as_windows_writes_it(self):
        flags = Flags.DIRECT | Flags.MANUAL | Flags.SCRIPT
        expected = ConnectionSettings(3, flags, MANUAL, "<local>", SCRIPT)
        assert parse_connection_settings(DOUBLE) == expected
        assert parse_connection_settings(DOUBLE.upper()) == expected
        assert parse_connection_settings(bytes.fromhex(DOUBLE)) == expected

    def test_a_fresh_windows(self):
        fresh = "460000000000000009000000" + "00" * 44
        assert parse_connection_settings(fresh) == ConnectionSettings(0, Flags.DIRECT | Flags.AUTO_DETECT, "", "", "")

    def test_a_profile_of_an_old_windows(self):
        assert parse_connection_settings("3c" + DOUBLE[2:]) == parse_connection_settings(DOUBLE)

    def test_bits_without_a_name_are_ignored(self):
        assert parse_connection_settings(binary(0x15, script=SCRIPT)).flags == Flags.DIRECT | Flags.SCRIPT

    @pytest.mark.parametrize(
        ("raw", "told"),
        [
            ("4g", "no hex"),
            ("460", "no hex"),
            ("", "version at byte 0 needs 4 bytes, 0 are left"),
            ("280000000000000000000000", "version 0x28 at byte 0; 0x46 and 0x3c are known"),
            ("460000000000", "counter at byte 4 needs 4 bytes, 2 are left"),
            ("4600000000000000", "flags at byte 8 needs 4 bytes, 0 are left"),
            ("460000000000000001000000", "length of proxy at byte 12"),
            ("460000000000000001000000ffffffff4141", "proxy at byte 16 needs 4294967295 bytes, 2 are left"),
            ("460000000000000001000000000000000200000041", "bypass at byte 20 needs 2 bytes, 1 are left"),
            ("4600000000000000010000000000000000000000", "length of script at byte 20"),
            (
                "4600000000000000010000000200000041000000000000000000",
                "proxy has a control character at byte 17",
            ),
        ],
    )
    def test_an_error_says_where(self, raw: str, told: str):
        with pytest.raises(ValueError, match=told):
            parse_connection_settings(raw)


# As `netsh winhttp set proxy sikker.proxy.nhn.no:8080 "<local>"` writes it, and `netsh winhttp reset proxy`.
WINHTTP = "2800000000000000" + "03000000" + "18000000" + MANUAL.encode().hex() + "07000000" + b"<local>".hex()
WINHTTP_SCRIPT = "28000000000000000500000000000000" + "00000000" + "1e000000" + SCRIPT.encode().hex() + "00" * 4
NO_WINHTTP = "18000000000000000100000000000000" + "00000000"


class TestWinHttp:
    def test_values_as_windows_writes_them(self):
        manual = WinHttpSettings(Flags.DIRECT | Flags.MANUAL, MANUAL, "<local>")
        assert parse_winhttp_settings(WINHTTP) == manual
        assert parse_winhttp_settings(bytes.fromhex(WINHTTP) + b"more") == manual
        assert parse_winhttp_settings(NO_WINHTTP) == WinHttpSettings(Flags.DIRECT, "", "")
        scripted = WinHttpSettings(Flags.DIRECT | Flags.SCRIPT, "", "", SCRIPT)
        assert parse_winhttp_settings(WINHTTP_SCRIPT) == scripted

    def test_flags_that_name_a_script_where_none_stands(self):
        assert parse_winhttp_settings(WINHTTP_SCRIPT[:40]).script_url == ""
        assert parse_winhttp_settings(WINHTTP_SCRIPT.replace("05", "01", 1)).script_url == ""

    @pytest.mark.parametrize(
        ("raw", "told"),
        [
            ("4g", "WinHTTP settings: no hex"),
            ("", "version at byte 0 needs 4 bytes, 0 are left"),
            (DOUBLE, "version 0x46 at byte 0; 0x28 and 0x18 are known"),
            ("180000000000", "counter at byte 4"),
            ("180000000000000001000000", "length of proxy at byte 12"),
            ("18000000000000000100000000000000", "length of bypass at byte 16"),
            (WINHTTP_SCRIPT[:50], "script at byte 24 needs 30 bytes, 1 are left"),
            ("1800000000000000010000000100000009" + "00000000", "proxy has a control character at byte 16"),
        ],
    )
    def test_an_error_says_where(self, raw: str, told: str):
        with pytest.raises(ValueError, match=told):
            parse_winhttp_settings(raw)


printable = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40)


@settings(deadline=None, database=None)
@given(st.integers(0, 15), printable, printable, printable, st.integers(0, 2**32 - 1), st.binary(max_size=40))
def test_what_is_written_is_read(flags: int, proxy: str, bypass: str, script: str, counter: int, rest: bytes):
    raw = binary(flags, proxy, bypass, script, counter=counter) + rest
    expected = ConnectionSettings(counter, Flags(flags), proxy, bypass, script)
    assert parse_connection_settings(raw) == expected
    assert parse_connection_settings(raw.hex()) == expected


@settings(deadline=None, max_examples=300, database=None)
@given(
    st.binary(max_size=80)
    | st.binary(max_size=80).map(lambda rest: b"\x46\0\0\0" + rest)
    | st.builds(lambda cut, rest: bytes.fromhex(DOUBLE)[:cut] + rest, st.integers(0, 110), st.binary(max_size=20))
)
def test_whatever_comes_it_is_settings_or_a_value_error(raw: bytes):
    for form in (raw, raw.hex()):
        try:
            found = parse_connection_settings(form)
        except ValueError:
            continue
        assert binary(0, found.proxy, found.bypass, found.script_url)[12:] in raw


@settings(deadline=None, database=None)
@given(st.sampled_from([0x18, 0x28]), st.integers(0, 15), printable, printable, printable, st.binary(max_size=20))
def test_what_is_written_of_winhttp_is_read(
    version: int, flags: int, proxy: str, bypass: str, script: str, rest: bytes
):
    raw = struct.pack("<I", version) + binary(flags, proxy, bypass, script)[4:] + rest
    read = script if flags & Flags.SCRIPT else ""
    assert parse_winhttp_settings(raw) == WinHttpSettings(Flags(flags), proxy, bypass, read)
    assert parse_winhttp_settings(raw.hex()) == parse_winhttp_settings(raw)


@settings(deadline=None, max_examples=300, database=None)
@given(
    st.binary(max_size=80)
    | st.binary(max_size=80).map(lambda rest: b"\x28\0\0\0" + rest)
    | st.builds(lambda cut, rest: bytes.fromhex(WINHTTP)[:cut] + rest, st.integers(0, 60), st.binary(max_size=20))
)
def test_whatever_comes_of_winhttp_it_is_settings_or_a_value_error(raw: bytes):
    for form in (raw, raw.hex()):
        try:
            found = parse_winhttp_settings(form)
        except ValueError:
            continue
        texts = binary(0, found.proxy, found.bypass, found.script_url)[12:]
        assert (texts if found.script_url else texts[:-4]) in raw


@settings(deadline=None, database=None)
@given(st.text(max_size=40))
def test_text_that_is_no_hex_is_a_value_error_too(text: str):
    with pytest.raises(ValueError, match="connection settings: "):
        parse_connection_settings(text)
    with pytest.raises(ValueError, match="WinHTTP settings: "):
        parse_winhttp_settings(text)


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        (" HTTP://Config.NHN.no/Kunde.pac ", SCRIPT),
        ("http://kari:hemmelig@config.nhn.no/kunde.pac", SCRIPT),
        ("http://config.nhn.no/a@b", "http://config.nhn.no/a@b"),
        ("http://config.nhn.no", "http://config.nhn.no"),
        (None, ""),
    ],
)
def test_addresses_are_compared_without_case_and_credentials(url: str | None, plain: str):
    assert plain_url(url) == plain


class TestProfile:
    @pytest.mark.parametrize(
        ("values", "kind"),
        [
            ({}, ProfileProxy.SCRIPT_ONLY),
            ({"proxy_server": MANUAL}, ProfileProxy.SCRIPT_ONLY),
            ({"auto_config_url": "HTTP://Config.NHN.no/Kunde.pac"}, ProfileProxy.SCRIPT_ONLY),
            ({"auto_config_url": "https://config.nhn.no/annen.pac"}, ProfileProxy.SCRIPT_ONLY),
            ({"proxy_enable": 1, "proxy_server": MANUAL}, ProfileProxy.DOUBLE),
            ({"proxy_enable": 1, "auto_config_url": "http://x.example/p.pac"}, ProfileProxy.DOUBLE),
            ({"proxy_enable": 1, "proxy_server": MANUAL, "auto_config_url": None}, ProfileProxy.MANUAL_ONLY),
            ({"proxy_enable": 1, "auto_config_url": ""}, ProfileProxy.MANUAL_ONLY),
            ({"auto_config_url": None}, ProfileProxy.DIRECT),
            ({"auto_config_url": " "}, ProfileProxy.DIRECT),
            ({"auto_config_url": "http://config.nhn.no.example/kunde.pac"}, ProfileProxy.OTHER_SCRIPT),
            ({"auto_config_url": "file://config.nhn.no/kunde.pac"}, ProfileProxy.OTHER_SCRIPT),
            ({"auto_config_url": "http://[config.nhn.no/kunde.pac"}, ProfileProxy.OTHER_SCRIPT),
            ({"proxy_enable": None}, ProfileProxy.UNKNOWN),
            ({"connections": "00"}, ProfileProxy.UNKNOWN),
            ({"error": "the hive cannot be loaded"}, ProfileProxy.UNKNOWN),
            ({"proxy_enable": None, "saved": DOUBLE}, ProfileProxy.UNKNOWN),
            ({"saved": "00"}, ProfileProxy.SCRIPT_ONLY),
        ],
    )
    def test_kinds(self, values: dict[str, Any], kind: ProfileProxy):
        assert look_at(profile(**values), SCRIPT).kind is kind

    @pytest.mark.parametrize(
        ("flags", "texts", "values", "kind", "agree"),
        [
            (0x05, {"script": SCRIPT}, {}, ProfileProxy.SCRIPT_ONLY, True),
            (0x0D, {"script": SCRIPT}, {}, ProfileProxy.SCRIPT_ONLY, True),
            (0x05, {"script": SCRIPT, "proxy": MANUAL}, {"proxy_server": MANUAL}, ProfileProxy.SCRIPT_ONLY, True),
            (0x01, {"script": SCRIPT}, {"auto_config_url": None}, ProfileProxy.DIRECT, True),
            (
                0x07,
                {"script": SCRIPT, "proxy": MANUAL},
                {"proxy_enable": 1, "proxy_server": MANUAL},
                ProfileProxy.DOUBLE,
                True,
            ),
            # The user's programs go by the binary, some read the registry: neither may be believed alone.
            (0x07, {"script": SCRIPT, "proxy": MANUAL}, {}, ProfileProxy.DOUBLE, False),
            (
                0x05,
                {"script": SCRIPT},
                {"proxy_enable": 1, "proxy_server": MANUAL},
                ProfileProxy.SCRIPT_ONLY,
                False,
            ),
            (0x01, {}, {}, ProfileProxy.DIRECT, False),
            (0x05, {"script": "http://x.example/p.pac"}, {}, ProfileProxy.OTHER_SCRIPT, False),
            (
                0x03,
                {"proxy": MANUAL, "bypass": "<local>"},
                {"proxy_enable": 1, "proxy_server": MANUAL, "proxy_override": "*.nhn.no", "auto_config_url": None},
                ProfileProxy.MANUAL_ONLY,
                False,
            ),
            # What the registry does not hold is read from the binary.
            (0x07, {"script": SCRIPT, "proxy": MANUAL}, {"proxy_enable": None}, ProfileProxy.DOUBLE, True),
            (0x05, {"script": SCRIPT}, {"proxy_enable": None}, ProfileProxy.SCRIPT_ONLY, True),
        ],
    )
    def test_registry_and_binary(
        self, flags: int, texts: dict[str, str], values: dict[str, Any], kind: ProfileProxy, agree: bool
    ):
        found = look_at(profile(connections=binary(flags, **texts).hex(), **values), SCRIPT)
        assert (found.kind, found.view) == (kind, View.CONNECTIONS)
        assert found.disagreeing == (() if agree else ((View.CONNECTIONS, View.REGISTRY),))

    @pytest.mark.parametrize(
        ("connections", "saved", "pairs"),
        [
            (None, binary(5, script=SCRIPT), ()),
            (None, binary(7, script=SCRIPT, proxy=MANUAL), ((View.REGISTRY, View.SAVED),)),
            (binary(5, script=SCRIPT), binary(5, script=SCRIPT, counter=9), ()),
            (binary(5, script=SCRIPT), binary(1), ((View.CONNECTIONS, View.SAVED), (View.REGISTRY, View.SAVED))),
            (binary(1), binary(1), ((View.CONNECTIONS, View.REGISTRY), (View.REGISTRY, View.SAVED))),
            (
                binary(1),
                binary(3, proxy=MANUAL),
                ((View.CONNECTIONS, View.REGISTRY), (View.CONNECTIONS, View.SAVED), (View.REGISTRY, View.SAVED)),
            ),
        ],
    )
    def test_every_pair_that_disagrees_is_told(
        self, connections: bytes | None, saved: bytes, pairs: tuple[tuple[View, View], ...]
    ):
        found = look_at(profile(connections=connections and connections.hex(), saved=saved.hex()), SCRIPT)
        assert found.disagreeing == pairs

    @pytest.mark.parametrize(("flags", "detects"), [(5, False), (13, True), (12, True)])
    def test_automatic_detection_is_told_and_makes_no_view_disagree(self, flags: int, detects: bool):
        found = look_at(profile(connections=binary(flags, script=SCRIPT).hex()), SCRIPT)
        assert (found.kind, found.disagreeing, dict(found.others)) == (ProfileProxy.SCRIPT_ONLY, (), {})
        assert found.set_up is not None
        assert found.set_up.detects is detects

    def test_the_registry_alone_tells_nothing_of_it(self):
        found = look_at(profile(), SCRIPT)
        assert found.set_up is not None
        assert found.set_up.detects is False

    def test_credentials_make_no_difference_and_are_not_kept(self):
        masked = {"proxy_enable": 1, "proxy_server": "http=xxxx@a.example:1;b.example:2", "auto_config_url": None}
        raw = binary(3, proxy="http=kari:hemmelig@a.example:1;ola:hemmelig@b.example:2").hex()
        found = look_at(profile(connections=raw, **masked), SCRIPT)
        assert found.disagreeing == ()
        assert found.set_up
        assert found.set_up.proxy == "http=a.example:1;b.example:2"

    @pytest.mark.parametrize(
        ("kind", "is_used"), [("local", True), ("roaming", True), (None, True), ("temporary", False), ("backup", False)]
    )
    def test_nobody_works_with_a_temporary_profile(self, kind: str | None, is_used: bool):
        assert look_at(profile(kind=kind), SCRIPT).is_used is is_used

    @pytest.mark.parametrize("policy", [True, False, None])
    def test_a_policy_is_no_users_to_change(self, policy: bool | None):
        assert look_at(profile(policy=policy), SCRIPT).is_managed is bool(policy)
