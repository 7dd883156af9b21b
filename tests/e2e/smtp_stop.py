#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# A stop while sessions are open: idle ones are told, messages on their way
# in are finished, nothing that was answered 250 is lost; and a session that
# outlives a reload.
# deadline: 200
import os
import signal
import socket
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from smtplab import (BODY, Client, Hop, Lab, claim, client, run, same, send,
                     wait_for)


def mcd(lab):
    with open(f"{lab.dir}/mcd.pid", encoding="ascii") as f:
        return int(f.read())


def is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def stop():
    hop = Hop()
    lab = Lab(hop.text, stop_data_time="20s")
    fresh, idle, begun, data = (Client(lab), client(lab), client(lab),
                                client(lab))
    fresh.reply()
    begun.say("MAIL FROM:<>")
    same(data.begin()[:3], "354", "a message is on its way in")
    data.send(b"Subject: x\r\n")
    os.kill(mcd(lab), signal.SIGTERM)
    words = "421 4.3.2 Service is stopping, try again later"
    same([c.reply() for c in (fresh, idle, begun)], [words] * 3,
         "idle sessions are told at a stop")
    claim(all(c.is_closed() for c in (fresh, idle, begun)), "and closed")

    def is_refused():
        try:
            socket.create_connection(lab.smtp, 5).close()
        except OSError:
            return True
        return False
    claim(wait_for(is_refused, 3), "no new ones are taken")
    data.send(b"\r\nbody\r\n.\r\n")
    got = data.reply()
    claim(got.startswith("250 2.0.0"), "the message is finished", got)
    same(data.reply(), words, "then its session ends too")
    claim(wait_for(lambda: is_gone(mcd(lab))), "mcd goes")
    claim(lab.logs(r"mcd\[\d+\]: stopped"), "in order")
    lab.down()
    lab.up("--relay-to", hop.text)
    same(hop.got(1), 1, "what it took is delivered, then or at the next start")
    lab.end()


def stop_slow():
    lab = Lab(stop_data_time="1s", stop_reply_time="1s")
    data = client(lab)
    same(data.begin()[:3], "354", "a message that never ends")
    os.kill(mcd(lab), signal.SIGTERM)
    same(data.reply(), "421 4.3.2 Service is stopping, try again later",
         "is given up when its time is over")
    claim(wait_for(lambda: is_gone(mcd(lab))), "mcd goes")
    lab.down()
    lab.end()


def stop_twice():
    lab = Lab()
    data = client(lab)
    same(data.begin()[:3], "354", "a message is on its way in")
    os.kill(mcd(lab), signal.SIGTERM)
    claim(lab.logs("stopping"), "mcd is stopping")
    os.kill(mcd(lab), signal.SIGTERM)
    claim(wait_for(lambda: is_gone(mcd(lab)), 10), "a second signal: at once")
    lab.down()
    lab.end()


def stop_delivering():
    """Deliveries under way when mcd stops: finished, or once more later."""
    for place, gets in (("RCPT", False), (".", True)):
        reached, go = threading.Event(), threading.Event()

        def answer(hop, verb, line, session, place=place, reached=reached,
                   go=go):
            if verb == place and session == 1:
                reached.set()
                go.wait(20)
            return None
        hop = Hop(answer)
        lab = Lab(hop.text, stop_data_time="1s", stop_reply_time="20s")
        send(lab)
        claim(reached.wait(20), f"a delivery is at {place}")
        os.kill(mcd(lab), signal.SIGTERM)
        claim(lab.logs("stopping"), "mcd is stopping")
        if not gets:
            claim(wait_for(lambda: is_gone(mcd(lab)), 10),
                  "what was not sent is not waited for")
        go.set()
        claim(wait_for(lambda: is_gone(mcd(lab))), "mcd goes")
        if gets:
            same(len(hop.mails), 1, "the answer to the end is waited for")
        lab.down()
        lab.up("--relay-to", hop.text)
        claim(wait_for(lab.is_empty), "nothing is left after a new start")
        same(len(hop.mails), 1, "and the mail was delivered once")
        lab.end()


def reload():
    hop = Hop()
    lab = Lab(hop.text)
    c = client(lab)
    same(c.begin()[:3], "354", "a session is in DATA")
    c.send(b"Subject: x\r\n")
    lab.ctl("reload")
    send(lab)
    same(hop.got(1), 1, "after a reload mail goes on")
    c.send(b"\r\n.\r\n")
    same(c.reply()[:9], "250 2.0.0", "and so does that session")
    same(c.mail(BODY)[:9], "250 2.0.0", "with another mail")
    same(hop.got(3), 3, "all are delivered")
    path = f"{lab.dir}/etc/mcd.conf"
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace('hostname = "lab.example"',
                             'hostname = "new.example"'))
    lab.ctl("reload")
    claim(wait_for(lambda: Client(lab).reply().startswith(
        "220 new.example")), "a new name is used for new sessions")
    lab.end()


def queue_dies():
    hop = Hop()
    lab = Lab(hop.text)
    data = client(lab)
    same(data.begin()[:3], "354", "a session is in DATA")
    os.kill(lab.pid("queue"), signal.SIGKILL)
    claim(wait_for(lambda: lab.log().count("listening name=smtp address") > 2
                   or lab.log().count("ready generation") > 1),
          "queue dies: everything is started again", lab.log())
    got = wait_for(lambda: [c for c in [client(lab)]
                            if c.mail(BODY)[:3] == "250"])
    claim(got, "and takes mail again")
    same(hop.got(1), 1, "which is delivered")
    lab.end()


def control_dies():
    hop = Hop()
    lab = Lab(hop.text)
    c = client(lab)
    same(c.mail(BODY)[:3], "250", "a mail before")
    os.kill(lab.pid("control"), signal.SIGKILL)

    def again():
        c.say("RSET")
        c.say("MAIL FROM:<>")
        got = c.say("RCPT TO:<r@ours.example>")
        if not got.startswith("250"):
            claim(got.startswith("451 4.3.0"),
                  "without control a recipient is put off", got)
        return got.startswith("250")
    claim(wait_for(again), "with control back the same session goes on")
    lab.end()


run(stop, stop_slow, stop_twice, stop_delivering, reload, queue_dies,
    control_dies)
