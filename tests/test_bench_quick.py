"""The figures of `make bench-quick` and their bounds, of runs that are made up."""

from __future__ import annotations

import pytest
import yaml

from tests import bench_quick
from tests.bench_quick import BOUNDS, DEAD, HOSTS, Figure, Run, at_size, each_more, figures, slope_of


def run(hosts: int, cpu: float, seconds: float = 20.0, last: float = 15.0, answered: int | None = None) -> Run:
    line = {"requests": 9, "received": 200_000, "sent": 20_000, "last": last}
    return Run(hosts, seconds, cpu, {f"h{number}": line for number in range(answered or hosts)})


WELL = [run(50, 7, 10, 5), run(200, 22, 40, 35)]
STOCK = [run(4, 8), run(16, 23)]


def test_only_what_is_beyond_its_bound_twice_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = Figure("a", 1, "", at_most=2), Figure("a", 3, "", at_most=2)
    other = Figure("b", 3, "", at_most=2)
    runs = iter([[bad], [bad, other], [bad], [good, other], [good]])
    assert bench_quick.beyond(lambda: next(runs)) == [bad]
    assert bench_quick.beyond(lambda: next(runs)) == []
    assert bench_quick.beyond(lambda: next(runs)) == []
    assert next(runs, None) is None
    assert capsys.readouterr().out.count("once more, for a") == 2


def test_the_slope_is_the_exponent() -> None:
    assert slope_of([(50, 5), (100, 10), (200, 20)]) == pytest.approx(1)
    assert slope_of([(50, 1), (100, 4), (200, 16)]) == pytest.approx(2)
    assert slope_of([(50, 7), (100, 7), (200, 7)]) == pytest.approx(0)


def test_what_a_run_costs_at_all_is_no_hosts() -> None:
    assert each_more(WELL) == pytest.approx(0.1)
    assert each_more([run(4, 108), run(16, 123)]) == each_more(STOCK) == pytest.approx(1.25)


def test_what_is_between_two_runs_lies_on_a_line() -> None:
    assert at_size(100, [(50, 10), (200, 40)]) == pytest.approx(20)
    assert at_size(50, [(50, 10), (200, 40)]) == pytest.approx(10)


def test_every_figure_has_a_bound_and_all_are_kept() -> None:
    found = {one.name: one for one in figures(WELL, STOCK, run(100, 12, 25, 16, 95))}
    assert set(found) == set(yaml.safe_load(BOUNDS.read_text(encoding="utf-8")))
    assert found["cpu_ratio"].value == pytest.approx(12.5)
    assert found["dead_seconds"].value == pytest.approx(0.5)
    assert found["living_delay"].value == pytest.approx(16 / 15)
    assert found["kilobytes_per_host"].value == pytest.approx(220)
    assert all(one.is_kept for one in found.values()), found


@pytest.mark.parametrize(
    ("name", "ours", "stock", "dead"),
    [
        ("cpu_ratio", WELL, [run(4, 8), run(16, 20)], run(100, 12)),
        ("slope", [run(50, 5, 10, 5), run(200, 25, 40, 35)], STOCK, run(100, 12)),
        ("dead_seconds", WELL, STOCK, run(100, 12, 35)),
        ("living_delay", WELL, STOCK, run(100, 12, last=20)),
    ],
)
def test_one_beyond_its_bound_is_told(name: str, ours: list[Run], stock: list[Run], dead: Run) -> None:
    broken = [one for one in figures(ours, stock, dead) if not one.is_kept]
    assert name in [one.name for one in broken]
    assert all("BEYOND ITS BOUND" in str(one) for one in broken)


def test_the_command_fails_loudly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    figure = Figure("cpu_ratio", 11.4, "…", at_least=12)
    monkeypatch.setattr(bench_quick, "measure", lambda _folder: [figure])
    with pytest.raises(SystemExit, match=r"beyond their bounds: cpu_ratio 11\.40"):
        bench_quick.main()
    assert "| cpu_ratio | 11.40 | at least 12 | BEYOND ITS BOUND |" in capsys.readouterr().out


def test_one_host_in_twenty_is_dead() -> None:
    assert HOSTS[1] == DEAD * 20
