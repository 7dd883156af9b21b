#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The end of mcd: sessions, messages under way, roles that do not go, and
# a second signal.
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mclab import (Sink, claim, is_alive, room, same,  # noqa: E402
                   wait_for)
from parent_lib import Mcd  # noqa: E402
from smtplab import done  # noqa: E402


def in_data(m):
    """A session in the middle of a message."""
    s = m.smtp()
    s.ehlo()
    s.mail("sender@other.example")
    s.rcpt("x@example.org")
    same(s.docmd("DATA")[0], 354, "a message is begun")
    s.send(b"Subject: long\r\n\r\nfirst\r\n")
    return s


def idle(m):
    idle_session = m.smtp()
    idle_session.ehlo()
    pids = m.all_pids()
    m.process.send_signal(signal.SIGTERM)
    same(idle_session.getreply()[0], 421, "an idle session is told 421")
    same(m.wait(30), 0, "SIGTERM: exit 0")
    claim(not any(map(is_alive, pids)), "no process is left")


def under_way(m, sink):
    m.start().await_ready(2)
    s = in_data(m)
    before = sink.count()
    m.process.send_signal(signal.SIGTERM)
    m.await_log("stopping signal=15", 2)
    s.send(b"last\r\n.\r\n")
    code = s.getreply()[0]
    same(code, 250, "a message that was being sent is taken")
    same(m.wait(60), 0, "then mcd exits with 0")
    m.start().await_ready(3)
    claim(wait_for(lambda: sink.count() == before + 1),
          "it is delivered, if not before then by the next mcd", m.logged())


def again(m, sig, name):
    s = in_data(m)
    pids = m.all_pids()
    line = f"stopping signal={int(sig)}"
    times = m.logged().count(line)
    m.process.send_signal(sig)
    # Two that come too quickly are one.
    claim(m.await_log(line, times + 1), f"{name} stops mcd")
    time_before = time.monotonic()
    m.process.send_signal(sig)
    same(m.wait(15), 0, f"a second {name}: exit 0")
    claim(time.monotonic() - time_before < 10, "at once")
    claim(wait_for(lambda: not any(map(is_alive, pids))),
          "no process is left")
    s.close()


def hung(m):
    m.set("setting", "set", "stop_data_time", "0s")
    m.set("setting", "set", "stop_reply_time", "0s")
    m.start().await_ready(5)
    pid = m.roles()["outgoing"]
    os.kill(pid, signal.SIGSTOP)
    m.process.send_signal(signal.SIGTERM)
    same(m.wait(40), 0, "with a role that hangs: exit 0")
    claim("role does not stop: killed role=outgoing" in m.logged(),
          "the role is killed and named", m.logged())
    claim(not is_alive(pid), "it is gone")


def main():
    d = room()
    sink = Sink()
    m = Mcd(d)
    m.set("domain", "add", "example.org", "--dest", sink.text)
    m.without_dns()
    m.start().await_ready()
    idle(m)
    under_way(m, sink)
    again(m, signal.SIGTERM, "SIGTERM")
    m.start().await_ready(4)
    again(m, signal.SIGINT, "SIGINT")
    hung(m)
    done()


main()
