# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows' binary proxy settings in the engine: read as our own parser does, and changed so that all else stays."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.proxy import parse_connection_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pwsh.engine import MODULE_UTILS, Engine

Case = dict[str, Any]
SCRIPT = """
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module -Name '%s' -Force
$told = foreach ($case in (ConvertFrom-Json -InputObject (@($input) -join "`n"))) {
    try {
        $bytes = ConvertFrom-Hex -Text $case.hex
        $read = Read-ConnectionSetting -Bytes $bytes
        # As bytes: ConvertFrom-Json makes a moment of a text that looks like one.
        $script = [System.Text.Encoding]::UTF8.GetString([System.Convert]::FromHexString($case.script))
        $edited = Edit-ConnectionSetting -Bytes $bytes -Flags $case.flags -Script $script
        $read['edited'] = ConvertTo-Hex -Bytes $edited
        $read['error'] = $null
        $read
    }
    catch { @{ error = $_.Exception.Message } }
}
ConvertTo-Json -InputObject @($told) -Compress
"""
numbers = st.integers(0, 2**32 - 1)
texts = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=40)


def ask(engine: Engine, cases: list[Case]) -> list[Case]:
    sent = [{**case, "script": case["script"].encode().hex()} for case in cases]
    told = engine.script(SCRIPT % (MODULE_UTILS / "_Connection.psm1"), json.dumps(sent))
    assert "ERROR:" not in told, told
    found: list[Case] = json.loads(told)
    assert len(found) == len(cases)
    return found


def binary(counter: int, flags: int, proxy: str, bypass: str, script: str, rest: bytes, version: int = 0x46) -> bytes:
    body = b"".join(struct.pack("<I", len(text)) + text.encode("latin-1") for text in (proxy, bypass, script))
    return struct.pack("<III", version, counter, flags) + body + rest


cases = st.fixed_dictionaries(
    {
        "counter": numbers | st.just(2**32 - 1),
        "flags": numbers,
        "proxy": texts,
        "bypass": texts,
        "script": texts,
        "rest": st.binary(max_size=40),
    }
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(cases, numbers, texts), min_size=1, max_size=30))
def test_what_is_changed_is_read_by_our_parser_and_all_else_stays(
    engine: Engine, wanted: list[tuple[dict[str, Any], int, str]]
) -> None:
    raws = [binary(**said) for said, _flags, _script in wanted]
    found = ask(
        engine,
        [
            {"hex": raw.hex(), "flags": flags, "script": script}
            for raw, (_said, flags, script) in zip(raws, wanted, strict=True)
        ],
    )
    for told, (said, flags, script) in zip(found, wanted, strict=True):
        assert {name: told[name] for name in ("counter", "flags", "proxy", "bypass", "script")} == {
            name: said[name] for name in ("counter", "flags", "proxy", "bypass", "script")
        }
        after = {**said, "counter": (said["counter"] + 1) % 2**32, "flags": flags, "script": script}
        assert told["edited"] == binary(**after).hex()
        parsed = parse_connection_settings(told["edited"])
        assert (parsed.counter, parsed.proxy, parsed.bypass, parsed.script_url) == (
            after["counter"],
            said["proxy"],
            said["bypass"],
            script,
        )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(min_size=1, max_size=60).map(lambda raw: struct.pack("<I", 0x46) + raw), max_size=30))
def test_what_our_parser_refuses_is_refused(engine: Engine, raws: list[bytes]) -> None:
    """And nothing else is."""
    found = ask(engine, [{"hex": raw.hex(), "flags": 1, "script": ""} for raw in raws]) if raws else []
    for told, raw in zip(found, raws, strict=True):
        try:
            parse_connection_settings(raw)
        except ValueError:
            assert told["error"], raw.hex()
        else:
            assert told["error"] is None, (raw.hex(), told["error"])


GOOD = binary(3, 7, "p:8080", "<local>", "http://s/x", b"")


@pytest.mark.parametrize(
    ("raw", "script", "words"),
    [
        (b"\x46\x00", "", "a number at byte 0 needs 4 bytes, 2 are left"),
        (binary(3, 7, "", "", "", b"", version=0x47), "", "version 71 at byte 0; 70 and 60 are known"),
        (GOOD[:-1], "", "script at byte 37 needs 10 bytes, 9 are left"),
        (binary(3, 7, "a\tb", "", "", b""), "", "proxy at byte 16 has a control character"),
        (GOOD, "http://\u0142", "the address of the script has letters that the settings cannot hold"),
    ],
)
def test_why_it_is_refused(engine: Engine, raw: bytes, script: str, words: str) -> None:
    (told,) = ask(engine, [{"hex": raw.hex(), "flags": 5, "script": script}])
    assert words in told["error"].replace("connection settings: ", "")


def test_the_form_of_older_versions_keeps_its_number(engine: Engine) -> None:
    said = {"proxy": "p:8080", "bypass": "", "rest": bytes(4), "version": 0x3C}
    before = binary(counter=3, flags=3, script="", **said)
    (told,) = ask(engine, [{"hex": before.hex(), "flags": 5, "script": "http://s/x"}])
    assert told["edited"] == binary(counter=4, flags=5, script="http://s/x", **said).hex()
