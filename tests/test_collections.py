"""requirements.yml and the execution environment name what the project uses, in versions that it is tested with."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
FQCN = re.compile(r"\b([a-z_]+)\.([a-z_]+)\.[a-z][a-z0-9_]+\b")


def read_yaml(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return content


def required() -> dict[str, SpecifierSet]:
    return {one["name"]: SpecifierSet(one["version"]) for one in read_yaml("requirements.yml")["collections"]}


def installed() -> Path:
    """The folder of the collections in the installed PyPI package `ansible`."""
    return Path(str(distribution("ansible").locate_file("ansible_collections")))


def version_of(collection: str) -> Version:
    path = installed().joinpath(*collection.split("."), "MANIFEST.json")
    return Version(json.loads(path.read_text(encoding="utf-8"))["collection_info"]["version"])


@pytest.mark.parametrize("collection", sorted(required()))
def test_the_range_of_a_collection_holds_the_version_that_is_tested(collection: str) -> None:
    version = version_of(collection)
    assert version in required()[collection], f"{collection} {version} is installed"


def used_collections() -> set[str]:
    """The foreign collections that tasks, scenarios, tests and documents name."""
    files = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    for folder in ("playbooks", "roles", "molecule", "inventories", "tests", "simulator"):
        files += [path for path in (ROOT / folder).rglob("*") if path.suffix in (".yml", ".py")]
    named = {name for path in files for name in FQCN.findall(path.read_text(encoding="utf-8"))}
    return {".".join(pair) for pair in named if installed().joinpath(*pair).is_dir()}


DEVELOPMENT = {"ansible.posix", "community.windows"}
"""What a benchmark compares with, and how a test reads results: no controller has to install it."""


def test_requirements_name_the_collections_that_are_used_and_no_other() -> None:
    assert used_collections() - DEVELOPMENT == set(required())
    for name in DEVELOPMENT:
        named = [
            path
            for folder in ("playbooks", "roles", "molecule", "inventories")
            for path in (ROOT / folder).rglob("*.yml")
            if name in path.read_text(encoding="utf-8")
        ]
        assert named == []


def runtime() -> dict[str, SpecifierSet]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return by_name(project["dependencies"])


def by_name(lines: list[str]) -> dict[str, SpecifierSet]:
    return {parsed.name.lower(): parsed.specifier for parsed in map(Requirement, lines)}


def test_the_execution_environment_has_the_runtime_dependencies() -> None:
    dependencies = read_yaml("execution-environment.yml")["dependencies"]
    assert by_name([*dependencies["python"], dependencies["ansible_core"]["package_pip"]]) == runtime()


def test_the_execution_environment_installs_the_same_collections() -> None:
    environment = read_yaml("execution-environment.yml")
    assert environment["version"] == 3
    assert environment["dependencies"]["galaxy"] == "requirements.yml"


def test_the_collection_asks_for_the_ansible_that_is_a_dependency() -> None:
    meta = read_yaml("collections/ansible_collections/helsevest/interactor/meta/runtime.yml")
    assert bounds(SpecifierSet(meta["requires_ansible"])) == bounds(runtime()["ansible-core"])


def bounds(specifiers: SpecifierSet) -> set[tuple[str, Version]]:
    return {(one.operator, Version(one.version)) for one in specifiers}
