# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The register of sites: a folder of YAML files, read as one, refused as a whole with all that is wrong in it.

`load_register` is the one way in; what comes out are the site variables of docs/contracts.md.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from ._register_checks import cross_check, near_miss
from ._register_source import SPOILT, Document, Loc, Problem, RegisterError

try:
    from pydantic import BaseModel, ValidationError

    from ._register_models import Calendar, HealthTrust, RegisterFile, Site, Vendor, Waiver, Wave
except ImportError as error:
    _MISSING: ImportError | None = error
else:
    _MISSING = None

__all__ = ["Problem", "Register", "RegisterError", "json_schema", "load_register"]

_INHERITED = ("port", "transport", "ca", "credential")
_PLAIN = {
    "string_type": ("is no text", "one line of text"),
    "list_type": ("is no list", "a list"),
    "model_type": ("is no mapping", "a mapping of fields"),
    "too_short": ("is empty", "at least one entry"),
}


@dataclass(frozen=True)
class Register:
    """A register in which everything is right. Sites are in order of their ids."""

    sites: tuple[Site, ...]
    waves: Mapping[int, Wave]
    vendor: Vendor
    waivers: tuple[Waiver, ...]
    health_trust: HealthTrust
    calendar: Calendar

    @cached_property
    def common_vars(self) -> dict[str, dict[str, Any]]:
        """What holds for all sites: `interactor_vendor`, `interactor_health_trust` and `interactor_calendar`."""
        return {
            "interactor_vendor": _plain(self.vendor),
            "interactor_health_trust": _plain(self.health_trust),
            "interactor_calendar": _plain(self.calendar),
        }

    def wave_vars(self, number: int | None) -> dict[str, Any] | None:
        """A wave as `interactor_wave`, None for none (KeyError for a wave that is not there)."""
        return None if number is None else _plain(self.waves[number])

    def site_vars(self, site: Site) -> dict[str, Any]:
        """A site as `interactor_site`, every default filled in, JSON-able; dates and times are text."""
        raw = _plain(site)
        raw["clients"] = [
            client | {field: client[field] or raw["server"][field] for field in _INHERITED} for client in raw["clients"]
        ]
        return raw

    def waiver_list(self) -> list[dict[str, Any]]:
        """All waivers, as `interactor_waivers` has those of a site."""
        return [_plain(waiver) for waiver in self.waivers]


def load_register(paths: Iterable[str | Path] | str | Path) -> Register:
    """Read the files, or the `*.yml` of the folders, that `paths` names, as one register.

    RegisterError with every problem of every file; ImportError where pydantic is missing.
    """
    need_pydantic()
    with without_collector():
        return _load(paths)


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep Python's garbage collector from looking, again and again, through much that is made to stay.

    It takes more than half of the time in which a large register is read.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _load(paths: Iterable[str | Path] | str | Path) -> Register:
    documents, problems = register_documents([paths] if isinstance(paths, str | Path) else list(paths))
    files: list[RegisterFile] = []
    for document in documents:
        problems += document.problems
        if document.data is None:
            continue
        try:
            files.append(RegisterFile.model_validate(document.data))
        except ValidationError as error:
            problems += [_problem(document, item) for item in error.errors() if item["input"] is not SPOILT]
    problems += cross_check(documents)
    if problems:
        raise RegisterError(problems)
    return Register(
        sites=tuple(sorted((site for file in files for site in file.sites), key=lambda site: site.id)),
        waves={wave.id: wave for file in files for wave in file.waves},
        vendor=Vendor.model_construct(
            windows=[window for file in files for window in file.vendor.windows],
            freezes=[freeze for file in files for freeze in file.vendor.freezes],
        ),
        waivers=tuple(waiver for file in files for waiver in file.waivers),
        health_trust=HealthTrust.model_construct(
            freezes=[freeze for file in files for freeze in file.health_trust.freezes]
        ),
        calendar=next((file.calendar for file in files if "calendar" in file.model_fields_set), Calendar()),
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of one file of the register, for editors. ImportError where pydantic is missing."""
    need_pydantic()
    schema = RegisterFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def need_pydantic() -> None:
    """ImportError that says what to do, where pydantic is missing."""
    if _MISSING is not None:
        raise ImportError(
            f"the register needs the Python package pydantic, 2.11 or later ({_MISSING}); run: make setup"
        )


def _plain(entry: BaseModel) -> dict[str, Any]:
    return entry.model_dump(mode="json", by_alias=True)


def register_files(path: Path) -> list[Path]:
    """The files of a register that `path` names: itself, or the `*.yml` in it that are not hidden, in order."""
    return [file for file in _inside(path) if file.suffix == ".yml"] if path.is_dir() else [path]


def _inside(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if not child.name.startswith("."))


def register_documents(paths: list[str | Path]) -> tuple[list[Document], list[Problem]]:
    """The files that `paths` names, parsed, and what is wrong with the choice of files itself."""
    files: list[Path] = []
    problems: list[Problem] = []
    for path in map(Path, paths):
        found = register_files(path)
        files += found
        if not path.is_dir():
            continue
        problems += [
            Problem(_shown_path(child), 1, 1, "", "", "", "would not be read: name it .yml")
            for child in _inside(path)
            if child.suffix == ".yaml"
        ]
        if not found:
            problems.append(Problem(_shown_path(path), 1, 1, "", "", "", "holds no *.yml file, so no register"))
    return [Document(file, _shown_path(file)) for file in files], problems


def _shown_path(path: Path) -> str:
    absolute, here = path.absolute(), Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else path)


def _problem(document: Document, item: Mapping[str, Any]) -> Problem:
    """One error of pydantic in the register's words."""
    loc: Loc = item["loc"]
    context = item.get("ctx", {})
    kind = item["type"]
    value = item["input"]
    if kind == "refused":
        loc += tuple(context["field"])
        for part in context["field"]:
            value = value.get(part, SPOILT) if isinstance(value, dict) else SPOILT
        return document.problem(loc, context["message"], context["allowed"], value=value)
    if kind == "extra_forbidden":
        fields = fields_at(loc[:-1])
        return document.problem(
            loc, "is no field that is known here" + near_miss(str(loc[-1]), fields), ", ".join(fields), of_key=True
        )
    if kind == "missing":
        words, description = _expected(loc)
        wanted = "" if words or not description else f" (wanted: {description})"
        return document.problem(loc, f"is missing{wanted}", words)
    if kind == "literal_error":
        words = re.findall(r"'([^']*)'", context["expected"])
        return document.problem(
            loc, "is not a word that is known here" + near_miss(value, words), ", ".join(words), value=value
        )
    message, allowed = _PLAIN.get(kind, (item["msg"], ""))
    return document.problem(loc, message, allowed, value=value)


def _expected(loc: Loc) -> tuple[str, str]:
    """What a field that is missing would hold: the words that are allowed, if these are all, and what it is."""
    for name, field in _model_at(loc[:-1]).model_fields.items():
        if (field.alias or name) == loc[-1]:
            words = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
            return ", ".join(words), field.description or ""
    return "", ""


def fields_at(loc: Loc) -> list[str]:
    """The names of the fields of the mapping at `loc`, in the order of the model. Needs pydantic."""
    return [field.alias or name for name, field in _model_at(loc).model_fields.items()]


def _model_at(loc: Loc) -> type[BaseModel]:
    model: type[BaseModel] = RegisterFile
    for part in loc:
        for name, field in model.model_fields.items():
            if (field.alias or name) == part:
                model = next(_models_in(field.annotation))
                break
    return model


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
