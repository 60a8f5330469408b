"""Every kind of bad answer over the wire, a host each in one run: an error with its reason, and the run goes on."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from simulator.spoil import SPOILS
from tests.playbooks.conftest import Controller, controlling

NAME = "Pål Ærøy Kanarifugl"
REASONS = {
    "cut_off": "the answer is cut off",
    "not_json": "the answer is no JSON object",
    "old_probe": "facts.probe: 0; ",
    "long": "characters; at most",
    "cp865": "the answer is no UTF-8",
    "empty": "the answer is empty",
    "list": "the answer is no JSON object",
    "nan": "the answer has a number that is none",
    "wrong_type": "facts.host.utc: a moment is wanted",
    "deep": "the answer is nested",
    "trailing": "something follows it",
}
HOSTS = {
    f"{site}-{'server' if host == 'srv' else host}": f"{host}.{domain}.example"
    for site, domain, clients in (
        (1001, "fjordgata", 2),
        (1002, "vagen", 3),
        (1003, "strandkaien", 2),
        (1004, "fjellsida", 2),
    )
    for host in ("srv", *(f"pc{number}" for number in range(1, clients + 1)))
}
"""What the inventory calls the hosts of wave 1, and what they are called on the wire."""


def measured(controller: Controller) -> dict[str, dict[str, Any]]:
    """What the journal has of each host's only measurement."""
    with closing(sqlite3.connect(controller.state / "journal.sqlite")) as journal:
        found = journal.execute("SELECT host, data FROM events WHERE kind = 'measured'").fetchall()
    assert len(found) == len(dict(found))
    return {host: json.loads(data) for host, data in found}


def test_a_bad_answer_is_an_error_of_that_host_alone(tmp_path: Path) -> None:
    spoiled = dict(zip(HOSTS, SPOILS, strict=False))
    assert sorted(spoiled.values()) == sorted(REASONS), "every kind has a host"
    with controlling(tmp_path) as controller:
        for host, how in spoiled.items():
            controller.simulation.arm(HOSTS[host], "interactor_preflight", do="spoil", when="after", how=how, name=NAME)
        done = controller.play("preflight", "--limit", "wave_1", "-v")
        assert done.code == 0, done.output
        found = measured(controller)
        assert sorted(found) == sorted(HOSTS), "sites in = rows out"
        for host, told in found.items():
            assert told["reached"] is True
            assert told["verdict"] == ("error" if host in spoiled else "ready"), host
            assert REASONS.get(spoiled.get(host, ""), "") in told["detail"], host
            assert bool(told["checks"]) == (host not in spoiled), host
        rows = controller.rows()
        assert {row["verdict"] for row in rows.values() if row["wave"] == 1} == {"error"}
        assert REASONS["cut_off"] in rows["1001"]["why"]
        controller.simulation.mend()
        # A second run asks again whoever gave no answer, and the sites are as they are.
        assert controller.play("preflight", "--limit", "site_1001").code == 0
        assert controller.rows()["1001"]["verdict"] == "ready"
    for path in [*controller.state.rglob("*"), tmp_path / "simulator" / "simulator.log"]:
        assert not path.is_file() or not leaks(path.read_bytes()), path
    assert not leaks(done.output.encode())


def leaks(content: bytes) -> bool:
    """Whether something of the name stands there, in any of the encodings that it was sent in."""
    return any(word in content for word in (b"Kanarifugl", "Ærøy".encode(), "Ærøy".encode("cp865"), b"\\u00c6r"))
