"""A second vendor, of whom everything is different that the contract may say: its contract, and its world."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from simulator.programs import installer_bytes
from simulator.scenario import Scenario

HERE = Path(__file__).resolve().parent
DEFAULTS = HERE.parents[1] / "roles" / "vendor_contract" / "defaults" / "main.yml"


@cache
def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def shipped_contract() -> dict[str, Any]:
    """The contract as the role's defaults have it."""
    loaded: dict[str, Any] = copy.deepcopy(_read(DEFAULTS)["vendor_contract"])
    return loaded


def second_world(sites: Mapping[str, Any]) -> dict[str, Any]:
    """A scenario of the second vendor with these sites."""
    world: dict[str, Any] = copy.deepcopy(_read(HERE / "world.yml"))
    # The file by which a line is measured, too long to be written down.
    world["pages"]["fart.annen.example"] = {"/liten.bin": {"content_type": "text/plain", "body": "x" * 200_000}}
    return {**world, "sites": dict(sites)}


def second_overrides() -> dict[str, Any]:
    """What an inventory of the second vendor has to say, the download's hash filled in."""
    overrides: dict[str, Any] = copy.deepcopy(_read(HERE / "contract.yml"))
    installer = Scenario.model_validate(second_world({})).installer
    overrides["installer"]["sha256"] = hashlib.sha256(installer_bytes(installer)).hexdigest()
    return overrides


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` merged into `base` key by key, as the reconciler does."""
    found = dict(base)
    for name, value in over.items():
        inner = found.get(name)
        found[name] = merged(inner, value) if isinstance(value, Mapping) and isinstance(inner, Mapping) else value
    return found


def second_contract() -> dict[str, Any]:
    """The contract that an inventory of the second vendor has."""
    return merged(shipped_contract(), second_overrides())
