#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 900
"""The Bayes filter beside bogofilter on random halves of the shared mail,
where CORPORA names it: area under the ROC curve, and spam missed where no
more than one ham in a thousand is lost. BAYES_HALVES halves, 10 by default."""
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

CORPORA = os.environ.get("CORPORA", "")
MCCTL = os.path.join(os.environ.get("MCGATE_BUILDDIR", "."), "bin/mcctl")
BOGO = shutil.which("bogofilter-sqlite") or shutil.which("bogofilter")
HALVES = int(os.environ.get("BAYES_HALVES", "10"))


def ours(home, train, test):
    for kind in ("spam", "ham"):
        subprocess.run([MCCTL, "learn", kind, "--db", home] +
                       [p for k, p in train if k == kind], check=True,
                       stdout=subprocess.DEVNULL)
    done = subprocess.run([MCCTL, "test", "bayes", "--db", home] +
                          [p for _, p in test], check=True,
                          capture_output=True, text=True)
    return [float(line) for line in done.stdout.split()]


def bogofilter(home, train, test):
    for kind, flag in (("spam", "-s"), ("ham", "-n")):
        names = "\n".join(p for k, p in train if k == kind) + "\n"
        subprocess.run([BOGO, "-C", "-d", home, flag, "-b"], input=names,
                       text=True, check=False, capture_output=True)
    names = "\n".join(p for _, p in test) + "\n"
    done = subprocess.run([BOGO, "-C", "-d", home, "-b", "-T"], input=names,
                          text=True, check=False, capture_output=True)
    score = {line.split()[0]: float(line.split()[-1])
             for line in done.stdout.splitlines()}
    return [score.get(p, 0.5) for _, p in test]


def figures(test, scores):
    """1-ROCA% with ties, and spam% missed at one ham in a thousand."""
    ham = sorted(s for (k, _), s in zip(test, scores) if k == "ham")
    spam = [s for (k, _), s in zip(test, scores) if k == "spam"]
    wins = sum(2 * sum(h < s for h in ham) + sum(h == s for h in ham)
               for s in spam)
    limit = ham[-1 - len(ham) // 1000]
    return (100 * (1 - wins / (2 * len(ham) * len(spam))),
            100 * sum(s <= limit for s in spam) / len(spam))


def half(turn, mail, judge):
    order = mail[:]
    random.Random(turn).shuffle(order)
    middle = len(order) // 2
    home = tempfile.mkdtemp()
    try:
        test = order[middle:]
        return figures(test, judge(home, order[:middle], test))
    finally:
        shutil.rmtree(home)


def main():
    if not CORPORA or not BOGO:
        print("1..0 # SKIP no CORPORA, or no bogofilter")
        return 0
    mail = sorted((os.path.basename(folder), os.path.join(folder, f))
                  for folder, _, files in
                  os.walk(os.path.join(CORPORA, "mail")) for f in files)
    result = {}
    for judge in (ours, bogofilter):
        begin = time.time()
        rows = [half(turn, mail, judge) for turn in range(HALVES)]
        result[judge.__name__] = [statistics.median(r) for r in zip(*rows)]
        print(f"# {judge.__name__}: {time.time() - begin:.1f} s")
    failed = 0
    for i, what in enumerate(("1-ROCA%", "spam missed at ham 0.1%")):
        good = result["ours"][i] < result["bogofilter"][i]
        failed += not good
        print(f"{'ok' if good else 'not ok'} {i + 1} - {what} "
              f"{result['ours'][i]:.4f}, bogofilter's "
              f"{result['bogofilter'][i]:.4f}")
    print("1..2")
    return 1 if failed else 0


sys.exit(main())
