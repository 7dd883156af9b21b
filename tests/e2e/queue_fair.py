#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 120
#
# Nobody waits for the others: next hops that hang and a list of 5,000
# recipients, each with other mail behind it.
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, accept, claim, text_mail, wait_for  # noqa: E402
from smtplab import Hop, run, same  # noqa: E402

HANGING = 20


def hanging():
    hang, good = Hop(lambda *args: ""), Hop()
    lab = Lab(good.text, sets={"outgoing_concurrency": "60"},
              domains=[f"hang{i}.example={hang.text}"
                       for i in range(HANGING)])
    for i in range(4 * HANGING):
        accept(lab, text_mail("hangs"), rcpts=[f"x@hang{i % HANGING}.example"])
    claim(wait_for(lambda: hang.sessions >= 30),
          "next hops that hang have what they may", hang.sessions)
    for _ in range(20):
        accept(lab, text_mail("good"))
    same(good.got(20), 20, "a destination that is new is delivered to")
    same(hang.mails, [], "while they hang")
    lab.balances(delivered=20, queued=4 * HANGING)
    lab.down()


def big_list():
    go = []
    hop = Hop(lambda h, verb, *rest: wait_for(lambda: go) and None
              if verb == "." and not h.mails else None)
    lab = Lab(hop.text, sets={"smtp_rcpt_max": "20000",
                              "dest_concurrency": "1"})
    accept(lab, text_mail("list"),
           rcpts=[f"r{i}@ours.example" for i in range(5000)])
    accept(lab, text_mail("small"), rcpts=["small@ours.example"])
    claim(wait_for(lambda: lab.rows("queue", "count")[0]["outgoing"] == 2),
          "a small message is behind a list of 5,000")
    go.append(True)

    def place():
        return next((i + 1 for i, mail in enumerate(list(hop.mails))
                     if b"Subject: small" in mail[1]), 0)

    claim(wait_for(place) and place() <= 5,
          "it is among the first five deliveries of 51", place())
    same(hop.got(51), 51, "the list has all of its own")
    same(sum(line.startswith("RCPT") for mail in hop.mails
             for line in mail[0]), 5001, "no recipient is left out, or twice")
    claim(lab.empties(), "nothing is left", lab.left())
    lab.balances(delivered=5001)


run(hanging, big_list)
