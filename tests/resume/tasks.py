"""Takes the task files of the roles in this process: what a step asks, in which order, and with which arguments.

It knows the few keywords that these files use, and refuses every other. How Ansible itself reads them is what the
playbook tests show.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import yaml
from ansible_collections.helsevest.interactor.plugins.filter import sites as site_filters

ROLES = Path(__file__).resolve().parents[2] / "roles"
OMIT = "__omit__"
KEYWORDS = frozenset({
    "name", "block", "rescue", "when", "vars", "loop", "loop_control", "register", "delegate_to", "environment",
    "failed_when",
})  # fmt: skip

Act = Callable[[str, str, dict[str, Any]], dict[str, Any]]
"""Runs a module: the host (its name in the inventory), the module, the arguments; raises Failed."""


class Failed(Exception):  # noqa: N818
    """A task failed; a `rescue` may take it up. `result` is what the task answered."""

    def __init__(self, text: str, result: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.result = {"msg": text, **(result or {})}


def _listed(of_jinja: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(of_jinja)
    def give(*given: Any, **named: Any) -> list[Any]:
        return list(of_jinja(*given, **named))

    return give


@jinja2.pass_environment
def _extract(environment: jinja2.Environment, key: Any, container: Any, more: str | None = None) -> Any:
    found = environment.getitem(container, key)
    return found if more is None else environment.getitem(found, more)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    environment.filters.update(
        {f"helsevest.interactor.{name}": function for name, function in site_filters.FilterModule().filters().items()}
    )
    environment.filters["intersect"] = lambda one, other: [each for each in one if each in other]
    for name in ("map", "select", "reject", "selectattr", "rejectattr"):
        # Ansible makes a list of what these give.
        environment.filters[name] = _listed(environment.filters[name])
    environment.filters["combine"] = lambda one, other: {**one, **other}
    environment.filters["extract"] = _extract
    environment.filters["flatten"] = lambda lists: [each for part in lists for each in part]
    environment.filters["regex_replace"] = lambda text, pattern, new: re.sub(pattern, new, text, count=1)
    environment.filters["bool"] = lambda value: str(value).lower() in ("true", "yes", "1")
    return environment


_JINJA = _environment()


@cache
def _expression(text: str) -> Callable[..., Any]:
    return _JINJA.compile_expression(text, undefined_to_none=False)


def value(given: Any, scope: Mapping[str, Any]) -> Any:
    """Fill in what a task file says, through and through. Raises Failed for what is not there."""
    if isinstance(given, dict):
        return {name: value(each, scope) for name, each in given.items()}
    if isinstance(given, list):
        return [value(each, scope) for each in given]
    if not isinstance(given, str) or "{{" not in given:
        return given
    whole = re.fullmatch(r"\s*\{\{(.*)\}\}\s*", given, re.DOTALL)
    if whole is None or "{{" in whole[1]:
        return _JINJA.from_string(given).render(scope)
    found = _expression(whole[1].strip())(**scope)
    if isinstance(found, jinja2.Undefined):
        raise Failed(f"{given} is undefined")
    return found


@cache
def task_file(role: str, name: str) -> list[dict[str, Any]]:
    """The tasks of a role's file."""
    loaded: list[dict[str, Any]] = yaml.safe_load((ROLES / role / "tasks" / f"{name}.yml").read_text(encoding="utf-8"))
    return loaded


@cache
def defaults(role: str) -> dict[str, Any]:
    """The role's defaults."""
    path = ROLES / role / "defaults" / "main.yml"
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}


def tasks_of(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every task, those in blocks too."""
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            yield from tasks_of(task.get(part, []))


def module_of(task: Mapping[str, Any]) -> str:
    """The module of a task; a ValueError where a keyword is none that is known here."""
    names = [name for name in task if name not in KEYWORDS]
    if len(names) != 1 or "." not in names[0]:
        raise ValueError(f"{task.get('name')}: {names} is no single module of a collection")
    return str(names[0])


class Taker:
    """Takes a step's task file for one host.

    Args:
        act: runs one module.
        host: the host's name in the inventory.
        facts: the host's variables; what tasks register stays in them.
        given: what holds for every task, as a play's variables do.
        module_defaults: arguments that the modules of a host have without being told.
    """

    def __init__(
        self, act: Act, host: str, facts: dict[str, Any], given: Mapping[str, Any], module_defaults: Mapping[str, Any]
    ) -> None:
        self._act = act
        self._host = host
        self._facts = facts
        self._given = given
        self._module_defaults = module_defaults

    def take(self, role: str, name: str, extra: Mapping[str, Any] | None = None) -> None:
        """Take all tasks of a role's file. Raises Failed."""
        for task in task_file(role, name):
            self._task(task, role, dict(extra or {}))

    def _scope(self, role: str, extra: Mapping[str, Any]) -> dict[str, Any]:
        scope = {"omit": OMIT, "inventory_hostname": self._host, **self._given, **self._facts, **extra}
        for name, said in defaults(role).items():
            if name not in scope:
                scope[name] = value(said, scope)
        return scope

    def _task(self, task: Mapping[str, Any], role: str, outer: Mapping[str, Any]) -> None:
        scope = self._scope(role, outer)
        conditions = task.get("when", [])
        if not all(
            _expression(str(one))(**scope) for one in (conditions if isinstance(conditions, list) else [conditions])
        ):
            return
        extra = {**outer, **value(task.get("vars", {}), scope)}
        if "block" not in task:
            self._module(task, role, extra)
            return
        try:
            for inner in task["block"]:
                self._task(inner, role, extra)
        except Failed as failure:
            if "rescue" not in task:
                raise
            told = {**extra, "ansible_failed_result": failure.result}
            for inner in task["rescue"]:
                self._task(inner, role, told)

    def _module(self, task: Mapping[str, Any], role: str, extra: Mapping[str, Any]) -> None:
        module, scope = module_of(task), self._scope(role, extra)
        if module == "ansible.builtin.include_role":
            said = value(task[module], scope)
            if set(said) != {"name", "tasks_from"}:
                raise ValueError(f"{task['name']}: include_role with {sorted(said)} is not known here")
            self.take(said["name"], said["tasks_from"], extra)
        elif module in ("ansible.builtin.include_tasks", "ansible.builtin.import_tasks"):
            self.take(role, str(task[module]).removesuffix(".yml"), extra)
        elif module == "ansible.builtin.fail":
            raise Failed(str(value(task[module]["msg"], scope)))
        elif module == "ansible.builtin.set_fact":
            self._facts.update(value(task[module], scope))
        elif "loop" in task:
            variable, results = task["loop_control"]["loop_var"], []
            for item in value(task["loop"], scope):
                results.append({**self._run(task, module, {**scope, variable: item}), variable: item})
            self._facts[task["register"]] = {"results": results}
        else:
            result = self._run(task, module, scope)
            if "register" in task:
                self._facts[task["register"]] = result
            if _expression(str(task.get("failed_when", False)))({**scope, **self._facts}):
                raise Failed(str(result.get("msg", "failed_when")), result)

    def _run(self, task: Mapping[str, Any], module: str, scope: Mapping[str, Any]) -> dict[str, Any]:
        arguments = value(task[module] or {}, scope)
        if "interactor_" in module:
            arguments = {**self._module_defaults, **arguments}
        arguments = {name: each for name, each in arguments.items() if each is not None and each != OMIT}
        host = str(value(task.get("delegate_to", self._host), scope))
        try:
            return self._act(host, module, arguments)
        except Failed as failure:
            if "failed_when" not in task:
                raise
            return failure.result
