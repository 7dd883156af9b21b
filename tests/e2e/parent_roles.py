#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 300
#
# Roles that die or fall silent: each comes back alone, queue takes all with
# it, mail goes on, and none outlives the parent.
import ctypes
import os
import signal
import socket
import stat
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mclab import (Sink, claim, is_alive, room, same,  # noqa: E402
                   wait_for)
from parent_lib import ROLES, Mcd  # noqa: E402
from smtplab import done  # noqa: E402

PIDFD_GETFD = 438  # the same number on every machine


def flows(m, sink, words):
    """A message is accepted and delivered, if need be at a later try."""
    before = sink.count()
    claim(wait_for(lambda: m.send("x@example.org")), f"{words}: mail is taken",
          m.logged())
    claim(wait_for(lambda: sink.count() > before), f"{words}: and delivered",
          m.logged())


def is_running(m, role, but):
    return lambda: m.status().get(role, {}).get("state") == "running" and \
        m.roles().get(role) not in (None, but)


def kill_each(m, sink):
    for role in ROLES:
        before = m.roles()
        os.kill(before[role], signal.SIGKILL)
        claim(wait_for(is_running(m, role, before[role])),
              f"{role} killed: it comes back", m.logged())
        others = [r for r in ROLES if r != role]
        if role == "queue":
            for r in others:
                wait_for(is_running(m, r, before[r]))
            after = m.roles()
            claim(all(after.get(r) not in (None, before[r]) for r in others),
                  "queue killed: all others start again", (before, after))
        else:
            after = m.roles()
            claim(all(after.get(r) == before[r] for r in others),
                  f"{role} killed: the others stay", (before, after))
        flows(m, sink, f"{role} killed")
    claim("role died role=store" in m.logged()
          and "signal=9" in m.logged(), "deaths are logged with their reason")
    restarts = m.status()["store"]["restarts"]
    claim(restarts >= 2, "restarts are counted", restarts)


def kill_worker(m, sink):
    wait_for(lambda: len(m.workers()) == 2)
    before = m.workers()
    os.kill(before[0], signal.SIGKILL)
    claim(wait_for(lambda: len(m.workers()) == 2
                     and before[0] not in m.workers()),
          "worker killed: it comes back", m.workers())
    claim(wait_for(lambda: sum(
           p["restarts"] for r, p in m.status().items()
           if r.startswith("worker")) == 1),
          "its restart is counted", m.status())
    flows(m, sink, "worker killed")


def again_and_again(m):
    """Deaths in a row are further and further apart."""
    start = time.monotonic()
    for _ in range(4):
        pid = wait_for(lambda: m.roles().get("lookup"))
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda p=pid: m.roles().get("lookup") not in (None, p))
    claim(time.monotonic() - start > 1.0,
          "a role that dies often waits longer",
          time.monotonic() - start)


def silent(m):
    pid = m.roles()["lookup"]
    os.kill(pid, signal.SIGSTOP)
    claim(wait_for(is_running(m, "lookup", pid)),
          "a role that is silent is replaced", m.logged())
    claim("role is silent: killed role=lookup" in m.logged(), "and it is said")


def shut_channels(pid):
    """Breaks the channels of a process to others than its parent."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(pid)
    broken = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        fd = libc.syscall(PIDFD_GETFD, pidfd, int(name), 0)
        if fd < 0:
            raise OSError(ctypes.get_errno(), "pidfd_getfd")
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            os.close(fd)
            continue
        with socket.socket(fileno=fd) as s:
            if int(name) > 3 and s.type == socket.SOCK_SEQPACKET:
                s.shutdown(socket.SHUT_RDWR)
                broken += 1
    os.close(pidfd)
    return broken


def lost_channels(m, sink):
    pids = m.roles()
    same(shut_channels(pids["incoming"]), 4, "channels of incoming break")
    claim(m.await_log("channel broke, made anew: ", 4), "new ones are made",
          m.logged())
    flows(m, sink, "channels broken")
    same(m.roles(), pids, "no role was started again")


def orphans(m):
    pids = m.all_pids()
    claim(len(pids) == 1 + len(ROLES) + 2 + 2, "all processes are found", pids)
    os.kill(m.pid, signal.SIGKILL)
    m.wait()
    m.start()
    claim(wait_for(lambda: not any(map(is_alive, pids))),
          "when the parent is killed all others go",
          [p for p in pids if is_alive(p)])
    m.await_ready(m.logged().count("ready generation=") + 1)
    claim(m.process.poll() is None, "mcd starts again at once", m.logged())


def hung_orphan(m):
    worker = m.workers()[0]
    os.kill(worker, signal.SIGSTOP)
    os.kill(m.roles()["filter"], signal.SIGKILL)
    claim(wait_for(lambda: not is_alive(worker)),
          "a worker that hangs goes with its pool")


def main():
    d = room()
    sink = Sink()
    m = Mcd(d)
    m.more = ["workers = 2;", "watchdog_s = 5;"]
    m.write_conf()
    m.set("domain", "add", "example.org", "--dest", sink.text)
    m.without_dns()
    m.set("setting", "set", "retry_first", "1s")
    m.start().await_ready()
    flows(m, sink, "at first")
    kill_worker(m, sink)
    kill_each(m, sink)
    again_and_again(m)
    silent(m)
    lost_channels(m, sink)
    hung_orphan(m)
    wait_for(lambda: len(m.workers()) == 2)
    wait_for(lambda: len(m.roles()) == len(ROLES))
    orphans(m)
    same(m.stop(), 0, "mcd stops with 0")
    done()


main()
