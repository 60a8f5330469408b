"""`make soak`: real ansible-playbook processes that are killed, cut off and met by restarts, as a seed says.

It prints one row per case and one for all, for docs/verification.md. Exit code 1 where a site does not end as the
undisturbed one of its night.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.night import ROOT, UNDISTURBED, Case, End, night, random_cases

A_NIGHT = 10
"""So many cases share a simulated night."""


def differences(case: Case, end: End, undisturbed: End) -> list[str]:
    """What a site has otherwise than the undisturbed one; nothing where all is well."""
    found = []
    if case.loses_the_night and not end.rolled_back:
        found.append("it was not rolled back")
    if end.rolled_back and not case.loses_the_night:
        found.append("it was rolled back")
    same = replace(end, rolled_back=undisturbed.rolled_back)
    return found + [
        f"{name}: {getattr(same, name)!r}, not {getattr(undisturbed, name)!r}"
        for name in ("row", "host", "cloud")
        if getattr(same, name) != getattr(undisturbed, name)
    ]


def commit() -> str:
    """The commit that is checked out, and whether there is more than it."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--match="], cwd=ROOT, text=True, capture_output=True, check=False
    )
    return told.stdout.strip() or "unknown"


def main() -> int:
    """Run the cases, a night for each ten."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=40, help="how many cases")
    chosen = parser.parse_args()
    cases, bad, began = random_cases(chosen.seed, chosen.count), 0, time.monotonic()
    print("| case | what breaks | ends as the undisturbed |\n|---|---|---|", flush=True)
    numbers = list(cases)
    for first in range(0, len(numbers), A_NIGHT):
        of = {site: cases[site] for site in numbers[first : first + A_NIGHT]}
        with tempfile.TemporaryDirectory(prefix="soak-") as folder, night(Path(folder) / "night", of) as one:
            ends = one.run()
        for site, case in of.items():
            wrong = differences(case, ends[site], ends[UNDISTURBED])
            bad += bool(wrong)
            print(f"| {site} | {case} | {'; '.join(wrong) or 'yes'} |", flush=True)
    seconds, day = time.monotonic() - began, datetime.now(UTC).date()
    print("\n| cases | not as the undisturbed | seed | commit | date | seconds |\n|---|---|---|---|---|---|")
    print(f"| {len(cases)} | {bad} | {chosen.seed} | {commit()} | {day} | {seconds:.0f} |")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
