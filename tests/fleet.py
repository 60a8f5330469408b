"""Invented offices by the thousand: a register as people would write it, the same for the same seed.

`write_register(folder, sites=1600, clients=8)` for tests; `python -m tests.fleet FOLDER` for a person.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random

FIRST_ID = 1001
SITES_PER_WAVE = 40
FIRST_MONDAY = date(2027, 1, 11)
SUMMER = (date(2027, 6, 28), date(2027, 8, 15))
COUNTIES = {
    "Vestland": 12,
    "Rogaland": 9,
    "Oslo": 13,
    "Akershus": 12,
    "Trøndelag": 9,
    "Innlandet": 7,
    "Agder": 6,
    "Østfold": 6,
    "Møre og Romsdal": 5,
    "Buskerud": 5,
    "Vestfold": 5,
    "Nordland": 5,
    "Telemark": 3,
    "Troms": 3,
    "Finnmark": 1,
}
NYNORSK = {"Vestland": 0.6, "Møre og Romsdal": 0.5, "Rogaland": 0.2}
KINDS = {"gp_office": 88, "emergency_clinic": 5, "specialist": 5, "nursing_home": 2}
CALLED = {
    "gp_office": ("legekontor", "legesenter", "legegruppe"),
    "emergency_clinic": ("legevakt",),
    "specialist": ("spesialistsenter",),
    "nursing_home": ("sjukeheim", "omsorgssenter"),
}
EPJS = {"Journalen": 50, "Pasientboka": 35, "Spesialistjournalen": 10, "NO": 1, "null": 4}
BEGINNINGS = (
    "Bjørk",
    "Fjord",
    "Øy",
    "Åse",
    "Sæbø",
    "Eike",
    "Lille",
    "Stor",
    "Nord",
    "Sør",
    "Vår",
    "Hær",
    "Tårn",
    "Blå",
)
ENDS = ("vik", "dalen", "nes", "haugen", "stranda", "åsen", "bø", "sætra", "øyra", "vågen", "heim", "fjellet")
FIRST_NAMES = ("Kari", "Ola", "Åse", "Bjørn", "Sølvi", "Håkon", "Ingebjørg", "Pål", "Ragnhild", "Tor Erik", "Ævar")
LAST_NAMES = ("Eksempel", "Prøve", "Vågen", "Ødegård", "Sæther", "Bråten", "Nordmann", "Åsheim", "Tjønn")
WINDOWS = (
    "weekdays: [mon, tue, wed, thu]\n      from: 20:00\n      to: 06:00",
    "from: 10:00\n      to: 14:00",
    'weekdays: [mon, wed, fri]\n      from: "07:30"\n      to: "11:30"',
    "weekdays: [sat, sun]\n      from: 22:00\n      to: 05:00",
    "from: 18:30\n      to: 23:59",
)
PLACE = {"å": "aa", "ø": "o", "æ": "ae", " ": "."}


def write_register(folder: Path, *, sites: int, clients: int, seed: int = 1, sharing: float = 0.02) -> None:
    """Write a valid register of `sites` offices with `clients` PCs each: `waves.yml` and a file for each county.

    `sharing` is the part of the offices that share a server with the next. The folder is made, and has to be empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    random = Random(seed)
    by_county: dict[str, list[str]] = {}
    for county, text in _sites(random, sites, clients, sharing):
        by_county.setdefault(county, []).append(text)
    _write(folder / "waves.yml", _waves(sites))
    for county, texts in by_county.items():
        _write(folder / f"{_plain(county)}.yml", "sites:\n" + "\n".join(texts))


def write_inventory(folder: Path, *, sites: int, clients: int, seed: int = 1, options: str = "") -> Path:
    """Write a source with `options` (lines of YAML) beside a register, and say where the source is."""
    write_register(folder / "register", sites=sites, clients=clients, seed=seed)
    source = folder / "sites.register.yml"
    _write(source, f"plugin: helsevest.interactor.sites\n{options}")
    return source


