#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 300
#
# Mail of all fates at once while roles and workers are killed one after the
# other and settings change: each recipient of what was answered 250 comes
# to its fate, and the audit balances.
import os
import random
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (Lab, Sink, claim, client, same,  # noqa: E402
                   strip_received, text_mail, wait_for)
from smtplab import run  # noqa: E402

KILLS = 16
SENDERS = 3
VICTIMS = ("queue", "filter", "outgoing", "incoming", "control", "store",
           "lookup", "worker")


def rcpts_of(tag, n, dice):
    """Recipients with their fates told by their names."""
    kinds = ["plain.{}@ours.example", "once.{}@ours.example",
             "bounce.{}@ours.example", "held.{}@held.example",
             "tagged.{}@tagged.example", "once.{}@tagged.example"]
    return [k.format(f"{tag}.{n}")
            for k in dice.sample(kinds, dice.randrange(1, 5))]


def sender(lab, stop, tag, taken, seed):
    dice = random.Random(f"{seed}.{tag}")
    n = 0
    while not stop.is_set():
        n += 1
        rcpts = rcpts_of(tag, n, dice)
        data = text_mail(f"{tag}.{n}", "x\r\n" * dice.randrange(3000))
        try:
            c = client(lab)
            if c.mail(data, rcpts=rcpts,
                      sender=f"s.{tag}.{n}@client.example")[:3] == "250":
                taken[tag, n] = (rcpts, data)
            c.close()
        except OSError:
            pass


def disturb(lab, taken, dice):
    for i in range(KILLS):
        victim = VICTIMS[i % len(VICTIMS)]
        before = len(taken)
        pid = dice.choice(lab.workers() or [0]) if victim == "worker" \
            else lab.pid(victim)
        if pid:
            lab.kill(pid)
        wait_for(lambda: len(taken) > before + 2, 20)
        if i % 4 == 3:
            lab.run("queue", "unhold", "all")
            lab.run("queue", "retry", "all")
            lab.run("setting", "set", "dest_concurrency",
                    str(dice.randrange(1, 30)))


def main():
    sink = Sink()
    lab = Lab(sink.text,
              domains=["held.example", "tagged.example", "client.example"],
              domain_sets=["held.example:hold_mail=on",
                           "tagged.example:id_header=on"],
              # Killing workers is no fault of the mail.
              sets={"filter_poison_deaths": "10", "headers_add": "no"})
    seed = random.randrange(1 << 30)
    print(f"# seed {seed}", flush=True)
    taken, stop = {}, threading.Event()
    threads = [threading.Thread(target=sender, args=(
        lab, stop, f"t{k}", taken, seed)) for k in range(SENDERS)]
    for t in threads:
        t.start()
    try:
        disturb(lab, taken, random.Random(seed))
    finally:
        stop.set()
        for t in threads:
            t.join()
    claim(len(taken) > 3 * KILLS, f"{KILLS} kills, {len(taken)} mails taken",
          lab.log())

    def is_over():
        lab.run("queue", "unhold", "all")
        return lab.is_empty()

    claim(wait_for(is_over, 90), "the queues get empty", lab.left(),
          lab.run("queue", "list").stdout)
    check(sink, taken)
    a = lab.audit()
    claim(a["balanced"] and a["lost_count"] == a["queued"] == a["held"] == 0
          and a["accepted"] == a["delivered"] + a["bounced"],
          "the audit balances", a)
    lab.down()


def check(sink, taken):
    got = {}
    for _, rcpts, body in sink.all():
        for r in rcpts:
            got.setdefault(r, []).append(strip_received(body)[0])
    lost, spoilt, untold = [], [], []
    for (tag, n), (rcpts, data) in taken.items():
        for r in rcpts:
            if r.startswith("bounce"):
                if f"s.{tag}.{n}@client.example" not in got:
                    untold.append(r)
                continue
            bodies = [b.split(b"\r\n", 1)[1] if b.startswith(b"X-MC-ID: ")
                      else b for b in got.get(r, [])]
            if not bodies:
                lost.append(r)
            elif any(b != data for b in bodies):
                spoilt.append(r)
            if any(b.startswith(b"X-MC-ID: ") != ("@tagged" in r)
                   for b in got.get(r, [])):
                spoilt.append(r)
    same(lost[:5], [], "each recipient of what was taken gets it")
    same(spoilt[:5], [], "whole, and with the edits of his own domain")
    same(untold[:5], [], "each bounce is told")


if __name__ == "__main__":
    run(main)
