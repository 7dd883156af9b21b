# SPDX-License-Identifier: GPL-2.0-or-later
#
# Debian's rspamd with its own rules and what is local: no redis and so
# nothing that needs one (Bayes, greylisting, fuzzy hashes), no maps of the
# network, no list but those of the benchmark.  Its configuration and all
# that it writes lie in a folder of the benchmark.
import os
import pwd
import shutil
import signal
import socket
import subprocess
import threading
import time

from benchlab import cpu_s

START_S = 300
ETC = "/etc/rspamd"
# Modules that ask somebody of the network, or keep something in redis.
OFF = ("asn", "bayes_expiry", "fuzzy_check", "greylist", "neural",
       "ratelimit", "replies", "reputation", "url_redirector", "history_redis",
       "clickhouse", "elastic", "metadata_exporter", "metric_exporter",
       "rspamd_update", "dkim_signing", "arc", "bimi", "dcc", "mx_check")
LISTS = """
rbls = {
  bad = { symbol = "BENCH_BAD"; rbl = "bad.bench.example";
          checks = ["from", "received"]; ipv6 = true; }
  uri = { symbol = "BENCH_URI"; rbl = "uri.bench.example";
          checks = ["urls", "emails"]; emails_domainonly = true; }
  white = { symbol = "BENCH_WHITE"; rbl = "white.bench.example";
            checks = ["from"]; is_whitelist = true; }
}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def program():
    return shutil.which("rspamd", path=os.environ.get("PATH", "") +
                        ":/usr/sbin")


class Rspamd:
    """From up() to down(); its CPU is that of pid and all below it."""

    def __init__(self, top, resolver, workers):
        self.dir = f"{top}/rspamd"
        self.port = free_port()
        self.words = [program(), "-f", "-c", f"{ETC}/rspamd.conf"]
        for name in ("local.d", "override.d", "db", "run", "log"):
            os.makedirs(f"{self.dir}/{name}")
        if os.geteuid() == 0:
            user = pwd.getpwnam("_rspamd")
            self.words += ["-u", "_rspamd", "-g", "_rspamd"]
            for folder, _, _ in os.walk(self.dir):
                os.chown(folder, user.pw_uid, user.pw_gid)
        for name, where in (("LOCAL_CONFDIR", ""), ("DBDIR", "/db"),
                            ("RUNDIR", "/run"), ("LOGDIR", "/log")):
            self.words.append(f"--var={name}={self.dir}{where}")
        server = resolver.replace("@", ":")
        self.write("options.inc", f'dns {{ nameserver = ["{server}"]; }}\n'
                   f'tempdir = "{self.dir}/db"; rrd = "";\n'
                   'neighbours {}\n')
        self.write("worker-normal.inc", f"count = {workers};\n"
                   f'bind_socket = "127.0.0.1:{self.port}";\n')
        for name in ("controller", "proxy", "fuzzy"):
            self.write(f"worker-{name}.inc", "count = 0; enabled = false;\n"
                       f'bind_socket = "127.0.0.1:{free_port()}";\n')
        for name in OFF:
            self.write(f"{name}.conf", "enabled = false;\n")
        self.write("rbl.conf", LISTS)
        self.write("phishing.conf", "phishtank_enabled = false;\n")
        self.process = None

    def write(self, name, words):
        with open(f"{self.dir}/override.d/{name}", "w",
                  encoding="ascii") as f:
            f.write(words)

    def up(self):
        with open(f"{self.dir}/log/out", "wb") as out:
            self.process = subprocess.Popen(
                self.words, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                cwd=self.dir, start_new_session=True)
        self.pid = self.process.pid
        end = time.monotonic() + START_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"rspamd does not start: {self.said()}")
            time.sleep(0.1)
        self.await_calm()

    def await_calm(self):
        """It compiles its expressions after its start, for seconds."""
        end = time.monotonic() + START_S
        before, calm = cpu_s(self.pid), 0
        while calm < 3 and time.monotonic() < end:
            time.sleep(1)
            now = cpu_s(self.pid)
            calm = calm + 1 if now - before < 0.05 else 0
            before = now

    def said(self):
        for name in ("rspamd.log", "out"):
            try:
                with open(f"{self.dir}/log/{name}", encoding="utf-8",
                          errors="replace") as f:
                    words = f.read()[-2000:]
                    if words:
                        return words
            except OSError:
                pass
        return "nothing"

    def answers(self):
        try:
            return b"200" in self.ask(b"GET /ping HTTP/1.0\r\n\r\n")[:20]
        except OSError:
            return False

    def ask(self, question):
        with socket.create_connection(("127.0.0.1", self.port), 60) as s:
            s.sendall(question)
            got = b""
            while True:
                piece = s.recv(65536)
                if not piece:
                    return got
                got += piece

    def question(self, mail):
        return (f"POST /checkv2 HTTP/1.0\r\nIP: {mail.ip}\r\n"
                f"Helo: client.bench.example\r\nFrom: {mail.sender}\r\n"
                f"Rcpt: user@bench.example\r\n"
                f"Content-Length: {len(mail.data)}\r\n\r\n"
                ).encode() + mail.data

    def judge(self, mails, sessions):
        """(seconds, CPU seconds, answers that are none)"""
        todo = [self.question(m) for m in reversed(mails)]
        bad, lock = [], threading.Lock()

        def work():
            while True:
                with lock:
                    if not todo:
                        return
                    question = todo.pop()
                try:
                    got = self.ask(question)
                    if b'"action"' not in got:
                        bad.append(got[:200])
                except OSError as e:
                    bad.append(str(e))

        before, began = cpu_s(self.pid), time.monotonic()
        threads = [threading.Thread(target=work) for _ in range(sessions)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return time.monotonic() - began, cpu_s(self.pid) - before, bad

    def down(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
