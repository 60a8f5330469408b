# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which modules of others run on Windows hosts, which need Windows itself, and whether their models are right."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.plugins.loader import action_loader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.calls import ModuleCall, Unknown
from simulator.models import stock
from simulator.models.common import Refused
from tests.pwsh.engine import Engine, PretendHost, default_state
from tests.pwsh.fixtures import contract, engine
from tests.test_docs import rows

__all__ = ["contract", "engine"]
ROOT = Path(__file__).resolve().parent.parent
PLUGINS = ROOT / "collections" / "ansible_collections" / "helsevest" / "interactor" / "plugins"
OURS = "helsevest.interactor."
PING = "ansible.windows.win_ping"
KEYWORDS = {"block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers"}


def tasks(value: Any, *, here: bool = False) -> Iterator[tuple[dict[str, Any], bool]]:
    """Every task of a YAML document, and whether it is delegated to the controller, by itself or by its block."""
    if isinstance(value, list):
        for each in value:
            yield from tasks(each, here=here)
    elif isinstance(value, dict):
        local = here or value.get("delegate_to") == "localhost"
        yield value, local
        for part in KEYWORDS & set(value):
            yield from tasks(value[part], here=local)


def stays_on_the_controller(name: str) -> bool:
    """Whether Ansible itself does it without a connection to the host."""
    includes = constants._ACTION_ALL_INCLUDE_IMPORT_TASKS + constants._ACTION_ALL_PROPER_INCLUDE_IMPORT_ROLES
    if name in includes + constants._ACTION_META:
        return True
    builtin = name.removeprefix("ansible.builtin.")
    plugin = action_loader.get(builtin, class_only=True) if builtin != name else None
    return plugin is not None and not plugin._requires_connection


def of_files() -> dict[str, set[str]]:
    """The modules of others that tasks run on hosts, by name: in which files."""
    found: dict[str, set[str]] = {}
    files = [
        *(ROOT / "playbooks").rglob("*.yml"),
        *(ROOT / "roles").glob("*/tasks/*.yml"),
        *(ROOT / "roles").glob("*/handlers/*.yml"),
    ]
    for path in files:
        for task, local in tasks(yaml.safe_load(path.read_text(encoding="utf-8"))):
            for name in task:
                is_module = str(name).count(".") == 2 and not str(name).startswith(OURS)
                if is_module and not local and not stays_on_the_controller(name):
                    found.setdefault(name, set()).add(str(path.relative_to(ROOT)))
    return found


def of_plugins() -> dict[str, set[str]]:
    """The modules of others that our action plugins run on hosts, by name: in which files."""
    found: dict[str, set[str]] = {}
    for path in (PLUGINS / "action").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {
            target.id: node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in ast.walk(tree):
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr == "_execute_module"
            ):
                [given_name] = [word.value for word in call.keywords if word.arg == "module_name"]
                name = given_name.value if isinstance(given_name, ast.Constant) else names[ast.unparse(given_name)]
                if not str(name).startswith(OURS):
                    found.setdefault(str(name), set()).add(str(path.relative_to(PLUGINS)))
    return found


def used() -> dict[str, set[str]]:
    """All of them."""
    return {name: of_files().get(name, set()) | of_plugins().get(name, set()) for name in {*of_files(), *of_plugins()}}


def file_of(name: str) -> Path:
    """Where a module of an installed collection lies."""
    package, _, module = f"ansible_collections.{name}".rpartition(".")
    spec = find_spec(f"{package}.plugins.modules")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations))) / f"{module}.ps1"


def run(engine: Engine, name: str, arguments: dict[str, Any], **how: Any) -> dict[str, Any]:
    result, why = engine.stock(f"ansible_collections.{_with_plugins(name)}", file_of(name), arguments, **how)
    assert result is not None, why
    return result


def _with_plugins(name: str) -> str:
    collection, _, module = name.rpartition(".")
    return f"{collection}.plugins.modules.{module}"


BENIGN: dict[str, dict[str, Any]] = {
    PING: {},
    "ansible.windows.win_service_info": {},
    "ansible.windows.win_reg_stat": {"path": r"HKLM:\SOFTWARE"},
}
"""Arguments that change nothing."""


