# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the entries of a register must be to each other, whatever the files they stand in.

These checks read what was typed, not the models, so that they also speak where a field beside them is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ._domain.near import nearest
from ._domain.texts import TITLES
from ._register_source import Document, Loc, Problem

CLIENT_CHECK = "CLIENT."
"""What the id of a client's check begins with; its host follows, so that one can be waived and not the others."""
CHECKS = tuple(check for check in TITLES if check != CLIENT_CHECK.rstrip("."))
"""The ids of all other checks."""

_Place = tuple[Document, Loc]


def cross_check(documents: Sequence[Document]) -> list[Problem]:
    """Everything that is wrong between entries: ids, waves, host names, shared servers, waivers."""
    # What stands in a file that cannot be read is not known, so nothing can be called unknown.
    whole = all(document.data is not None for document in documents)
    return [
        *_repeated(documents, "sites"),
        *_repeated(documents, "waves"),
        *(_unknown_waves(documents) if whole else ()),
        *_unknown_waivers(documents, whole=whole),
        *_dates_without_wave(documents),
        *_dates_of_waves(documents),
        *_second_calendars(documents),
        *_client_names(documents),
        *_hosts(documents),
        *_shared_servers(documents),
    ]


def near_miss(word: object, known: Sequence[str]) -> str:
    """`; did you mean '…'?`, where something known looks like `word`."""
    close = nearest(word, known) if isinstance(word, str) else []
    return f"; did you mean '{close[0]}'?" if close else ""


class _Known:
    """Names of the register, to be asked often: whether one is among them, and if not, which one was meant.

    Two names that differ in one letter (another, one more, one less), or in the order of two, become equal when a
    letter is taken out of each.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = sorted(names)
        self._names = set(self.names)
        self._thinned: dict[str, list[str]] = {}
        for name in self.names:
            for thinned in _thinned(name):
                self._thinned.setdefault(thinned, []).append(name)

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def near_miss(self, name: str) -> str:
        """`; did you mean '…'?`, where there is one that looks like `name`; never `name` itself."""
        close = (known for thinned in _thinned(name) for known in self._thinned.get(thinned, ()) if known != name)
        found = next(close, None)
        return f"; did you mean '{found}'?" if found else ""


def _thinned(name: str) -> list[str]:
    folded = name.casefold()
    return [folded, *(folded[:at] + folded[at + 1 :] for at in range(len(folded) if len(folded) > 1 else 0))]


def _entries(documents: Sequence[Document], section: str) -> Iterator[tuple[Document, Loc, dict[str, Any]]]:
    for document in documents:
        for loc, entry in document.entries(section):
            yield document, loc, entry


def _text(entry: object, *path: str) -> str:
    for part in path:
        entry = entry.get(part) if isinstance(entry, dict) else None
    return entry.strip() if isinstance(entry, str) else ""


def _where(place: _Place) -> str:
    document, loc = place
    line, column = document.place(loc)
    return f"{document.shown}:{line}:{column}"


def _ids(documents: Sequence[Document], section: str) -> _Known:
    return _Known({_text(entry, "id") for _, _, entry in _entries(documents, section)} - {""})


def _listed(words: Sequence[str], what: str) -> str:
    return ", ".join(words) if 0 < len(words) <= 30 else f"one of the register's {len(words)} {what}"


def _repeated(documents: Sequence[Document], section: str) -> Iterator[Problem]:
    first: dict[str, _Place] = {}
    for document, loc, entry in _entries(documents, section):
        # File systems and Windows' names do not tell 7A from 7a.
        name = _text(entry, "id").casefold()
        here = (document, (*loc, "id"))
        if name and (earlier := first.setdefault(name, here)) is not here:
            message = f"is there already, at {_where(earlier)}"
            yield document.problem(here[1], message, "an id that is used once", value=entry["id"])


def _unknown_waves(documents: Sequence[Document]) -> Iterator[Problem]:
    known = _ids(documents, "waves")
    for document, loc, entry in _entries(documents, "sites"):
        wave = _text(entry, "wave")
        if wave.isascii() and wave.isdecimal() and wave not in known:
            message = "is no wave of this register" + known.near_miss(wave)
            yield document.problem((*loc, "wave"), message, _listed(known.names, "waves"), value=entry["wave"])


def _dates_without_wave(documents: Sequence[Document]) -> Iterator[Problem]:
    for document, loc, entry in _entries(documents, "sites"):
        day = _text(entry, "move_date")
        if day and entry.get("wave") is None:
            yield document.problem(
                (*loc, "move_date"), "has a date though wave is null", "null, or a wave", value=entry["move_date"]
            )


def _dates_of_waves(documents: Sequence[Document]) -> Iterator[Problem]:
    """A site moves on one of its wave's days. Dates of one form compare as texts; other forms are refused elsewhere."""
    spans = {}
    for document, loc, entry in _entries(documents, "waves"):
        first, last = _text(entry, "dates", "from"), _text(entry, "dates", "to")
        if first and last:
            spans[_text(entry, "id")] = first, last, _where((document, (*loc, "dates")))
    for document, loc, entry in _entries(documents, "sites"):
        day, span = _text(entry, "move_date"), spans.get(_text(entry, "wave"))
        if day and span and not span[0] <= day <= span[1]:
            message = f"is none of its wave's dates, at {span[2]}"
            yield document.problem((*loc, "move_date"), message, f"{span[0]} to {span[1]}", value=day)


