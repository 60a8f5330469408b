# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin, through the real ansible-inventory, in the project's configuration."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from ansible.template import is_trusted_as_template
from ansible_collections.helsevest.interactor.plugins.inventory.sites import _marked
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.groups import PARENTS

ROOT = next(parent for parent in Path(__file__).resolve().parents if (parent / "ansible.cfg").is_file())
BIN = Path(sys.executable).parent
SOURCE = "plugin: helsevest.interactor.sites\n"
REGISTER = """
waves:
  - id: 1
    name: One
    window: {weekdays: [tue], from: 18:00, to: 06:00}
  - {id: 2, name: Two}
vendor: {freezes: [{from: 2027-07-01, to: 2027-08-15, reason: Summer}]}
waivers: [{check: P3, site: 1001, reason: Old line, who: Ola, until: 2027-06-01}]
sites:
  - id: 1001
    name: Night office {{ 1 + 1 }}
    kind: gp_office
    county: Vestland
    wave: 1
    server: {host: srv.a.example, ca: /ca/a.pem, credential: a}
    clients: [{name: pc1, host: pc1.a.example, address: 10.0.0.7, port: 5987, transport: basic}]
  - id: 2001
    name: Day office
    kind: emergency_clinic
    county: Rogaland
    wave: 2
    window: {from: 10:00, to: 14:00}
    server: {host: srv.b.example}
    clients: [{name: pc1, host: pc1.b.example}, {name: pc2, host: pc2.b.example}]
"""
SIMULATION = {"proxy": "http://127.0.0.1:3", "ca": "/sim/ca.pem", "clock_url": "http://127.0.0.1:4/clock", "user": "u"}
SIMULATION |= {"password": "very secret", "cloud_token": "very secret"}

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run("ansible-inventory", "--list", source=…, register=…, **environment)` on a register of the test's own."""

    def run(
        program: str, *arguments: str, source: str = SOURCE, register: str = REGISTER, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / "an inventory"
        (folder / "register").mkdir(parents=True, exist_ok=True)
        (folder / "sites.register.yml").write_text(source)
        (folder / "register" / "all.yml").write_text(register)
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "INTERACTOR_"))}
        ours |= {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_HOME": str(tmp_path / "home"), "COLUMNS": "9999"}
        command = [str(BIN / program), "-i", str(folder / "sites.register.yml"), *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=ours | environment, capture_output=True, text=True, check=False, timeout=120
        )

    return run


@pytest.fixture
def simulation(tmp_path: Path) -> str:
    file = tmp_path / "simulation.json"
    file.write_text(json.dumps(SIMULATION))
    return str(file)


def listed(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout, object_hook=_text)
    return found


def _text(raw: dict[str, Any]) -> object:
    """What ansible-inventory marks as no template, without its mark."""
    return raw["__ansible_unsafe"] if raw.keys() == {"__ansible_unsafe"} else raw


def test_hosts_groups_and_variables(run: Run) -> None:
    found = listed(run("ansible-inventory", "--list"))
    hosts = found.pop("_meta")["hostvars"]
    assert set(hosts) == {"1001-server", "1001-pc1", "2001-server", "2001-pc1", "2001-pc2", "localhost"}
    groups = {name: set(group["hosts"]) for name, group in found.items() if "hosts" in group}
    assert groups == {
        "ungrouped": {"localhost"},
        "servers": {"1001-server", "2001-server"},
        "clients": {"1001-pc1", "2001-pc1", "2001-pc2"},
        "site_1001": {"1001-server", "1001-pc1"},
        "site_2001": {"2001-server", "2001-pc1", "2001-pc2"},
    }
    night, day = {"site_1001"}, {"site_2001"}
    below = {name: set(group["children"]) for name, group in found.items() if "children" in group}
    assert below.pop("interactor") == {"servers", "clients", *PARENTS}
    assert below.pop("all") == {"ungrouped", "interactor"}
    parents = {parent: below.pop(parent) for parent in PARENTS}
    assert set(chain.from_iterable(parents.values())) == set(below) | night | day | {"wave_none"}
    assert below == {
        "county_vestland": night,
        "county_rogaland": day,
        "date_none": night | day,
        "epj_none": night | day,
        "kind_gp_office": night,
        "kind_emergency_clinic": day,
        "language_nb": night | day,
        "mode_server_in_cloud": night | day,
        "state_registered": night | day,
        "wave_1": night,
        "wave_2": day,
        "window_night": night,
        "window_day": day,
        "window_all_2000_0600": night,
        "window_all_1000_1400": day,
    }
    server, client, other = hosts["1001-server"], hosts["1001-pc1"], hosts["2001-pc2"]
    common = {
        "ansible_connection": "winrm",
        "ansible_winrm_scheme": "https",
        "ansible_winrm_server_cert_validation": "validate",
        "interactor_vendor": {
            "windows": [],
            "freezes": [{"from": "2027-07-01", "to": "2027-08-15", "reason": "Summer"}],
        },
        "interactor_health_trust": {"freezes": []},
        "interactor_calendar": {"half_days_off": ["easter_wednesday", "christmas_eve", "new_years_eve"]},
    }
    site = server.pop("interactor_site")
    assert client.pop("interactor_site") == site
    assert site["name"] == "Night office {{ 1 + 1 }}"
    assert server == common | {
        "ansible_host": "srv.a.example",
        "ansible_port": 5986,
        "ansible_winrm_transport": "ntlm",
        "ansible_winrm_ca_trust_path": "/ca/a.pem",
        "interactor_credential": "a",
        "interactor_role": "server",
        "interactor_site_id": "1001",
        "interactor_waivers": [
            {"check": "P3", "site": "1001", "reason": "Old line", "who": "Ola", "until": "2027-06-01"}
        ],
        "interactor_wave": {
            "id": 1,
            "name": "One",
            "dates": None,
            "window": {"weekdays": ["tue"], "from": "18:00", "to": "06:00"},
            "freezes": [],
        },
    }
    assert client == server | {
        "ansible_host": "10.0.0.7",
        "ansible_port": 5987,
        "ansible_winrm_transport": "basic",
        "interactor_role": "client",
    }
    site = other.pop("interactor_site")
    assert site["window"] == {
        "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "from": "10:00",
        "to": "14:00",
    }
    assert other == common | {
        "ansible_host": "pc2.b.example",
        "ansible_port": 5986,
        "ansible_winrm_transport": "ntlm",
        "interactor_credential": "default",
        "interactor_role": "client",
        "interactor_site_id": "2001",
        "interactor_waivers": [],
        "interactor_wave": {"id": 2, "name": "Two", "dates": None, "window": None, "freezes": []},
    }
    assert hosts["localhost"]["ansible_connection"] == "local"
    assert hosts["localhost"]["ansible_python_interpreter"] == sys.executable, "ansible quotes it itself"


def test_the_graph(run: Run) -> None:
    done = run("ansible-inventory", "--graph", "window_day")
    hosts = "".join(f"  |  |--2001-{name}\n" for name in ("server", "pc1", "pc2"))
    assert done.stdout == f"@window_day:\n  |--@site_2001:\n{hosts}", done.stderr


def test_the_graph_begins_with_the_waves_and_is_in_order(run: Run) -> None:
    register = REGISTER.replace("{id: 2, name: Two}", "{id: 2, name: Two}\n  - {id: 10, name: Ten}")
    shown = run("ansible-inventory", "--graph", "interactor", register=register).stdout
    assert re.findall(r"^  \|--@(\w+)", shown, re.MULTILINE) == [*PARENTS, "servers", "clients"]
    assert re.findall(r"@((?:wave|county)_\w+)", shown) == [
        *("wave_1", "wave_2", "wave_10", "wave_none"),
        *("county_rogaland", "county_vestland"),
    ]


def test_nothing_of_the_register_is_a_template(run: Run) -> None:
    done = run(
        "ansible",
        "localhost",
        "-m",
        "ansible.builtin.debug",
        "-a",
        "msg={{ hostvars['1001-pc1'].interactor_site.name }}",
    )
    assert done.returncode == 0, done.stderr
    assert "Night office {{ 1 + 1 }}" in done.stdout


def test_composed_variables_and_groups(run: Run) -> None:
    source = (
        SOURCE
        + """
compose: {greeting: "'Hei ' ~ interactor_site.county ~ ' ' ~ interactor_wave.name ~ ' ' ~ ansible_winrm_scheme"}
groups: {summer: interactor_vendor.freezes and interactor_role == 'server'}
keyed_groups: [{prefix: county, key: interactor_site.county}]
strict: true
"""
    )
    found = listed(run("ansible-inventory", "--list", source=source))
    assert found["_meta"]["hostvars"]["2001-pc1"]["greeting"] == "Hei Rogaland Two https"
    assert set(found["summer"]["hosts"]) == {"1001-server", "2001-server"}
    assert set(found["county_Vestland"]["hosts"]) == {"1001-server", "1001-pc1"}


def test_keyed_groups_take_all_that_their_users_know(run: Run) -> None:
    source = (
        SOURCE
        + """
compose: {area: "interactor_site.county | lower"}
leading_separator: false
keyed_groups:
  - {key: area, prefix: "", parent_group: areas}
  - {key: interactor_site.window.weekdays, prefix: opens, separator: "-"}
  - {key: interactor_site.shared_server, prefix: house, default_value: own}
  - {key: "{'port': ansible_port}", prefix: of}
"""
    )
    found = listed(run("ansible-inventory", "--list", source=source))
    assert set(found["areas"]["children"]) == {"vestland", "rogaland"}
    assert set(found["vestland"]["hosts"]) == {"1001-server", "1001-pc1"}
    assert len(found["opens_sun"]["hosts"]) == len(found["house_own"]["hosts"]) == 5
    assert found["of_port_5987"]["hosts"] == ["1001-pc1"]


def test_expressions_know_the_extra_variables_when_wanted(run: Run) -> None:
    source = SOURCE + "use_extra_vars: true\ncompose: {said: said_by_me | default('nobody')}\n"
    for arguments, said in (([], "nobody"), (["-e", "said_by_me=Ola"], "Ola")):
        found = listed(run("ansible-inventory", "--host", "1001-server", *arguments, source=source))
        assert found["said"] == said


def test_an_expression_that_fails_is_passed_over_when_not_strict(run: Run) -> None:
    source = SOURCE + "compose: {x: no_such_variable}\ngroups: {y: no_such_variable}\nkeyed_groups: [{key: no_such}]\n"
    found = listed(run("ansible-inventory", "--list", source=source))
    assert "x" not in found["_meta"]["hostvars"]["1001-server"]
    assert "y" not in found


def test_an_expression_that_fails_is_told_when_strict(run: Run) -> None:
    source = SOURCE + "compose: {x: no_such_variable}\nstrict: true\n"
    done = run("ansible-inventory", "--list", source=source)
    assert done.returncode not in (0, 2)
    assert "Could not set x for host 1001-server" in done.stderr


@pytest.mark.parametrize("how", ["source", "environment"])
def test_the_clients_can_be_left_out(run: Run, how: str) -> None:
    said = {"source": SOURCE + "clients: false\n"} if how == "source" else {"INTERACTOR_CLIENTS": "false"}
    found = listed(run("ansible-inventory", "--list", **said))
    assert set(found["_meta"]["hostvars"]) == {"1001-server", "2001-server", "localhost"}
    site = found["_meta"]["hostvars"]["2001-server"]["interactor_site"]
    assert site["clients"] == [{"name": "pc1"}, {"name": "pc2"}], "the gate still counts them"


def test_a_site_without_a_wave_has_a_group(run: Run) -> None:
    found = listed(run("ansible-inventory", "--list", register=REGISTER.replace("    wave: 2\n", "")))
    assert found["wave_none"]["children"] == ["site_2001"]
    assert found["_meta"]["hostvars"]["2001-pc1"]["interactor_wave"] is None


def test_what_could_be_a_template_is_listed_as_unsafe_and_nothing_else(run: Run) -> None:
    done = run("ansible-inventory", "--list")
    assert '"name": {\n                        "__ansible_unsafe": "Night office {{ 1 + 1 }}"' in done.stdout
    assert done.stdout.count("__ansible_unsafe") == 2, "at the two hosts of that site"


@pytest.mark.parametrize(
    ("text", "trusted"),
    [
        ("Vågen legekontor, avd. 2/B – øst", True),
        ("kari@vågen.example", True),
        ("+47 55 00 00 00", True),
        ("lookup('pipe', 'id')", False),
        ("a | b", False),
        ("x[0]", False),
        ("#jinja2: x", False),
        ("{% x %}", False),
        ("{{", False),
        ("$x", False),
    ],
)
def test_what_could_do_something_as_an_expression_is_never_trusted(text: str, trusted: bool) -> None:
    marked = _marked({"name": [text]})
    assert marked == {"name": [text]}
    assert is_trusted_as_template(marked["name"][0]) is trusted


# The cache

CACHED = "cache: true\ncache_plugin: ansible.builtin.jsonfile\ncache_connection: {folder}\n"


@pytest.fixture
def cached(tmp_path: Path) -> str:
    """A source that keeps the register in a folder of the test's own."""
    (tmp_path / "cache").mkdir(mode=0o700)
    return SOURCE + CACHED.format(folder=tmp_path / "cache")


def poison(folder: Path, old: str, new: str) -> None:
    """Change what is kept, so that it shows whether it is used."""
    (file,) = folder.iterdir()
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def counties(done: subprocess.CompletedProcess[str]) -> set[str]:
    return {
        host["interactor_site"]["county"]
        for host in listed(done)["_meta"]["hostvars"].values()
        if "interactor_site" in host
    }


def test_the_cache_gives_the_same_and_is_used(run: Run, cached: str, tmp_path: Path) -> None:
    plain = listed(run("ansible-inventory", "--list"))
    assert listed(run("ansible-inventory", "--list", source=cached)) == plain
    assert listed(run("ansible-inventory", "--list", source=cached)) == plain
    poison(tmp_path / "cache", "Rogaland", "Oslo")
    assert counties(run("ansible-inventory", "--list", source=cached)) == {"Vestland", "Oslo"}


def test_a_cache_can_be_flushed(run: Run, cached: str, tmp_path: Path) -> None:
    run("ansible-inventory", "--list", source=cached)
    poison(tmp_path / "cache", "Rogaland", "Oslo")
    done = run("ansible-inventory", "--list", "--flush-cache", source=cached)
    assert counties(done) == {"Vestland", "Rogaland"}
    assert counties(run("ansible-inventory", "--list", source=cached)) == {"Vestland", "Rogaland"}


def test_a_cache_is_never_older_than_the_register(run: Run, cached: str, tmp_path: Path) -> None:
    run("ansible-inventory", "--list", source=cached)
    changed = REGISTER.replace("Rogaland", "Nordland")
    assert counties(run("ansible-inventory", "--list", source=cached, register=changed)) == {"Vestland", "Nordland"}
    assert len(list((tmp_path / "cache").iterdir())) == 1, "what was kept before is gone"
    (tmp_path / "an inventory" / "register" / "more.yml").write_text(
        "sites: [{id: 9, name: N, kind: specialist, county: Troms, server: {host: s.c}, "
        "clients: [{name: a, host: a.c}]}]\n"
    )
    done = run("ansible-inventory", "--list", source=cached, register=changed)
    assert counties(done) == {"Vestland", "Nordland", "Troms"}
    bad = run("ansible-inventory", "--list", source=cached, register=BAD)
    assert bad.returncode not in (0, 2)
    assert "the register has 3 problem(s)" in bad.stderr


def test_a_cache_that_others_may_read_is_refused(run: Run, cached: str, tmp_path: Path) -> None:
    (tmp_path / "cache").chmod(0o750)
    done = run("ansible-inventory", "--list", source=cached)
    assert done.returncode not in (0, 2)
    assert "may be entered by others" in done.stderr
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_cache_in_memory_needs_no_folder(run: Run) -> None:
    assert counties(run("ansible-inventory", "--list", source=SOURCE + "cache: true\n")) == {"Vestland", "Rogaland"}


# AWX


def test_a_source_in_awx_needs_no_more_than_the_project(tmp_path: Path) -> None:
    """As AWX does it: in a copy of the project, with the plural of the collections' path, which does not count."""
    project = tmp_path / "project"
    project.mkdir()
    for name in ("ansible.cfg", "collections", "inventories"):
        (project / name).symlink_to(ROOT / name)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "ANSIBLE_COLLECTIONS_PATHS": str(project / "requirements_collections"),
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
        "INTERACTOR_CLIENTS": "true",
    }
    command = [str(BIN / "ansible-inventory"), "-i", "inventories/production/sites.register.yml", "--list", "--export"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    found = listed(done)
    assert found["site_1001"]["hosts"] == ["1001-server", "1001-pc1"]
    assert found["wave_none"]["children"] == ["site_1001"]
    assert found["wave_none"]["vars"] == {"interactor_wave": None}
    assert found["_meta"]["hostvars"]["1001-server"]["ansible_host"] == "srv.eksempelveien.example"


def test_a_simulated_inventory_says_where_the_simulator_is(run: Run, simulation: str) -> None:
    done = run("ansible-inventory", "--list", source=SOURCE + "simulated: true\n", INTERACTOR_SIMULATION=simulation)
    hosts = listed(done)["_meta"]["hostvars"]
    of_all = {
        "interactor_simulated": True,
        "interactor_clock_url": "http://127.0.0.1:4/clock",
        "interactor_proxy_url": "http://127.0.0.1:3",
        "interactor_ca_path": "/sim/ca.pem",
    }
    assert hosts["localhost"] | of_all == hosts["localhost"]
    assert "ansible_winrm_proxy" not in hosts["localhost"]
    of_hosts = {"ansible_winrm_proxy": "http://127.0.0.1:3", "ansible_winrm_ca_trust_path": "/sim/ca.pem"}
    assert hosts["2001-pc1"] | of_all | of_hosts == hosts["2001-pc1"]
    assert "very secret" not in done.stdout


def test_the_source_may_name_the_simulation(run: Run, simulation: str) -> None:
    done = run("ansible-inventory", "--list", source=SOURCE + f"simulated: true\nsimulation: {simulation}\n")
    assert listed(done)["_meta"]["hostvars"]["localhost"]["interactor_simulated"] is True


def test_a_real_inventory_never_runs_on_a_simulated_clock(run: Run, simulation: str) -> None:
    done = run("ansible-inventory", "--list", INTERACTOR_SIMULATION=simulation)
    assert done.returncode not in (0, 2)
    assert "is set, but this inventory does not say simulated: true" in done.stderr


def test_a_simulated_inventory_without_its_simulator(run: Run, tmp_path: Path) -> None:
    source = SOURCE + "simulated: true\n"
    done = run("ansible-inventory", "--list", source=source)
    assert done.returncode not in (0, 2)
    assert "no simulator is known: start the simulator (make demo, or: python -m simulator" in done.stderr
    empty = tmp_path / "empty.json"
    empty.write_text("{}")
    for file in (empty, tmp_path / "nowhere.json"):
        done = run("ansible-inventory", "--list", source=source, INTERACTOR_SIMULATION=str(file))
        assert done.returncode not in (0, 2)
        assert f"{file} is no file of a simulator" in done.stderr


BAD = (
    REGISTER.replace("kind: gp_office", "kind: gp_ofice")
    .replace("to: 14:00", "to: 09:00")
    .replace("wave: 2", "wave: 7")
)
TOLD = (
    "all.yml:12:11: site 1001: kind: 'gp_ofice' - is not a word that is known here; did you mean 'gp_office'?",
    "all.yml:21:11: site 2001: wave: '7' - is no wave of this register (allowed: 1, 2)",
    "all.yml:22:31: site 2001: window.to: '09:00' - must be later than from (10:00)",
)


@pytest.mark.parametrize("simulated", ["false", "true"])
def test_a_register_with_errors_is_refused_with_all_of_them(run: Run, simulated: str) -> None:
    done = run("ansible-inventory", "--list", source=f"{SOURCE}simulated: {simulated}\n", register=BAD)
    assert done.returncode not in (0, 2)
    assert done.stdout == ""
    assert "the register has 3 problem(s)" in done.stderr
    for line in TOLD:
        assert done.stderr.count(line) == 1, done.stderr


def test_no_play_runs_on_a_register_with_errors(run: Run, tmp_path: Path) -> None:
    play = tmp_path / "play.yml"
    play.write_text("- hosts: all\n  gather_facts: false\n  tasks: [{ansible.builtin.debug: {msg: a task ran}}]\n")
    for register in (BAD, "sites: ["):
        done = run("ansible-playbook", str(play), register=register)
        assert done.returncode not in (0, 2), register
        assert "a task ran" not in done.stdout
        assert "all.yml:" in done.stderr
    good = run("ansible-playbook", str(play), "--limit", "localhost")
    assert (good.returncode, "a task ran" in good.stdout) == (0, True), good.stderr


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        (
            "inventory",
            "helsevest.interactor.sites",
            ["simulated", "INTERACTOR_SIMULATION", "keyed_groups", "window_night", "clients"],
        ),
        ("module", "helsevest.interactor.site_register", ["path", "export_schema", "RETURN", "check_mode"]),
    ],
)
def test_ansible_doc_shows_it(tmp_path: Path, kind: str, name: str, told: list[str]) -> None:
    environment = os.environ | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_HOME": str(tmp_path)}
    command = [str(BIN / "ansible-doc"), "-t", kind, name]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = done.stdout.replace("\033[0m", "")
    assert [word for word in told if word.casefold() not in shown.casefold()] == []
