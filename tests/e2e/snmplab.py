# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests beside a real snmpd: one with its own configuration, folder and
# ports, an agent, and the questions of Debian's snmp tools.
import os
import re
import signal
import socket
import subprocess

from mclab import BUILD, is_alive, room, wait_for

UCD = ".1.3.6.1.4.1.2021.8"
SPOOLS = UCD + ".1.101.6"


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Process:
    """A program with a log, ended with the test."""

    def __init__(self, words, log, env=None):
        with open(log, "ab") as out:
            self.p = subprocess.Popen(words, stdin=subprocess.DEVNULL,
                                      stdout=out, stderr=out, env=env)

    def is_up(self):
        return self.p.poll() is None

    def end(self, sig=signal.SIGTERM, seconds=10):
        """Its exit status; killed when it does not end by itself."""
        if self.is_up():
            self.p.send_signal(signal.SIGCONT)
            self.p.send_signal(sig)
        try:
            return self.p.wait(seconds)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
            return None


class Snmpd:
    """Debian's, on a loopback port, with so many exec lines."""

    def __init__(self, execs=0, more=()):
        self.dir = room("mcgate-snmpd.")
        self.port = free_udp_port()
        self.socket = f"{self.dir}/agentx"
        self.address = f"unix:{self.socket}"
        self.execs = execs
        self.more = list(more)
        self.process = None

    def write(self):
        lines = ["rocommunity public 127.0.0.1", "master agentx",
                 f"agentXSocket {self.address}",
                 *(f"exec e{i} /bin/echo stock{i}"
                   for i in range(1, self.execs + 1)), *self.more]
        with open(f"{self.dir}/snmpd.conf", "w", encoding="ascii") as f:
            f.write("\n".join(lines) + "\n")

    def start(self):
        self.write()
        env = dict(os.environ, SNMP_PERSISTENT_DIR=self.dir,
                   SNMPCONFPATH=self.dir, MIBS="")
        self.process = Process(
            ["/usr/sbin/snmpd", "-f", "-Lo", "-C", "-c",
             f"{self.dir}/snmpd.conf", "-I", "-smux",
             f"udp:127.0.0.1:{self.port}"], f"{self.dir}/log", env)
        return self

    def up(self):
        self.start()
        if not wait_for(lambda: self.get(".1.3.6.1.2.1.1.3.0")[0]):
            raise RuntimeError("snmpd: " + self.log())
        return self

    def log(self):
        with open(f"{self.dir}/log", encoding="utf-8",
                  errors="replace") as f:
            return f.read()

    def kill(self, sig):
        self.process.p.send_signal(sig)

    def down(self, sig=signal.SIGTERM):
        self.process.end(sig)

    def ask(self, tool, *words, seconds=2, options=()):
        """(whether it ended well, [(oid, type, value)])."""
        got = subprocess.run(
            [tool, "-v2c", "-c", "public", "-On", "-r", "0", "-t",
             str(seconds), *options, f"udp:127.0.0.1:{self.port}", *words],
            check=False, capture_output=True, text=True,
            env=dict(os.environ, MIBS="", SNMP_PERSISTENT_DIR=self.dir,
                     SNMPCONFPATH=self.dir))
        rows = []
        for line in got.stdout.splitlines():
            oid, sep, rest = line.partition(" = ")
            if not sep:
                if rows:  # a string of several lines
                    rows[-1][2] += "\n" + line
                continue
            found = re.match(r"(\w[\w-]*): (.*)", rest)
            kind, value = found.groups() if found else ("", rest)
            rows.append([oid, kind, value.strip('"')])
        return got.returncode == 0 and bool(rows), rows

    def get(self, *oids, **words):
        ok, rows = self.ask("snmpget", *oids, **words)
        return (ok, rows[0][2] if len(rows) == 1 else
                [r[2] for r in rows])

    def text(self, oid=SPOOLS):
        """The string at an OID, or what is said instead."""
        return self.get(oid)[1]

    def next(self, oid):
        _, rows = self.ask("snmpgetnext", oid)
        return tuple(rows[0]) if rows else None

    def bulk(self, oid, n=20):
        _, rows = self.ask("snmpbulkget", oid, options=(f"-Cr{n}",))
        return [tuple(r) for r in rows]

    def walk(self, oid, tool="snmpwalk"):
        """{oid: value} below an OID; walk and bulkwalk say the same."""
        _, rows = self.ask(tool, oid, seconds=5)
        return {r[0]: r[2] for r in rows
                if not r[2].startswith("No ")}


class Agent:
    """snmp: lines for mcd.conf that only this one sees."""

    count = 0

    def __init__(self, lab, address, *words, snmp=""):
        Agent.count += 1
        self.conf = f"{lab.dir}/etc/mcd.conf"
        if snmp:
            self.conf = self.with_lines(snmp)
        self.words = [f"{BUILD}/sbin/mc-snmp-agent", "-f", "-c", self.conf,
                      "-x", address, *words]
        self.log_path = f"{lab.dir}/log/agent{Agent.count}.log"
        self.process = None

    def with_lines(self, snmp):
        with open(self.conf, encoding="utf-8") as f:
            text = f.read()
        path = f"{self.conf}.{Agent.count}"
        with open(path, "w", encoding="utf-8") as f:
            f.write(f"{text}snmp = {{ {snmp} }};\n")
        return path

    def up(self):
        self.process = Process(self.words, self.log_path)
        return self

    def is_up(self):
        return self.process.is_up() and is_alive(self.process.p.pid)

    def down(self, sig=signal.SIGTERM, seconds=10):
        return self.process.end(sig, seconds)

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8",
                      errors="replace") as f:
                return f.read()
        except OSError as e:
            return str(e)


__all__ = ["Agent", "Process", "SPOOLS", "Snmpd", "UCD", "free_udp_port"]
