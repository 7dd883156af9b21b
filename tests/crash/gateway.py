# SPDX-License-Identifier: GPL-2.0-or-later
#
# A lab under the preload shim, its next hop, and the questions that every
# crash case ends with: what got 250 is delivered whole, what was refused
# is gone, nothing is left behind, the audit balances.
import glob
import hashlib
import json
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import shim as shimlib  # noqa: E402

SRC = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
QUIET_SECONDS = 60
KNOBS = ["retry_first=1s", "retry_max=1s", "stop_data_time=2s",
         "stop_reply_time=5s", "spool_reserve=0"]


class Fault(Exception):
    """A case that went red."""


def body_of(token, size):
    """A message that nobody else sends, of at least size bytes."""
    head = (f"From: <a@one.example>\r\nTo: <b@one.example>\r\n"
            f"Subject: {token}\r\nMessage-ID: <{token}@test.example>\r\n"
            "\r\n")
    seed = hashlib.sha256(token.encode()).hexdigest()
    lines, n = [], len(head)
    while n < size:
        lines.append(f"{len(lines):08d} {seed}\r\n")
        n += len(lines[-1])
    lines.append(".a line that begins with a dot\r\n..\r\nend\r\n")
    return (head + "".join(lines)).encode()


class Sent:
    """One message: what was said about it, and where it must be."""

    def __init__(self, token, data, rcpts, answer, text):
        self.token, self.data, self.rcpts = token, data, rcpts
        self.answer = answer  # "yes", "no", "unknown"
        self.text = text


def smtp_send(endpoint, token, rcpts, size, timeout=45):
    """Plays one SMTP transaction.  unknown: the connection went after the
    end mark was sent without a reply."""
    data = body_of(token, size)
    stuffed = data.replace(b"\r\n.", b"\r\n..") + b".\r\n"
    host, _, port = endpoint.rpartition(":")
    at_end = False
    try:
        with socket.create_connection((host.strip("[]"), int(port)),
                                      timeout=timeout) as s:
            f = s.makefile("rb")

            def reply():
                while True:
                    line = f.readline(4096)
                    if not line.endswith(b"\n"):
                        raise ConnectionError("closed")
                    if line[3:4] != b"-":
                        return line.decode("utf-8", "replace").strip()

            def expect(command, code):
                if command:
                    s.sendall(command.encode() + b"\r\n")
                line = reply()
                if not line.startswith(code):
                    raise smtplib.SMTPException(line)
                return line

            expect(None, "2")
            expect("EHLO client.example", "2")
            expect("MAIL FROM:<sender@one.example>", "2")
            for r in rcpts:
                expect(f"RCPT TO:<{r}>", "2")
            expect("DATA", "3")
            s.sendall(stuffed[:-3])
            at_end = True
            s.sendall(stuffed[-3:])
            text = expect(None, "2")
            return Sent(token, data, rcpts, "yes", text)
    except smtplib.SMTPException as e:
        return Sent(token, data, rcpts, "no", str(e))
    except (OSError, ConnectionError) as e:
        return Sent(token, data, rcpts, "unknown" if at_end else "no",
                    repr(e))


