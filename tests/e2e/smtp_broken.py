#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Delivery to next hops that are not there, break, hang or talk garbage: the
# mail is deferred with a clear word and delivered in the end.
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from smtplab import (Hop, Wide, claim, fate, run, same, send, together,
                     wait_for)


def both(lab, hop, dsn, words):
    """A mail that is deferred first, and delivered in the end."""
    name = send(lab, rcpts=[hop.at("r")])
    fate(lab, name, "deferred", dsn, words, hop.at("r"))
    fate(lab, name, "delivered", "2.0.0", "250", hop.at("r"))


def nobody_there(lab):
    hop = lab.far()
    hop.close()
    name = send(lab, rcpts=[hop.at("r")])
    fate(lab, name, "deferred", "4.4.1",
         r"cannot connect \(Connection ref", hop.at("r"))
    there = hop.again()
    same(there.got(1), 1, "when it is back the mail is delivered")
    fate(lab, name, "delivered", "2.0.0", "250", hop.at("r"))


def second_choice(lab, gone, there):
    gone.close()
    send(lab)
    same(there.got(1), 1, "the second destination takes what the first cannot")
    full = lab.far(lambda hop, verb, line, session:
                   "421 4.3.2 Full" if verb == "MAIL" else None)
    second = lab.far(before=[full])
    send(lab, rcpts=[second.at("r")])
    claim(second.got(1) == 1 and full.sessions > 0, "or does not want now")


def breaks(lab, verb):
    """A connection that ends at any place: once more, nothing is lost."""
    broken = threading.Event()

    def answer(hop, v, line, session):
        if v == verb and not broken.is_set():
            broken.set()
            return False
        return None
    hop = lab.far(answer)
    both(lab, hop, "4.4.2", r"connection lost \(")
    same(len(hop.mails), 1,
         f"a connection that breaks at {verb}: one mail in the end")


def garbage(lab, verb, reply):
    hop = lab.far(lambda hop, v, line, session:
                  reply if v == verb and session == 1 else None)
    both(lab, hop, "4.5.0", "protocol error ")


def hangs(lab, verb):
    """For longer than is waited for."""
    stop = threading.Event()

    def answer(hop, v, line, session):
        if v == verb and session == 1:
            stop.wait(60)
            return False
        return None
    hop = lab.far(answer, room=65536)
    name = send(lab, b"x" * 70 + b"\r\n" + (b"y" * 78 + b"\r\n") * 40000,
                rcpts=[hop.at("r")])
    fate(lab, name, "deferred", "4.4.2", "timeout ", hop.at("r"))
    stop.set()
    fate(lab, name, "delivered", "2.0.0", "250", hop.at("r"))
    same(len(hop.mails), 1, f"a next hop that hangs at {verb}: one mail")


def breaking():
    gone, there = Hop(), Hop()
    lab = Wide(gone.text, there.text)
    together(
        lambda: nobody_there(lab), lambda: second_choice(lab, gone, there),
        *[lambda verb=verb: breaks(lab, verb) for verb in (
            "CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "BODY", ".")],
        *[lambda verb=verb, reply=reply: garbage(lab, verb, reply)
          for verb, reply in (
              ("CONNECT", "SSH-2.0-OpenSSH_9.2"),
              ("EHLO", "250-x\r\n220 y"),
              ("MAIL", "354 go"),
              ("RCPT", "\x01\x02\x03"),
              ("DATA", "250 what"),
              ("RCPT", "250 ok\r\n250 ok\r\n250 ok"),
              ("EHLO", "250-" + "x" * 5000))])
    claim(wait_for(lab.is_empty), "nothing is left")
    lab.end()


def hanging():
    lab = Wide(smtp_out_reply_time="2s", smtp_out_end_time="2s")
    together(*[lambda verb=verb: hangs(lab, verb)
               for verb in ("CONNECT", "RCPT", "BODY", ".")])
    claim(wait_for(lab.is_empty), "nothing is left")
    lab.end()


run(lambda: together(breaking, hanging))
