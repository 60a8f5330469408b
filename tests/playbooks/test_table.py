"""A table of answers through playbooks/register.yml: shown, brought in, refused, and written again."""

from __future__ import annotations

from pathlib import Path

from tests.playbooks.conftest import controlling


def test_a_table_is_shown_then_brought_in_and_a_conflict_changes_nothing(tmp_path: Path, register: Path) -> None:
    table, out = tmp_path / "answers.csv", tmp_path / "out.xlsx"
    sites = register / "register" / "wave1.yml"
    before = sites.read_bytes()
    table.write_text("Kontornr;Spurt;Kontaktperson;E-post;Signatar\n1001;2.3.2027;;;Kanari Fugl\n", encoding="utf-8")
    with controlling(tmp_path, inventory=register / "sites.register.yml") as fleet:
        dry = fleet.play("register", "--check", "--diff", register_import=str(table))
        assert dry.code == 0, dry.output
        assert "+    asked: 2027-03-02" in dry.output
        assert "Left out, for they are about the person who signs: Signatar." in " ".join(dry.output.split())
        assert sites.read_bytes() == before

        real = fleet.play("register", register_import=str(table))
        assert real.code == 0, real.output
        after = sites.read_bytes()
        assert b"asked: 2027-03-02" in after
        assert [line for line in after.splitlines() if b"asked: 2027-03-02" not in line] == before.splitlines()
        full = fleet.state / "register-import.diff"
        assert full.stat().st_mode & 0o777 == 0o600

        table.write_text("Kontornr;Fylke;Kontaktperson\n1001;Oslo;Kanari Fugl\n1002;Oslo;\n", encoding="utf-8")
        refused = fleet.play("register", "-v", register_import=str(table))
        assert refused.code == 2, refused.output
        assert "so nothing is written" in refused.output
        assert "+    county: Oslo" in refused.output
        assert "Kanari" not in dry.output + real.output + refused.output
        assert sites.read_bytes() == after
        assert "Kanari Fugl" in full.read_text(encoding="utf-8")

        limited = fleet.play("register", "--limit", "site_1001", register_import=str(table))
        assert limited.code == 2, limited.output
        assert "leave --limit out" in limited.output

        won = fleet.play("register", register_import=str(table), register_overwrite="true", register_export=str(out))
        assert won.code == 0, won.output
        assert sites.read_bytes().count(b"county: Oslo") == 2
        assert out.stat().st_mode & 0o777 == 0o600
        assert fleet.play("register", register_import=str(out)).changed == 0
