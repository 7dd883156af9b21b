#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a power cut has left of a message as the trailer of its body alone is
# seen by mcctl before the next start makes mail of it again.
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (Lab, Sink, accept, claim, same,  # noqa: E402
                   text_mail, wait_for)
from smtplab import run  # noqa: E402

sink = Sink()
lab = Lab(sink.text, sets={"retry_first": "1h", "retry_max": "1h"})


def cut(name):
    """All envelopes of a message are gone."""
    for folder in ("incoming", "filtering", "outgoing"):
        path = lab.path(folder, name)
        if path:
            os.unlink(path)


def attempts(name):
    return [r["attempts"] for r in lab.rows("queue", "list")
            if r["id"] == name] == [1]


def seen():
    two = ["done@ours.example", "defer1@ours.example"]
    name = accept(lab, text_mail("two"), rcpts=two)
    whole = accept(lab, text_mail("whole"), rcpts=["defer2@ours.example"])
    done = accept(lab, text_mail("all"), rcpts=["all@ours.example"])
    claim(wait_for(lambda: attempts(name) and attempts(whole)),
          "two messages wait", lab.log())
    same(len(sink.to("done@ours.example")), 1, "one is partly delivered")
    same(len(sink.to("all@ours.example")), 1, "a third whole")
    lab.down()
    body = lab.path("body", whole)
    same(lab.path("body", done), None, "of which nothing is left")
    cut(name)
    cut(whole)
    claim(lab.path("outgoing", whole) is None and body,
          "no envelope is left, but the bodies")
    check_shown(name, whole)
    with open(body, "r+b") as f:
        f.write(b"X")
    same([r["id"] for r in lab.rows("queue", "list")], [name],
         "a body that is not what was committed is no mail")
    got = lab.run("--json", "audit")
    same(got.returncode, 1, "and lost to the audit")
    with open(body, "r+b") as f:
        f.write(b"F")
    lab.start_mcd()
    lab.balances("after the start the audit says the same", queued=2,
                 delivered=2)
    same(sorted(r["id"] for r in lab.rows("queue", "list")),
         sorted([name, whole]), "and the messages are queued")
    lab.ctl("queue", "delete", name, whole)
    claim(lab.empties(), "all is gone at the end", lab.left())


def check_shown(name, whole):
    rows = lab.rows("queue", "list")
    same(sorted((r["id"], r["state"], r["rcpt"]) for r in rows),
         [(name, "incoming", ["defer1@ours.example"]),
          (whole, "incoming", ["defer2@ours.example"])],
         "queue list shows them, without who has it already")
    same([r["id"] for r in lab.rows("queue", "list", "-r", "defer2")],
         [whole], "and chooses among them")
    same(lab.rows("queue", "count")[0]["incoming"], 2,
         "queue count counts them")
    same(lab.rows("queue", "show", whole)[0]["recipients"][0]["rcpt"],
         "defer2@ours.example", "queue show shows one")
    lab.balances("the audit balances", queued=2, delivered=2, lost_count=0)


run(seen)
