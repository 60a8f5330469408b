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
    judge_profile,
    parse_connection_settings,
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

    def test_bits_without_a_name_are_ignored(self):
        assert parse_connection_settings(binary(0x15, script=SCRIPT)).flags == Flags.DIRECT | Flags.SCRIPT

    @pytest.mark.parametrize(
        ("raw", "told"),
        [
            ("4g", "no hex"),
            ("460", "no hex"),
            ("", "version at byte 0 needs 4 bytes, 0 are left"),
            ("3c0000000000000000000000", "version 0x3c at byte 0"),
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
@given(st.text(max_size=40))
def test_text_that_is_no_hex_is_a_value_error_too(text: str):
    with pytest.raises(ValueError, match="connection settings: "):
        parse_connection_settings(text)


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
        ],
    )
    def test_kinds(self, values: dict[str, Any], kind: ProfileProxy):
        assert judge_profile(profile(**values), SCRIPT) is kind

    @pytest.mark.parametrize(
        ("flags", "texts", "values", "kind"),
        [
            (0x05, {"script": SCRIPT}, {}, ProfileProxy.SCRIPT_ONLY),
            (0x0D, {"script": SCRIPT}, {}, ProfileProxy.SCRIPT_ONLY),
            (0x05, {"script": SCRIPT, "proxy": MANUAL}, {"proxy_server": MANUAL}, ProfileProxy.SCRIPT_ONLY),
            (0x01, {"script": SCRIPT}, {"auto_config_url": None}, ProfileProxy.DIRECT),
            (
                0x07,
                {"script": SCRIPT, "proxy": MANUAL},
                {"proxy_enable": 1, "proxy_server": MANUAL},
                ProfileProxy.DOUBLE,
            ),
            # The dialog reads the binary, programs read the registry: neither may be believed alone.
            (0x07, {"script": SCRIPT, "proxy": MANUAL}, {}, ProfileProxy.DISAGREEING),
            (0x05, {"script": SCRIPT}, {"proxy_enable": 1, "proxy_server": MANUAL}, ProfileProxy.DISAGREEING),
            (0x01, {}, {}, ProfileProxy.DISAGREEING),
            (0x05, {"script": "http://x.example/p.pac"}, {}, ProfileProxy.DISAGREEING),
            # What the registry does not hold is read from the binary.
            (0x07, {"script": SCRIPT, "proxy": MANUAL}, {"proxy_enable": None}, ProfileProxy.DOUBLE),
            (0x05, {"script": SCRIPT}, {"proxy_enable": None}, ProfileProxy.SCRIPT_ONLY),
        ],
    )
    def test_registry_and_binary(self, flags: int, texts: dict[str, str], values: dict[str, Any], kind: ProfileProxy):
        raw = binary(flags, **texts).hex()
        assert judge_profile(profile(connections=raw, **values), SCRIPT) is kind
