#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 240
#
# A part is down: filters, control, queue, the next hop. Mail waits or is
# answered LATER, passes nothing by, and comes through afterwards.
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (Lab, Sink, accept, claim, client, same,  # noqa: E402
                   send, strip_received, text_mail, wait_for)
from smtplab import Hop, run  # noqa: E402

sink = Sink()


def arrives(rcpt, data, words):
    got = sink.to(rcpt)
    return same([strip_received(g)[0] for g in got], [data], words)


def both(lab):
    return wait_for(lambda: len(lab.workers()) == 2 and lab.workers())


def stopped_workers():
    lab = Lab(sink.text)
    workers = both(lab)
    for pid in workers:
        lab.kill(pid, signal.SIGSTOP)
    mails = {f"stop{i}@ours.example": text_mail(f"stop {i}")
             for i in range(10)}
    for rcpt, data in mails.items():
        accept(lab, data, rcpts=[rcpt])
    claim(wait_for(lambda: lab.rows("queue", "count")[0]["filtering"] == 10),
          "with workers stopped mail is taken and waits",
          lab.rows("queue", "count"))
    same(sink.count(), 0, "none passes unfiltered")
    for pid in workers:
        lab.kill(pid, signal.SIGCONT)
    same([strip_received(g)[0] for r in mails for g in sink.to(r)],
         list(mails.values()), "all are delivered when they go on")
    lab.balances(delivered=10, accepted=10, duplicates=0)
    lab.down()


def hung_workers():
    """Workers that do not come back are killed at the message's time."""
    lab = Lab(sink.text, sets={"filter_time": "1s"})
    before = both(lab)
    for pid in before:
        lab.kill(pid, signal.SIGSTOP)
    data = text_mail("hung")
    accept(lab, data, rcpts=["hung@ours.example"])
    arrives("hung@ours.example", data, "a hung worker is replaced in time")
    claim(wait_for(lambda: len(set(lab.workers()) - set(before)) >= 1),
          "by another", lab.workers())
    lab.kill(before[0], signal.SIGCONT)
    lab.kill(before[1], signal.SIGCONT)
    claim(lab.empties(), "and nothing is parked for it", lab.left())
    lab.balances(delivered=1)
    lab.down()


def killed_pool():
    lab = Lab(sink.text, sets={"filter_poison_deaths": "10"})
    before = sink.count()
    for i in range(3):
        old = lab.pid("filter")
        lab.kill(old, signal.SIGSTOP)
        data = text_mail(f"pool {i}")
        accept(lab, data, rcpts=[f"pool{i}@ours.example"])
        same(sink.count(), before + i, "without filters nothing passes")
        lab.kill(old)
        arrives(f"pool{i}@ours.example", data,
                "it does when the filters are back")
    for i in range(20):
        for pid in lab.workers()[:1]:
            lab.kill(pid)
        accept(lab, text_mail("shot"), rcpts=[f"shot{i}@ours.example"])
    same([len(sink.to(f"shot{i}@ours.example")) for i in range(20)],
         [1] * 20, "workers die all the time: each mail is delivered once")
    claim(lab.empties(), "nothing is left", lab.left())
    lab.balances(delivered=23, duplicates=0)
    lab.down()


def control_down():
    lab = Lab(sink.text)
    c = client(lab)
    pid = lab.pid("control")
    lab.kill(pid, signal.SIGSTOP)
    c.say("MAIL FROM:<a@client.example>")
    c.send("RCPT TO:<x@ours.example>\r\n")
    lab.kill(pid)
    same(c.reply()[:3], "451", "control dies: its question is answered 451")
    same(c.say("NOOP")[:3], "250", "the session goes on")
    c.say("RSET")
    claim(wait_for(lambda: c.begin(rcpts=["ctl@ours.example"])
                   .startswith("354") or not c.say("RSET")),
          "and mail is taken once control is back")
    data = text_mail("control")
    c.send(data + b".\r\n")
    same(c.reply()[:3], "250", "whole")
    arrives("ctl@ours.example", data, "and delivered")
    lab.balances(accepted=1, delivered=1)
    lab.down()


def queue_down():
    lab = Lab(sink.text)
    c = client(lab)
    c.begin(rcpts=["q@ours.example"])
    c.send(text_mail("queue"))
    lab.kill(lab.pid("queue"))
    c.send(b".\r\n")
    got = c.reply()
    claim(got == "" or got[0] == "4",
          "queue dies in DATA: no 250", got)
    data = text_mail("queue again")
    wait_for(lambda: sends(lab, data, "q2@ours.example"))
    arrives("q2@ours.example", data, "a second attempt is taken, delivered")
    same(len(sink.to("q@ours.example", 0)), 0, "the first is not")
    claim(lab.empties(), "nothing is left", lab.left())
    lab.balances(accepted=1, delivered=1)
    lab.down()


def sends(lab, data, rcpt):
    try:
        return send(lab, data, rcpts=[rcpt]).startswith("250")
    except OSError:
        return False


def hop_down():
    port = Hop()
    where = port.text
    port.close()
    lab = Lab(where)
    data = text_mail("nobody there")
    name = accept(lab, data, rcpts=["hop@ours.example"])
    claim(lab.logs(f"{name} deliver .*status=deferred"), "no next hop: mail is deferred",
          lab.log())
    claim(wait_for(lambda: "refused" in lab.rows("queue", "list")[0]
                   ["status"].lower()),
          "and the list says why", lab.rows("queue", "list"))
    hop = Hop(port=int(where.rpartition(":")[2]))
    same(hop.got(1), 1, "it is delivered when the hop is there")
    claim(strip_received(hop.mails[0][1])[0] == data, "whole")
    claim(lab.empties(), "nothing is left", lab.left())
    # One that dies in the middle of mail.
    hop.answer = lambda h, verb, line, n: False if verb == "." and \
        len(h.mails) == 1 and n < 4 else None
    name = accept(lab, data, rcpts=["hop2@ours.example"])
    claim(lab.logs(f"{name} deliver .*status=deferred"), "a hop that hangs up defers")
    same(hop.got(2), 2, "and gets it at last")
    claim(lab.empties(), "nothing is left", lab.left())
    lab.balances(delivered=2)
    lab.down()


def outgoing_down():
    lab = Lab(sink.text)
    sink.refuse()
    names = [accept(lab, text_mail(f"out {i}"), rcpts=[f"out{i}@ours.example"])
             for i in range(5)]
    for name in names:
        lab.logs(f"{name} deliver .*status=deferred")
    lab.kill(lab.pid("outgoing"))
    lab.kill(lab.pid("lookup"))
    lab.kill(lab.pid("store"))
    sink.accept()
    same([len(sink.to(f"out{i}@ours.example")) for i in range(5)], [1] * 5,
         "outgoing, lookup and store die: each mail is delivered once")
    claim(lab.empties(), "nothing is left", lab.left())
    lab.balances(delivered=5, duplicates=0)
    claim(wait_for(lambda: "delivered" in lab.ctl("trace", names[0])),
          "and trace knows of it", lab.ctl("trace", names[0]))
    lab.down()


run(stopped_workers, hung_workers, killed_pool, control_down, queue_down,
    hop_down, outgoing_down)
