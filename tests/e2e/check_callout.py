#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Recipients by callout: what servers say, what is kept of it, and that a
# server which does not tell refuses nobody.
# deadline: 240
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from smtplab import Hop, Lab, claim, client, run, same, wait_for

MODE = {"to": "list", "asked": 0}
HELP = "; postmaster@ours.example helps"
NO = "550 5.1.1 No such recipient here" + HELP
LATER = ("451 4.4.1 Recipient cannot be asked for now, try again later" +
         HELP)


def answer(hop, verb, line, session):
    """A server as MODE says; those it knows begin with "good"."""
    del hop, session
    mode = MODE["to"]
    if verb == "CONNECT" and mode == "closed":
        return "554 5.7.1 not you"
    if verb == "MAIL":
        MODE["mail"] = line
        if mode == "null":
            return "550 5.7.1 no null sender"
        if mode == "mail4":
            return "451 4.7.1 not now"
    if verb == "DATA":
        MODE["data"] = True
    if verb == "RCPT":
        MODE["asked"] += 1
        if mode == "grey":
            return "450 4.7.1 come back"
        if mode == "list" and "<good" not in line:
            return "550 5.1.1 nobody here"
    return None


hop = Hop(answer)
lab = Lab(hop.text, rcpt_check="callout", callout_yes_keep="1h",
          callout_no_keep="1h", callout_unreachable_keep="1s",
          callout_time="2s")


def ask(rcpt, sender="a@client.example"):
    c = client(lab)
    c.say(f"MAIL FROM:<{sender}>")
    got = c.say(f"RCPT TO:<{rcpt}@ours.example>")
    c.say("QUIT")
    return got


def known(word=""):
    return {r["address"]: r["result"] for r in (
        json.loads(line) for line in
        lab.ctl("--json", "callout", "list", word).splitlines())}


def mode(name):
    MODE["to"] = name
    lab.ctl("callout", "flush")


def says():
    same(ask("good1")[:3], "250", "one whom the server takes")
    same(MODE["mail"].split()[1], "FROM:<>", "it is asked as the null sender")
    asked = MODE["asked"]
    same(asked, 2, "once, and for nobody, as the domain is new")
    same(ask("good1")[:3], "250", "and again")
    same(MODE["asked"], asked, "is known then")
    same(ask("bad1"), NO, "one whom it does not take is refused")
    same(MODE["asked"], asked + 1, "after one question")
    same(ask("bad1"), NO, "and again")
    same(MODE["asked"], asked + 1, "is known then")
    claim(lab.logs(r"- refuse check=callout client=127.0.0.1 .* "
                   r"to=<?bad1@ours.example>? code=550 why=\".*nobody here"),
          "the log has the server's words", lab.log())
    same(known(), {"good1@ours.example": "yes", "bad1@ours.example": "no",
                   "@ours.example": "no"}, "mcctl lists what is known")
    same(known("bad"), {"bad1@ours.example": "no"}, "or some of it")
    for rcpt in ("postmaster", "abuse"):
        same(ask(rcpt)[:3], "250", f"{rcpt} is taken without a callout")
    same(MODE["asked"], asked + 1, "as was to be shown")
    lab.ctl("callout", "flush", "bad1")
    MODE["to"] = "all"
    same(ask("bad1")[:3], "250", "what is flushed is asked for again")
    claim("data" not in MODE and not hop.mails, "no mail was ever begun")


def catch_all():
    mode("all")
    same(ask("some1")[:3], "250", "of a server that takes all")
    same(known()["@ours.example"], "yes", "it is known that it does")
    asked = MODE["asked"]
    same(ask("some2")[:3], "250", "others are taken")
    same(MODE["asked"], asked, "without asking")


def unreachable():
    for name, words in (("grey", "that puts the recipient off"),
                        ("mail4", "that puts MAIL off"),
                        ("closed", "that refuses us")):
        mode(name)
        same(ask("any")[:3], "250", f"a server {words}: taken")
        same(known(), {"any@ours.example": "unreachable"}, "as unreachable")
    claim(lab.logs("- unsure check=callout"), "which is logged")
    mode("null")
    same(ask("any")[:3], "250", "one that refuses the null sender: taken")
    same(known(), {"any@ours.example": "yes"}, "and nothing of the domain")
    lab.ctl("setting", "set", "rcpt_unreachable", "later", "--domain",
            "ours.example")
    mode("grey")
    claim(wait_for(lambda: ask("any") == LATER), "or all of these later")
    MODE["to"] = "list"
    claim(wait_for(lambda: ask("good2")[:3] == "250"), "until it tells")


def roles_down():
    mode("list")
    os.kill(lab.pid("outgoing"), 19)
    c = client(lab)
    c.send("MAIL FROM:<a@client.example>\r\nRCPT TO:<good3@ours.example>\r\n")
    same([c.reply()[:3], c.reply()], ["250", LATER],
         "outgoing hangs: later, after a time")
    os.kill(lab.pid("outgoing"), 18)
    os.kill(lab.pid("outgoing"), 9)
    claim(wait_for(lambda: ask("good4")[:3] == "250"),
          "outgoing dies: all is well again")
    os.kill(lab.pid("control"), 9)
    claim(wait_for(lambda: ask("good5")[:3] == "250"), "so with control")
    same(ask("bad5"), NO, "and nobody is taken who should not be")


run(says, catch_all, unreachable, roles_down)
