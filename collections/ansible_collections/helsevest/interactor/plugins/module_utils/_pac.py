# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the automatic proxy scripts of a host answer: the one place that knows the JavaScript engine (P5).

A script is somebody else's program. It runs in a process of its own that has nothing of ours: no environment, no
memory, no open file. That process may end as it likes; what comes of it is a text.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from ._domain.pac import PacHost
from ._domain.pac_facts import pac_host
from ._domain.proxy import plain_url
from ._domain.proxy_way import Evaluation, Evaluations, is_fetched, parse_answer
from ._holidays import MissingPackageError

CHILD = Path(__file__).with_name("_pac_child.py")
TOLD, NAMES = 253, 20
"""So many characters of an error or a name are kept, and so many names."""


@dataclass(frozen=True)
class Limits:
    """What one evaluation may take: seconds of the processor and of the clock, bytes of memory."""

    cpu: float = 2.0
    wall: float = 20.0
    memory: int = 32 * 2**20
    stack: int = 256 * 2**10
    address_space: int = 512 * 2**20
    output: int = 2**20
    total: float = 60.0
    """Seconds of the clock for all evaluations of one host together."""


@dataclass(frozen=True)
class _Job:
    text: str
    url: str


def evaluate_scripts(facts: Mapping[str, Any] | None, urls: Sequence[str], limits: Limits | None = None) -> Evaluations:
    """Evaluate every script that `facts` (docs/contracts.md, Facts) hold the text of, for each of `urls` (P5).

    It answers as the host would: with its addresses, DNS answers and time. What an evaluation comes to is in its
    answer, its failure too; no facts, no evaluations. Raises MissingPackageError without the engine.
    """
    facts = facts or {}
    scripts = [found for found in (facts.get("proxy") or {}).get("scripts") or () if is_fetched(found)]
    jobs = list(dict.fromkeys(_Job(found["text"], url) for found in scripts for url in urls))
    found = dict(zip(jobs, _evaluate(jobs, pac_host(facts), limits or Limits()), strict=True)) if jobs else {}
    return {(plain_url(one["url"]), url): found[_Job(one["text"], url)] for one in scripts for url in urls}


def _evaluate(jobs: Sequence[_Job], host: PacHost, limits: Limits) -> list[Evaluation]:
    """What each job comes to; after one at which the process ended another process goes on with the next."""
    path = [str(_engine_folder()), str(CHILD.parent)]
    end = monotonic() + limits.total
    done: list[Evaluation] = []
    while len(done) < len(jobs):
        left = end - monotonic()
        if left <= 0:
            late = Evaluation(error=f"not evaluated: all scripts together took over {limits.total:g} seconds")
            return [*done, *[late] * (len(jobs) - len(done))]
        lines, ended = _run(jobs[len(done) :], host, limits, path, left)
        done += lines
        if len(done) < len(jobs):
            done.append(Evaluation(error=ended))
    return done


def _engine_folder() -> Path:
    # To import it would start a thread in the process that runs ansible.
    spec = find_spec("quickjs")
    if spec is None or spec.origin is None:
        raise MissingPackageError(
            "the proxy scripts of the hosts need the Python package 'quickjs-ng' on the controller (make setup "
            f"installs it), which {sys.executable} lacks"
        )
    return Path(spec.origin).parent.parent


def _run(
    jobs: Sequence[_Job], host: PacHost, limits: Limits, path: list[str], seconds: float
) -> tuple[list[Evaluation], str]:
    """The evaluations that one process brought to an end, and what it ended of."""
    texts = list(dict.fromkeys(job.text for job in jobs))
    asked = {
        "path": path,
        "limits": vars(limits),
        "addresses": host.addresses,
        "names": host.names,
        "at": host.at.isoformat() if host.at else None,
        "ahead": host.ahead.total_seconds() if host.ahead is not None else None,
        "scripts": texts,
        # Windows tells a script no more of an address than its host, for the rest may be a secret.
        "jobs": [(texts.index(job.text), _site(job.url), urlsplit(job.url).hostname or "") for job in jobs],
    }
    with tempfile.TemporaryFile() as answers:
        try:
            process = subprocess.run(
                [sys.executable, "-I", "-S", "-B", str(CHILD)],
                input=json.dumps(asked).encode(),
                stdout=answers,
                stderr=subprocess.DEVNULL,
                env={"TZ": _zone(host)},
                cwd="/",
                timeout=seconds,
                check=False,
            )
            ended = _ended(process.returncode, limits)
        except subprocess.TimeoutExpired:
            ended = f"all scripts together took over {limits.total:g} seconds"
        answers.seek(0)
        lines = answers.read(limits.output).splitlines(keepends=True)
    return [_evaluation(line) for line in lines if line.endswith(b"\n")][: len(jobs)], ended


def _site(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}/"


def _zone(host: PacHost) -> str:
    """The host's own time as POSIX writes a zone: what is to be added for UTC."""
    minutes = round(host.ahead.total_seconds() / 60) if host.ahead else 0
    return f"<HOST>{'-' if minutes > 0 else ''}{abs(minutes) // 60}:{abs(minutes) % 60:02}" if minutes else "UTC0"


def _ended(code: int, limits: Limits) -> str:
    match -code:
        case signal.SIGPROF:
            return f"the script took over {limits.cpu:g} seconds of the processor"
        case signal.SIGALRM:
            return f"the script took over {limits.wall:g} seconds"
    return f"the engine ended with {code}"


def _evaluation(line: bytes) -> Evaluation:
    # A script that got the better of the engine may have written it.
    try:
        answer = json.loads(line)
        unknown = tuple(str(name)[:TOLD] for name in answer["unknown"][:NAMES])
        if "error" in answer:
            return Evaluation(error=str(answer["error"])[:TOLD], unknown=unknown)
        text = str(answer["answer"])
    except (KeyError, RecursionError, TypeError, ValueError):
        return Evaluation(error="the engine answered something else")
    try:
        return Evaluation(parse_answer(text), unknown=unknown)
    except ValueError as error:
        return Evaluation(error=str(error), unknown=unknown)