def test_the_look_finds_what_it_looks_for() -> None:
    told = yaml.safe_load(
        """
        - hosts: all
          tasks:
            - ansible.windows.win_reboot:
            - block:
                - ansible.windows.win_file: {path: C:\\x}
              rescue:
                - ansible.windows.win_copy: {}
                  delegate_to: localhost
            - ansible.builtin.debug: {msg: x}
            - ansible.builtin.include_tasks: x.yml
        """
    )
    named = {name for task, local in tasks(told) for name in task if name.count(".") == 2 and not local}
    assert {name for name in named if not stays_on_the_controller(name)} == {
        "ansible.windows.win_reboot",
        "ansible.windows.win_file",
    }


def test_the_document_lists_the_stock_modules_that_run_on_hosts() -> None:
    told = {
        cells[0]: set(cells[1].replace("`", "").split(", "))
        for cells in rows("verification.md", "Stock modules on hosts")
    }
    assert told == used()
    assert set(told) == {PING}, "another one needs arguments here, a model, and a look at what it calls"


@pytest.mark.pwsh
def test_the_document_says_which_of_them_need_windows_itself(engine: Engine) -> None:
    told = {cells[0]: cells[2] for cells in rows("verification.md", "Stock modules on hosts")}
    found = {
        name: "calls into Windows" if run(engine, name, BENIGN[name]).get("failed") else "runs unchanged"
        for name in used()
    }
    assert told == found


@pytest.mark.pwsh
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("ansible.windows.win_service_info", "'Get-Service' is not recognized"),
        ("ansible.windows.win_reg_stat", "null-valued"),
    ],
)
def test_one_that_calls_into_windows_is_told_apart(engine: Engine, name: str, why: str) -> None:
    result = run(engine, name, BENIGN[name])
    assert result["failed"] is True
    assert why in result["msg"]


def modelled(arguments: dict[str, Any], *, check: bool = False) -> dict[str, Any]:
    try:
        return stock.MODELS[PING](ModuleCall(PING, arguments, check, False))
    except Refused as refusal:
        return {"changed": False, "failed": True, "msg": str(refusal)}


def comparable(result: dict[str, Any]) -> dict[str, Any]:
    """An exception's text also tells the line of the script that threw it."""
    if "exception" in result:
        result["exception"] = result["exception"].partition("\n")[0]
    return result


@pytest.mark.pwsh
def test_every_modelled_one_is_used_or_refused_loudly() -> None:
    assert set(stock.MODELS) == set(used())
    with pytest.raises(Unknown, match="culture"):
        modelled({"data": 1.5})


CASES: list[dict[str, Any]] = [
    {}, {"data": "hei"}, {"data": "æøå – «»"}, {"data": ""}, {"data": None}, {"data": "crash"}, {"data": "CRASH"},
    {"data": 5}, {"data": True}, {"data": [1]}, {"data": {"a": 1}}, {"colour": 1}, {"colour": 1, "data": "x"},
]  # fmt: skip


@pytest.mark.pwsh
@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("arguments", CASES, ids=json.dumps)
def test_the_model_answers_as_the_engine(engine: Engine, arguments: dict[str, Any], check: bool) -> None:
    real = comparable(run(engine, PING, arguments, check_mode=check))
    assert real == modelled(arguments, check=check)


@pytest.fixture
def state(tmp_path: Path, contract: dict[str, Any]) -> str:
    """A host for the short way to the engine, which looks for one."""
    return str(PretendHost(tmp_path / "host", default_state(contract)).file)


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), max_size=40)


@pytest.mark.pwsh
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(data=st.one_of(TEXTS, st.integers(-(2**31), 2**31 - 1), st.booleans(), st.none()))
def test_the_model_answers_as_the_engine_whatever_the_data(engine: Engine, state: str, data: Any) -> None:
    real = comparable(run(engine, PING, {"data": data}, state=state))
    assert real == modelled({"data": data})


@pytest.mark.pwsh
def test_the_model_keeps_to_the_modules_documentation() -> None:
    text = file_of(PING).with_suffix(".py").read_text(encoding="utf-8")
    found = {
        node.targets[0].id: yaml.safe_load(node.value.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.targets[0], ast.Name)
    }
    option = found["DOCUMENTATION"]["options"]
    assert set(option) == {"data"}
    assert modelled({}) == {"changed": False, "ping": option["data"]["default"]}
    assert set(modelled({"data": "x"})) - {"changed"} == set(found["RETURN"])
    assert modelled({"data": "crash"})["failed"] is True
