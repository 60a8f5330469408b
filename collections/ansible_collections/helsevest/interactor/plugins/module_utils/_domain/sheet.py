# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table that a team keeps of its sites: which column is which field of the register, and what its rows say.

Two tables: one row per site, and one row per client. Columns about the person who signs an agreement are known so that
they are left out; nothing here looks at what stands in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import cells
from .cells import Cell, CellError, Kind, words
from .near import nearest

SITES, CLIENTS = "Kontor", "Klienter"
ID = "id"
SITE_OF_CLIENT, NAME_OF_CLIENT = "site", "name"


@dataclass(frozen=True)
class Column:
    """One column: what is written above it, the field it holds, its kind, and what else may be written above it.

    `personal`: its values are never shown. `read_only`: understood, but not written.
    """

    heading: str
    path: str
    kind: Kind
    also: tuple[str, ...] = ()
    personal: bool = False
    read_only: bool = False


_OFFICE = words(
    {
        "gp_office": ("legekontor", "fastlege", "fastlegekontor", "legesenter"),
        "emergency_clinic": ("legevakt", "interkommunal legevakt"),
        "specialist": ("spesialist", "avtalespesialist", "spesialistlege"),
        "nursing_home": ("sykehjem", "sjukeheim"),
    }
)
_LANGUAGE = words({"nb": ("bokmål", "bm"), "nn": ("nynorsk",)})
_MODE = words({"server_in_cloud": ("server i sky", "server in cloud"), "second": ("annen", "andre")})
_STATUS = words({"missing": ("mangler", "manglar", "ikke sendt"), "sent": ("sendt", "send"), "signed": ("signert",)})
_FORM = words({"digital": ("digital", "digitalt"), "paper": ("papir", "på papir")})
_TRANSPORT = words({"ntlm": ("ntlm",), "basic": ("basic",), "certificate": ("sertifikat",)})

