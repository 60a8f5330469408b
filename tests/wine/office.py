"""Two offices whose servers are Wine machines, and the first one's PC as well: scenario and register."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

import yaml

from simulator.wine import vendor
from tests.wave import write_wave

NEW, OLD = "6.2.0", "5.4.1"
DOUBLE = {"proxy_enable": 1, "proxy_server": "sikker.proxy.nhn.no:8080"}
"""Script and manual proxy at once (P5)."""
_URL = "https://nedlasting.dips.no/interactor/InteractorSetup-6.2.0.msi"


def free_port() -> int:
    """A port of this machine that nobody has just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def write_wine_wave(folder: Path) -> tuple[Path, Path]:
    """Write installer, scenario and inventory into `folder`; the paths of the latter two."""
    port = free_port()
    msi = folder / "InteractorSetup.msi"
    msi.write_bytes(vendor.installer(NEW, "DIPS AS"))
    scenario, inventory = write_wave(folder, sites=2)
    said = yaml.safe_load(scenario.read_text(encoding="utf-8"))
    for number in said["sites"]:
        said["sites"][number]["server"] = {"engine": "wine"}
    first = min(said["sites"])
    said["sites"][first]["clients"] = [{"name": "pc1", "engine": "wine", "proxies": [DOUBLE]}]
    said["installer"] = {"version": NEW, "url": _URL, "file": str(msi)}
    said["vendor"] = {"version_url": f"http://127.0.0.1:{port}/version"}
    scenario.write_text(yaml.safe_dump(said), encoding="utf-8")
    register = inventory.parent / "register" / "all.yml"
    registered = yaml.safe_load(register.read_text(encoding="utf-8"))
    # Its one check that Wine cannot answer (docs/wine.md); a person who knows that would waive it, too.
    registered["waivers"] = [
        {"check": "P8", "site": number, "reason": "Wine has no power plans", "who": "Kari", "until": "2027-06-30"}
        for number in said["sites"]
    ]
    register.write_text(yaml.safe_dump(registered, sort_keys=False), encoding="utf-8")
    variables = inventory.parent / "group_vars" / "all.yml"
    known = variables.read_text(encoding="utf-8")
    overrides = {
        "installer": {"url": _URL, "sha256": hashlib.sha256(msi.read_bytes()).hexdigest()},
        "service": {
            # All machines share one loopback network (simulator.wine.address).
            "version_url": "http://127.1.{{ interactor_site_id | int // 256 }}.{{ interactor_site_id | int % 256 }}"
            f":{port}/version"
        },
    }
    head = known.partition("vendor_contract_overrides:")[0]
    variables.write_text(head + yaml.safe_dump({"vendor_contract_overrides": overrides}), encoding="utf-8")
    return scenario, inventory
