#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 240
#
# Much and long: 2,000 recipients, 50 MB, a disk that gets full, mail that
# expires, a flood beyond the filters' window.
import hashlib
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (Lab, Sink, accept, claim, client, parse,  # noqa: E402
                   same, sealed, send, strip_received, text_mail, wait_for)
from smtplab import Hop, run  # noqa: E402

sink = Sink()


def many_recipients():
    lab = Lab(sink.text, domains=["other.example", "held.example"],
              sets={"smtp_rcpt_max": "2000"},
              domain_sets=["held.example:hold_mail=on"])
    to = [f"r{i}@{('ours', 'other', 'held')[i % 3]}.example"
          for i in range(2000)]
    data = text_mail("to 2,000")
    c = client(lab)
    c.send("MAIL FROM:<a@client.example>\r\n")
    same(c.reply()[:3], "250", "a message to 2,000")
    c.send("".join(f"RCPT TO:<{r}>\r\n" for r in to))
    same(set(c.codes(2000)), {"250"}, "each recipient is taken")
    same(c.say("RCPT TO:<x@ours.example>")[:3], "452", "and not one more")
    c.say("DATA")
    c.send(data + b".\r\n")
    claim(c.reply().startswith("250"), "it is taken")
    wait_for(lambda: sum(len(e["rcpts"]) for e in sink.envelopes()) >= 1334)
    got = [r for e in sink.envelopes() for r in e["rcpts"]]
    same(sorted(got), sorted(r for r in to if "held" not in r),
         "each of two domains gets it, once")
    same({strip_received(body)[0] for _, _, body in sink.all()}, {data},
         "as it was sent")
    wait_for(lambda: not lab.files("outgoing"))
    lab.balances("with one third held the audit balances", accepted=2000,
                 delivered=1334, held=666)
    lab.ctl("queue", "unhold", "all")
    claim(lab.empties(), "all are delivered at last", lab.left())
    lab.balances(delivered=2000, duplicates=0)
    lab.down()


def fifty_megabytes():
    lab = Lab(sink.text)
    block = b"".join(hashlib.sha256(b"%d" % i).hexdigest().encode() + b"\r\n"
                     for i in range(1000))
    head = text_mail("large", "")
    limit = 52428800
    body = block * (limit // len(block))
    data = head + body[:limit - len(head) - 2 - 66]
    data = data[:data.rindex(b"\r\n") + 2]
    data += b"x" * (limit - len(data) - 2) + b"\r\n"
    same(len(data), limit, "a message of just 50 MB")
    accept(lab, data, rcpts=["large@ours.example"])
    got = sink.to("large@ours.example", seconds=120)
    claim(len(got) == 1 and strip_received(got[0])[0] == data,
          "comes out byte for byte", [len(g) for g in got])
    reply = send(lab, data + b"x\r\n", rcpts=["large2@ours.example"])
    same(reply[:9], "552 5.3.4", "with some bytes more it is refused")
    claim(lab.empties(), "nothing is left", lab.left())
    lab.balances(accepted=1, delivered=1)
    lab.down()


def full_disk():
    lab = Lab(sink.text)
    data = text_mail("room")
    accept(lab, data, rcpts=["room1@ours.example"])
    lab.ctl("setting", "set", "spool_reserve", "1T")
    claim(wait_for(lambda: send(lab, data).startswith("452 4.3.1")),
          "below spool_reserve mail is answered 452", send(lab, data))
    claim(lab.logs("body_refused reason=.*bytes left"), "the log says why",
          lab.log())
    same(len(sink.to("room1@ours.example")), 1,
         "what was taken is delivered all the same")
    lab.ctl("setting", "set", "spool_reserve", "0")
    claim(wait_for(lambda: send(lab, data, rcpts=["room2@ours.example"])
                   .startswith("250")), "with room again it is taken")
    claim(lab.empties(), "nothing is left", lab.left())
    lab.balances()
    lab.down()


def aged(path, ms):
    """Makes a message as old as if mcd had run so long with it."""
    with open(path, "rb") as f:
        text = f.read()
    text = re.sub(rb"\nactive-ms: \d+\n", b"\n", text)
    text = re.sub(rb"\nnext-attempt-ms: \d+\n", b"\n", text)
    with open(path, "wb") as f:
        f.write(sealed(re.sub(
            rb"\n((?:edit|rcpt): )", b"\nactive-ms: %d\n\\1" % ms, text,
            count=1)))


def expiry():
    lab = Lab(sink.text, domains=["client.example"], sets={"expire": "1h"})
    sink.refuse()
    old = accept(lab, text_mail("old"), rcpts=["old@ours.example"],
                 sender="old@client.example")
    young = accept(lab, text_mail("young"), rcpts=["young@ours.example"],
                   sender="young@client.example")
    for name in (old, young):
        lab.logs(f"{name} deliver .*status=deferred")
    lab.down()
    aged(lab.path("outgoing", old), 3601000)
    aged(lab.path("outgoing", young), 1000)
    lab.up()
    claim(lab.logs(f"{old} bounced"), "mail past expire is bounced",
          lab.log())
    sink.accept()
    same(len(sink.to("young@ours.example")), 1, "younger mail is delivered")
    reports = sink.to("old@client.example")
    same(len(reports), 1, "the sender is told")
    status = [p for p in parse(reports[0]).iter_parts()
              if p.get_content_type() == "message/delivery-status"]
    rcpt = status[0].get_payload()[1]
    same([rcpt["Action"], rcpt["Status"][:1]], ["failed", "4"],
         "that it failed, by a status that was temporary")
    same(len(sink.to("old@ours.example", 0)), 0, "it is not delivered")
    claim(lab.empties(), "nothing is left", lab.left())
    lab.balances(bounced=1)
    lab.down()


def flood():
    """More than the filters' window waits in incoming, and is not lost."""
    hop = Hop()
    lab = Lab(hop.text, sets={"filter_window": "5"})
    workers = wait_for(lambda: len(lab.workers()) == 2 and lab.workers())
    for pid in workers:
        lab.kill(pid, 19)
    for i in range(30):
        accept(lab, text_mail(f"flood {i}"), rcpts=[f"f{i}@ours.example"])
    counts = lab.rows("queue", "count")[0]
    same([counts[k] for k in ("incoming", "filtering", "outgoing")],
         [25, 5, 0], "beyond the window mail waits in incoming")
    for pid in workers:
        lab.kill(pid, 18)
    same(hop.got(30), 30, "and is delivered when the filters go on")
    same(sorted(c for m in hop.mails for c in m[0] if c.startswith("RCPT")),
         sorted(f"RCPT TO:<f{i}@ours.example>" for i in range(30)),
         "each once")
    claim(lab.empties(), "nothing is left", lab.left())
    lab.balances(delivered=30)
    lab.down()


run(many_recipients, fifty_megabytes, full_disk, expiry, flood)
