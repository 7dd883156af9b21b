# SPDX-License-Identifier: GPL-2.0-or-later
#
# Mutants: mcd without one of its syncs or ordering steps.  Each is built
# in a copy of source and build tree, and a case of its must go red that is
# not red with the tree as it is.
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import time

from gateway import make_model, work_folder

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.dirname(os.path.dirname(HERE))
SOURCES = ["mcd", "lib", "mcctl", "man", "etc", "tests/crash"]
MUTANT_SECONDS = 300
RANGE = re.compile(r"(?<=[:+a-z])(\d+)-(\d+)(?=[.:+]|$)")


class Row:
    """name:, file:, cases:, then lines of the old text behind "-" and of
    the new behind "+"; covered: says why nothing can go red."""

    def __init__(self, name):
        self.name, self.file, self.cases = name, "", []
        self.covered = ""
        self.hunks = []  # (old, new)

    def add(self, is_new, line):
        if not self.hunks or not is_new and self.hunks[-1][1]:
            self.hunks.append(["", ""])
        self.hunks[-1][is_new] += line


def read_table(path):
    rows = []
    with open(path, encoding="utf-8") as f:
        for line in f:
            line = line.rstrip("\n")
            word, _, rest = line.partition(" ")
            if word == "mutant:":
                rows.append(Row(rest))
            elif word == "file:":
                rows[-1].file = rest
            elif word == "cases:":
                for c in rest.split():
                    rows[-1].cases += spread(c)
            elif word == "covered:":
                rows[-1].covered += rest
            elif line[:1] == "-":
                rows[-1].add(False, line[1:] + "\n")
            elif line[:1] == "+":
                rows[-1].add(True, line[1:] + "\n")
            elif line and not line.startswith("#"):
                raise ValueError(f"{path}: what is \"{line}\"?")
    return rows


def spread(case):
    """a:one:queue:1-3.fsync:kill and b:...:cut1-3 stand for three."""
    m = RANGE.search(case)
    if not m:
        return [case]
    return [c for n in range(int(m[1]), int(m[2]) + 1)
            for c in spread(f"{case[:m.start()]}{n}{case[m.end():]}")]


class Copy:
    """A source tree and a build tree with the same file times, so that
    only what a mutant changes is built."""

    def __init__(self, build):
        self.top = work_folder("mcmutant.")
        self.src, self.build = self.top + "/src", self.top + "/build"
        self.model = None  # settings of its labs
        with open(build + "/Makefile", encoding="utf-8") as f:
            old = re.search(r"^srcdir = (.*)$", f.read(), re.M)[1]
        if os.path.realpath(os.path.join(build, old)) != SRC:
            raise SystemExit(f"{build} was configured for {old}, and the "
                             f"mutants are of {SRC}")
        os.mkdir(self.src)
        for name in os.listdir(SRC):
            if os.path.isfile(f"{SRC}/{name}"):
                shutil.copy2(f"{SRC}/{name}", self.src)
        for d in SOURCES:
            if os.path.isdir(f"{SRC}/{d}"):
                shutil.copytree(f"{SRC}/{d}", f"{self.src}/{d}")
        shutil.copytree(build, self.build, symlinks=True)
        # ccache may have made paths relative
        self.forward(old, os.path.relpath(SRC, os.path.realpath(build)))

    def forward(self, old, relative):
        """The build tree names the source tree of the copy."""
        for path in [self.build + "/Makefile",
                     self.build + "/config.status"] + glob.glob(
                         self.build + "/**/*.d", recursive=True):
            if not os.path.isfile(path):
                continue
            st = os.stat(path)
            with open(path, encoding="utf-8") as f:
                text = f.read()
            with open(path, "w", encoding="utf-8") as f:
                text = text.replace(f"srcdir = {old}\n",
                                    f"srcdir = {self.src}\n")
                for name in (old, relative):
                    text = text.replace(name + "/", self.src + "/")
                f.write(text)
            os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))

    def make(self):
        done = subprocess.run(
            ["make", "-j2", "sbin/mcd", "tests/crash/shim.so",
             "tests/crash/shim_make", "tests/crash/eye"], cwd=self.build,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False)
        if done.returncode != 0:
            return (done.stdout + done.stderr)[-1500:]
        return None

    def apply(self, row):
        """Returns what is wrong with the row, or None."""
        path = f"{self.src}/{row.file}"
        with open(path, encoding="utf-8") as f:
            text = f.read()
        self.undo = (path, text)
        for old, new in row.hunks:
            if not old or text.count(old) != 1:
                return (f"its text is {text.count(old)} times in "
                        f"{row.file}: the table is out of date")
            text = text.replace(old, new)
        if not row.hunks or not row.cases:
            return "it has no text or no cases"
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return None

    def restore(self):
        path, text = self.undo
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def close(self):
        shutil.rmtree(self.top, ignore_errors=True)


