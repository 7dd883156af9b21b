#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# The fixed part of the crash matrix, every case that ever was red, and the
# matrix's own tests.
# deadline: 300
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
CRASH = os.path.join(os.path.dirname(HERE), "crash")
BUILD = os.environ.get("MCGATE_BUILDDIR", ".")
number = 0


def tell(is_good, words, lines):
    global number
    number += 1
    if not is_good:
        for line in lines:
            print("# " + line.lstrip("# "))
    print(f"{'ok' if is_good else 'not ok'} {number} - {words}", flush=True)


def play(words, name):
    done = subprocess.run([sys.executable, *words], text=True, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    lines = done.stdout.splitlines()
    for line in lines:
        if line.startswith("#"):
            print(line)
    tell(done.returncode == 0, name, lines[-20:])


play([CRASH + "/selftest", "--build", BUILD], "the matrix sees what it must")
play([CRASH + "/run", "--build", BUILD, "--fixed"], "the fixed part")
print(f"1..{number}")
