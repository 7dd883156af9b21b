#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Mail that outgoing dies of each time: it comes back later and later, is
# parked in the end, and holds up nobody.
# deadline: 240
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from smtplab import Hop, Lab, claim, run, same, send, wait_for


def killer():
    seen = []

    def answer(hop, verb, line, session):
        if verb == "RCPT" and "bad@" in line:
            seen.append(session)
            return ""
        return None
    hop = Hop(answer)
    lab = Lab(hop.text, outgoing_poison_deaths=3)
    name = send(lab, rcpts=["bad@ours.example"])
    for n in range(3):
        claim(wait_for(lambda n=n: len(seen) > n), f"attempt {n + 1}")
        old = lab.pid("outgoing")
        os.kill(old, 9)
        wait_for(lambda old=old: lab.pid("outgoing") not in (0, old))
    claim(lab.logs(rf"{name} parked reason=poison deaths=3"),
          "the third death parks it", lab.log())
    rows = [json.loads(x) for x in lab.ctl(
        "--json", "queue", "list", "hold").splitlines()]
    same([r["id"] for r in rows], [name], "in hold")
    send(lab)
    same(hop.got(1), 1, "others are delivered")
    hop.answer = lambda *args: None
    lab.ctl("queue", "unhold", name)
    same(hop.got(2), 2, "released it is delivered")
    claim(wait_for(lab.is_empty), "and nothing is left")
    lab.end()


run(killer)
