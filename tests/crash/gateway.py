# SPDX-License-Identifier: GPL-2.0-or-later
#
# A lab under the preload shim, its next hop, and the questions that every
# crash case ends with: what got 250 is delivered whole, what was refused
# is gone, nothing is left behind, the audit balances.
import functools
import glob
import hashlib
import json
import os
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import shim as shimlib  # noqa: E402

SRC = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
QUIET_SECONDS = 60
LAUNCH_TRIES = 5
ROOM = 1 << 30  # a folder in memory must have as much
HOLD_SECONDS = 5
HELD = "@held.example"
KEPT = "@kept.example"
STRICT = "@strict.example"
DOMAINS = ["one.example", "two.example", "held.example", "kept.example",
           "asked.example", "strict.example"]
DOMAIN_KNOBS = ["two.example:id_header=yes", "held.example:hold_mail=yes",
                "kept.example:threshold=0",
                "kept.example:spam_action=quarantine",
                "asked.example:rcpt_check=callout",
                "strict.example:threshold=0",
                "strict.example:at_data=refuse"]
KNOBS = ["retry_first=1s", "retry_max=1s", "stop_data_time=2s",
         "stop_reply_time=5s", "spool_reserve=0"]
CONF = ['tls_ca = "/dev/null";']  # 140 authorities cost each start 50 ms
STATES = ("incoming", "filtering", "outgoing", "hold", "quarantine",
          "body", "corrupt")


class Fault(Exception):
    """A case that went red."""


class NoLab(Fault):
    """A lab that does not start on an empty spool: nothing was tried."""


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
    """One message: what was said about it, and where it must be.  answer
    is "yes", "no" (refused at the end of data), "never" (it did not come
    as far as that) or "unknown" (no reply came to the end of data)."""

    def __init__(self, token, data, rcpts, answer, text):
        self.token, self.data, self.rcpts = token, data, rcpts
        self.answer, self.text = answer, text
        self.tried = self.done = ""  # what was asked for by mcctl, and said
        self.was_held = False  # and was said to be

    def name(self):
        """Its ID; it was answered 250."""
        return self.text.split()[2]


class Held:
    """A message in hold, and for whom."""

    def __init__(self, data, rcpts):
        self.data, self.rcpts = data, set(rcpts)


class Plan:
    """A message to send: chunks is how many BDAT it comes in, 0 DATA."""

    def __init__(self, rcpts, size, chunks=0, sender="sender@one.example"):
        self.rcpts, self.size = rcpts, size
        self.chunks, self.sender = chunks, sender

    def for_token(self, text):
        """The same with {t} filled in."""
        return Plan([r.replace("{t}", text) for r in self.rcpts], self.size,
                    self.chunks, self.sender.replace("{t}", text))

    def pieces(self, data):
        """What is sent behind the recipients: (bytes, the code of its
        reply); the last ends the message."""
        if not self.chunks:
            stuffed = data.replace(b"\r\n.", b"\r\n..")
            return [(b"DATA\r\n", "3"), (stuffed + b".\r\n", "2")]
        step = len(data) // self.chunks + 1
        parts = [data[i:i + step] for i in range(0, len(data), step)]
        return [(f"BDAT {len(p)}{' LAST' if p is parts[-1] else ''}\r\n"
                 .encode() + p, "2") for p in parts]


def smtp_send(endpoint, token, plan, timeout=45):
    """Plays one SMTP transaction."""
    rcpts = plan.rcpts
    data = body_of(token, plan.size)
    pieces = plan.pieces(data)
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
                if isinstance(command, str):
                    command = command.encode() + b"\r\n"
                s.sendall(command)
                line = reply()
                if not line.startswith(code):
                    raise smtplib.SMTPException(line)
                return line

            expect(b"", "2")
            expect("EHLO client.example", "2")
            expect(f"MAIL FROM:<{plan.sender}>", "2")
            for r in rcpts:
                expect(f"RCPT TO:<{r}>", "2")
            for piece, code in pieces[:-1]:
                expect(piece, code)
            piece, code = pieces[-1]
            s.sendall(piece[:-3])
            at_end = True
            text = expect(piece[-3:], code)
            return Sent(token, data, rcpts, "yes", text)
    except smtplib.SMTPException as e:
        return Sent(token, data, rcpts, "no" if at_end else "never",
                    str(e))
    except (OSError, ConnectionError) as e:
        return Sent(token, data, rcpts, "unknown" if at_end else "never",
                    repr(e))


