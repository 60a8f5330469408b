# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML's traps: in every kind of field a scalar gives the right value or an error, with and without quotes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._register import RegisterError, load_register
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

REGISTER = """
waves:
  - {{id: 1, name: One}}
sites:
  - id: {id}
    name: {name}
    kind: gp_office
    county: Vestland
    language: {language}
    epj: {epj}
    wave: {wave}
    asked: {asked}
    window: {{from: {opens}, to: "06:00"}}
    signatory_known: {signatory_known}
    contact:
      name: Kari
      email: kari@a.example
      phone: {phone}
    history_months: {history_months}
    server: {{host: srv.a.example, credential: {credential}}}
    clients: [{{name: pc1, host: pc1.a.example}}]
"""
RIGHT = {
    "id": "1001",
    "name": "Vågen",
    "language": "nb",
    "epj": "Journalen",
    "wave": "1",
    "asked": "2027-01-01",
    "opens": "20:00",
    "signatory_known": "true",
    "phone": "55123456",
    "history_months": "12",
    "credential": "default",
}
FOUND: dict[str, Callable[[dict[str, Any]], object]] = {
    "opens": lambda site: site["window"]["from"],
    "phone": lambda site: site["contact"]["phone"],
    "credential": lambda site: site["server"]["credential"],
}
ERROR = "an error"

Read = Callable[..., object]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """`read(field, text)`: what comes out of a field in which `text` is typed, or ERROR."""
    file = tmp_path_factory.mktemp("register") / "all.yml"

    def read(field: str, text: str) -> object:
        file.write_bytes(REGISTER.format(**RIGHT | {field: text}).encode())
        return outcome(file, field)

    return read


def outcome(file: Path, field: str) -> object:
    try:
        register = load_register(file)
    except RegisterError:
        return ERROR
    site = register.site_vars(register.sites[0])
    return FOUND.get(field, lambda site: site[field])(site)


# What was typed, without quotes → what comes out where it is no error.
TYPED: list[tuple[str, dict[str, object]]] = [
    ("20:00", {"opens": "20:00", "name": "20:00", "epj": "20:00"}),
    ("2000", {"id": "2000", "name": "2000", "epj": "2000", "credential": "2000"}),
    ("20.00", {"name": "20.00", "epj": "20.00"}),
    ("0047 55 12 34 56", {"phone": "0047 55 12 34 56", "name": "0047 55 12 34 56", "epj": "0047 55 12 34 56"}),
    ("004755123456", dict.fromkeys(("phone", "id", "name", "epj", "credential"), "004755123456")),
    ("NO", {"id": "NO", "name": "NO", "epj": "NO", "credential": "NO", "signatory_known": False}),
    ("no", {"id": "no", "name": "no", "epj": "no", "credential": "no", "signatory_known": False}),
    ("Yes", {"id": "Yes", "name": "Yes", "epj": "Yes", "credential": "Yes", "signatory_known": True}),
    ("on", dict.fromkeys(("id", "name", "epj", "credential"), "on")),
    ("off", dict.fromkeys(("id", "name", "epj", "credential"), "off")),
    ("y", dict.fromkeys(("id", "name", "epj", "credential"), "y")),
    ("1e3", dict.fromkeys(("id", "name", "epj", "credential"), "1e3")),
    ("0x1F", dict.fromkeys(("id", "name", "epj", "credential"), "0x1F")),
    ("0o17", dict.fromkeys(("id", "name", "epj", "credential"), "0o17")),
    ("014", dict.fromkeys(("id", "name", "epj", "credential"), "014")),
    ("1_000", dict.fromkeys(("name", "epj", "credential"), "1_000")),
    ("2027-05-18", dict.fromkeys(("asked", "name", "epj", "credential"), "2027-05-18")),
    ("18.5.2027", dict.fromkeys(("name", "epj"), "18.5.2027")),
    ("2027-5-18", dict.fromkeys(("name", "epj", "credential"), "2027-5-18")),
    ("2027-05-18T20:00:00Z", dict.fromkeys(("name", "epj"), "2027-05-18T20:00:00Z")),
    ("12:30:00", dict.fromkeys(("name", "epj"), "12:30:00")),
    (".5", dict.fromkeys(("name", "epj"), ".5")),
    (".inf", dict.fromkeys(("name", "epj"), ".inf")),
    ("-1", dict.fromkeys(("name", "epj"), "-1")),
    ("+4755123456", dict.fromkeys(("name", "epj", "phone"), "+4755123456")),
    ("=", dict.fromkeys(("name", "epj"), "=")),
    ("１２", dict.fromkeys(("name", "epj"), "１２")),
    ("１", dict.fromkeys(("name", "epj"), "１")),
    ("15", {"history_months": 15, **dict.fromkeys(("id", "name", "epj", "credential"), "15")}),
    ("15 ", {"history_months": 15, **dict.fromkeys(("id", "name", "epj", "credential"), "15")}),
    ("1", {"wave": 1, **dict.fromkeys(("id", "name", "epj", "credential"), "1")}),
    ("55\u00a012\u00a034\u00a056", {}),
    ("a\tb", {}),
    ("~", {"epj": None, "wave": None, "asked": None}),
    ("", {"epj": None, "wave": None, "asked": None}),
    ("Null", {"epj": None, "wave": None, "asked": None}),
]


@pytest.mark.parametrize(("typed", "meant"), TYPED, ids=lambda value: repr(value) if isinstance(value, str) else "")
def test_a_trap_gives_what_was_meant_or_an_error(read: Read, typed: str, meant: dict[str, object]) -> None:
    found = {field: read(field, typed) for field in RIGHT}
    assert {field: value for field, value in found.items() if value != ERROR} == meant
    assert all(type(found[field]) is type(value) for field, value in meant.items())


NULLS = ("", "~", "null", "Null", "NULL")
# Of what a plain scalar may consist anywhere, and what YAML's older versions read into it.
PLAIN = st.text("0123456789.:-+_eExXoOnNyYsStTrRfFuUlLaA~=&１Å\u00a0 ", min_size=1, max_size=12).filter(
    lambda text: text == text.strip(" ") and text[0] not in "-:&~= " and ": " not in text and text[-1] != ":"
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(RIGHT)), PLAIN | st.sampled_from([typed for typed, _ in TYPED]))
def test_quotes_change_nothing(read: Read, field: str, typed: str) -> None:
    if typed in NULLS or field == "credential":  # it stands in a flow mapping, where other signs have a meaning
        return
    plain = read(field, typed)
    quoted = {read(field, f'"{typed}"'), read(field, f"'{typed}'")}
    assert quoted == {plain} or (typed != typed.strip() and quoted <= {plain, ERROR}), "a blank at the end, at most"


def test_a_null_in_quotes_is_text(read: Read) -> None:
    assert read("epj", '"~"') == "~"
    assert read("epj", "'null'") == "null"
    assert read("asked", "'~'") == ERROR


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_marks_and_line_ends_of_windows_change_nothing(tmp_path: Path, start: bytes, ending: str) -> None:
    file = tmp_path / "all.yml"
    file.write_bytes(start + REGISTER.format(**RIGHT).strip().replace("\n", ending).encode())
    assert {field: outcome(file, field) for field in RIGHT} == RIGHT | {
        "wave": 1,
        "history_months": 12,
        "signatory_known": True,
    }


def test_a_blank_that_only_looks_like_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "all.yml").write_text(REGISTER.format(**RIGHT | {"name": "Vågen\u00a0legekontor"}))
    with pytest.raises(RegisterError, match=r"site 1001: name: .* holds a character that cannot be seen \(U\+00A0\)"):
        load_register(tmp_path)
