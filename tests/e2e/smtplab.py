# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests that talk SMTP with a lab: the lab itself, a client that says
# just what it is told, a next hop that answers as a test wants, and claims
# in TAP.  Nothing sleeps: conditions are waited for, with a deadline.
import atexit
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

SRC = os.environ["MCGATE_SRCDIR"]
BUILD = os.environ["MCGATE_BUILDDIR"]
WAIT_S = 60  # only what never comes takes so long
BODY = b"Subject: hello\r\n\r\nhello\r\n"

count = 0
failed = 0
one_claim = threading.Lock()


def claim(is_ok, words, *notes):
    global count, failed
    with one_claim:
        count += 1
        failed += not is_ok
        print(f"{'ok' if is_ok else 'not ok'} {count} - {words}", flush=True)
        if not is_ok:
            for note in notes:
                for line in str(note).splitlines()[-12:]:
                    print(f"#   {line}", flush=True)
    return is_ok


def same(got, want, words):
    return claim(got == want, words, f"got:  {got!r}", f"want: {want!r}")


def done():
    print(f"1..{count}")
    sys.exit(1 if failed else 0)


def attempt(test):
    """One that throws is a failed claim."""
    try:
        test()
    except Exception:
        claim(False, f"{test.__name__} goes through to its end",
              traceback.format_exc())


def together(*tests):
    """Runs them side by side, which share a lab and wait for little else."""
    threads = [threading.Thread(target=attempt, args=(t,)) for t in tests]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def run(*tests):
    """Runs each test."""
    for test in tests:
        attempt(test)
    done()


def wait_for(condition, seconds=WAIT_S):
    """
    The first true value of condition(), or its last false one.  It is asked
    half of the time at most: what is waited for needs the processor too.
    """
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        value = condition()
        ended = time.monotonic()
        if value or ended > deadline:
            return value
        time.sleep(min(max(ended - began, 0.01), 0.5))


def endpoint(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


class Lab:
    """A gateway for ours.example, stopped at the end of the test."""

    is_up = False

    def __init__(self, *relays, resolver=None, conf=(), domains=(),
                 domain_sets=(), **knobs):
        self.dir = tempfile.mkdtemp(prefix="mcgate-smtp.")
        atexit.register(self.end)
        words = ["--no-spamd", "--relay-to",
                 relays[0] if relays else "127.0.0.1:9"]
        for domain in domains:
            words += ["--domain", domain]
        for item in domain_sets:
            words += ["--domain-set", item]
        if resolver:
            words += ["--resolver", resolver]
        for line in conf:
            words += ["--conf", line]
        for knob, value in knobs.items():
            words += ["--set", f"{knob}={value}"]
        self.up(*words)
        if len(relays) > 1:
            self.ctl("domain", "set", "ours.example", *[
                word for i, relay in enumerate(relays)
                for word in ("--dest", f"{relay},{i + 1}")])

    def tool(self, verb, *words):
        subprocess.run([f"{SRC}/tools/lab", verb, "--dir", self.dir, *words],
                       check=True, stdout=subprocess.DEVNULL)

    def up(self, *words):
        self.tool("up", "--smtp", "127.0.0.1:0", "--domain", "ours.example",
                  "--build", BUILD, *words)
        self.is_up = True
        with open(f"{self.dir}/smtp", encoding="ascii") as f:
            self.smtp = endpoint(f.read().strip())

    def ctl(self, *words):
        return subprocess.run(
            [f"{BUILD}/bin/mcctl", "-c", f"{self.dir}/etc/mcd.conf", *words],
            check=True, capture_output=True, text=True).stdout

    def log(self):
        with open(f"{self.dir}/log/mcd.log", encoding="utf-8",
                  errors="replace") as f:
            return f.read()

    def logs(self, pattern, seconds=WAIT_S):
        """The first line of the log that matches, waited for."""
        return wait_for(lambda: re.search(f"^.*{pattern}.*$", self.log(),
                                          re.M), seconds)

    def pid(self, role):
        found = re.search(rf'"role":\s*"{role}",\s*"pid":\s*(\d+)',
                          self.ctl("--json", "status"))
        return int(found.group(1)) if found else 0

    def rows(self, *words):
        """What mcctl says, one object a row, whatever its exit status."""
        got = subprocess.run(
            [f"{BUILD}/bin/mcctl", "-c", f"{self.dir}/etc/mcd.conf",
             "--json", *words], check=False, capture_output=True, text=True,
            stdin=subprocess.DEVNULL)
        return [json.loads(line) for line in got.stdout.splitlines()]

    def files(self, folder):
        return [name for _, _, names in os.walk(f"{self.dir}/spool/{folder}")
                for name in names]

    def is_empty(self):
        return not any(self.files(state) for state in (
            "body", "incoming", "filtering", "outgoing"))

    def down(self):
        if self.is_up:
            self.is_up = False
            self.tool("down")

    def end(self):
        try:
            self.down()
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)


