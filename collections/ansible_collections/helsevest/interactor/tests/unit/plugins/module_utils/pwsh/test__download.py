# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A download that goes on where it ended, from a real web server on loopback."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.pwsh.engine import MODULE_UTILS, Engine

BODY = bytes(range(256)) * 4000


class Source:
    """The web server: what it offers, how it fails, and which ranges it was asked for."""

    def __init__(self) -> None:
        self.body = BODY
        self.tags = {"ETag": '"one"'}
        self.ranges = True
        self.tells_length = True
        self.breaks_after: int | None = None
        self.holds_after: int | None = None
        self.status: int | None = None
        self.first: int | None = None
        self.asked: list[str | None] = []
        self.url = ""
        self.go_on = threading.Event()


@pytest.fixture
def source() -> Iterator[Source]:
    said = Source()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            said.asked.append(asked)
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and said.ranges else 0  # type: ignore[index]
            if said.status:
                self.send_error(said.status)
                return
            if start >= len(said.body) > 0:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(said.body)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                first = start if said.first is None else said.first
                self.send_header("Content-Range", f"bytes {first}-{len(said.body) - 1}/{len(said.body)}")
            for name, tag in said.tags.items():
                self.send_header(name, tag)
            rest = said.body[start:]
            if said.tells_length:
                self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            if said.holds_after is not None:
                self.wfile.write(rest[: said.holds_after])
                self.wfile.flush()
                said.go_on.wait(30)
                rest = rest[said.holds_after :]
            self.wfile.write(rest if said.breaks_after is None else rest[: said.breaks_after])

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    said.url = f"http://127.0.0.1:{server.server_port}/setup.exe"
    yield said
    said.go_on.set()
    server.shutdown()
    server.server_close()


class Fetching:
    """Calls the function, with C: as a folder."""

    def __init__(self, engine: Engine, folder: Path, source: Source) -> None:
        self.engine = engine
        self.source = source
        self.file = folder / "part-setup.exe"
        self.folder = folder

    def __call__(self, seconds: float = 30) -> dict[str, Any]:
        imports = "\n".join(
            f"Import-Module -Name '{MODULE_UTILS / name}.psm1' -Force" for name in ("_Windows", "_Download")
        )
        told = self.engine.script(f"""
        Set-StrictMode -Version Latest
        $ErrorActionPreference = 'Stop'
        $null = New-PSDrive -Name C -PSProvider FileSystem -Root '{self.folder}' -Scope Global
        {imports}
        $answer = Receive-WebFile -Uri '{self.source.url}' -Path 'C:\\part-setup.exe' -MaximumSeconds {seconds}
        ConvertTo-Json -Compress -InputObject $answer
        """)
        assert "ERROR:" not in told, told
        answer: dict[str, Any] = json.loads(told)
        assert answer["length"] == (self.file.stat().st_size if self.file.exists() else 0)
        return answer


@pytest.fixture
def fetch(engine: Engine, tmp_path: Path, source: Source) -> Fetching:
    return Fetching(engine, tmp_path, source)


def begun(fetch: Fetching, arrived: int = 300_000) -> None:
    """A download of which so much has arrived."""
    fetch.source.breaks_after = arrived
    assert fetch()["length"] == arrived
    fetch.source.breaks_after = None
    fetch.source.asked.clear()


WHOLE = {"whole": True, "length": len(BODY), "total": len(BODY), "error": None}


def test_a_file_comes_in_one_go(fetch: Fetching):
    assert fetch() == {**WHOLE, "received": len(BODY)}
    assert fetch.file.read_bytes() == BODY
    assert fetch.source.asked == [None]
    assert fetch() == {**WHOLE, "received": 0}, "what is whole is not asked for again"
    assert fetch.source.asked == [None]


