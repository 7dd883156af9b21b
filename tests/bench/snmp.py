#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What mc-snmp-agent costs: GETs of the three queues through a real snmpd, a
# thousand a second; a walk of the whole tree with a thousand domains; and
# what is left of the throughput of mail while it is asked, in pairs of runs.
# Prints a line a figure with its bar, and ends with 1 when one is missed.
import os
import socket
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
from mclab import (BUILD, Lab, Sink, accept, text_mail,  # noqa: E402
                   wait_for)
from snmplab import SPOOLS, Agent, Snmpd  # noqa: E402

BASE = ".1.3.6.1.4.1.8072.9999.9999.25"
RATE, SECONDS = 1000, 5
DOMAINS, AT_ONCE = 1000, 100
WALKS = 5
PAIRS, LOAD_S, SESSIONS, SIZE = 6, 10, 8, 4096


def tlv(tag, body):
    assert len(body) < 128
    return bytes([tag, len(body)]) + body


def oid(text):
    out = b"\x2b"
    for n in [int(x) for x in text.strip(".").split(".")][2:]:
        piece = [n & 0x7f]
        while n > 0x7f:
            n >>= 7
            piece.append(0x80 | (n & 0x7f))
        out += bytes(reversed(piece))
    return tlv(6, out)


def get_request(name):
    pdu = tlv(2, b"\x01") + tlv(2, b"\x00") + tlv(2, b"\x00") + tlv(
        0x30, tlv(0x30, oid(name) + tlv(5, b"")))
    return tlv(0x30, tlv(2, b"\x01") + tlv(4, b"public") + tlv(0xa0, pdu))


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def flood(port, pid):
    """(times of each GET, share of a core that the agent took)."""
    question = get_request(SPOOLS)
    times = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        s.settimeout(5)
        before, start = cpu_s(pid), time.monotonic()
        for i in range(RATE * SECONDS):
            ahead = start + i / RATE - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
            at = time.monotonic()
            s.send(question)
            s.recv(2048)
            times.append(time.monotonic() - at)
        took = time.monotonic() - start
    return times, (cpu_s(pid) - before) / took, len(times) / took


def fill(lab, snmpd):
    """Mail to each domain, until each has its row."""
    for i in range(0, DOMAINS, AT_ONCE):
        accept(lab, text_mail("x"), rcpts=[
            f"r@d{n}.example" for n in range(i, i + AT_ONCE)])
    column = f"{BASE}.1.5.1.4"
    if not wait_for(lambda: len(snmpd.walk(column, "snmpbulkwalk"))
                    >= DOMAINS, 120):
        sys.exit("bench: the domains have no rows")


def walk(snmpd, pid):
    """Objects; medians of seconds, and of those in the agent."""
    times, cpus = [], []
    for _ in range(WALKS):
        before, start = cpu_s(pid), time.monotonic()
        count = len(snmpd.walk(BASE, "snmpbulkwalk"))
        times.append(time.monotonic() - start)
        cpus.append(cpu_s(pid) - before)
    return count, statistics.median(times), statistics.median(cpus)


class Poll:
    """As a monitoring server asks, and six times as often: the three queues
    once a second, all the tree once in ten."""

    def __init__(self, snmpd):
        self.snmpd, self.done = snmpd, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        seconds = 0
        while not self.done.wait(1):
            self.snmpd.text()
            seconds += 1
            if seconds % 10 == 5:
                self.snmpd.walk(BASE, "snmpbulkwalk")

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def load(lab):
    """Messages answered 250 a second."""
    return float(subprocess.run(
        [f"{BUILD}/tests/bench/smtp_load", "%s:%d" % lab.smtp, str(SESSIONS),
         str(LOAD_S), str(SIZE), "user@ours.example"], check=True,
        capture_output=True, text=True).stdout)


def throughput(lab, agent, snmpd):
    """Ratios of mail taken while the agent runs and is asked, to that without an agent: one a pair, which of the two is first
    alternating."""
    ratios = []
    for i in range(PAIRS):
        got = {}
        for asked in (True, False) if i % 2 else (False, True):
            agent.down()
            if asked:
                agent.up()
                wait_for(lambda: snmpd.text().startswith("|"))
                with Poll(snmpd):
                    got[asked] = load(lab)
            else:
                got[asked] = load(lab)
        ratios.append(got[True] / got[False])
        print(f"pair {i + 1}: {got[False]:.0f} mails a second without, "
              f"{got[True]:.0f} with: {ratios[-1]:.3f}", flush=True)
    return ratios


missed = []


def figure(words, got, bar):
    """Told as soon as it is known."""
    good = got <= bar
    print(f"{words:52} {got:8.3f}  bar {bar:.1f}"
          f"{'' if good else '  MISSED'}", flush=True)
    if not good:
        missed.append(words)


def questions(snmpd, pid):
    times, share, rate = flood(snmpd.port, pid)
    figure("GETs a second that were not made", RATE - rate, RATE * 0.02)
    figure("GET of the queues, in the agent, ms of processor",
           share / rate * 1000, 1.0)
    figure("the same through snmpd, median ms",
           statistics.median(times) * 1000, 5.0)
    figure(f"share of a core at {rate:.0f} GETs a second, %", share * 100,
           5.0)
    count, walk_s, walk_cpu = walk(snmpd, pid)
    figure(f"walk of {count} objects, {DOMAINS} domains, s", walk_s, 1.0)
    figure("of which in the agent, s of processor", walk_cpu, 1.0)


def main():
    sink = Sink()
    lab = Lab(sink.text, domains=[f"d{i}.example" for i in range(DOMAINS)],
              sets={"smtp_messages_max": "1000000",
                    "connections_max": "5000"})
    snmpd = Snmpd().up()
    agent = Agent(lab, snmpd.address).up()
    try:
        wait_for(lambda: snmpd.text().startswith("|"))
        fill(lab, snmpd)
        questions(snmpd, agent.process.p.pid)
        ratios = throughput(lab, agent, snmpd)
    finally:
        agent.down()
        snmpd.down()
    print(f"pairs differ by {(max(ratios) - min(ratios)) * 100:.1f} %: what "
          "is lost is known no better than half of it")
    figure(f"throughput lost while asked, % ({PAIRS} pairs)",
           (1 - statistics.median(ratios)) * 100, 3.0)
    sys.exit(bool(missed))


main()
