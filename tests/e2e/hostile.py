#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 120
#
# Clients and administrators who ask for one thing many times at once:
# transactions given up before queue's descriptor is there, and requests
# about one message that meet.
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (Lab, Sink, accept, claim, client,  # noqa: E402
                   same, text_mail, wait_for)
from smtplab import BUILD, run  # noqa: E402

sink = Sink()
lab = Lab(sink.text, sets={"retry_first": "1h", "retry_max": "1h"})


def given_up():
    c = client(lab)
    for _ in range(10):
        c.send("MAIL FROM:<a@client.example>\r\nRCPT TO:<r@ours.example>\r\n"
               "RSET\r\n" * 20)
        same(set(c.codes(60)), {"250"}, "transactions that are given up")
    claim(wait_for(lambda: not lab.files("body")),
          "leave no body behind", len(lab.files("body")))
    c.close()


def together(*requests):
    """All of these at the same time; their exit codes."""
    conf = f"{lab.dir}/etc/mcd.conf"
    all_of = [subprocess.Popen(
        [f"{BUILD}/bin/mcctl", "-c", conf, "queue", *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env=lab.ctl_env(("queue", *words)))
        for words in requests]
    return [p.wait() for p in all_of]


def held(n):
    sink.refuse()
    names = [accept(lab, text_mail(f"held {i}"), rcpts=[f"h{i}@ours.example"])
             for i in range(n)]
    claim(wait_for(lambda: lab.log().count(" status=deferred ") >= n),
          "mail is deferred", lab.log()[-1000:])
    lab.ctl("queue", "hold", "all")
    claim(wait_for(lambda: len(lab.files("hold")) == n), "and held",
          lab.left())
    sink.accept()
    return names


def unhold_twice():
    queue = lab.pid("queue")
    names = held(20)
    for name in names:
        together(*[("unhold", name)] * 6)
    claim(wait_for(lambda: sink.count() >= len(names)), "all are delivered",
          sink.count(), lab.left())
    claim(lab.empties(), "and gone", lab.left())
    same(sink.count(), len(names), "each once")
    same(lab.pid("queue"), queue, "queue is the same process")
    lab.balances(held=0, queued=0, duplicates=0)


def unhold_and_delete():
    queue, before = lab.pid("queue"), sink.count()
    names = held(20)
    for name in names:
        together(("delete", name), ("unhold", name), ("hold", name),
                 ("delete", name), ("unhold", name))
    claim(wait_for(lambda: all(lab.run("queue", "delete", n) and not
                               lab.path("hold", n) for n in names)),
          "what is deleted at last is gone", lab.left())
    claim(lab.empties(), "nothing is left", lab.left())
    claim(sink.count() <= before + len(names), "none came twice")
    same(lab.pid("queue"), queue, "queue is the same process")
    lab.balances(held=0, queued=0, duplicates=0)


run(given_up, unhold_twice, unhold_and_delete)