_ID_HEADINGS = ("Kontor-ID", "ID", "Site", "Kontornummer", "Brukersted-ID")
SITE_COLUMNS = (
    Column("Kontornr", ID, cells.TEXT, _ID_HEADINGS),
    Column("Navn", "name", cells.TEXT, ("Kontor", "Legekontor", "Brukersted", "Navn på kontor")),
    Column("Type", "kind", _OFFICE, ("Kontortype", "Type kontor")),
    Column("Fylke", "county", cells.TEXT),
    Column("Målform", "language", _LANGUAGE, ("Språk", "Mål")),
    Column("Journalsystem", "epj", cells.TEXT, ("EPJ", "EPJ-system", "Journal")),
    Column("Bølge", "wave", cells.WHOLE, ("Pulje", "Flyttebølge")),
    Column("Flyttedato", "move_date", cells.DATE, ("Dato for flytting", "Flyttes")),
    Column("Modus", "mode", _MODE, ("Løsning",)),
    Column("Ukedager", "window.weekdays", cells.DAYS, ("Vekedagar", "Dager", "Vindu dager")),
    Column("Vindu fra", "window.from", cells.TIME, ("Fra kl", "Frå kl", "Klokkeslett fra")),
    Column("Vindu til", "window.to", cells.TIME, ("Til kl", "Klokkeslett til")),
    Column("Tidsvindu", "window", cells.WINDOW, ("Vindu", "Ønsket tid", "Tidspunkt"), read_only=True),
    Column("Spurt", "asked", cells.DATE, ("Spurt dato", "Skjema sendt", "Forespurt")),
    Column("Stengt", "closed", cells.CLOSED, ("Ferie", "Sommerstengt", "Feriestengt", "Stengt periode")),
    Column("Kontaktperson", "contact.name", cells.TEXT, ("Kontakt", "Kontaktperson dagen etter"), personal=True),
    Column("E-post", "contact.email", cells.TEXT, ("E-postadresse", "Mail", "E-mail", "Epost kontakt"), personal=True),
    Column("Telefon", "contact.phone", cells.PHONE, ("Tlf", "Tlf.nr", "Telefonnummer", "Mobil"), personal=True),
    Column(
        "Nås i helg", "contact.weekends", cells.YES_NO, ("Kan nås i helg", "Kan nås i helgen", "Helg"), personal=True
    ),
    Column("Avtalestatus", "agreement.status", _STATUS, ("Databehandleravtale", "Avtale")),
    Column("Avtaleform", "agreement.form", _FORM, ("Signeres",)),
    Column("Avtale sendt", "agreement.sent", cells.DATE, ("Databehandleravtale sendt",)),
    Column("Avtale signert", "agreement.signed", cells.DATE, ("Databehandleravtale signert",)),
    Column("Avtalereferanse", "agreement.reference", cells.TEXT, ("Arkivreferanse", "Saksnummer", "Arkiv")),
    Column("Signatar kjent", "signatory_known", cells.YES_NO, ("Underskriver kjent",)),
    Column("ROS ønsket", "ros.requested", cells.YES_NO, ("ROS", "Ønsker ROS", "ROS bedt om")),
    Column("ROS sendt", "ros.sent", cells.DATE),
    Column(
        "Nettsider bekreftet", "confirmed.urls", cells.DATE, ("Nettsider sjekket", "URL bekreftet", "URL-er sjekket")
    ),
    Column("Proxy bekreftet", "confirmed.proxy", cells.DATE, ("Proxy sjekket",)),
    Column("Lukking avtalt", "close_agreed", cells.YES_NO, ("Kan lukkes", "Interactor kan lukkes", "Lukking")),
    Column("Måneder historikk", "history_months", cells.WHOLE, ("Historikk", "Historikk måneder")),
    Column("Server", "server.host", cells.TEXT, ("Servernavn", "Tjener")),
    Column("Serveradresse", "server.address", cells.TEXT, ("Server-IP",)),
    Column("Serverport", "server.port", cells.WHOLE),
    Column("Servertransport", "server.transport", _TRANSPORT),
    Column("Server-CA", "server.ca", cells.TEXT),
    Column("Servertilgang", "server.credential", cells.TEXT),
    Column("Delt server", "shared_server", cells.TEXT, ("Felles server",)),
)
CLIENT_COLUMNS = (
    Column("Kontornr", SITE_OF_CLIENT, cells.TEXT, _ID_HEADINGS),
    Column("Klient", NAME_OF_CLIENT, cells.TEXT, ("Navn", "PC", "Klientnavn")),
    Column("Vertsnavn", "host", cells.TEXT, ("Host", "Maskinnavn", "PC-navn")),
    Column("Adresse", "address", cells.TEXT, ("IP", "IP-adresse")),
    Column("Port", "port", cells.WHOLE),
    Column("Transport", "transport", _TRANSPORT),
    Column("CA", "ca", cells.TEXT),
    Column("Tilgang", "credential", cells.TEXT, ("Credential",)),
)
SIGNATORY = (
    *(
        "Signatar",
        "Signatarens navn",
        "Navn signatar",
        "Signatar navn",
        "Underskriver",
        "Underskrift",
        "Den som signerer",
    ),
    *("Fødselsdato", "Født", "Fødd", "Signatar fødselsdato", "Fødselsdato signatar", "Fødselsår"),
    *("Privat adresse", "Privatadresse", "Alternativ adresse", "Hjemmeadresse", "Heimeadresse", "Signatar adresse"),
    *("Adresse signatar", "Alternativ privat adresse", "Signatar e-post", "Signatar telefon", "E-post signatar"),
    *("Fødselsnummer", "Fødselsnr", "Fnr", "Personnummer", "Personnr", "D-nummer", "Telefon signatar", "Signatarer"),
)
"""Headings of columns about the person who signs: left out by every import but that of the agreements."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_SITE = re.compile(r"[A-Za-z0-9]{1,16}")
_HIDDEN = "(hidden)"
_NO_NAME = ("is not of the form it must have", "letters, digits, hyphens and underscores, up to 32")
SITE_REQUIRED = ("name", "kind", "county", "server.host")


@dataclass(frozen=True)
class Sheet:
    """One table as it was read: which column is which, and the cells of each row by the number of its column.

    `formulas` and `broken`: (row, column) of cells that hold a formula or one of Excel's errors.
    """

    name: str
    columns: Mapping[int, Column]
    rows: Sequence[tuple[int, Mapping[int, Cell]]]
    mac: bool = False
    left_out: tuple[str, ...] = ()
    formulas: frozenset[tuple[int, int]] = frozenset()
    broken: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True)
class CellProblem:
    """One thing that is wrong in a table: where, whose, what, and what is allowed. `value` is hidden where personal.

    A `site` that is no id is shown by none of its values: where columns are shifted, any of them may be a name.
    """

    sheet: str
    row: int
    heading: str
    site: str
    value: str
    message: str
    allowed: str = ""

    def __str__(self) -> str:
        parts = [f"{self.sheet}, row {self.row}:"] if self.row else [f"{self.sheet}:"]
        parts += [f"{self.heading}:"] if self.heading else []
        shifted = self.site and not _SITE.fullmatch(self.site.strip())
        parts += [f"site {_HIDDEN if shifted else self.site}:"] if self.site else []
        parts += [f"{_HIDDEN if shifted else self.value} -"] if self.value else []
        return " ".join([*parts, self.message]) + (f" (allowed: {self.allowed})" if self.allowed else "")


class SheetError(Exception):
    """The table cannot be used: `problems` holds every one of them, `str()` one line for each."""

    def __init__(self, problems: Iterable[CellProblem | str]) -> None:
        self.problems = [str(problem) for problem in problems]
        super().__init__("\n".join(self.problems))


@dataclass
class Answers:
    """What the rows say: by site, its fields by dotted path (`clients.pc1.host` too), and where each one stands."""

    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[tuple[str, str], tuple[str, int, Column]] = field(default_factory=dict)
    problems: list[CellProblem] = field(default_factory=list)


def folded(heading: str) -> str:
    """A heading without what people write in different ways: case, blanks, dots, hyphens, underscores."""
    return re.sub(r"[\W_]", "", heading.casefold())


def headings(
    names: Mapping[int, str], known: Sequence[Column], sheet: str, row: int
) -> tuple[dict[int, Column], tuple[str, ...], list[CellProblem]]:
    """Which column is which, the headings that are left out, and what is wrong with the headings."""
    by_name = {folded(name): column for column in known for name in (column.heading, *column.also)}
    personal = {folded(name) for name in SIGNATORY}
    listed = ", ".join(column.heading for column in known)
    columns: dict[int, Column] = {}
    left_out, problems = [], []
    strange = [name for name in names.values() if folded(name) not in personal and folded(name) not in by_name]
    if 2 * len(strange) > len(names):  # a row of values, whose words may be personal
        message = f"is no row of headings: {len(strange)} of its {len(names)} cells are no heading that is known here"
        return {}, (), [CellProblem(sheet, row, "", "", "", message, listed)]
    for number, name in names.items():
        column = by_name.get(folded(name))
        if folded(name) in personal:
            left_out.append(name)
        elif column is None:
            near = nearest(folded(name), by_name)
            hint = f"; did you mean '{by_name[near[0]].heading}'?" if near else ""
            problems.append(
                CellProblem(sheet, row, repr(name), "", "", f"is no heading that is known here{hint}", listed)
            )
        elif column in columns.values():
            problems.append(
                CellProblem(sheet, row, repr(name), "", "", "is a column that is there already", "each column once")
            )
        else:
            columns[number] = column
    if known[0] not in columns.values():
        problems.append(CellProblem(sheet, row, known[0].heading, "", "", "is missing: the column that names the site"))
    return columns, tuple(left_out), problems


def read(sheets: Iterable[Sheet]) -> Answers:
    """What all rows say. An empty cell says nothing."""
    answers = Answers()
    for sheet in sheets:
        of_clients = CLIENT_COLUMNS[0] in sheet.columns.values()
        keys: tuple[Column, ...] = CLIENT_COLUMNS[:2] if of_clients else SITE_COLUMNS[:1]
        taken: dict[tuple[str, ...], int] = {}
        for row, held in sheet.rows:
            found = dict(_row(sheet, row, held, keys, answers.problems))
            key = tuple(str(found.pop(column, "")) for column in keys)
            if not all(key):
                missing = [column.heading for column, part in zip(keys, key, strict=True) if not part]
                if not any((row, number) in sheet.formulas | sheet.broken for number in sheet.columns):
                    message = f"has no {' and no '.join(missing)}, so that nobody knows whose it is"
                    answers.problems.append(CellProblem(sheet.name, row, "", "", "", message))
                continue
            if key[1:] and not _NAME.fullmatch(key[1]):
                answers.problems.append(CellProblem(sheet.name, row, keys[1].heading, key[0], repr(key[1]), *_NO_NAME))
                continue
            if earlier := taken.setdefault(key, row) - row:
                message = f"is there already, in row {row + earlier}"
                answers.problems.append(CellProblem(sheet.name, row, keys[-1].heading, key[0], repr(key[-1]), message))
                continue
            _keep(answers, sheet, row, key, found)
    return answers


def _row(
    sheet: Sheet, row: int, held: Mapping[int, Cell], keys: Sequence[Column], problems: list[CellProblem]
) -> Iterator[tuple[Column, Any]]:
    site = next((str(held[n]) for n, column in sheet.columns.items() if column is keys[0] and n in held), "")
    site = site.removesuffix(".0")[:32]
    for number, column in sheet.columns.items():
        where = (sheet.name, row, column.heading, site)
        if (row, number) in sheet.formulas:
            problems.append(CellProblem(*where, "", "is a formula, which is never worked out here", "the value itself"))
        elif (row, number) in sheet.broken:
            problems.append(CellProblem(*where, "", "is one of Excel's errors", column.kind.allowed))
        elif number in held:
            try:
                yield column, column.kind.read(held[number], sheet.mac)
            except CellError as error:
                shown = _HIDDEN if column.personal else repr(held[number])[:60]
                problems.append(CellProblem(*where, shown, str(error), error.allowed))


def _keep(answers: Answers, sheet: Sheet, row: int, key: tuple[str, ...], found: Mapping[Column, Any]) -> None:
    site, prefix = key[0], f"clients.{key[1]}." if len(key) > 1 else ""
    values = answers.values.setdefault(site, {})
    if prefix:
        values.setdefault(f"{prefix}name", key[1])
        answers.places.setdefault((site, f"{prefix}name"), (sheet.name, row, CLIENT_COLUMNS[1]))
    else:
        answers.places[site, ID] = (sheet.name, row, SITE_COLUMNS[0])
    for column, value in found.items():
        parts = {f"{column.path}.{part}": item for part, item in value.items()} if isinstance(value, dict) else {}
        for path, item in (parts or {prefix + column.path: value}).items():
            if values.setdefault(path, item) != item:
                message = f"says {item}, another column says {values[path]}"
                answers.problems.append(CellProblem(sheet.name, row, column.heading, site, "", message))
            answers.places[site, path] = (sheet.name, row, column)


def site_row(site: Mapping[str, Any]) -> list[Cell | None]:
    """A site (plain data, as the register gives it) as the cells of its row, one for each column that is written."""
    return [_cell(column, site) for column in SITE_COLUMNS if not column.read_only]


def client_row(site: Mapping[str, Any], client: Mapping[str, Any]) -> list[Cell | None]:
    """A client of a site as the cells of its row."""
    return [_cell(column, {**client, SITE_OF_CLIENT: site["id"]}) for column in CLIENT_COLUMNS]


def _cell(column: Column, entry: Mapping[str, Any]) -> Cell | None:
    value: Any = entry
    for part in column.path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return None if value is None else column.kind.write(value)
