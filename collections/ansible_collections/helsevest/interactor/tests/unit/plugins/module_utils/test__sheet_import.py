# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table of answers comes into the register: filled in, never overwritten unasked, told without what is personal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils import _sheet_import
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.sheet import SheetError
from ansible_collections.helsevest.interactor.plugins.module_utils._register import RegisterError
from ansible_collections.helsevest.interactor.plugins.module_utils._register_edit import (
    Edited,
    EditError,
    edit_register,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._sheet_import import Import, import_table

REGISTER = """\
---
waves:
  - {id: 1, name: One}
sites:
  - id: "1001"  # ask for Kari Gammel, 55 99 99 99
    name: Ås legekontor
    kind: gp_office
    county: Vestland  # says the map
    contact:
      name: Kari Eksempel
      email: kari@as.example
      phone: 55 00 10 01
    server: {host: srv.as.example}
    clients:
      - {name: pc1, host: pc1.as.example}
  - id: "1002"
    name: Vik
    kind: gp_office
    county: Vestland
    contact: null  # ring Ola
    server: {host: srv.vik.example}
    clients: [{name: pc1, host: pc1.vik.example}]
"""
Bring = Callable[..., Import]


@pytest.fixture
def bring(tmp_path: Path) -> Bring:
    """Import these lines of CSV into the register of this test."""
    register = tmp_path / "register"
    register.mkdir()
    (register / "sites.yml").write_text(REGISTER)

    def bring(*lines: str, clients: tuple[str, ...] = (), register_text: str = REGISTER, **options: object) -> Import:
        (register / "sites.yml").write_bytes(register_text.encode())
        (tmp_path / "t.csv").write_text("\n".join(lines))
        if clients:
            (tmp_path / "t.klienter.csv").write_text("\n".join(clients))
        return import_table(register, tmp_path / "t.csv", **options)  # type: ignore[arg-type]

    return bring


def only(found: Import) -> str:
    (text,) = found.edited.texts.values()
    return text


def test_answers_are_filled_in_and_nothing_else_is_touched(bring: Bring) -> None:
    found = bring(
        "Kontornr;Navn;Fylke;Kontaktperson;E-post;Tlf;Stengt;Tidsvindu;Målform",
        "1002;Vik;;Ola Vik;ola@vik.example;55001002;ingen;10-14;nynorsk",
        "1001;Ås legekontor;Vestland;;;+47 55 00 10 01;;20:00–06:00;bokmål",
        clients=("Kontornr;Klient;Vertsnavn;Port", "1002;pc1;;5987", "1002;pc2;pc2.vik.example;"),
    )

    assert found.conflicts == ()
    assert only(found) == REGISTER.replace(
        "    contact: null  # ring Ola\n",
        "    contact:  # ring Ola\n      name: Ola Vik\n      email: ola@vik.example\n"
        '      phone: "55001002"\n',
    ).replace(
        'name: Vik\n    kind: gp_office\n    county: Vestland\n',
        'name: Vik\n    kind: gp_office\n    county: Vestland\n    language: nn\n'
        '    window:\n      from: "10:00"\n      to: "14:00"\n    closed: []\n',
    ).replace(
        "[{name: pc1, host: pc1.vik.example}]",
        "[{name: pc1, host: pc1.vik.example, port: 5987}, {name: pc2, host: pc2.vik.example}]",
    )  # fmt: skip


ROW_BY_ROW = (
    "1: 'Fylkke': is no heading that is known here; did you mean 'Fylke'?",
    "1: 'Kleint': is no heading that is known here; did you mean 'Klient'?",
    "2: Flyttedato: site 1001: 'snart' - is no date",
    "3: Server: site 1002: 'srv_vik' - is no host name",
)


def test_headings_and_cells_that_are_wrong_are_told_at_once(bring: Bring) -> None:
    with pytest.raises(SheetError) as caught:
        bring(
            "Kontornr;Fylkke;Flyttedato;Server",
            "1001;Vestland;snart;srv.as.example",
            "1002;Vestland;;srv_vik",
            "1003;Vestland;;srv.ny.example",
            clients=("Kontornr;Kleint;Vertsnavn;Port", "1002;pc1;;x"),
        )
    told = [line.partition(", row ")[2] for line in caught.value.problems]
    assert [line.startswith(start) for line, start in zip(told, ROW_BY_ROW, strict=True)] == [True] * len(told), told


def test_what_differs_is_told_and_stays_and_is_written_when_asked_for(bring: Bring) -> None:
    lines = ("Kontornr;Fylke;Telefon;Journalsystem", "1001;Rogaland;55001009;Journalen")

    found = bring(*lines)

    assert [(each["site"], each["field"], each["register"], each["table"]) for each in found.conflicts] == [
        ("1001", "county", "Vestland", "Rogaland"),
        ("1001", "contact.phone", "(hidden)", "(hidden)"),
    ]
    assert found.conflicts[0]["place"].endswith("sites.yml:8")
    assert found.conflicts[0]["cell"].endswith("t.csv, row 2, Fylke")
    assert "Journalen" in only(found)
    assert "Rogaland" not in only(found)
    assert "# site 1001: contact.phone: " in found.difference
    assert "55001009" in found.difference
    assert "-    county: Vestland  #…\n+    county: Rogaland  #…\n" in found.shown
    assert "5500" not in found.shown
    assert "Rogaland  # says the map" in only(bring(*lines, overwrite=True))


def test_what_is_shown_holds_nothing_personal(bring: Bring) -> None:
    found = bring(
        "Kontornr;Navn;Kontaktperson;E-post;Telefon;Nås i helg;Signatar;Fødselsdato",
        "1002;;Ola Vik;ola@vik.example;55001002;ja;Sig Natar;1.2.1970",
        "1001;;Kari Ny;;;;;",
        overwrite=True,
    )

    for word in ("Kari", "Ola", "ola@", "5500", "55 99", "Natar", "1970"):
        assert word not in found.shown
    assert "Kari Ny" in found.difference
    assert "Natar" not in found.difference + str(found.edited.texts)
    assert found.left_out == ("Signatar", "Fødselsdato")
    assert "+    contact:" not in found.shown
    assert "(hidden)" in found.shown


def test_a_site_of_one_line_is_hidden_as_a_whole_when_it_has_a_contact(bring: Bring) -> None:
    text = REGISTER + (
        "  - {id: 1003, name: Nes, kind: gp_office, county: V, server: {host: s3},"
        " contact: {name: Per Nes, email: p@n.example, phone: '55001003'}, clients: [{name: a, host: a3}]}\n"
    )
    found = bring("Kontornr;Journalsystem", "1003;X", register_text=text)
    assert "Per Nes" in found.difference
    assert "Per Nes" not in found.shown


CANARY = ("Kari Canary", "kari@canary.example", "55 00 10 03")
CONTACTS = {
    "flow": "    contact: {{name: {}, email: {}, phone: {}}}\n",
    "flow over lines": "    contact: {{name: {},\n      email: {},\n      phone: {}}}\n",
    "block": "    contact:\n      name: {}\n      email: {}\n      phone: {}\n",
    "block with blank lines": "    contact:\n\n      name: {}\n\n      email: {}\n\n      phone: {}\n\n",
}


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("contact", CONTACTS.values(), ids=CONTACTS)
@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x85", "\r", "\r\n"])
def test_a_line_that_only_yaml_ends_shows_nothing_of_a_contact(bring: Bring, mark: str, contact: str, end: str) -> None:
    text = (
        f"{mark}---\nsites:\n  # one{end}  # two{end}  # three{end}  # four{end}  # five{end}  # six\n"
        f'  - id: "1003"\n    name: Nes\n    kind: gp_office\n{contact.format(*CANARY)}'
        "    county: Vestland\n    server: {host: s3}\n    clients: [{name: a, host: a3}]\n"
    )
    for written in (text, text.replace("\n", end)):
        found = bring(
            "Kontornr;Kontaktperson;E-post;Telefon;Fylke",
            "1003;Ola Fresh;ola@fresh.example;55009999;Rogaland",
            register_text=written,
            overwrite=True,
        )
        for word in (*CANARY, "Ola Fresh", "ola@fresh.example", "55009999"):
            assert word in found.difference
            assert word not in found.shown
        if written == text:
            assert "+    county: Rogaland" in found.shown


def test_a_new_site_goes_to_the_end_without_what_is_as_the_default(bring: Bring, tmp_path: Path) -> None:
    found = bring(
        "Kontornr;Navn;Type;Fylke;Server;Målform;Avtalestatus;Måneder historikk",
        "1003;Nes;legevakt;Rogaland;srv.nes.example;bokmål;mangler;18",
        clients=("Kontornr;Klient;Vertsnavn", "1003;pc1;pc1.nes.example"),
        new_file=tmp_path / "register" / "new.yml",
    )

    assert found.new_sites == ("1003",)
    assert only(found) == (
        '---\nsites:\n  - id: "1003"\n    name: Nes\n    kind: emergency_clinic\n    county: Rogaland\n'
        "    history_months: 18\n    server:\n      host: srv.nes.example\n"
        "    clients:\n      - name: pc1\n        host: pc1.nes.example\n"
    )


@pytest.mark.parametrize(
    ("lines", "clients", "words"),
    [
        (("Kontornr;Navn", "1003;Nes"), (), ["row 2", "site 1003", "Type, Fylke, Server, a row in the table Klienter"]),
        (("Kontornr", "1001"), ("Kontornr;Klient", "1001;pc9"), ["site 1001", "pc9", "Vertsnavn"]),
        (("Kontornr", "1001"), ("Kontornr;Klient;Vertsnavn", "1009;a;b"), ["site 1009", "not in the register"]),
        (("Kontornr", "1001"), ("Kontornr;Klient;Vertsnavn", "1001;a.b;c"), ["Klient", "'a.b'", "hyphens"]),
        (("Kontornr;E-post", "1001;kari"), (), ["E-post", "(hidden)", "name@domain.no"]),
        (("Kontornr;Telefon", "1001;55 00 x"), (), ["Telefon", "(hidden)", "digits"]),
        (("Kontornr;Måneder historikk", "1001;24"), (), ["Måneder historikk", "24", "12 to 18"]),
        (("Kontornr;Server", "1001;srv as"), (), ["Server", "'srv as'", "hyphens"]),
        (("Kontornr;Navn", "10-01;A"), (), ["Kontornr", "letters and digits"]),
    ],
)
def test_what_the_register_would_not_take_is_told_by_row_and_column(
    bring: Bring, lines: tuple[str, ...], clients: tuple[str, ...], words: list[str]
) -> None:
    with pytest.raises(SheetError) as caught:
        bring(*lines, clients=clients)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "clients", "told"),
    [
        (("Kontornr;Navn", "Ola Canary;1001"), (), ["row 2: Kontornr: site (hidden): (hidden) - ", "needs: Type"]),
        (("Kontornr;Type;Flyttedato", "Ola Canary;Kari Canary;1001"), (), ["row 2: Type: site (hidden): (hidden) - "]),
        (
            ("Kontornr;Navn", "Ola Canary;A", "Ola Canary;B"),
            (),
            ["row 3: Kontornr: site (hidden): (hidden) - is there"],
        ),
        (("Kontornr;Navn", "ola@canary.example;A"), (), ["row 2: Kontornr: site (hidden): (hidden) - "]),
        (("Kontornr;Navn", "Canary-Canary;A"), (), ["row 2: Kontornr: site (hidden): (hidden) - "]),
        (("Kontornr", "1001"), ("Kontornr;Klient;Vertsnavn", "Ola Canary;Kari Canary;1"), ["row 2: Klient: site (hid"]),
        (("Kontornr;Flyttedato", " 1001 ;snart"), (), ["row 2: Flyttedato: site 1001", "'snart' - "]),
    ],
)
def test_a_row_whose_columns_are_shifted_shows_no_name(
    bring: Bring, lines: tuple[str, ...], clients: tuple[str, ...], told: list[str]
) -> None:
    with pytest.raises(SheetError) as caught:
        bring(*lines, clients=clients)
    for words in told:
        assert words in str(caught.value)
    assert "canary" not in str(caught.value).casefold()


def test_answers_with_which_the_register_would_not_load_are_refused_in_its_own_words(
    bring: Bring, tmp_path: Path
) -> None:
    with pytest.raises(RegisterError) as caught:
        bring("Kontornr;Avtalestatus;Bølge", "1001;sendt;7")
    told = str(caught.value)
    assert "agreement.sent" in told
    assert "wave" in told
    lines = told.splitlines()
    assert [line.startswith(f"{tmp_path / 'register' / 'sites.yml'}:") for line in lines] == [True] * len(lines)
    assert told.count("sites.yml") == len(lines)


def test_a_save_between_the_two_readings_of_the_register_is_told(
    bring: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def saved_first(*args: object, **options: object) -> Edited:
        (tmp_path / "register" / "sites.yml").write_text(REGISTER.replace("Vestland", "Rogaland"))
        return edit_register(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(_sheet_import, "edit_register", saved_first)
    with pytest.raises(EditError, match=r"sites\.yml was changed while this ran; nothing is written; run it again"):
        bring("Kontornr;Fylke;Journalsystem", "1001;Vestland;Journalen")