class Eye:
    """A process that answers many questions about a gateway (eye.c), so
    that looking costs no start of mcctl."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)

    def ask(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise NoLab(f"tests/crash/eye has ended at {words}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def work_folder(prefix):
    """In memory where there is room: what a power cut leaves is worked
    out by the shim, not by a disk."""
    where = "/dev/shm"
    try:
        st = os.statvfs(where)
        if st.f_bavail * st.f_frsize < ROOM or not os.access(where, os.W_OK):
            where = None
    except OSError:
        where = None
    return tempfile.mkdtemp(prefix=prefix, dir=where)


def make_model(build, folder, sink):
    """A lab whose settings all homes begin with."""
    lab = [sys.executable, SRC + "/tools/lab"]
    words = ["up", "--dir", folder, "--smtp", "127.0.0.1:0",
             "--relay-to", sink, "--build", build]
    for option, values in (("--domain", DOMAINS), ("--set", KNOBS),
                           ("--domain-set", DOMAIN_KNOBS),
                           ("--conf", CONF)):
        for value in values:
            words += [option, value]
    run_tool(lab + words)
    run_tool(lab + ["down", "--dir", folder])


class Gateway:
    """model: see make_model(); its settings are copied."""

    def __init__(self, build, top, number, model):
        self.build, self.model = build, model
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
        self.let_go = set()  # notifications whose release was confirmed
        self.home = self.process = self.mounted = None
        self.plays = 0  # on this home
        self.eye = Eye(build + "/tests/crash/eye")
        self.shim = shimlib.Shim(self.dir + "/switch",
                                 build + "/tests/crash/shim_make")
        self.start_sink()

    # the next hop

    def start_sink(self):
        port_file = self.dir + "/sink.port"
        self.sink = subprocess.Popen(
            [sys.executable, SRC + "/tools/sink", "--listen", "127.0.0.1:0", "--dir",
             self.sink_dir, "--port-file", port_file, "--refuse-file",
             self.refuse], stdin=subprocess.DEVNULL)
        wait_until(lambda: os.path.exists(port_file), 20, "the sink's port")
        with open(port_file, encoding="ascii") as f:
            self.next_hop = f.read().strip()

    def set_refuse(self, is_wanted):
        if is_wanted:
            with open(self.refuse, "w", encoding="ascii") as f:
                f.write("451 4.3.0 not yet")
        elif os.path.exists(self.refuse):
            os.unlink(self.refuse)

    def wait_deferred(self, sent):
        """Until what was accepted has been tried once, or the shim acts."""
        def is_over():
            lines = self.ledger_lines()
            return self.shim.hits() or not self.is_up() or all(
                any(" deferred " + m.name() in line for line in lines)
                for m in sent if m.answer == "yes")

        deadline = time.monotonic() + 3
        while not is_over() and time.monotonic() < deadline:
            time.sleep(0.01)

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

    def settings(self):
        """The model's, with our own next hop."""
        path = self.dir + "/settings.db"
        if not os.path.exists(path):
            lib = self.home + "/lib/settings.db"
            shutil.copy(self.model + "/lib/settings.db", lib)
            self.write_conf()
            for d in DOMAINS:
                code, _, err = self.mcctl("domain", "set", d, "--dest",
                                          self.next_hop)
                if code != 0:
                    raise NoLab(f"domain set: {err.strip()}")
            shutil.copy(lib, path)
        return path

    def start(self, spool=None, stop_at=None, disk=None):
        """A new home; the folder spool becomes its spool, or a file system
        of disk bytes.  stop_at() arms the shim before mcd starts: see
        launch()."""
        self.incarnation += 1
        self.home = f"{self.dir}/home{self.incarnation}"
        for d in ("etc", "log", "run", "lib", "spool"):
            os.makedirs(f"{self.home}/{d}")
        shutil.copy(self.settings(), self.home + "/lib/settings.db")
        if spool is not None:
            os.rmdir(self.home + "/spool")
            os.rename(spool, self.home + "/spool")
        if disk is not None:
            run_tool(["mount", "-t", "tmpfs", "-o", f"size={disk},mode=700",
                      "tmpfs", self.home + "/spool"])
            self.mounted = self.home + "/spool"
        self.log_read = self.plays = 0
        self.shim.disarm()
        self.shim.at.trace = 1
        self.trace_log = f"{self.home}/trace"
        os.makedirs(self.trace_log + ".d")
        self.env = dict(os.environ)
        self.env.update({
            "LD_PRELOAD": preload(self.build),
            "MCGATE_SHIM": self.shim.path,
            "MCGATE_SHIM_LOG": self.trace_log,
            "MCGATE_SHIM_ROOT": self.home + "/spool"})
        self.base, self.inodes = None, None
        if spool is not None:
            self.take_base()
        self.eye.ask("home", self.home + "/run", self.home + "/spool")
        self.launch(stop_at)

    def take_base(self):
        self.base = self.home + "/base"
        shutil.rmtree(self.base, ignore_errors=True)
        self.inodes = shimlib.copy_base(self.home + "/spool", self.base)

    def checkpoint(self):
        """The log of the shim begins here, with all that is on the disk;
        nobody works."""
        os.truncate(self.trace_log, 0)
        for path in glob.glob(self.trace_log + ".d/*"):
            os.unlink(path)
        self.take_base()

    def drop_homes(self):
        """All but the one in use."""
        for path in glob.glob(f"{self.dir}/home*"):
            if path != self.home:
                shutil.rmtree(path, ignore_errors=True)

    def write_conf(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with open(self.model + "/etc/mcd.conf", encoding="utf-8") as f:
            text = f.read()
        with open(self.model + "/smtp", encoding="ascii") as f:
            old = f.read().strip()
        self.endpoint = f"127.0.0.1:{port}"
        text = text.replace(old, self.endpoint)
        with open(self.home + "/etc/mcd.conf", "w", encoding="utf-8") as f:
            f.write(text.replace(self.model, self.home))

    def launch(self, stop_at=None):
        """Runs mcd on its home.  With stop_at it may die in its start;
        whether it is up is then the answer."""
        for left in range(LAUNCH_TRIES, 0, -1):
            self.write_conf()
            self.restarts = self.most_restarts = 0
            with open(self.log_path(), "ab") as log:
                if stop_at is not None:
                    stop_at()
                self.process = subprocess.Popen(
                    [self.build + "/sbin/mcd", "-c",
                     self.home + "/etc/mcd.conf"], env=self.env,
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True)
            self.pid = self.process.pid
            wait_until(lambda: self.all_running() or not self.is_up(), 40,
                       "all roles running", 0.02)
            if self.is_up():
                return True
            if stop_at is not None and self.shim.hits():
                return False
            with open(self.log_path(), encoding="utf-8",
                      errors="replace") as f:
                text = f.read()
            # a port that somebody else took in between
            if left == 1 or "in use" not in text:
                raise Fault("mcd does not start: " + text[-300:])
        return False

    def restart(self, keeps_shim=False):
        """The same folders again."""
        if not keeps_shim:
            self.shim.disarm()
        self.kill()
        self.launch()

    def is_up(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        wait_until(lambda: not group_alive(self.pid), 20, "the kill")

    def close(self):
        self.shim.disarm()
        if self.process is not None:
            self.kill()
        if self.mounted:
            run_tool(["umount", "-l", self.mounted])
            self.mounted = None
        if self.sink:
            self.sink.kill()
            self.sink.wait()
        self.eye.close()

    def mcctl(self, *words):
        done = subprocess.run(
            [self.build + "/bin/mcctl", "-c", self.home + "/etc/mcd.conf",
             *words], capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def set_knob(self, name, value):
        code, _, err = self.mcctl("setting", "set", name, value)
        if code != 0:
            raise Fault(f"setting set {name}: {err.strip()}")

    def order(self, command, *words):
        """Asks control's socket, as mcctl does: its exit code."""
        return self.eye.ask("ask", command, *words)["code"]

    def listed(self, words=""):
        """The rows of mcctl queue list."""
        return self.eye.ask("ask", "queue-list", words)["rows"]

    def all_running(self):
        seen = self.eye.ask("look")
        if not seen.get("running") or seen["pid"] != self.pid:
            return False
        self.restarts, self.most_restarts = seen["restarts"], seen["most"]
        return True

    def wait_running(self):
        wait_until(self.all_running, 40, "all roles running", 0.02)

    # sending and judging

    def token(self):
        self.tokens += 1
        return f"{self.prefix}t{self.tokens:06d}"

    def send_all(self, plan):
        """plan: list of Plan, sent at the same time."""
        out = [None] * len(plan)

        def one(i, token):
            out[i] = smtp_send(self.endpoint, token, plan[i])

        ts = [threading.Thread(target=one, args=(i, self.token()))
              for i in range(len(plan))]
        for t in ts:
            t.start()
        for t in ts:
            t.join()
        return out

    def envelopes(self, *states):
        return [p for p in self.eye.ask("files", *states)
                if not os.path.basename(p).startswith(".")]

    def queued(self):
        """Looked at twice: a bounce may come to a folder that was seen
        just before its cause goes from one that is seen after it."""
        states = ("incoming", "filtering", "outgoing")
        found = self.envelopes(*states) or self.envelopes(*states)
        left = self.left_behind() if found else ()
        return [p for p in found if p not in left]

    def left_behind(self):
        """Older envelopes of what is held that could not be unlinked, as
        mcd has said: they go with the message, or with the next start."""
        with open(self.log_path(), encoding="utf-8", errors="replace") as f:
            said = set(re.findall(
                r'old_envelope_left reason="([^":]+): unlink', f.read()))
        held = {os.path.basename(p) for p in self.envelopes("hold")} \
            if said else ()
        return {p for p in said if os.path.basename(p) in held}

    def wait_quiet(self, seconds=QUIET_SECONDS):
        wait_until(lambda: not self.queued(), seconds,
                   lambda: "empty queues; there are "
                   + " ".join(self.queued()[:5]))

    def judge(self, sent, has_died, may_leave=False):
        """Raises Fault for whatever is not as promised.  has_died: a role
        died, so that an answer may have got lost.  may_leave: files may
        have been left behind that the next start removes."""
        self.wait_quiet()
        self.wait_running()
        self.let_reports_go()
        got = self.take_delivered()
        if may_leave and not self.is_clean(0.5):
            self.restart()
            self.wait_quiet()
            got += self.take_delivered()
        held = self.take_held()
        kept = self.wait_kept()
        judge_messages(sent, got, held, has_died)
        judge_kept(sent, got, kept)
        judge_strict(sent, got, kept)
        for name in [*held, *kept]:
            code = self.order("queue-delete", name)
            if code != 0:
                raise Fault(f"queue delete {name}: {code}")
        self.judge_leftovers()
        self.judge_audit()
        judge_ledger(sent, self.ledger_lines())
        self.judge_deaths()

    def has_lost_peer(self):
        """A channel between two roles broke, and an answer with it: then
        mail may have been taken that was put off (RFC 1047)."""
        with open(self.log_path(), encoding="utf-8", errors="replace") as f:
            f.seek(self.log_read)
            return re.search(r"warn: peer \w+ dropped: ", f.read()) \
                is not None

    def judge_deaths(self):
        """Roles die by our hand only."""
        with open(self.log_path(), encoding="utf-8", errors="replace") as f:
            f.seek(self.log_read)
            text = f.read()
            self.log_read = f.tell()
        for line in text.splitlines():
            if "role died" in line and "signal=" in line and \
                    "signal=9" not in line:
                raise Fault("a role died by itself: " + line)

    def ledger_lines(self):
        lines = []
        for path in sorted(glob.glob(f"{self.home}/spool/ledger/*")):
            with open(path, encoding="utf-8") as f:
                lines += f.read().splitlines()
        return lines

    def act(self, sent, verb):
        """mcctl queue VERB for what is in hold."""
        for m in sent:
            if m.answer != "yes" or not any(r.endswith(HELD)
                                            for r in m.rcpts):
                continue
            deadline = time.monotonic() + HOLD_SECONDS
            while not self.is_held(m) and self.is_up() and \
                    time.monotonic() < deadline:
                time.sleep(0.01)
            # what is not in hold needs no release, which is no error
            if not self.is_held(m):
                continue
            m.tried = verb
            if self.order("queue-" + verb, m.name()) == 0:
                m.done = verb

    def hold(self, sent):
        """mcctl queue hold for what waits for its next try."""
        for m in sent:
            if m.answer == "yes":
                m.tried = "hold"
                if self.order("queue-hold", m.name()) == 0:
                    m.done = "hold"

    def halt(self, sent):
        """mcctl queue delete for what was to be held."""
        for m in sent:
            if m.answer == "yes":
                m.was_held = m.done == "hold"
                m.tried, m.done = "halt", ""
                if self.order("queue-delete", m.name()) == 0:
                    m.done = "halt"

    def take_kept(self):
        """ID -> recipients of what is in quarantine."""
        kept = {}
        if self.envelopes("quarantine"):
            for row in self.listed("state:quarantine"):
                kept.setdefault(row["id"].split(".")[0], set()).update(
                    row["rcpt"])
        return kept

    def wait_kept(self):
        """The same, once roles that start again have told of it."""
        deadline = time.monotonic() + QUIET_SECONDS
        while True:
            kept = self.take_kept()
            if kept or not self.envelopes("quarantine") or \
                    not self.is_up() or time.monotonic() > deadline:
                return kept
            time.sleep(0.05)

    def act_kept(self, sent, verb):
        """mcctl quarantine VERB for the first recipient of each."""
        for m in sent:
            if m.answer != "yes" or not m.rcpts[0].endswith(KEPT):
                continue
            deadline = time.monotonic() + HOLD_SECONDS
            while m.name() not in self.take_kept() and self.is_up() and \
                    time.monotonic() < deadline:
                time.sleep(0.01)
            m.tried = verb
            if self.order("quarantine-" + verb, m.name(), m.rcpts[0]) == 0:
                m.done = verb

    def hold_report(self):
        """Holds a notification that waits for its next try, and lets it go
        on; whatever of that is too late is no error."""
        deadline = time.monotonic() + HOLD_SECONDS
        names = []
        while not names and self.is_up() and not self.shim.hits() and \
                time.monotonic() < deadline:
            time.sleep(0.02)
            names = [row["id"] for row in self.listed("outgoing")
                     if row["sender"] == ""]
        self.set_refuse(True)  # so that it waits for us
        for name in names:
            self.order("queue-hold", name)
            if self.order("queue-unhold", name) == 0:
                self.let_go.add(name)
        self.set_refuse(False)

    def let_reports_go(self):
        """A notification whose release nobody confirmed may be held; one
        that was said to be let go may not."""
        if not self.envelopes("hold"):
            return
        for row in self.listed("state:hold"):
            if row["sender"] != "":
                continue
            if row["id"] in self.let_go:
                raise Fault(f"{row['id']}: unhold was said to be done, "
                            "yet it is held")
            self.order("queue-unhold", row["id"])
        self.wait_quiet()

    def drain(self):
        """Until it is told; a role that dies meanwhile knows it again."""
        self.mcctl("drain")

    def undrain(self):
        """Mail is taken again, whatever has died."""
        def is_open():
            if not self.is_up():
                return True
            self.mcctl("undrain")
            return self.eye.ask("look").get("draining") == 0

        wait_until(is_open, 40, "an undrained gateway", 0.02)

    def is_held(self, m):
        """The queue role says so: the file is there before."""
        return any(os.path.basename(p).startswith(m.name())
                   for p in self.envelopes("hold")) and \
            any(row["id"].startswith(m.name())
                for row in self.listed("state:hold"))

    def take_held(self):
        """ID -> Held."""
        held = {}
        if not self.envelopes("hold"):
            return held
        for row in self.listed("state:hold"):
            name = row["id"].split(".")[0]
            h = held.setdefault(name, Held(b"", ()))
            h.rcpts.update(row["rcpt"])
            for path in glob.glob(f"{self.home}/spool/body/??/{name}"):
                with open(path, "rb") as f:
                    h.data = f.read(row["size"])
        return held

    def leftovers(self):
        """All files but what is held and in quarantine."""
        return [p for p in self.eye.ask("files", *STATES)
                if not p.startswith("corrupt/") and not (
                    p.startswith(("hold/", "quarantine/"))
                    and not os.path.basename(p).startswith("."))]

    def is_clean(self, seconds):
        deadline = time.monotonic() + seconds
        while self.leftovers():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def judge_leftovers(self):
        damaged = self.envelopes("corrupt")
        if damaged:
            raise Fault("parked as damaged: " + " ".join(damaged))
        wait_until(lambda: not self.eye.ask("files", *STATES), 5,
                   lambda: f"a clean spool; left: "
                   f"{self.eye.ask('files', *STATES)[:5]}")

    def judge_audit(self):
        a = self.eye.ask("audit")
        if not a["balanced"]:
            raise Fault(f"audit does not balance: {a}")


DSN_MARK = b"report-type=delivery-status"


def judge_messages(sent, got, held, has_died):
    for m in sent:
        judge_message(m, got, held, has_died)
    for g in got:
        if not any(m.token.encode() in g["data"] for m in sent) and \
                DSN_MARK not in g["data"]:
            raise Fault(f"delivered, but nobody sent it: {g['eml']}")


def judge_message(m, got, held, has_died):
    whole, dsn = set(), 0
    for g in got:
        if m.token.encode() not in g["data"]:
            continue
        if DSN_MARK in g["data"]:
            dsn += 1
        elif not g["data"].endswith(b"\r\n" + m.data) or \
                not g["data"].startswith((b"Received:", b"X-MC-ID:")):
            raise Fault(f"{m.token}: delivered, but not as it was sent")
        else:
            whole.update(g["rcpts"])
    is_held = any(m.token.encode() in h.data for h in held.values())
    if m.answer == "yes":
        judge_accepted(m, whole, dsn, held)
    elif m.answer == "never" and (whole or dsn or is_held):
        raise Fault(f"{m.token}: not sent to its end ({m.text}), yet taken")
    elif m.answer == "no" and (whole or dsn or is_held) and not has_died:
        raise Fault(f"{m.token}: refused ({m.text}), yet taken")


def judge_body(m, held):
    """Returns for whom it is held."""
    h = held.get(m.name())
    if h is not None and h.data != m.data:
        raise Fault(f"{m.token}: held, but not as it was sent")
    return h.rcpts if h is not None else set()


def judge_stopped(m, whole, held):
    """What an administrator holds stays, once he is told so."""
    there, rcpts = judge_body(m, held), set(m.rcpts)
    if m.done and (whole or there != rcpts):
        raise Fault(f"{m.token}: hold was said to be done, yet {whole=}, "
                    f"held for {there}")
    if rcpts - whole - there:
        raise Fault(f"{m.token}: LOST for {rcpts - whole - there}: it was "
                    f"answered {m.text}")


def judge_halted(m, whole, held):
    """What is held never goes out while it is deleted."""
    there = judge_body(m, held)
    if m.was_held and whole:
        raise Fault(f"{m.token}: held, then deleted, yet delivered: {whole}")
    if m.done and there:
        raise Fault(f"{m.token}: delete was said to be done, yet held")


def judge_accepted(m, whole, dsn, held):
    if m.tried == "hold":
        judge_stopped(m, whole, held)
        return
    if m.tried == "halt":
        judge_halted(m, whole, held)
        return
    missing = [r for r in m.rcpts if not r.startswith("bounce")
               and not r.endswith((HELD, KEPT, STRICT)) and r not in whole]
    if missing:
        raise Fault(f"{m.token}: LOST for {missing}: it was answered "
                    f"{m.text}")
    if any(r.startswith("bounce") for r in m.rcpts) and not dsn:
        raise Fault(f"{m.token}: no bounce came")
    for r in m.rcpts:
        if r.endswith(HELD):
            judge_held(m, r in whole, r in judge_body(m, held))


def judge_held(m, is_delivered, is_held):
    if m.done:
        as_done = {"unhold": is_delivered and not is_held,
                   "delete": not is_delivered and not is_held}[m.done]
        if not as_done:
            raise Fault(f"{m.token}: {m.done} was said to be done: "
                        f"{is_delivered=} {is_held=}")
    elif is_delivered and m.tried != "unhold":
        raise Fault(f"{m.token}: was to be held, yet delivered")
    elif not is_held and not is_delivered and m.tried != "delete":
        raise Fault(f"{m.token}: LOST in hold: {m.text}")


def judge_kept(sent, got, kept):
    """The first recipient is what was asked for, the second is kept."""
    for m in sent:
        if m.answer != "yes" or not m.rcpts[0].endswith(KEPT):
            continue
        whole = {r for g in got if m.token.encode() in g["data"]
                 for r in g["rcpts"]}
        there = kept.get(m.name(), set())
        first, second = m.rcpts
        if second not in there or second in whole:
            raise Fault(f"{m.token}: {second} is not kept: {there} {whole}")
        is_kept, is_out = first in there, first in whole
        want = {"release": (False, True), "delete": (False, False),
                "": (True, False)}[m.done]
        if m.done == m.tried and (is_kept, is_out) != want:
            raise Fault(f"{m.token}: {m.done or 'nothing'} was said to be "
                        f"done: {is_kept=} {is_out=}")
        if m.tried == "release" and not is_kept and not is_out:
            raise Fault(f"{m.token}: LOST in quarantine: {m.text}")
        if m.tried == "delete" and is_out:
            raise Fault(f"{m.token}: was to be deleted, yet delivered")


def judge_strict(sent, got, kept):
    """Whoever refuses it never gets it.  Where another recipient takes it,
    or nobody could say in time, it is kept from those."""
    for m in sent:
        strict = {r for r in m.rcpts if r.endswith(STRICT)}
        whole = {r for g in got if m.token.encode() in g["data"]
                 for r in g["rcpts"]}
        if strict & whole:
            raise Fault(f"{m.token}: {strict & whole} got what is refused")
        if m.answer != "yes":
            continue
        if strict - kept.get(m.name(), set()):
            raise Fault(f"{m.token}: LOST for {strict}: it was answered "
                        f"{m.text}, and {kept} is kept")


FINAL_VERBS = {"delivered", "bounced", "deleted", "discarded"}


def judge_ledger(sent, lines):
    """What was answered 250 is in the ledger from its first event to its
    last; all of it is done by now."""
    seen = {}
    for line in lines:
        w = line.split()
        rcpt = [x[5:] for x in w if x.startswith("rcpt=")]
        if len(w) > 3 and rcpt:
            key = (w[2].split(".")[0], rcpt[0])
            seen.setdefault(key, set()).add(w[1])
    for m in sent:
        if m.answer != "yes":
            continue
        for r in m.rcpts:
            verbs = seen.get((m.name(), r), set())
            if "accepted" not in verbs or not verbs & FINAL_VERBS:
                raise Fault(f"{m.token}: {m.name()} {r} has only "
                            f"{sorted(verbs)} in the ledger")


def run_tool(words):
    done = subprocess.run(words, capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise Fault(f"{' '.join(words[:2])}: {done.stderr.strip()}")


def group_alive(pgid):
    try:
        os.killpg(pgid, 0)
    except ProcessLookupError:
        return False
    # there may be nobody but the dead
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="ascii", errors="replace") as f:
                w = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(w[2]) == pgid and w[0] != "Z":
            return True
    return False


@functools.cache
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
