#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 600
#
# Signed mail and what became of it, and old signatures that must do no
# harm.
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from suites import (IS_ASAN, MCCTL, check, claim, finish, row, skip,  # noqa
                    some_of, suite)

WORDS = {"none", "pass", "fail", "policy", "neutral", "temperror",
         "permerror"}
COMMAND = [MCCTL, "test", "dkim", "{file}", "--resolver", "127.0.0.1@{port}"]


def old_drafts():
    """Any verdict, in time, and no crash; nobody answers for their keys."""
    folder = suite("dkim", "maildkim")
    good, bad = 0, []
    names = sorted(os.listdir(folder))
    for name in names:
        try:
            got = subprocess.run(
                [MCCTL, "test", "dkim", os.path.join(folder, name),
                 "--resolver", "127.0.0.1@9"], check=False, timeout=60,
                capture_output=True, text=True)
        except subprocess.TimeoutExpired:
            bad.append(f"{name}: no end")
            continue
        if got.returncode == 0 and got.stdout.split()[:1] and \
                got.stdout.split()[0] in WORDS:
            good += 1
        else:
            bad.append(f"{name}: {got.returncode} {got.stdout}{got.stderr}")
    claim(names and not bad, "dkim old drafts: a verdict each", bad)
    row("dkim old drafts, no crash", good, len(names))


skip("DKIM suites")
cases = suite("dkim", "generated_shared", "cases.jsonl")
if IS_ASAN:
    cases = some_of(cases, 3)
check("dkim generated", "run_cases.py", cases, COMMAND)
old_drafts()
finish()
