# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests that follow mail through a whole gateway: a lab that can be
# stopped, killed and started again, a receiving server in a process of its
# own, and claims about spool, ledger and log. TAP and SMTP come from
# smtplab.
import atexit
import email
import email.policy
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import zlib

from smtplab import (BUILD, SRC, WAIT_S, Client, claim, client, endpoint,
                     same, wait_for)

STATES = ("incoming", "filtering", "outgoing", "hold", "quarantine",
          "corrupt")
SANITIZER = re.compile(r"Sanitizer|runtime error:|error: bug: ")
AUDIT_S = 10
ID = re.compile(r"\b[0-9a-hjkmnp-tv-z]{16}\b")


def room(prefix="mcgate-e2e."):
    """A folder that goes with the test."""
    d = tempfile.mkdtemp(prefix=prefix)
    os.chmod(d, 0o755)
    atexit.register(shutil.rmtree, d, True)
    return d


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8",
                  errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Sink:
    """tools/sink: what arrived, as (sender, recipients, bytes)."""

    def __init__(self):
        self.dir = room("mcgate-sink.")
        self.refuse_file = f"{self.dir}/refuse"
        self.mails = f"{self.dir}/mails"
        port_file = f"{self.dir}/port"
        self.process = subprocess.Popen(
            [f"{SRC}/tools/sink", "--listen", "127.0.0.1:0", "--dir",
             self.mails, "--port-file", port_file, "--refuse-file",
             self.refuse_file], stdin=subprocess.DEVNULL)
        atexit.register(self.stop)
        wait_for(lambda: os.path.exists(port_file))
        with open(port_file, encoding="ascii") as f:
            self.text = f.read().strip()

    def stop(self):
        self.process.kill()
        self.process.wait()

    def refuse(self, reply="451 4.3.0 try again later"):
        with open(self.refuse_file + ".tmp", "w", encoding="ascii") as f:
            f.write(reply)
        os.rename(self.refuse_file + ".tmp", self.refuse_file)

    def accept(self):
        os.unlink(self.refuse_file)

    def envelopes(self):
        found = []
        for path in sorted(glob.glob(f"{self.mails}/*.json")):
            with open(path, encoding="utf-8") as f:
                found.append(json.load(f))
        return found

    def count(self):
        return len(glob.glob(f"{self.mails}/*.json"))

    def got(self, n, seconds=WAIT_S):
        """Waits for n mails; returns how many there are."""
        wait_for(lambda: self.count() >= n, seconds)
        return self.count()

    def all(self):
        found = []
        for e in self.envelopes():
            with open(e["eml"], "rb") as f:
                found.append((e["sender"], e["rcpts"], f.read()))
        return found

    def to(self, rcpt, n=1, seconds=WAIT_S):
        """The bytes of each mail to a recipient; waits for n."""
        wait_for(lambda: sum(rcpt in e["rcpts"] for e in self.envelopes())
                 >= n, seconds)
        return [body for _, rcpts, body in self.all() if rcpt in rcpts]


