#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Fields with our own prefix that came with a mail are renamed; those of a
# listed peer are kept, and a restart in between changes nothing of that.
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, Sink, claim, same, text_mail, wait_for  # noqa: E402
from smtplab import Client, run  # noqa: E402

PEER, OTHER = "127.0.0.2", "127.0.0.1"
sink = Sink()
lab = Lab(sink.text, sets={"headers_add": "no"})


def send(source, subject):
    c = Client(lab, source)
    c.reply()
    c.say("EHLO client.example")
    got = c.mail(text_mail(subject, X_MC_Status="clean", x_mc_id="1"))
    c.close()
    claim(got.startswith("250"), f"{subject} is taken", got)


def header(word):
    """Of the mail with this subject, without what we put before it."""
    def found():
        return [m for _, _, m in sink.all()
                if f"Subject: {word}".encode() in m]
    wait_for(found)
    text = found()[0].partition(b"\r\n\r\n")[0].decode()
    return text[text.index("From: "):].split("\r\n")


def plain(word, *fields):
    return ["From: <a@client.example>", "To: <r@ours.example>",
            f"Subject: {word}", *fields]


def foreign():
    send(OTHER, "foreign")
    same(header("foreign"),
         plain("foreign", "X-Foreign-X-MC-Status: clean",
               "X-Foreign-x-mc-id: 1"), "anybody's fields are renamed")


def peers():
    lab.ctl("peer", "add", f"{PEER}/32")
    send(OTHER, "another")
    same(header("another")[3:], ["X-Foreign-X-MC-Status: clean",
                                 "X-Foreign-x-mc-id: 1"],
         "those of others still are")
    send(PEER, "peer")
    same(header("peer"), plain("peer", "X-MC-Status: clean", "x-mc-id: 1"),
         "those of a listed peer are kept")


def restarted():
    """What was decided at the door holds, however long the mail waits."""
    lab.ctl("setting", "set", "hold_mail", "yes")
    send(PEER, "held")
    claim(wait_for(lambda: lab.rows("queue", "count")[0]["hold"] == 1),
          "a mail is held", lab.log())
    lab.ctl("peer", "delete", f"{PEER}/32")
    lab.crash()
    lab.start_mcd()
    claim(wait_for(lambda: lab.rows("queue", "count")[0]["hold"] == 1),
          "and after a crash still is", lab.log())
    lab.ctl("setting", "set", "hold_mail", "no")
    lab.ctl("queue", "unhold", "all")
    same(header("held"), plain("held", "X-MC-Status: clean", "x-mc-id: 1"),
         "the peer was one when it sent it")
    lab.balances(delivered=4)


run(foreign, peers, restarted)
