#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What shells offer behind mcctl: words of the rows of its commands, and
# names as they are now. bash, zsh and fish are asked as their users do.
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from ctlhome import CONF, home  # noqa: E402
from mclab import BUILD, claim, same  # noqa: E402
from smtplab import SRC, WAIT_S, run  # noqa: E402

SCRIPTS = f"{SRC}/mcctl/completion"
ID = "06ab3c8def000001"
# The shells call it without -c, as their users do.
os.makedirs(f"{home}/bin")
with open(f"{home}/bin/mcctl", "w", encoding="utf-8") as f:
    f.write(f'#!/bin/sh\nexec "{BUILD}/bin/mcctl" -c "{CONF}" "$@"\n')
os.chmod(f"{home}/bin/mcctl", 0o755)
ENV = {"PATH": f"{home}/bin:{os.environ['PATH']}", "HOME": home,
       "TERM": "dumb", "LC_ALL": "C.UTF-8"}


def mcctl(*words):
    got = subprocess.run([f"{home}/bin/mcctl", *words], check=False,
                         capture_output=True, text=True,
                         stdin=subprocess.DEVNULL)
    claim(got.returncode == 0 and not got.stderr, f"{' '.join(words)}: done",
          got.stdout, got.stderr)
    return got.stdout


def offered(line):
    """What may follow a line that ends in the word that is typed."""
    words = line.split(" ")
    return [w.split("\t")[0] for w in
            mcctl("complete", "--", *words).splitlines()]


def rows():
    mcctl("domain", "add", "one.example", "--dest", "10.0.0.1")
    mcctl("domain", "add", "two.example", "--dest", "10.0.0.1")
    mcctl("relay", "add", "192.0.2.0/24")
    mcctl("rule", "set", "BAYES_99", "1.5", "--domain", "one.example")
    mcctl("rcpt", "add", "joe@one.example")
    mcctl("setting", "set", "hold_mail", "yes", "--user", "jane@two.example")
    for line, want in (
            ("domain s", ["set", "show"]),
            ("domain show ", ["one.example", "two.example"]),
            ("domain show t", ["two.example"]),
            ("domain add ", []),
            ("--json domain show t", ["two.example"]),
            ("setting get hold_mail --domain t", ["two.example"]),
            ("setting get hold_mail --user j", ["jane@two.example",
                                                "joe@one.example"]),
            ("setting get spam_act", ["spam_action"]),
            ("setting set spam_action ", ["tag", "quarantine", "delete"]),
            ("setting set hold_mail y", ["yes"]),
            ("setting set hold_mail yes spam_act", ["spam_action"]),
            ("setting set hold_mail yes spam_action t", ["tag"]),
            ("setting set hold_mail yes spam_action tag hold_m",
             ["hold_mail"]),
            ("action set spa", ["spam"]),
            ("action set spam ta", ["tag"]),
            ("user show ja", ["jane@two.example"]),
            ("user set j@a.example spam_act", ["spam_action"]),
            ("user set j@a.example spam_action q", ["quarantine"]),
            ("filter order ba", ["bayes"]),
            ("filter order gtube ba", ["bayes"]),
            ("filter set bayes dec", ["decisive"]),
            ("filter set bayes decisive h", ["ham"]),
            ("relay delete ", ["192.0.2.0/24"]),
            ("rule reset ", ["BAYES_99"]),
            ("list allow ", ["add", "remove", "show"]),
            ("list allow add x@y.example --a", ["--auth"]),
            ("quarantine list k", ["kind:"]),
            ("quarantine list kind:v", ["kind:virus"]),
            ("quarantine list kind:spam dom", ["domain:"]),
            ("quarantine list domain:o", ["domain:one.example"]),
            ("queue list --ol", ["--older"]),
            ("queue list -o 5m out", ["outgoing"]),
            ("queue retry a", ["all"]),
            ("learn spam x", [":files", ":files", ":files"]),
            ("-c ", [":files"]),
            ("doctor raz", ["razor"]),
            ("trusted add r", ["relay"]),
            ("nosuch ", []), ("domain nosuch ", []), ("nos", [])):
        same(offered(line), want, f"what may follow {line!r}")
    claim({"queue", "domain", "trace"} <= set(offered("")),
          "the families of commands")


