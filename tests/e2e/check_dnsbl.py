#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# DNS lists at stage 1, and their health: what is broken, lies, is slow, dead
# or refuses us never refuses mail, is suspended, and comes back by itself.
# The lists are nsd's, asked through unbound.
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from dnslab import SILENT, Dns, reverse  # noqa: E402
from mclab import Lab, claim, same, wait_for  # noqa: E402
from rbllab import Nsd, Unbound, free_port  # noqa: E402
from smtplab import Client, run  # noqa: E402

BAD, ODD, GOOD, NEW = (f"192.0.2.{i}" for i in (66, 67, 1, 2))


def entry(ip, reply):
    return f"{reverse(ip, 'x').removesuffix('.x')} A {reply}"


TEST = "2.0.0.127 A 127.0.0.2"
TEST6 = entry("::ffff:127.0.0.2", "127.0.0.2")
GOES_ON = [TEST, entry(BAD, "127.0.0.2"), entry(ODD, "127.0.0.9")]
nsd = Nsd({
    "bad.example": [TEST, TEST6, entry(BAD, "127.0.0.2"),
                    entry("2001:db8::66", "127.0.0.2"),
                    "66.2.0.192 TXT \"see http://bad.example\"",
                    entry(ODD, "127.0.0.99")],
    "known.example": [TEST, entry(BAD, "127.0.0.2"),
                      entry(ODD, "127.0.0.3")],
    "all.example": ["* A 127.0.0.2"],
    "nothing.example": [],
    "refuses.example": ["* A 127.255.255.254"],
    "sold.example": ["* A 198.51.100.7"],
    "four.example": [TEST, entry(BAD, "127.0.0.2")],
    "goes.example": GOES_ON,
})
slow = Dns({"slow.example": SILENT})
slow.is_down = True  # takes questions and is silent
resolver = Unbound({**{zone: nsd.port for zone in nsd.zones}, "dead.example": free_port(),
                    "slow.example": int(slow.text.split("@")[1])})
lab = Lab("127.0.0.1:9", smtp_with='xclient_from = [ "127.0.0.1" ];',
          resolver=resolver.text, domains=["keen.example"],
          domain_sets=["keen.example:dnsbl_refuse=yes"],
          sets={"client_names": "no", "sender_domain_check": "no", "rbl_probe": "1s", "rbl_retry": "1s",
                "dnsbl_time": "1s"})


def ask(ip, rcpt="r@keen.example"):
    c = Client(lab)
    c.reply()
    c.say("XCLIENT ADDR=" + ("IPV6:" if ":" in ip else "") + ip)
    c.say("EHLO client.example")
    c.say("MAIL FROM:<a@client.example>")
    got = c.say(f"RCPT TO:<{rcpt}>")
    c.say("QUIT")
    return got


def add(name, *words, lists="ip4"):
    lab.ctl("rbl", "add", name, "--zone", f"{name}.example", "--lists", lists,
            "--use", "refuse", "--replies", "127.0.0.2,127.0.0.3=0.0", *words)


def state(name):
    return next(r for r in lab.rows("rbl", "list") if r["name"] == name)


def refusals():
    same(ask(BAD)[:3], "250", "no list, no refusal")
    add("bad", lists="ip4,ip6")
    refused = ("554 5.7.1 Client %s is listed by bad%s; "
               "postmaster@keen.example helps")
    with_text = refused % (BAD, ": see http://bad.example")
    claim(wait_for(lambda: ask(BAD) == with_text),
          "listed: refused with the list's text", ask(BAD), lab.log()[-3000:])
    same(ask("2001:db8::66"), refused % ("2001:db8::66", ""), "IPv6 too")
    same(ask(GOOD)[:3], "250", "who is not listed is not")
    same(ask(BAD, "r@ours.example")[:3], "250",
         "nor anybody at a domain that does not want it")
    for rcpt in ("postmaster@keen.example", "abuse@keen.example"):
        same(ask(BAD, rcpt)[:3], "250", f"{rcpt} is reached")
    lab.ctl("rbl", "set", "bad", "--text", "Go away")
    claim(wait_for(lambda: ask(BAD) == refused % (BAD, ": Go away")),
          "a text of our own")
    claim(lab.logs(rf"- refuse check=dnsbl client={BAD} helo=client\.example "
                   r"from=<a@client\.example> to=<r@keen\.example> code=554 "
                   r'why="bad says 127\.0\.0\.2"'), "and a line in the log")
    same(ask(ODD)[:3], "250", "a reply that is none of the list's is none")
    claim(lab.logs(rf'- unsure check=dnsbl client={ODD} why="bad says '
                   r'127\.0\.0\.99, which is none of its replies"'),
          "which is said")
    add("known")
    claim(wait_for(lambda: state("known")["state"] == "on" and
                   ask(ODD)[:3] == "250"), "nor is one worth nothing")
    lab.ctl("relay", "add", BAD)
    claim(wait_for(lambda: ask(BAD)[:3] == "250"), "relay hosts pass")
    lab.ctl("relay", "delete", BAD)


