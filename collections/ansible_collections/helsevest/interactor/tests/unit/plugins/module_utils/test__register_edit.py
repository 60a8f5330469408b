# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Register files are edited in place: what is asked for is there afterwards, and nothing else has moved."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._register import RegisterError, load_register
from ansible_collections.helsevest.interactor.plugins.module_utils._register_edit import (
    Change,
    Edited,
    EditError,
    edit_register,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._register_source import Document
from ansible_collections.helsevest.interactor.plugins.module_utils._register_text import inline
from hypothesis import given, settings
from hypothesis import strategies as st

Edit = Callable[..., Edited]
HEAD = "---\n# the sites\nsites:\n"
SITE = """\
  - id: "1001"  # the id
    name: 'Ås legekontor'   # its name
    kind: gp_office
    county: Vestland
    wave: 1
    # not yet set
    move_date:  # when?
    window: {from: "20:00", to: "06:00"}  # at night
    closed: null  # not answered
    #  - from: 2027-07-05
    contact:
      name: Kari Eksempel  # call her
      phone: "+47 55 00 00 00"
    server:
      host: srv.k1001.example
    clients:
      - name: pc1
        host: pc1.k1001.example  # in the hall
      # the second
      - {name: pc2, host: pc2.k1001.example}

"""
OTHER = "  # the other\n  - {id: 1002, name: Vik, wave: 1}\n"
TEXT = HEAD + SITE + OTHER


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    """Edit a register of one file with this text; changes as dotted paths of site 1001, or as Change."""

    def edit(text: str, *changes: Change, values: dict[str, Any] | None = None, **options: Any) -> Edited:
        path = tmp_path / "sites.yml"
        path.write_bytes(text.encode())
        own = [Change("sites", "1001", values)] if values else []
        return edit_register(tmp_path, [*changes, *own], **options)

    return edit


def only(edited: Edited) -> str:
    (text,) = edited.texts.values()
    return text


@pytest.mark.parametrize(
    ("values", "old", "new"),
    [
        ({"move_date": date(2027, 5, 18)}, "    move_date:  # when?", "    move_date: 2027-05-18  # when?"),
        ({"mode": "second"}, "    move_date:  # when?\n", "    move_date:  # when?\n    mode: second\n"),
        (
            {"contact.email": "kari@k1001.example"},
            "# call her\n",
            "# call her\n      email: kari@k1001.example\n",
        ),
        ({"contact": {"weekends": True}}, '00 00"\n', '00 00"\n      weekends: true\n'),
        ({"window.weekdays": ["mon", "tue"]}, '"06:00"}', '"06:00", weekdays: [mon, tue]}'),
        ({"closed": []}, "closed: null", "closed: []"),
        (
            {"closed": [{"from": date(2027, 7, 5), "to": date(2027, 7, 25)}]},
            "closed: null  # not answered\n",
            "closed:  # not answered\n      - from: 2027-07-05\n        to: 2027-07-25\n",
        ),
        ({"agreement.sent": date(2027, 1, 2), "agreement.status": "sent"}, 'phone: "+47 55 00 00 00"\n',
         'phone: "+47 55 00 00 00"\n    agreement:\n      status: sent\n      sent: 2027-01-02\n'),
        ({"shared_server": "hus-3"}, "k1001.example}\n", "k1001.example}\n    shared_server: hus-3\n"),
        ({"clients.pc1.address": "10.0.0.7"}, "# in the hall\n", '# in the hall\n        address: "10.0.0.7"\n'),
        ({"clients.pc2.port": 5986}, "pc2.k1001.example}", "pc2.k1001.example, port: 5986}"),
        (
            {"clients.pc3": {"host": "pc3.k1001.example"}},
            "pc2.k1001.example}\n",
            "pc2.k1001.example}\n      - name: pc3\n        host: pc3.k1001.example\n",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("eol", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_value_is_filled_in_where_there_is_none(
    edit: Edit, values: dict[str, Any], old: str, new: str, eol: str, mark: str
) -> None:
    edited = edit(mark + TEXT.replace("\n", eol), values=values)

    assert edited.conflicts == ()
    assert TEXT.count(old) == 1
    assert only(edited) == mark + TEXT.replace(old, new).replace("\n", eol)


@pytest.mark.parametrize(
    "values",
    [
        {"name": "Ås legekontor"},
        {"wave": 1},
        {"window.from": "20:00"},
        {"contact": {"name": "Kari Eksempel", "email": None}},
        {"closed": None, "ros.sent": None},
        {"clients.pc2": {"host": "pc2.k1001.example", "port": None}},
    ],
)
def test_the_same_value_is_no_change(edit: Edit, values: dict[str, Any]) -> None:
    edited = edit(TEXT, values=values)

    assert (edited.texts, edited.conflicts) == ({}, ())
    assert edited.diff(Path("/")) == ""


@pytest.mark.parametrize(
    ("values", "conflict", "old", "new"),
    [
        ({"name": "NO"}, (5, "name", "Ås legekontor", '"NO"'), "'Ås legekontor'", '"NO"'),
        ({"wave": None}, (8, "wave", '"1"', "null"), "wave: 1\n    #", "wave: null\n    #"),
        ({"window.to": "07:00"}, (11, "window.to", '"06:00"', '"07:00"'), '"06:00"', '"07:00"'),
        ({"contact.name": "Ola # 2"}, (15, "contact.name", "Kari Eksempel", '"Ola # 2"'), "Kari Eksempel", '"Ola # 2"'),
        (
            {"clients.pc1.host": "x.example"},
            (21, "clients.pc1.host", "pc1.k1001.example", "x.example"),
            "pc1.k1001.example",
            "x.example",
        ),
    ],
)
def test_another_value_is_a_conflict_and_stays_unless_overwritten(
    edit: Edit, values: dict[str, Any], conflict: tuple[int, str, str, str], old: str, new: str
) -> None:
    left = edit(TEXT, values=values)

    (found,) = left.conflicts
    assert (found.line, found.field, found.current, found.wanted) == conflict
    assert (found.section, found.entry) == ("sites", "1001")
    assert found.file.endswith("sites.yml")
    assert left.texts == {}

    replaced = edit(TEXT, values=values, overwrite=True)
    assert replaced.conflicts == ()
    assert only(replaced) == TEXT.replace(old, new, 1)


CLOSED = """\
    closed:  # in summer
      # as told in March
      - from: 2027-07-05
        to: 2027-07-25  # three weeks
    mode: server_in_cloud
"""


@pytest.mark.parametrize(
    ("value", "new"),
    [
        ([], "    closed: []  # in summer\n      # as told in March  # three weeks\n"),
        (None, "    closed: null  # in summer\n      # as told in March  # three weeks\n"),
        (
            [{"from": date(2027, 7, 6), "to": date(2027, 7, 7)}],
            "    closed:  # in summer\n      # as told in March\n"
            "      - from: 2027-07-06\n        to: 2027-07-07  # three weeks\n",
        ),
    ],
)
def test_a_list_is_overwritten_and_comments_around_it_stay(edit: Edit, value: object, new: str) -> None:
    text = 'sites:\n  - id: "1001"\n' + CLOSED

    edited = edit(text, values={"closed": value, "asked": date(2027, 1, 1)}, overwrite=True)

    expected = 'sites:\n  - id: "1001"\n' + new + "    mode: server_in_cloud\n    asked: 2027-01-01\n"
    assert only(edited) == expected


def test_keys_that_follow_a_value_that_grows_come_after_it(edit: Edit) -> None:
    text = "sites:\n  - id: 1001\n    contact: ~\n    clients: []"

    edited = edit(
        text,
        values={
            "contact.phone": "0047 55 00 00 00",
            "contact.name": "O'Neill: 'x'",
            "agreement.reference": "2027/14",
            "clients.pc1.host": "pc1.example",
        },
    )

    assert only(edited) == (
        'sites:\n  - id: 1001\n    contact:\n      name: "O\'Neill: \'x\'"\n      phone: "0047 55 00 00 00"\n'
        '    agreement:\n      reference: "2027/14"\n    clients:\n      - name: pc1\n        host: pc1.example'
    )


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("sites: []\n", "sites:\n  - id: 7A\n    wave: 1\n"),
        ("sites:  # none yet", "sites:  # none yet\n  - id: 7A\n    wave: 1"),
        ("waves: []\n", "waves: []\nsites:\n  - id: 7A\n    wave: 1\n"),
        ("sites:\n- id: 1\n# end\n", "sites:\n- id: 1\n- id: 7A\n  wave: 1\n# end\n"),
        ("sites: [{id: 1}]", "sites: [{id: 1}, {id: 7A, wave: 1}]"),
        ("{sites: []}\n", "{sites: [{id: 7A, wave: 1}]}\n"),
    ],
)
def test_a_new_entry_goes_to_the_end_of_its_section(edit: Edit, text: str, new: str) -> None:
    assert only(edit(text, Change("sites", "7A", {"wave": 1}, new=True))) == new.replace("7A", '"7A"')


def test_a_new_entry_can_go_to_a_file_that_is_not_there_yet(edit: Edit, tmp_path: Path) -> None:
    fresh = tmp_path / "new.yml"

    edited = edit(TEXT, Change("sites", "1003", {"name": "Nes"}, new=True), new_file=fresh)

    assert edited.texts == {fresh: '---\nsites:\n  - id: "1003"\n    name: Nes\n'}
    assert not fresh.exists()
    assert edited.diff(tmp_path) == (
        '--- /dev/null\n+++ b/new.yml\n@@ -0,0 +1,4 @@\n+---\n+sites:\n+  - id: "1003"\n+    name: Nes\n'
    )


def test_entries_of_several_files_and_of_waves_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("waves:\n  - {id: 1, name: One}\n")
    (tmp_path / "b.yml").write_text(TEXT)
    dates = {"from": date(2027, 5, 1), "to": date(2027, 5, 31)}

    edited = edit_register(
        tmp_path,
        [
            Change("waves", "1", {"dates": dates}),
            Change("sites", "1002", {"move_date": date(2027, 5, 18)}),
            Change("waves", "2", {"name": "Two"}, new=True),
        ],
    )

    assert edited.texts == {
        tmp_path / "a.yml": "waves:\n  - {id: 1, name: One, dates: {from: 2027-05-01, to: 2027-05-31}}\n"
        "  - id: 2\n    name: Two\n",
        tmp_path / "b.yml": TEXT.replace("Vik, wave: 1}", "Vik, wave: 1, move_date: 2027-05-18}"),
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change("sites", "1009", {"wave": 1}), "site 1009 is not in the register"),
        (Change("sites", "1001", {"wave": 1}, new=True), "site 1001 is there already"),
        (Change("waves", "1001", {"name": "x"}), "wave 1001 is not in the register"),
    ],
)
def test_an_entry_that_is_not_there_or_is_there_is_an_error(edit: Edit, change: Change, words: str) -> None:
    with pytest.raises(EditError, match=words):
        edit(TEXT, change)


@pytest.mark.parametrize(
    "text",
    [
        "sites:\n  - id: 1001\n    ? contact\n",
        "sites:\n  - &a\n    id: 1001\n    contact: {? name}\n",
        "sites:\n  - id: 1001\n    name: |+\n      two\n\n\n",
    ],
)
def test_what_cannot_be_edited_in_place_is_an_error_and_no_text(edit: Edit, text: str) -> None:
    with pytest.raises(EditError, match=r"sites\.yml: this form of YAML cannot be edited"):
        edit(text, values={"contact.name": "Kari"})


def test_a_register_that_cannot_be_read_is_refused(edit: Edit) -> None:
    with pytest.raises(RegisterError, match="stands twice"):
        edit("sites:\n  - id: 1001\n    id: 1001\n", values={"wave": 1})


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
@pytest.mark.parametrize("eol", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n", "\n# end\n\n\n\n\n\n"])
def test_the_difference_applies_with_git(tmp_path: Path, eol: str, end: str) -> None:
    folder = tmp_path / "the register"
    folder.mkdir()
    many = "".join(f"  - id: {number}\n    name: Site {number}\n    epj:\n    # c\n\n" for number in range(1, 60))
    (folder / "sites.yml").write_bytes(((TEXT + many).rstrip() + end).replace("\n", eol).encode())
    changes = [Change("sites", str(number), {"epj": "X", "wave": 1}) for number in (1, 2, 30, 31, 33, 59)]
    edited = edit_register(
        folder,
        [
            *changes,
            Change("sites", "61", {"name": "Ny"}, new=True),
            Change("sites", "1001", {"asked": date(2027, 1, 1)}),
        ],
    )

    difference = edited.diff(tmp_path)
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=difference.encode(), check=True)

    assert (folder / "sites.yml").read_bytes().decode() == only(edited)
    assert sum(line[0] in "+-" for line in difference.split("\n") if line) <= 50


def test_what_is_written_in_the_demo_still_loads(tmp_path: Path) -> None:
    source = Path(__file__).parents[8] / "inventories" / "demo" / "register"
    folder = Path(shutil.copytree(source, tmp_path / "register"))
    sites = load_register(folder).sites

    edited = edit_register(
        folder, [Change("sites", site.id, {"agreement.reference": f"a/{site.id}"}) for site in sites], overwrite=True
    )
    for path, text in edited.texts.items():
        path.write_bytes(text.encode())

    assert [site.agreement.reference for site in load_register(folder).sites] == [f"a/{site.id}" for site in sites]


# Properties: a register of any form, any changes.

TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12),
    st.sampled_from(("20:00", "NO", "0047", "1001", "a: b", "a #b", "- x", "[x", "null", "~", "'", '"', "é, ø", "x:")),
)
LEAVES = st.one_of(TEXTS, st.integers(0, 99999), st.booleans(), st.dates())
SPANS = st.lists(st.fixed_dictionaries({"from": st.dates(), "to": st.dates()}), max_size=3)
FIELDS = {
    "name": TEXTS,
    "epj": LEAVES,
    "move_date": LEAVES,
    "window": st.fixed_dictionaries(
        {}, optional={"weekdays": st.lists(TEXTS, max_size=3), "from": LEAVES, "to": LEAVES}
    ),
    "closed": SPANS,
    "contact": st.fixed_dictionaries(
        {}, optional={"name": LEAVES, "email": LEAVES, "phone": LEAVES, "weekends": LEAVES}
    ),
    "history_months": LEAVES,
}
CLIENTS = st.dictionaries(
    st.sampled_from(("pc1", "pc2", "port", "x-3")),
    st.fixed_dictionaries({"host": TEXTS}, optional={"port": LEAVES, "ca": LEAVES}),
    max_size=3,
)