class Lab:
    """
    A gateway for ours.example and what more domains are given, as NAME or
    NAME=ADDR:PORT, which all go to relay unless they say otherwise.
    """

    inside = ()  # words before a program: the namespace that it is run in

    def __init__(self, relay, domains=(), sets=None, domain_sets=(),
                 env=None, starts=True, conf=(), parent_dir=None,
                 smtp_with="", listeners=(), resolver=None):
        self.dir = parent_dir or room()
        self.is_up = False
        self.env = dict(os.environ, **(env or {}))
        self.words = ["--no-spamd", "--relay-to", relay, "--build", BUILD]
        for d in ("ours.example", *domains):
            self.words += ["--domain", d]
        for knob, value in (sets or {}).items():
            self.words += ["--set", f"{knob}={value}"]
        for item in domain_sets:
            self.words += ["--domain-set", item]
        for line in conf:
            self.words += ["--conf", line]
        if resolver:
            self.words += ["--resolver", resolver]
        if smtp_with:
            self.words += ["--smtp-with", smtp_with]
        if resolver:
            self.words += ["--resolver", resolver]
        for item in listeners:
            self.words += ["--listener", item]
        self.smtp = None
        self.children = []
        self.asked = set()  # kinds of calls of mcctl
        atexit.register(self.end)
        if starts:
            self.up()

    def tool(self, verb, *words):
        return subprocess.run(
            [*self.inside, f"{SRC}/tools/lab", verb, "--dir", self.dir,
             *words], env=self.env, check=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def up(self):
        """Starts it, also a second time, on the port of the first."""
        where = "%s:%d" % self.smtp if self.smtp else "127.0.0.1:0"
        got = self.tool("up", "--smtp", where, *self.words)
        if got.returncode != 0:
            raise RuntimeError(f"lab up: {got.stdout}\n{self.log()}")
        self.is_up = True
        with open(f"{self.dir}/smtp", encoding="ascii") as f:
            self.smtp = endpoint(f.read().strip())

    def start_mcd(self):
        """Starts mcd and nothing else: settings stay as they are."""
        self.is_up = True
        with open(f"{self.dir}/log/mcd.log", "ab") as out:
            p = subprocess.Popen(
                [*self.inside, f"{BUILD}/sbin/mcd", "-c",
                 f"{self.dir}/etc/mcd.conf"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=self.env, start_new_session=True)
        # Its end is waited for by whoever sees it as a zombie.
        self.children.append(p)
        with open(f"{self.dir}/mcd.pid", "w", encoding="ascii") as f:
            f.write(f"{p.pid}\n")
        wait_for(lambda: p.poll() is not None or self.greets())

    def greets(self):
        try:
            Client(self).close()
            return True
        except OSError:
            return False

    def down(self):
        """An orderly stop."""
        if self.is_up:
            self.is_up = False
            got = self.tool("down")
            if got.returncode != 0:
                raise RuntimeError(f"lab down: {got.stdout}")
            found = SANITIZER.search(self.log())
            if found:
                raise RuntimeError(self.log()[found.start():][:4000])

    def crash(self):
        """kill -9 of the parent and all its roles, at once."""
        pids = [self.parent(), *self.family()]
        for pid in pids:
            self.kill(pid, signal.SIGKILL)
        wait_for(lambda: not any(is_alive(p) for p in pids))
        self.is_up = False

    def end(self):
        try:
            self.down()
        except RuntimeError:
            if os.path.exists(f"{self.dir}/mcd.pid"):
                self.crash()
        shutil.rmtree(self.dir, ignore_errors=True)

    def parent(self):
        with open(f"{self.dir}/mcd.pid", encoding="ascii") as f:
            return int(f.read())

    def family(self):
        """Pids of roles and workers: all of the parent's session."""
        found, parent = [], self.parent()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.getsid(int(pid)) == parent and int(pid) != parent:
                    found.append(int(pid))
            except OSError:
                pass
        return found

    @staticmethod
    def kill(pid, sig=signal.SIGKILL):
        if pid <= 0:  # pid() of a role that is not there
            raise ValueError("nothing to kill")
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass

    def piped(self, text, *words):
        """mcctl, with text on its standard input."""
        return subprocess.run(
            [f"{BUILD}/bin/mcctl", "-c", f"{self.dir}/etc/mcd.conf", *words],
            check=False, capture_output=True, text=True, input=text,
            env=self.ctl_env(words))

    def ctl_env(self, words):
        """
        The search for leaks takes most of the time of a sanitized mcctl:
        the first call of each kind has it.
        """
        kind = tuple(w for w in words if w.isalpha() or w[:2] == "--")
        if kind not in self.asked:
            self.asked.add(kind)
            return None
        options = os.environ.get("ASAN_OPTIONS", "")
        return dict(os.environ, ASAN_OPTIONS=f"{options}:detect_leaks=0")

    def run(self, *words):
        return self.piped("", *words)

    def ctl(self, *words):
        got = self.run(*words)
        if got.returncode != 0:
            raise RuntimeError(f"mcctl {' '.join(words)}: "
                               f"{got.returncode} {got.stderr}{got.stdout}")
        return got.stdout

    def rows(self, *words):
        """What mcctl says, one object a row."""
        return [json.loads(line) for line in
                self.ctl("--json", *words).splitlines()]

    def pid(self, role):
        got = self.run("--json", "status")
        try:
            for p in json.loads(got.stdout)["processes"]:
                if p["role"] == role:
                    return p["pid"]
        except (ValueError, KeyError):
            pass
        return 0

    def workers(self):
        """Pids of the filter's workers, those for SPF aside."""
        with_parent = []
        pool = self.pid("filter")
        for pid in self.family():
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
                    name, _, rest = f.read().rpartition(")")
            except OSError:
                continue
            fields = rest.split()
            if name.endswith("(mcd-spf"):
                continue
            if int(fields[1]) == pool and fields[0] not in "ZX":
                with_parent.append(pid)
        return with_parent

    def log(self):
        try:
            with open(f"{self.dir}/log/mcd.log", encoding="utf-8",
                      errors="replace") as f:
                return f.read()
        except OSError as e:
            return str(e)

    def logs(self, pattern, seconds=WAIT_S, times=1):
        """Whether lines of the log come to match, so many times."""
        return wait_for(lambda: len(re.findall(pattern, self.log()))
                        >= times, seconds)

    def files(self, folder):
        return [name for _, _, names in os.walk(f"{self.dir}/spool/{folder}")
                for name in names]

    def path(self, folder, name):
        """Of a file of the spool, or None."""
        for where, _, names in os.walk(f"{self.dir}/spool/{folder}"):
            if name in names:
                return os.path.join(where, name)
        return None

    def is_empty(self):
        return not any(self.files(d) for d in ("body", *STATES))

    def empties(self, seconds=WAIT_S):
        return wait_for(self.is_empty, seconds)

    def left(self):
        """Where mail still is, for diagnosis."""
        return {d: self.files(d) for d in ("body", *STATES) if self.files(d)}

    def audit(self):
        got = self.run("--json", "audit")
        try:
            return json.loads(got.stdout)
        except ValueError:
            return {"error": got.stderr + got.stdout, "balanced": False}

    def balances(self, words="the audit balances", **want):
        """Claims that nothing is lost, and what else it comes to say."""
        def is_so():
            a.update(self.audit())
            return a.get("balanced") and all(
                a.get(k) == v for k, v in want.items())

        a = {}
        return claim(wait_for(is_so, AUDIT_S), words, f"want: {want}",
                     f"got:  {a}", self.log())


def sealed(text):
    """An envelope with the right checksum in its end line."""
    text = re.sub(rb"end: [0-9A-F]{8}\n\Z", b"", text)
    return text + b"end: %08X\n" % zlib.crc32(text)


def queue_id(reply):
    found = ID.search(reply)
    return found.group(0) if found else ""


def text_mail(subject, body="text\r\n", **headers):
    lines = [f"{k.replace('_', '-')}: {v}" for k, v in headers.items()]
    return ("\r\n".join(["From: <a@client.example>", "To: <r@ours.example>",
                         f"Subject: {subject}", *lines, "", body])).encode()


def send(lab, data, sender="a@client.example", rcpts=("r@ours.example",),
         params=""):
    """A session of its own; the last reply, whatever it is."""
    c = client(lab)
    try:
        return c.mail(data, sender=sender, rcpts=rcpts, params=params)
    finally:
        c.close()


def accept(lab, data, **words):
    """As send, of what has to be taken; its queue id."""
    reply = send(lab, data, **words)
    if not reply.startswith("250"):
        raise RuntimeError(f"not taken: {reply}\n{lab.log()[-2000:]}")
    return queue_id(reply)


RECEIVED = re.compile(
    rb"Received: from \S+ \(([^()\r\n]*)\)\r\n"
    rb"(?:\t\(using TLSv1\.[23] with cipher [-\w]+, \d+ bits\)\r\n)?"
    rb"\tby \S+ with (?:SMTP|ESMTPS?|UTF8SMTPS?) id ([0-9a-hjkmnp-tv-z]{16})"
    rb"(?:\r\n\tfor <[^\r\n]*>)?;\r\n"
    rb"\t((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} [A-Z][a-z][a-z] \d{4} "
    rb"\d\d:\d\d:\d\d [+-]\d{4})\r\n")


# What the filters add behind it.
JUDGED = re.compile(
    rb"X-MC-Score: [^\r\n]*\r\nX-MC-Status: [^\r\n]*\r\n"
    rb"X-MC-SpamCheck: [^\r\n]*\r\n(?:\t[^\r\n]*\r\n)*")


def strip_received(data):
    """(the message without our fields, the match of Received); (None, None)
    when the message does not begin with a well-formed one."""
    found = RECEIVED.match(data)
    if not found:
        return None, None
    judged = JUDGED.match(data, found.end())
    return data[judged.end() if judged else found.end():], found


def parse(data):
    return email.message_from_bytes(data, policy=email.policy.default)


__all__ = ["BUILD", "SRC", "WAIT_S", "STATES", "Client", "Lab", "Sink",
           "accept", "claim", "client", "is_alive", "parse", "queue_id",
           "room", "same", "sealed",
           "send", "strip_received", "text_mail", "wait_for"]
