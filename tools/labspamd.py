# SPDX-License-Identifier: GPL-2.0-or-later
#
# The spamd of a lab: Debian's with the rules of the system, on a socket of
# the lab's own, asking nothing of the world. Ends with the lab, and never
# touches another spamd.
import os
import shutil
import signal
import socket
import subprocess
import time

START_SECONDS = 90
STOP_SECONDS = 20
HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def program():
    return shutil.which("spamd", path=os.environ.get("PATH", "") +
                        ":/usr/sbin:/usr/local/sbin")


def where(d):
    return f"{d}/spamd/socket"


def conf(d):
    """What mcd.conf says of it."""
    return f'spamd = {{ socket = "{where(d)}"; home = "{d}/spamd"; }};'


def words(d):
    """
    Run by root its children, who see mail, are nobody, who may not be able
    to reach the folder of the lab: so mcgate's lines are told as words.
    """
    with open(f"{HERE}/share/spamassassin/mcgate.cf", encoding="utf-8") as f:
        lines = [x for x in f.read().splitlines() if x and x[0] != "#"]
    return [program(), "--local", f"--socketpath={where(d)}",
            "--socketmode=0666", "--max-children=2", "--min-children=1",
            "--nouser-config", f"--helper-home-dir={d}/spamd",
            "--syslog=stderr", *(f"--cf={x}" for x in lines)]


def start(d):
    """In the background; await_answer() says when it is there."""
    stop(d)
    os.makedirs(f"{d}/spamd", exist_ok=True)
    with open(f"{d}/log/spamd.log", "ab") as out:
        p = subprocess.Popen(words(d), stdin=subprocess.DEVNULL, stdout=out,
                             stderr=out, start_new_session=True)
    with open(f"{d}/spamd.pid", "w", encoding="ascii") as f:
        f.write(f"{p.pid}\n")
    return p


def answers(d):
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(where(d))
            s.sendall(b"PING SPAMC/1.5\r\n\r\n")
            return b"PONG" in s.recv(100)
    except OSError:
        return False


def await_answer(d, p):
    deadline = time.monotonic() + START_SECONDS
    while not answers(d):
        if p.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def pid_of(d):
    """The pid of the spamd of this lab; 0 when it does not run."""
    try:
        with open(f"{d}/spamd.pid", encoding="ascii") as f:
            pid = int(f.read())
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return pid if where(d).encode() in f.read() else 0
    except (OSError, ValueError):
        return 0


def stop(d):
    """False when it had to be killed."""
    pid = pid_of(d)
    deadline = time.monotonic() + STOP_SECONDS
    in_time = True
    if pid:
        os.kill(pid, signal.SIGTERM)
    while pid and pid_of(d) == pid:
        if time.monotonic() > deadline:
            os.killpg(pid, signal.SIGKILL)
            in_time = False
            break
        time.sleep(0.02)
    if os.path.exists(f"{d}/spamd.pid"):
        os.unlink(f"{d}/spamd.pid")
    return in_time
