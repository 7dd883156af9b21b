#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# A domain with letters beyond ASCII is the same as its A-labels: added,
# asked for, set and delivered by either; local parts of settings too are
# the same however they are spelt.
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, Sink, claim, client, same, text_mail  # noqa: E402
from mclab import wait_for  # noqa: E402
from smtplab import run  # noqa: E402

U, A = "Bücher.example", "xn--bcher-kva.example"
NFD = "bu\u0308cher.example"
sink = Sink()
lab = Lab(sink.text)


def rcpt(address):
    c = client(lab)
    c.say("MAIL FROM:<a@client.example> SMTPUTF8")
    got = c.say(f"RCPT TO:<{address}>")
    c.close()
    return got


def added():
    claim(rcpt(f"r@{U}").startswith("550 5.7.1"), "a domain not ours yet")
    lab.ctl("domain", "add", U, "--dest", sink.text)
    claim(wait_for(lambda: rcpt(f"r@{U}").startswith("250")),
          "added by its U-label it is", lab.log())
    for name in (A, A.upper(), NFD):
        same(rcpt(f"r@{name}")[:3], "250", f"also as {name}")
    same(lab.run("domain", "add", A, "--dest", sink.text).returncode, 65,
         "its A-label is the same domain")
    same([r["domain"] for r in lab.rows("domain", "list")
          if r["domain"].startswith("xn")], [A], "and so it is listed")
    same(lab.run("domain", "add", "a\u2100b.example", "--dest",
                 sink.text).returncode, 65,
         "letters that map to a slash are no domain")


def delivered():
    for i, (address, params) in enumerate(((f"r@{U}", " SMTPUTF8"),
                                           (f"r@{A}", ""))):
        c = client(lab)
        got = c.mail(text_mail(f"mail {i}"), rcpts=[address], params=params)
        c.close()
        claim(got.startswith("250"), f"mail to {address}", got)
    same(len(sink.to(f"r@{A}", 2)), 2, "both come to one address")


def settings():
    lab.ctl("setting", "set", "id_header", "yes", "--domain", NFD)
    got = lab.rows("setting", "get", "id_header", "--domain", A)
    same(got[0]["value"], "yes", "a setting is of both names")
    lab.ctl("setting", "set", "threshold", "7", "--user", f"JÖRG@{U}")
    got = lab.rows("setting", "get", "threshold", "--user",
                   f"jo\u0308rg+x@{A}")
    same(got[0]["value"], "7.0", "and of a user, however spelt")
    lab.ctl("setting", "set", "rcpt_check", "list", "--domain", U)
    lab.ctl("rcpt", "add", f"Jörg@{U}")
    claim(wait_for(lambda: rcpt(f"r@{U}").startswith("550 5.1.1")),
          "a local list refuses others")
    same([rcpt(f"jörg@{A}")[:3], rcpt(f"JO\u0308RG@{NFD}")[:3]],
         ["250", "250"], "and knows its own")
    lab.balances(delivered=2)


run(added, delivered, settings)