def read(value: object) -> Any:
    """A value as it is to come back, in other words than the editor's."""
    if isinstance(value, dict):
        return {key: read(item) for key, item in value.items()}
    if isinstance(value, list):
        return [read(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else value if value is None else str(value)


@st.composite
def written(draw: st.DrawFn, value: Any, indent: int = 0) -> str:
    """A value in one of the forms that YAML has for it, with comments between, as it follows a key or a dash."""
    pad, note = " " * indent, draw(st.sampled_from(("", "  # note", "  # name: x")))
    between = draw(st.sampled_from(("", f"{pad}# between\n", "\n")))
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 3)) == 0:
        if isinstance(value, str) and not set(value) - set("abcæøå "):
            return f" '{value}'{note}\n"
        if value is None:
            return draw(st.sampled_from((f"{note}\n", f" null{note}\n", f" ~{note}\n")))
        return f" {inline(value)}{note}\n"
    if isinstance(value, list):
        return f"{note}\n{between}" + "".join(f"{pad}-{draw(written(item, indent + 4))}" for item in value)
    parts = [f"{key}:{draw(written(item, indent + draw(st.integers(1, 3))))}" for key, item in value.items()]
    return f"{note}\n{between}" + between.join(pad + part for part in parts)


@st.composite
def registers(draw: st.DrawFn) -> tuple[list[dict[str, Any]], str]:
    """Sites as data and the text that says it."""
    sites, text = [], "# head\nsites:\n"
    for number in range(1, draw(st.integers(1, 3)) + 1):
        site = {
            "id": str(number),
            **draw(st.fixed_dictionaries({}, optional={k: st.none() | v for k, v in FIELDS.items()})),
        }
        if clients := draw(st.none() | CLIENTS):
            site["clients"] = [{"name": name, **entry} for name, entry in clients.items()]
        sites.append(site)
        lines = [f"{key}:{draw(written(value, 6))}" for key, value in site.items()]
        text += "  - " + "    ".join(lines) + draw(st.sampled_from(("", "\n", "  # after\n", "# far after\n")))
    text = text.rstrip("\n") if draw(st.booleans()) else text
    text = text.replace("\n", "\r\n") if draw(st.booleans()) else text
    return sites, ("\ufeff" if draw(st.booleans()) else "") + text