class Client:
    """Bytes to the gateway, replies back."""

    def __init__(self, lab, source=None):
        self.sock = socket.create_connection(
            lab.smtp, WAIT_S, (source, 0) if source else None)
        self.buf = b""

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())

    def line(self):
        while b"\n" not in self.buf:
            try:
                piece = self.sock.recv(65536)
            except ConnectionResetError:  # it has died, which is an end too
                piece = b""
            if not piece:
                return ""
            self.buf += piece
        line, _, self.buf = self.buf.partition(b"\n")
        return line.decode("utf-8", "replace").rstrip("\r")

    def reply(self):
        """The last line of a reply, "" at the end of the connection."""
        line = self.line()
        while line[3:4] == "-":
            line = self.line()
        return line

    def say(self, line):
        self.send(line + "\r\n")
        return self.reply()

    def codes(self, n):
        return [self.reply()[:3] for _ in range(n)]

    def is_closed(self):
        return self.line() == ""

    def close(self):
        self.sock.close()

    def begin(self, sender="a@client.example", rcpts=("r@ours.example",),
              params=""):
        """Up to 354; whatever comes instead."""
        got = self.say(f"MAIL FROM:<{sender}>{params}")
        for rcpt in rcpts:
            if got.startswith("250"):
                got = self.say(f"RCPT TO:<{rcpt}>")
        return self.say("DATA") if got.startswith("250") else got

    def mail(self, body, **words):
        """A whole mail: the reply to its end."""
        got = self.begin(**words)
        if not got.startswith("354"):
            return got
        self.send(b"".join(
            b"." + line if line.startswith(b".") else line
            for line in body.splitlines(keepends=True)) + b".\r\n")
        return self.reply()


def client(lab, helo="EHLO"):
    c = Client(lab)
    c.reply()
    c.say(f"{helo} client.example")
    return c


class Hop:
    """
    A next hop.  answer(hop, verb, line, session) returns the reply to a
    command, None for the usual one; "" says nothing, and False closes.
    "DATA" is asked before 354, "." for the end of a message, "BODY" with
    each line of it.
    """

    OFFERS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 50000000", "DSN")

    def __init__(self, answer=None, offers=OFFERS, port=0, host="127.0.0.1",
                 tls=None, room=0):
        self.tls = tls       # ssl.SSLContext: STARTTLS is offered
        self.answer = answer or (lambda *args: None)
        self.offers = offers
        self.mails = []      # (envelope commands, bytes, session number)
        self.sessions = 0
        self.listener = socket.create_server((host, port))
        if room:             # bytes that the kernel takes and nobody reads
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                     room)
        self.port = self.listener.getsockname()[1]
        self.text = f"{host}:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.sessions += 1
            threading.Thread(target=self.serve, daemon=True,
                             args=(sock, self.sessions)).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def usual(self, verb):
        if verb == "CONNECT":
            return "220 hop.example ESMTP"
        if verb == "EHLO":
            lines = ("hop.example",) + tuple(self.offers)
            if self.tls:
                lines += ("STARTTLS",)
            return "\r\n".join(
                f"250{'-' if i + 1 < len(lines) else ' '}{line}"
                for i, line in enumerate(lines))
        if verb == "DATA":
            return "354 go"
        if verb == "STARTTLS":
            return "220 go"
        return "221 bye" if verb == "QUIT" else "250 2.0.0 ok"

    def serve(self, sock, session):
        try:
            with sock, sock.makefile("rb") as f:
                self.talk(sock, f, session)
        except OSError:
            pass

    def reply(self, sock, verb, line, session):
        got = self.answer(self, verb, line, session)
        if got is None:
            got = self.usual(verb)
        if got is False:
            raise OSError("the test closes")
        if got:
            sock.sendall(got.encode() + b"\r\n")
        return got

    def talk_tls(self, sock, session):
        with self.tls.wrap_socket(sock, server_side=True) as secure:
            with secure.makefile("rb") as f:
                self.commands(secure, f, session)

    def talk(self, sock, f, session):
        self.reply(sock, "CONNECT", "", session)
        self.commands(sock, f, session)

    def commands(self, sock, f, session):
        commands = []
        for raw in f:
            line = raw.decode("utf-8", "surrogateescape").rstrip("\r\n")
            verb = line.split(" ")[0].split(":")[0].upper()
            if verb in ("MAIL", "RSET"):
                commands = []
            commands.append(line)
            got = self.reply(sock, verb, line, session)
            if verb == "QUIT":
                return
            if verb == "STARTTLS" and got.startswith("220"):
                self.talk_tls(sock, session)
                return
            if verb == "DATA" and got.startswith("354"):
                body = self.body(f, session)
                got = self.answer(self, ".", "", session)
                if got is None or (got and got.startswith("250")):
                    self.mails.append((commands, body, session))
                if got is False:
                    return
                sock.sendall((got or "250 2.0.0 taken").encode() + b"\r\n")

    def body(self, f, session):
        lines = []
        for raw in f:
            if raw == b".\r\n":
                return b"".join(lines)
            line = raw.decode("latin-1")
            if self.answer(self, "BODY", line, session) is False:
                raise OSError("the test closes")
            lines.append(raw[1:] if raw.startswith(b".") else raw)
        raise OSError("no end mark")

    def got(self, n, seconds=WAIT_S):
        """Waits for n mails; returns how many there are."""
        wait_for(lambda: len(self.mails) >= n, seconds)
        return len(self.mails)


