# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The register: what is right comes out whole and as it was meant, what is wrong is told at once, with its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from ansible_collections.helsevest.interactor.plugins.module_utils import _register, _register_source
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import WEEKDAYS
from ansible_collections.helsevest.interactor.plugins.module_utils._inventory import host_vars, inventory_of
from ansible_collections.helsevest.interactor.plugins.module_utils._register import (
    Register,
    RegisterError,
    json_schema,
    load_register,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._register_types import Weekday

Load = Callable[..., Register]
Fail = Callable[..., list[str]]

WAVES = "waves:\n  - {id: 1, name: One}\n  - {id: 2, name: Two}\n"


def office(number: int = 1001, more: str = "", *, wave: str = "1", **instead: str) -> str:
    """A site in five lines and what `more` adds; `instead` writes other text for its name, kind, server or clients."""
    field = {
        "id": str(number),
        "name": "Eksempelveien legekontor",
        "kind": "gp_office",
        "county": "Vestland",
        "wave": wave,
        "server": f"{{host: srv.k{number}.example}}",
        "clients": f"[{{name: pc1, host: pc1.k{number}.example}}]",
        **instead,
    }
    lines = [f"{name}: {value}" for name, value in field.items() if value]
    lines += [line for line in more.splitlines() if line.strip()]
    return "  - " + "\n    ".join(lines) + "\n"


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Write the files (name without .yml = text or bytes) into a folder "register" and read it."""
    monkeypatch.chdir(tmp_path)

    def load(**files: str | bytes) -> Register:
        Path("register").mkdir(exist_ok=True)
        for name, text in files.items():
            Path("register", f"{name}.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_register("register")

    return load


@pytest.fixture
def fail(load: Load) -> Fail:
    """The same for a register that is refused: its lines."""

    def fail(**files: str | bytes) -> list[str]:
        with pytest.raises(RegisterError) as caught:
            load(**files)
        assert str(caught.value).splitlines() == [str(problem) for problem in caught.value.problems]
        return str(caught.value).splitlines()

    return fail


def one(lines: list[str]) -> str:
    assert len(lines) == 1, lines
    return lines[0]


def hosts_of(register: Register) -> dict[str, dict[str, Any]]:
    return host_vars(inventory_of(register))


def site_of(register: Register) -> dict[str, Any]:
    return register.site_vars(register.sites[0])


# What is right


def test_defaults_are_filled_in(load: Load) -> None:
    register = load(all=WAVES + "sites:\n" + office())
    host = {"address": None, "port": 5986, "transport": "ntlm", "ca": None, "credential": "default"}
    expected = {
        "id": "1001",
        "name": "Eksempelveien legekontor",
        "kind": "gp_office",
        "county": "Vestland",
        "language": "nb",
        "epj": None,
        "wave": 1,
        "move_date": None,
        "mode": "server_in_cloud",
        "window": {"weekdays": list(WEEKDAYS), "from": "20:00", "to": "06:00"},
        "asked": None,
        "closed": None,
        "contact": None,
        "agreement": {"status": "missing", "form": "digital", "sent": None, "signed": None, "reference": None},
        "signatory_known": False,
        "ros": {"requested": False, "sent": None},
        "confirmed": {"urls": None, "proxy": None},
        "close_agreed": False,
        "history_months": 12,
        "server": {"name": "server", "host": "srv.k1001.example", **host},
        "clients": [{"name": "pc1", "host": "pc1.k1001.example", **host}],
        "shared_server": None,
    }
    assert site_of(register) == expected
    hosts = hosts_of(register)
    assert hosts == json.loads(json.dumps(hosts))
    assert {name: variables["interactor_role"] for name, variables in hosts.items()} == {
        "1001-server": "server",
        "1001-pc1": "client",
    }
    assert hosts["1001-pc1"] == {
        "interactor_site_id": "1001",
        "interactor_role": "client",
        "interactor_site": expected
        | {"server": {"name": "server", "host": "srv.k1001.example"}, "clients": [{"name": "pc1"}]},
        "interactor_wave": {"id": 1, "name": "One", "dates": None, "window": None, "freezes": []},
        "interactor_vendor": {"windows": [], "freezes": []},
        "interactor_health_trust": {"freezes": []},
        "interactor_calendar": {"half_days_off": ["easter_wednesday", "christmas_eve", "new_years_eve"]},
        "interactor_waivers": [],
        "interactor_credential": "default",
    }


def test_the_domain_reads_what_the_register_gives(load: Load) -> None:
    extras = """
vendor:
  windows: [{weekdays: [mon], from: 18:00, to: 23:00}]
  freezes: [{from: 2027-07-01, to: 2027-08-15, reason: Summer}]
waivers:
  - {check: P3, site: 1001, reason: Old line, who: Ola, until: 2027-06-01}
  - {check: P3, site: 1002, reason: Old line, who: Ola, until: 2027-06-01}
"""
    more = "closed: [{from: 2027-07-05, to: 2027-07-25}]\nmove_date: 2027-05-18"
    register = load(
        a=WAVES + extras,
        b="sites:\n" + office(1001, more),
        c="vendor: {freezes: [{from: 2027-12-20, to: 2028-01-02, reason: Christmas}]}\nsites:\n" + office(1002),
    )
    hosts = hosts_of(register)
    site = Site.from_vars(hosts["1001-server"])
    assert (site.id, site.server_host, site.client_hosts) == ("1001", "1001-server", ("1001-pc1",))
    assert [waiver.check for waiver in site.waivers] == ["P3"]
    assert [freeze.reason for freeze in site.freezes] == ["Summer", "Christmas"]
    assert site.closed is not None
    assert site.move_date is not None
    assert not site.move_date.isoformat() < "2027-05-18" < site.closed[0].first.isoformat()


def test_a_client_is_reached_as_its_server_is_unless_it_says_otherwise(load: Load) -> None:
    server = "{host: a.example, port: 5987, transport: basic, ca: /ca.pem, credential: mine}"
    clients = (
        "[{name: pc1, host: b.example}, {name: pc2, host: c.example, port: 1, credential: its, address: 10.0.0.2}]"
    )
    pc1, pc2 = site_of(load(all=WAVES + "sites:\n" + office(server=server, clients=clients)))["clients"]
    same = {"transport": "basic", "ca": "/ca.pem"}
    assert pc1 == {"name": "pc1", "host": "b.example", "address": None, "port": 5987, "credential": "mine", **same}
    assert pc2 == {"name": "pc2", "host": "c.example", "address": "10.0.0.2", "port": 1, "credential": "its", **same}


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("window: {from: 20:00, to: 05:59}", ("window", "from"), "20:00"),
        ("window: {from: '20:00', to: 05:59}", ("window", "to"), "05:59"),
        ("contact: {name: No, email: a@b.example, phone: 0047}", ("contact", "name"), "No"),
        ("contact: {name: Kari, email: a@b.example, phone: 004755123456}", ("contact", "phone"), "004755123456"),
        ("contact: {name: Kari, email: a@b.example, phone: +47 55 12 34 56}", ("contact", "phone"), "+47 55 12 34 56"),
        ("contact: {name: K, email: a@b.example, phone: 55123456, weekends: yes}", ("contact", "weekends"), True),
        ("contact: {name: K, email: a@b.example, phone: 55123456, weekends: False}", ("contact", "weekends"), False),
        ("move_date: 2027-05-18", ("move_date",), "2027-05-18"),
        ("move_date: '2027-05-18'", ("move_date",), "2027-05-18"),
        ("move_date: ~", ("move_date",), None),
        ("move_date:", ("move_date",), None),
        ("epj: 1.10", ("epj",), "1.10"),
        ("epj: NO", ("epj",), "NO"),
        ("epj: 0x1F", ("epj",), "0x1F"),
        ("epj: 'null'", ("epj",), "null"),
        (
            "epj: {{ lookup('pipe', 'id') }}".replace("{{", '"{{').replace("}}", '}}"'),
            ("epj",),
            "{{ lookup('pipe', 'id') }}",
        ),
        ("history_months: '18'", ("history_months",), 18),
        ("closed: []", ("closed",), []),
        ("closed: null", ("closed",), None),
    ],
)
def test_a_text_means_what_its_field_says(
    load: Load, fail: Fail, text: str, path: tuple[str, ...], value: object
) -> None:
    content = WAVES + "sites:\n" + office(more=text)
    if "phone: 0047}" in text:  # too short for a phone number, and still no octal 39
        assert "contact.phone: (hidden)" in one(fail(all=content))
        return
    found: Any = site_of(load(all=content))
    for part in path:
        found = found[part]
    assert found == value
    assert type(found) is type(value)


def test_an_id_keeps_its_zeros(load: Load) -> None:
    register = load(all=WAVES + "sites:\n" + office(id="0017"))
    assert list(hosts_of(register)) == ["0017-server", "0017-pc1"]


def test_a_file_from_windows_is_read(load: Load) -> None:
    text = (WAVES + "sites:\n" + office(name="Øyane")).replace("\n", "\r\n")
    assert load(all=b"\xef\xbb\xbf" + text.encode()).sites[0].name == "Øyane"


def test_paths_may_be_files(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(WAVES)
    (tmp_path / "b.yml").write_text("sites:\n" + office())
    assert len(load_register([tmp_path / "a.yml", tmp_path / "b.yml"]).sites) == 1


@pytest.mark.parametrize("times", [("00:00", "23:59"), ("12:00", "00:00"), ("23:59", "12:00")])
def test_windows_that_are_right(load: Load, times: tuple[str, str]) -> None:
    window = f"window: {{from: '{times[0]}', to: '{times[1]}'}}"
    assert site_of(load(all=WAVES + "sites:\n" + office(more=window)))["window"]["to"] == times[1]


def test_a_shared_server_may_stand_at_each_of_its_sites(load: Load) -> None:
    shared = {"server": "{host: srv.example}", "more": "shared_server: house"}
    register = load(all=WAVES + "sites:\n" + office(1001, **shared) + office(1002, **shared))
    assert {site.server.host for site in register.sites} == {"srv.example"}


def test_the_words_for_weekdays_are_those_of_the_windows() -> None:
    assert get_args(Weekday) == WEEKDAYS


# What is wrong: the text that is added to a site of six lines (of which the first is line 5), and what is told of it


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "langauge: nb",
            "12:5: site 1001: langauge: is no field that is known here; did you mean 'language'? (allowed: id, name,",
        ),
        ("language: nbo", "12:15: site 1001: language: 'nbo' - is not a word that is known here; did you mean 'nb'?"),
        (
            "move_date: 2027-02-30",
            "12:16: site 1001: move_date: '2027-02-30' - is a date that does not exist (allowed:",
        ),
        ("move_date: next week", "12:16: site 1001: move_date: 'next week' - is no date (allowed: a date as YYYY-MM"),
        *(
            (f"asked: {day}", f"12:12: site 1001: asked: '{day}' - is no date; did you mean '2027-05-18'? (allowed: a ")
            for day in ("18.05.2027", "18.5.2027", "18/5/2027", "2027-5-18", "2027.05.18")
        ),
        ("asked: 31.2.2027", "12:12: site 1001: asked: '31.2.2027' - is no date (allowed: "),
        *(
            (
                f"signatory_known: {word}",
                f"12:22: site 1001: signatory_known: '{word}' - is neither true nor false; did you mean '{meant}'?",
            )
            for word, meant in (("ja", "true"), ("on", "true"), ("Nei", "false"), ("OFF", "false"))
        ),
        ("move_date: 2027-05-18T00:00:00Z", "12:16: site 1001: move_date: '2027-05-18T00:00:00Z' - is no date"),
        ("move_date: 20270518", "12:16: site 1001: move_date: '20270518' - is no date"),
        ("move_date: [2027-05-18]", "12:16: site 1001: move_date: a list - is no date"),
        ("history_months: 11", "12:21: site 1001: history_months: '11' - is out of range (allowed: 12 to 18)"),
        ("history_months: 19", "12:21: site 1001: history_months: '19' - is out of range (allowed: 12 to 18)"),
        ("history_months: 014", "12:21: site 1001: history_months: '014' - has a leading zero (allowed: 12 to 18)"),
        ("history_months: 1_2", "12:21: site 1001: history_months: '1_2' - is no whole number"),
        ("history_months: 12.0", "12:21: site 1001: history_months: '12.0' - is no whole number"),
        ("history_months:", "12:5: site 1001: history_months: null - is no whole number"),
        ("signatory_known: maybe", "12:22: site 1001: signatory_known: 'maybe' - is neither true nor false (allowed:"),
        ("signatory_known: 1", "12:22: site 1001: signatory_known: '1' - is neither true nor false"),
        ("window: {from: 20:00, to: 20:00}", "12:31: site 1001: window.to: '20:00' - must be later than from (20:00)"),
        ("window: {from: 10:00, to: 09:00}", "12:31: site 1001: window.to: '09:00' - must be later than from (10:00)"),
        ("window: {from: 20:00, to: 18:00}", "12:31: site 1001: window.to: '18:00' - must be later than from (20:00)"),
        ("window: {from: 11:59, to: 06:00}", "12:31: site 1001: window.to: '06:00' - must be later than from (11:59)"),
        ("window: {from: 1200, to: 06:00}", "12:20: site 1001: window.from: '1200' - is no time of day (allowed: a"),
        ("window: {from: 24:00, to: 06:00}", "12:20: site 1001: window.from: '24:00' - is no time of day"),
        ("window: {from: 8:00, to: 16:00}", "12:20: site 1001: window.from: '8:00' - is no time of day"),
        ("window: {from: 20:00}", "12:13: site 1001: window.to: is missing"),
        ("window: 20:00-06:00", "12:13: site 1001: window: '20:00-06:00' - is no mapping"),
        (
            "window: {weekdays: [mon, mon], from: 20:00, to: 06:00}",
            "12:24: site 1001: window.weekdays: a list - names a day twice (allowed: each day once)",
        ),
        ("window: {weekdays: [], from: 20:00, to: 06:00}", "12:24: site 1001: window.weekdays: a list - is empty"),
        (
            "window: {weekdays: [monday], from: 20:00, to: 06:00}",
            "12:25: site 1001: window.weekdays[0]: 'monday' - is not a word that is known here; did you mean 'mon'?",
        ),
        (
            "closed: [{from: 2027-07-05, to: 2027-07-04}]",
            "12:37: site 1001: closed[0].to: '2027-07-04' - must not be before from (2027-07-05) (allowed: 2027-07-05",
        ),
        ("closed: summer", "12:13: site 1001: closed: 'summer' - is no list"),
        ("agreement: {signed: 2027-04-01}", "12:25: site 1001: agreement.signed: '2027-04-01' - has a date though st"),
        ("agreement: {status: signed}", "12:16: site 1001: agreement.signed: has no date though status is signed"),
        ("agreement: {status: sent}", "12:16: site 1001: agreement.sent: has no date though status is sent"),
        ("agreement: {sent: 2027-04-01}", "12:23: site 1001: agreement.sent: '2027-04-01' - has a date though status"),
        (
            "agreement: {status: signed, sent: 2027-04-02, signed: 2027-04-01}",
            "12:59: site 1001: agreement.signed: '2027-04-01' - must not be before sent (2027-04-02)",
        ),
        ("epj: ''", "12:10: site 1001: epj: '' - is empty or more than one line (allowed: one line of text)"),
        ('epj: "a\\nb"', "12:10: site 1001: epj: 'a\\nb' - is empty or more than one line"),
        ("epj: {a: b}", "12:10: site 1001: epj: a mapping - is no text"),
        ("name: Another", "12:5: site 1001: name: stands twice in the same mapping"),
        ("<<: {epj: x}", "12:5: site 1001: '<<' merges a mapping; write its fields out where they are needed"),
        ("epj: !vault abc", "12:5: site 1001: has the tag !vault; tags are not used here"),
        ("epj: !!int 3", "12:5: site 1001: has the tag !!int; tags are not used here"),
        ("? [a, b]\n: c", "12:7: site 1001: is a list or a mapping where the name of a field is expected"),
        ("shared_server: house", "12:20: site 1001: shared_server: 'house' - stands at this site only"),
    ],
)
def test_a_field_that_is_wrong(fail: Fail, text: str, told: str) -> None:
    lines = fail(all=WAVES + "sites:\n" + office(more=text))
    assert one(lines).startswith(f"register/all.yml:{told}"), lines


@pytest.mark.parametrize(
    ("instead", "told"),
    [
        ({"id": "10-01"}, "5:9: site 10-01: id: '10-01' - is not of the form it must have (allowed: 1 to 16 letters"),
        ({"kind": ""}, "5:5: site 1001: kind: is missing (allowed: gp_office, emergency_clinic, specialist, nursing_h"),
        ({"wave": "3"}, "9:11: site 1001: wave: '3' - is no wave of this register (allowed: 1, 2)"),
        ({"wave": "one"}, "9:11: site 1001: wave: 'one' - is no whole number"),
        ({"clients": "[]"}, "11:14: site 1001: clients: a list - is empty (allowed: at least one entry)"),
        ({"clients": ""}, "5:5: site 1001: clients: is missing (wanted: The PCs that use the solution"),
        ({"server": "srv.example"}, "10:13: site 1001: server: 'srv.example' - is no mapping"),
        ({"server": "{host: srv_1.example}"}, "10:20: site 1001: server.host: 'srv_1.example' - is no host name"),
        ({"server": "{host: a, port: 70000}"}, "10:29: site 1001: server.port: '70000' - is out of range (allowed: 1 "),
        (
            {"server": "{host: a, transport: ntml}"},
            "10:34: site 1001: server.transport: 'ntml' - is not a word that is ",
        ),
        ({"server": "{host: a, address: 'fe80:'}"}, "10:32: site 1001: server.address: 'fe80:' - is no host name"),
        (
            {"clients": "[{name: a, host: b}, {name: A, host: c}]"},
            "11:42: site 1001: clients[1].name: 'A' - is the nam",
        ),
        (
            {"clients": "[{name: server, host: b}]"},
            "11:22: site 1001: clients[0].name: 'server' - is the name of anoth",
        ),
        (
            {"clients": "[{name: a, host: SRV.k1001.example}]"},
            "11:31: site 1001: clients[0].host: 'SRV.k1001.example' - is there already, at register/all.yml:10:20",
        ),
    ],
)
def test_a_required_field_that_is_wrong(fail: Fail, instead: dict[str, str], told: str) -> None:
    lines = fail(all=WAVES + "sites:\n" + office(**instead))
    assert one(lines).startswith(f"register/all.yml:{told}"), lines


@pytest.mark.parametrize(
    "contact",
    [
        "{name: Solveig, email: solveig.example, phone: 55123456}",
        "{name: Solveig, email: sol veig@a.example, phone: 55123456}",
        "{name: [Solveig], email: a@b.example, phone: 55123456}",
        "{name: '', email: a@b.example, phone: solveig}",
        "{name: K, email: a@b.example, phone: 55123456, weekends: solveig}",
        "{name: K, email: a@b.example, phone: 55123456, solveig@hjemme.example: 1}",
        "{name: K, email: a@b.example, phone: 55123456, born: solveig}",
        "{solveig@a.example: 1, solveig@a.example: 2}",
        "solveig 55123456",
        "[solveig, 55123456]",
        "{name: &s solveig, email: *s, phone: *s}",
    ],
)
def test_nothing_personal_is_told(fail: Fail, contact: str) -> None:
    lines = fail(all=WAVES + "sites:\n" + office(more=f"contact: {contact}"))
    assert lines
    assert all("site 1001: " in line for line in lines)
    assert not re.search(r"solveig|55123456", "\n".join(lines), re.IGNORECASE)


def test_who_waived_is_not_told(fail: Fail) -> None:
    waiver = "waivers: [{check: P3, site: 1001, reason: x, who: [Solveig], until: 2027-06-01}]\n"
    line = one(fail(all=WAVES + waiver + "sites:\n" + office()))
    assert line == "register/all.yml:4:51: site 1001: waivers[0].who: (hidden) - is no text (allowed: one line of text)"


def test_a_long_value_is_cut(fail: Fail) -> None:
    assert len(one(fail(all=WAVES + "sites:\n" + office(more=f"move_date: {'x' * 5000}")))) < 200


# Between entries and files


def test_an_id_stands_once_and_both_places_are_told(fail: Fail) -> None:
    lines = fail(a=WAVES + "sites:\n" + office(1001), b="waves: [{id: 2, name: Deux}]\nsites:\n" + office(id="1001"))
    hosts = [line for line in lines if ".host:" in line]
    assert [line for line in lines if line not in hosts] == [
        "register/b.yml:1:14: waves[0].id: '2' - is there already, at register/a.yml:3:10 (allowed: an id that is used "
        "once)",
        "register/b.yml:3:9: site 1001: id: '1001' - is there already, at register/a.yml:5:9 (allowed: an id that is "
        "used once)",
    ]
    assert len(hosts) == 2


def test_an_id_that_differs_in_case_only_is_the_same(fail: Fail) -> None:
    lines = fail(all=WAVES + "sites:\n" + office(id="7a") + office(1002, id="7A"))
    assert "site 7A: id: '7A' - is there already, at register/all.yml:5:9" in one(lines)


def test_a_host_stands_once_in_the_register(fail: Fail) -> None:
    lines = fail(all=WAVES + "sites:\n" + office(1001) + office(1002, server="{host: pc1.k1001.example}"))
    assert "site 1002: server.host: 'pc1.k1001.example' - is there already, at register/all.yml:11:33" in one(lines)


def test_sites_of_a_shared_server_move_together(fail: Fail) -> None:
    first = office(1001, "shared_server: house\nmove_date: 2027-05-18", server="{host: srv.example}")
    second = office(1002, "shared_server: house", server="{host: srv2.example}", wave="2")
    lines = fail(all=WAVES + "sites:\n" + first + second)
    expected = {"server.host": "srv.example", "wave": "1", "move_date": "2027-05-18"}
    assert len(lines) == len(expected)
    for field, allowed in expected.items():
        (line,) = [line for line in lines if f"site 1002: {field}: differs from register/all.yml:" in line]
        assert line.endswith(f", a site with the same shared_server (allowed: {allowed})")


def test_a_waiver_is_for_a_site_that_is_there(fail: Fail) -> None:
    waiver = "waivers: [{check: P3, site: 1O01, reason: x, who: Ola, until: 2027-06-01}]\n"
    line = one(fail(all=WAVES + waiver + "sites:\n" + office()))
    assert "waivers[0].site: '1O01' - is no site of this register; did you mean '1001'? (allowed: 1001)" in line


@pytest.mark.parametrize(
    "check", ["P3", "P4.ros", "P6.contact", "P6.signatory", "CLOCK", "SERVER", "A1", "CLIENT.1001-pc1"]
)
def test_every_check_can_be_waived(load: Load, check: str) -> None:
    waiver = f"waivers: [{{check: {check}, site: 1001, reason: x, who: Ola, until: 2020-01-01}}]\n"
    assert load(all=WAVES + waiver + "sites:\n" + office()).waivers[0].check == check, "also one that is over"


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ("P6.contct", "is no check; did you mean 'P6.contact'? (allowed: P1, P2, P3, P4, P4.ros,"),
        ("p3", "is no check; did you mean 'P3'?"),
        ("CLIENT", "is no check (allowed: P1,"),
        ("CLIENT.1001-pc2", "is no check; did you mean 'CLIENT.1001-pc1'?"),
        ("CLIENT.pc1", "is no check; did you mean 'CLIENT.1001-pc1'?"),
        ("speed", "is no check (allowed: P1,"),
    ],
)
def test_a_check_that_is_waived_is_one_that_is_there(fail: Fail, check: str, told: str) -> None:
    waiver = f"waivers: [{{check: {check}, site: 1001, reason: x, who: Ola, until: 2027-06-01}}]\n"
    line = one(fail(all=WAVES + waiver + "sites:\n" + office()))
    assert f"site 1001: waivers[0].check: '{check}' - {told}" in line


def test_a_misspelt_check_is_told_also_where_a_file_cannot_be_read(fail: Fail) -> None:
    waivers = "waivers:\n" + "".join(
        f"  - {{check: {check}, site: {site}, reason: x, who: Ola, until: 2027-06-01}}\n"
        for check, site in (("P6.contakt", "1001"), ("CLIENT.1001-pc9", "1001"), ("P3", "9999"))
    )
    misspelt, broken = fail(a=waivers, b="sites: [")
    assert broken.startswith("register/b.yml:")
    assert "waivers[0].check: 'P6.contakt' - is no check; did you mean 'P6.contact'?" in misspelt


def test_a_move_date_without_a_wave_is_told_with_all_else(fail: Fail) -> None:
    lines = fail(all=WAVES + "sites:\n" + office(more="move_date: 2027-05-18\nlanguage: nbo", wave="null"))
    assert [line.split(": ", 2)[2].split(" (")[0] for line in lines] == [
        "move_date: '2027-05-18' - has a date though wave is null",
        "language: 'nbo' - is not a word that is known here; did you mean 'nb'?",
    ]
    assert "has a date though wave is null" in one(
        fail(all=WAVES + "sites:\n" + office(more="move_date: 2027-05-18", wave=""))
    )


def test_a_wave_that_is_near_to_one_is_suggested(fail: Fail) -> None:
    waves = "waves:\n" + "".join(f"  - {{id: {number}, name: W}}\n" for number in (10, 21, 300))
    told = {"12": "'21'", "100": "'300'", "5678": None, "201": "'21'", "30": "'300'"}
    for wave, near in told.items():
        line = one(fail(all=waves + "sites:\n" + office(wave=wave)))
        assert ("did you mean" in line) == (near is not None)
        assert near is None or f"is no wave of this register; did you mean {near}? (allowed: 10, 21, 300)" in line


def test_an_unknown_wave_is_not_told_where_the_waves_cannot_be_read(fail: Fail) -> None:
    assert one(fail(waves="waves: [", sites="sites:\n" + office())).startswith("register/waves.yml:2:1: is no YAML: ")


# Files


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1:1: is empty"),
        ("# nothing\n---\n", "1:1: is empty"),
        ("- a\n", "1:1: a list - is no mapping (allowed: a mapping of fields)"),
        ("just words\n", "1:1: 'just words' - is no mapping (allowed: a mapping of fields)"),
        ("sites:\n", "1:1: sites: null - is no list (allowed: a list)"),
        ("sites: {}\n", "1:8: sites: a mapping - is no list (allowed: a list)"),
        ("sites: [x]\n", "1:9: site number 1: 'x' - is no mapping (allowed: a mapping of fields)"),
        (
            "stes: []\n",
            "1:1: stes: is no field that is known here; did you mean 'sites'? (allowed: waves, vendor, health_tru",
        ),
        ("sites:\n\t- id: 1\n", "2:1: is no YAML: a tab; use blanks to indent"),
        ("sites:\n  - id: 1\n\tname: x\n", "3:1: is no YAML: a tab; use blanks to indent"),
        ("sites:\n  - name: @x\n", "2:11: is no YAML: a text that begins with this character needs quotes"),
        ("sites:\n  - id: 1\n    name\n    kind: x\n", "3:5: is no YAML: a line without a ':' and a blank between"),
        (
            "sites:\n  - id: 1\n    contact: null\n      name: x\n",
            "4:11: is no YAML: mapping values are not allowed in this context; a value and fields below it, a wrong",
        ),
        (
            "sites:\n  - name: 'Ola's kontor'\n    kind: x\n",
            "2:16: is no YAML: while parsing a block mapping that begins at line 2, column 5, did not find expected key"
            "; a value and fields below it, a quote that is not closed, or a wrong indentation before this line?",
        ),
        (
            "sites:\n  - id: 1\n    a: b\n   name: x\n",
            "4:4: is no YAML: while parsing a block collection that begins at line 2, column 3, did not find expected "
            "'-' indicator; a value and fields below it",
        ),
        (
            "sites:\n  - {a: b\n  - {c: d}\n",
            "3:5: is no YAML: while parsing a flow mapping that begins at line 2, column 5, did not find expected ',' "
            "or '}'; a bracket that is not closed, or a comma that is missing?",
        ),
        ("sites: [\n", "2:1: is no YAML: while parsing a flow node, did not find expected node content"),
        ("sites: 'a\n", "1:8: is no YAML: the quote opened at line 1, column 8 is not closed"),
        ('sites:\n  - name: "a\n---\n', "2:11: is no YAML: the quote opened at line 2, column 11 is not closed"),
        ("a: 1\n  b: 2\n", "2:4: is no YAML: mapping values are not allowed in this context"),
        ("sites: *x\n", "1:8: is no YAML: found undefined alias"),
        ("sites: []\n---\nwaves: []\n", "2:1: is no YAML: expected a single document"),
        ('sites: []\nb: "\x07"\n', "2:5: is no YAML: a forbidden character"),
        (b"sites: []\n# \xe6\n", "2:1: is no text in UTF-8"),
        ("sites: " + "[" * 100_000, "1:36: is no YAML: is nested too deeply"),
        ("waves: &w []\nsites: *w\n", "2:1: is used again by an alias; write the value out where it is needed"),
        ("waves: &w [*w]\n", "1:8: is used again by an alias"),
    ],
)
def test_a_file_that_is_no_register(fail: Fail, text: str | bytes, told: str) -> None:
    lines = fail(all=text)
    assert one(lines).startswith(f"register/all.yml:{told}"), lines


def test_libyaml_is_used() -> None:
    assert issubclass(_register_source._Loader, yaml.CBaseLoader)


def test_the_parser_in_python_gives_the_same(load: Load, fail: Fail, monkeypatch: pytest.MonkeyPatch) -> None:
    right = WAVES + "sites:\n" + office(more="window: {from: 20:00, to: 05:59}\nepj:\nclosed: ~")
    wrong = right + "waivers: &w []\nvendor: *w\nextra: !x y\n"
    fast = hosts_of(load(all=right)), fail(all=wrong)
    mixin = {name: vars(_register_source._Loader)[name] for name in ("depth", "descend_resolver", "ascend_resolver")}
    monkeypatch.setattr(_register_source, "_Loader", type("_Loader", (yaml.BaseLoader,), mixin))
    assert (hosts_of(load(all=right)), fail(all=wrong)) == fast


def test_a_folder_that_is_no_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path, told in (("nowhere", "cannot be read: No such file"), (".", "holds no *.yml file, so no register")):
        with pytest.raises(RegisterError, match=re.escape(told)):
            load_register(path)


def test_a_file_that_would_be_passed_over_is_told(load: Load, tmp_path: Path) -> None:
    (tmp_path / "register").mkdir()
    (tmp_path / "register" / "more.yaml").write_text("sites: []\n")
    (tmp_path / "register" / ".hidden.yml").write_text("no: register\n")
    with pytest.raises(RegisterError) as caught:
        load(all=WAVES)
    assert str(caught.value) == "register/more.yaml:1:1: would not be read: name it .yml"


def test_all_is_told_at_once_in_order_of_place(fail: Fail) -> None:
    lines = fail(
        a="waves: [{id: 1, name: One}]\nsites:\n"
        + office(1001, "history_months: 24\nlangauge: nb", wave="9")
        + office(1002, "move_date: 2027-13-01\nwindow: {from: 10:00, to: 09:00}", kind="gp_ofice"),
        b="sites: [\n",
        c="sites:\n" + office(1001, "contact: {name: K, email: k, phone: 55123456}", server="{host: x.example}"),
        d="- no\n",
    )
    assert [re.sub(r"^register/(\S+): (site \w+: )?([\w.\[\]]+).*", r"\1 \3", line) for line in lines] == [
        "a.yml:10:21 history_months",
        "a.yml:11:5 langauge",
        "a.yml:14:11 kind",
        "a.yml:19:16 move_date",
        "a.yml:20:31 window.to",
        "b.yml:2:1 is",
        "c.yml:2:9 id",
        "c.yml:8:33 clients[0].host",
        "c.yml:9:31 contact.email",
        "d.yml:1:1 a",
    ]


def test_without_pydantic_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_register, "_MISSING", ImportError("No module named 'pydantic'"))
    for call in (lambda: load_register("."), json_schema):
        with pytest.raises(ImportError, match=r"needs the Python package pydantic.*make setup"):
            call()
