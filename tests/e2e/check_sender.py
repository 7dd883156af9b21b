#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Checks of stage 1 that are on as shipped: relaying, recipients, and the
# sender's domain; each reply by name, and what a dead DNS does.
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from dnslab import FAIL, Dns
from smtplab import Hop, Lab, claim, client, run, same, wait_for

hop = Hop()
dns = Dns({
    "mx.example": {"MX": "10 host.mx.example"},
    "addr.example": {"A": "192.0.2.1"},
    "six.example": {"AAAA": "2001:db8::1"},
    "null.example": {"MX": "0 ."},
    "text.example": {"TXT": "here, but nobody answers"},
    "fails.example": FAIL,
    "fails2.example": FAIL,
})
lab = Lab(hop.text, resolver=dns.text)
HELP = "; postmaster@%s helps"
OURS = HELP % "ours.example"


def ask(sender, rcpt="r@ours.example"):
    c = client(lab)
    c.say(f"MAIL FROM:<{sender}>")
    got = c.say(f"RCPT TO:<{rcpt}>")
    c.say("QUIT")
    return got


def sender_domain():
    for words, sender in (
            ("that has an MX", "a@mx.example"),
            ("that has an A", "a@addr.example"),
            ("that has an AAAA only", "a@six.example"),
            ("in other letters", "a@MX.Example"),
            ("that is ours, without asking DNS", "x@ours.example"),
            ("that is an address literal", "a@[192.0.2.1]"),
            ("that is none: the null sender", "")):
        same(ask(sender)[:9], "250 2.1.5", f"a sender's domain {words}")
    same(dns.count("ours.example"), 0, "DNS was not asked of ours")
    none = "550 5.1.8 Sender's domain does not exist" + OURS
    same(ask("a@none.example"), none, "one that does not exist is refused")
    same(ask("a@text.example"), none, "so is one without MX, A and AAAA")
    same(ask("a@null.example"),
         "550 5.7.27 Sender's domain takes no mail (null MX)" + OURS,
         "and one whose MX is null")
    same(ask("a@fails.example"), "451 4.4.3 Sender's domain cannot be looked "
         "up now, try again later" + OURS, "DNS fails: later")
    claim(lab.logs(r"- refuse check=sender_domain client=127\.0\.0\.1 "
                   r"helo=client\.example from=<a@none\.example> "
                   r"to=<r@ours\.example> code=550 why=\"none\.example has "
                   r"no MX, A or AAAA\""), "and each has its line in the log")
    claim("- refused client" not in lab.log(), "one line, not two")


def exempt():
    for rcpt in ("postmaster@ours.example", "Postmaster", "ABUSE@ours.example"):
        same(ask("a@none.example", rcpt)[:3], "250",
             f"{rcpt} can be reached by everybody")


def accepts():
    lab.ctl("setting", "set", "sender_domain_unsure", "accept", "--domain",
            "ours.example")
    claim(wait_for(lambda: ask("a@fails2.example")[:3] == "250"),
          "a domain may accept what DNS cannot tell of")
    claim(lab.logs("- unsure check=sender_domain"), "which is logged")
    lab.ctl("setting", "set", "sender_domain_check", "no", "--domain",
            "ours.example")
    claim(wait_for(lambda: ask("a@none.example")[:3] == "250"),
          "or not care at all")
    lab.ctl("setting", "unset", "sender_domain_check", "--domain",
            "ours.example")
    lab.ctl("setting", "unset", "sender_domain_unsure", "--domain",
            "ours.example")
    claim(wait_for(lambda: ask("a@none.example")[:3] == "550"),
          "until it cares again")


def relaying():
    denied = ("550 5.7.1 Relaying denied: mail for this domain is not taken "
              "here" + HELP % "lab.example")
    same(ask("a@mx.example", "r@else.example"), denied,
         "a recipient that is not ours is refused")
    lab.ctl("relay", "add", "127.0.0.0/8", "--note", "this host")
    claim(wait_for(lambda: ask("a@mx.example", "r@else.example")[:9]
                   == "250 2.1.5"), "a relay host may send to it")
    c = client(lab)
    c.say("MAIL FROM:<a@mx.example>")
    c.say("RCPT TO:<r@else.example>")
    same(c.say("RCPT TO:<r@ours.example>"),
         "452 4.5.3 Recipients of another direction need a message of their "
         "own", "but not both in one message")
    same(ask("a@none.example")[:3], "250",
         "a relay host's sender is not looked up")
    same(lab.ctl("--json", "relay", "list"),
         '{"network": "127.0.0.0/8", "note": "this host"}\n',
         "mcctl lists relay hosts")
    lab.ctl("relay", "delete", "127.0.0.0/8")
    claim(wait_for(lambda: ask("a@mx.example", "r@else.example") == denied),
          "until it is taken out")


def recipients():
    lab.ctl("setting", "set", "rcpt_check", "list", "--domain",
            "ours.example")
    no = "550 5.1.1 No such recipient here" + OURS
    claim(wait_for(lambda: ask("", "joe@ours.example") == no),
          "a recipient that is not in the local list is refused")
    for rcpt in ("postmaster@ours.example", "Postmaster", "abuse@ours.example"):
        same(ask("", rcpt)[:3], "250", f"but {rcpt} is there")
    lab.ctl("rcpt", "add", "Joe@ours.example")
    claim(wait_for(lambda: ask("", "JOE@Ours.Example")[:3] == "250"),
          "one that is is taken")
    same(ask("", "joe+detail@ours.example")[:3], "250", "with a detail too")
    path = f"{lab.dir}/list"
    with open(path, "w", encoding="ascii") as f:
        f.write("# people\nann@ours.example\n\nbob+x@ours.example\n")
    lab.ctl("rcpt", "import", path)
    claim(wait_for(lambda: ask("", "ann@ours.example")[:3] == "250"),
          "and those of a file")
    same(ask("", "bob@ours.example")[:3], "250", "as they are keyed")
    lab.ctl("rcpt", "delete", "joe@ours.example")
    claim(wait_for(lambda: ask("", "joe@ours.example") == no),
          "until it is taken out")
    lab.ctl("setting", "unset", "rcpt_check", "--domain", "ours.example")


def null_sender():
    claim(wait_for(lambda: ask("", "joe@ours.example")[:3] == "250"),
          "the null sender is taken")
    c = client(lab)
    c.send("MAIL FROM:<>\r\n" + "RCPT TO:<%s@ours.example>\r\n" * 3
           % ("a", "b", "c"))
    same(c.codes(4), ["250", "250", "452", "452"],
         "for one recipient, also side by side")
    same(c.say("RCPT TO:<d@ours.example>"),
         "452 4.5.3 A notification has one recipient: send to the others "
         "separately" + OURS, "others are to come later")


def dns_is_down():
    dns.is_down = True
    lab.ctl("setting", "set", "sender_domain_unsure", "accept")
    claim(wait_for(lambda: ask("a@mx.example")[:3] == "250"),
          "what is in the cache holds without DNS")
    os.kill(lab.pid("lookup"), 9)
    lab.ctl("setting", "unset", "sender_domain_unsure")
    claim(wait_for(lambda: ask("a@other.example")[:9] == "451 4.4.3"),
          "without lookup and DNS it is later")
    dns.is_down = False
    claim(wait_for(lambda: ask("a@mx.example")[:3] == "250"),
          "and all is well when they are back")


run(sender_domain, exempt, accepts, relaying, recipients, null_sender,
    dns_is_down)
