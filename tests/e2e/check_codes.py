#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Every reply of every check, by name: a row of checks.def whose code nobody
# has asked for here, or in the script that is named, is a failure.
# deadline: 180
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from dnslab import FAIL, SILENT, Dns, reverse
from mclab import SRC, Lab, claim, same, wait_for
from smtplab import Client, Hop, run

NAMELESS = "127.0.0.4"
# Rows with a script of their own, which has their codes and texts.
ELSEWHERE = {"dnsbl": "check_dnsbl.py"}
# Each domain has one check on.
DOMAINS = {
    "list.example": "rcpt_check=list",
    "callout.example": "rcpt_check=callout",
    "later.example": "rcpt_check=callout",
    "early.example": "early_talker_refuse=yes",
    "own.example": "own_sender_refuse=yes",
    "helo-own.example": "helo_own_refuse=yes",
    "helo.example": "helo_check=fqdn",
    "rdns.example": "rdns_check=ptr",
    "spf.example": "spf_refuse=yes",
    "grey.example": "greylist=yes",
}


def answer(hop, verb, line, session):
    del hop, session
    if verb == "RCPT" and "@callout.example" in line:
        return "550 5.1.1 nobody here"
    if verb == "RCPT" and "@later.example" in line:
        return "450 4.2.0 not now"
    return None


hop = Hop(answer)
dns = Dns({"client.example": {"A": "192.0.2.1"},
           "spf-no.example": {"A": "192.0.2.1", "TXT": "v=spf1 -all"},
           "null.example": {"MX": "0 ."}, "fails.example": FAIL,
           reverse("192.0.2.99"): SILENT})
lab = Lab(hop.text, domains=list(DOMAINS),
          sets={"smtp_greet_wait": "100ms", "client_name_time": "500ms",
                "smtp_pipelining_strict": "no"},
          domain_sets=[f"{d}:{s}" for d, s in DOMAINS.items()] +
          ["later.example:rcpt_unreachable=later"],
          resolver=dns.text, smtp_with='xclient_from = [ "127.0.0.1" ];')
asked = set()  # (check, code, enhanced)


def say(rcpt, sender="a@client.example", helo="client.example", source=None,
        is_early=False, rcpts=1, xclient=None):
    """The reply to the last RCPT, or whatever ended the session before."""
    c = Client(lab, source)
    if is_early:
        c.send(f"EHLO {helo}\r\n")
    got = c.reply()
    if got.startswith("220"):
        if not is_early:
            c.send(f"EHLO {helo}\r\n")
        c.reply()
        if xclient:
            c.say(f"XCLIENT ADDR={xclient}")
            c.say(f"EHLO {helo}")
        c.say(f"MAIL FROM:<{sender}>")
        for i in range(rcpts):
            got = c.say(f"RCPT TO:<{rcpt.replace('%', str(i))}>")
    c.close()
    return got


def expect(check, want, words, *args, **how):
    """Waits until it is so, as knobs take a moment."""
    claim(wait_for(lambda: say(*args, **how).startswith(want + " "), 15),
          f"{check}: {words}: {want}", say(*args, **how))
    claim(lab.logs(rf"- refuse check={check} .*code={want[:3]}"),
          "and the log names the check")
    asked.add((check, *want.split()))


def each():
    for check, want, words, args, how in (
            ("relaying", "550 5.7.1", "a domain of others",
             ["r@else.example"], {}),
            ("recipient", "550 5.1.1", "not in the local list",
             ["r@list.example"], {}),
            ("early_talker", "554 5.7.1", "before the greeting",
             ["r@early.example"], {"is_early": True}),
            ("own_sender", "550 5.7.1", "a sender of ours from outside",
             ["r@own.example"], {"sender": "me@own.example"}),
            ("helo_own", "550 5.7.1", "our own name in HELO",
             ["r@helo-own.example"],
             {"helo": "lab.example", "xclient": "192.0.2.50"}),
            ("helo", "550 5.7.1", "a HELO without a domain",
             ["r@helo.example"], {"helo": "localhost"}),
            ("rdns", "550 5.7.25", "a client without a name",
             ["r@rdns.example"], {"source": NAMELESS}),
            ("sender_domain", "550 5.1.8", "a sender's domain that is none",
             ["r@ours.example"], {"sender": "a@none.example"}),
            ("sender_domain", "550 5.7.27", "one that takes no mail",
             ["r@ours.example"], {"sender": "a@null.example"}),
            ("sender_domain", "451 4.4.3", "one that DNS cannot tell of",
             ["r@ours.example"], {"sender": "a@fails.example"}),
            ("spf", "550 5.7.23", "a client that SPF forbids",
             ["r@spf.example"], {"sender": "a@spf-no.example"}),
            ("greylist", "451 4.7.1", "a triplet not seen before",
             ["r@grey.example"], {}),
            ("callout", "550 5.1.1", "one whom the server does not take",
             ["r@callout.example"], {}),
            ("callout", "451 4.4.1", "one whom it puts off, where that is so",
             ["r@later.example"], {}),
            ("null_rcpts", "452 4.5.3", "a second one of the null sender",
             ["r%@ours.example"], {"sender": "", "rcpts": 2})):
        expect(check, want, words, *args, **how)


def rates():
    for knob, check, want in (
            ("client_rcpt_rate", "rcpt_rate", "450 4.7.1"),
            ("client_message_rate", "message_rate", "450 4.7.1"),
            ("client_connection_rate", "connection_rate", "421 4.7.0")):
        lab.ctl("setting", "set", knob, "1")
        expect(check, want, "more than one a minute", "r@ours.example")
        lab.ctl("setting", "set", knob, "0")
    claim(wait_for(lambda: say("r@ours.example").startswith("250")),
          "without limits all is taken")


def names():
    """Waits for the client's name, for a time; refuses nobody."""
    rows = {r["check"]: r for r in lab.rows(
        "test", "smtp", "--from-ip", "192.0.2.99", "--from", "",
        "--to", "r@ours.example")}
    claim("client_name_due" not in rows or
          rows["client_name_due"]["reply"] == "",
          "a client whose name cannot be told is not refused for it", rows)
    asked.add(("client_name_due", "", ""))


def complete():
    with open(f"{SRC}/mcd/incoming/checks.def", encoding="utf-8") as f:
        text = f.read().partition("*/")[2]
    rows = re.findall(
        r'CHECK_ROW\(\s*(\w+),\s*(\w+),\s*"\w*",[^"]*?,\s*\w+,\s*(\d+),\s*'
        r'"([\d.]+)",\s*"([\d.]+)"', text)
    same(len(rows), text.count("CHECK_ROW("), "all of checks.def is read")
    known = {check for check, _, _ in asked}
    for name, stage, code, enhanced, _ in rows:
        if name in ELSEWHERE:
            path = f"{SRC}/tests/e2e/{ELSEWHERE[name]}"
            with open(path, encoding="utf-8") as f:
                claim(f"{code} {enhanced}" in f.read(),
                      f"{ELSEWHERE[name]} asks for {code} {enhanced}")
        elif stage == "DATA":
            claim(name in known, f"{name} is looked at")
        else:
            claim((name, code, enhanced) in asked,
                  f"{name} was asked for by its code {code} {enhanced}")
    same(known - {row[0] for row in rows}, set(), "and no check is gone")


run(each, rates, names, complete)