def new_run(copy, build, cases, args, run_class, seconds):
    return run_class(argparse.Namespace(
        build=build, seconds=seconds, keep=False, jobs=args.jobs,
        case=cases, first_red=True, model=copy.model))


def play_cases(copy, cases, args, run_class, seconds):
    """(the run, its totals)"""
    run = new_run(copy, copy.build, cases, args, run_class, seconds)
    try:
        run.go()
    finally:
        total = [sum(n[i] for n in run.done.values()) for i in range(4)]
        run.close()
    return run, total


class Plain:
    """The tree as it is: a red case says nothing of a mutant when it is red
    without it."""

    def __init__(self, copy, args, run_class):
        self.run = new_run(copy, args.build, [], args, run_class, 1 << 30)

    def wrong(self, case):
        """What is wrong with it, or None."""
        self.run.red.clear()
        self.run.is_over = False
        self.run.run_case(case)
        return self.run.red[0][1] if self.run.red else None

    def close(self):
        self.run.close()


def play(copy, plain, row, args, run_class):
    """(outcome, detail) of one mutant."""
    wrong = copy.apply(row) or copy.make()
    if wrong:
        return "ERROR", wrong
    run, total = play_cases(copy, row.cases, args, run_class, MUTANT_SECONDS)
    if run.broken:
        case, why = run.broken[0]
        return "ERROR", f"{case}: {why.splitlines()[-1][:150]}"
    if run.red:
        case, why = run.red[0]
        wrong = plain.wrong(case)
        if wrong:
            return "ERROR", (f"{case} is red without it: "
                             f"{wrong.splitlines()[-1][:150]}")
        return "red", f"{case}: {why.splitlines()[-1][:150]}"
    if total[1] < total[0]:
        return "ERROR", (f"only {total[1]} of {total[0]} cases were run in "
                         f"{MUTANT_SECONDS} s")
    return "survives", (f"{total[1]} of {total[0]} cases run, "
                        f"{total[3]} not reached")


def run(args, run_class):
    wanted = args.only.split("|")
    rows = [r for r in read_table(HERE + "/mutants")
            if any(w in r.name for w in wanted)]
    lines, bad = [], 0
    started = time.monotonic()
    copy = Copy(args.build)
    plain = None
    try:
        make_model(args.build, copy.top + "/model", "127.0.0.1:9")
        copy.model = copy.top + "/model"
        plain = Plain(copy, args, run_class)
        for row in rows:
            at = time.monotonic()
            outcome, detail = play(copy, plain, row, args, run_class)
            copy.restore()
            good = outcome == ("survives" if row.covered else "red")
            bad += not good
            verdict = "covered" if row.covered and good else outcome
            line = (f"# {'' if good else '! '}{verdict:9}"
                    f"{time.monotonic() - at:5.0f} s  {row.name}\n"
                    f"#     {row.covered or detail}")
            lines.append(line)
            print(line, flush=True)
    finally:
        if plain:
            plain.close()
        copy.close()
    covered = sum(1 for r in rows if r.covered)
    print(f"# {len(rows)} mutants, {covered} covered by another step, "
          f"{bad} not as they should be, in "
          f"{time.monotonic() - started:.0f} s")
    print(f"{'not ok' if bad or not rows else 'ok'} 1 - mutants\n1..1")
    sys.stdout.flush()
    return not bad and bool(rows)
