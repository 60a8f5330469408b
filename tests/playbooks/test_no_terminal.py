"""Every playbook ends by itself where there is neither a terminal nor anybody to answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.playbooks.conftest import RELEASE, ROOT, Controller, controlling

SAID: Mapping[str, Mapping[str, str]] = {
    "explain": {"site": "1001"},
    "release": RELEASE,
    "halt": {"release_wave": "2", "release_name": "Kari", "release_reason": "r"},
    "resume": {"release_wave": "2", "release_name": "Kari", "release_reason": "r"},
    "rollback": {"rollback_name": "Kari", "rollback_reason": "r"},
    "plan": {"plan_effort": "1"},
}
"""What a playbook has to be told."""
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
LIMIT = ("--limit", "site_1001")
WHOLE = {"explain", "plan", "release", "halt", "resume"}
MOST_SECONDS = 300


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    with controlling(tmp_path_factory.mktemp("alone")) as one:
        yield one


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_playbook_ends_without_a_terminal(fleet: Controller, playbook: str) -> None:
    closed, other = os.pipe()
    os.close(other)
    command = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        *("-i", str(fleet.inventory), f"playbooks/{playbook}.yml"),
        *(() if playbook in WHOLE else LIMIT),
        *("-e", json.dumps(dict(SAID.get(playbook, {})))),
    ]
    try:
        # A session of its own has no terminal, and nothing will ever come from this pipe.
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={
                **os.environ,
                **fleet.simulation.environment,
                "INTERACTOR_STATE": str(fleet.state),
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            },
            stdin=closed,
            start_new_session=True,
            text=True,
            capture_output=True,
            check=False,
            timeout=MOST_SECONDS,
        )
    finally:
        os.close(closed)
    output = done.stdout + done.stderr
    assert done.returncode == 0 or "One of us is needed" in output, output
    assert "PLAY RECAP" in output
