"""What is written of the register, and the registers that are shipped, are true to its fields."""

from __future__ import annotations

import json
import re
from itertools import chain
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from ansible_collections.helsevest.interactor.plugins.module_utils import _register_models as models
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.sheet import (
    CLIENT_COLUMNS,
    SIGNATORY,
    SITE_COLUMNS,
    Column,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._register import json_schema, load_register
from pydantic import BaseModel
from pydantic.fields import FieldInfo

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = (ROOT / "docs" / "register.md").read_text(encoding="utf-8")
MODELS = {
    name: found
    for name, found in vars(models).items()
    if isinstance(found, type) and issubclass(found, BaseModel) and not name.startswith(("_", "BaseModel"))
}
INVENTORIES = sorted(path.parent for path in (ROOT / "inventories").glob("*/sites.register.yml"))


def tables() -> dict[str, dict[str, tuple[str, str]]]:
    """Heading → field → what the document says of its default and of what is allowed."""
    found = {}
    for section in DOCUMENT.split("\n## ")[1:]:
        rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \| (.+) \|$", section, re.MULTILINE)
        if rows:
            found[section.partition("\n")[0]] = {field: (default, allowed) for field, default, allowed in rows}
    return found


def default(field: FieldInfo) -> str:
    """A field's default as the document writes it."""
    if field.is_required():
        return "required"
    if isinstance(field.default, BaseModel):
        return "as below"
    if field.default == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]:
        return "all seven"
    if field.default == ["easter_wednesday", "christmas_eve", "new_years_eve"]:
        return "all three"
    value = field.default
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def test_the_document_lists_every_field_with_its_default() -> None:
    expected = {
        name: {field.alias or field_name: default(field) for field_name, field in model.model_fields.items()}
        for name, model in MODELS.items()
    }
    assert {name: {field: row[0] for field, row in rows.items()} for name, rows in tables().items()} == expected


def words(schema: dict[str, Any]) -> list[str]:
    """The words that a field's schema allows."""
    found: list[str] = schema.get("enum") or [schema["const"]] if "const" in schema or "enum" in schema else []
    return found or list(chain.from_iterable(words(part) for part in schema.get("anyOf", [])))


def test_the_document_names_every_word_that_is_allowed() -> None:
    definitions = json_schema()["$defs"]
    written = tables()
    checked = 0
    for name, definition in definitions.items():
        for field, schema in definition["properties"].items():
            for word in words(schema) if name != "Client" else ():  # "as at the server"
                checked += 1
                assert f"`{word}`" in written[name][field][1], f"{name}.{field} does not name {word}"
    assert checked > 10


@pytest.mark.parametrize(("table", "columns"), [("Kontor", SITE_COLUMNS), ("Klienter", CLIENT_COLUMNS)])
def test_the_document_lists_every_column_of_the_tables(table: str, columns: tuple[Column, ...]) -> None:
    _, _, rest = DOCUMENT.partition(f"\nColumns of `{table}`:\n")
    section = rest.split("\n\n")[0]
    rows = re.findall(r"^\| (.+) \| `(.+)` \| (.+) \| (.*) \|$", section, re.MULTILINE)
    assert rows == [(column.heading, column.path, column.kind.allowed, ", ".join(column.also)) for column in columns]
    for heading in SIGNATORY:
        assert heading in DOCUMENT


def test_the_schema_for_editors_is_current() -> None:
    written = json.loads((ROOT / "docs" / "register.schema.json").read_text(encoding="utf-8"))
    assert written == json_schema(), (
        "run helsevest.interactor.site_register with export_schema: docs/register.schema.json"
    )


@pytest.mark.parametrize("inventory", INVENTORIES, ids=lambda path: path.name)
def test_the_registers_that_are_shipped_are_right(inventory: Path) -> None:
    register = load_register(inventory / "register")
    assert register.sites
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    data = {
        "sites": [register.site_vars(site) for site in register.sites],
        "waves": [register.wave_vars(number) for number in register.waves],
        **{name.removeprefix("interactor_"): value for name, value in register.common_vars.items()},
    }
    jsonschema.validate(data, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data | {"stes": []}, schema)
    for file in (inventory / "register").glob("*.yml"):
        modeline = file.read_text(encoding="utf-8").splitlines()[0]
        assert modeline.startswith("# yaml-language-server: $schema=")
        assert (file.parent / modeline.partition("=")[2]).resolve() == ROOT / "docs" / "register.schema.json"


def test_the_template_shows_every_field_of_a_site() -> None:
    text = (ROOT / "inventories" / "production" / "register" / "sites.yml").read_text(encoding="utf-8")
    (site,) = yaml.safe_load(text)["sites"]
    assert list(site) == [field.alias or name for name, field in models.Site.model_fields.items()]


def test_the_demonstrations_register_and_scenario_are_of_the_same_offices() -> None:
    register = load_register(ROOT / "inventories" / "demo" / "register")
    scenario = yaml.safe_load((ROOT / "simulator" / "scenarios" / "demo.yml").read_text(encoding="utf-8"))["sites"]
    assert [site.id for site in register.sites] == [str(number) for number in scenario]
    for site in register.sites:
        simulated = scenario[int(site.id)]
        names = [client if isinstance(client, str) else client["name"] for client in simulated["clients"]]
        assert site.server.host == f"srv.{simulated['domain']}"
        assert [client.host for client in site.clients] == [f"{name}.{simulated['domain']}" for name in names]
        assert [client.name for client in site.clients] == names
        assert site.contact is None or site.contact.email.endswith(".example")
