# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of our scripts Windows PowerShell 5.1 cannot run, or would do otherwise, and what the house rules forbid.

`audit.ps1` tells what the syntax trees hold; `windows_powershell_5_1.yml` is what has been looked up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.pwsh.engine import HERE, Engine

KNOWN = HERE / "windows_powershell_5_1.yml"
# What belongs into the vendor contract or into the register, not into a script.
WORDS = re.compile(r"DIPS|HelseVest|dips\.no|nhn\.no|Program Files|ProgramData\\")
FULL_NAME = re.compile(r"[A-Z][A-Za-z]+-[A-Z][A-Za-z0-9]+|[a-z]+\.exe")
Facts = Mapping[str, Any]


def read_trees(engine: Engine, scripts: Collection[str]) -> list[Facts]:
    """What the engine's parser finds in each of `scripts`."""
    told = engine.script((HERE / "audit.ps1").read_text(encoding="utf-8"), json.dumps(list(scripts)))
    assert "ERROR:" not in told, told
    facts: list[Facts] = json.loads(told)
    return facts


@dataclass
class Audit:
    """Judges scripts by what is known; remembers what of it was used."""

    known: Mapping[str, Any]
    functions: Mapping[str, Collection[str]]
    """Our own functions, each with its parameters."""
    homes: Mapping[str, Collection[str]]
    """The scripts that each of our own functions is in, by its name in lower case: once for every time."""
    used: set[tuple[str, str]] = field(default_factory=set)

    def faults(self, script: str, facts: Facts) -> list[str]:
        """Those of the script of that name, each as `line 12: what`, in the order of the lines."""
        found = [(line, f"does not parse: {message}") for line, message in facts["errors"]]
        found += [(line, f"5.1 lacks {what}") for line, what in facts["lacks"]]
        found += [(line, f"{name} is {how}") for line, name, how in facts["variables"]]
        for line, text in facts["strings"]:
            if WORDS.search(text or ""):
                found.append((line, f"{text!r} belongs into the contract"))
        if not facts["errors"]:
            found += self._head(facts["head"])
        places = sorted((line, name) for line, name, _ in facts["functions"])
        for line, name in places:
            others = list(self.homes[name.lower()])
            others.remove(script)
            found += [(line, f"there is a function {name} in {other} too") for other in others]
        for command in facts["commands"]:
            within = next((name for line, name in reversed(places) if line <= command["line"]), "")
            found += [(command["line"], fault) for fault in self._command(command, within, facts)]
        for line, name in facts["types"]:
            if self._unknown("types", name):
                found.append((line, f"the type {name} has not been looked up"))
        for member in facts["members"]:
            found += [(member["line"], fault) for fault in self._member(member)]
        return [f"line {line}: {fault}" for line, fault in sorted(set(found))]

    def unused(self) -> list[str]:
        """What is known and in no script."""
        known = {("commands", name) for name in self.known["commands"]}
        known |= {("parameters", f"{c} -{p}") for c, told in self.known["commands"].items() for p in told["parameters"]}
        known |= {("common", name) for name in self.known["common"]["parameters"]}
        known |= {("types", name) for name in self.known["types"]}
        known |= {("static", f"{t}::{m}") for t, told in self.known["types"].items() for m in told.get("members", ())}
        for part in ("programs", "members", "codes", "splats", "ours"):
            known |= {(part, name) for name in self.known[part]}
        return sorted(f"{part}: {name}" for part, name in known - self.used)

    def _unknown(self, part: str, name: str) -> bool:
        self.used.add((part, name))
        return name not in self.known[part]

    def _head(self, head: list[list[Any]]) -> Iterator[tuple[int, str]]:
        texts = [text for _, text in head]
        if texts[:1] != ["Set-StrictMode -Version Latest"]:
            yield 1, "does not begin with Set-StrictMode -Version Latest"
        if texts[1:2] != ["$ErrorActionPreference = 'Stop'"]:
            yield 1, "errors do not end it: $ErrorActionPreference = 'Stop' is not its second statement"

    def _command(self, command: Facts, within: str, facts: Facts) -> Iterator[str]:
        name = command["name"]
        if name is None:
            # A block that is called by its variable; a text that becomes a program is another thing.
            if command["operator"] not in ("Ampersand", "Dot") or not command["text"].startswith("$"):
                yield f"{command['text']} is called, and what that is cannot be told"
            return
        if name == "Invoke-Expression":
            yield "Invoke-Expression"
            return
        if not FULL_NAME.fullmatch(name) and name not in self.functions:
            yield f"{name} is an alias or no full name"
            return
        if name in self.known["later"]["commands"]:
            yield f"5.1 lacks {name}"
        if name.endswith(".exe"):
            if self._unknown("programs", name):
                yield f"{name} has not been looked up"
            if not self._code_is_read(command, facts) and self._unknown("codes", f"{within} {name}"):
                yield f"{name}: its exit code is not looked at"
            return
        yield from self._splats(command)
        yield from self._errors(command)
        given = {p for p, _ in command["parameters"]} | {key for splat in command["splats"] for key in splat["keys"]}
        if name in self.functions:
            for parameter in sorted(given - set(self.functions[name]) - {"ErrorAction", "Verbose"}):
                yield f"{name} has no parameter -{parameter}"
            return
        if self._unknown("commands", name):
            yield f"{name} has not been looked up"
            return
        yield from self._parameters(name, sorted(given))
        yield from self._encoding(name, dict(command["parameters"]))

    def _code_is_read(self, command: Facts, facts: Facts) -> bool:
        """Whether the exit code of a program is looked at before the same function runs the next one."""
        programs = [each["at"] for each in facts["commands"] if (each["name"] or "").endswith(".exe")]
        end = min((at for at in programs if at > command["at"]), default=float("inf"))
        return any(scope == command["scope"] and command["at"] < at < end for scope, at in facts["codes"])

    def _splats(self, command: Facts) -> Iterator[str]:
        for splat in command["splats"]:
            source = splat["from"]
            if source and self._unknown("splats", source):
                yield f"{command['name']} is splatted with {source}, which cannot be told"

    def _errors(self, command: Facts) -> Iterator[str]:
        """An error ends the script, unless what failed is kept in a variable that the function reads afterwards."""
        actions = [value for parameter, value in command["parameters"] if parameter == "ErrorAction"]
        actions += ["" for splat in command["splats"] if "ErrorAction" in splat["keys"]]
        if not command["told"] and any(action != "Stop" for action in actions):
            yield f"{command['name']} -ErrorAction: its errors do not end the script"

    def _parameters(self, name: str, given: Collection[str]) -> Iterator[str]:
        for parameter in given:
            if parameter in self.known["later"]["parameters"]:
                yield f"{name} -{parameter} is none of 5.1, or another there"
            elif parameter in self.known["common"]["parameters"]:
                self.used.add(("common", parameter))
            else:
                self.used.add(("parameters", f"{name} -{parameter}"))
                if parameter not in self.known["commands"][name]["parameters"]:
                    yield f"{name} -{parameter} has not been looked up"
                if parameter in ("Path", "FilePath") and name in self.known["literal"]:
                    yield f"{name} -{parameter} takes brackets for a wildcard: -LiteralPath is wanted"

    def _encoding(self, name: str, given: Mapping[str, str]) -> Iterator[str]:
        encodings = {encoding.lower() for encoding in self.known["encodings"]}
        directory = name == "New-Item" and given.get("ItemType") == "Directory"
        if name in self.known["writers"] and not directory and given.get("Encoding", "").lower() not in encodings:
            yield f"{name} writes in another encoding in 5.1: -Encoding is one of {', '.join(self.known['encodings'])}"
        if name in self.known["readers"] and not given.get("Encoding"):
            yield f"{name} reads another encoding in 5.1: -Encoding is wanted"

    def _member(self, member: Facts) -> Iterator[str]:
        name = member["name"]
        counted = f"{name}({len(member['arguments'])})" if member["invoked"] else name
        if name in self.known["later"]["members"]:
            yield f"5.1 lacks .{name}"
        elif member["static"]:
            kind = member["type"]
            self.used.add(("static", f"{kind}::{counted}"))
            if counted not in self.known["types"].get(kind, {}).get("members", ()):
                yield f"[{kind}]::{counted} has not been looked up"
        elif member["below"] in ("Params", "Result"):
            return
        elif counted in self.known["cultures"] and member["arguments"] != ["[char]"]:
            yield f".{counted} goes by the host's language"
        elif name in self.known["ours"]:
            self.used.add(("ours", name))
        elif self._unknown("members", counted):
            yield f".{counted} has not been looked up"
        # .NET Framework knows these with characters alone, and PowerShell takes a text apart for them.
        if name in ("Split", "Trim", "TrimEnd", "TrimStart") and not member["static"]:
            for argument in member["arguments"][:1] if name == "Split" else member["arguments"]:
                if argument != "[char[]]" and not re.fullmatch(r"'.'", argument, re.DOTALL):
                    yield f".{name}({argument}) takes one character each in 5.1"


def audit(engine: Engine, scripts: Mapping[str, str], known: Mapping[str, Any]) -> tuple[dict[str, list[str]], Audit]:
    """The faults of `scripts` (name → text), by name, and what was used; functions may be in any of them."""
    trees = dict(zip(scripts, read_trees(engine, scripts.values()), strict=True))
    functions: dict[str, Collection[str]] = {}
    homes: dict[str, list[str]] = {}
    for script, facts in trees.items():
        for _, name, names in facts["functions"]:
            functions[name] = names
            homes.setdefault(name.lower(), []).append(script)
    judge = Audit(known, functions, homes)
    return {script: faults for script, facts in trees.items() if (faults := judge.faults(script, facts))}, judge


def read_known(path: Path = KNOWN) -> dict[str, Any]:
    """What has been looked up."""
    known: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return known
