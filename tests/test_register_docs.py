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
from ansible_collections.helsevest.interactor.plugins.module_utils._register import (
    RegisterError,
    json_schema,
    load_register,
)
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tests.fleet import write_register

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


class CoreLoader(yaml.BaseLoader):
    """YAML 1.2's core schema, as editors read a file: `20:00`, `NO` and `2027-05-18` are text, `0047` is a number."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


for tag, pattern, first, construct in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""], lambda _text: None),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF", lambda text: text.lower() == "true"),
    (
        "int",
        r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+",
        "-+0123456789",
        lambda text: int(text, 0 if text[1:2] in "ox" else 10),
    ),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789", float),
):
    CoreLoader.add_implicit_resolver(f"!{tag}", re.compile(f"^(?:{pattern})$"), list(first))
    CoreLoader.add_constructor(
        f"!{tag}", lambda loader, node, construct=construct: construct(loader.construct_scalar(node))
    )


def in_an_editor(text: str) -> Any:
    return yaml.load(text, CoreLoader)


def test_the_editors_view_of_yaml() -> None:
    seen = in_an_editor("[20:00, NO, 2027-05-18, 0047, 1.10, true, ~, null, 1e3, 0x1F, '12', yes, 12]")
    assert seen == ["20:00", "NO", "2027-05-18", 47, 1.1, True, None, None, 1000.0, 31, "12", "yes", 12]


@pytest.mark.parametrize("file", sorted(ROOT.glob("inventories/*/register/*.yml")), ids=lambda path: path.stem)
def test_an_editor_finds_nothing_wrong_in_what_is_shipped(file: Path) -> None:
    jsonschema.validate(in_an_editor(file.read_text(encoding="utf-8")), json_schema())


def test_an_editor_finds_nothing_wrong_in_a_fleet(tmp_path: Path) -> None:
    write_register(tmp_path, sites=60, clients=2)
    for file in tmp_path.glob("*.yml"):
        jsonschema.validate(in_an_editor(file.read_text(encoding="utf-8")), json_schema())


SITE = """
waves: [{id: 1, name: 2027, dates: {from: 2027-05-18, to: 2027-05-20}}]
waivers: [{check: CLIENT.0017-pc1, site: 0017, reason: 1.10, who: NO, until: 2027-05-18}]
sites:
  - id: 0017
    name: 1337
    kind: gp_office
    county: true
    epj: 1.10
    wave: 1
    move_date: 2027-05-18
    window: {from: 20:00, to: 06:00}
    closed: [{from: 2027-07-05, to: 2027-07-25}]
    contact: {name: NO, email: k@a.example, phone: 004755123456, weekends: yes}
    agreement: {status: sent, sent: 2027-04-01, reference: 17}
    signatory_known: no
    server: {host: srv.a.example, credential: 1}
    clients: [{name: pc1, host: pc1.a.example, port: 5987}]
"""


def test_what_the_register_takes_without_quotes_an_editor_takes_too(tmp_path: Path) -> None:
    (tmp_path / "all.yml").write_text(SITE)
    assert load_register(tmp_path).sites[0].id == "0017"
    jsonschema.validate(in_an_editor(SITE), json_schema())


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("kind: gp_office", "kind: gp_ofice"),
        ("from: 20:00", "from: 2000"),
        ("weekends: yes", "weekends: on"),
        ("port: 5987", "port: 70000"),
        ("check: CLIENT.0017-pc1", "check: P33"),
        ("    epj: ", "    ejp: "),
        ("status: sent,", "status: sendt,"),
        ("wave: 1\n", "wave: one\n"),
    ],
)
def test_an_editor_finds_what_the_register_refuses(tmp_path: Path, right: str, wrong: str) -> None:
    text = SITE.replace(right, wrong)
    assert text != SITE
    (tmp_path / "all.yml").write_text(text)
    with pytest.raises(RegisterError):
        load_register(tmp_path)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(in_an_editor(text), json_schema())


def test_every_field_is_described_to_the_editor() -> None:
    schema = json_schema()
    for name, definition in {"": schema, **schema["$defs"]}.items():
        assert definition["additionalProperties"] is False
        for field, told in definition["properties"].items():
            assert told.get("description"), f"{name}.{field}"


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
