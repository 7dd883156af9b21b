#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What administrators wait for: mctop's first frame and its share of a core
# while mail passes, traces in a large history, the first page of a long
# queue, and every command of mcctl that reads only local state.
"""usage: tui.py [--build DIR] [--dir DIR] [--messages N] [--queued N]
              [--seconds N] [--only mctop|trace|queue|local]"""
import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tui"))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
os.environ.setdefault("MCGATE_SRCDIR", os.path.dirname(os.path.dirname(HERE)))
os.environ.setdefault("MCGATE_BUILDDIR", os.getcwd())
from mclab import Sink  # noqa: E402
from ttylab import Tty  # noqa: E402
from benchlab import SRC, Lab, cpu_s, faults, run, verdict  # noqa: E402

ROUNDS = 15
PER_MINUTE = 10000
# Rows that do not read local state alone, or print without end.
NOT_LOCAL = {"doctor", "audit", "console", "reload", "complete", "check"}
NOT_LOCAL_VERBS = {("dest", "test"), ("rbl", "test"), ("test", "addr"),
                   ("test", "message"), ("test", "spf"), ("test", "dkim"),
                   ("test", "dmarc"), ("test", "virus"), ("learn", "export")}
# What stands for the names in a synopsis.
WORDS = {"NAME": "bench.example", "SETTING": "hold_mail", "FILTER": "bayes",
         "RULE": "X_RULE", "USER": "joe@bench.example"}


