"""A list of many orders counted in the engine: processor time, and how much memory it takes more."""

from __future__ import annotations

import hashlib
import os
import random
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from simulator.data import Record
from tests.pwsh.engine import Engine
from tests.pwsh.fixtures import Server

ORDERS, MOST_SECONDS, MOST_MEGABYTES = 100_000, 30, 200
DAY = date(2027, 5, 18)


@dataclass(frozen=True)
class Cost:
    """Seconds of processor time, MB above what the engine had, and the manifest with the one that is right."""

    seconds: float
    megabytes: float
    manifest: dict[str, Any]
    expected: dict[str, Any]


def measure_manifest(server: Server, engine: Engine, orders: int, folder: Path) -> Cost:
    """Have the server list so many orders and count them."""
    rng = random.Random(orders)
    ids = [f"ord-{uuid.UUID(int=rng.getrandbits(128), version=4)}" for _ in range(orders)]
    days = [DAY - timedelta(days=number % 365) for number in range(orders)]
    listed = folder / "lines.jsonl"
    with listed.open("w", encoding="utf-8") as file:
        file.writelines(Record("orders", name, day).line() + "\n" for name, day in zip(ids, days, strict=True))
    migration = server.contract["migration"]
    server.write(migration["program"], "the program")
    effect = {"exit_code": 0, "writes": {migration["list_file"]: {"copy": str(listed)}}}
    server.update(programs={"InteractorMigrate.exe": effect})
    # The first call of a module costs what compiling its wrappers costs.
    server.ask("migrate", step="look")
    process = Path("/proc") / str(engine.pid)
    (process / "clear_refs").write_text("5", encoding="ascii")
    seconds, megabytes = _seconds(process), _megabytes(process, "VmRSS")
    attempt = {"number": 1, "key": "k"}
    options = {"attempt": attempt, "history_months": 12, "day": DAY.isoformat(), "mode": "server_in_cloud"}
    answer = server.ask("migrate", step="manifest", **options)
    assert not answer.get("failed"), answer
    total = sum(int.from_bytes(hashlib.sha256(name.encode()).digest(), "big") for name in ids) % 2**256
    return Cost(
        _seconds(process) - seconds,
        _megabytes(process, "VmHWM") - megabytes,
        answer["manifest"],
        {"count": orders, "hash": f"{total:064x}", "first": min(days).isoformat(), "last": max(days).isoformat()},
    )


def _seconds(process: Path) -> float:
    fields = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _megabytes(process: Path, name: str) -> float:
    lines = (process / "status").read_text(encoding="utf-8").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(name))) / 1024