def test_it_goes_on_where_the_line_broke(fetch: Fetching):
    fetch.source.breaks_after = 400_000
    first = fetch()
    assert (first["whole"], first["length"], first["received"]) == (False, 400_000, 400_000)
    assert first["error"]
    assert fetch()["length"] == 800_000
    assert fetch() == {**WHOLE, "received": len(BODY) - 800_000}
    assert fetch.file.read_bytes() == BODY
    assert fetch.source.asked == [None, "bytes=400000-", "bytes=800000-"]


def test_a_call_ends_when_its_time_is_up(fetch: Fetching):
    fetch.source.holds_after = 1000
    threading.Timer(1.0, fetch.source.go_on.set).start()
    told = fetch(seconds=0.2)
    assert (told["whole"], told["error"]) == (False, None)
    assert 0 < told["length"] < len(BODY)
    fetch.source.holds_after = None
    assert fetch()["whole"] is True
    assert fetch.file.read_bytes() == BODY


@pytest.mark.parametrize("tags", [{"ETag": '"two"'}, {"Last-Modified": "Tue, 11 May 2027 08:00:00 GMT"}, {}])
def test_another_tag_starts_over(fetch: Fetching, tags: dict[str, str]):
    begun(fetch)
    fetch.source.body, fetch.source.tags = BODY[::-1], tags
    assert fetch() == {**WHOLE, "received": len(BODY)}
    assert fetch.file.read_bytes() == BODY[::-1]
    assert fetch.source.asked == ["bytes=300000-", None]


def test_last_modified_counts_where_there_is_no_etag(fetch: Fetching):
    fetch.source.tags = {"Last-Modified": "Mon, 10 May 2027 08:00:00 GMT"}
    begun(fetch)
    assert fetch()["received"] == len(BODY) - 300_000
    assert fetch.file.read_bytes() == BODY


@pytest.mark.parametrize(
    ("spoil", "asked"),
    [
        ({"first": 299_999}, ["bytes=300000-", None]),
        ({"first": 0}, ["bytes=300000-", None]),
        ({"body": BODY[:200_000]}, ["bytes=300000-", None]),
        ({"body": BODY[:300_000]}, ["bytes=300000-", None]),
        ({"body": BODY + b"more"}, ["bytes=300000-", None]),
        ({"ranges": False}, ["bytes=300000-"]),
    ],
)
def test_any_other_answer_than_the_rest_starts_over(fetch: Fetching, spoil: dict[str, Any], asked: list[str | None]):
    begun(fetch)
    vars(fetch.source).update(spoil)
    told = fetch()
    assert (told["whole"], told["received"]) == (True, len(fetch.source.body))
    assert fetch.file.read_bytes() == fetch.source.body
    assert fetch.source.asked == asked


def test_a_part_that_is_too_long_starts_over(fetch: Fetching):
    begun(fetch)
    fetch.file.write_bytes(BODY + b"of another file")
    assert fetch() == {**WHOLE, "received": len(BODY)}
    assert fetch.file.read_bytes() == BODY


def test_a_part_of_which_nothing_is_noted_starts_over(fetch: Fetching):
    fetch.file.write_bytes(b"of who knows what")
    assert fetch()["whole"] is True
    assert fetch.file.read_bytes() == BODY


def test_a_server_that_does_not_tell_the_length(fetch: Fetching):
    fetch.source.tells_length = False
    told = fetch()
    assert (told["whole"], told["length"], told["total"]) == (True, len(BODY), None)


@pytest.mark.parametrize("status", [403, 404, 503])
def test_a_refusal_leaves_the_part_as_it_is(fetch: Fetching, status: int):
    begun(fetch)
    fetch.source.status = status
    told = fetch()
    assert (told["whole"], told["length"], told["received"]) == (False, 300_000, 0)
    assert told["error"] == f"it answers {status}"
    assert fetch.file.read_bytes() == BODY[:300_000]


def test_no_answer_is_told(fetch: Fetching):
    fetch.source.url = "http://127.0.0.1:1/setup.exe"
    told = fetch()
    assert (told["whole"], told["received"]) == (False, 0)
    assert told["error"]