class Gateway:
    def __init__(self, build, top, number):
        self.build = build
        self.dir = os.path.join(top, f"lab{number}")
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        self.sink_dir = self.dir + "/sink"
        self.refuse = self.dir + "/refuse"
        self.sink = None
        self.incarnation = 0
        self.tokens = 0
        self.number = number
        self.prefix = f"n{number}"
        self.shim = shimlib.Shim(self.dir + "/switch",
                                 build + "/tests/crash/shim_make")
        self.start_sink()

    # the next hop

    def start_sink(self):
        port_file = self.dir + "/sink.port"
        self.sink = subprocess.Popen(
            [SRC + "/tools/sink", "--listen", "127.0.0.1:0", "--dir",
             self.sink_dir, "--port-file", port_file, "--refuse-file",
             self.refuse], stdin=subprocess.DEVNULL)
        wait_until(lambda: os.path.exists(port_file), 20, "the sink's port")
        with open(port_file, encoding="ascii") as f:
            self.next_hop = f.read().strip()

    def take_delivered(self):
        """Everything the next hop has stored since the last call."""
        out = []
        for meta in sorted(glob.glob(self.sink_dir + "/*.json")):
            with open(meta, encoding="utf-8") as f:
                m = json.load(f)
            with open(m["eml"], "rb") as f:
                m["data"] = f.read()
            out.append(m)
            os.unlink(meta)
            os.unlink(m["eml"])
        return out

    # mcd

    def log_path(self):
        return f"{self.home}/log/mcd.log"

    def start(self, spool=None, trace=False):
        """Starts a lab of its own folder; spool is taken over."""
        self.incarnation += 1
        self.home = f"{self.dir}/home{self.incarnation}"
        os.makedirs(self.home)
        if spool is not None:
            os.rename(spool, self.home + "/spool")
        self.shim.disarm()
        self.shim.at.trace = 1 if trace else 0
        self.trace_log = f"{self.home}/trace"
        env = dict(os.environ)
        env.update({
            "LD_PRELOAD": preload(self.build),
            "MCGATE_SHIM": self.shim.path,
            "MCGATE_SHIM_ROOT": self.home + "/spool"})
        if trace:
            os.makedirs(self.trace_log + ".d")
            env["MCGATE_SHIM_LOG"] = self.trace_log
        self.env = env
        self.launch()

    def launch(self):
        words = [SRC + "/tools/lab", "up", "--dir", self.home, "--smtp",
                 "127.0.0.1:0", "--relay-to", self.next_hop, "--build",
                 self.build, "--domain", "one.example", "--domain",
                 "two.example", "--domain", "held.example"]
        for k in KNOBS:
            words += ["--set", k]
        words += ["--domain-set", "two.example:id_header=yes",
                  "--domain-set", "held.example:hold_mail=yes"]
        done = subprocess.run(words, env=self.env, capture_output=True,
                              text=True, check=False,
                              stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Fault("lab up: " + done.stderr.strip())
        with open(self.home + "/smtp", encoding="ascii") as f:
            self.endpoint = f.read().strip()
        with open(self.home + "/mcd.pid", encoding="ascii") as f:
            self.pid = int(f.read())
        self.wait_running()

    def restart(self):
        """After a cut or the parent's death: the same folder again, with
        the destinations it has."""
        self.shim.disarm()
        self.kill()
        self.launch()

    def is_up(self):
        try:
            with open(f"/proc/{self.pid}/stat", encoding="ascii") as f:
                return f.read().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    def kill(self):
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        wait_until(lambda: not group_alive(self.pid), 20, "the kill")

    def stop(self):
        self.shim.disarm()
        if getattr(self, "home", None) and self.is_up():
            subprocess.run([SRC + "/tools/lab", "down", "--dir", self.home],
                           capture_output=True, check=False)

    def close(self):
        self.stop()
        if getattr(self, "pid", None):
            self.kill()
        if self.sink:
            self.sink.kill()
            self.sink.wait()

    def mcctl(self, *words):
        done = subprocess.run(
            [self.build + "/bin/mcctl", "-c", self.home + "/etc/mcd.conf",
             *words], capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def status(self):
        _, out, _ = self.mcctl("status", "--json")
        try:
            return json.loads(out)
        except ValueError:
            return {}

    def wait_running(self):
        def all_running():
            st = self.status()
            rows = st.get("processes", [])
            return rows and st.get("intake_open") and \
                all(p["state"] == "running" for p in rows)

        wait_until(all_running, 40, "all roles running", 0.02)

    # sending and judging

    def token(self):
        self.tokens += 1
        return f"{self.prefix}t{self.tokens:06d}"

    def send_all(self, plan):
        """plan: list of (recipients, size), sent at the same time."""
        out = [None] * len(plan)

        def one(i, token):
            out[i] = smtp_send(self.endpoint, token, *plan[i])

        ts = [threading.Thread(target=one, args=(i, self.token()))
              for i in range(len(plan))]
        for t in ts:
            t.start()
        for t in ts:
            t.join()
        return out

    def envelopes(self, states):
        out = []
        for state in states:
            out += glob.glob(f"{self.home}/spool/{state}/??/*")
            out += glob.glob(f"{self.home}/spool/{state}/??/.*.tmp")
        return out

    def wait_quiet(self, seconds=QUIET_SECONDS):
        wait_until(lambda: not self.envelopes(
            ("incoming", "filtering", "outgoing")), seconds,
            lambda: "empty queues; there are "
            + " ".join(self.envelopes(("incoming", "filtering",
                                       "outgoing"))[:5]), 0.01)

    def judge(self, sent, was_killed):
        """Raises Fault for whatever is not as promised."""
        self.wait_quiet()
        self.wait_running()
        got = self.take_delivered()
        held = {}
        _, out, err = self.mcctl("queue", "list", "--json")
        for line in out.splitlines():
            row = json.loads(line)
            held.setdefault(row["id"].split(".")[0], row)
        for m in sent:
            self.judge_one(m, got, held, was_killed)
        for m in got:
            if not any(s.token.encode() in m["data"] for s in sent) and \
                    b"report-type=delivery-status" not in m["data"]:
                raise Fault(f"delivered, but nobody sent it: {m['eml']}")
        for name in held:
            code, _, err = self.mcctl("queue", "delete", name)
            if code != 0:
                raise Fault(f"queue delete {name}: {err.strip()}")
        self.judge_leftovers()
        self.judge_audit()

    def judge_one(self, m, got, held, was_killed):
        want = [r for r in m.rcpts if not r.startswith("bounce")
                and not r.endswith("@held.example")]
        whole, dsn = set(), 0
        for g in got:
            if m.token.encode() not in g["data"]:
                continue
            if b"report-type=delivery-status" in g["data"]:
                dsn += 1
            elif not g["data"].endswith(b"\r\n" + m.data) or \
                    not g["data"].startswith((b"Received:", b"X-MC-ID:")):
                raise Fault(f"{m.token}: delivered, but not as it was sent")
            else:
                whole.update(g["rcpts"])
        if m.answer == "yes":
            missing = [r for r in want if r not in whole]
            if missing:
                raise Fault(f"{m.token}: LOST for {missing}: it was "
                            f"answered {m.text}")
            if any(r.startswith("bounce") for r in m.rcpts) and not dsn:
                raise Fault(f"{m.token}: no bounce came")
            if any(r.endswith("@held.example") for r in m.rcpts) and \
                    m.text.split()[2] not in held:
                raise Fault(f"{m.token}: not in hold: {m.text}")
        elif m.answer == "no" and (whole or dsn) and not was_killed:
            raise Fault(f"{m.token}: refused ({m.text}), yet delivered")

    def judge_leftovers(self):
        def left():
            return (self.envelopes(("incoming", "filtering", "outgoing",
                                    "hold", "quarantine"))
                    + glob.glob(f"{self.home}/spool/body/??/*"))

        wait_until(lambda: not left(), 5,
                   lambda: f"a clean spool; left: {left()[:5]}", 0.01)
        if self.envelopes(("corrupt",)):
            raise Fault("parked as damaged: "
                        + " ".join(self.envelopes(("corrupt",))))

    def judge_audit(self):
        code, out, err = self.mcctl("audit", "--json")
        try:
            a = json.loads(out)
        except ValueError:
            raise Fault(f"audit: {err.strip() or out}") from None
        if code != 0 or not a.get("balanced"):
            raise Fault(f"audit does not balance: {out.strip()}")


def group_alive(pgid):
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="ascii", errors="replace") as f:
                w = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(w[2]) == pgid and w[0] != "Z":
            return True
    return False


def preload(build):
    """The shim, and ASan's runtime before it where mcd was built with
    it."""
    libs = [build + "/tests/crash/shim.so"]
    out = subprocess.run(["ldd", build + "/sbin/mcd"], capture_output=True,
                         text=True, check=False).stdout
    for line in out.splitlines():
        if "libasan" in line and "=>" in line:
            libs.insert(0, line.split("=>")[1].split()[0])
    return ":".join(libs)


def wait_until(ready, seconds, what, step=0.01):
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            text = what() if callable(what) else what
            raise Fault(f"waited {seconds} s in vain for {text}")
        time.sleep(step)
