# SPDX-License-Identifier: GPL-2.0-or-later
#
# spamd for tests: one that says what a test wants (Stub), and Debian's own
# with rules of the test and no others (Real).
import atexit
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

from mclab import room
from smtplab import SRC

SPAMD = shutil.which("spamd", path=os.environ.get("PATH", "") +
                     ":/usr/sbin:/usr/local/sbin")


def report(rules, words="", required=5.0):
    """The answer to REPORT, from {"RULE": points}."""
    score = sum(rules.values())
    tests = ",".join(f"{k}={v:g}" for k, v in rules.items()) or "none"
    body = (f"mcgate 1 score={score:.1f} required={required} tests={tests}\n"
            + words).encode()
    return (b"SPAMD/1.1 0 EX_OK\r\nContent-length: %d\r\nSpam: %s ; %.1f / "
            b"%.1f\r\n\r\n" % (len(body), b"True" if score >= required
                               else b"False", score, required)) + body


class Stub:
    """answer is bytes, or a function of connection and question."""

    def __init__(self, path=None):
        self.answer = report({})
        self.asked = []
        self.open = self.most = 0
        self.inside = set()
        self.lock = threading.Lock()
        self.path = path
        self.port = 0
        self.sock = None
        self.listen()

    def listen(self):
        if self.path:
            self.sock = socket.socket(socket.AF_UNIX)
            if os.path.exists(self.path):
                os.unlink(self.path)
            self.sock.bind(self.path)
            os.chmod(self.path, 0o666)
            self.text = self.path
        else:
            self.sock = socket.socket()
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind(("127.0.0.1", self.port))
            self.port = self.sock.getsockname()[1]
            self.text = f"127.0.0.1@{self.port}"
        self.sock.listen(64)
        threading.Thread(target=self.serve, args=(self.sock,),
                         daemon=True).start()

    def close(self):
        """Nobody listens any more, until listen()."""
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def serve(self, sock):
        while True:
            try:
                conn, _ = sock.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(conn,),
                             daemon=True).start()

    def leaves(self, conn):
        """
        An answer is the end of a connection's use: what follows may come
        before the thread that gave it goes on.
        """
        with self.lock:
            if conn in self.inside:
                self.inside.discard(conn)
                self.open -= 1

    def talk(self, conn):
        with self.lock:
            self.inside.add(conn)
            self.open += 1
            self.most = max(self.most, self.open)
        try:
            answer = self.answer
            if callable(answer):
                answer(conn)
                return
            question = b""
            while True:
                piece = conn.recv(65536)
                if not piece:
                    break
                question += piece
            self.asked.append(question)
            self.leaves(conn)
            conn.sendall(answer)
        except OSError:
            pass
        finally:
            self.leaves(conn)
            conn.close()


class Real:
    """Debian's spamd, with the given rules and share/spamassassin."""

    def __init__(self, rules, plugins=("Check", "ReplaceTags"), words=()):
        self.dir = room("mcgate-spamd.")
        for sub in ("rules", "site", "home", "tmp"):
            os.mkdir(f"{self.dir}/{sub}")
        self.rules = f"{self.dir}/rules/10_test.cf"
        with open(self.rules, "w", encoding="utf-8") as f:
            f.write(rules)
        with open(f"{self.dir}/site/test.pre", "w", encoding="utf-8") as f:
            f.writelines(f"loadplugin Mail::SpamAssassin::Plugin::{p}\n"
                         for p in plugins)
        shutil.copy(f"{SRC}/share/spamassassin/mcgate.cf",
                    f"{self.dir}/site/mcgate.cf")
        self.text = f"{self.dir}/spamd.sock"
        self.words = list(words)
        self.process = None
        atexit.register(self.stop)
        self.start()

    def start(self):
        words = [SPAMD, "--local", f"--socketpath={self.text}",
                 "--socketmode=0666", "--max-children=2", "--min-children=1",
                 "--nouser-config", f"--helper-home-dir={self.dir}/home",
                 f"--pidfile={self.dir}/pid", f"--configpath={self.dir}/rules",
                 f"--siteconfigpath={self.dir}/site", "--syslog=stderr",
                 *self.words]
        if os.geteuid() == 0:
            words.append("--username=nobody")
            os.chmod(self.dir, 0o777)
        with open(f"{self.dir}/log", "ab") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
                env=dict(os.environ, TMPDIR=f"{self.dir}/tmp"))
        end = time.monotonic() + 60
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"spamd does not start: {self.log()}")
            time.sleep(0.05)

    def answers(self):
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(10)
                s.connect(self.text)
                s.sendall(b"PING SPAMC/1.5\r\n\r\n")
                return b"PONG" in s.recv(100)
        except OSError:
            return False

    def log(self):
        with open(f"{self.dir}/log", encoding="utf-8",
                  errors="replace") as f:
            return f.read()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.process = None
