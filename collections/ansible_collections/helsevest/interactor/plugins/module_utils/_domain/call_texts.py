# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said to a contact who is called (A2), in bokmål and nynorsk; docs/operations.md shows the bokmål."""

from __future__ import annotations

from dataclasses import dataclass

from .gate_texts import REASONS


@dataclass(frozen=True)
class Said:
    """One sentence in both languages."""

    nb: str
    nn: str

    def text(self, language: str) -> str:
        """The sentence in `language` (`nb` or `nn`); KeyError for another."""
        return {"nb": self.nb, "nn": self.nn}[language]

    def filled(self, **values: object) -> Said:
        """The same with its places in braces filled in."""
        return Said(self.nb.format_map(values), self.nn.format_map(values))


def _of_gate(code: str) -> Said:
    told = REASONS[code]
    return Said(told.nb, told.nn)


CAUSES: dict[str, Said] = {
    "uncertain": Said(
        "Interactor hos dere er flyttet til skyen, men vi er ikke sikre på at alt er kommet med og virker som før.",
        "Interactor hos dykk er flytta til skya, men vi er ikkje sikre på at alt er kome med og verkar som før.",
    ),
    "failed": Said(
        "Flyttingen av Interactor stoppet før den var ferdig, og vi arbeider med å få tilbake løsningen slik den var.",
        "Flyttinga av Interactor stoppa før ho var ferdig, og vi arbeider med å få tilbake løysinga slik ho var.",
    ),
    "rolled_back": _of_gate("rolled_back"),
    "in_use": _of_gate("in_use"),
    "date_passed": _of_gate("date_passed"),
    "upgrade_missed": _of_gate("upgrade_missed"),
}

QUESTIONS: dict[str, Said] = {
    "works": Said(
        "Får alle åpnet Interactor fra journalsystemet, og finner dere igjen bestillingene deres?",
        "Får alle opna Interactor frå journalsystemet, og finn de igjen bestillingane dykkar?",
    ),
    "opens": Said(
        "Kommer det noen feilmelding når Interactor åpnes, og gjelder det alle PC-ene?",
        "Kjem det nokon feilmelding når Interactor blir opna, og gjeld det alle PC-ane?",
    ),
    "let_in": Said(
        "Får noen beskjed om at Interactor er stengt for vedlikehold?",
        "Får nokon beskjed om at Interactor er stengt for vedlikehald?",
    ),
    "messages": Said(
        "Går meldinger ut og inn av journalsystemet som vanlig?",
        "Går meldingar ut og inn av journalsystemet som vanleg?",
    ),
    "as_usual": Said(
        "Er det noe annet i Interactor som ikke virker som før flyttingen?",
        "Er det noko anna i Interactor som ikkje verkar som før flyttinga?",
    ),
    "missing_orders": Said(
        "Mangler dere bestillinger fra de siste {months} månedene? Vi regner med at {count} ikke er kommet med.",
        "Manglar de bestillingar frå dei siste {months} månadene? Vi reknar med at {count} ikkje er komne med.",
    ),
    "missing_started_requisitions": Said(
        "Mangler dere påbegynte rekvisisjoner? Vi regner med at {count} ikke er kommet med.",
        "Manglar de påbyrja rekvisisjonar? Vi reknar med at {count} ikkje er komne med.",
    ),
    "missing_favourite_packages": Said(
        "Mangler dere favorittpakker? Vi regner med at {count} ikke er kommet med.",
        "Manglar de favorittpakkar? Vi reknar med at {count} ikkje er komne med.",
    ),
    "extra_orders": Said(
        "Ser dere bestillinger to ganger, eller noen som ikke er deres? Vi regner med at {count} er for mange.",
        "Ser de bestillingar to gonger, eller nokon som ikkje er dykkar? Vi reknar med at {count} er for mange.",
    ),
    "extra_started_requisitions": Said(
        "Ser dere påbegynte rekvisisjoner to ganger? Vi regner med at {count} er for mange.",
        "Ser de påbyrja rekvisisjonar to gonger? Vi reknar med at {count} er for mange.",
    ),
    "extra_favourite_packages": Said(
        "Ser dere favorittpakker to ganger? Vi regner med at {count} er for mange.",
        "Ser de favorittpakkar to gonger? Vi reknar med at {count} er for mange.",
    ),
    "works_locally": Said(
        "Virker Interactor hos dere som før?",
        "Verkar Interactor hos dykk som før?",
    ),
    "server_on": Said(
        "Er serveren på, og kan den stå på til vi sier fra?",
        "Er serveren på, og kan han stå på til vi seier frå?",
    ),
    "made_meanwhile": Said(
        "Laget dere bestillinger mens Interactor var i skyen, som dere ikke finner igjen nå?",
        "Laga de bestillingar medan Interactor var i skya, som de ikkje finn igjen no?",
    ),
    "who_in_the_evening": Said(
        "Hvem bruker Interactor om kvelden, eller står det åpent på en PC når dere går hjem?",
        "Kven bruker Interactor om kvelden, eller står det ope på ein PC når de går heim?",
    ),
    "may_close": Said(
        "Kan vi lukke Interactor for dere neste gang? Det som ikke er lagret, går da tapt.",
        "Kan vi lukke Interactor for dykk neste gong? Det som ikkje er lagra, går då tapt.",
    ),
    "new_date": Said(
        "Hvilke kvelder passer for et nytt forsøk, og hvem kan vi nå dagen etter?",
        "Kva kveldar passar for eit nytt forsøk, og kven kan vi nå dagen etter?",
    ),
}
