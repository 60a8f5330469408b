# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluates automatic proxy scripts; a program of its own that `_pac` starts, reads and ends, never imported (P5).

It is told by JSON on its standard input, and writes one line of JSON for each evaluation as soon as it has it. Before
it reads a script it gives up all that a script could do harm with, also one that gets the better of the engine.
"""

from __future__ import annotations

# It starts for every host of a fleet, and costs what it imports.
import json
import resource
import signal
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timedelta

PRELUDE = """
(function (ask, host) {
  "use strict";
  const say = JSON.stringify, read = JSON.parse, text = String, Time = Date, make = Reflect.construct;
  for (const name of host.functions) {
    globalThis[name] = function (...given) {
      const plain = given.map((one) => one === null || one === undefined ? null
        : ["string", "number", "boolean"].includes(typeof one) ? one : text(one));
      const answer = read(ask(say([name, plain])));
      if (answer.error !== undefined) { throw new Error(answer.error); }
      return answer.value;
    };
  }
  function now() {
    if (host.now === null) { throw new Error("the script asks for the time of the host, which is not known"); }
    return host.now;
  }
  globalThis.Date = new Proxy(Time, {
    construct: (of, given, target) => make(of, given.length ? given : [now()], target),
    apply: () => new Time(now()).toString(),
    get: (of, name) => name === "now" ? now : of[name],
  });
  globalThis.__find = function (url, name) {
    const found = typeof FindProxyForURLEx === "function" ? FindProxyForURLEx : FindProxyForURL;
    const answer = found(url, name);
    return say(answer === null || answer === undefined ? "" : text(answer));
  };
})
"""


def give_up(limits: Mapping[str, int]) -> None:
    """From here on: no file or socket is opened, no process started, no more memory taken than is allowed."""
    for what, most in (
        (resource.RLIMIT_AS, limits["address_space"]),
        (resource.RLIMIT_FSIZE, limits["output"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))


def _said(error: Exception) -> str:
    """What the engine says of an error in one line; `null` is what it says where no memory was left to say more."""
    said = f"{error}".strip().partition("\n")[0][:200].encode("utf-8", "replace").decode()
    return "the script took too much memory" if said == "null" else said or type(error).__name__


def main() -> None:
    """Evaluate all that is asked."""
    asked = json.load(sys.stdin)
    sys.path += asked["path"]
    # Not quickjs, its wrapper: that loads much and starts a thread.
    import _quickjs
    from _domain import pac

    give_up(asked["limits"])
    ahead = None if asked["ahead"] is None else timedelta(seconds=asked["ahead"])
    at = None if asked["at"] is None else datetime.fromisoformat(asked["at"])
    known = {name: tuple(addresses) for name, addresses in asked["names"].items()}
    now = None if at is None or ahead is None else at.timestamp() * 1000
    told = json.dumps({"functions": list(pac.FUNCTIONS), "now": now})
    for script, url, name in asked["jobs"]:
        host = pac.PacHost(tuple(asked["addresses"]), known, at, ahead)

        def ask(question: str, host: pac.PacHost = host) -> str:
            try:
                return json.dumps({"value": pac.call(host, *json.loads(question))})
            except ValueError as error:
                return json.dumps({"error": str(error)})

        context = _quickjs.Context()
        context.set_memory_limit(asked["limits"]["memory"])
        context.set_max_stack_size(asked["limits"]["stack"])
        answer: dict[str, str] = {}
        # Their signals end this process, whatever the engine is at: in some loops it does not look at its own limits.
        signal.setitimer(signal.ITIMER_PROF, asked["limits"]["cpu"])
        signal.setitimer(signal.ITIMER_REAL, asked["limits"]["wall"])
        try:
            context.add_callable("__ask", ask)
            context.eval(f"{PRELUDE.strip()}(__ask, {told}); delete globalThis.__ask;")
            context.eval(asked["scripts"][script])
            answer["answer"] = str(json.loads(context.eval(f"__find({json.dumps(url)}, {json.dumps(name)})")))[:8192]
        except Exception as error:  # whatever the engine makes of a script, also what it does not know how to say
            answer["error"] = _said(error)
        finally:
            for timer in (signal.ITIMER_PROF, signal.ITIMER_REAL):
                signal.setitimer(timer, 0)
        print(json.dumps({**answer, "unknown": host.unknown[:20]}), flush=True)


if __name__ == "__main__":
    time.tzset()
    main()
