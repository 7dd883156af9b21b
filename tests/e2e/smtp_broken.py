#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Delivery to next hops that are not there, break, hang or talk garbage: the
# mail is deferred with a clear word and delivered in the end.
# deadline: 300
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from smtplab import Hop, Lab, claim, fate, run, same, send, wait_for


def nobody_there():
    hop = Hop()
    hop.close()
    lab = Lab(hop.text)
    name = send(lab)
    fate(lab, name, "deferred", "4.4.1", r"cannot connect \(Connection ref")
    hop = Hop(port=hop.port)
    same(hop.got(1), 1, "when it is back the mail is delivered")
    fate(lab, name, "delivered", "2.0.0", "250")
    lab.end()


def second_choice():
    gone, there = Hop(), Hop()
    gone.close()
    lab = Lab(gone.text, there.text)
    same(wait_for(lambda: send(lab) and there.got(1, 2)) > 0, True,
         "the second destination takes what the first cannot")
    lab.end()
    full, there = Hop(lambda hop, verb, line, session:
                      "421 4.3.2 Full" if verb == "MAIL" else None), Hop()
    lab = Lab(full.text, there.text)
    wait_for(lambda: send(lab) and there.got(1, 2))
    claim(there.mails, "or does not want now")
    lab.end()


def breaks():
    """Connections that end at any place: once more, nothing is lost."""
    for verb in ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "BODY", "."):
        state = {"broken": False}

        def answer(hop, v, line, session, verb=verb, state=state):
            if v == verb and not state["broken"]:
                state["broken"] = True
                return False
            return None
        hop = Hop(answer)
        lab = Lab(hop.text)
        name = send(lab)
        fate(lab, name, "deferred", "4.4.2", r"connection lost \(")
        fate(lab, name, "delivered", "2.0.0", "250")
        same(len(hop.mails), 1,
             f"a connection that breaks at {verb}: one mail in the end")
        lab.end()


def hangs():
    for verb, knob in (("CONNECT", "smtp_out_reply_time"),
                       ("RCPT", "smtp_out_reply_time"),
                       ("BODY", "smtp_out_reply_time"),
                       (".", "smtp_out_end_time")):
        stop = threading.Event()

        def answer(hop, v, line, session, verb=verb, stop=stop):
            if v == verb and session == 1:
                stop.wait(60)
                return False
            return None
        hop = Hop(answer)
        lab = Lab(hop.text, **{knob: "1s"})
        name = send(lab, b"x" * 70 + b"\r\n" + (b"y" * 78 + b"\r\n") * 100000)
        fate(lab, name, "deferred", "4.4.2", "timeout ")
        stop.set()
        fate(lab, name, "delivered", "2.0.0", "250")
        same(len(hop.mails), 1, f"a next hop that hangs at {verb}")
        lab.end()


def garbage():
    for verb, reply in (("CONNECT", "SSH-2.0-OpenSSH_9.2"),
                        ("EHLO", "250-x\r\n220 y"),
                        ("MAIL", "354 go"),
                        ("RCPT", "\x01\x02\x03"),
                        ("DATA", "250 what"),
                        ("RCPT", "250 ok\r\n250 ok\r\n250 ok"),
                        ("EHLO", "250-" + "x" * 5000)):
        hop = Hop(lambda hop, v, line, session, verb=verb, reply=reply:
                  reply if v == verb and session == 1 else None)
        lab = Lab(hop.text)
        name = send(lab)
        fate(lab, name, "deferred", "4.5.0", "protocol error ")
        fate(lab, name, "delivered", "2.0.0", "250")
        lab.end()


run(nobody_there, second_choice, breaks, hangs, garbage)
