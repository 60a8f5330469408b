"""The documents say what is there: links, commands, tables, and nothing of the machine on which they were written."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.helsevest.interactor.plugins.module_utils._domain import texts
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.gate_rules import RULES, Rule
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.gate_texts import REASONS
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import (
    STEPS,
    Outcome,
    Phase,
    Step,
    Verdict,
)

from simulator.data import Record, manifest

ROOT = Path(__file__).resolve().parent.parent


def tracked() -> list[Path]:
    """Every file that is, or would be, in a commit."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in sorted(set(listed.split("\0"))) if name and (ROOT / name).is_file()]


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


FILES = tracked()
DOCUMENTS = [path for path in FILES if path.suffix == ".md"]
every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=shown)


def anchors(document: Path) -> set[str]:
    """The places in a document that a link may name."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_document
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        assert path.exists(), f"{shown(document)} links to {target}"
        if anchor:
            assert anchor in anchors(path), f"{shown(document)} links to {target}"


def code(document: Path) -> str:
    """What stands in a document as code: blocks and spans."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^ *```\w*\n.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`]+)`", rest)])


@every_document
def test_every_make_target_is_there(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"^(?:.*[;&] *)?make ([a-z-]+)", code(document), re.MULTILINE)) <= targets


@every_document
def test_every_playbook_and_module_is_there(document: Path) -> None:
    for name in re.findall(r"\bplaybooks/(\w+)\.yml", document.read_text(encoding="utf-8")):
        assert (ROOT / "playbooks" / f"{name}.yml").is_file(), f"{shown(document)} names playbooks/{name}.yml"
    for name in re.findall(r"\bpython3? -m ([\w.]+)", document.read_text(encoding="utf-8")):
        assert find_spec(name), f"{shown(document)} names python -m {name}"


@every_document
def test_a_value_with_a_space_is_quoted_so_that_ansible_takes_all_of_it(document: Path) -> None:
    assert re.findall(r"""-e \w+=["'][^"'\n]* [^"'\n]*["']""", code(document)) == []


@every_document
def test_every_folder_of_the_project_that_is_named_is_there(document: Path) -> None:
    rooms = r"(?:roles|simulator|inventories|tests|molecule|docs|changelogs)"
    for name in re.findall(rf"(?:^|[\s`(])({rooms}/[\w./-]*\w)", code(document), re.MULTILINE):
        assert (ROOT / name).exists(), f"{shown(document)} names {name}"


