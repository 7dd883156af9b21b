#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A new mcd.conf under a running mcd: by SIGHUP and by mcctl, right and
# wrong; sessions live on.
import errno
import os
import signal
import smtplib
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mclab import claim, same, wait_for  # noqa: E402
from parent_lib import Mcd, free_port  # noqa: E402
from smtplab import done  # noqa: E402


def answers(m, port):
    try:
        with m.smtp(port) as s:
            return s.noop()[0] == 250
    except (OSError, smtplib.SMTPException):
        return False


def is_closed(port):
    with socket.socket() as s:
        s.settimeout(5)
        return s.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def reload_by_signal(m, text):
    before = m.logged().count(text)
    m.process.send_signal(signal.SIGHUP)
    return m.await_log(text, before + 1)


def wrong(m):
    session = m.smtp()
    pids = m.roles()
    right = m.more
    m.more = ["workers = many;"]
    m.write_conf()
    claim(reload_by_signal(m, "configuration kept: "),
          "SIGHUP with a wrong file: the old one is kept", m.logged())
    line = len(open(m.conf, encoding="utf-8").read().splitlines())
    claim(f"mcd.conf:{line}:" in m.logged(), "its line is logged", m.logged())
    got = m.mcctl("reload")
    claim(got.returncode != 0 and f"mcd.conf:{line}:" in got.stderr,
          "mcctl reload says what is wrong and fails", got.stderr + got.stdout)
    os.rename(m.conf, m.conf + ".away")
    claim(reload_by_signal(m, "configuration kept: "),
          "SIGHUP without the file: the old one is kept")
    m.more = right
    spool = m.paths["spool"]
    m.paths["spool"] = spool + "2"
    m.write_conf()
    before = m.logged().count("paths.spool changes only with a restart")
    m.process.send_signal(signal.SIGHUP)
    claim(m.await_log("paths.spool changes only with a restart", before + 1),
          "what needs a restart is refused and named", m.logged())
    m.paths["spool"] = spool
    same(session.noop()[0], 250, "the session lives on")
    session.quit()
    same(m.roles(), pids, "no role was started again")


def busy(m):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(1)
        other = free_port()
        keep = m.listeners
        m.listeners = keep + [
            ("other", f"127.0.0.1:{other}"),
            ("busy", f"127.0.0.1:{s.getsockname()[1]}")]
        m.write_conf()
        claim(reload_by_signal(m, "configuration kept: "),
              "a new listener that is in use: the old file is kept",
              m.logged())
        claim(answers(m, m.port), "the old listener answers")
        claim(is_closed(other), "what was opened for the new file is closed")
        m.listeners = keep


def right(m):
    first, second = m.port, free_port()
    session = m.smtp()
    pids = m.roles()
    m.listeners = [("smtp", f"127.0.0.1:{first}"),
                   ("second", f"127.0.0.1:{second}")]
    m.write_conf()
    claim(reload_by_signal(m, ": ready generation="),
          "SIGHUP with a right file: all roles are ready again", m.logged())
    claim(answers(m, second), "a new listener answers")
    claim(answers(m, first), "the old one too")
    same(session.noop()[0], 250, "a session lives on")
    m.listeners = [("second", f"127.0.0.1:{second}")]
    m.write_conf()
    got = m.mcctl("reload")
    same(got.returncode, 0, "mcctl reload succeeds")
    claim(wait_for(lambda: is_closed(first)),
          "a listener that is not there any more is closed", m.logged())
    claim(answers(m, second), "the other answers")
    same(session.noop()[0], 250, "a session of the closed one lives on")
    session.quit()
    same(m.roles(), pids, "no role was started again")


def workers(m):
    m.more = ["workers = 3;"]
    m.write_conf()
    m.process.send_signal(signal.SIGHUP)
    claim(wait_for(lambda: len(m.workers()) == 3), "workers are added",
          m.workers())
    m.more = ["workers = 1;"]
    m.write_conf()
    m.process.send_signal(signal.SIGHUP)
    claim(wait_for(lambda: len(m.workers()) == 1), "and taken away",
          m.workers())
    claim(wait_for(lambda: [r for r in m.status() if r.startswith("worker")]
                   == ["worker 1"]), "status knows", m.status())


m = Mcd().start().await_ready()
wrong(m)
busy(m)
right(m)
workers(m)
same(m.stop(), 0, "mcd stops with 0")
done()
