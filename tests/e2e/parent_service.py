#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# mcd under a service manager: notices, watchdog, sockets that it passes.
import os
import signal
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mclab import claim, room, same, wait_for  # noqa: E402
from parent_lib import Mcd  # noqa: E402
from smtplab import done  # noqa: E402


class Manager:
    """What a service manager hears."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name[0] == "@" else name)
        self.socket.setblocking(False)
        self.heard = []

    def listen(self):
        try:
            while True:
                self.heard += self.socket.recv(4096).decode().splitlines()
        except BlockingIOError:
            return self.heard

    def hears(self, line, times=1):
        return wait_for(lambda: self.listen().count(line) >= times)


def notices(name, words):
    manager = Manager(name)
    m = Mcd()
    m.start(env={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "400000"})
    claim(manager.hears("READY=1"), f"{words}: READY", manager.heard)
    claim(len(m.roles()) == 7, "all roles run by then", m.roles())
    claim(manager.hears("WATCHDOG=1", 3), f"{words}: WATCHDOG", manager.heard)
    m.process.send_signal(signal.SIGHUP)
    claim(manager.hears("RELOADING=1"), f"{words}: RELOADING", manager.heard)
    claim(manager.hears("READY=1", 2), f"{words}: and READY again",
          manager.heard)
    role = m.roles()["control"]
    with open(f"/proc/{role}/environ", "rb") as f:
        claim(b"NOTIFY_SOCKET" not in f.read(), "no role can notify")
    m.process.send_signal(signal.SIGTERM)
    claim(manager.hears("STOPPING=1"), f"{words}: STOPPING", manager.heard)
    same(m.wait(), 0, "mcd stops with 0")


def listening():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(10)
    return s


def passed_sockets():
    """The first is in mcd.conf, the second is not."""
    used, unused = listening(), listening()
    m = Mcd()
    m.port = used.getsockname()[1]
    m.listeners = [("smtp", f"127.0.0.1:{m.port}")]
    m.write_conf()
    fds = [used.fileno(), unused.fileno()]
    script = (f"exec 8<&{fds[0]} 9<&{fds[1]} 3<&8 4<&9 8<&- 9<&-; "
              "LISTEN_PID=$$ LISTEN_FDS=2 exec \"$@\"")
    m.start(wrapper=["/bin/sh", "-c", script, "sh"], pass_fds=fds)
    m.await_ready()
    used.close()
    claim(m.send("x@nowhere.example") is False and m.smtp().noop()[0] == 250,
          "a passed socket of mcd.conf is served", m.logged())
    claim(f"127.0.0.1:{unused.getsockname()[1]} is no listener" in m.logged(),
          "one that is not in mcd.conf is named", m.logged())
    m.process.send_signal(signal.SIGHUP)
    m.await_ready(2)
    same(m.smtp().noop()[0], 250, "it is served after a reload")
    same(m.stop(), 0, "mcd stops with 0")


def environment():
    m = Mcd()
    m.start(env={"TZ": "UTC", "SECRET": "x", "MCGATE_X": "y"})
    m.await_ready()
    role = m.roles()["incoming"]
    with open(f"/proc/{role}/environ", "rb") as f:
        names = {e.split(b"=")[0].decode() for e in f.read().split(b"\0")
                 if e}
    claim("SECRET" not in names and "HOME" not in names,
          "a role does not get what mcd was started with", names)
    claim({"TZ", "PATH", "MCGATE_X"} <= names, "but what it needs", names)
    fds = {os.readlink(f"/proc/{role}/fd/{n}")
           for n in os.listdir(f"/proc/{role}/fd")}
    claim(not any(f.startswith("/") and f not in (
        "/dev/null", m.log, m.paths["run"] + "/mcd.pid")
                  for f in fds), "nor any file", fds)
    same(m.stop(), 0, "mcd stops with 0")


notices(room() + "/notify", "a path")
notices(f"@mcgate-test-{os.getpid()}", "an abstract name")
passed_sockets()
environment()
done()