WRONG = {
    "all": "it lists what must not be listed",
    "nothing": "its test entry is not there",
    "refuses": "says 127.255.255.254: it does not answer us",
    "sold": "says 198.51.100.7, which is none of its replies",
    "dead": "does not answer",
    "slow": "does not answer",
}


def suspended(name, why):
    claim(wait_for(lambda: state(name)["state"] == "suspended"),
          f"{name}: suspended", lab.log()[-3000:])
    claim(why in state(name)["why"], f"because: {why}", state(name))


def health():
    for name in ("bad", "known"):
        lab.ctl("rbl", "delete", name)
    for name in WRONG:
        add(name)
    for name, why in WRONG.items():
        suspended(name, why)
    same(ask(NEW)[:3], "250", "none of them refuses anybody")
    claim(lab.logs(rf"- unsure check=dnsbl client={NEW} why=\"all is "
                   r"suspended; "), "they are left out", lab.log()[-2000:])
    claim(len([line for line in lab.log().splitlines()
               if "rbl suspended list=all " in line]) == 1,
          "with one warning each")
    add("four", lists="ip4,ip6")
    claim(wait_for(lambda: "IPv6" in state("four")["why"]),
          "a list without IPv6 is suspended for that", state("four"))
    claim(wait_for(lambda: "listed by four" in ask(BAD)),
          "and not for IPv4", ask(BAD))
    rows = {r["list"]: r for r in lab.rows("rbl", "test", BAD)}
    same([(n, rows[n]["result"]) for n in
          ("all", "four", "nothing", "refuses", "sold")],
         [("all", "listed"), ("four", "listed"), ("nothing", "not listed"),
          ("refuses", "refuses"), ("sold", "broken reply")],
         "rbl test asks each of them all the same")
    same((rows["four"]["query"], rows["four"]["finding"],
          rows["all"]["state"]),
         ("66.2.0.192.four.example", "RBL_FOUR", "suspended"),
         "and tells how it is doing")
    for name in (*WRONG, "four"):
        lab.ctl("rbl", "delete", name)
    same(lab.rows("rbl", "list"), [], "all are gone")


def recovery():
    add("goes")
    claim(wait_for(lambda: "listed by goes" in ask(BAD)), "a list that works")
    nsd.change("goes.example", ["* A 127.255.255.254"])
    claim(wait_for(lambda: ask(BAD)[:3] == "250"),
          "refuses us in the middle: it refuses nobody")
    claim(wait_for(lambda: state("goes")["state"] == "suspended"),
          "and is suspended")
    nsd.change("goes.example", GOES_ON)
    claim(wait_for(lambda: "listed by goes" in ask(BAD)),
          "it comes back by itself", lab.log()[-2000:])
    claim(lab.logs("- rbl in use again list=goes half=IPv4"), "and says so")
    os.kill(lab.pid("lookup"), 9)
    claim(wait_for(lambda: "listed by goes" in ask(BAD)),
          "also when lookup has died", lab.log()[-2000:])
    add("bad", lists="ip4,domain")
    got = lab.run("rbl", "test", "www.a.example", "--resolver",
                  resolver.text)
    claim(got.returncode == 0 and "a.example.bad.example" in got.stdout,
          "rbl test asks without mcd too", got.stdout, got.stderr)
    nsd.stop()
    claim(wait_for(lambda: ask(NEW)[:3] == "250" and
                   state("goes")["state"] == "suspended"),
          "a server that is gone refuses nobody")


def offline():
    lab.down()
    got = lab.run("rbl", "test", BAD)
    claim(got.returncode == 69 and "--resolver" in got.stderr,
          "which says how when mcd does not run", got.returncode, got.stderr)


run(refusals, health, recovery, offline)
