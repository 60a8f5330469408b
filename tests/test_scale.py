"""A fleet of 1,600 offices is written, read, refused and listed within the project's limits (processor time)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from time import process_time

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._inventory import inventory_of
from ansible_collections.helsevest.interactor.plugins.module_utils._register import RegisterError, load_register

from tests.bench import CASES, Measured, measure
from tests.fleet import wave_count, write_register


def within(name: str, folder: Path) -> Measured:
    found = measure(CASES[name], folder)
    assert found.seconds <= CASES[name].seconds, f"{found.seconds:.1f} s"
    assert found.memory <= CASES[name].memory, f"{found.memory:.0f} MB"
    return found


def test_the_fleet_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    texts = []
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        write_register(tmp_path / name, sites=60, clients=2, seed=seed)
        texts.append({file.name: file.read_bytes() for file in (tmp_path / name).iterdir()})
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize("seed", range(3))
def test_the_fleet_is_a_right_register_with_all_that_there_is(tmp_path: Path, seed: int) -> None:
    write_register(tmp_path / "register", sites=800, clients=3, seed=seed)
    register = load_register(tmp_path / "register")
    assert (len(register.sites), len(register.waves)) == (800, wave_count(800))
    assert {len(site.clients) for site in register.sites} == {3}
    assert {site.language for site in register.sites} == {"nb", "nn"}
    assert {site.wave is None for site in register.sites} == {site.contact is None for site in register.sites}
    assert [site for site in register.sites if site.shared_server]
    states = {state for site in inventory_of(register)["sites"] for state in site["groups"]["states"]}
    assert states == {"state_registered", "state_answered", "state_dated"}


def test_it_is_read_in_time_and_in_little_memory(tmp_path: Path) -> None:
    assert within("load", tmp_path).code == 0


def test_an_error_at_every_site_is_told_in_time(tmp_path: Path) -> None:
    found = within("errors", tmp_path)
    assert found.err.count("is not a word that is known here; did you mean") == 1600


@pytest.mark.parametrize(
    ("text", "replacement", "message"),
    [
        ("    county: ", "    county: x\n    county: ", "stands twice in the same mapping"),
        ("    wave: ", "    wave: 9", "is no wave of this register"),
        ("host: srv.", "host: a.b # ", "is there already, at"),
        (r"id: \D?(\d+)\D?$", r"\g<0>\n    shared_server: s\1x", "stands at this site only; did you mean"),
    ],
)
def test_no_kind_of_error_takes_long_when_there_are_many(
    tmp_path: Path, text: str, replacement: str, message: str
) -> None:
    write_register(tmp_path, sites=1600, clients=1)
    whole = "sites:\n"
    for file in sorted(set(tmp_path.glob("*.yml")) - {tmp_path / "waves.yml"}):
        whole += file.read_text(encoding="utf-8").partition("sites:\n")[2] + "\n"
        file.unlink()
    (tmp_path / "all.yml").write_text(re.sub(text, replacement, whole, flags=re.MULTILINE), encoding="utf-8")
    started = process_time()
    with pytest.raises(RegisterError, match=message):
        load_register(tmp_path)
    assert process_time() - started <= 10


def test_many_waivers_for_sites_that_are_not_there_are_told_in_time(tmp_path: Path) -> None:
    write_register(tmp_path, sites=1600, clients=1)
    lines = [f"  - {{check: P3, site: x{number}, reason: x, who: x, until: 2027-01-01}}" for number in range(1600)]
    (tmp_path / "waivers.yml").write_text("waivers:\n" + "\n".join(lines) + "\n", encoding="utf-8")
    started = process_time()
    with pytest.raises(RegisterError) as caught:
        load_register(tmp_path)
    assert process_time() - started <= 10
    assert len(caught.value.problems) == 1600


def test_the_servers_are_listed_in_time(tmp_path: Path) -> None:
    found = within("servers", tmp_path)
    listed = json.loads(found.out)
    assert len(listed["servers"]["hosts"]) == 1600
    assert "clients" not in listed
    assert len(listed["waves"]["children"]) == wave_count(1600) + 1
    assert len(listed["_meta"]["hostvars"]["1001-server"]["interactor_site"]["clients"]) == 8


def test_a_play_begins_in_time(tmp_path: Path) -> None:
    assert within("play", tmp_path).code == 0