def rows(document: str, heading: str, *, spans: bool = True) -> list[list[str]]:
    """The cells of the first table below a heading, its head left out; with `spans` a span loses its backticks."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    _, found, below = text.partition(f"\n## {heading}\n")
    assert found, f"docs/{document} has no heading {heading}"
    lines = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert lines
    cells = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in lines[0].splitlines()[2:]]
    return [[cell.strip().strip("`") if spans else cell for cell in line] for line in cells]


def test_the_gate_has_the_rules_that_its_document_tells() -> None:
    told = [(code, steps, what) for code, steps, what in rows("gate.md", "The rules")]
    real = [(rule.code, steps_of(rule), rule.what) for rule in RULES]
    assert told == real


def steps_of(rule: Rule) -> str:
    """The steps that a rule guards, as the document writes them."""
    return "every step" if rule.steps == set(Step) else ", ".join(step for step in Step if step in rule.steps)


def test_every_reason_is_told_with_its_texts() -> None:
    told = rows("gate.md", "The reasons", spans=False)
    assert told == [[f"`{code}`", of.means, of.who, of.do, of.nb] for code, of in REASONS.items()]


def test_everything_that_a_failed_check_asks_for_is_told() -> None:
    told = rows("gate.md", "What a failed check asks for", spans=False)
    assert told == [[f"`{code}`", of.who, of.do, of.nb] for code, of in texts.REMEDIES.items()]


def test_every_check_is_told_with_its_title() -> None:
    assert {cells[0]: cells[1] for cells in rows("gate.md", "The checks")} == texts.TITLES


def test_every_outcome_and_verdict_is_told() -> None:
    handbook = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for word in (*Outcome, *Verdict):
        assert re.search(rf"^\| `{word}` \|", handbook, re.MULTILINE), word


def leaves(value: object, path: str = "") -> Iterator[str]:
    """The path of every value; a list, or a mapping that is empty, is a value."""
    if isinstance(value, Mapping) and value:
        for key, below in value.items():
            yield from leaves(below, f"{path}.{key}" if path else key)
    else:
        yield path


def read_yaml(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def test_every_key_of_the_vendor_contract_is_told_and_no_other() -> None:
    text = (ROOT / "docs" / "vendor-contract.md").read_text(encoding="utf-8")
    told = re.findall(
        r"^\| `([\w.]+)` \|", text.partition("\n## Keys\n")[2].partition("\n## Formats\n")[0], re.MULTILINE
    )
    assert sorted(told) == sorted(leaves(read_yaml("roles/vendor_contract/defaults/main.yml")["vendor_contract"]))


@pytest.mark.parametrize("phase", Phase)
def test_a_role_takes_the_steps_of_its_phase_in_their_order(phase: Phase) -> None:
    tasks = ROOT / "roles" / phase / "tasks"
    steps = [step.value for step in STEPS[phase]]
    takes, others = [], {"main.yml"}
    for task in read_yaml(f"roles/{phase}/tasks/main.yml"):
        file = task.get("ansible.builtin.import_tasks") or task.get("ansible.builtin.include_tasks") or ""
        takes += task.get("vars", {}).get("reconciler_steps", [])
        if file.removesuffix(".yml") in steps:
            takes.append(file.removesuffix(".yml"))
        elif file:
            others.add(file)
    assert takes == steps
    assert {path.name for path in tasks.iterdir()} == {f"{step}.yml" for step in steps} | others
    assert (ROOT / "playbooks" / f"{phase}.yml").is_file()


def test_the_steps_are_told_as_they_are() -> None:
    told = {phase: steps.split(", ") for phase, steps in rows("architecture.md", "The one order of steps")}
    assert told == {phase.value: [step.value for step in STEPS[phase]] for phase in STEPS}


def role_variables() -> set[str]:
    """The variables that a person may set: those of the argument specs, but for what one role says to another."""
    found: set[str] = set()
    for spec in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        found |= set(read_yaml(shown(spec))["argument_specs"]["main"]["options"])
    inner = {name for name in found if name.startswith("reconciler_")} - {"reconciler_settings"}
    return found - inner - {"vendor_contract", "release_kind"}


def test_the_handbook_tells_every_variable_of_the_roles() -> None:
    told = {name for cells in rows("operations.md", "Variables") for name in re.findall(r"\w+", cells[0])}
    assert role_variables() <= told


HOMES = re.compile(r"/home/\w|/Users/\w|/root/")
REGISTRIES = re.compile(
    r"pypi\.org|pythonhosted\.org|galaxy\.ansible\.com|npmjs\.org|docker\.io|quay\.io|ghcr\.io|/simple/"
)


def test_no_file_names_a_home_folder_or_a_package_registry() -> None:
    found = []
    for path in FILES:
        if path == Path(__file__).resolve() or path.name == "LICENSE":
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if HOMES.search(line) or REGISTRIES.search(line):
                found.append(f"{shown(path)}:{number}: {line.strip()[:100]}")
    assert found == []


def test_the_vendor_is_given_a_hash_that_is_right() -> None:
    text = (ROOT / "docs" / "vendor-contract.md").read_text(encoding="utf-8").partition("\n### Hash\n")[2]
    told = dict(re.findall(r"^\| `?([\w-]+)`? \| `([0-9a-f]{64})` \|$", text, re.MULTILINE))
    both = told.pop("both")
    assert len(told) == 2
    records = [Record("orders", name, date(2027, 5, 18)) for name in told]
    for record in records:
        assert manifest([record])["orders"]["hash"] == told[record.id]
    assert manifest(records)["orders"]["hash"] == manifest(reversed(records))["orders"]["hash"] == both
    assert both != format(sum(int(digest, 16) for digest in told.values()), "x"), "the example shows the modulo as well"
