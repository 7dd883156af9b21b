#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Limits under attack: thousands of idle sessions, clients that send a byte
# now and then, lines without an end, recipients without number.  Others are
# served all the while, and memory stays flat.
# deadline: 240
import os
import resource
import selectors
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, Sink, accept, claim, same, text_mail  # noqa: E402
from mclab import wait_for  # noqa: E402
from smtplab import Client, client, run  # noqa: E402

IDLE, DRIP = 2000, 50
BOUND_MB = 50  # of 1,000 idle sessions, as issue and README have it
# Sanitizers keep what is freed for a while.
SLACK = 4 if os.environ.get("MCGATE_ASAN") == "yes" else 1
RCPTS = 1000000
RCPT_S = 5  # a million is as many as there is time for
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
sink = Sink()
lab = Lab(sink.text, sets={"connections_max": str(IDLE + 200),
                           "connections_per_client": "0",
                           "smtp_command_time": "60s"})


def resident_mb():
    with open(f"/proc/{lab.pid('incoming')}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f
                    if line.startswith("VmRSS")) / 1024


def is_served(words):
    c = Client(lab, "127.0.0.3")
    c.reply()
    c.say("EHLO client.example")
    got = c.mail(text_mail("amid"))
    c.close()
    return claim(got.startswith("250"), words, got)


def idle():
    """Greeted, and then silent."""
    socks = []
    before = resident_mb()
    for _ in range(IDLE):
        socks.append(socket.create_connection(lab.smtp, 60))
    greeted = sum(s.recv(100).startswith(b"220") for s in socks)
    same(greeted, IDLE, f"{IDLE} sessions are greeted")
    for s in socks:
        s.sendall(b"EHLO idle.example\r\n")
    for s in socks:
        s.recv(1000)
    grown = resident_mb() - before
    claim(grown < BOUND_MB * IDLE / 1000 * SLACK,
          f"they take less than {BOUND_MB} MB a thousand: {grown:.1f} MB")
    print(f"# {IDLE} idle sessions: {grown:.1f} MB", flush=True)
    is_served("and others are served")
    for s in socks:
        s.close()
    claim(wait_for(lambda: client(lab).say("NOOP").startswith("250")),
          "when they are gone all is as before")


def drips():
    """A byte at a time keeps no session for longer than its limit."""
    lab.ctl("setting", "set", "smtp_command_time", "2s")
    claim(wait_for(lambda: client(lab).line().startswith("421"), 20),
          "a session has two seconds for a command")
    socks = [socket.create_connection(lab.smtp, 60) for _ in range(DRIP)]
    sel = selectors.DefaultSelector()
    open_ = set(socks)
    begun = time.monotonic()
    for s in socks:
        s.recv(100)
        sel.register(s, selectors.EVENT_READ)
    while open_ and time.monotonic() - begun < 30:
        for s in list(open_):
            try:
                s.sendall(b"N")
            except OSError:
                open_.discard(s)
        for key, _ in sel.select(0.3):
            try:
                is_over = not key.fileobj.recv(1000)
            except OSError:
                is_over = True
            if is_over:
                sel.unregister(key.fileobj)
                open_.discard(key.fileobj)
    same(len(open_), 0, f"{DRIP} clients of some bytes a second are ended")
    lab.ctl("setting", "set", "smtp_command_time", "60s")
    is_served("and others are served")


def endless():
    """A line without an end, of a command and of a body."""
    before = resident_mb()
    c = Client(lab)
    c.reply()
    sent = 0
    try:
        for _ in range(320):
            c.send(b"x" * 65536)
            sent += 65536
        got = c.say("")
    except OSError as e:
        got = str(e)
    c.close()
    claim(not got.startswith("2"), f"{sent >> 20} MB of a command are none",
          got)
    c = client(lab)
    c.begin()
    for _ in range(320):
        c.send(b"y" * 65536)
    c.send(b"\r\n.\r\n")
    got = c.reply()
    c.close()
    claim(got[:1] in "245" and got[:3] != "", "20 MB of a body's line are "
          "answered", got)
    grown = resident_mb() - before
    claim(grown < 16 * SLACK, f"and kept nowhere in memory: {grown:.1f} MB")
    is_served("and others are served")


def recipients():
    """As many as there is time for in a few sessions at once."""
    before = resident_mb()
    counts = [0] * 4
    until = time.monotonic() + RCPT_S

    def flood(i):
        block = b"RCPT TO:<r@ours.example>\r\n" * 500
        while time.monotonic() < until and sum(counts) < RCPTS:
            c = client(lab)
            c.say("MAIL FROM:<a@client.example>")
            try:
                while time.monotonic() < until:
                    c.send(block)
                    codes = c.codes(500)
                    counts[i] += sum(code != "" for code in codes)
                    if "" in codes:
                        break
            except OSError:
                pass
            c.close()

    threads = [threading.Thread(target=flood, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    is_served("amid a flood of recipients others are served")
    for t in threads:
        t.join()
    grown = resident_mb() - before
    print(f"# {sum(counts)} recipients in {RCPT_S} s, {grown:.1f} MB",
          flush=True)
    claim(sum(counts) > 1000, "recipients were answered", counts)
    claim(grown < 32 * SLACK, f"they are bounded: {grown:.1f} MB", counts)
    accept(lab, text_mail("behind it"))
    lab.balances()


run(idle, drips, endless, recipients)
