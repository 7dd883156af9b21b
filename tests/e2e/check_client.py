#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Checks of the client: its name, HELO, rates, and senders of ours from
# outside; each reply by name.
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from dnslab import FAIL, SILENT, Dns, reverse
from smtplab import Client, Hop, Lab, claim, run, same, wait_for

NAMED, NONE = "127.0.0.2", "127.0.0.4"
# of which DNS may tell: names of loopback addresses are libunbound's own
GOOD, WRONG, BROKEN, SILENT_IP = (f"192.0.2.{i}" for i in range(2, 6))
hop = Hop()
dns = Dns({
    reverse(GOOD): {"PTR": "client.example"},
    reverse("2001:db8::5"): {"PTR": ["other.example", "six.example"]},
    reverse(WRONG): {"PTR": "client.example"},
    reverse(BROKEN): FAIL,
    reverse(SILENT_IP): SILENT,
    "client.example": {"A": GOOD, "MX": "10 client.example"},
    "six.example": {"AAAA": "2001:db8::5"},
})
lab = Lab(hop.text, resolver=dns.text, client_name_time="1s")
HELP = "; postmaster@ours.example helps"


def say(source=NAMED, helo="client.example", sender="a@client.example",
        rcpt="r@ours.example"):
    c = Client(lab, source)
    got = c.reply()
    if got.startswith("220"):
        c.say(f"EHLO {helo}")
        c.say(f"MAIL FROM:<{sender}>")
        got = c.say(f"RCPT TO:<{rcpt}>")
        c.say("QUIT")
    c.close()
    return got


def becomes(want, words, **how):
    got = wait_for(lambda: say(**how).startswith(want))
    return claim(got, f"{words}: {want}", say(**how))


def knob(name, value, want=None, words=None, **how):
    """Sets it for the domain, and waits until it counts."""
    lab.ctl("setting", "set", name, value, "--domain", "ours.example")
    if want:
        becomes(want, words, **how)


def unset(*names):
    for name in names:
        lab.ctl("setting", "unset", name, "--domain", "ours.example")


def tested(check, *words):
    """The row of a check when mcd plays a session."""
    rows = [json.loads(line) for line in
            lab.ctl("--json", "test", "smtp", *words).splitlines()]
    return next(r for r in rows if r["check"] == check)


def rdns():
    none = "550 5.7.25 Client's address has no name in DNS" + HELP
    wrong = ("550 5.7.25 Client's name in DNS does not have its address" +
             HELP)
    knob("rdns_check", "ptr", none, "a client without a name", source=NONE)
    same(say(NONE, rcpt="postmaster@ours.example")[:3], "250",
         "postmaster is reached")
    to = ("--to", "r@ours.example", "--helo", "x.example")
    for value, ip, result, reply, detail in (
            ("ptr", GOOD, "pass", "", "client.example"),
            ("ptr", "2001:db8::5", "pass", "", "six.example"),
            ("ptr", WRONG, "pass", "", "client.example has not this address"),
            ("ptr", "192.0.2.77", "refuse", none, "no PTR"),
            ("fcrdns", WRONG, "refuse", wrong,
             "client.example has not this address"),
            ("fcrdns", BROKEN, "unsure", "", "DNS cannot tell"),
            ("fcrdns", SILENT_IP, "unsure", "", "DNS cannot tell"),
            ("fcrdns", GOOD, "pass", "", "client.example")):
        lab.ctl("setting", "set", "rdns_check", value, "--domain",
                "ours.example")

        def is_so():
            got.update(tested("rdns", "--from-ip", ip, *to))
            return got["value"] == value and got["result"] == result

        got = {}
        claim(wait_for(is_so), f"{ip}, {value}: {result}", got)
        same((got["reply"], got["detail"], got["from"]),
             (reply, detail, "domain ours.example"), "and says why")
    unset("rdns_check")


def helo():
    knob("helo_check", "syntax", "550 5.7.1 HELO name is not a host's name" +
         HELP, "HELO with an underline only", helo="_ _")
    same(say(helo="localhost")[:3], "250", "a name without a dot is a name")
    knob("helo_check", "fqdn", "550 5.7.1 HELO name is not a full name (with "
         "its domain)" + HELP, "but no full one", helo="localhost")
    same(say(helo="[127.0.0.2]")[:3], "250", "an address literal")
    knob("helo_check", "resolves", "550 5.7.1 HELO name is not in DNS" + HELP,
         "a name that is not in DNS", helo="nobody.example")
    same(say()[:3], "250", "one that is")
    unset("helo_check")


def own():
    knob("own_sender_refuse", "yes", "550 5.7.1 Sender is of this "
         "organisation, but the client is not" + HELP,
         "a sender of ours from outside", sender="me@ours.example")
    same(say()[:3], "250", "another sender")
    lab.ctl("relay", "add", NAMED)
    becomes("250", "a sender of ours from a relay host",
            sender="me@ours.example")
    lab.ctl("relay", "delete", NAMED)
    unset("own_sender_refuse")


def rates():
    def limit(name, value):
        lab.ctl("setting", "set", name, value)
    limit("client_rcpt_rate", "2")
    becomes("450 4.7.1 Too many recipients a minute, try again later" + HELP,
            "recipients", source=NONE)
    limit("client_rcpt_rate", "0")
    limit("client_message_rate", "2")
    becomes("450 4.7.1 Too many messages a minute, try again later" + HELP,
            "messages", source=NONE)
    same(say(NAMED)[:3], "250", "another client has its own")
    limit("client_message_rate", "0")
    limit("client_connection_rate", "2")
    becomes("421 4.7.0 Too many connections a minute, try again later; "
            "postmaster@lab.example helps", "connections", source=NONE)
    claim(lab.logs(r"- refuse check=connection_rate client=127\.0\.0\.4"),
          "which is logged")
    limit("client_connection_rate", "0")
    becomes("250", "without limits", source=NONE)


run(rdns, helo, own, rates)
