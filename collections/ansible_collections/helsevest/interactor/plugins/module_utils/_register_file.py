# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One register file whose text is edited in place: values are put in at the places that libyaml names.

What comes out is read again and compared with what was wanted: an edit that would say anything else is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from ._register import fields_at
from ._register_source import Document
from ._register_text import block, inline, pair, plain, same, spread
from ._text_diff import Splice, spliced

_BY_NAME = ("clients",)
"""Lists whose entries are addressed by their `name`: `clients.pc1.host`."""
_SECTIONS = ("waves", "sites")
_END_OF_LINE = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_Pair = tuple[yaml.Node, yaml.Node]
_Path = tuple[str, ...]


class EditError(Exception):
    """The edit cannot be made: an unknown entry, YAML that cannot be edited in place, or a file that was changed."""


@dataclass(frozen=True)
class Conflict:
    """A field that holds something else than what is wanted; `current` and `wanted` as they are written in YAML."""

    file: str
    line: int
    section: str
    entry: str
    field: str
    current: str
    wanted: str


class RegisterFile:
    """One file that is edited. Its plain data is changed along with its text, to compare the two at the end."""

    def __init__(self, document: Document, overwrite: bool, *, fresh: bool = False) -> None:
        self.document = document
        self.old = document.text
        self.fresh = fresh
        self.splices: list[Splice] = []
        self.conflicts: list[Conflict] = []
        self.entries = {(section, name): nodes for section in _SECTIONS for name, nodes in self._named(section)}
        self._overwrite = overwrite
        self._shift = len(self.old) - len(self.old.removeprefix("\ufeff"))  # YAML counts without a byte order mark
        ends = _END_OF_LINE.search(self.old)
        self._eol = ends.group() if ends else "\n"
        self._place = ("", "")

    def _named(self, section: str) -> Iterator[tuple[str, tuple[yaml.MappingNode, dict[str, Any]]]]:
        for (_, number), entry in self.document.entries(section):
            if isinstance(entry.get("id"), str):
                yield entry["id"].strip(), (_pairs(self.document.root)[section][1].value[number], entry)

    def text(self) -> str:
        """The new text. EditError unless it says exactly what it was to say."""
        try:
            text = spliced(self.old, self.splices)
        except ValueError:
            raise self._cannot() from None
        again = Document(self.document.path, self.document.shown, text)
        if again.problems or again.data != self.document.data:
            raise self._cannot()
        return text

    def edit(self, place: tuple[str, str], wanted: Mapping[str, Any]) -> None:
        """Bring `wanted` into an entry of this file."""
        self._place = place
        self._fill(*self.entries[place], wanted, (place[0],))

    def add(self, section: str, entries: list[dict[str, Any]]) -> None:
        """Put new entries at the end of a section."""
        if not isinstance(self.document.root, yaml.MappingNode):
            raise EditError(f"{self.document.shown}: is no mapping of sections")
        held = _pairs(self.document.root).get(section)
        data = self.document.data
        if held and isinstance(held[1], yaml.SequenceNode) and held[1].value:
            self._append(held[1], data[section], entries)
        elif held:
            self._empty(held, entries, flow=_is_flow(self.document.root))
            data[section] = plain(entries)
        else:
            self._insert(self.document.root, data, {section: entries}, ())

    def _fill(self, node: yaml.MappingNode, data: dict[str, Any], wanted: Mapping[str, Any], path: _Path) -> None:
        missing: dict[str, object] = {}
        for key, value in wanted.items():
            pair_of, here = _pairs(node).get(key), (*path, key)
            if data.get(key) is None or (key in _BY_NAME and data[key] == []):
                fresh = _fresh(value, here)
                if fresh is None:
                    continue
                if pair_of is None:
                    missing[key] = fresh
                else:
                    self._empty(pair_of, fresh, flow=_is_flow(node))
                    data[key] = plain(fresh)
                continue
            child = pair_of[1] if pair_of else node
            if isinstance(value, Mapping) and isinstance(child, yaml.MappingNode):
                self._fill(child, data[key], value, here)
            elif isinstance(value, Mapping) and key in _BY_NAME and isinstance(child, yaml.SequenceNode):
                self._fill_list(child, data[key], value, here)
            elif pair_of and not same(data[key], value):
                self._differ(pair_of, data[key], value, here)
                if self._overwrite:
                    data[key] = plain(value)
        if missing:
            self._insert(node, data, missing, path)

    def _fill_list(self, node: yaml.SequenceNode, data: list[Any], wanted: Mapping[str, Any], path: _Path) -> None:
        named = {
            entry["name"].strip(): (child, entry)
            for child, entry in zip(node.value, data, strict=True)
            if isinstance(entry, dict) and isinstance(entry.get("name"), str)
        }
        for name, value in wanted.items():
            if name in named:
                self._fill(*named[name], value, (*path, name))
        fresh = [_told({"name": name, **value}, path) for name, value in wanted.items() if name not in named]
        if fresh:
            self._append(node, data, fresh)

    def _differ(self, pair_of: _Pair, current: object, wanted: object, path: _Path) -> None:
        """Another value stands there: a conflict, or it is replaced."""
        key, child = pair_of
        if not self._overwrite:
            line = child.start_mark.line + 1
            shown = (inline(current), inline(wanted))
            self.conflicts.append(Conflict(self.document.shown, line, *self._place, ".".join(path[1:]), *shown))
        elif isinstance(child, yaml.ScalarNode) or _is_flow(child):
            quote = child.style if isinstance(child, yaml.ScalarNode) and child.style in ("'", '"') else ""
            self._splice(child.start_mark.index, self._end(child), inline(wanted, quote=quote))
        elif spread(wanted) and isinstance(child, yaml.SequenceNode) == isinstance(wanted, list):
            lines = block(wanted, child.start_mark.column)
            lines[0] = lines[0].lstrip()
            self._splice(child.start_mark.index, self._end(child), self._eol.join(lines))
        else:
            colon = self._colon(key)
            self._splice(colon, colon, " " + inline(wanted))
            before = len(self.old[: child.start_mark.index + self._shift].rstrip(" \r\n")) - self._shift
            self._splice(max(before, colon), self._end(child), "")

    def _empty(self, pair_of: _Pair, value: object, *, flow: bool) -> None:
        """Put a value where `key:` has none (or null, or an empty list)."""
        key, child = pair_of
        start, end = child.start_mark.index, child.end_mark.index
        if flow or not spread(value):
            at = self.old[: start + self._shift]
            self._splice(start, end, ("" if at.endswith((" ", "\n", "\r")) else " ") + inline(value))
            return
        before = len(self.old[: start + self._shift].rstrip(" ")) - self._shift
        self._splice(max(before, self._colon(key)), end, "")
        self._lines_after(end, block(value, key.start_mark.column + 2))

    def _insert(self, node: yaml.MappingNode, data: dict[str, Any], missing: Mapping[str, Any], path: _Path) -> None:
        """Add keys to a mapping: each after the one that comes before it in the model, else at the end."""
        order = _order(path)
        pairs = _pairs(node)
        placed = [key for key in order if key in pairs] or list(pairs)
        for key in sorted(missing, key=lambda key: order.index(key) if key in order else len(order)):
            value = missing[key]
            rank = order.index(key) if key in order else len(order)
            before = [other for other in placed if other in order and order.index(other) < rank]
            after = pairs[before[-1]][1] if before else (node.value[-1][1] if node.value else None)
            if _is_flow(node):
                at = self._end(after) if after else node.start_mark.index + 1
                first = after is None and not any(splice.start == at + self._shift for splice in self.splices)
                self._splice(at, at, ("" if first else ", ") + f"{key}: {inline(value)}")
            else:
                self._lines_after(self._end(after), pair(key, value, node.start_mark.column))
            data[key] = plain(value)

    def _append(self, node: yaml.SequenceNode, data: list[Any], entries: list[dict[str, Any]]) -> None:
        at = self._end(node.value[-1])
        if _is_flow(node):
            self._splice(at, at, "".join(f", {inline(entry)}" for entry in entries))
        else:
            self._lines_after(at, block(entries, node.start_mark.column))
        data.extend(map(plain, entries))

    def _lines_after(self, at: int, lines: list[str]) -> None:
        """Whole lines, after the line in which `at` lies."""
        ends = _END_OF_LINE.search(self.old, at + self._shift)
        at = (ends.start() if ends else len(self.old)) - self._shift
        self._splice(at, at, "".join(self._eol + line for line in lines))

    def _end(self, node: yaml.Node | None) -> int:
        """Where the last thing in a node ends; YAML's own mark of a block lies behind the comments that follow."""
        while node is not None and not isinstance(node, yaml.ScalarNode) and node.value and not _is_flow(node):
            last = node.value[-1]
            node = last[1] if isinstance(last, tuple) else last
        if node is None:
            return 0
        start, end = node.start_mark.index, node.end_mark.index
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            return start + len(self.old[start + self._shift : end + self._shift].rstrip())
        return int(end)

    def _colon(self, key: yaml.Node) -> int:
        at = self.old.find(":", key.end_mark.index + self._shift)
        if at < 0:
            raise self._cannot()
        return at + 1 - self._shift

    def _cannot(self) -> EditError:
        return EditError(f"{self.document.shown}: this form of YAML cannot be edited in place; make the change by hand")

    def _splice(self, start: int, end: int, text: str) -> None:
        self.splices.append(Splice(start + self._shift, end + self._shift, text))


def _pairs(node: yaml.Node | None) -> dict[str, _Pair]:
    return {key.value: (key, value) for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}


def _is_flow(node: yaml.Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and bool(node.flow_style)


def _told(value: Mapping[str, Any], path: _Path) -> dict[str, Any]:
    """A mapping in the order of its fields, without what is null in it."""
    order = _order(path)
    inner = {
        key: _told(value[key], (*path, key)) if isinstance(value[key], Mapping) else value[key]
        for key in sorted(value, key=lambda key: order.index(key) if key in order else len(order))
    }
    return {key: item for key, item in inner.items() if item is not None and item != {}}


def _fresh(value: object, path: _Path) -> object:
    """What is put where nothing stands, None for nothing; entries that are addressed by name become a list."""
    if not isinstance(value, Mapping):
        return value
    if path[-1] in _BY_NAME:
        return [_told({"name": name, **entry}, path) for name, entry in value.items()] or None
    return _told(value, path) or None


@cache
def _order(path: _Path) -> tuple[str, ...]:
    """The fields of the mapping at `path`, in the order of the model."""
    return tuple(fields_at(tuple(part for at, part in enumerate(path) if not at or path[at - 1] not in _BY_NAME)))
