# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vendor contract that cannot be right is told with key, value and what is allowed, everything at once."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.contract import KEYS, contract_problems

ROOT = Path(__file__).resolve().parents[9]
DEFAULTS = ROOT / "roles" / "vendor_contract" / "defaults" / "main.yml"


@pytest.fixture
def contract() -> dict[str, Any]:
    """The contract as shipped."""
    loaded: dict[str, Any] = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))["vendor_contract"]
    return copy.deepcopy(loaded)


def put(contract: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """The contract with another value at a path; LookupError where there is no such place."""
    *groups, name = path.split(".")
    place = contract
    for group in groups:
        place = place[group]
    if value is ...:
        del place[name]
    else:
        place[name] = value
    return contract


def test_the_shipped_contract_is_sound_and_so_is_one_that_describes_the_second_mode(contract: dict[str, Any]) -> None:
    assert contract_problems(contract) == []
    assert contract_problems(put(contract, "config.modes.second", {"mode": "to", "endpoint": ""})) == []


def test_a_number_may_be_of_a_type_of_its_own(contract: dict[str, Any]) -> None:
    class Tagged(int):
        """As Ansible has them."""

    put(contract, "installer.success_codes", [Tagged(0)])
    assert contract_problems(put(contract, "migration.expected_minutes", Tagged(60))) == []


@pytest.mark.parametrize("path", KEYS)
def test_every_key_has_to_be_there(contract: dict[str, Any], path: str) -> None:
    problems = contract_problems(put(contract, path, ...))
    assert problems[0] == f"vendor_contract.{path}: is missing; allowed is {KEYS[path].allowed}"


@pytest.mark.parametrize("path", KEYS)
@pytest.mark.parametrize("value", [None, 3.5, True, {"a": 1}, [None], "two\nlines"])
def test_no_key_holds_whatever_comes(contract: dict[str, Any], path: str, value: object) -> None:
    problems = contract_problems(put(contract, path, value))
    assert any(line.startswith(f"vendor_contract.{path}: is {value!r}; allowed is ") for line in problems), problems


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("paths.work", r"ProgramData\Move", "absolute Windows path"),
        ("paths.work", r"C:\a\..\b", "absolute Windows path"),
        ("paths.data", "C:", "absolute Windows path"),
        ("untouched.folders", [r"\\server\share"], "absolute Windows path"),
        ("installer.version", "6", "two to four numbers"),
        ("installer.version", 6.2, "two to four numbers"),
        ("installer.sha256", "abc", "64 hex digits"),
        ("installer.url", "https://x.example/setup.zip", ".exe or .msi"),
        ("installer.arguments", "/quiet", "with /norestart"),
        ("installer.success_codes", [0, "3010"], "exit code"),
        ("installer.success_codes", 0, "a list"),
        ("migration.arguments", "run {hemmelig}", "{key}"),
        ("migration.list_arguments", "list {key}", "{list_file}"),
        ("migration.expected_minutes", 0, "whole number from 1 up"),
        ("migration.expected_minutes", "60", "whole number from 1 up"),
        ("cloud.api", "http://sky.example/v1", "https://"),
        ("cloud.api", "https://sky.example/v1/", "does not end with /"),
        ("pages.P1.status", 4040, "HTTP status"),
        ("config.modes.second", {"endpoint": "https://sky.example"}, "both `mode` and `endpoint`"),
        ("config.modes.local", {}, "is missing"),
        ("service.name", " ", "a text of one line"),
        ("paths", "C:", "a mapping of install, data"),
        ("migration.states", ["running"], "a mapping of running, completed, failed"),
        ("instaler", {"version": "6.2.0"}, "did you mean installer?"),
        ("installer.shar256", "", "did you mean sha256?"),
        ("config.modes.third", {}, "allowed in config.modes: local, server_in_cloud, second"),
        ("migration.states.failed", "running", "and so is vendor_contract.migration.states.running"),
    ],
)
def test_what_cannot_be_right_is_told(contract: dict[str, Any], path: str, value: object, words: str) -> None:
    problems = contract_problems(put(contract, path, value))
    assert all(line.startswith("vendor_contract.") for line in problems)
    assert any(path in line and words in line for line in problems), problems


def test_everything_is_told_at_once(contract: dict[str, Any]) -> None:
    put(contract, "paths.work", 7)
    put(contract, "installer.sha256", "abc")
    put(contract, "cloud", ...)
    put(contract, "extra", 1)
    told = [line.split(":")[0].removeprefix("vendor_contract.") for line in contract_problems(contract)]
    assert told == ["cloud.api", "paths.work", "installer.sha256", "extra"]
