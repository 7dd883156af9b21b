#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The console where things go wrong: pastes and garbage, windows of any size,
# signals, terminals that are not known, and no mcd.
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from ttylab import (GARBAGE, Tty, dies_sanely, lives_through_sizes)  # noqa
from mclab import BUILD, Lab, claim, same  # noqa: E402
from smtplab import run  # noqa: E402

MCCTL = f"{BUILD}/bin/mcctl"
lab = Lab("127.0.0.1:9")
CONF = f"{lab.dir}/etc/mcd.conf"


def console(**how):
    return Tty([MCCTL, "-c", CONF], **how)


def log():
    return subprocess.run([MCCTL, "-c", CONF, "--json", "log"], check=True,
                          capture_output=True, text=True).stdout


def test_garbage():
    before = log()
    t = console()
    t.shows("Quarantine")
    t.type(*GARBAGE)
    t.type("/", b"\x1b[200~zzz\x1b[2J\x1b[201~")
    claim(t.shows("zzz"), "a paste is text where text is typed",
          t.screen.text())
    t.type("esc", "esc")
    lives_through_sizes(t, "tab")
    claim(t.shows("$ mcctl"), "and it is whole again", t.screen.text())
    t.type("esc", "esc", "Q")  # where a question is open, Q is text
    same(t.ends(), 0, "Q leaves")
    claim(t.is_sane(), "with a sane terminal")
    same(log(), before, "nothing was changed by it")


def test_ahead():
    t = console()
    t.shows("Quarantine")
    control = lab.pid("control")
    os.kill(control, signal.SIGSTOP)
    t.type("/", "queue", "enter")
    claim(t.shows("Esc stops it"), "a command that waits says so",
          t.screen.text())
    t.type("/", b"\x1b[200~zzz\x1b[201~")
    os.kill(control, signal.SIGCONT)
    claim(t.shows("zzz"), "a paste meanwhile is text of what comes then",
          t.screen.text())
    t.type("esc", "esc", "Q")
    same(t.ends(), 0, "Q leaves")


def test_killed():
    dies_sanely(console, "Quarantine")


def test_terminals():
    t = console(env={"TERM": "no-such-terminal"})
    same(t.ends(), 69, "an unknown TERM is refused")
    claim("no-such-terminal" in t.screen.text(), "by name", t.screen.text())
    t = console(env={"NO_COLOR": "1"})
    t.shows("Quarantine")
    claim(not re.search(rb"\x1b\[[0-9;]*(?:[34][0-7]|[34]8;5[0-9;]*)m", t.raw),
          "NO_COLOR: no colours")
    t.type("Q")
    t.ends()


def test_down():
    t = console()
    t.shows("running for")
    lab.down()
    claim(t.shows(re.compile(r"DOWN since")), "a stop is said",
          t.screen.text())
    t.type("/", "threshold", "down", "enter")
    claim(t.shows("spam_action"), "settings are there without mcd",
          t.screen.text())
    t.type("Q")
    same(t.ends(), 0, "Q leaves")


run(test_garbage, test_ahead, test_killed, test_terminals, test_down)
