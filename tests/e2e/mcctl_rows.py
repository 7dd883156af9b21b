#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 240
#
# Every row of the table of commands, by what all have in common: words that
# are wrong are told with an exit code of sysexits(3), as JSON where JSON was
# asked for; what looks prints JSON that a parser reads, a value a line.
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import BUILD, SRC, Lab, Sink, accept, claim, room  # noqa: E402
from mclab import text_mail, wait_for  # noqa: E402
from smtplab import run  # noqa: E402

STRING = r'((?:"[^"]*"\s*)+)'
ROW = re.compile(r'COMMAND(?:_NET)?\("([^"]*)",\s*"([^"]*)",\s*' +
                 rf"{STRING},\s*{STRING},\s*(\d+),\s*(\d+),\s*(\w+),")
# Without arguments these do something, wait for somebody, or take long.
ACTS = {"drain", "undrain", "reload", "undo", "console", "doctor",
        "dest flush", "callout flush", "greylist flush"}
SYSEXITS = {0, 64, 65, 66, 67, 68, 69, 70, 71, 73, 74, 75, 76, 77, 78}
OWN_FORM = {"complete", "learn export"}  # for shells, for other Bayes filters

sink = Sink()
lab = Lab(sink.text)
CWD = room()


def rows():
    """(words, least arguments, writes)"""
    with open(f"{SRC}/mcctl/commands.def", encoding="utf-8") as f:
        text = f.read().split("*/", 1)[1]
    found = [(f"{family} {verb}".strip().split(), int(least),
              "WRITE" in need)
             for family, verb, _, _, least, _, need in ROW.findall(text)]
    whole = len(re.findall(r"^COMMAND", text, re.M))
    claim(found and len(found) == whole, "the table is read",
          len(found), whole)
    return found


ROWS = rows()


def mcctl(words):
    return subprocess.run(
        [f"{BUILD}/bin/mcctl", "-c", f"{lab.dir}/etc/mcd.conf", "--json",
         *words], capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, cwd=CWD)


def faults(words, wanted):
    """What is wrong with what a command line gives."""
    got = mcctl(words)
    told = f"mcctl {' '.join(words)}: {got.returncode} {got.stdout[-300:]!r}" \
           f" {got.stderr[-300:]!r}"
    if got.returncode not in wanted:
        return [f"{told}: exit code"]
    try:
        for line in got.stdout.splitlines():
            json.loads(line)
        if got.returncode != 0 and got.stderr:
            error = json.loads(got.stderr.splitlines()[-1])
            if not error["error"] or error["exit"] != got.returncode:
                return [f"{told}: not its exit code"]
    except (ValueError, KeyError, TypeError) as e:
        return [f"{told}: no JSON: {e}"]
    if got.returncode != 0 and not got.stderr and not got.stdout:
        return [f"{told}: nothing is said"]
    return []


def all_are_well(name, asked):
    """asked: (words, exit codes) each."""
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda a: faults(*a), asked))
    wrong = [f for some in found for f in some]
    claim(asked and not wrong, f"{name}: {len(asked)} command lines", *wrong)


def wrong_words():
    all_are_well("an option that is none is 64",
                 [([*words, "--no-such-option"], {64})
                  for words, _, _ in ROWS if words != ["complete"]])
    all_are_well("too few arguments are 64",
                 [(words, {64}) for words, least, _ in ROWS if least > 0])


def unknown_things():
    all_are_well("what is not there is told",
                 [([*words, *[f"none-{i}"] * least], SYSEXITS)
                  for i, (words, least, _) in enumerate(ROWS) if least > 0])


def looking():
    """Those that look, as they stand."""
    return [(words, {0, 69}) for words, least, writes in ROWS
            if least == 0 and not writes and words[0] != "test" and
            " ".join(words) not in ACTS | OWN_FORM]


def looks():
    name = accept(lab, text_mail("to be looked at"))
    claim(wait_for(lambda: lab.rows("trace", name)), "mail is in the history")
    all_are_well("what looks gives JSON", looking())
    lab.down()
    all_are_well("without mcd too, or it says that it is needed", looking())


run(wrong_words, unknown_things, looks)