def quiet():
    """Nothing is said into a line that somebody types."""
    got = subprocess.run([f"{BUILD}/bin/mcctl", "complete", "-c",
                          f"{home}/none.conf", "--", "domain", "show", ""],
                         check=False, capture_output=True, text=True)
    same([got.returncode, got.stdout, got.stderr], [0, "", ""],
         "without mcd.conf there are no names, and no complaint")
    mcctl("complete")
    mcctl("complete", "--", "x" * 5000)


def queue_ids():
    for state in ("incoming", "filtering", "outgoing", "hold", "quarantine",
                  "corrupt"):
        for i in range(64):
            os.makedirs(f"{home}/spool/{state}/{i:02x}")
    got = subprocess.run([f"{BUILD}/tests/bench/fill_spool",
                          f"{home}/spool", "3", "one.example"],
                         check=False, capture_output=True, text=True)
    claim(got.returncode == 0, "a spool of three messages", got)
    ids = mcctl("queue", "list", "-i").split()
    same(sorted(offered("queue show ")), sorted(ids),
         "ids of the queue while mcd is down")
    same(offered(f"queue delete {ids[0]}"), [ids[0]], "those that fit")
    same(offered("quarantine show "), [], "and of the quarantine alone")


BASH = '''. "$1/mcctl.bash"
COMP_LINE=$2 COMP_POINT=${#2}
compopt() { printf 'opt %s\\n' "$2"; }
_mcctl mcctl
printf '%s\\n' "${COMPREPLY[@]}"
'''


def in_bash(line):
    got = subprocess.run(["bash", "--norc", "-c", BASH, "bash", SCRIPTS,
                          line], check=False, capture_output=True, text=True,
                         env=ENV)
    claim(not got.stderr, f"bash: {line!r}", got.stderr)
    return got.stdout.split("\n")[:-1]


def bash():
    same(in_bash("mcctl domain show t"), ["two.example"], "bash: a name")
    same(in_bash("mcctl quarantine list kind:v"), ["virus"],
         "bash: behind a colon")
    same(in_bash("mcctl quarantine list k"), ["opt nospace", "kind:"],
         "bash: no blank behind a colon")
    same(in_bash("mcctl trace joe@o"), ["@one.example"], "bash: an address")
    claim("opt default" in in_bash("mcctl learn spam /"), "bash: files")
    by_tab(["bash", "--norc", "--noprofile", "-i"],
           f". {SCRIPTS}/mcctl.bash\n")


def zsh():
    os.makedirs(f"{home}/zsh")
    shutil.copy(f"{SCRIPTS}/_mcctl", f"{home}/zsh/_mcctl")
    by_tab(["zsh", "-f", "-i"],
           f"fpath=({home}/zsh $fpath); autoload -U compinit; "
           f"compinit -u -d {home}/zsh/dump\n")


def fish():
    def in_fish(line):
        got = subprocess.run(
            ["fish", "--no-config", "-c", f"source {SCRIPTS}/mcctl.fish; "
             f"complete -C '{line}'"], check=False, capture_output=True,
            text=True, env=ENV)
        claim(not got.stderr, f"fish: {line!r}", got.stderr)
        return [w.split("\t")[0] for w in got.stdout.splitlines()]

    same(in_fish("mcctl domain show t"), ["two.example"], "fish: a name")
    same(sorted(in_fish("mcctl domain s")), ["set", "show"], "fish: verbs")
    same(in_fish("mcctl quarantine list kind:v"), ["kind:virus"],
         "fish: behind a colon")
    same(in_fish("mcctl trace joe@o"), ["joe@one.example"],
         "fish: an address")
    claim(f"{home}/mcd.conf" in in_fish(f"mcctl learn spam {home}/mcd"),
          "fish: files")


def by_tab(shell, setup):
    """Keys typed into a shell on a terminal of its own."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(home)
        os.execvpe(shell[0], shell, {**ENV, "PS1": "> ", "PROMPT": "> "})
    try:
        until(fd, b"> ")
        os.write(fd, setup.encode() + b"echo rea''dy\n")
        until(fd, b"ready\r\n")
        os.write(fd, b"mcctl domain sho\t")
        until(fd, b"domain show ")
        os.write(fd, b"t\t")
        until(fd, b"two.example ")
    finally:
        os.close(fd)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def until(fd, part):
    seen = b""
    deadline = time.monotonic() + WAIT_S
    while part not in seen:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            break
        seen += os.read(fd, 65536)
    claim(part in seen, f"the shell says {part!r}", seen[-400:])
    return seen


run(rows, quiet, queue_ids, bash, zsh, fish)
