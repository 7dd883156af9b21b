#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 120
#
# The string of the three queues where monitoring has always read it,
# beside a real snmpd with no, two and seven exec lines: every kind of
# question, restarts of each side in all orders, one that hangs, mcd down,
# and the numbers of mcctl once quiet.
import atexit
import os
import shutil
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (Lab, Sink, claim, client, same, text_mail,  # noqa: E402
                   wait_for)
from smtplab import run  # noqa: E402
from snmplab import SPOOLS, UCD, Agent, Snmpd  # noqa: E402

MAILS = 40
sink = Sink()
lab = Lab(sink.text, sets={"retry_first": "1h", "retry_max": "1h"})
snmpd = Snmpd()
agent = Agent(lab, snmpd.address)
atexit.register(lambda: [p.process and p.process.end(signal.SIGKILL)
                         for p in (agent, snmpd)])


def counts():
    row = lab.rows("queue", "count")[0]
    return "|%d|%d|%d" % (row["incoming"], row["filtering"],
                          row["outgoing"])


def answers(want, words, seconds=10):
    return claim(wait_for(lambda: snmpd.text() == want, seconds), words,
                 f"want: {want}", f"got:  {snmpd.text()}", agent.log(),
                 snmpd.log()[-2000:])


def all_questions(want, words):
    """get, getnext, getbulk and both walks, and the stock table beside."""
    answers(want, f"{words}: get")
    before = UCD + ".1.101.5"
    same(snmpd.next(before), (SPOOLS, "STRING", want), f"{words}: getnext")
    same(dict((o, v) for o, _, v in snmpd.bulk(before)).get(SPOOLS), want,
         f"{words}: getbulk")
    tree = snmpd.walk(UCD)
    same(snmpd.walk(UCD, "snmpbulkwalk"), tree, f"{words}: both walks agree")
    stock = {f"{UCD}.1.101.{i}": f"stock{i}"
             for i in range(1, snmpd.execs + 1) if i != 6}
    same({o: v for o, v in tree.items() if ".1.101." in o},
         dict(stock, **{SPOOLS: want}), f"{words}: the walk has us and them")
    same(len([o for o in tree if f"{UCD}.1.2." in o]), snmpd.execs,
         f"{words}: and the other columns are snmpd's")


def beside_execs():
    for n in (0, 2, 7):
        if n > 0:
            snmpd.down()
        snmpd.execs = n
        snmpd.up()
        if n == 0:
            agent.up()
        all_questions("|0|0|0", f"{n} exec lines")
    _, got = snmpd.ask("snmpset", SPOOLS, "s", "|1|1|1")
    same((got, snmpd.text()), ([], "|0|0|0"), "a set is refused")


def under_load():
    sink.refuse()
    c = client(lab)
    seen = set()
    for i in range(MAILS):
        c.mail(text_mail(f"number {i}"), rcpts=[f"r{i}@ours.example"])
        if i % 10 == 0:
            seen.add(snmpd.text())
    c.close()
    claim(all(s.count("|") == 3 and s.startswith("|") for s in seen),
          "under load the form stays", seen)
    claim(wait_for(lambda: counts() == f"|0|0|{MAILS}"), "all are deferred",
          counts())
    answers(counts(), "and what is served is what mcctl counts")


def restarts():
    want = counts()
    snmpd.down()
    snmpd.up()
    answers(want, "snmpd restarted: there again within 2 s", 2)
    snmpd.down(signal.SIGKILL)
    snmpd.up()
    answers(want, "snmpd killed: there again within 2 s", 2)
    same(agent.down(), 0, "the agent ends well")
    claim(wait_for(lambda: snmpd.text() != want), "without it nothing of ours",
          snmpd.text())
    agent.up()
    answers(want, "the agent restarted", 2)
    agent.down(signal.SIGKILL)
    agent.up()
    answers(want, "the agent killed", 2)
    snmpd.down()
    agent.down()
    agent.up()
    claim(wait_for(lambda: "started" in agent.log()), "the agent first")
    snmpd.up()
    answers(want, "then snmpd", 2)


def hangs():
    want = counts()
    snmpd.kill(signal.SIGSTOP)
    # Long enough that a ping is under way: the agent's own next turn.
    deadline = time.monotonic() + 3
    wait_for(lambda: time.monotonic() > deadline)
    claim(agent.is_up(), "an agent lives on while snmpd hangs", agent.log())
    snmpd.kill(signal.SIGCONT)
    answers(want, "and answers when snmpd does again")
    snmpd.kill(signal.SIGSTOP)
    start = time.monotonic()
    code = agent.down()
    took = time.monotonic() - start
    claim(code == 0 and took < 5,
          "it ends while snmpd hangs", f"{code} after {took:.1f} s")
    snmpd.kill(signal.SIGCONT)
    agent.up()
    answers(want, "and is there again")


def without_mcd():
    want = counts()
    lab.down()
    answers("No Such Instance currently exists at this OID",
            "mcd down: no such instance")
    same(SPOOLS in snmpd.walk(UCD), False, "nor is it in a walk")
    os.rename(f"{lab.dir}/run/stats", f"{lab.dir}/run/stats.kept")
    with open(f"{lab.dir}/run/stats", "wb") as f:
        f.write(b"of another version")
    answers("No Such Instance currently exists at this OID",
            "a mapping of another version: no such instance")
    lab.up()
    answers(want, "mcd up again: its queue again")
    lab.crash()
    answers("No Such Instance currently exists at this OID",
            "mcd killed: no such instance")
    agent.down()
    with open(f"{lab.dir}/etc/mcd.conf", "a", encoding="utf-8") as f:
        f.write("snmp = { keep_last = true; };\n")
    agent.up()
    answers(want, "with keep_last what was last known")


def words():
    for value, code in (("udp:127.0.0.1:7", 64), ("unix:rel", 64),
                        ("tcp:127.0.0.1:0", 64)):
        a = Agent(lab, value).up()
        same(a.down(signal.SIGCONT), code, f"-x {value} is refused")
    claim("expected unix:PATH" in agent.log(), "and says what was expected")


if not shutil.which("snmpd", path="/usr/sbin:/sbin"):
    print("1..0 # SKIP no snmpd")
    sys.exit(0)
run(beside_execs, under_load, restarts, hangs, without_mcd, words)
