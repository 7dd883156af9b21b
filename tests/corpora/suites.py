# SPDX-License-Identifier: GPL-2.0-or-later
#
# For the suites of shared test data, which is named by CORPORA and never
# part of the tree: runs them through the tools that lie beside them, prints
# TAP, and a line of the table that `make check-corpora` ends with.
import os
import re
import subprocess
import sys
import tempfile

BUILD = os.environ.get("MCGATE_BUILDDIR", ".")
CORPORA = os.environ.get("CORPORA", "")
MCCTL = os.path.join(BUILD, "bin/mcctl")
IS_ASAN = os.environ.get("MCGATE_ASAN") == "yes"
FAILURES_SHOWN = 12

count = 0
failed = 0


def claim(good, words, lines=()):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {words}")
    for line in list(lines)[:FAILURES_SHOWN] if not good else ():
        print(f"# {line}")
    sys.stdout.flush()


def skip(words):
    """Where there is no CORPORA; says so and ends."""
    if CORPORA and os.path.isdir(CORPORA):
        return
    print(f"ok 1 - {words} # SKIP CORPORA names no folder\n1..1")
    sys.exit(0)


def finish():
    print(f"1..{count}")
    sys.exit(1 if failed else 0)


def suite(*path):
    return os.path.join(CORPORA, "suites", *path)


def row(name, passed, total):
    print(f"# | {name:<28} {passed:>4} of {total}")


def run_tool(tool, cases, command):
    """One of the shared tools: (passed, total, lines of failures)."""
    env = dict(os.environ, FAKEDNS_SERVFAIL="1")
    got = subprocess.run(
        [sys.executable, os.path.join(CORPORA, "tools", tool), "--port", "0",
         cases, "--", *command],
        check=False, capture_output=True, text=True, env=env)
    lines = got.stdout.splitlines() + got.stderr.splitlines()
    for line in got.stdout.splitlines():
        total = re.match(r"(\d+)/(\d+)", line)
        if total:
            return int(total[1]), int(total[2]), [
                x for x in lines if x.startswith("FAIL")]
    return 0, 0, lines[-FAILURES_SHOWN:]


def check(name, tool, cases, command, at_least=1):
    """All of a suite, of which there have to be that many."""
    passed, total, lines = run_tool(tool, cases, command)
    claim(passed == total and total >= at_least,
          f"{name}: {passed} of {total}", lines)
    row(name, passed, total)


def some_of(cases, step):
    """A file with every step-th case, with full paths, for slow builds."""
    base = os.path.dirname(cases)
    with tempfile.NamedTemporaryFile(
            "w", suffix=".jsonl", delete=False, encoding="utf-8") as out:
        with open(cases, encoding="utf-8") as f:
            for line in list(f)[::step]:
                out.write(re.sub(r'"(file|zone)": "',
                                 lambda m: f"{m[0]}{base}/", line))
    return out.name
