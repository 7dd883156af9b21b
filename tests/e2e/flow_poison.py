#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 240
#
# A message that kills the worker that looks at it: it is parked after the
# deaths that filter_poison_deaths allows, the second attempt runs alone,
# and other mail passes all the while. One that only waits is never parked.
# Workers misbehave by MCGATE_TEST_WORKER of builds with --enable-devel.
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (BUILD, Lab, Sink, accept, claim, same,  # noqa: E402
                   strip_received, text_mail, wait_for)
from smtplab import run  # noqa: E402

POISON = "this kills the worker"
sink = Sink()


def lab_with(what, **sets):
    return Lab(sink.text, sets=sets,
               env={"MCGATE_TEST_WORKER": f"{what}:{POISON}"})


def is_devel():
    with open(f"{BUILD}/config.h", encoding="utf-8") as f:
        return re.search(r"^#define MCGATE_DEVEL\b", f.read(), re.M)


def others_pass(lab, words):
    tag = re.sub(r"\W", "", words)
    to = [f"{tag}{i}@ours.example" for i in range(5)]
    for rcpt in to:
        accept(lab, text_mail("harmless"), rcpts=[rcpt])
    same([len(sink.to(r)) for r in to], [1] * 5, words)


def crash():
    lab = lab_with("crash-on")
    data = text_mail("bad", POISON + "\r\n")
    name = accept(lab, data, rcpts=["bad@ours.example", "b2@ours.example"])
    others_pass(lab, "while it kills workers others are delivered")
    claim(wait_for(lambda: "hold" in str(lab.rows("queue", "list"))),
          "it is parked in hold", lab.log())
    row = lab.rows("queue", "list")[0]
    same([row["id"], row["state"], row["reason"]], [name, "hold", "poison"],
         "as poison")
    log = lab.log()
    same(len(re.findall(rf"{name} killed a worker", log)), 2,
         "after the deaths that the default allows")
    claim(re.search(rf"{name} parked reason=poison deaths=2", log),
          "and the log says so", log)
    same(len(sink.to("bad@ours.example", 0)), 0, "nothing was delivered")
    lab.balances("the audit knows it as held", held=2)
    # A restart does not forget, and does not try again by itself.
    lab.down()
    lab.up()
    others_pass(lab, "after a restart mail goes on")
    same(lab.rows("queue", "list")[0]["state"], "hold", "it stays parked")
    lab.ctl("queue", "unhold", name)
    claim(lab.logs(rf"{name} parked reason=poison", times=2),
          "unheld, it goes to the filters again, not past them", lab.log())
    same(len(sink.to("bad@ours.example", 0)), 0, "and is not delivered")
    lab.ctl("queue", "delete", name)
    claim(lab.empties(), "until it is deleted", lab.left())
    lab.balances(held=0)
    lab.down()


def durable():
    """Deaths count over a crash: a message cannot kill us for ever."""
    lab = lab_with("crash-on", filter_poison_deaths="3")
    lab.kill(lab.pid("filter"), 19)
    name = accept(lab, text_mail("bad", POISON + "\r\n"),
                  rcpts=["durable@ours.example"])
    lab.kill(lab.pid("filter"), 18)
    lab.logs(rf"{name} killed a worker deaths=1")
    lab.crash()
    lab.up()
    claim(lab.logs(rf"{name} parked reason=poison deaths=3"),
          "deaths are counted over a crash of all", lab.log())
    claim(len(re.findall(rf"{name} killed a worker", lab.log())) <= 4,
          "and not begun anew", lab.log())
    lab.balances(held=1)
    lab.down()


def alone():
    """While a message that killed once is tried again no other is."""
    lab = lab_with("spin-on", filter_time="2s")
    name = accept(lab, text_mail("bad", POISON + "\r\n"),
                  rcpts=["alone@ours.example"])
    lab.logs(rf"{name} killed a worker deaths=1")
    n, waited = 0, 0.0

    def is_second():
        return f"{name} killed a worker deaths=2" in lab.log()

    while not is_second():
        n += 1
        rcpt = f"beside{n}@ours.example"
        accept(lab, text_mail("beside"), rcpts=[rcpt])
        sent = time.monotonic()
        wait_for(lambda: is_second() or sink.to(rcpt, 0))
        waited = time.monotonic() - sent
    claim(waited > 0.5, "the second attempt runs alone: other mail waits",
          f"waited {waited:.2f} s, {n} mails", lab.log())
    same([len(sink.to(f"beside{i + 1}@ours.example")) for i in range(n)],
         [1] * n, "and passes when it is over")
    lab.balances(held=1)
    lab.down()


def spin():
    lab = lab_with("spin-on", filter_time="300ms")
    name = accept(lab, text_mail("bad", POISON + "\r\n"),
                  rcpts=["spin@ours.example"])
    others_pass(lab, "while one computes for ever others are delivered")
    claim(lab.logs(rf"{name} parked reason=poison"),
          "one that computes past its time is parked", lab.log())
    lab.balances(held=1)
    lab.down()


def hang():
    lab = lab_with("hang-on", filter_time="300ms")
    data = text_mail("bad", POISON + "\r\n")
    name = accept(lab, data, rcpts=["hang@ours.example"])
    others_pass(lab, "while one waits for ever others are delivered")
    claim(wait_for(lambda: len(set(lab.workers())) == 2), "workers come back")
    claim(not re.search(rf"{name} (killed|parked)", lab.log()),
          "one whose worker only waits is no poison", lab.log())
    same(lab.rows("queue", "count")[0]["hold"], 0, "and not parked")
    # The fault is mended: an mcd whose workers do not misbehave.
    lab.down()
    del lab.env["MCGATE_TEST_WORKER"]
    lab.up()
    same([strip_received(g)[0] for g in sink.to("hang@ours.example")],
         [data], "it is delivered once the fault is mended")
    claim(lab.empties(), "nothing is left", lab.left())
    lab.balances(delivered=6)
    lab.down()


if not is_devel():
    print("1..0 # SKIP needs a build with --enable-devel")
    sys.exit(0)
run(crash, durable, alone, spin, hang)
