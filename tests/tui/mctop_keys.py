#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# mctop on a real terminal before a running gateway: screens at each size,
# every key, resizing, stopping, and however it ends a sane terminal.
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from ttylab import (GARBAGE, Tty, dies_sanely, lives_through_sizes,  # noqa
                    outline)
from mclab import (BUILD, SRC, Lab, Sink, accept, claim, same, send,  # noqa
                   text_mail, wait_for)
from smtplab import run  # noqa: E402

MCTOP = f"{BUILD}/bin/mctop"
SCREENS = f"{SRC}/tests/tui/screens"
WORDS = ("incoming", "filtering", "outgoing")
sink = Sink()
lab = Lab(sink.text)
CONF = f"{lab.dir}/etc/mcd.conf"


def top(*words, **how):
    return Tty([MCTOP, "-c", CONF, *words], **how)


def mail():
    for i in range(3):
        accept(lab, text_mail(f"number {i}"))
    claim(not send(lab, text_mail("no"),
                   rcpts=("r@foreign.example",)).startswith("250"),
          "one is refused")
    same(sink.got(3), 3, "mail arrives")


def is_settled(text):
    """Two samples were taken, and all that there was is delivered."""
    return "nothing waits" in text and re.search(r"[\d.]+%\]", text)


def test_screens():
    """Saved outlines; MCGATE_SAVE_SCREENS=yes writes them anew."""
    for cols, rows, utf8 in ((80, 24, True), (80, 24, False),
                             (120, 40, True), (40, 12, True),
                             (40, 12, False), (200, 60, True)):
        name = f"mctop-{cols}x{rows}-{'utf8' if utf8 else 'ascii'}"
        t = top("-p", "mail", cols=cols, rows=rows, utf8=utf8)
        text = t.shows(is_settled) or t.screen.text()
        if rows == 60:  # what is below has rows in an order of the moment
            text = "\n".join(text.split("\n")[:18])
        path = f"{SCREENS}/{name}.txt"
        if os.environ.get("MCGATE_SAVE_SCREENS"):
            with open(path, "w", encoding="utf-8") as f:
                f.write(outline(text) + "\n")
        with open(path, encoding="utf-8") as f:
            want = f.read().rstrip("\n")
        got = outline(text).rstrip("\n")
        claim(got == want, f"{name}: the screen is as saved",
              *[f"{'!' if a != b else ' '} {a}" for a, b in zip(
                  got.split("\n"), want.split("\n") + [""] * 99)])
        for word in WORDS:
            claim(re.search(rf"{word} +[\d,]+", text),
                  f"{name}: {word} and its count", text)
        claim(utf8 or text.isascii(), f"{name}: no more than ASCII is there")
        claim(max(map(len, text.split("\n"))) <= cols,
              f"{name}: nothing reaches over the edge")
        same(t.screen.unknown, [], f"{name}: only sequences of the terminal")
        t.type("q")
        same(t.ends(), 0, f"{name}: q leaves")
        claim(t.is_sane(), f"{name}: the terminal is as it was",
              t.screen.modes, t.local_modes())


def test_keys():
    t = top()
    claim(t.shows("process "), "processes come first")
    for number, head in ((3, "check "), (4, "left out"), (5, "next hop"),
                         (6, "queued"), (7, "message"), (8, "what"),
                         (9, "1/s"), (1, "restarts")):
        t.type(str(number))
        claim(t.shows(head), f"{number} goes to its panel", t.screen.text())
    t.type("tab")
    claim(t.shows("minute"), "Tab goes to the next")
    t.type("backtab")
    claim(t.shows("restarts"), "Shift-Tab goes back")
    t.type("?")
    claim(t.shows(lambda s: "all keys and panels" in s and "Ctrl-L" in s
                  and "Shift-Tab" in s), "? lists the keys", t.screen.text())
    t.type("esc")
    claim(t.shows("restarts"), "Esc ends the help")
    t.type("/", "incom")
    claim(t.shows("Filter: incom"), "/ asks for a text")
    claim(t.shows(lambda s: "control " not in s and "incoming  " in s),
          "the filter leaves only rows with it", t.screen.text())
    t.type("enter")
    claim(t.shows("filter: incom"), "the filter is said", t.screen.text())
    t.type("esc")
    claim(t.shows("control "), "Esc ends it")
    t.type("z")
    claim(t.shows(lambda s: "Queues" not in s), "z: the panel alone")
    t.type("z")
    claim(t.shows("Queues"), "and back")
    t.type(" ")
    claim(t.shows("PAUSED"), "Space stands still")
    t.type(" ", "-")
    claim(t.shows("every 2s"), "- doubles the time", t.screen.text())
    t.type("+", "+")
    claim(t.shows("every 0.5s"), "+ halves it", t.screen.text())
    t.type("s", "s", "s", "r", "s", "j", "k", "G", "g", "T", "T", "T",
           "\x0c", "pgdn", "pgup", "home", "end", "up", "down", "left",
           "right")
    claim(t.shows("Queues"), "and all the others do no harm")
    t.type("f10")
    same(t.ends(), 0, "F10 leaves")


