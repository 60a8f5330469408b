"""The dependency rule of docs/architecture.md, read off the imports."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = ROOT / "collections" / "ansible_collections" / "helsevest" / "interactor" / "plugins"
DOMAIN = sorted((PLUGINS / "module_utils" / "_domain").glob("*.py"))
SIMULATOR = sorted((ROOT / "simulator").rglob("*.py"))
CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "sleep"}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every import of a file: how many dots it starts with, and its name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or ""


@pytest.mark.parametrize("path", DOMAIN, ids=lambda path: path.name)
def test_the_domain_is_pure(path: Path) -> None:
    for level, name in imports(path):
        assert level == 1 or (level == 0 and name.split(".")[0] in sys.stdlib_module_names), (
            f"{path.name} imports {name}"
        )
        assert name not in {"socket", "subprocess", "urllib.request", "http.client", "os", "time"}, (
            f"{path.name} imports {name}"
        )
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            called = (node.func.value.id, node.func.attr)
            assert not (called[0] in {"datetime", "date", "time"} and called[1] in CLOCKS), (
                f"{path.name} asks the clock"
            )


@pytest.mark.parametrize("path", SIMULATOR, ids=lambda path: path.name)
def test_the_simulator_knows_nothing_of_our_judgement(path: Path) -> None:
    assert not [name for _level, name in imports(path) if name.startswith("ansible_collections")]


def test_nothing_in_production_knows_the_simulator() -> None:
    files = list(PLUGINS.rglob("*.py"))
    assert files
    assert [path.name for path in files if any(name.startswith("simulator") for _, name in imports(path))] == []
    assert not [path for path in (ROOT / "roles").rglob("*.yml") if "simulator" in path.read_text(encoding="utf-8")]


def includes(tasks: object) -> Iterator[dict[str, Any]]:
    """Every task of a file that includes a role."""
    for task in tasks if isinstance(tasks, list) else []:
        if isinstance(task, dict):
            if "ansible.builtin.include_role" in task:
                yield task
            for part in ("block", "rescue", "always", "tasks"):
                yield from includes(task.get(part))


def test_what_is_included_by_a_sites_own_step_is_told_apart_by_the_loop() -> None:
    """docs/decisions/0016-each-site-at-its-own-pace.md: ansible-core does not compare tasks_from."""
    computed = []
    for path in sorted([*(ROOT / "roles").rglob("*.yml"), *(ROOT / "playbooks").rglob("*.yml")]):
        for task in includes(yaml.safe_load(path.read_text(encoding="utf-8"))):
            of = task["ansible.builtin.include_role"]
            if any("{{" in str(value) for name, value in of.items() if name.endswith("_from")):
                computed.append(path)
                assert task["loop_control"]["loop_var"] in of["tasks_from"], path
    assert computed


def test_a_preflight_takes_one_task_for_each_host_and_no_more() -> None:
    """A task that each host skips costs a process for each host as well."""
    tasks = yaml.safe_load((ROOT / "roles/preflight/tasks/main.yml").read_text(encoding="utf-8"))
    assert [task["name"] for task in tasks if not task.get("run_once")] == ["Main | Check the hosts"]
    probe = yaml.safe_load((ROOT / "roles/preflight/tasks/probe.yml").read_text(encoding="utf-8"))
    assert [task["name"] for task in probe] == ["Probe | Bring home all facts of the host and judge them"]
