#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Domains and users of a CSV file: all of them or none, and every wrong
# line is named.
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from ctlhome import CONF, home, mcctl, settings  # noqa: E402
from mclab import BUILD, claim, same  # noqa: E402
from smtplab import run  # noqa: E402



def load(data, *words):
    if isinstance(data, str):
        data = data.encode()
    with open(f"{home}/in.csv", "wb") as out:
        out.write(data)
    return mcctl("--json", "import", f"{home}/in.csv", *words)


GOOD = '''# a comment, and lines in any order
user,Joe@A.example,threshold=4,spam_action=delete\r
rcpt,"jane@a.example"
domain,A.example,10.0.0.1,"mx.a.example:26,10"

alias,b.example,a.example
user,"""x y""@a.example",hold_mail=yes
'''


def good():
    got = load(GOOD, "--dry-run")
    same([got.returncode, json.loads(got.stdout)["imported"]], [0, False],
         "a dry run")
    same(settings(), [], "changes nothing")
    got = load(GOOD)
    same([got.returncode, json.loads(got.stdout)],
         [0, {"domains": 2, "users": 2, "rcpts": 1, "imported": True}],
         "what was imported")
    same(settings(), [
        ("dest", "a.example 10.0.0.1:25", "0"),
        ("dest", "a.example mx.a.example:26", "10"),
        ("domain", "a.example", ""), ("domain", "b.example", "a.example"),
        ("rcpt", "jane@a.example", ""),
        ("setting", 'user "x y"@a.example hold_mail', "yes"),
        ("setting", "user joe@a.example spam_action", "delete"),
        ("setting", "user joe@a.example threshold", "4.0")],
        "is there as if it had been typed")


def wrong():
    before = settings()
    got = load("domain,c.example,10.0.0.1\n"  # good
               "domain,a.example,10.0.0.1\n"
               "domain,d.example\n"
               "domain,-,10.0.0.1\n"
               "domain,e.example,10.0.0.1:99999\n"
               "alias,f.example,nowhere.example\n"
               "alias,g.example,b.example\n"
               "rcpt,nobody\n"
               "rcpt,x@nowhere.example\n"
               "user,x@a.example\n"
               "user,x@a.example,treshold=3\n"
               "user,x@a.example,threshold=many\n"
               "user,x@a.example,retry_first=3m\n"
               "domian,x.example,10.0.0.1\n"
               "domain,\"x.example\"y,10.0.0.1\n"
               + "domain," + "x" * 9000 + ",10.0.0.1\n")
    said = [json.loads(line)["error"] for line in got.stderr.splitlines()]
    named = sorted(int(re.search(r"in\.csv:(\d+):", s).group(1))
                   for s in said[:-1])
    same(named, list(range(2, 17)), "every wrong line is named, once")
    claim(got.returncode == 65 and "15 lines are wrong" in said[-1],
          "and how many they are", got.returncode, said[-1])
    for part in ("is there already", "is not a domain name",
                 "expected HOST:PORT",
                 "did you mean threshold?",
                 "no value per user", "did you mean domain?",
                 "too long"):
        claim(any(part in s for s in said), f"one says {part!r}", said)
    same(settings(), before, "nothing is changed, not the good line either")
    got = load(b"domain,c\0.example,x\n\xff\xfe,\n")
    claim(got.returncode == 65, "bytes that are no text", got)
    same(settings(), before, "change nothing")
    same(json.loads(load("").stdout)["domains"], 0, "an empty file")


subprocess.run([f"{BUILD}/bin/mcctl", "-c", CONF, "setting", "unset",
                "retry_first"], check=True, stdout=subprocess.DEVNULL)
run(good, wrong)
