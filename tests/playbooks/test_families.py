"""Some of the checks alone, by --tags: asked, told as a part, and never taken for the whole."""

from __future__ import annotations

from tests.playbooks.conftest import Controller

NOTHING = ("1001", "1004")
"""Sites with which nothing is wrong."""


def verdicts(fleet: Controller) -> dict[str, str | None]:
    return {site: row["verdict"] for site, row in fleet.rows().items() if row["wave"] == 1}


def test_a_part_is_no_verdict_and_a_word_that_is_no_family_is_refused(controller: Controller) -> None:
    def play(*arguments: str) -> str:
        done = controller.play("preflight", "--limit", "wave_1", *arguments)
        assert done.code == 0, done.output
        return done.output

    asked = len(controller.simulation.calls())
    wrong = controller.play("preflight", "--limit", "wave_1", "--tags", "proxi")
    assert wrong.code == 2
    assert "'proxi' is no family of checks; did you mean proxy? (allowed: clock, " in " ".join(wrong.output.split())
    assert len(controller.simulation.calls()) == asked, "before any host is contacted"

    output = play("--tags", "proxy,clock")
    assert "Only clock, proxy: a part of the checks, and no verdict" in output
    assert set(verdicts(controller).values()) == {None}, "all that was looked at was right, and no site is ready"
    assert "1002-pc2" in output

    play()
    whole = verdicts(controller)
    assert [site for site, verdict in whole.items() if verdict == "ready"] == [*NOTHING]

    asked = len(controller.simulation.calls())
    play("--tags", "register")
    assert len(controller.simulation.calls()) == asked, "what the register tells needs no host"

    play("--tags", "speed")
    assert verdicts(controller) == whole, "the second site's proxy is as wrong as it was"
    told = controller.play("explain", site="1002")
    assert "1002-server measured in part (speed): nothing wrong" in " ".join(told.output.split()), told.output
