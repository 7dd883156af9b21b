#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tools/lab with the whole default chain: a spamd of its own where one is
# installed, a word where none is, and nothing left running in any case.
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import SRC, Sink, claim, room, wait_for  # noqa: E402
from smtplab import BUILD, run  # noqa: E402
from spamdlab import SPAMD  # noqa: E402

LAB = f"{SRC}/tools/lab"
# The same program where no spamd is to be found.
WITHOUT = (f"import runpy, sys; sys.path.insert(0, '{SRC}/tools'); "
           "import labspamd; labspamd.program = lambda: None; "
           f"sys.argv[0] = '{LAB}'; runpy.run_path('{LAB}')")
sink = Sink()


def up(d, *more, program=(LAB,), path=None):
    env = dict(os.environ, **({"PATH": path} if path else {}))
    return subprocess.run(
        [*program, "up", "--dir", d, "--smtp", "127.0.0.1:0", "--relay-to",
         sink.text, "--domain", "ours.example", "--build", BUILD, *more],
        check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env=env)


def down(d):
    return subprocess.run([LAB, "down", "--dir", d], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)


def of(d):
    """Processes that have the lab's folder in their command line."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read()
        except OSError:
            continue
        if d.encode() in words and int(pid) != os.getpid():
            found.append(words.replace(b"\0", b" ").decode())
    return found


def whole():
    d = f"{room()}/lab"
    # Nobody but its owner may look into it, as below a private folder.
    os.mkdir(d, mode=0o700)
    got = up(d)
    claim(got.returncode == 0, "a lab comes up with a spamd of its own",
          got.stdout)
    with open(f"{d}/smtp", encoding="ascii") as f:
        smtp = f.read().strip()
    subprocess.run([f"{SRC}/tools/send", "--smtp", smtp, "--from",
                    "a@friend.example", "--to", "r@ours.example",
                    "cheap viagra and cialis"], check=True,
                   stdout=subprocess.DEVNULL)
    body = sink.to("r@ours.example")[0]
    claim(b"spamassassin (" in body and b"spamd says" in body,
          "and its mail is judged by that spamd", body)
    got = up(d)
    claim(got.returncode == 1 and "runs in" in got.stdout,
          "a second one in its folder is refused", got.stdout)
    claim(any("spamd" in words for words in of(d)),
          "and does not end the first", of(d))
    got = down(d)
    claim(got.returncode == 0 and not of(d), "down ends both", got.stdout,
          of(d))


def broken():
    top = room()
    d = f"{top}/lab"
    with open(f"{top}/spamd", "w", encoding="ascii") as f:
        f.write("#!/bin/sh\necho no rules here >&2\nexit 1\n")
    os.chmod(f"{top}/spamd", 0o755)
    got = up(d, path=f"{top}:{os.environ['PATH']}")
    last = got.stdout.strip().splitlines()[-1]
    claim(got.returncode == 1 and last.startswith("lab: spamd does not answer")
          and last.endswith(": no rules here"),
          "a spamd that does not start is the last line", got.stdout)
    claim(wait_for(lambda: not of(d)), "and nothing is left running", of(d))


def without():
    d = f"{room()}/lab"
    got = up(d, program=(sys.executable, "-c", WITHOUT))
    claim(got.returncode == 0 and "spamd is not installed" in got.stdout,
          "where no spamd is installed it says so and goes on", got.stdout)
    got = down(d)
    claim(got.returncode == 0 and not of(d), "and ends", got.stdout, of(d))


if not SPAMD:
    print("1..0 # SKIP spamd is not installed")
    sys.exit(0)
run(whole, broken, without)
