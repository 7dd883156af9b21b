#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Lists of senders: allowed, blocked, warned of; for all, a domain, a user;
# and what no list can do: let a virus pass, or be used by a made-up From.
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, Sink, accept, claim, same, text_mail  # noqa: E402
from mclab import wait_for  # noqa: E402
from smtplab import run  # noqa: E402

GTUBE = ("XJS*C4JDBQADN1.NSBN3*2IDNEN*"
         "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X")
# In two halves, so that no scanner takes this file away.
EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$"
         "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")
sink = Sink()
lab = Lab(sink.text, domains=["other.example"])


def mail(text, sender):
    return text_mail("a subject", text + "\r\n").replace(
        b"a@client.example", sender.encode())


def verdict(words, want, text=GTUBE, envelope="a@client.example",
            header=None, rcpt="r@ours.example"):
    name = accept(lab, mail(text, header or envelope), sender=envelope,
                  rcpts=[rcpt])
    claim(lab.logs(rf"{name} verdict action={want}", 20), words,
          lab.log()[-2500:])
    return name


def ctl(*words):
    lab.ctl("list", *words)


def allow():
    ctl("allow", "add", "good@friend.example", "*.partner.example")
    name = verdict("an allowed address is no spam",
                   r'deliver rcpts=1 reason="not spam: allow list: '
                   r'good@friend.example \(global\)',
                   envelope="Good@friend.example")
    claim(wait_for(lambda: any(b"Subject: a subject\r\n" in m and
                               b"lists (allow, always)" in m
                               for m in sink.to("r@ours.example"))),
          "it is not tagged, and says why", sink.all())
    claim(wait_for(lambda: "allow list: good@friend.example (global) fits "
                   "the envelope sender" in
                   lab.run("explain", name).stdout),
          "it is explained", lab.run("explain", name))
    verdict("what lies under an allowed domain", "deliver .*not spam: allow",
            envelope="x@mail.partner.example")
    verdict("the domain itself is not meant", r"deliver .*\"?spam .*gtube",
            envelope="x@partner.example")
    verdict("an allowed address in From alone is nothing",
            r"deliver .*\"?spam .*gtube", header="good@friend.example")
    verdict("no list lets a virus pass", "quarantine .*virus Eicar", EICAR,
            envelope="good@friend.example")


def block():
    ctl("block", "add", "@bad.example")
    verdict("a blocked domain goes to quarantine",
            r"quarantine .*spam: block list: @bad.example", "harmless",
            envelope="x@bad.example")
    verdict("in From too", "quarantine .*fits the From", "harmless",
            header="x@bad.example")
    ctl("allow", "add", "x@bad.example", "--user", "me@ours.example")
    verdict("a user's list goes before", r"deliver .*allow list: "
            r"x@bad.example \(user\)", "harmless", envelope="x@bad.example",
            rcpt="me@ours.example")
    verdict("and is nobody else's", "quarantine .*block list", "harmless",
            envelope="x@bad.example")
    ctl("block", "add", "127.0.0.0/8", "--domain", "other.example")
    verdict("a network, of a domain", r"quarantine .*127.0.0.0/8 \(domain\)",
            "harmless", rcpt="r@other.example")
    ctl("block", "remove", "127.0.0.1/8", "--domain", "other.example")
    lab.ctl("setting", "set", "block_action", "delete")
    verdict("deleted where that is set", "discard .*block list", "harmless",
            envelope="x@bad.example")


def warn():
    ctl("warn", "add", "news*@shop.example")
    verdict("mail that is warned of is delivered", "deliver", "harmless",
            envelope="news-17@shop.example", rcpt="w@ours.example")
    same([b"Subject: {Warn?} a subject\r\n" in m
          for m in sink.to("w@ours.example")], [True], "with its tag")


def words():
    got = lab.run("list", "block", "add", "good@friend.example")
    claim(got.returncode == 65 and 'on the list "allow"' in got.stderr,
          "an entry is on one list only", got)
    same(lab.run("list", "allow", "remove", "no@where.example").returncode,
         65, "what is not there cannot be removed")
    same(lab.run("list", "allow", "add", "*@*").returncode, 65,
         "nobody allows everybody")
    same([(r["list"], r["entry"], r["level"]) for r in
          lab.rows("list", "show", "X@bad.example")],
         [("allow", "x@bad.example", "user")], "an entry is shown")
    same(len(lab.rows("list", "show")), 5, "and all of them")
    lab.balances()


run(allow, block, warn, words)
