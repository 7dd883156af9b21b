#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# A stop while sessions are open: idle ones are told, messages on their way
# in are finished, nothing that was answered 250 is lost; and a session that
# outlives a reload.
import os
import signal
import socket
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, is_alive
from smtplab import BODY, Client, Hop, claim, client, run, same, wait_for

STOPPING = "421 4.3.2 Service is stopping, try again later"


def is_refused(lab):
    try:
        socket.create_connection(lab.smtp, 5).close()
    except OSError:
        return True
    return False


class Halt:
    """A next hop that stays at some place of one mail until go is set."""

    def __init__(self):
        self.place = None
        self.reached, self.go = threading.Event(), threading.Event()
        self.hop = Hop(self.answer)

    def answer(self, hop, verb, line, session):
        if verb == self.place:
            self.place = None
            self.reached.set()
            self.go.wait(20)

    def at(self, place):
        self.place = place
        self.reached.clear()
        self.go.clear()


def data_begun(lab, words):
    c = client(lab)
    same(c.begin()[:3], "354", words)
    c.send(b"Subject: x\r\n")
    return c


def deliver_to(lab, halt, place):
    """A mail whose delivery is under way, and does not go on."""
    halt.at(place)
    same(client(lab).mail(BODY)[:3], "250", "a mail is taken")
    claim(halt.reached.wait(20), f"its delivery is at {place}")


def ends(lab, words="mcd goes"):
    """A stop that has been asked for, and a new start."""
    claim(wait_for(lambda: not is_alive(lab.parent())), words)
    claim(lab.logs(r"mcd\[\d+\]: stopped"), "in order")
    lab.start_mcd()


def stop(lab, halt):
    """Idle sessions are told; what is under way is finished, in and out."""
    hop = halt.hop
    before = len(hop.mails)
    deliver_to(lab, halt, ".")
    fresh, idle, begun = Client(lab), client(lab), client(lab)
    fresh.reply()
    begun.say("MAIL FROM:<>")
    data = data_begun(lab, "a message is on its way in")
    lab.kill(lab.parent(), signal.SIGTERM)
    same([c.reply() for c in (fresh, idle, begun)], [STOPPING] * 3,
         "idle sessions are told at a stop")
    claim(all(c.is_closed() for c in (fresh, idle, begun)), "and closed")
    claim(wait_for(lambda: is_refused(lab), 3), "no new ones are taken")
    data.send(b"\r\nbody\r\n.\r\n")
    got = data.reply()
    claim(got.startswith("250 2.0.0"), "the message is finished", got)
    same(data.reply(), STOPPING, "then its session ends too")
    claim(lab.logs("role gone role=incoming"), "then outgoing has to stop")
    halt.go.set()
    claim(wait_for(lambda: not is_alive(lab.parent())), "mcd goes")
    claim(any(b"hello" in body for _, body, _ in hop.mails[before:]),
          "the answer to the end of a delivery was waited for")
    ends(lab)
    same(hop.got(before + 2), before + 2,
         "what it took is delivered, then or at the next start")
    claim(wait_for(lab.is_empty), "nothing is left")
    same(len(hop.mails), before + 2, "and each was delivered once")


def stop_slow(lab, halt):
    """What does not come to its end is given up when its time is over."""
    hop = halt.hop
    before = len(hop.mails)
    lab.ctl("setting", "set", "stop_data_time", "1s")
    deliver_to(lab, halt, "RCPT")
    data = data_begun(lab, "a message that never ends")
    lab.kill(lab.parent(), signal.SIGTERM)
    same(data.reply(), STOPPING, "is given up when its time is over")
    ends(lab, "a mail of which nothing was sent is not waited for")
    halt.go.set()
    claim(wait_for(lab.is_empty), "nothing is left after a new start")
    same(len(hop.mails), before + 1, "and the mail was delivered once")


def stop_twice(lab):
    lab.ctl("setting", "set", "stop_data_time", "100s")
    data_begun(lab, "a message is on its way in")
    stopping = lab.log().count("stopping signal=")
    lab.kill(lab.parent(), signal.SIGTERM)
    claim(lab.logs("stopping signal=", times=stopping + 1), "mcd is stopping")
    lab.kill(lab.parent(), signal.SIGTERM)
    claim(wait_for(lambda: not is_alive(lab.parent()), 20),
          "a second signal: at once")
    lab.down()


def reload(lab, hop):
    before = len(hop.mails)
    c = data_begun(lab, "a session is in DATA")
    lab.ctl("reload")
    same(client(lab).mail(BODY)[:3], "250", "after a reload mail goes on")
    same(hop.got(before + 1), before + 1, "to its end")
    c.send(b"\r\n.\r\n")
    same(c.reply()[:9], "250 2.0.0", "and so does that session")
    same(c.mail(BODY)[:9], "250 2.0.0", "with another mail")
    same(hop.got(before + 3), before + 3, "all are delivered")
    path = f"{lab.dir}/etc/mcd.conf"
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace('hostname = "lab.example"',
                             'hostname = "new.example"'))
    lab.ctl("reload")
    claim(wait_for(lambda: Client(lab).reply().startswith(
        "220 new.example")), "a new name is used for new sessions")


def queue_dies(lab, hop):
    before = len(hop.mails)
    data_begun(lab, "a session is in DATA")
    ready = lab.log().count("ready generation")
    lab.kill(lab.pid("queue"))
    claim(lab.logs("ready generation", times=ready + 1),
          "queue dies: everything is started again", lab.log())

    def is_taken():
        try:
            return client(lab).mail(BODY)[:3] == "250"
        except OSError:
            return False
    claim(wait_for(is_taken), "and takes mail again")
    # One that was not answered may have been taken all the same (RFC 1047).
    claim(hop.got(before + 1) > before, "which is delivered", before)


def control_dies(lab):
    c = client(lab)
    same(c.mail(BODY)[:3], "250", "a mail before")
    lab.kill(lab.pid("control"))

    def again():
        c.say("RSET")
        c.say("MAIL FROM:<>")
        got = c.say("RCPT TO:<r@ours.example>")
        if not got.startswith("250"):
            claim(got.startswith("451 4.3.0"),
                  "without control a recipient is put off", got)
        return got.startswith("250")
    claim(wait_for(again), "with control back the same session goes on")


def main():
    halt = Halt()
    lab = Lab(halt.hop.text, sets={"stop_data_time": "20s",
                                   "stop_reply_time": "20s"})
    reload(lab, halt.hop)
    control_dies(lab)
    queue_dies(lab, halt.hop)
    claim(wait_for(lab.is_empty), "all is delivered")
    stop(lab, halt)
    stop_slow(lab, halt)
    stop_twice(lab)


run(main)
