# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests of the parent: an mcd in the foreground in a folder of its own,
# whose processes can be found, killed and waited for.
import atexit
import json
import os
import pwd
import signal
import smtplib
import socket
import subprocess

from mclab import BUILD, is_alive, room, wait_for

MCD = os.path.join(BUILD, "sbin/mcd")
MCCTL = os.path.join(BUILD, "bin/mcctl")
DEADLINE_S = 60
ROLES = ["queue", "store", "control", "lookup", "filter", "outgoing",
         "incoming"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def stat_of(pid):
    """(parent's pid, state) of a process, or None."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            fields = f.read().rpartition(")")[2].split()
        return int(fields[1]), fields[0]
    except (OSError, IndexError):
        return None


def children(pid):
    found = []
    for p in filter(str.isdigit, os.listdir("/proc")):
        stat = stat_of(p)
        if stat and stat[0] == pid and stat[1] not in "ZX":
            found.append(int(p))
    return found


def words_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().decode(errors="replace").split("\0")
    except OSError:
        return []


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
            return f.read().strip()
    except OSError:
        return ""


class Mcd:
    """One mcd and its files below d."""

    def __init__(self, d=None, jail=None, users=None):
        self.dir = d or room()
        self.port = free_port()
        self.process = None
        me = pwd.getpwuid(os.geteuid()).pw_name
        self.users = users or dict.fromkeys(
            ("main", "net", "queue", "scan"), me)
        self.jail = os.geteuid() != 0 if jail is None else jail
        self.listeners = [("smtp", f"127.0.0.1:{self.port}")]
        self.paths = {"spool": f"{self.dir}/spool", "lib": f"{self.dir}/lib",
                      "run": f"{self.dir}/run",
                      "libexec": f"{BUILD}/libexec/mcgate"}
        self.more = []
        self.conf = f"{self.dir}/mcd.conf"
        self.log = f"{self.dir}/mcd.log"
        self.write_conf()
        atexit.register(self.end)

    def write_conf(self, text=None):
        if text is None:
            listeners = ", ".join(f'{{ name = "{n}"; address = "{a}"; }}'
                                  for n, a in self.listeners)
            lines = ['hostname = "gate.example";',
                     "paths = { " + " ".join(
                         f'{k} = "{v}";' for k, v in self.paths.items())
                     + " };",
                     "users = { " + " ".join(
                         f'{k} = "{v}";' for k, v in self.users.items())
                     + " };",
                     f"jail = {'true' if self.jail else 'false'};",
                     'log = { target = "stderr"; level = "info"; };',
                     f"listeners = ( {listeners} );"] + self.more
            text = "\n".join(lines) + "\n"
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(text)

    def mcctl(self, *words):
        return subprocess.run([MCCTL, "-c", self.conf, *words],
                              capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)

    def set(self, *words):
        """A setting that must succeed."""
        got = self.mcctl(*words)
        if got.returncode != 0:
            raise RuntimeError(f"mcctl {words}: {got.stderr}")

    def without_dns(self):
        """As in a lab: nothing is asked of DNS."""
        for knob in ("sender_domain_check", "client_names"):
            self.set("setting", "set", knob, "no")

    def start(self, env=None, wrapper=(), pass_fds=()):
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                [*wrapper, MCD, "-c", self.conf], stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, env={**os.environ, **(env or {})},
                pass_fds=pass_fds)
        return self

    def run(self, *options):
        """In the foreground, for one that is to fail."""
        return subprocess.run([MCD, "-c", self.conf, *options],
                              capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=DEADLINE_S)

    @property
    def pid(self):
        return self.process.pid

    def logged(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def await_log(self, text, times=1):
        return wait_for(lambda: self.logged().count(text) >= times)

    def await_ready(self, times=1):
        if not self.await_log(": ready generation=", times):
            raise RuntimeError("mcd is not ready:\n" + self.logged())
        return self

    def roles(self):
        """{role: pid} of those that run."""
        found = {}
        for p in children(self.pid):
            words = words_of(p)
            if "-x" in words:
                found[words[words.index("-x") + 1]] = p
        return found

    def of_pool(self):
        pool = self.roles().get("filter")
        return children(pool) if pool else []

    def workers(self):
        """Those that scan; others check SPF."""
        return [p for p in self.of_pool() if name_of(p) != "mcd-spf"]

    def all_pids(self):
        return [self.pid, *self.roles().values(), *self.of_pool()]

    def status(self):
        got = self.mcctl("status", "--json")
        try:
            return {p["role"]: p for p in json.loads(got.stdout)["processes"]}
        except (ValueError, KeyError):
            return {}

    def smtp(self, port=None):
        return smtplib.SMTP("127.0.0.1", port or self.port,
                            local_hostname="test.example", timeout=DEADLINE_S)

    def send(self, rcpt, text="text"):
        """True when a message was answered 250."""
        try:
            with self.smtp() as s:
                s.sendmail("sender@other.example", [rcpt],
                           f"Subject: test\r\n\r\n{text}\r\n")
            return True
        except (OSError, smtplib.SMTPException):
            return False

    def wait(self, seconds=DEADLINE_S):
        """Its exit status; None when it does not end."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def end(self):
        if self.process is None or self.process.poll() is not None:
            return
        pids = self.all_pids()
        self.process.kill()
        self.process.wait()
        for p in pids[1:]:
            wait_for(lambda p=p: not is_alive(p), 5)
