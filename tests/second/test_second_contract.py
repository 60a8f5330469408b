"""The contract alone says what the vendor's programs are like: it differs in everything, and code says none of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.contract import KEYS, contract_problems

from tests.second import HERE, second_contract, shipped_contract

ROOT = HERE.parents[1]
PLUGINS = ROOT / "collections" / "ansible_collections" / "helsevest" / "interactor" / "plugins"
PLACES = (PLUGINS, ROOT / "roles", ROOT / "playbooks", ROOT / "simulator" / "models")
DEFAULTS = ROOT / "roles" / "vendor_contract" / "defaults" / "main.yml"
ALSO_OURS = {
    # Words that are the project's own as well, with where they are met: a mode, a state, a key of our own answers.
    "config.modes.local.mode", "config.modes.server_in_cloud.mode", "config.mode_key", "config.endpoint_key",
    "migration.states.running", "migration.states.completed", "migration.states.failed", "service.version_key",
    "migration.status_keys.state", "migration.status_keys.progress", "migration.status_keys.counts",
    "migration.status_keys.message", "processes",
}  # fmt: skip


def value(contract: object, path: str) -> object:
    for name in path.split("."):
        assert isinstance(contract, Mapping)
        contract = contract[name]
    return contract


@pytest.mark.parametrize("path", KEYS)
def test_the_second_contract_differs_in_every_key(path: str) -> None:
    assert value(second_contract(), path) != value(shipped_contract(), path)


def test_the_second_contract_is_sound() -> None:
    assert contract_problems(second_contract()) == []


def words_of(contract: object) -> Iterator[tuple[str, str]]:
    """Every text of the contract that a file could have copied, by its key."""
    for path in KEYS:
        found = value(contract, path)
        for one in found if isinstance(found, list) else [found]:
            if isinstance(one, str) and len(one) > 3 and path not in ALSO_OURS:
                yield path, one


def code_files() -> list[Path]:
    return [
        path
        for place in PLACES
        for path in sorted(place.rglob("*"))
        if path.suffix in (".py", ".ps1", ".psm1", ".yml", ".j2") and path != DEFAULTS
    ]


# What a document inside code tells as an example is no assumption; each is named with its file.
EXAMPLES = {
    ("installer.version", "interactor_upgrade.yml"),
    ("installer.version", "interactor_preflight.yml"),
}


def test_no_word_of_the_contract_stands_anywhere_else() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in code_files()}
    assert len(texts) > 100
    found = []
    for key, word in words_of(shipped_contract()):
        # As a whole: DIPS AS is no part of DIPS ASSISTANT.
        pattern = re.compile(rf"(?<![\w.]){re.escape(word)}(?![\w-])")
        for path, text in texts.items():
            if pattern.search(text) and (key, path.name) not in EXAMPLES:
                found.append(f"{key}: {word!r} stands in {path.relative_to(ROOT)}")
    assert found == []


def test_every_word_of_the_list_of_our_own_is_a_key() -> None:
    assert set(KEYS) >= ALSO_OURS
