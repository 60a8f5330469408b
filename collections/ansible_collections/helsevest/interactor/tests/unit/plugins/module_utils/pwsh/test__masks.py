# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not leave a host is masked in the engine and in its model alike, and nothing gets longer or shorter."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.proxy import (
    parse_connection_settings,
    parse_winhttp_settings,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.windows import hidden, hidden_hex
from tests.pwsh.engine import MODULE_UTILS, Engine

pytestmark = pytest.mark.pwsh
CANARY = "kari:hemmelig"
X = "x" * len(CANARY)
SCRIPT = """
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module -Name '%s' -Force
$asked = ConvertFrom-Json -InputObject (@($input) -join "`n") -DateKind String
$texts = @(foreach ($text in $asked.texts) { Hide-Person -Text $text })
$binaries = @(foreach ($text in $asked.binaries) {
        $masked = Hide-PersonInByte -Byte ([System.Convert]::FromHexString($text))
        [System.Convert]::ToHexString($masked).ToLowerInvariant()
    })
ConvertTo-Json -InputObject @{ texts = $texts; binaries = $binaries } -Compress
"""


def binary(version: int, *texts: str, rest: bytes = bytes(32)) -> bytes:
    body = b"".join(struct.pack("<I", len(text)) + text.encode("latin-1") for text in texts)
    return struct.pack("<III", version, 3, 7) + body + rest


def ask(engine: Engine, texts: list[str], binaries: list[bytes]) -> dict[str, Any]:
    asked = {"texts": texts, "binaries": [each.hex() for each in binaries]}
    told = engine.script(SCRIPT % (MODULE_UTILS / "_Masks.psm1"), json.dumps(asked))
    assert "ERROR:" not in told, told
    found: dict[str, Any] = json.loads(told)
    return found


CUT = binary(0x46, "p", rest=b"\xff\xff\0\0")
TEXTS = {
    f"http://{CANARY}@p:8080": f"http://{X}@p:8080",
    f"{CANARY}@p:8080": f"{X}@p:8080",
    f"http={CANARY}@p:1;https={CANARY}@p:2;q:3": f"http={X}@p:1;https={X}@p:2;q:3",
    f"a:1 {CANARY}@p:2": f"a:1 {X}@p:2",
    "http://kari:hem@me;li=g@p:1": "http://xxxxxxxxxxxxxxxx@p:1",
    r"HELSE\kari:hemmelig@p:1": r"xxxxxxxxxxxxxxxxxxx@p:1",
    r"C:\Users\kari\min.pac": r"C:\Users\xxxx\min.pac",
    "file:///C:/users/kari/min.pac": "file:///C:/users/xxxx/min.pac",
    "of S-1-5-21-1-2-3-1001, it": "of S-1-xxxxxxxxxxxxxxx, it",
    "p:8080": "p:8080",
    "2027-05-18T18:30:00": "2027-05-18T18:30:00",
    "": "",
}
BINARIES = [
    (binary(0x46, f"{CANARY}@p:8080", "<local>", ""), binary(0x46, f"{X}@p:8080", "<local>", "")),
    (binary(0x46, "", "", f"http://{CANARY}@p/x"), binary(0x46, "", "", f"http://{X}@p/x")),
    (binary(0x18, f"http={CANARY}@p:1", f"{CANARY}@q"), binary(0x18, f"http={X}@p:1", f"{X}@q")),
    # 64 is @: the length of a text is nobody's address.
    (binary(0x46, "p:8080", "b" * 64, "http://p/x"),) * 2,
    (binary(0x18, "http://p:8080", "b" * 64),) * 2,
    # Of another form, cut off, or behind the texts.
    (b"\x46\0\0\0" + f"{CANARY}@p".encode(), b"\x46\0\0\0" + f"{X}@p".encode()),
    (CUT + f"{CANARY}@p".encode(), CUT + f"{X}@p".encode()),
    (binary(0x46, "p", "", "", rest=f"\0{CANARY}@p".encode()), binary(0x46, "p", "", "", rest=f"\0{X}@p".encode())),
    (b"",) * 2,
]  # fmt: skip


def test_what_is_masked(engine: Engine):
    told = ask(engine, list(TEXTS), [before for before, _ in BINARIES])
    assert told["texts"] == list(TEXTS.values()) == [hidden(text) for text in TEXTS]
    masked = [after.hex() for _, after in BINARIES]
    assert told["binaries"] == masked == [hidden_hex(before) for before, _ in BINARIES]


printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=80)
addresses = st.sampled_from(["", "http://", "http=", "a:1;", "a:1 "]).map(lambda before: f"{before}{CANARY}@p:8080")
texts = st.tuples(printable | addresses, printable | addresses, printable | addresses)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(texts, min_size=20, max_size=40), st.lists(st.binary(max_size=80), min_size=10, max_size=20))
def test_model_and_engine_mask_alike_and_what_is_read_stays(
    engine: Engine, of: list[tuple[str, ...]], odd: list[bytes]
):
    blobs = [binary(0x46, *each) for each in of] + [binary(0x18, *each[:2]) for each in of] + odd
    told = ask(engine, [each[0] for each in of], blobs)
    assert told["texts"] == [hidden(each[0]) for each in of]
    assert told["binaries"] == [hidden_hex(each) for each in blobs]
    assert all(len(bytes.fromhex(after)) == len(before) for before, after in zip(blobs, told["binaries"], strict=True))
    assert CANARY.encode().hex() not in "".join(told["binaries"][: 2 * len(of)])
    for each, connections, winhttp in zip(of, told["binaries"], told["binaries"][len(of) :], strict=False):
        read, other = parse_connection_settings(connections), parse_winhttp_settings(winhttp)
        assert (read.proxy, read.bypass, read.script_url) == tuple(map(hidden, each))
        assert (other.proxy, other.bypass) == tuple(map(hidden, each[:2]))
