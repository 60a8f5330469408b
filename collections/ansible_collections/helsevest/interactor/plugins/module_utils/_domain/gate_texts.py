# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each reason of the gate means, who has to do what about it, and what the site is told (bokmål and nynorsk).

Reasons that come of a check have their texts in `texts.REMEDIES`. docs/gate.md shows both; a test keeps them the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from .texts import MAIL, REMEDIES, Remedy


@dataclass(frozen=True)
class Told(Remedy):
    """All that is told of one reason; `means` is for the handbook."""

    means: str


_NEW_DATE = "agree on another `move_date` with the site and set it in the register"

REASONS: dict[str, Told] = {
    "out_of_order": Told(
        means="a step was asked for that is not the one that comes next",
        who="us",
        do="nothing: the tick takes the steps in their order",
        nb="Noe annet må gjøres først. Det tar vi oss av, og dere trenger ikke gjøre noe.",
        nn="Noko anna må gjerast først. Det tek vi oss av, og de treng ikkje gjere noko.",
    ),
    "moved_outside": Told(
        means="the server is configured for the cloud, and no attempt of ours is on record",
        who="us",
        do="find out who moved it. If it is right, leave it: it counts as moved. If not, the vendor has to bring it "
        "back",
        nb="Interactor hos dere ser ut til å være flyttet til skyen allerede. Vi undersøker dette, og tar kontakt hvis "
        "vi trenger hjelp.",
        nn="Interactor hos dykk ser ut til å vere flytta til skya allereie. Vi undersøkjer dette, og tek kontakt "
        "dersom vi treng hjelp.",
    ),
    "ledger_damaged": Told(
        means="`ledger.json` is there and cannot be read, is of another version, or names another site",
        who="us",
        do="copy the file away, read its end and the journal's events of the site, and restore it by hand. Never "
        "delete it while an attempt is open",
        nb="Vi må rette opp noe på serveren før flyttingen kan gå videre. Dere trenger ikke gjøre noe.",
        nn="Vi må rette opp noko på serveren før flyttinga kan gå vidare. De treng ikkje gjere noko.",
    ),
    "ledger_missing": Told(
        means="the journal or the cloud knows more attempts than the ledger",
        who="us",
        do="was the server replaced or restored from a backup? Ask the cloud what it has of the site. Restore the "
        "ledger from the backup that is newest",
        nb="Vi må undersøke serveren nærmere før flyttingen kan gå videre. Gi gjerne beskjed til "
        f"{MAIL} hvis serveren nylig er byttet ut eller gjenopprettet fra en sikkerhetskopi.",
        nn="Vi må undersøkje serveren nærare før flyttinga kan gå vidare. Gje gjerne beskjed til "
        f"{MAIL} dersom serveren nyleg er bytt ut eller gjenoppretta frå ein tryggingskopi.",
    ),
    "halted": Told(
        means="somebody, or the failure budget, halted the wave, or all",
        who="us",
        do="the text says who and why. When that is settled: `playbooks/resume.yml`",
        nb="Vi har satt flyttingen på vent. Dere trenger ikke gjøre noe.",
        nn="Vi har sett flyttinga på vent. De treng ikkje gjere noko.",
    ),
    "not_measured": Told(
        means="no preflight yet",
        who="us",
        do="wait for the next tick, or run `playbooks/preflight.yml` with `--limit`",
        nb="Vi har ikke kontrollert serveren deres ennå. La den stå på, så gjør vi det før flyttingen.",
        nn="Vi har ikkje kontrollert serveren dykkar enno. Lat han stå på, så gjer vi det før flyttinga.",
    ),
    "preflight_expired": Told(
        means="the server's last check is older than 24 hours",
        who="us",
        do="the next tick checks again by itself. If it stays, the server does not answer: call the site",
        nb="Det er for lenge siden vi kontrollerte serveren deres. La den stå på, så gjør vi det på nytt.",
        nn="Det er for lenge sidan vi kontrollerte serveren dykkar. Lat han stå på, så gjer vi det på nytt.",
    ),
    "dated_early": Told(
        means="a move date is set, and not all answers are there (P7)",
        who="site",
        do="get the answers that the site owes and fill them in, or set `move_date` to null until they are there",
        nb=REMEDIES["P7.early"].nb,
        nn=REMEDIES["P7.early"].nn,
    ),
    "mode_not_described": Told(
        means="the site wants a mode of which `vendor_contract.config.modes` says nothing",
        who="vendor",
        do="ask the vendor; until then no site can move in that mode",
        nb="Vi venter på opplysninger fra DIPS om hvordan dere skal flyttes. Dere trenger ikke gjøre noe.",
        nn="Vi ventar på opplysningar frå DIPS om korleis de skal flyttast. De treng ikkje gjere noko.",
    ),
    "no_wave": Told(
        means="the site is in no wave",
        who="us",
        do="give it a `wave` in the register",
        nb="Dere har ikke fått plass i flytteplanen ennå. Vi tar kontakt når vi vet når dere kan flyttes.",
        nn="De har ikkje fått plass i flytteplanen enno. Vi tek kontakt når vi veit når de kan flyttast.",
    ),
    "not_dated": Told(
        means="the site has no move date",
        who="us",
        do="set its `move_date` as soon as all answers are there (P7), and not before",
        nb="Flyttingen har ikke fått dato ennå. Datoen setter vi når alle svarene fra dere er på plass.",
        nn="Flyttinga har ikkje fått dato enno. Datoen set vi når alle svara frå dykk er på plass.",
    ),
    "closed": Told(
        means="the site is closed on the move date or on the morning after: nobody is there to try what was moved",
        who="us",
        do=_NEW_DATE,
        nb="Flyttingen er satt til en dag da dere holder stengt, eller slik at dere holder stengt dagen etter. Vi "
        "finner en ny dato sammen med dere.",
        nn="Flyttinga er sett til ein dag då de held stengt, eller slik at de held stengt dagen etter. Vi finn ein ny "
        "dato saman med dykk.",
    ),
    "contact_day_after": Told(
        means="the morning after the move is a day off, and the contact cannot be reached on such a day",
        who="site",
        do="ask the site for a contact who can be reached that day and set `weekends: true`, or agree on another "
        "`move_date`",
        nb="Flyttingen er ferdig på en fridag, og kontaktpersonen deres må kunne nås den dagen. Gi beskjed til "
        f"{MAIL} hvis det går. Ellers finner vi en ny dato sammen med dere.",
        nn="Flyttinga er ferdig på ein fridag, og de må ha ein kontaktperson som vi kan nå den dagen. Gje beskjed til "
        f"{MAIL} dersom det går. Elles finn vi ein ny dato saman med dykk.",
    ),
    "wave_dates": Told(
        means="the move date lies outside the dates of the site's wave",
        who="us",
        do="set a `move_date` inside the wave's `dates`, or move the site to another wave",
        nb="Datoen for flyttingen må endres. Vi finner en ny dato sammen med dere.",
        nn="Datoen for flyttinga må endrast. Vi finn ein ny dato saman med dykk.",
    ),
    "freeze": Told(
        means="the wave, the health trust or the vendor moves nothing that day: the text says which. A freeze of the "
        "vendor's has `vendor` as who",
        who="us",
        do="agree on another `move_date` with the site, or ask whose freeze it is",
        nb="Flyttingen er satt til en dag da vi ikke kan flytte noen. Vi finner en ny dato sammen med dere.",
        nn="Flyttinga er sett til ein dag då vi ikkje kan flytte nokon. Vi finn ein ny dato saman med dykk.",
    ),
    "no_opening": Told(
        means="the windows of site, wave and vendor have no time in common that day",
        who="us",
        do="change the day or one of the windows in the register",
        nb="Vi kan ikke flytte dere på det tidspunktet som er satt opp. Vi finner et nytt tidspunkt sammen med dere.",
        nn="Vi kan ikkje flytte dykk på det tidspunktet som er sett opp. Vi finn eit nytt tidspunkt saman med dykk.",
    ),
    "too_short": Told(
        means="the windows of site, wave and vendor meet that day, but not for as long as a move takes",
        who="us",
        do="change the day or make one of the windows longer in the register",
        nb="Tiden som er satt av, er for kort til å flytte dere. Vi finner et nytt tidspunkt sammen med dere.",
        nn="Tida som er sett av, er for kort til å flytte dykk. Vi finn eit nytt tidspunkt saman med dykk.",
    ),
    "shared_server": Told(
        means="the sites of a shared server are upgraded and moved together or not at all, and something stands "
        "against that: another one of them is not ready or not in the run, or they differ in date, wave, months of "
        "history or time of night",
        who="us",
        do="the text says which site and what. Settle it there; run without a limit, or with one that names all of "
        "them; set one date and one wave for all",
        nb="Dere deler server med et annet kontor, og må flyttes sammen med det. Det er noe vi må få på plass først. "
        "Dere trenger ikke gjøre noe.",
        nn="De deler server med eit anna kontor, og må flyttast saman med det. Det er noko vi må få på plass først. "
        "De treng ikkje gjere noko.",
    ),
    "in_use": Told(
        means="somebody was in Interactor from the start of the window until it was given up for this night",
        who="site",
        do="call the contact; agree on another `move_date`, or on closing Interactor in the night (`close_agreed`)",
        nb="Interactor var i bruk da vi skulle flytte dere, og vi ventet så lenge vi kunne. Lukk Interactor på alle "
        "PC-er før flyttingen. Vi finner en ny dato sammen med dere.",
        nn="Interactor var i bruk då vi skulle flytte dykk, og vi venta så lenge vi kunne. Lukk Interactor på alle "
        "PC-ar før flyttinga. Vi finn ein ny dato saman med dykk.",
    ),
    "point_of_no_return": Told(
        means="a rollback is due or was asked for, and orders have been made in the cloud since the switch, or the "
        "cloud does not say whether",
        who="us",
        do="read the list of what would be lost in the report. To lose it all the same: `playbooks/rollback.yml` with "
        "`--limit`, name, reason, `-e rollback_loses=` and the number that the reason tells",
        nb="Vi undersøker om dere kan gå tilbake til lokal Interactor uten å miste noe. Dere trenger ikke gjøre noe.",
        nn="Vi undersøkjer om de kan gå tilbake til lokal Interactor utan å miste noko. De treng ikkje gjere noko.",
    ),
    "rolled_back": Told(
        means="the move of this date was begun and rolled back; it is not tried again the same night",
        who="us",
        do=f"read the row's `why`, then {_NEW_DATE}",
        nb="Flyttingen ble avbrutt, og dere bruker Interactor lokalt som før. Vi finner en ny dato sammen med dere.",
        nn="Flyttinga vart avbroten, og de brukar Interactor lokalt som før. Vi finn ein ny dato saman med dykk.",
    ),
    "date_passed": Told(
        means="the move's window is over and the site has not moved",
        who="us",
        do=_NEW_DATE,
        nb="Dere ble ikke flyttet som planlagt. Vi finner en ny dato sammen med dere.",
        nn="De vart ikkje flytta som planlagt. Vi finn ein ny dato saman med dykk.",
    ),
    "upgrade_missed": Told(
        means="the upgrade's evening is over and the version is still the old one",
        who="us",
        do=f"{_NEW_DATE}; the upgrade follows from it",
        nb="Interactor ble ikke oppgradert som planlagt, så flyttingen må vente. Vi finner en ny dato sammen med dere.",
        nn="Interactor vart ikkje oppgradert som planlagt, så flyttinga må vente. Vi finn ein ny dato saman med dykk.",
    ),
    "not_released": Told(
        means="nobody has let the wave go, or the release has ended",
        who="us",
        do="`playbooks/release.yml`. Preflight runs without it",
        nb="Vi har ikke gitt klarsignal for flyttingen ennå. Dere trenger ikke gjøre noe.",
        nn="Vi har ikkje gjeve klarsignal for flyttinga enno. De treng ikkje gjere noko.",
    ),
    "outside_window": Told(
        means="it is not time",
        who="us",
        do="nothing: the tick does it when it is. If the window has passed, see `date_passed`",
        nb="Dette gjør vi til den tiden som er avtalt. Dere trenger ikke gjøre noe.",
        nn="Dette gjer vi til den tida som er avtalt. De treng ikkje gjere noko.",
    ),
    "does_not_fit": Told(
        means="the window is open, and what is left of it is too short",
        who="us",
        do="nothing for today. If it is so every time: a longer window, or a better estimate in `reconciler_settings`",
        nb="Det er for lite igjen av den avtalte tiden til at vi kan begynne nå. Vi tar kontakt hvis vi må finne et "
        "nytt tidspunkt.",
        nn="Det er for lite att av den avtalte tida til at vi kan byrje no. Vi tek kontakt dersom vi må finne eit nytt "
        "tidspunkt.",
    ),
}
