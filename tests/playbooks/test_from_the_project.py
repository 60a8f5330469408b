"""The README's way from a register to dates, typed as it stands there, in a project folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._register import load_register

from tests.playbooks.conftest import ROOT, Done

README = (ROOT / "README.md").read_text(encoding="utf-8")
ANSWERED = {
    "closed: null": "closed: []",
    "contact: null  #": "contact: {name: Kari Eksempel, email: kari@eksempelveien.example, phone: 55 00 00 00}  #",
    "status: missing": "status: signed",
    "sent: null  # a date from": "sent: 2026-01-01  # a date from",
    "signed: null": "signed: 2026-01-02",
    "signatory_known: false": "signatory_known: true",
    "urls: null": "urls: 2026-01-01",
    "proxy: null": "proxy: 2026-01-01",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder: the code by links, the inventory as a copy that a person fills in."""
    for name in ("ansible.cfg", "collections", "playbooks", "roles"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "inventories" / "production", tmp_path / "inventories" / "production")
    sites = tmp_path / "inventories" / "production" / "register" / "sites.yml"
    text = sites.read_text(encoding="utf-8")
    for old, new in ANSWERED.items():
        assert old in text
        text = text.replace(old, new)
    sites.write_text(text, encoding="utf-8")
    return tmp_path


def typed(project: Path, line: str, *more: str) -> Done:
    """Run a line of the README in the project's folder."""
    assert line in README
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("INTERACTOR_", "ANSIBLE_"))
    }
    done = subprocess.run(
        [*line.split(), *more],
        cwd=project,
        env={**environment, "PATH": path},
        stdin=subprocess.DEVNULL,
        text=True,
        capture_output=True,
        check=False,
    )
    return Done(done.returncode, done.stdout + done.stderr)


def test_from_the_template_to_a_date_in_the_register(project: Path) -> None:
    playbook = "ansible-playbook -i inventories/production/sites.register.yml playbooks/"
    for line in (f"{playbook}register.yml", f"{playbook}plan.yml -e plan_from=2027-05-10 -e plan_to=2027-06-25"):
        done = typed(project, line)
        assert done.code == 0, done.output
    applied = typed(project, "git apply var/production/plan/plan.patch")
    assert applied.code == 0, applied.output
    (site,) = load_register(project / "inventories" / "production" / "register").sites
    assert str(site.move_date) == "2027-05-10", "a Monday: the upgrade is on Friday, the contact is there on Tuesday"
    explained = typed(project, f"{playbook}explain.yml -e site=1001")
    assert explained.code == 0, explained.output
    assert "Monday 10.05.2027" in explained.output


@pytest.mark.parametrize("playbook", ["plan.yml", "explain.yml -e site=1001"])
def test_a_limit_is_refused_aloud_where_the_whole_register_is_looked_at(project: Path, playbook: str) -> None:
    line = f"ansible-playbook -i inventories/production/sites.register.yml playbooks/{playbook}"
    done = typed(project, line, "--limit", "site_1001")
    assert done.code == 2
    assert "leave --limit out" in done.output
    assert not (project / "var" / "production" / "plan").exists()