def wave_count(sites: int) -> int:
    """How many waves a register of so many offices has."""
    return max(1, -(-sites // SITES_PER_WAVE))


def _write(path: Path, text: str) -> None:
    path.write_text(f"---\n{text}", encoding="utf-8")


def _plain(word: str) -> str:
    return "".join(PLACE.get(letter, letter) for letter in word.lower())


def _pick(random: Random, weights: dict[str, int]) -> str:
    return random.choices([*weights], weights=[*weights.values()])[0]


def _mondays() -> Iterator[date]:
    day = FIRST_MONDAY
    while True:
        if not SUMMER[0] <= day <= SUMMER[1]:
            yield day
        day += timedelta(days=7)


def _waves(sites: int) -> str:
    lines = ["waves:"]
    for number, monday in zip(range(1, wave_count(sites) + 1), _mondays(), strict=False):
        lines.append(f"  - id: {number}\n    name: Week of {monday}")
        lines.append(f"    dates: {{from: {monday}, to: {monday + timedelta(days=3)}}}")
        if number % 5 == 0:
            lines.append("    window: {weekdays: [mon, tue, wed, thu], from: 19:00, to: 06:00}")
        if number % 7 == 0:
            lines.append(f"    freezes: [{{from: {monday}, to: {monday}, reason: Opplæring}}]")
    lines.append(f"vendor:\n  freezes:\n    - {{from: {SUMMER[0]}, to: {SUMMER[1]}, reason: Sommerferie}}")
    lines.append("health_trust:\n  freezes:\n    - {from: 2027-03-22, to: 2027-03-29, reason: Påske}")
    lines.append(f"waivers:\n  - check: P3\n    site: {FIRST_ID}\n    reason: Ny linje kommer i juni")
    lines.append("    who: Driftssjefen\n    until: 2027-06-30")
    return "\n".join(lines) + "\n"


def _sites(random: Random, sites: int, clients: int, sharing: float) -> Iterator[tuple[str, str]]:
    mondays = [monday for _, monday in zip(range(wave_count(sites)), _mondays(), strict=False)]
    partner: tuple[str, int, str] | None = None
    for index in range(sites):
        number, wave = FIRST_ID + index, index // SITES_PER_WAVE + 1
        answered = random.random() < 0.75
        moved = f"{mondays[wave - 1] + timedelta(days=random.randrange(4))}" if answered else "null"
        waved = answered or random.random() < 0.8
        server = [f"host: srv.k{number}.example"]
        shared = ""
        if partner:
            label, of_wave, moved = partner
            wave, waved, shared, partner = of_wave, True, label, None
            server = [f"host: srv.{label}.example"]
        elif index + 1 < sites and random.random() < sharing:
            shared, waved = f"hus{number}", True
            partner = (shared, wave, moved)
            server = [f"host: srv.{shared}.example"]
        county = _pick(random, COUNTIES)
        yield (
            county,
            _site(random, number, county, str(wave) if waved else "null", moved, answered, server, shared, clients),
        )


def _site(
    random: Random,
    number: int,
    county: str,
    wave: str,
    moved: str,
    answered: bool,
    server: list[str],
    shared: str,
    clients: int,
) -> str:
    kind = _pick(random, KINDS)
    language = "nn" if random.random() < NYNORSK.get(county, 0.05) else "nb"
    name = f"{random.choice(BEGINNINGS)}{random.choice(ENDS)} {random.choice(CALLED[kind])}"
    quote = random.choice(("", '"', "'"))
    lines = [
        f"  - id: {quote}{number}{quote}",
        f"    name: {name}",
        f"    kind: {kind}",
        f"    county: {county}",
        f"    language: {language}",
        f"    epj: {_pick(random, EPJS)}",
        f"    wave: {wave}",
        f"    move_date: {moved}",
    ]
    if kind == "emergency_clinic" or random.random() < 0.1:
        lines += [f"    window:\n      {random.choice(WINDOWS)}"]
    lines += [f"    asked: {date(2024, 8, 1) + timedelta(days=random.randrange(30))}"]
    if answered:
        lines += _answers(random, number)
    lines += ["    server:", *(f"      {line}" for line in server), "    clients:"]
    for pc in range(1, clients + 1):
        lines += [f"      - name: pc{pc}", f"        host: pc{pc}.k{number}.example"]
        if random.random() < 0.05:
            lines += [f"        address: 10.{number // 250}.{number % 250}.{pc}"]
    if shared:
        lines += [f"    shared_server: {shared}"]
    return "\n".join(lines) + "\n"


def _answers(random: Random, number: int) -> list[str]:
    start = date(2027, 6, 28) + timedelta(days=7 * random.randrange(5))
    who = f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"
    closed = f"\n      - from: {start}\n        to: {start + timedelta(days=20)}" if random.random() < 0.8 else " []"
    sent = date(2024, 9, 1) + timedelta(days=random.randrange(30))
    lines = [
        f"    closed:{closed}",
        f"    contact:\n      name: {who}\n      email: {_plain(who)}@k{number}.example",
        f"      phone: {random.choice(('+47 55 00', '0047 5500', '5500'))} {number % 10000:04d}",
        f"      weekends: {random.choice(('yes', 'no', 'true', 'false'))}",
        "    agreement:",
    ]
    if random.random() < 0.8:
        lines += ["      status: signed", f"      sent: {sent}", f"      signed: {sent + timedelta(days=10)}"]
    else:
        lines += ["      status: sent", "      form: paper", f"      sent: {sent}"]
    lines += [f"      reference: A-{number}", "    signatory_known: true"]
    if random.random() < 0.1:
        lines += [f"    ros:\n      requested: true\n      sent: {sent}"]
    return [
        *lines,
        f"    confirmed:\n      urls: {sent}\n      proxy: {sent}",
        f"    history_months: {random.randint(12, 18)}",
    ]


def main() -> None:
    """Write a source and its register into a folder that a person names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sites", type=int, default=1600)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(write_inventory(options.folder, sites=options.sites, clients=options.clients, seed=options.seed))


if __name__ == "__main__":
    main()
