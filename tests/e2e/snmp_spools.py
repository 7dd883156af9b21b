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
import re
import shutil
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (Lab, Sink, claim, client, same, text_mail,  # noqa: E402
                   wait_for)
from smtplab import run  # noqa: E402
from snmplab import SPOOLS, UCD, Agent, Snmpd  # noqa: E402

if not shutil.which("snmpd", path="/usr/sbin:/sbin"):
    print("1..0 # SKIP no snmpd")
    sys.exit(0)
MAILS = 40
sink = Sink()
lab = Lab(sink.text, sets={"retry_first": "1h", "retry_max": "1h"})
# An agent beside each snmpd, so that what takes time happens side by side.
masters = [Snmpd(n).start() for n in (0, 2, 7)]
agents = [Agent(lab, m.address).up() for m in masters]
snmpd, agent = masters[1], agents[1]
more = []
atexit.register(lambda: [p.process and p.process.end(signal.SIGKILL)
                         for p in (*agents, *masters, *more)])
GONE = "No Such Instance currently exists at this OID"


def counts():
    row = lab.rows("queue", "count")[0]
    return "|%d|%d|%d" % (row["incoming"], row["filtering"],
                          row["outgoing"])


def answers(want, words, seconds=10, at=snmpd, by=agent):
    return claim(wait_for(lambda: at.text() == want, seconds), words,
                 f"want: {want}", f"got:  {at.text()}", by.log(),
                 at.log()[-2000:])


def all_questions(want, words, at, by):
    """get, getnext, getbulk and both walks, and the stock table beside."""
    answers(want, f"{words}: get", at=at, by=by)
    before = UCD + ".1.101.5"
    same(at.next(before), (SPOOLS, "STRING", want), f"{words}: getnext")
    same(dict((o, v) for o, _, v in at.bulk(before)).get(SPOOLS), want,
         f"{words}: getbulk")
    tree = at.walk(UCD)
    same(at.walk(UCD, "snmpbulkwalk"), tree, f"{words}: both walks agree")
    stock = {f"{UCD}.1.101.{i}": f"stock{i}"
             for i in range(1, at.execs + 1) if i != 6}
    same({o: v for o, v in tree.items() if ".1.101." in o},
         dict(stock, **{SPOOLS: want}), f"{words}: the walk has us and them")
    same(len([o for o in tree if f"{UCD}.1.2." in o]), at.execs,
         f"{words}: and the other columns are snmpd's")


def beside_execs():
    for at, by in zip(masters, agents):
        all_questions("|0|0|0", f"{at.execs} exec lines", at, by)
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
    for at, by in zip(masters, agents):
        answers(counts(), "and what is served is what mcctl counts", at=at,
                by=by)


def restarts(want):
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
    times = agent.log().count("started: AgentX")
    agent.up()
    claim(wait_for(lambda: agent.log().count("started: AgentX") > times),
          "the agent first", agent.log())
    snmpd.up()
    answers(want, "then snmpd", 2)
    all_questions(want, "after all that", snmpd, agent)


def hangs():
    """An agent has to live on, and another one to end, while its snmpd
    hangs; both have the time of the restarts for it."""
    want = counts()
    for at in (masters[0], masters[2]):
        at.kill(signal.SIGSTOP)
    stopped = time.monotonic()
    ends = []
    other = threading.Thread(target=lambda: ends.append(
        (agents[2].down(), time.monotonic() - stopped)))
    other.start()
    restarts(want)
    # Long enough that a ping is under way: the agent's own next turn.
    wait_for(lambda: time.monotonic() > stopped + 3)
    claim(agents[0].is_up(), "an agent lives on while snmpd hangs",
          agents[0].log())
    masters[0].kill(signal.SIGCONT)
    answers(want, "and answers when snmpd does again", at=masters[0],
            by=agents[0])
    other.join()
    claim(ends[0][0] == 0 and ends[0][1] < 5, "it ends while snmpd hangs",
          ends)
    masters[2].kill(signal.SIGCONT)
    agents[2].up()
    answers(want, "and is there again", at=masters[2], by=agents[2])


def without_mcd():
    want = counts()
    keeps = Agent(lab, masters[0].address, snmp="keep_last = true;")
    rows = Agent(lab, masters[2].address, snmp='ucd_rows = "5,6,7,8,9";')
    more.extend([keeps, rows])
    lab.down()
    answers(GONE, "mcd down: no such instance")
    same(SPOOLS in snmpd.walk(UCD), False, "nor is it in a walk")
    agents[2].down()
    rows.up()
    other_rows()
    os.rename(f"{lab.dir}/run/stats", f"{lab.dir}/run/stats.kept")
    with open(f"{lab.dir}/run/stats", "wb") as f:
        f.write(b"of another version")
    answers(GONE, "a mapping of another version: no such instance")
    lab.start_mcd()
    answers(want, "mcd up again: its queue again")
    oid = f"{UCD}.1.101.5"
    claim(wait_for(lambda: masters[2].text(oid) == "|1" * 7),
          "and the row of processes says that all run", masters[2].text(oid))
    lab.crash()
    answers(GONE, "mcd killed: no such instance")
    agents[0].down()
    keeps.up()
    answers(want, "with keep_last what was last known", at=masters[0],
            by=keeps)


def other_rows():
    """The rows of old beside the sixth, where they are switched on."""
    at = masters[2]
    for row, form in ((5, r"(\|0){7}"), (7, r"(\|\d+\.\d\d){3}"),
                      (8, r"\|/\|\d+%\|/.*/spool\|\d+%"),
                      (9, r"(\|\d+){4}")):
        oid = f"{UCD}.1.101.{row}"
        claim(wait_for(lambda o=oid, f=form: re.fullmatch(f, at.text(o))),
              f"row {row} has its form", at.text(oid), more[1].log())


def words():
    for value in ("udp:127.0.0.1:7", "unix:rel", "tcp:127.0.0.1:0"):
        a = Agent(lab, value).up()
        same(a.down(signal.SIGCONT), 64, f"-x {value} is refused")
        claim("expected unix:PATH" in a.log(), "and says what was expected",
              a.log())


run(beside_execs, under_load, hangs, without_mcd, words)
