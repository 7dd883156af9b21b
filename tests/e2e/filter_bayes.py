#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is learnt by mcctl is judged by in a running gateway, without a
# restart; and until enough was learnt the filter says nothing.
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, Sink, accept, claim, room, text_mail  # noqa: E402
from mclab import wait_for  # noqa: E402
from smtplab import run  # noqa: E402

HAM = ("riunione verbale consiglio bilancio preventivo allegato protocollo "
       "ufficio segreteria delibera calendario docenti esame corso").split()
SPAM = ("winner lottery casino jackpot bonus deposit wire inheritance "
        "pills discount replica watches unlimited refinance").split()
rng = random.Random(5322)
sink = Sink()
lab = Lab(sink.text)


def words(bag):
    return " ".join(rng.choice(bag) for _ in range(30)) + "\r\n"


def verdict(body, want, claimed):
    name = accept(lab, text_mail("x", body))
    claim(wait_for(lambda: any(name in line and want in line
                               for line in lab.log().splitlines())),
          claimed, lab.log()[-2000:])


def untaught():
    verdict(words(SPAM), 'reason="not spam 0.0/5.0"',
            "nothing was learnt: nothing is said")


def taught():
    mails = room()
    for kind, bag in (("ham", HAM), ("spam", SPAM)):
        os.mkdir(f"{mails}/{kind}")
        for i in range(120):
            with open(f"{mails}/{kind}/{i}", "wb") as f:
                f.write(text_mail(f"about {rng.choice(bag)}", words(bag)))
        lab.ctl("learn", kind, f"{mails}/{kind}")
    # A snapshot is looked for each second.
    claim(wait_for(lambda: [accept(lab, text_mail("y", words(SPAM)))] and
                   any(b"{Spam?} y" in m for _, _, m in sink.all())),
          "once enough was learnt spam is tagged", lab.log()[-2000:])
    data = next(m for _, _, m in sink.all() if b"{Spam?} y" in m)
    claim(b"X-MC-SpamCheck: spam, bayes (" in data,
          "by the filter that says so", data[:600])
    verdict(words(HAM), 'reason="not spam -1.5/5.0"', "and ham is not")


run(untaught, taught)