def says(text: object, value: object) -> bool:
    """Whether what is there means `value` already: either word for yes or no; blanks around a text mean nothing."""
    if isinstance(value, list):
        return isinstance(text, list) and len(text) == len(value) and all(map(says, text, value))
    if isinstance(value, bool):
        return isinstance(text, str) and text.strip().lower() in (("true", "yes") if value else ("false", "no"))
    return isinstance(text, str) and text.strip() == str(value).strip()


def merged(site: dict[str, Any], wanted: dict[str, Any], overwrite: bool) -> dict[str, Any]:
    """What a site says afterwards: written for the test, without a look at the editor."""
    result = dict(site)
    for key, value in wanted.items():
        if key == "clients" and isinstance(value, dict):
            had = {entry["name"]: entry for entry in site.get(key) or []}
            names = [*had, *(name for name in value if name not in had)]
            result[key] = [merged(had.get(n, {"name": n}), value.get(n, {}), overwrite) for n in names] or site.get(key)
        elif isinstance(value, dict) and isinstance(site.get(key) or {}, dict):
            result[key] = merged(site.get(key) or {}, value, overwrite) or site.get(key)
        elif site.get(key) is None or (overwrite and not says(site[key], value)):
            result[key] = read(value)
    return result


def told(entry: Any) -> Any:
    """Without what is null, which says nothing."""
    if isinstance(entry, dict):
        return {key: told(value) for key, value in entry.items() if value is not None}
    return [told(item) for item in entry] if isinstance(entry, list) else entry


