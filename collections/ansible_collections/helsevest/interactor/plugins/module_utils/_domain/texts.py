# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks are called, what a site is asked to do (bokmål and nynorsk) and what operations does (English).

A check has one title; a failure of it has one or more remedies, told apart by what was found. `who` has to act: the
site, the vendor or us.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Remedy:
    """What the site is told, with places for values in braces, and what operations does (`do`, English)."""

    who: str
    nb: str
    nn: str
    do: str

    def text(self, language: str, values: Mapping[str, object]) -> str:
        """The text in `language` (`nb` or `nn`); KeyError for another language or a missing value."""
        return {"nb": self.nb, "nn": self.nn}[language].format_map(values)


TITLES: dict[str, str] = {
    "P1": "The cloud's first page answers",
    "P2": "The cloud's second page answers",
    "P3": "The line is fast enough",
    "P4": "The data-processing agreement is signed",
    "P4.ros": "The risk assessment is sent",
    "P5": "Only the automatic proxy script is set",
    "P5.machine": "No manual proxy is set for the machine",
    "P6.contact": "The contact person for the day after is known",
    "P6.urls": "The site has confirmed that it reaches the pages",
    "P6.proxy": "The site has confirmed its proxy setting",
    "P6.closed": "The summer closing is known",
    "P6.signatory": "Who signs the agreement is known",
    "P7": "Answers and move date go together",
    "P8": "The server stays on",
    "CLOCK": "The clock is right",
    "TLS": "Windows can encrypt to the cloud and trusts it",
    "DNS": "The cloud's names are found",
    "DISK": "There is room on the server",
    "SERVICE": "Interactor's service runs",
    "CLIENT": "The client has been checked",
    "SERVER": "The server can be checked",
    "U1": "The upgrade of Interactor has come to a good end",
    "A1": "What the move must leave alone is as before",
    "MODE": "Interactor runs in the mode of the cloud",
    "LEASE": "Interactor lets people in again",
}

MAIL = "TeamIHR@helse-vest-ikt.no"

