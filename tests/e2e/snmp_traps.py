#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 120
#
# Notifications, from a gateway through the agent and snmpd to a real
# snmptrapd: raised and over, once each, and the table that says the same.
import atexit
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (Lab, Sink, accept, claim, room, same,  # noqa: E402
                   text_mail, wait_for)
from smtplab import run  # noqa: E402
from snmplab import Agent, Process, Snmpd, free_udp_port  # noqa: E402

BASE = ".1.3.6.1.4.1.8072.9999.9999.25"
# Notifications of an event N are 2N-1 and 2N (events.def).
DOWN, OUTGOING = 1, 13
sink = Sink()
lab = Lab(sink.text, sets={"retry_first": "1h", "retry_max": "1h"},
          conf=("alert = { queue_outgoing = 3; hold_s = 0; again_s = 0; };",))
trap_port = free_udp_port()
trap_dir = room("mcgate-trap.")
with open(f"{trap_dir}/conf", "w", encoding="ascii") as f:
    f.write("disableAuthorization yes\n")
traps = Process(["/usr/sbin/snmptrapd", "-f", "-Lo", "-C", "-c",
                 f"{trap_dir}/conf", "-On", "-F", "%v\\n",
                 f"udp:127.0.0.1:{trap_port}"], f"{trap_dir}/log",
                dict(os.environ, MIBS="", SNMP_PERSISTENT_DIR=trap_dir))
snmpd = Snmpd(more=[f"trap2sink 127.0.0.1:{trap_port} public"]).up()
agent = Agent(lab, snmpd.address).up()
atexit.register(lambda: [p.end(signal.SIGKILL) for p in
                         (agent.process, snmpd.process, traps)])


def got(number):
    """Traps of that number, each the line of its variables."""
    with open(f"{trap_dir}/log", encoding="utf-8", errors="replace") as log:
        return [line for line in log.read().splitlines()
                if f"OID: {BASE}.0.{number}\t" in line]


def all_traps():
    with open(f"{trap_dir}/log", encoding="utf-8", errors="replace") as log:
        return log.read()


def active(name):
    key = ".".join(str(ord(c)) for c in name)
    return snmpd.text(f"{BASE}.1.3.1.3.{key}")


def comes(number, words):
    return claim(wait_for(lambda: len(got(number)) == 1), words,
                 all_traps(), agent.log())


def queue():
    claim(wait_for(lambda: active("mcAlertOutgoingHigh") == "0"),
          "a queue under its limit", agent.log())
    sink.refuse()
    for i in range(4):
        accept(lab, text_mail(f"number {i}"))
    comes(OUTGOING, "over its limit: told")
    claim(' STRING: "mcAlertOutgoingHigh"' in got(OUTGOING)[0] and
          "limit 3" in got(OUTGOING)[0], "with its name and its limit",
          got(OUTGOING))
    claim(wait_for(lambda: active("mcAlertOutgoingHigh") == "1"),
          "and the table says so")
    sink.accept()
    lab.ctl("queue", "retry", "all")
    sink.got(4)
    comes(OUTGOING + 1, "well below it: told")
    claim(wait_for(lambda: active("mcAlertOutgoingHigh") == "0"),
          "and the table says so")
    same(len(got(OUTGOING)), 1, "once")


def down():
    lab.down()
    comes(DOWN, "mcd down: told")
    snmpd.down()
    snmpd.up()
    claim(wait_for(lambda: active("mcAlertDown") == "1"),
          "a new snmpd hears that it is")
    lab.up()
    comes(DOWN + 1, "mcd up: told")
    same(len(got(DOWN)), 1, "once")


run(queue, down)
