#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The console on a real terminal before a running gateway: pages at each
# size, and every kind of page by its keys.
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from ttylab import Tty  # noqa: E402
from mclab import BUILD, SRC, Lab, claim, same  # noqa: E402
from smtplab import run  # noqa: E402

MCCTL = f"{BUILD}/bin/mcctl"
SCREENS = f"{SRC}/tests/tui/screens"
lab = Lab("127.0.0.1:9", domains=("more.example",))
CONF = f"{lab.dir}/etc/mcd.conf"


def mcctl(*words):
    return subprocess.run([MCCTL, "-c", CONF, *words], check=False,
                          capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


def console(**how):
    return Tty([MCCTL, "-c", CONF], **how)


def outline(text):
    """What differs from run to run is taken out."""
    text = re.sub(r"running for \w+ *", "running for #  ", text)
    text = re.sub(r"\d\d:\d\d:\d\d|\d\d-\d\d \d\d:\d\d", "##:##:##", text)
    # What settings.def says of a setting changes with it.
    text = re.sub(r"(?m)^(\w+ .* (?:default|global)) .*", r"\1 help", text)
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n")


def is_saved(t, name, has):
    """MCGATE_SAVE_SCREENS=yes writes them anew."""
    path = f"{SCREENS}/{name}.txt"
    if os.environ.get("MCGATE_SAVE_SCREENS"):
        t.shows(has)
        time.sleep(2)
        t.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(outline(t.screen.text()) + "\n")
    with open(path, encoding="utf-8") as f:
        want = outline(f.read())
    got = t.shows(lambda text: outline(text) == want)
    claim(got, f"{name}: the screen is as saved",
          *[f"{'!' if a != b else ' '} {a}" for a, b in zip(
              outline(t.screen.text()).split("\n"),
              want.split("\n") + [""] * 99)])


def test_screens():
    for cols, rows, utf8 in ((80, 24, True), (80, 24, False),
                             (120, 40, True), (40, 12, True),
                             (40, 12, False)):
        name = f"console-{cols}x{rows}-{'utf8' if utf8 else 'ascii'}"
        t = console(cols=cols, rows=rows, utf8=utf8)
        is_saved(t, f"{name}-home", "Quarantine")
        t.type("/", "threshold", "down", "enter")
        is_saved(t, f"{name}-settings", "spam_action")
        t.type("enter")
        is_saved(t, f"{name}-form", "$ mcctl setting set threshold")
        claim(utf8 or t.screen.text().isascii(),
              f"{name}: no more than ASCII is there")
        same(t.screen.unknown, [], f"{name}: only sequences of the terminal")
        t.type("esc", "Q")
        same(t.ends(), 0, f"{name}: Q leaves")
        claim(t.is_sane(), f"{name}: the terminal is as it was",
              t.screen.modes, t.local_modes())


def test_setting():
    t = console()
    t.shows("Quarantine")
    t.type("/", "threshold", "down", "enter")
    t.shows("out_threshold")
    t.type("enter")
    claim(t.shows("0.0 to 1000.0"), "a form says what a setting takes",
          t.screen.text())
    t.type("\x15", "abc")
    claim(t.shows("is not a number"), "and what is wrong", t.screen.text())
    t.type("\x15", "6.5")
    claim(t.shows("5.0 \u2192 6.5"), "and what would change",
          t.screen.text())
    claim(t.shows("$ mcctl setting set threshold 6.5"), "by which command")
    t.type("enter")
    claim(t.shows("Done: mcctl setting set threshold 6.5"), "it is done",
          t.screen.text())
    claim(" 6.5" in mcctl("setting", "get", "threshold").stdout,
          "by the command")
    t.type("d")
    claim(t.shows("Do it?"), "what takes away asks first", t.screen.text())
    t.type("y")
    claim(t.shows("Done: mcctl setting unset threshold"), "and is done",
          t.screen.text())
    t.type("Q")
    same(t.ends(), 0, "Q leaves")


def test_two():
    """The second of two who change one thing is told."""
    t = console()
    t.shows("Quarantine")
    t.type("/", "subject_tag", "enter")
    t.shows("warn_tag")
    t.type("enter")
    t.shows("$ mcctl setting set subject_tag")
    same(mcctl("setting", "set", "subject_tag", "{Theirs}").returncode, 0,
         "somebody else sets it")
    t.type("\x15", "{Ours}", "enter")
    claim(t.shows("Somebody else was there first"), "the second is told",
          t.screen.text())
    claim(t.shows("{Theirs}"), "what it has become", t.screen.text())
    t.type("n")
    claim(t.shows("Nothing was done"), "no: nothing is done")
    claim("{Theirs}" in mcctl("setting", "get", "subject_tag").stdout,
          "and theirs stays")
    claim(t.shows("{Theirs}"), "and is shown", t.screen.text())
    t.type("Q")
    t.ends()


def test_undo():
    """The last change is at hand in the list of changes."""
    mcctl("setting", "set", "warn_tag", "{Undone}")
    t = console()
    t.shows("Quarantine")
    t.type("/", "who changed what", "enter")
    claim(t.shows("{Undone}"), "a change is listed", t.screen.text())
    t.type("u")
    claim(t.shows("$ mcctl undo") and t.shows("Do it?"),
          "to take it back asks first", t.screen.text())
    t.type("y")
    claim(t.shows("Done: mcctl undo"), "and is done", t.screen.text())
    claim("{Undone}" not in mcctl("setting", "get", "warn_tag").stdout,
          "the value is that of before")
    t.type("Q")
    t.ends()


def test_domains():
    t = console()
    t.shows("Quarantine")
    t.type("/", "Domains", "enter")
    claim(t.shows("more.example"), "domains are listed")
    t.type("a")
    claim(t.shows("destinations"), "a form is made of the action",
          t.screen.text())
    t.type("third.example", "down", "127.0.0.1:2525 127.0.0.2:2525,10",
           "enter")
    claim(t.shows("Done: mcctl domain add third.example"), "it is added",
          t.screen.text())
    claim(t.shows("127.0.0.2:2525,10"), "and listed", t.screen.text())
    t.type("/", "third.ex", "enter", "d")
    claim(t.shows("Do it?"), "a deletion asks")
    t.type("y")
    claim(t.shows("Done: mcctl domain delete third.example"),
          "and is done", t.screen.text())
    t.type(":", "domain delete more.example", "enter")
    claim(t.shows("Do it?"), "one that is typed asks too", t.screen.text())
    t.type("n")
    claim(t.shows("Nothing was done"), "n leaves it", t.screen.text())
    claim("more.example" in mcctl("domain", "list").stdout,
          "and it is there")
    t.type(":", "domain list", "enter")
    claim(t.shows(lambda text: "R Again" in text and "more.ex" in text),
          "what only looks is done at once", t.screen.text())
    t.type("Q")
    t.ends()


if __name__ == "__main__":
    run(test_screens, test_setting, test_two, test_undo, test_domains)