REMEDIES: dict[str, Remedy] = {
    "UNKNOWN": Remedy(
        "us",
        "Dette fikk vi ikke undersøkt. Vi ser på det, og tar kontakt hvis vi trenger hjelp.",
        "Dette fekk vi ikkje undersøkt. Vi ser på det, og tek kontakt dersom vi treng hjelp.",
        "read what the check says, look at the host, and run `playbooks/preflight.yml` again with `--limit`",
    ),
    "P1": Remedy(
        "site",
        "Åpne {url} i en nettleser på denne maskinen. Siden skal vise teksten «{text}». Hvis den ikke gjør det, må "
        "adressen åpnes i brannmur og proxy. Spør gjerne den som drifter nettet deres.",
        "Opne {url} i ein nettlesar på denne maskina. Sida skal vise teksten «{text}». Dersom ho ikkje gjer det, må "
        "adressa opnast i brannmur og proxy. Spør gjerne den som driftar nettet dykkar.",
        "wait for the site. Its network has to let this host reach the address; tell whoever runs it which host it is",
    ),
    "P2": Remedy(
        "site",
        "Åpne {url} i en nettleser på serveren. Siden skal vise overskriften «{text}». Hvis den ikke gjør det, må "
        "adressen åpnes i brannmur og proxy. Spør gjerne den som drifter nettet deres.",
        "Opne {url} i ein nettlesar på serveren. Sida skal vise overskrifta «{text}». Dersom ho ikkje gjer det, må "
        "adressa opnast i brannmur og proxy. Spør gjerne den som driftar nettet dykkar.",
        "wait for the site. Its network has to let the server reach the address",
    ),
    "PAGE.login": Remedy(
        "site",
        "Nettet ber om pålogging før det slipper {url} fram, og det kan ikke Interactor gjøre. Be den som drifter "
        "nettet deres, om å slippe adressen gjennom uten pålogging.",
        "Nettet ber om pålogging før det slepp {url} fram, og det kan ikkje Interactor gjere. Be den som driftar "
        "nettet dykkar, om å sleppe adressa gjennom utan pålogging.",
        "wait for the site: a guest network, a filter or a proxy asks somebody to log in, which no program can do",
    ),
    "PAGE.redirected": Remedy(
        "site",
        "Nettet sender {url} videre til {host}. Be den som drifter nettet deres, om å slippe adressen gjennom uten "
        "omvei.",
        "Nettet sender {url} vidare til {host}. Be den som driftar nettet dykkar, om å sleppe adressa gjennom utan "
        "omveg.",
        "wait for the site. If every office is sent on to the same address, the vendor has moved the page: ask DIPS",
    ),
    "PAGE.inspected": Remedy(
        "site",
        "Trafikken til {url} blir åpnet underveis: sertifikatet er utstedt av «{issuer}». Det skal gå "
        "pasientopplysninger der. Be den som drifter nettet eller virusvernet deres, om å unnta adressen fra slik "
        "kontroll.",
        "Trafikken til {url} blir opna undervegs: sertifikatet er utferda av «{issuer}». Det skal gå "
        "pasientopplysningar der. Be den som driftar nettet eller virusvernet dykkar, om å ta adressa ut av slik "
        "kontroll.",
        "wait for the site. If every office has the same issuer, it is the vendor's: add a word of it to "
        "`tls.public_issuers` in the vendor contract",
    ),
    "PAGE.certificate": Remedy(
        "site",
        "Windows på denne maskinen godtar ikke sertifikatet til {url}. Kontroller at klokken er riktig, og at Windows "
        "er oppdatert. Spør gjerne den som drifter maskinene deres.",
        "Windows på denne maskina godtek ikkje sertifikatet til {url}. Kontroller at klokka er rett, og at Windows er "
        "oppdatert. Spør gjerne den som driftar maskinene dykkar.",
        "wait for the site: its clock is wrong, or Windows lacks the authority's root certificate",
    ),
    "PAGE.blank": Remedy(
        "site",
        "Adressen {url} gir en tom side på denne maskinen. Som regel er det et filter i brannmur, proxy eller "
        "virusvern som tømmer den. Be den som drifter nettet deres, om å slippe adressen gjennom.",
        "Adressa {url} gjev ei tom side på denne maskina. Som regel er det eit filter i brannmur, proxy eller "
        "virusvern som tømer ho. Be den som driftar nettet dykkar, om å sleppe adressa gjennom.",
        "wait for the site: a filter answers in place of the page",
    ),
    "PAGE.status": Remedy(
        "site",
        "Adressen {url} svarer med feil {status} på denne maskinen. Som regel er det en brannmur eller proxy som "
        "svarer i stedet for siden. Be den som drifter nettet deres, om å slippe adressen gjennom.",
        "Adressa {url} svarer med feil {status} på denne maskina. Som regel er det ein brannmur eller proxy som "
        "svarer i staden for sida. Be den som driftar nettet dykkar, om å sleppe adressa gjennom.",
        "wait for the site: a firewall or a proxy answers in place of the page",
    ),
    "PAGE.name": Remedy(
        "site",
        "Denne maskinen finner ikke adressen {url}. Be den som drifter nettet deres, om å se på navneoppslaget (DNS).",
        "Denne maskina finn ikkje adressa {url}. Be den som driftar nettet dykkar, om å sjå på namneoppslaget (DNS).",
        "wait for the site: its name server does not know the page, or there is none",
    ),
    "PAGE.refused": Remedy(
        "site",
        "Forbindelsen til {url} blir avvist. Be den som drifter nettet deres, om å åpne for adressen i brannmuren.",
        "Sambandet til {url} blir avvist. Be den som driftar nettet dykkar, om å sleppe adressa gjennom brannmuren.",
        "wait for the site: its firewall has to let this host reach the address",
    ),
    "PAGE.timeout": Remedy(
        "site",
        "Adressen {url} svarer ikke i tide på denne maskinen. Som regel er det en brannmur som stopper den. Be den "
        "som drifter nettet deres, om å åpne for adressen.",
        "Adressa {url} svarer ikkje i tide på denne maskina. Som regel er det ein brannmur som stoppar henne. Be den "
        "som driftar nettet dykkar, om å sleppe adressa gjennom.",
        "wait for the site: its firewall has to let this host reach the address, or its line is down",
    ),
    "PAGE.tls": Remedy(
        "site",
        "Denne maskinen får ikke til en kryptert forbindelse med {url}. Windows må kunne bruke TLS 1.2, og ingen "
        "proxy må bryte forbindelsen. Spør den som drifter maskinene og nettet deres.",
        "Denne maskina får ikkje til eit kryptert samband med {url}. Windows må kunne bruke TLS 1.2, og ingen proxy "
        "må bryte sambandet. Spør den som driftar maskinene og nettet dykkar.",
        "wait for the site; what the check TLS says of the same host tells more",
    ),
    "PAGE.proxy": Remedy(
        "site",
        "Proxyen som denne maskinen bruker, slipper ikke {url} fram. Kontroller proxyinnstillingen slik "
        "informasjonsskrivet om flyttingen viser, og spør gjerne den som drifter nettet deres.",
        "Proxyen som denne maskina bruker, slepp ikkje {url} fram. Kontroller proxyinnstillinga slik "
        "informasjonsskrivet om flyttinga viser, og spør gjerne den som driftar nettet dykkar.",
        "wait for the site; what the check P5 says of the same host tells more",
    ),
    "PAGE.silent": Remedy(
        "site",
        "Forbindelsen til {url} blir brutt før siden kommer. Be den som drifter nettet deres, om å se på brannmur og "
        "proxy.",
        "Sambandet til {url} blir brote før sida kjem. Be den som driftar nettet dykkar, om å sjå på brannmur og "
        "proxy.",
        "read what the check says, then ask whoever runs the site's network",
    ),
    "PAGE.vendor": Remedy(
        "vendor",
        "Siden {url} svarer ikke som den skal akkurat nå. Feilen er hos leverandøren, og dere trenger ikke gjøre noe.",
        "Sida {url} svarer ikkje som ho skal akkurat no. Feilen er hos leverandøren, og de treng ikkje gjere noko.",
        "tell DIPS: the page comes from the vendor itself. If it is meant to be as it is now, change `pages` in the "
        "vendor contract",
    ),
    "P3": Remedy(
        "site",
        "Vi anbefaler en linje på over {mbit} Mbit/s. Dere kan flyttes likevel, men Interactor kan bli treg. Ta "
        "gjerne kontakt med nettleverandøren deres.",
        "Vi tilrår ei linje på over {mbit} Mbit/s. De kan flyttast likevel, men Interactor kan bli treg. Ta gjerne "
        "kontakt med nettleverandøren dykkar.",
        "nothing: it does not stop the move. Tell the site that it may be slow",
    ),
    "P4.missing": Remedy(
        "us",
        "Vi sender databehandleravtalen til signering når vi har fått alle svarene fra dere.",
        "Vi sender databehandlaravtalen til signering når vi har fått alle svara frå dykk.",
        "send the agreement for signing as soon as all of P6 is answered, and write it in the register",
    ),
    "P4.sent": Remedy(
        "site",
        "Databehandleravtalen med Helse Vest er sendt til dere, men er ikke signert ennå. Den må være signert før vi "
        f"kan flytte dere. Gi beskjed til {MAIL} hvis den som skal signere, ikke kan signere digitalt.",
        "Databehandlaravtalen med Helse Vest er send til dykk, men er ikkje signert enno. Han må vere signert før vi "
        f"kan flytte dykk. Gje beskjed til {MAIL} dersom den som skal signere, ikkje kan signere digitalt.",
        "remind the site. If who signs cannot sign digitally: send it on paper. Note in the register when it is signed",
    ),
    "P4.ros": Remedy(
        "us",
        "Dere har bedt om risikovurderingen (ROS). Vi sender den til dere.",
        "De har bede om risikovurderinga (ROS). Vi sender henne til dykk.",
        "send the risk assessment, and write the date in the register",
    ),
    "P5.double": Remedy(
        "site",
        "PC-en har dobbelt proxyoppsett. Åpne «Alternativer for Internett», velg fanen «Tilkoblinger» og "
        "«LAN-innstillinger», og fjern krysset under «Proxy-server», slik at bare det automatiske skriptet {script} er "
        "i bruk. Gjør dette for hver bruker av PC-en.",
        "PC-en har dobbelt proxyoppsett. Opne «Alternativ for Internett», vel fana «Tilkoplingar» og "
        "«LAN-innstillingar», og fjern krysset under «Proxy-server», slik at berre det automatiske skriptet {script} "
        "er i bruk. Gjer dette for kvar brukar av PC-en.",
        "wait for the site, or help it on the phone: it is a setting of each user of the PC",
    ),
    "P5.other": Remedy(
        "site",
        "PC-en bruker ikke det automatiske proxyskriptet. Åpne «Alternativer for Internett», velg fanen «Tilkoblinger» "
        "og «LAN-innstillinger», oppgi {script} som adresse for det automatiske skriptet, og fjern krysset under "
        "«Proxy-server». Gjør dette for hver bruker av PC-en.",
        "PC-en bruker ikkje det automatiske proxyskriptet. Opne «Alternativ for Internett», vel fana «Tilkoplingar» og "
        "«LAN-innstillingar», oppgje {script} som adresse for det automatiske skriptet, og fjern krysset under "
        "«Proxy-server». Gjer dette for kvar brukar av PC-en.",
        "wait for the site, or help it on the phone: it is a setting of each user of the PC",
    ),
    "P5.disagreeing": Remedy(
        "site",
        "Windows oppgir to ulike proxyoppsett for samme bruker. Åpne «Alternativer for Internett», velg fanen "
        "«Tilkoblinger» og «LAN-innstillinger», se til at bare det automatiske skriptet {script} er "
        "i bruk, og velg OK.",
        "Windows oppgjev to ulike proxyoppsett for same brukar. Opne «Alternativ for Internett», vel fana "
        "«Tilkoplingar» og «LAN-innstillingar», sjå til at berre det automatiske skriptet {script} er "
        "i bruk, og vel OK.",
        "help the site on the phone: to save the dialog once makes the two agree",
    ),
    "P5.saved": Remedy(
        "site",
        "Windows har lagret et annet proxyoppsett for andre tilkoblinger, for eksempel VPN, enn for nettverket på "
        "kontoret. Åpne «Alternativer for Internett», velg fanen «Tilkoblinger» og «LAN-innstillinger», se til at bare "
        "det automatiske skriptet {script} er i bruk, og velg OK.",
        "Windows har lagra eit anna proxyoppsett for andre tilkoplingar, til dømes VPN, enn for nettverket på "
        "kontoret. Opne «Alternativ for Internett», vel fana «Tilkoplingar» og «LAN-innstillingar», sjå til at berre "
        "det automatiske skriptet {script} er i bruk, og vel OK.",
        "nothing: it does not stop the move. To save the dialog once makes the two agree",
    ),
    "P5.managed": Remedy(
        "site",
        "Proxyoppsettet på PC-en er styrt sentralt, så brukerne kan ikke endre det selv. Be den som drifter PC-ene "
        "deres, om å se til at bare det automatiske skriptet {script} er i bruk, uten noen manuell proxy.",
        "Proxyoppsettet på PC-en er styrt sentralt, så brukarane kan ikkje endre det sjølve. Be den som driftar PC-ane "
        "dykkar, om å sjå til at berre det automatiske skriptet {script} er i bruk, utan nokon manuell proxy.",
        "wait for whoever runs the site's PCs: a group policy sets it, so that the site cannot change it in the dialog",
    ),
    "P5.unfetched": Remedy(
        "site",
        "PC-en får ikke hentet det automatiske proxyskriptet {script}. Åpne adressen i en nettleser på PC-en. Hvis den "
        "ikke svarer, må den åpnes i brannmuren. Spør gjerne den som drifter nettet deres.",
        "PC-en får ikkje henta det automatiske proxyskriptet {script}. Opne adressa i ein nettlesar på PC-en. Dersom "
        "ho ikkje svarar, må ho opnast i brannmuren. Spør gjerne den som driftar nettet dykkar.",
        "wait for the site: without the script Windows goes on with the manual proxy, or with none",
    ),
    "P5.detected": Remedy(
        "site",
        "Windows finner selv et annet proxyskript på nettet deres og bruker det i stedet. Åpne «Alternativer for "
        "Internett», velg fanen «Tilkoblinger» og «LAN-innstillinger», fjern krysset under «Oppdag innstillinger "
        "automatisk», og se til at bare det automatiske skriptet {script} er i bruk. Gjør dette for hver bruker av "
        "PC-en.",
        "Windows finn sjølv eit anna proxyskript på nettet dykkar og bruker det i staden. Opne «Alternativ for "
        "Internett», vel fana «Tilkoplingar» og «LAN-innstillingar», fjern krysset under «Oppdag innstillingar "
        "automatisk», og sjå til at berre det automatiske skriptet {script} er i bruk. Gjer dette for kvar brukar av "
        "PC-en.",
        "ask whoever runs the site's network what the script is that the check names: DHCP (option 252) or the DNS "
        "name wpad leads to it, and it goes before all else where automatic detection is ticked",
    ),
    "P5.first": Remedy(
        "site",
        "Den proxyen som det automatiske proxyskriptet nevner først, svarer ikke denne maskinen. Be den som drifter "
        "nettet deres, om å se på det.",
        "Den proxyen som det automatiske proxyskriptet nemner først, svarar ikkje denne maskina. Be den som driftar "
        "nettet dykkar, om å sjå på det.",
        "wait for the site. Where another way comes after it programs are slow with every new connection; else the "
        "page does not come, which P1 says",
    ),
    "P5.long": Remedy(
        "us",
        "Det automatiske proxyskriptet er for langt til at vi får undersøkt det. Det er det vi som ser på.",
        "Det automatiske proxyskriptet er for langt til at vi får undersøkt det. Det er vi som ser på det.",
        "the host's own answer is all that is known: see that it is what you expect, and open the script in a browser. "
        "Tell whoever runs it that it should be shorter: each program of Windows reads all of it",
    ),
    "P5.script": Remedy(
        "us",
        "Det automatiske proxyskriptet svarer ikke som det skal. Det er det vi som ser på.",
        "Det automatiske proxyskriptet svarar ikkje som det skal. Det er det vi som ser på.",
        "read what the check says of the script, open it in a browser, and tell whoever runs it",
    ),
    "P5.difference": Remedy(
        "us",
        "PC-en bruker en annen proxy enn den vi venter ut fra skriptet. Hvorfor, er det vi som ser på.",
        "PC-en bruker ein annan proxy enn den vi ventar ut frå skriptet. Kvifor, er det vi som ser på.",
        "compare the host's addresses and DNS answers with those that the script asks for: the PC may have an old copy "
        "of the script, or another one found by automatic detection",
    ),
    "P5.winhttp": Remedy(
        "site",
        "Windows-tjenestene på maskinen har en manuell proxy i tillegg. Be den som drifter PC-ene deres, om å vurdere "
        "om den trengs. Den fjernes med kommandoen «netsh winhttp reset proxy».",
        "Windows-tenestene på maskina har ein manuell proxy i tillegg. Be den som driftar PC-ane dykkar, om å vurdere "
        "om han trengst. Han blir fjerna med kommandoen «netsh winhttp reset proxy».",
        "nothing: it does not stop the move. Tell the site if Interactor is slow, or signing in fails",
    ),
    "P5.environment": Remedy(
        "site",
        "Maskinen har en manuell proxy i miljøvariablene sine. Be den som drifter PC-ene deres, om å vurdere om den "
        "trengs.",
        "Maskina har ein manuell proxy i miljøvariablane sine. Be den som driftar PC-ane dykkar, om å vurdere om han "
        "trengst.",
        "nothing: it does not stop the move. The check names the variables; tell the site if signing in fails",
    ),
    "P6.contact": Remedy(
        "site",
        "Gi oss navn, e-post og telefonnummer til en kontaktperson som er til stede dagen etter flyttingen og kan "
        f"hjelpe DIPS hvis det oppstår problemer. Send svaret til {MAIL}.",
        "Gje oss namn, e-post og telefonnummer til ein kontaktperson som er til stades dagen etter flyttinga og kan "
        f"hjelpe DIPS dersom det oppstår problem. Send svaret til {MAIL}.",
        "ask the site, and fill in `contact`",
    ),
    "P6.urls": Remedy(
        "site",
        f"Åpne nettsidene i informasjonsskrivet om flyttingen, og bekreft til {MAIL} at dere kommer inn på dem.",
        f"Opne nettsidene i informasjonsskrivet om flyttinga, og stadfest til {MAIL} at de kjem inn på dei.",
        "ask the site, and fill in `confirmed.urls`",
    ),
    "P6.proxy": Remedy(
        "site",
        "Kontroller proxyinnstillingen på hver PC slik informasjonsskrivet om flyttingen viser, og bekreft til "
        f"{MAIL} at det er gjort.",
        "Kontroller proxyinnstillinga på kvar PC slik informasjonsskrivet om flyttinga viser, og stadfest til "
        f"{MAIL} at det er gjort.",
        "ask the site, and fill in `confirmed.proxy`",
    ),
    "P6.closed": Remedy(
        "site",
        f"Gi beskjed til {MAIL} om når dere holder stengt i sommer, eller om at dere har åpent hele sommeren.",
        f"Gje beskjed til {MAIL} om når de held stengt i sommar, eller om at de har ope heile sommaren.",
        "ask the site, and fill in `closed`; an empty list says that it is open all summer",
    ),
    "P6.signatory": Remedy(
        "site",
        "Gi oss navn og fødselsdato, og eventuelt privat adresse, til den som skal signere databehandleravtalen med "
        f"Helse Vest, og si fra hvis vedkommende ikke kan signere digitalt. Send svaret til {MAIL}.",
        "Gje oss namn og fødselsdato, og eventuelt privat adresse, til den som skal signere databehandlaravtalen med "
        f"Helse Vest, og sei frå dersom vedkomande ikkje kan signere digitalt. Send svaret til {MAIL}.",
        "ask the site, and set `signatory_known`. The person's data do not belong in the register",
    ),
    "P7.early": Remedy(
        "site",
        "Flyttingen har fått dato, men vi mangler fortsatt svar fra dere. Uten svarene kan vi ikke flytte dere.",
        "Flyttinga har fått dato, men vi manglar framleis svar frå dykk. Utan svara kan vi ikkje flytte dykk.",
        "get the answers that the site owes, or take the date away until they are there",
    ),
    "P7.undated": Remedy(
        "us",
        "Vi har fått alle svarene fra dere, og kommer tilbake med dato for oppgradering og flytting.",
        "Vi har fått alle svara frå dykk, og kjem tilbake med dato for oppgradering og flytting.",
        "give the site a `move_date`",
    ),
    "P8.sleep": Remedy(
        "site",
        "Slå av hvilemodus og dvale på serveren, slik at den er på hele kvelden og natten.",
        "Slå av kvilemodus og dvale på serveren, slik at han er på heile kvelden og natta.",
        "wait for the site, or ask whoever runs its server",
    ),
    "P8.plan": Remedy(
        "site",
        "På serveren gjelder strømplanen «{plan}».",
        "På serveren gjeld straumplanen «{plan}».",
        "nothing more: it tells the site where sleep and hibernation are set",
    ),
    "P8.pending": Remedy(
        "site",
        "Serveren venter på en omstart. Start den på nytt i god tid før flyttingen.",
        "Serveren ventar på ein omstart. Start han på nytt i god tid før flyttinga.",
        "wait for the site. Never restart its server from here",
    ),
    "P8.files": Remedy(
        "site",
        "Et program på serveren venter på en omstart for å bytte ut filer. Start serveren på nytt i god tid før "
        "flyttingen.",
        "Eit program på serveren ventar på ein omstart for å byte ut filer. Start serveren på nytt i god tid før "
        "flyttinga.",
        "wait for the site. Never restart its server from here. If the sign is back after every restart, a program of "
        "the site's sets it each time: a waiver of P8 is right then",
    ),
    "P8.renamed": Remedy(
        "site",
        "Serveren har fått nytt navn eller nytt domene, og venter på en omstart. Start den på nytt i god tid før "
        f"flyttingen, og gi beskjed til {MAIL} om hva den heter nå.",
        "Serveren har fått nytt namn eller nytt domene, og ventar på ein omstart. Start han på nytt i god tid før "
        f"flyttinga, og gje beskjed til {MAIL} om kva han heiter no.",
        "ask the site what the server is called after the restart, and write it in the register: we reach it by name",
    ),
    "P8.managed": Remedy(
        "site",
        "Den som drifter serveren deres sentralt, har bestilt en omstart av den. Be dem om å ta den i god tid før "
        "flyttingen.",
        "Den som driftar serveren dykkar sentralt, har tinga ein omstart av han. Be dei om å ta han i god tid før "
        "flyttinga.",
        "wait for whoever manages the site's server: the restart comes by their plan, which may be in the night",
    ),
    "P8.active_hours": Remedy(
        "site",
        "Windows på serveren kan starte på nytt av seg selv utenom tiden {hours}, mens flyttingen skjer {window}. "
        "Start serveren på nytt i god tid før, eller utvid de aktive timene i Windows Update.",
        "Windows på serveren kan starte på nytt av seg sjølv utanom tida {hours}, medan flyttinga skjer {window}. "
        "Start serveren på nytt i god tid før, eller utvid dei aktive timane i Windows Update.",
        "wait for the site: once nothing is pending, nothing restarts",
    ),
    "P8.scheduled": Remedy(
        "site",
        "Serveren er satt opp til å starte på nytt {when}. Flytt eller avbryt omstarten.",
        "Serveren er sett opp til å starte på nytt {when}. Flytt eller avbryt omstarten.",
        "wait for the site, or ask whoever runs its server",
    ),
    "CLOCK": Remedy(
        "site",
        "Klokken på maskinen går {minutes} minutter feil. Slå på automatisk innstilling av klokken i Windows.",
        "Klokka på maskina går {minutes} minutt feil. Slå på automatisk innstilling av klokka i Windows.",
        "nothing: it does not stop the move. Tell the site if it stays",
    ),
    "TLS.off": Remedy(
        "site",
        "TLS 1.2 er slått av i Windows på denne maskinen, og Interactor i skyen trenger det. Be den som drifter "
        "maskinene deres, om å slå det på.",
        "TLS 1.2 er slått av i Windows på denne maskina, og Interactor i skya treng det. Be den som driftar maskinene "
        "dykkar, om å slå det på.",
        "wait for the site, or help it: docs/checks/TLS.md names the values",
    ),
    "TLS.old": Remedy(
        "site",
        "Denne maskinen får ikke brukt TLS 1.2 mot {names}. Be den som drifter maskinene og nettet deres, om å se på "
        "det.",
        "Denne maskina får ikkje brukt TLS 1.2 mot {names}. Be den som driftar maskinene og nettet dykkar, om å sjå "
        "på det.",
        "wait for the site: Windows is old, or a proxy in between is",
    ),
    "TLS.root": Remedy(
        "site",
        "Windows på denne maskinen stoler ikke på sertifikatet til {names}. Kontroller at klokken er riktig, og at "
        "Windows er oppdatert. Hvis et virusvern eller en proxy åpner trafikken, må adressen unntas fra det.",
        "Windows på denne maskina stolar ikkje på sertifikatet til {names}. Kontroller at klokka er rett, og at "
        "Windows er oppdatert. Dersom eit virusvern eller ein proxy opnar trafikken, må adressa takast ut av det.",
        "wait for the site: it lacks the authority's root certificate, or somebody reads along; P1 names the issuer",
    ),
    "DNS.missing": Remedy(
        "site",
        "Denne maskinen finner ikke {names}. Be den som drifter nettet deres, om å se på navneoppslaget (DNS).",
        "Denne maskina finn ikkje {names}. Be den som driftar nettet dykkar, om å sjå på namneoppslaget (DNS).",
        "nothing where P1 passes: the proxy finds the names. Else wait for the site",
    ),
    "DNS.blocked": Remedy(
        "site",
        "Et filter i navneoppslaget (DNS) holder {names} borte fra denne maskinen. Be den som drifter nettet deres, "
        "om å slippe adressene gjennom.",
        "Eit filter i namneoppslaget (DNS) held {names} borte frå denne maskina. Be den som driftar nettet dykkar, om "
        "å sleppe adressene gjennom.",
        "nothing where P1 passes: the proxy finds the names. Else wait for the site",
    ),
    "DISK": Remedy(
        "site",
        "Det er bare {free} GB ledig plass på disk C: på serveren. Rydd slik at minst {least} GB er ledig, for vi tar "
        "en kopi før oppgraderingen og flyttingen.",
        "Det er berre {free} GB ledig plass på disk C: på serveren. Rydd slik at minst {least} GB er ledig, for vi "
        "tek ein kopi før oppgraderinga og flyttinga.",
        "wait for the site. An upgrade or a move that lacks the room does not begin, and says how much it needs",
    ),
    "SERVICE.stopped": Remedy(
        "site",
        f"Tjenesten {{service}} på serveren går ikke. Start den, eller ta kontakt med {MAIL}.",
        f"Tenesta {{service}} på serveren går ikkje. Start henne, eller ta kontakt med {MAIL}.",
        "wait for the site. If the service does not start: the vendor's support",
    ),
    "SERVICE.missing": Remedy(
        "us",
        "Vi finner ikke Interactor på serveren dere har oppgitt. Vi tar kontakt med dere.",
        "Vi finn ikkje Interactor på serveren de har oppgjeve. Vi tek kontakt med dykk.",
        "see that the register names the right server, and ask the site where Interactor runs",
    ),
    "CLIENT.missing": Remedy(
        "site",
        "Denne PC-en er ikke kontrollert, eller det er for lenge siden. La den stå på i arbeidstiden, så prøver vi "
        "igjen. Har dere fått selvsjekken fra oss, kan dere kjøre den på PC-en i stedet, og sende oss resultatet.",
        "Denne PC-en er ikkje kontrollert, eller det er for lenge sidan. Lat han stå på i arbeidstida, så prøver vi "
        "igjen. Har de fått sjølvsjekken frå oss, kan de køyre han på PC-en i staden, og sende oss resultatet.",
        "nothing: the next tick tries again. Where we cannot reach the PC at all, send the office its self-check "
        "(docs/selfcheck.md). A PC that is no longer used is taken out of the register",
    ),
    "SERVER.unreachable": Remedy(
        "site",
        "Vi når ikke serveren. Kontroller at den er slått på, er koblet til nettet og ikke går i hvilemodus.",
        "Vi når ikkje serveren. Kontroller at han er slått på, er kopla til nettet og ikkje går i kvilemodus.",
        "call the site: is the server on, and its remote management (WinRM) open to us?",
    ),
    "U1.restart": Remedy(
        "site",
        "Start serveren på nytt når det passer for dere, og senest før flyttingen. Oppgraderingen av Interactor er "
        "ikke ferdig før det er gjort. Interactor kan brukes som vanlig så lenge.",
        "Start serveren på nytt når det passar for dykk, og seinast før flyttinga. Oppgraderinga av Interactor er "
        "ikkje ferdig før det er gjort. Interactor kan brukast som vanleg så lenge.",
        "call the site: the server has to be restarted, by the office itself and when it suits the EPJ. The next tick "
        "after that proves the new version",
    ),
    "U1.failed": Remedy(
        "us",
        "Oppgraderingen av Interactor gikk ikke som den skulle. Vi ser på det, og tar kontakt om en ny dato.",
        "Oppgraderinga av Interactor gjekk ikkje som ho skulle. Vi ser på det, og tek kontakt om ein ny dato.",
        "read what the check says. When the cause is gone: agree on another `move_date`, or run "
        "`playbooks/upgrade.yml` with `--limit`, `-e upgrade_name=` and `-e upgrade_reason=`, which tries again "
        "at once",
    ),
    "U1.incident": Remedy(
        "us",
        "Serveren deres ble startet på nytt under oppgraderingen av Interactor. Det skulle ikke ha skjedd. Kontroller "
        "at journalsystemet virker. Vi tar kontakt.",
        "Serveren dykkar vart starta på nytt under oppgraderinga av Interactor. Det skulle ikkje ha hendt. Kontroller "
        "at journalsystemet verkar. Vi tek kontakt.",
        "call the site at once: its server was restarted, and the EPJ may live on it. Halt the wave, and tell the "
        "vendor that the installer does not keep to /norestart",
    ),
    "AHEAD": Remedy(
        "us",
        "Vi har ført opp noe fra dere med en dato som ikke har vært ennå. Vi retter det. Dere trenger ikke gjøre noe.",
        "Vi har ført opp noko frå dykk med ein dato som ikkje har vore enno. Vi rettar det. De treng ikkje gjere noko.",
        "correct the date in the register: it says when something was done, and counts from that day on",
    ),
    "OURS": Remedy(
        "us",
        "Her er det vi som må rette noe. Dere trenger ikke gjøre noe.",
        "Her er det vi som må rette noko. De treng ikkje gjere noko.",
        "read the error: a name, a certificate or an account of ours is wrong, or a module failed",
    ),
}

