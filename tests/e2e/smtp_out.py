#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Delivery to next hops that refuse, defer or can do less than others: what
# each recipient's fate is, and what the log says; bytes stay as they are.
# deadline: 240
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from smtplab import (BODY, Hop, Lab, Names, claim, client, fate, run, same,
                     send, without_received)


def refused():
    def answer(hop, verb, line, session):
        if "no@" in line:
            return "550 5.1.1 No such user"
        if "later@" in line and len(hop.mails) < 2:
            return "450 4.2.1 Mailbox busy"
        return None
    hop = Hop(answer)
    lab = Lab(hop.text)
    name = send(lab, rcpts=["r@ours.example", "no@ours.example",
                            "later@ours.example"])
    fate(lab, name, "delivered", "2.0.0", "250 2.0.0 taken")
    fate(lab, name, "bounced", "5.1.1", "550 5.1.1 No such user", "no")
    fate(lab, name, "deferred", "4.2.1", "450 4.2.1 Mailbox busy", "later")
    send(lab, rcpts=["s@ours.example"])
    fate(lab, name, "delivered", "2.0.0", "250", "later")
    bodies = [x for commands, _, _ in hop.mails for x in commands
              if x == "RCPT TO:<r@ours.example>"]
    same(len(bodies), 1, "the good recipient got it once")
    lab.end()


def whole_message():
    """Answers to MAIL, DATA and the end hold for all recipients."""
    for verb, reply, word, dsn in (
            ("MAIL", "550 5.7.1 Not you", "bounced", "5.7.1"),
            ("DATA", "554 5.3.0 No", "bounced", "5.3.0"),
            (".", "552 5.2.2 Too big", "bounced", "5.2.2"),
            (".", "451 4.3.0 Later", "deferred", "4.3.0"),
            ("EHLO", "421 4.3.2 Closing", "deferred", "4.3.2"),
            ("CONNECT", "554 5.3.2 Go away", "deferred", "5.3.2")):
        hop = Hop(lambda hop, v, line, session, verb=verb, reply=reply:
                  reply if v == verb and "<>" not in line and
                  session == 1 else None)
        lab = Lab(hop.text, retry_first="1h")
        name = send(lab)
        fate(lab, name, word, dsn, reply[:3])
        lab.end()


def less():
    hop = Hop(offers=())
    lab = Lab(hop.text)
    c = client(lab)
    c.mail(b"\xc3\xa4\r\n", params=" BODY=8BITMIME RET=FULL",
           rcpts=["r@ours.example", "s@ours.example"])
    same(hop.got(1), 1, "a next hop without extensions")
    same([x for x in hop.mails[0][0] if "<" in x],
         ["MAIL FROM:<a@client.example>", "RCPT TO:<r@ours.example>",
          "RCPT TO:<s@ours.example>"], "is not asked for any")
    name = send(lab, params=" SMTPUTF8", sender="\xe4@client.example")
    fate(lab, name, "bounced", "5.6.7", "next hop does not offer SMTPUTF8")
    c.mail(BODY, params=" SMTPUTF8")
    same(hop.got(2), 2, "what does not need SMTPUTF8 goes without")
    lab.end()
    hop = Hop(lambda hop, verb, line, session:
              "502 what" if verb == "EHLO" else None)
    lab = Lab(hop.text)
    name = send(lab)
    fate(lab, name, "delivered", "2.0.0", "250")
    claim(hop.mails, "HELO where EHLO is not known")
    lab.end()
    hop = Hop(offers=("SIZE 100",))
    lab = Lab(hop.text)
    name = send(lab)
    fate(lab, name, "bounced", "5.3.4", "message is larger than")
    lab.end()


def bytes_kept():
    hop = Hop()
    lab = Lab(hop.text)
    for body, words in (
            (b"", "an empty message"),
            (b".\r\n..\r\n.x\r\n\r\n.\r\n", "dots"),
            (b"x" * 1000000 + b"\r\n", "one very long line"),
            (b"".join(b"%d.\r\n.%d\r\n" % (i, i) for i in range(200000)),
             "many lines"),
            (bytes(range(1, 10)) + bytes(range(14, 256)) + b"\r\n",
             "all bytes")):
        before = len(hop.mails)
        send(lab, body)
        same(hop.got(before + 1), before + 1, f"{words}: delivered")
        claim(without_received(hop.mails[-1][1]) == body,
              f"{words}: byte for byte", hop.mails[-1][1][:1000])
    lab.end()


def reuse():
    hop = Hop()
    lab = Lab(hop.text)
    for i in range(5):
        send(lab)
        hop.got(i + 1)
    same(hop.sessions, 1, "mails one after the other share a connection")
    lab.end()
    hop = Hop(lambda hop, verb, line, session:
              False if verb == "MAIL" and
              any(s == session for _, _, s in hop.mails) else None)
    lab = Lab(hop.text, retry_first="1h")
    for i in range(5):
        name = send(lab)
        same(hop.got(i + 1), i + 1,
             "a kept connection that is gone is made again")
        claim(not re.search(f"{name} .*status=deferred", lab.log()),
              "without a delay")
    lab.end()


def names():
    hop = Hop()
    dns = Names({"mx.hop.example": {"A": "127.0.0.1", "AAAA": "100::1"},
                 "client.example": {"A": "127.0.0.1"},
                 "sick.hop.example": None})
    lab = Lab(f"mx.hop.example:{hop.port}", resolver=dns.text)
    name = send(lab)
    fate(lab, name, "delivered", "2.0.0", "250")
    claim(lab.logs(rf"{name} deliver .*relay=mx\.hop\.example"
                   rf"\[127\.0\.0\.1\]:{hop.port}"),
          "over a name, and the address of it that answers")
    lab.end()
    for host, words in (("no.hop.example", "host is not known"),
                        ("sick.hop.example", "host lookup failed")):
        lab = Lab(f"{host}:25", resolver=dns.text)
        fate(lab, send(lab), "deferred", "4.4.3", f"{words}: {host}")
        lab.end()


run(refused, whole_message, less, bytes_kept, reuse,
    names)
