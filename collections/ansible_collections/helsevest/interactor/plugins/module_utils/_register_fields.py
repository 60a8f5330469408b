# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One field of the register by its dotted path: what it is when it is left out, and what is wrong with a value for it.

Imports pydantic; who imports this asks `_register.need_pydantic` first.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from ._register_models import Client, Site
from ._register_text import plain


def fault(path: str, value: object) -> tuple[str, str] | None:
    """What is wrong with a value (plain data) for a field of a site, and what is allowed; None if nothing is."""
    try:
        _adapter(path).validate_python(plain(value))
    except ValidationError as error:
        first = error.errors()[0]
        context = first.get("ctx", {})
        return context.get("message", first["msg"]), str(context.get("allowed", context.get("expected", "")))
    return None


def untold(site: Mapping[str, Any], path: str) -> object:
    """What a field means while nothing stands in `site` (plain data): its default as plain data, None for none."""
    here: object = site
    parts = path.split(".")
    for at, part in enumerate(parts):
        here = here.get(part) if isinstance(here, Mapping) else None
        if here is None:
            default = _field(".".join(parts[: at + 1])).get_default()
            if not isinstance(default, BaseModel):
                break
            here = plain(default.model_dump(mode="json", by_alias=True))
    return here if here is not None else plain(_default(path))


def _default(path: str) -> object:
    field = _field(path)
    return None if field.is_required() else field.get_default()


@cache
def _adapter(path: str) -> TypeAdapter[Any]:
    field = _field(path)
    return TypeAdapter(Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation)


@cache
def _field(path: str) -> FieldInfo:
    """The field at a dotted path; of `clients.pc1.host`, the name leads nowhere."""
    parts = path.split(".")
    model: type[BaseModel] = Site
    if parts[0] == "clients":
        model, parts = Client, parts[2:]
    for part in parts:
        field = next(field for name, field in model.model_fields.items() if (field.alias or name) == part)
        model = next((found for found in (field.annotation, *get_args(field.annotation)) if _is_model(found)), model)
    return field


def _is_model(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, BaseModel)
