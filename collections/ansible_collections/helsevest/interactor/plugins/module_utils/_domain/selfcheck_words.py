# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a self-check says on the screen, and what lies beside it, in bokmål; what is to be done is that of `texts`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .page_check import PLACES
from .texts import MAIL, REMEDIES

REMEDY_CODES = (
    "P1", *(code for code in REMEDIES if code.startswith("PAGE.")), "P3", "P5.double", "P5.other", "CLOCK", "UNKNOWN",
)  # fmt: skip
"""The remedies that a self-check may show: those of what an office can do something about."""

WORDS: Mapping[str, Any] = {
    "title": "Selvsjekk for DIPS Interactor – kontor {site}, PC {client}",
    "working": "Vi undersøker PC-en. Det tar omtrent et halvt minutt, og endrer ingenting …",
    "which": "Hvilken PC er dette?",
    "number": "Skriv nummeret, og trykk Enter",
    "checks": {
        "P1": "PC-en når DIPS Interactor i skyen",
        "P5": "Bare det automatiske proxyskriptet er i bruk",
        "P3": "Linjen er rask nok",
        "CLOCK": "Klokken går riktig",
    },
    "marks": {"green": " OK ", "yellow": "OBS!", "red": "FEIL"},
    "conclusions": {
        "green": "Alt er i orden på denne PC-en.",
        "yellow": "Ingenting hindrer flyttingen, men se på det som er merket OBS!",
        "red": "Noe må rettes. Gjør det som står ved FEIL, og kjør selvsjekken på nytt.",
    },
    "send": "Resultatet ligger i filen {file}. Send den til {mail}, eller legg den der dere har fått beskjed om.",
    "unwritten": f"Resultatet kunne ikke lagres. Flytt mappen til skrivebordet og prøv igjen, eller kontakt {MAIL}.",
}

LOCKED = (
    f"Windows lar ikke skript virke fullt ut paa denne PC-en. Be den som drifter PC-en om hjelp, eller kontakt {MAIL}."
)
"""Told by a script that may hold nothing but ASCII there: so early nothing else works yet."""

README = """Selvsjekk for DIPS Interactor – {name} ({site})

Før Interactor flyttes til skyen, må vi vite at hver PC som skal bruke løsningen, når den. Denne sjekken kan alle på
kontoret kjøre. Den trenger ingen administratorrettigheter og endrer ingenting på PC-en.

Slik gjør dere:
1. Kopier hele mappen til PC-en, eller åpne den fra et felles område.
2. Logg på som den som bruker Interactor, og dobbeltklikk på {starter}.
   Spør Windows om filen skal kjøres, velg «Kjør likevel» eller «Åpne».
3. Velg hvilken PC det er: {clients}.
4. Grønt er i orden. Ved rødt står det hva dere kan gjøre. Gjør det, og kjør sjekken på nytt.
5. Filen som begynner med «selvsjekk-», blir liggende i mappen (eller på skrivebordet). Send den til {mail},
   eller legg den der dere har fått beskjed om.
Gjør det samme på hver PC.

Filen inneholder kontorets nummer, PC-ens navn i vårt register, når sjekken ble kjørt, og hva den fant: Windows-versjon,
klokke, linjehastighet, proxyinnstillinger og hva nettsidene svarte. Den inneholder ingen pasientopplysninger, ingen
brukernavn og ingen passord.
"""


def remedies(contract: Mapping[str, Any]) -> dict[str, str]:
    """The remedies in bokmål with what the contract says; `{minutes}` and `PLACES` are for the script to fill in."""
    values = {
        "url": contract["pages"]["P1"]["url"],
        "text": contract["pages"]["P1"]["text"],
        "mbit": f"{float(contract['speed']['recommended_mbit']):g}",
        "script": contract["proxy"]["script"],
        **{name: f"{{{name}}}" for name in ("minutes", *PLACES)},
    }
    return {code: REMEDIES[code].text("nb", values) for code in REMEDY_CODES}
