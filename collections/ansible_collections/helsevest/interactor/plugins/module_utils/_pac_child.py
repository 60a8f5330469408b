# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluates automatic proxy scripts; a program of its own that `_pac` starts, reads and ends, never imported (P5).

It is told by marshal on its standard input, and writes a line of JSON for each evaluation as soon as it has it. Before
it reads a script it gives up all that a script could do harm with, also one that gets the better of the engine.
"""

from __future__ import annotations

# It starts for every host of a fleet, and costs what it imports: so neither json nor re, nor signal, which needs enum.
import _signal as signal
import codecs
import marshal
import resource
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timedelta

PRELUDE = """
(function (ask, problem, host) {
  "use strict";
  const say = escape, text = String, Time = Date, make = Reflect.construct;
  for (const name of host.functions) {
    globalThis[name] = function (...given) {
      const plain = given.map((one) => one === null || one === undefined ? null
        : ["number", "boolean"].includes(typeof one) ? one : say(text(one)));
      const answer = ask(name, ...plain), error = problem();
      if (error !== null) { throw new Error(error); }
      return answer;
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


def _json(text: str) -> str:
    """A text in JSON."""
    if text.isascii() and text.isprintable() and not {'"', "\\"} & set(text):
        return f'"{text}"'
    units = codecs.utf_16_be_encode(text, "surrogatepass")[0]
    return '"' + "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)) + '"'


def _given(one: object) -> object:
    """What a script gave: a number as JSON has it, and any text as `escape` writes it, whatever is in it."""
    if isinstance(one, float):
        return None if one != one or one in (float("inf"), float("-inf")) else int(one) if one.is_integer() else one
    if not isinstance(one, str) or "%" not in one:
        return one
    units = bytearray()
    at = 0
    while at < len(one):
        wide = one[at + 1 : at + 2] == "u"
        first, last = (at, at) if one[at] != "%" else (at + 2, at + 5) if wide else (at + 1, at + 2)
        units += (ord(one[at]) if first == at else int(one[first : last + 1], 16)).to_bytes(2, "big")
        at = last + 1
    return codecs.utf_16_be_decode(units, "surrogatepass", True)[0]


def main() -> None:
    """Evaluate all that is asked."""
    asked = marshal.load(sys.stdin.buffer)
    sys.path += asked["path"]
    # Not quickjs, its wrapper: that loads much and starts a thread.
    import _quickjs
    from _domain import pac

    give_up(asked["limits"])
    ahead = None if asked["ahead"] is None else timedelta(seconds=asked["ahead"])
    at = None if asked["at"] is None else datetime.fromisoformat(asked["at"])
    known = {name: tuple(addresses) for name, addresses in asked["names"].items()}
    now = "null" if at is None or ahead is None else repr(at.timestamp() * 1000)
    told = f"{{functions: [{', '.join(map(_json, pac.FUNCTIONS))}], now: {now}}}"
    for script, url, name in asked["jobs"]:
        host = pac.PacHost(tuple(asked["addresses"]), known, at, ahead)
        problems: list[str] = []

        def ask(function: str, *given: object, host: pac.PacHost = host, problems: list[str] = problems) -> object:
            try:
                return pac.call(host, function, [_given(one) for one in given])
            except ValueError as error:
                problems.append(str(error))
                return None

        def problem(problems: list[str] = problems) -> str | None:
            return problems.pop() if problems else None

        context = _quickjs.Context()
        context.set_memory_limit(asked["limits"]["memory"])
        context.set_max_stack_size(asked["limits"]["stack"])
        answer: dict[str, str] = {}
        # Their signals end this process, whatever the engine is at: in some loops it does not look at its own limits.
        signal.setitimer(signal.ITIMER_PROF, asked["limits"]["cpu"])
        signal.setitimer(signal.ITIMER_REAL, asked["limits"]["wall"])
        try:
            context.add_callable("__ask", ask)
            context.add_callable("__problem", problem)
            context.eval(
                f"{PRELUDE.strip()}(__ask, __problem, {told}); delete globalThis.__ask; delete globalThis.__problem;"
            )
            context.eval(asked["scripts"][script])
            answer["answer"] = str(_given(context.eval(f"__find({_json(url)}, {_json(name)})")))[:8192]
        except Exception as error:  # whatever the engine makes of a script, also what it does not know how to say
            answer["error"] = _said(error)
        finally:
            for timer in (signal.ITIMER_PROF, signal.ITIMER_REAL):
                signal.setitimer(timer, 0)
        unknown = ", ".join(map(_json, host.unknown[:20]))
        parts = [*(f"{_json(key)}: {_json(text)}" for key, text in answer.items()), f'"unknown": [{unknown}]']
        print("{" + ", ".join(parts) + "}", flush=True)


if __name__ == "__main__":
    time.tzset()
    main()
