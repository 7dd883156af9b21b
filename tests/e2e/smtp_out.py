#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Delivery to next hops that refuse, defer or can do less than others: what
# each recipient's fate is, and what the log says; bytes stay as they are.
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from smtplab import (BODY, Hop, Wide, claim, client, fate, run, same, send,
                     together, wait_for, without_received)


def answers(replies):
    """Of a next hop that says so in its first session."""
    return lambda hop, verb, line, session: \
        replies.get(verb) if session == 1 and "<>" not in line else None


def refused(lab):
    def answer(hop, verb, line, session):
        if "no@" in line:
            return "550 5.1.1 No such user"
        if "later@" in line and not hop.mails:
            return "450 4.2.1 Mailbox busy"
        return None
    hop = lab.far(answer)
    name = send(lab, rcpts=[hop.at("r"), hop.at("no"), hop.at("later")])
    fate(lab, name, "delivered", "2.0.0", "250 2.0.0 taken", hop.at("r"))
    fate(lab, name, "bounced", "5.1.1", "550 5.1.1 No such user",
         hop.at("no"))
    fate(lab, name, "deferred", "4.2.1", "450 4.2.1 Mailbox busy",
         hop.at("later"))
    # Its results are in the envelope before it can be asked for.
    wait_for(lambda: lab.ctl("queue", "retry", "all") and len(hop.mails) > 1)
    fate(lab, name, "delivered", "2.0.0", "250", hop.at("later"))
    same([x for commands, _, _ in hop.mails for x in commands
          if x.startswith("RCPT TO:<r@")], [f"RCPT TO:<{hop.at('r')}>"],
         "the good recipient got it once")


def whole_message(lab, verb, reply, word, dsn):
    """Answers to MAIL, DATA and the end hold for all recipients."""
    hop = lab.far(answers({verb: reply}))
    name = send(lab, rcpts=[hop.at("r"), hop.at("s")])
    for rcpt in "r", "s":
        fate(lab, name, word, dsn, reply[:3], hop.at(rcpt))


def less(lab):
    hop = lab.far(offers=())
    c = client(lab)
    c.mail(b"\xc3\xa4\r\n", params=" BODY=8BITMIME RET=FULL",
           rcpts=[hop.at("r"), hop.at("s")])
    same(hop.got(1), 1, "a next hop without extensions")
    same([x for x in hop.mails[0][0] if "<" in x],
         ["MAIL FROM:<a@client.example>", f"RCPT TO:<{hop.at('r')}>",
          f"RCPT TO:<{hop.at('s')}>"], "is not asked for any")
    name = send(lab, params=" SMTPUTF8", sender="\xe4@client.example",
                rcpts=[hop.at("r")])
    fate(lab, name, "bounced", "5.6.7", "next hop does not offer SMTPUTF8",
         hop.at("r"))
    c.mail(BODY, params=" SMTPUTF8", rcpts=[hop.at("r")])
    same(hop.got(2), 2, "what does not need SMTPUTF8 goes without")


def less_still(lab):
    hop = lab.far(lambda hop, verb, line, session:
                  "502 what" if verb == "EHLO" else None)
    name = send(lab, rcpts=[hop.at("r")])
    fate(lab, name, "delivered", "2.0.0", "250", hop.at("r"))
    claim(hop.mails, "HELO where EHLO is not known")
    hop = lab.far(offers=("SIZE 100",))
    name = send(lab, rcpts=[hop.at("r")])
    fate(lab, name, "bounced", "5.3.4", "message is larger than",
         hop.at("r"))


def bytes_kept(lab):
    hop = lab.far()
    for body, words in (
            (b"", "an empty message"),
            (b".\r\n..\r\n.x\r\n\r\n.\r\n", "dots"),
            (b"x" * 1000000 + b"\r\n", "one very long line"),
            (b"".join(b"%d.\r\n.%d\r\n" % (i, i) for i in range(200000)),
             "many lines"),
            (bytes(range(1, 10)) + bytes(range(14, 256)) + b"\r\n",
             "all bytes")):
        before = len(hop.mails)
        send(lab, body, rcpts=[hop.at("r")])
        same(hop.got(before + 1), before + 1, f"{words}: delivered")
        claim(without_received(hop.mails[-1][1]) == body,
              f"{words}: byte for byte", hop.mails[-1][1][:1000])


def reuse(lab):
    hop = lab.far()
    for i in range(5):
        send(lab, rcpts=[hop.at("r")])
        hop.got(i + 1)
    same(hop.sessions, 1, "mails one after the other share a connection")


def stale(lab):
    hop = lab.far(lambda hop, verb, line, session:
                  False if verb == "MAIL" and
                  any(s == session for _, _, s in hop.mails) else None)
    for i in range(5):
        name = send(lab, rcpts=[hop.at("r")])
        same(hop.got(i + 1), i + 1,
             "a kept connection that is gone is made again")
        claim(not re.search(f"{name} .*status=deferred", lab.log()),
              "without a delay")


def names(lab, hop):
    name = send(lab)
    fate(lab, name, "delivered", "2.0.0", "250")
    claim(lab.logs(rf"{name} deliver .*relay=mx\.hop\.example"
                   rf"\[127\.0\.0\.1\]:{hop.port}"),
          "over a name, and the address of it that answers")
    for host, words in (("no", "host is not known"),
                        ("sick", "host lookup failed")):
        rcpt = f"r@{host}.example"
        fate(lab, send(lab, rcpts=[rcpt]), "deferred", "4.4.3",
             f"{words}: {host}.hop.example", rcpt)


def main():
    hop = Hop()
    lab = Wide(
        f"mx.hop.example:{hop.port}", retry_first="1h",
        smtp_out_idle_time="60s",
        names={"mx.hop.example": {"A": "127.0.0.1", "AAAA": "100::1"},
               "sick.hop.example": None},
        domains=["no.example=no.hop.example:25",
                 "sick.example=sick.hop.example:25"])
    together(
        lambda: names(lab, hop),
        *[lambda test=test: test(lab) for test in (
            refused, less, less_still, bytes_kept, reuse, stale)],
        *[lambda row=row: whole_message(lab, *row) for row in (
            ("MAIL", "550 5.7.1 Not you", "bounced", "5.7.1"),
            ("DATA", "554 5.3.0 No", "bounced", "5.3.0"),
            (".", "552 5.2.2 Too big", "bounced", "5.2.2"),
            (".", "451 4.3.0 Later", "deferred", "4.3.0"),
            ("EHLO", "421 4.3.2 Closing", "deferred", "4.3.2"),
            ("CONNECT", "554 5.3.2 Go away", "deferred", "5.3.2"))])
    lab.end()


run(main)
