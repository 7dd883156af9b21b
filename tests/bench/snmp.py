#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What mc-snmp-agent costs: GETs of the three queues through a real snmpd, a
# thousand a second; a walk of the whole tree.  Prints a line a figure with
# its bar, and ends with 1 when one is missed.
import os
import socket
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
from mclab import Lab, Sink, accept, text_mail, wait_for  # noqa: E402
from snmplab import SPOOLS, Agent, Snmpd  # noqa: E402

BASE = ".1.3.6.1.4.1.8072.9999.9999.25"
RATE, SECONDS = 1000, 5
DOMAINS = 300


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


def main():
    sink = Sink()
    lab = Lab(sink.text, domains=[f"d{i}.example" for i in range(DOMAINS)])
    snmpd = Snmpd().up()
    agent = Agent(lab, snmpd.address).up()
    try:
        wait_for(lambda: snmpd.text().startswith("|"))
        for i in range(DOMAINS):
            accept(lab, text_mail("x"), rcpts=[f"r@d{i}.example"])
        pid = agent.process.p.pid
        times, share, rate = flood(snmpd.port, pid)
        per_get_ms = share / rate * 1000
        before, start = cpu_s(pid), time.monotonic()
        count = len(snmpd.walk(BASE, "snmpbulkwalk"))
        walk_s, walk_cpu = time.monotonic() - start, cpu_s(pid) - before
    finally:
        agent.down()
        snmpd.down()
    times.sort()
    bars = [("GET of the queues, in the agent, ms of processor", per_get_ms,
             1.0),
            ("the same through snmpd, median ms",
             times[len(times) // 2] * 1000, 5.0),
            (f"share of a core at {rate:.0f} GETs a second, %", share * 100,
             5.0),
            (f"walk of {count} objects, s", walk_s, 1.0),
            ("of which in the agent, s of processor", walk_cpu, 1.0)]
    for words, got, bar in bars:
        print(f"{words:52} {got:8.3f}  bar {bar}"
              f"{'' if got <= bar else '  MISSED'}")
    sys.exit(any(got > bar for _, got, bar in bars))


main()