def _second_calendars(documents: Sequence[Document]) -> Iterator[Problem]:
    own = [document for document in documents if isinstance(document.data, dict) and "calendar" in document.data]
    for document in own[1:]:
        message = f"is there already, at {_where((own[0], ('calendar',)))}"
        yield document.problem(("calendar",), message, "one calendar in the register", of_key=True)


def _unknown_waivers(documents: Sequence[Document], *, whole: bool) -> Iterator[Problem]:
    """Waivers for no site or no check. Unless the register is `whole`, its sites and their clients are not known."""
    sites = {_text(entry, "id"): entry for _, _, entry in _entries(documents, "sites")}
    known = _ids(documents, "sites")
    for document, loc, entry in _entries(documents, "waivers"):
        site, check = _text(entry, "site"), _text(entry, "check")
        if whole and site and site not in known:
            message = "is no site of this register" + known.near_miss(site)
            yield document.problem((*loc, "site"), message, _listed(known.names, "sites"), value=entry["site"])
        clients = [_text(client, "name") for _, client in _clients(loc, sites.get(site, {}))]
        of_clients = [f"{CLIENT_CHECK}{site}-{name}" for name in clients]
        unknown_site = (not whole or site not in known) and check.startswith(CLIENT_CHECK)
        if check and not unknown_site and check not in (*CHECKS, *of_clients):
            message = "is no check" + near_miss(check, [*CHECKS, *of_clients])
            allowed = f"{', '.join(CHECKS)}, {CLIENT_CHECK}{site or '<site>'}-<client>"
            yield document.problem((*loc, "check"), message, allowed, value=entry["check"])


def _clients(loc: Loc, entry: dict[str, Any]) -> Iterator[tuple[Loc, dict[str, Any]]]:
    clients = entry.get("clients")
    for number, client in enumerate(clients if isinstance(clients, list) else ()):
        if isinstance(client, dict):
            yield (*loc, "clients", number), client


def _client_names(documents: Sequence[Document]) -> Iterator[Problem]:
    for document, loc, entry in _entries(documents, "sites"):
        taken = {"server"}
        for place, client in _clients(loc, entry):
            name = _text(client, "name").casefold()
            if name in taken:
                message = "is the name of another host of this site"
                yield document.problem((*place, "name"), message, "a name that is used once", value=client["name"])
            elif name:
                taken.add(name)


def _hosts(documents: Sequence[Document]) -> Iterator[Problem]:
    """A host may stand in the register once; a server may stand at each of the sites that say they share it."""
    first: dict[str, tuple[_Place, str]] = {}
    for document, loc, entry in _entries(documents, "sites"):
        shared = _text(entry, "shared_server")
        server = entry.get("server")
        hosts = [((*loc, "server"), server, shared)] if isinstance(server, dict) else []
        hosts += [(place, client, "") for place, client in _clients(loc, entry)]
        for place, machine, label in hosts:
            name = _text(machine, "host").casefold().rstrip(".")
            here = (document, (*place, "host"))
            if not name:
                continue
            earlier, its_label = first.setdefault(name, (here, label))
            if earlier is not here and not (label and label == its_label):
                message = f"is there already, at {_where(earlier)}"
                allowed = "a host that is used once, or a server with the same shared_server at each of its sites"
                yield document.problem(here[1], message, allowed, value=machine["host"])


_OF_THE_SERVER = {
    ("server", "host"): "",
    ("server", "address"): "",
    ("server", "port"): "5986",
    ("server", "transport"): "ntlm",
    ("mode",): "server_in_cloud",
}
"""What sites of one server cannot have differently, and what it is where it is left out."""


def _shared_servers(documents: Sequence[Document]) -> Iterator[Problem]:
    sites: dict[str, list[tuple[Document, Loc, dict[str, Any]]]] = {}
    for document, loc, entry in _entries(documents, "sites"):
        if label := _text(entry, "shared_server"):
            sites.setdefault(label, []).append((document, loc, entry))
    known = _Known(sites)
    ids = _ids(documents, "sites")
    for label, sharing in sites.items():
        document, loc, entry = sharing[0]
        if label in ids:
            # The server's ledger names it: another site's ledger would be taken for this server's.
            message = "is the id of a site"
            yield document.problem((*loc, "shared_server"), message, "a name that no site has as its id", value=label)
        if len(sharing) == 1:
            message = "stands at this site only" + known.near_miss(label)
            allowed = "null, or the same name at two sites or more"
            yield document.problem((*loc, "shared_server"), message, allowed, value=label)
        # Date and wave are set one by one, and must not stop a run on their way: there the gate holds the sites back.
        for field, default in _OF_THE_SERVER.items():
            expected = _text(entry, *field) or default
            for other, place, its_entry in sharing[1:]:
                if (_text(its_entry, *field) or default).casefold() != expected.casefold():
                    message = f"differs from {_where((document, (*loc, *field)))}, a site with the same shared_server"
                    yield other.problem((*place, *field), message, expected or "null")
