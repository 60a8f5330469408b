# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A register file as text with places: every scalar stays the text that was typed, every value knows its line.

YAML's own guesses are switched off, so that `20:00` is no number of minutes, `NO` no falsehood and `0047` no octal.
What a text means is said by the field it stands in (see _register_models.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml  # Ansible itself needs it, so it is always there

from ._yaml_words import yaml_fault

# libyaml's parser is about ten times faster; the one in Python gives the same nodes.
if TYPE_CHECKING:
    _Base = yaml.BaseLoader
else:
    _Base = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_DEEPEST = 30

Loc = tuple[str | int, ...]
SPOILT = object()
"""Stands for a value whose form is wrong already, so that nothing more need be said of it."""
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_PERSONAL = frozenset(("contact", "who"))
_UNTAGGED: dict[type[yaml.Node], str] = {
    yaml.ScalarNode: "tag:yaml.org,2002:str",
    yaml.SequenceNode: "tag:yaml.org,2002:seq",
    yaml.MappingNode: "tag:yaml.org,2002:map",
}
_TAGS = frozenset(_UNTAGGED.values())


class _Loader(_Base):
    """Refuses what is nested deeper than any register, before it exhausts the stack (libyaml's parser crashes)."""

    depth = 0

    def resolve(self, kind: type[yaml.Node], value: object, implicit: object) -> str:
        """The tag of a node that has none of its own: never YAML's guess."""
        return _UNTAGGED[kind]

    def descend_resolver(self, current_node: yaml.Node | None, current_index: object) -> None:
        self.depth += 1
        if self.depth > _DEEPEST and current_node is not None:
            raise yaml.MarkedYAMLError(problem="is nested too deeply", problem_mark=current_node.start_mark)

    def ascend_resolver(self) -> None:
        self.depth -= 1


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong in the register: where (line and column from 1), whose, what, and what is allowed.

    `value` is the text to show, already hidden where it may be personal; `site`, `field`, `value` and `allowed` may be
    empty. Problems sort by place.
    """

    file: str
    line: int
    column: int
    site: str
    field: str
    value: str
    message: str
    allowed: str = ""

    def __str__(self) -> str:
        parts = [f"{self.file}:{self.line}:{self.column}:"]
        if self.site:
            parts.append(f"site {self.site}:")
        if self.field:
            parts.append(f"{self.field}:")
        if self.value:
            parts.append(f"{self.value} -")
        parts.append(self.message)
        if self.allowed:
            parts.append(f"(allowed: {self.allowed})")
        return " ".join(parts)


class RegisterError(Exception):
    """The register cannot be used. `problems` holds every one of them, in order of place; `str()` one line for each."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Document:
    """One file of the register: `data` is its content (None if there is none), `problems` tells what its form lacks.

    `text` is the file's text, with a byte order mark if it has one; `root` is its node, whose marks count without that
    mark. A `text` that is given is read instead of the file.
    """

    def __init__(self, path: Path, shown: str, text: str | None = None) -> None:
        self.path = path
        self.shown = shown
        self.text = text or ""
        self.problems: list[Problem] = []
        self.data: Any = None
        self.root: yaml.Node | None = None
        self._seen: set[int] = set()
        self._inside: dict[int, dict[str | int, tuple[yaml.Node, yaml.Node]]] = {}
        try:
            self.text = path.read_bytes().decode() if text is None else text
        except UnicodeDecodeError as error:
            self._report(error.object.count(b"\n", 0, error.start) + 1, 1, "is no text in UTF-8")
            return
        except OSError as error:
            self._report(1, 1, f"cannot be read: {error.strerror}")
            return
        try:
            self.root = _compose(self.text.removeprefix("\ufeff"))
        except yaml.MarkedYAMLError as error:
            line, column, words = yaml_fault(error, self.text.removeprefix("\ufeff"))
            self._report(line, column, f"is no YAML: {words}")
            return
        except yaml.YAMLError as error:  # a character that YAML does not know has no mark
            before = self.text.removeprefix("\ufeff").encode()[: getattr(error, "position", 0)].decode(errors="ignore")
            self._report(before.count("\n") + 1, len(before) - before.rfind("\n"), "is no YAML: a forbidden character")
            return
        self.data = None if self.root is None else self._plain(self.root, self.root)
        if self.data is None:
            self._report(1, 1, "is empty")
        self.problems = [replace(problem, site=self._site_at(problem.line - 1)) for problem in self.problems]

    def problem(
        self, loc: Loc, message: str, allowed: str = "", *, value: object = SPOILT, of_key: bool = False
    ) -> Problem:
        """A problem at `loc`; `value` is shown if it is given, unless it may be personal."""
        line, column = self.place(loc, of_key=of_key)
        shown = "" if value is SPOILT else shown_value(value, personal=not _PERSONAL.isdisjoint(loc))
        of_site = loc[:1] == ("sites",) and len(loc) > 1
        field = shown_field(loc[2:] if of_site else loc)
        return Problem(self.shown, line, column, self._site(loc), field, shown, message, allowed)

    def entries(self, section: str) -> Iterator[tuple[Loc, dict[str, Any]]]:
        """Place and content of each entry of `sites`, `waves` or `waivers` that is a mapping."""
        listed = self.data.get(section) if isinstance(self.data, dict) else None
        for number, entry in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(entry, dict):
                yield (section, number), entry

    def _site(self, loc: Loc) -> str:
        key = {"sites": "id", "waivers": "site"}.get(str(loc[0])) if len(loc) > 1 else None
        if key is None:
            return ""
        entry = self.data[loc[0]][loc[1]]
        name = entry.get(key) if isinstance(entry, dict) else None
        return " ".join(name.split())[:32] if isinstance(name, str) and name.strip() else f"number {int(loc[1]) + 1}"

    def place(self, loc: Loc, *, of_key: bool = False) -> tuple[int, int]:
        """Line and column (from 1) of the value at `loc`, of its key, or of the nearest thing around it that exists."""
        key: yaml.Node | None = None
        node = self.root
        for part in loc:
            children = self._children(node)
            if part not in children:
                key = None
                break
            key, node = children[part]
        if node is None:
            return 1, 1
        # An empty value stands nowhere: its key is what a person finds.
        empty = isinstance(node, yaml.ScalarNode) and not node.style and not node.value
        mark = (key if key is not None and (of_key or empty) else node).start_mark
        return mark.line + 1, mark.column + 1

    def _children(self, node: yaml.Node | None) -> dict[str | int, tuple[yaml.Node, yaml.Node]]:
        """Key and value of all that a node holds, made once: each problem of a long list asks for it."""
        if id(node) not in self._inside:
            self._inside[id(node)] = dict(_children(node))
        return self._inside[id(node)]

    def _site_at(self, line: int) -> str:
        for loc, _entry in self.entries("sites"):
            node = self.root
            for part in loc:
                node = self._children(node)[part][1]
            if node and node.start_mark.line <= line < max(node.end_mark.line, node.start_mark.line + 1):
                return self._site(loc)
        return ""

    def _plain(self, node: yaml.Node, at: yaml.Node) -> object:
        if id(node) in self._seen:
            self._report_at(at, "is used again by an alias; write the value out where it is needed")
            return SPOILT
        self._seen.add(id(node))
        if node.tag not in _TAGS:
            self._report_at(at, f"has the tag {node.tag.replace('tag:yaml.org,2002:', '!!')}; tags are not used here")
            return SPOILT
        if isinstance(node, yaml.ScalarNode):
            return None if not node.style and node.value in _NULLS else node.value
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(child, node) for child in node.value]
        return self._mapping(node)

    def _mapping(self, node: yaml.Node) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._report_at(key_node, "is a list or a mapping where the name of a field is expected")
            elif key_node.value == "<<":
                self._report_at(key_node, "'<<' merges a mapping; write its fields out where they are needed")
            elif key_node.value in result:
                self._report_at(key_node, "stands twice in the same mapping", field=shown_field((key_node.value,)))
            else:
                result[key_node.value] = self._plain(value_node, key_node)
        return result

    def _report_at(self, node: yaml.Node, message: str, *, field: str = "") -> None:
        self._report(node.start_mark.line + 1, node.start_mark.column + 1, message, field=field)

    def _report(self, line: int, column: int, message: str, *, field: str = "") -> None:
        self.problems.append(Problem(self.shown, line, column, "", field, "", message))


def shown_field(loc: Loc) -> str:
    """A place as a person reads it: `clients[1].host`. What cannot be a field's name is hidden: it may be personal."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if part.isidentifier() else "(hidden)")
    return text


def shown_value(value: object, *, personal: bool = False) -> str:
    """A value as an error shows it: short, on one line, and not at all where it may be personal."""
    if personal:
        return "(hidden)"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"
    if value is None:
        return "null"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:56]}…'"


def _compose(text: str) -> yaml.Node | None:
    loader = _Loader(text)
    try:
        node: yaml.Node | None = loader.get_single_node()
        return node
    finally:
        loader.dispose()


def _children(node: yaml.Node | None) -> Iterator[tuple[str | int, tuple[yaml.Node, yaml.Node]]]:
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in reversed(node.value):  # of a key that stands twice, the first is found
            if isinstance(key_node, yaml.ScalarNode):
                yield key_node.value, (key_node, value_node)
    elif isinstance(node, yaml.SequenceNode):
        for number, child in enumerate(node.value):
            yield number, (child, child)