class Names:
    """A DNS server: names = {"mx.example": {"A": "192.0.2.1"}}; a list is
    several records, "MX": [(10, "mx.example")]; a name that maps to None
    fails, others do not exist."""

    TYPES = {1: "A", 28: "AAAA", 15: "MX"}

    def __init__(self, names):
        self.names = names
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.text = f"127.0.0.1@{self.sock.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, client_at = self.sock.recvfrom(4096)
            self.sock.sendto(self.answer(query), client_at)

    def answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
            at += query[at] + 1
        question = query[12:at + 5]
        records = self.names.get(".".join(labels), 3)
        rcode = 2 if records is None else 3 if records == 3 else 0
        kind = self.TYPES.get(int.from_bytes(question[-4:-2], "big"))
        values = records.get(kind, []) if rcode == 0 else []
        if not isinstance(values, list):
            values = [values]
        head = query[:2] + bytes((0x81, 0x80 + rcode, 0, 1, 0, len(values),
                                  0, 0, 0, 0))
        data = b""
        for value in values:
            rdata = self.rdata(kind, value)
            data += (b"\xc0\x0c" + question[-4:] + b"\0\0\0\x3c" +
                     len(rdata).to_bytes(2, "big") + rdata)
        return head + question + data

    @staticmethod
    def rdata(kind, value):
        if kind == "MX":
            return value[0].to_bytes(2, "big") + b"".join(
                bytes((len(x),)) + x.encode()
                for x in value[1].split(".") if x) + b"\0"
        family = socket.AF_INET6 if kind == "AAAA" else socket.AF_INET
        return socket.inet_pton(family, value)


class Wide(Lab):
    """
    A gateway that sends outwards by DNS, where each next hop has a domain
    of its own: many fates share one start.  far() may be called by tests
    that run side by side.
    """

    def __init__(self, *relays, names=(), **words):
        pid = os.getpid()
        # All hops listen on one port, each on an address of its own.
        self.net = f"127.{1 + pid // 250 % 250}.{1 + pid % 250}"
        self.dns = Names({"client.example": {"A": "127.0.0.1"},
                          **dict(names)})
        self.fars = 0
        self.port = self.free_port()
        super().__init__(*relays, resolver=self.dns.text,
                         smtp_out_port=self.port, **words)
        self.ctl("relay", "add", "127.0.0.1")

    def free_port(self):
        with socket.create_server((f"{self.net}.254", 0)) as s:
            return s.getsockname()[1]

    def address(self):
        with one_claim:
            self.fars += 1
            return f"{self.net}.{self.fars}"

    def far(self, *args, under="far.example", before=(), **words):
        """A next hop; hop.at("x") is an address there.  before: those that
        come first among its mail exchangers."""
        hop = Hop(*args, host=self.address(), port=self.port, **words)
        where = hop.text.partition(":")[0]
        n = where.rpartition(".")[2]
        hop.name = f"mx{n}.{under}"
        hop.domain = f"far{n}.example"
        hop.at = lambda local: f"{local}@{hop.domain}"
        hop.again = lambda: Hop(host=where, port=self.port)
        self.dns.names[hop.name] = {"A": where}
        self.dns.names[hop.domain] = {"MX": [
            *[(i + 1, other.name) for i, other in enumerate(before)],
            (50, hop.name)]}
        return hop


def without_received(body):
    """The message as the client sent it: our fields taken off."""
    found = re.match(rb"Received: from .*?\r\n(?![ \t])"
                     rb"(?:X-MC-[^\r\n]*\r\n(?:\t[^\r\n]*\r\n)*)*", body,
                     re.S)
    return body[found.end():] if found else body


def send(lab, body=BODY, **words):
    """Sends a mail, returns its id."""
    c = client(lab)
    got = c.mail(body, **words)
    c.close()
    found = re.fullmatch(r"250 2\.0\.0 (\w{16}) queued", got)
    claim(found, "the gateway takes a mail", got)
    return found.group(1) if found else "none"


FATES = {"delivered": "sent", "deferred": "deferred", "bounced": "bounced"}


def fate(lab, name, verb, dsn, words, to="r@ours.example"):
    if "@" not in to:
        to += "@ours.example"
    found = lab.logs(
        rf"outgoing.*{name}\S* deliver message_id=\S+ "
        rf"to=<{re.escape(to)}> relay=\S+ delay=\d+\.\d\d "
        rf"delays=\d+\.\d\d/\d+\.\d\d/\d+\.\d\d/\d+\.\d\d tls=.* "
        rf"dsn={re.escape(dsn)} status={FATES[verb]} \"{words}")
    claim(found, f"is {verb} with {dsn}: {words}", "\n".join(
        line for line in lab.log().splitlines() if name in line))
    return found.group(0) if found else ""