@settings(max_examples=300, deadline=None)
@given(registers(), st.data())
def test_any_change_of_any_register_says_what_was_wanted_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, register: tuple[list[dict[str, Any]], str], data: st.DataObject
) -> None:
    sites, text = register
    path = tmp_path_factory.mktemp("register") / "sites.yml"
    path.write_bytes(text.encode())
    before = Document(path, "sites.yml")
    assert told(before.data["sites"]) == told(read(sites)), "the test writes what it means"
    chosen = data.draw(st.sampled_from(sites))
    wanted = data.draw(st.fixed_dictionaries({}, optional={**FIELDS, "clients": CLIENTS}))
    overwrite = data.draw(st.booleans())

    edited = edit_register(path, [Change("sites", chosen["id"], wanted)], overwrite=overwrite)

    new = edited.texts.get(path, text)
    after = Document(path, "sites.yml", new)
    expected = [merged(read(site), wanted, overwrite) if site is chosen else read(site) for site in sites]
    assert told(after.data["sites"]) == told(expected)
    assert not (overwrite and edited.conflicts)
    comments = [line.strip() for line in text.splitlines() if line.lstrip().startswith("#")]
    assert overwrite or [c for c in comments if c in new] == comments
    own = sites.index(chosen)
    first, last = f'  - id: "{own + 1}"', f'  - id: "{own + 2}"'
    assert new.partition(first)[0] == text.partition(first)[0]
    assert new.partition(last)[2] == text.partition(last)[2]
