"""A wave of as many equal offices as a test wants: the scenario for the simulator, and the register that fits it."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
FIRST_ID = 1001
MOVE_DATE = "2027-05-18"
EVENING = "2027-05-14T16:00:00Z"
"""When the wave is upgraded: Friday, for Monday is 17 May."""
NIGHT = "2027-05-18T18:30:00Z"
"""When it begins to move."""
LATER = "2027-05-18T19:15:00Z"
"""When every migration has ended, inside the window."""


def site_ids(sites: int) -> list[str]:
    """The ids of a wave of so many sites."""
    return [str(FIRST_ID + number) for number in range(sites)]


def write_wave(
    folder: Path, *, sites: int, clients: int = 1, special: dict[str, dict[str, object]] | None = None
) -> tuple[Path, Path]:
    """Write scenario and inventory into `folder`, and give both; `special` says by site what is otherwise there."""
    machines = [f"pc{number}" for number in range(1, clients + 1)]
    told: dict[str, dict[str, object]] = {
        site: {"domain": f"k{site}.example", "clients": machines, **(special or {}).get(site, {})}
        for site in site_ids(sites)
    }
    scenario = folder / "scenario.yml"
    scenario.write_text(yaml.safe_dump({"installer": {"version": "6.2.0"}, "sites": told}), encoding="utf-8")
    inventory = folder / "inventory"
    shutil.copytree(ROOT / "inventories" / "demo", inventory, ignore=shutil.ignore_patterns("wave*.yml"))
    register = {
        "waves": [{"id": 1, "name": "Tuesday 18 May 2027"}],
        "sites": [_registered(site, machines) for site in site_ids(sites)],
    }
    (inventory / "register" / "all.yml").write_text(yaml.safe_dump(register, sort_keys=False), encoding="utf-8")
    return scenario, inventory / "sites.register.yml"


def _registered(site: str, machines: list[str]) -> dict[str, object]:
    domain = f"k{site}.example"
    return {
        "id": site,
        "name": f"Legekontor {site}",
        "kind": "gp_office",
        "county": "Vestland",
        "language": "nb",
        "epj": "Journalen",
        "wave": 1,
        "move_date": MOVE_DATE,
        "closed": [],
        "contact": {"name": f"Kontakt {site}", "email": f"post@{domain}", "phone": f"5500{site}"},
        "agreement": {"status": "signed", "sent": "2027-04-01", "signed": "2027-04-15", "reference": f"A-{site}"},
        "signatory_known": True,
        "confirmed": {"urls": "2027-04-20", "proxy": "2027-04-20"},
        "history_months": 12,
        "server": {"host": f"srv.{domain}", "credential": "demo"},
        "clients": [{"name": name, "host": f"{name}.{domain}"} for name in machines],
    }
