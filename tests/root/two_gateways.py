#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 240
#
# Two gateways in network namespaces of their own, and two next hops: mail
# is shared between the next hops, goes to the second gateway while the
# first is down or drained, and is counted by both.
import atexit
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../e2e"))
from mclab import Lab, claim, client, same, text_mail, wait_for  # noqa: E402
from smtplab import Hop, run  # noqa: E402

HERE = "198.18.{}.1"   # RFC 2544: never routed
THERE = "198.18.{}.2"
MAILS = 30
gone = set()  # next hops that end every connection
slow = set()  # next hops that put off all


def answer(hop, verb, *_):
    """What a next hop says; None for the usual."""
    if hop in gone:
        return False
    return "451 4.3.0 not now" if verb == "RCPT" and hop in slow else None


def ip(*words):
    subprocess.run(["ip", *words], check=True, stdin=subprocess.DEVNULL)


class Namespace:
    def __init__(self, n):
        self.name = f"mcg{os.getpid()}.{n}"
        self.address = THERE.format(n)
        link, inner = f"mcg{os.getpid() % 100000}a{n}", f"mcgb{n}"
        ip("netns", "add", self.name)
        atexit.register(ip, "netns", "del", self.name)
        ip("link", "add", link, "type", "veth", "peer", "name", inner,
           "netns", self.name)
        ip("addr", "add", HERE.format(n) + "/30", "dev", link)
        ip("link", "set", link, "up")
        for words in (["link", "set", "lo", "up"],
                      ["addr", "add", self.address + "/30", "dev", inner],
                      ["link", "set", inner, "up"],
                      ["route", "add", "default", "via", HERE.format(n)]):
            ip("-n", self.name, *words)


class Gateway(Lab):
    """A lab that lives in a namespace."""

    def __init__(self, space, hops):
        self.space = space
        self.inside = ("ip", "netns", "exec", space.name)
        self.hops = hops
        super().__init__(hops[0].text)

    def up(self):
        super().up()
        self.ctl("domain", "set", "ours.example",
                 *[w for h in self.hops for w in ("--dest", f"{h.text},1")])

    def tool(self, verb, *words):
        words = [w.replace("127.0.0.1:0", self.space.address + ":0")
                 for w in words]
        return super().tool(verb, *words)


def send_by_mx(gateways, subject):
    """As a client does: the first that takes it; its number."""
    for i, gw in enumerate(gateways):
        try:
            c = client(gw)
            got = c.mail(text_mail(subject), rcpts=[f"{subject}@ours.example"])
            c.close()
        except OSError:
            continue
        if got.startswith("250"):
            return i
    return None


def share(gateways, hops, words):
    """Sends MAILS; which gateway took how many, all of them delivered."""
    before = sum(len(h.mails) for h in hops)
    took = [send_by_mx(gateways, f"{words}{n}") for n in range(MAILS)]
    claim(wait_for(lambda: sum(len(h.mails) for h in hops)
                   >= before + MAILS),
          f"{words}: all is delivered", took, gateways[0].log())
    return [took.count(i) for i in range(len(gateways))]


def status(gateway):
    return json.loads(gateway.run("--json", "status").stdout)


def drain_one(gateways, hops):
    """Holds mail while it begins; safe to stop once that is delivered."""
    slow.update(hops)
    took = send_by_mx(gateways, "waiting")
    same(took, 0, "the first takes a mail that next hops put off")
    said = json.loads(gateways[0].run("--json", "drain").stdout)
    same([said["draining"], said["safe_to_stop"]], [True, False],
         "it drains, and is not safe to stop")
    claim(wait_for(lambda: status(gateways[0])["left"] == 1),
          "that mail is what is left", status(gateways[0]))
    slow.clear()
    same(share(gateways, hops, "drained"), [0, MAILS],
         "the second takes all while the first is drained")
    got = gateways[0].run("drain", "--wait", "--timeout", "30s")
    claim(got.returncode == 0 and "safe to stop: yes" in got.stdout,
          "then the first is empty, and safe to stop", got)
    gateways[0].down()
    gateways[0].start_mcd()
    same(share(gateways, hops, "restarted"), [0, MAILS],
         "a restart does not open it")
    gateways[0].ctl("undrain")
    wait_for(lambda: not status(gateways[0])["draining"])
    same(share(gateways, hops, "open"), [MAILS, 0],
         "the first takes all when it is undrained")


def main():
    if os.geteuid() != 0 or shutil.which("ip") is None:
        print("ok 1 - two gateways # SKIP needs root and iproute2\n1..1")
        sys.exit(0)
    spaces = [Namespace(1), Namespace(2)]
    hops = [Hop(answer, host=HERE.format(1)) for _ in range(2)]
    gateways = [Gateway(space, hops) for space in spaces]
    same(share(gateways, hops, "both"), [MAILS, 0],
         "the first gateway takes what comes")
    each = [len(h.mails) for h in hops]
    claim(min(each) >= MAILS // 5, "both next hops get their share", each)
    gateways[0].down()
    same(share(gateways, hops, "second"), [0, MAILS],
         "the second takes all when the first is down")
    gateways[0].up()
    same(share(gateways, hops, "again"), [MAILS, 0],
         "the first takes again")
    drain_one(gateways, hops)
    gone.add(hops[0])
    hops[0].close()
    before = len(hops[1].mails)
    share(gateways, hops, "one")
    same(len(hops[1].mails) - before, MAILS,
         "one next hop gets all when the other is gone")
    for gw in gateways:
        gw.balances("the audit balances", lost_count=0, queued=0)
    accepted = sum(gw.audit()["accepted"] for gw in gateways)
    same(accepted, sum(len(h.mails) for h in hops),
         "what both took is what both next hops got")
    for gw in gateways:
        gw.down()


run(main)