def took_ms(words, rounds=ROUNDS, lines=None):
    """The median, to the end or to so many lines."""
    times = []
    for _ in range(rounds):
        began = time.monotonic()
        with subprocess.Popen(words, stdout=subprocess.PIPE,
                              stdin=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as p:
            if lines is None:
                p.stdout.read()
            for _ in range(lines or 0):
                p.stdout.readline()
            times.append((time.monotonic() - began) * 1000)
            p.stdout.close()
            if lines is not None:
                p.kill()
    return statistics.median(times)


def bench_trace(args):
    lab = Lab(args, "trace")
    lab.up()
    lab.down()
    lib = lab.dir + "/lib"
    for name in os.listdir(lib):
        if name.startswith("history.db"):
            os.unlink(f"{lib}/{name}")
    began = time.monotonic()
    run(args.build + "/tests/bench/fill_history", lib, str(args.messages))
    print(f"a history of {args.messages} messages, "
          f"{os.path.getsize(lib + '/history.db') >> 20} MB, made in "
          f"{time.monotonic() - began:.0f} s")
    owner = os.stat(lib)
    for name in os.listdir(lib):
        os.chown(f"{lib}/{name}", owner.st_uid, owner.st_gid)
    lab.up()
    n = args.messages // 2
    mcctl = [args.build + "/bin/mcctl", "-c", lab.conf]
    first = json.loads(lab.mcctl("trace", "--json",
                                 f"{n}@c.example").split("\n")[0])
    for what, word, lines in (
            ("a queue id", first["id"], None),
            ("a recipient", f"user{n}@r{n % 3000}.example", None),
            ("a Message-ID", f"<{n}@c.example>", None),
            ("a client", first["client"], None),
            ("a sender of a hundredth of all, first page",
             "news@c0.example", 25),
            ("a word of one subject", f"zebra{n}", None),
            ("words of many subjects, first page", "word0 word1", 25)):
        ms = took_ms(mcctl + ["trace", word], lines=lines)
        verdict(f"trace by {what} below 50 ms", ms < 50, f"{ms:.0f} ms")
    for words in (["history", "--by", "day"], ["stats"],
                  ["stats", "--domain", "c0.example"]):
        ms = took_ms(mcctl + words)
        verdict(f"{' '.join(words)} below 30 ms", ms < 30, f"{ms:.0f} ms")
    lab.down()


def bench_queue(args):
    lab = Lab(args, "queue")
    run(args.build + "/tests/bench/fill_spool", lab.dir + "/spool",
        str(args.queued), "bench.example")
    lab.up()
    while lab.status()["queues"]["outgoing"] < args.queued:
        time.sleep(0.1)
    ms = took_ms([args.build + "/bin/mcctl", "-c", lab.conf, "queue",
                  "list"], lines=10)
    verdict(f"queue list | head, {args.queued} queued, below 100 ms",
            ms < 100, f"{ms:.0f} ms")
    lab.down()


def commands():
    """Family, verb and synopsis of each row of the table."""
    with open(SRC + "/mcctl/commands.def", encoding="utf-8") as f:
        text = f.read()
    for family, verb, rest in re.findall(
            r'COMMAND\("([^"]*)", "([^"]*)",(.*?)\bcmd_', text, re.S):
        synopsis = "".join(re.findall(r'"([^"]*)"', rest)[:1])
        yield family, verb, synopsis, "WRITE" in rest


def local_words():
    """Commands that look and can be run as they stand, or with a name."""
    for family, verb, synopsis, writes in commands():
        if writes or family in NOT_LOCAL or (family, verb) in NOT_LOCAL_VERBS:
            continue
        if family == "test" or verb in ("flush", "import", "take", "retry",
                                        "hold", "unhold", "delete", "view",
                                        "release", "learn", "spam", "ham",
                                        "forget") or family == "backup":
            continue
        need = re.sub(r"\[[^]]*\]", "", synopsis).split("|")[0].split()
        yield [w for w in [family, verb] if w] + [WORDS.get(w, w)
                                                   for w in need]


def bench_local(args):
    """Each looking command beside a running mcd, with little in it; the
    exit code is not looked at: not to find a thing is an answer too."""
    lab = Lab(args, "local")
    lab.up()
    worst = []
    for words in local_words():
        ms = took_ms([args.build + "/bin/mcctl", "-c", lab.conf, *words])
        worst.append((ms, " ".join(words)))
        if ms >= 30:
            verdict(f"{' '.join(words)} below 30 ms", False, f"{ms:.0f} ms")
    ms, words = max(worst)
    verdict(f"{len(worst)} commands on local state below 30 ms", ms < 30,
            f"the slowest is {words}: {ms:.0f} ms; the median "
            f"{statistics.median(m for m, _ in worst):.0f} ms")
    lab.down()


def bench_mctop(args):
    lab = Lab(args, "mctop")
    lab.up(relay=Sink().text)
    words = [args.build + "/bin/mctop", "-c", lab.conf]
    ms = took_ms(words + ["--once"])
    verdict("one frame as text, from start to end, below 50 ms", ms < 50,
            f"{ms:.0f} ms")
    began = time.monotonic()
    tty = Tty(words, cols=120, rows=40)
    tty.shows("incoming")
    ms = (time.monotonic() - began) * 1000
    verdict("first frame on a terminal below 50 ms", ms < 50, f"{ms:.0f} ms")
    with subprocess.Popen(
            [args.build + "/tests/bench/smtp_load", lab.smtp, "2",
             str(args.seconds + 2), "2000", "user@bench.example"],
            stdout=subprocess.PIPE, text=True) as load:
        time.sleep(1)
        before, at = cpu_s(tty.pid), time.monotonic()
        while time.monotonic() - at < args.seconds:
            tty.read(0.2)
        share = (cpu_s(tty.pid) - before) / (time.monotonic() - at) * 100
        passed = float(load.communicate()[0].strip() or 0) * 60
    verdict(f"at least {PER_MINUTE} messages a minute pass meanwhile",
            passed >= PER_MINUTE, f"{passed:.0f}")
    verdict("mctop below 1 % of a core", share < 1, f"{share:.2f} %")
    tty.close()
    lab.down()


BENCHES = {"mctop": bench_mctop, "trace": bench_trace, "queue": bench_queue,
           "local": bench_local}


def main():
    ap = argparse.ArgumentParser(usage=__doc__)
    ap.add_argument("--build",
                    default=os.environ.get("MCGATE_BUILDDIR", "."))
    ap.add_argument("--dir", default=tempfile.gettempdir())
    ap.add_argument("--messages", type=int, default=1000000)
    ap.add_argument("--queued", type=int, default=100000)
    ap.add_argument("--seconds", type=int, default=30)
    ap.add_argument("--only", choices=sorted(BENCHES))
    args = ap.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    args.build = os.path.abspath(args.build)
    args.top = tempfile.mkdtemp(prefix="mcbench.", dir=args.dir)
    try:
        for name, bench in BENCHES.items():
            if args.only in (None, name):
                bench(args)
    finally:
        shutil.rmtree(args.top, ignore_errors=True)
    sys.exit(1 if faults else 0)


main()