WARNINGS: dict[str, dict[str, str]] = {
    "waits": {
        "nb": "DIPS Interactor skal flyttes til skyen nå. Det tar omtrent {minutes} minutter. Lagre rekvisisjonene du "
        "holder på med, og lukk Interactor. Andre programmer kan du bruke som vanlig. Vi begynner når alle har lukket "
        "Interactor, og venter til kl. {until}.",
        "nn": "DIPS Interactor skal flyttast til skya no. Det tek omtrent {minutes} minutt. Lagre rekvisisjonane du "
        "held på med, og lukk Interactor. Andre program kan du bruke som vanleg. Vi byrjar når alle har lukka "
        "Interactor, og ventar til kl. {until}.",
    },
    "closes": {
        "nb": "DIPS Interactor skal flyttes til skyen nå. Det tar omtrent {minutes} minutter. Lagre rekvisisjonene du "
        "holder på med, og lukk Interactor. Kl. {until} blir Interactor lukket, og det som ikke er lagret, går tapt. "
        "Andre programmer kan du bruke som vanlig.",
        "nn": "DIPS Interactor skal flyttast til skya no. Det tek omtrent {minutes} minutt. Lagre rekvisisjonane du "
        "held på med, og lukk Interactor. Kl. {until} blir Interactor lukka, og det som ikkje er lagra, går tapt. "
        "Andre program kan du bruke som vanleg.",
    },
    "closing": {
        "nb": "DIPS Interactor skal flyttes til skyen, og blir lukket om et øyeblikk. Lagre rekvisisjonene du holder "
        "på med nå. Om omtrent {minutes} minutter kan du bruke Interactor igjen. Andre programmer kan du bruke som "
        "vanlig.",
        "nn": "DIPS Interactor skal flyttast til skya, og blir lukka om ein augeblink. Lagre rekvisisjonane du held på "
        "med no. Om omtrent {minutes} minutt kan du bruke Interactor igjen. Andre program kan du bruke som vanleg.",
    },
}
"""What who has Interactor open sees on the screen: while it is waited, where it will be closed, and when it is."""