def test_hostile():
    t = top()
    t.shows("process ")
    t.type(*GARBAGE)
    t.type("3")
    claim(t.shows("check "), "a paste and garbage are no keys",
          t.screen.text())
    t.type("/", b"\x1b[200~zzz\x1b[2J\x1b[201~")
    claim(t.shows("Filter: zzz"), "a paste is text where text is typed",
          t.screen.text())
    t.type("esc")
    lives_through_sizes(t, "tab")
    claim(t.shows("Queues"), "and it is whole again", t.screen.text())
    t.resize(30, 8)
    claim(t.shows("outgoing"), "too small: the queues are said all the same",
          t.screen.text())
    t.type("q")
    same(t.ends(), 0, "q leaves")


def test_stop():
    # By a shell, whose job it is: nobody's job cannot be stopped.
    t = Tty(["sh", "-c", f"set -m; {MCTOP} -c {CONF}; echo st''opped; "
             "read x; fg >/dev/null; echo en''ded"])
    claim(t.shows("process "), "it runs in a shell", t.screen.text())
    t.type(b"\x1a")
    claim(t.shows("stopped"), "Ctrl-Z stops it", t.screen.text())
    claim(t.is_sane(), "and leaves the terminal sane", t.screen.modes,
          t.local_modes())
    t.type("\n")
    claim(t.shows(lambda s: "Queues" in s and 1049 in t.screen.modes),
          "fg draws it again", t.screen.text())
    t.type("q")
    claim(t.shows("ended") and t.is_sane(), "and q leaves")
    t.close()
    t = top()
    t.shows("process ")
    t.signal(signal.SIGSTOP)
    claim(wait_for(t.is_stopped), "SIGSTOP stops it")
    t.signal(signal.SIGCONT)
    t.type("3")
    claim(t.shows("check "), "and it goes on")
    t.type(b"\x03")
    same(t.ends(), 0, "Ctrl-C leaves")
    claim(t.is_sane(), "with a sane terminal")


def test_killed():
    dies_sanely(top, "process ")


def test_terminals():
    t = top(env={"TERM": "no-such-terminal"})
    same(t.ends(), 69, "an unknown TERM is refused")
    claim("no-such-terminal" in t.screen.text() and "--once" in
          t.screen.text(), "by name, with what to do", t.screen.text())
    t = top(env={"TERM": "dumb"})
    same(t.ends(), 69, "and one that cannot move its cursor")
    for term in ("vt100", "linux", "screen"):
        t = top(env={"TERM": term})
        claim(wait_for(lambda: t.read() and b"filtering" in t.raw),
              f"TERM={term} shows it")
        t.type("q")
        same(t.ends(), 0, f"TERM={term}: q leaves")
    t = top(env={"NO_COLOR": "1"})
    t.shows("process ")
    claim(not re.search(rb"\x1b\[[0-9;]*(?:[34][0-7]|[34]8;5[0-9;]*)m", t.raw),
          "NO_COLOR: no colours")
    t = top()
    t.shows("process ")
    claim(re.search(rb"\x1b\[[0-9;]*[34]8;5;\d", t.raw), "else 256 of them")


def once(*words, env=None):
    return subprocess.run(
        [MCTOP, "-c", CONF, *words], check=False, capture_output=True,
        text=True, stdin=subprocess.DEVNULL,
        env=dict(os.environ, LC_ALL="C.UTF-8", **(env or {})))


def test_down():
    t = top(rows=30)
    t.shows("process ")
    got = once("--once")
    same(got.returncode, 0, "--once: mcd runs")
    claim(all(w in got.stdout for w in WORDS) and "\x1b" not in got.stdout,
          "a frame without escape sequences", got.stdout)
    lab.down()
    text = t.shows(re.compile(r"mcd is DOWN since .*\d\d:\d\d:\d\d"))
    claim(text, "a stop is said, and since when", t.screen.text())
    claim(text and "as last seen" in text, "and of when the figures are")
    got = once("--once")
    same(got.returncode, 69, "--once: mcd does not run")
    claim("mcd is DOWN since" in got.stdout, "and says so", got.stdout)
    lab.up()
    claim(t.shows("running for"), "a new mcd is taken up",
          t.screen.text())
    t.type("q")
    t.ends()


if __name__ == "__main__":
    run(mail, test_screens, test_keys, test_hostile, test_stop, test_killed,
        test_terminals, test_down)
