# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stage 2 beside Debian's rspamd, on the same mails in one run, with DNS
# lists that nsd and unbound answer on loopback; then with a spamd, beside
# what that spamd judges when it is asked by nobody else.
#
# Of mcd all filters are on, with 200,000 signatures and a Bayes filter that
# has learnt.  Its mails are accepted while the filters are stopped, so that
# what is timed is from their first to the last verdict; the next hop is not
# there.  rspamd has the mails by HTTP from this program, eight at a time.
import json
import os
import signal
import socket
import statistics
import sys
import threading
import time

from benchlab import (SIGNATURES, SRC, Lab, cpu_s, family, filesystem,
                      make_signatures, parent_of, pss_kb, run, verdict)
from mails import mails
from rspamd import Rspamd, program

sys.path.insert(0, SRC + "/tools")
import labspamd  # noqa: E402

SESSIONS = 8
BAR = 2.0
PSS_MB = 15
WITH_SPAMD = 150  # mails, which take spamd a tenth of a second each
JUDGED_S = 600
TAUGHT = 400
RCPT = "user@bench.example"
ZONES = {
    "bad.bench.example": [
        "2.0.0.127 A 127.0.0.2", *(
            f"{i * 10}.100.51.198 A 127.0.0.2" for i in range(1, 26))],
    "uri.bench.example": [
        "TEST A 127.0.0.2", "2.0.0.127 A 127.0.0.2",
        *(f"www.listed{i}.bench.example A 127.0.0.2" for i in range(40)),
        *(f"listed{i}.bench.example A 127.0.0.2" for i in range(40))],
    "white.bench.example": [
        "2.0.0.127 A 127.0.10.0", "7.100.51.198 A 127.0.10.3"],
    "bench.example": [
        "client MX 10 mx.client", "mx.client A 198.51.100.1",
        "client TXT \"v=spf1 ip4:198.51.100.0/25 -all\"",
        "_dmarc.client TXT \"v=DMARC1; p=none\""],
}
LISTS = (("bad", "prerbl", "127.0.0.2=3.0/BAD", "ip4"),
         ("uri", "urirbl", "127.0.0.2=2.5/URI", "ip4,domain,host"),
         ("white", "trusted", "127.0.10.3/HIGH", "ip4"))


class Smtp:
    """One session that says for each mail where it comes from."""

    def __init__(self, lab):
        host, _, port = lab.smtp.rpartition(":")
        self.sock = socket.create_connection((host, int(port)), 60)
        self.file = self.sock.makefile("rb")
        self.reply("220")

    def reply(self, want):
        while True:
            line = self.file.readline(4096)
            if line[3:4] != b"-":
                break
        if not line.startswith(want.encode()):
            sys.exit(f"bench: the gateway said {line!r}, not {want}")

    def say(self, words, want):
        self.sock.sendall(words.encode() + b"\r\n")
        self.reply(want)

    def send(self, mail):
        self.say(f"XCLIENT ADDR={mail.ip} HELO=client.bench.example", "220")
        self.say("EHLO client.bench.example", "250")
        self.sock.sendall(f"MAIL FROM:<{mail.sender}>\r\nRCPT TO:<{RCPT}>\r\n"
                          "DATA\r\n".encode())
        for want in ("250", "250", "354"):
            self.reply(want)
        data = (b"\r\n" + mail.data).replace(b"\r\n.", b"\r\n..")[2:]
        self.sock.sendall(data + b".\r\n")
        self.reply("250")


class Mcd:
    """A gateway with all filters, which are stopped while it takes mail."""

    def __init__(self, args, name, resolver, workers, *options):
        self.lab = Lab(
            args, name, "--resolver", resolver, "--smtp-with",
            'xclient_from = [ "127.0.0.1" ];', "--conf",
            f"workers = {workers};", "--conf",
            f'clamav = {{ dir = "{args.top}/signatures"; third_party = '
            f'"{args.top}/third"; }};', "--set", "retry_first=24h", "--set",
            "client_names=no", "--set", "sender_domain_check=no", *options)
        self.read = 0

    def up(self):
        self.lab.up()
        self.pid = parent_of(self.lab)
        for name, use, replies, kinds in LISTS:
            self.lab.mcctl("rbl", "add", name, "--zone",
                           f"{name}.bench.example", "--lists", kinds,
                           "--use", use, "--replies", replies)
        while not self.lab.pids("worker"):
            time.sleep(0.1)

    def down(self):
        """Also on the way out of a run that was broken off."""
        if os.path.exists(f"{self.lab.dir}/mcd.pid"):
            self.lab.down()

    def learn(self, top, some):
        for kind in ("ham", "spam"):
            where = f"{top}/learn.{kind}"
            os.makedirs(where)
            for i, mail in enumerate(m for m in some if m.kind == kind):
                with open(f"{where}/{i}", "wb") as f:
                    f.write(mail.data)
            self.lab.mcctl("learn", kind, where)

    def log(self):
        with open(f"{self.lab.dir}/log/mcd.log", "rb") as f:
            f.seek(self.read)
            return f.read()

    def await_verdicts(self, n):
        """When the last of so many was given."""
        end = time.monotonic() + JUDGED_S
        found = 0
        while found < n:
            new = self.log()
            new = new[:new.rfind(b"\n") + 1]
            self.read += len(new)
            found += new.count(b" verdict action=")
            if time.monotonic() > end:
                sys.exit(f"bench: {found} verdicts of {n}: {new[-500:]!r}")
            time.sleep(0.01)
        return time.monotonic()

    def stage_s(self):
        """CPU of the pool, its workers, and of whom they ask."""
        return sum(cpu_s(p) for role in ("filter", "lookup")
                   for p in self.lab.pids(role))

    def judge(self, some):
        """(seconds, CPU seconds of stage 2, CPU seconds of all of mcd)"""
        pool = [p for pid in self.lab.pids("filter") for p in family(pid)]
        self.read += len(self.log())
        for pid in pool:
            os.kill(pid, signal.SIGSTOP)
        try:
            session = Smtp(self.lab)
            for mail in some:
                session.send(mail)
            session.say("QUIT", "221")
            stage, all_of_it = self.stage_s(), cpu_s(self.pid)
            began = time.monotonic()
        finally:
            for pid in reversed(pool):
                os.kill(pid, signal.SIGCONT)
        took = self.await_verdicts(len(some)) - began
        return took, self.stage_s() - stage, cpu_s(self.pid) - all_of_it

    def worker_kb(self):
        return [pss_kb(pid) for pid in self.lab.pids("worker")]


def resolver_of_ours():
    os.environ.setdefault("MCGATE_SRCDIR", SRC)
    sys.path.insert(0, SRC + "/tests/e2e")
    from rbllab import Nsd, Unbound
    nsd = Nsd(ZONES, ttl=3600)
    return nsd, Unbound({z: nsd.port for z in ZONES}, ttl=3600,
                        is_alone=True)


def why_not():
    if program() is None:
        return "rspamd is not here: install rspamd"
    for path in ("/usr/sbin/nsd", "/usr/sbin/unbound"):
        if not os.access(path, os.X_OK):
            return f"{path} is not here: install it"
    return None


def show(name, rate, stage_ms, all_ms, more=""):
    print(f"  {name:10} {rate:7.0f} messages/s, CPU {stage_ms:6.2f} ms a "
          f"message{f', all of mcd {all_ms:.2f} ms' if all_ms else ''}{more}",
          flush=True)


def shares(some):
    kb = sum(len(m.data) for m in some) / len(some) / 1024
    spam = sum(m.kind == "spam" for m in some)
    return f"{len(some)} mails, {spam} of them spam, {kb:.1f} KB on average"


def beside_rspamd(args, some, mcd, rspamd):
    ours, theirs = [], []
    for mail_round in range(-1, args.rounds):  # the first warms up
        order = ("mcd", "rspamd") if mail_round % 2 else ("rspamd", "mcd")
        for name in order:
            if name == "mcd":
                got, kept = mcd.judge(some), ours
            else:
                took, used, bad = rspamd.judge(some, SESSIONS)
                if bad:
                    sys.exit(f"bench: rspamd: {len(bad)} answers are none: "
                             f"{bad[0]!r}")
                got, kept = (took, used), theirs
            if mail_round >= 0:
                kept.append([len(some) / got[0]] +
                            [x * 1000 / len(some) for x in got[1:]])
    o = [statistics.median(r[k] for r in ours) for k in range(3)]
    t = [statistics.median(r[k] for r in theirs) for k in range(2)]
    show("mcd", *o)
    show("rspamd", *t, 0)
    verdict(f"stage 2: at least {BAR:.0f} times as many messages as rspamd",
            o[0] / t[0] >= BAR,
            f"{o[0] / t[0]:.2f}; CPU {o[1]:.2f} and {t[1]:.2f} ms a message, "
            f"{t[1] / o[1]:.2f}")


def show_calls(mcd):
    """What came of the filters, so that nobody measures idle ones."""
    rows = [json.loads(x) for x in mcd.lab.mcctl(
        "--json", "filter", "list").splitlines()]
    print("  calls of filters: " + ", ".join(
        f"{r['name']} {r['calls']} of {r['us_per_call'] or 0} us"
        for r in rows))


def spamd_alone(where, some):
    """Messages a second of that spamd with as many sessions as it has
    children."""
    todo, lock = list(some), threading.Lock()

    def work():
        while True:
            with lock:
                if not todo:
                    return
                mail = todo.pop()
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(where)
                s.sendall(b"REPORT SPAMC/1.5\r\nContent-length: %d\r\n\r\n"
                          % len(mail.data) + mail.data)
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass

    began = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return len(some) / (time.monotonic() - began)


def with_spamd(args, some, resolver, workers):
    if not labspamd.program():
        print("  with spamd: skipped, install spamassassin and spamd")
        return
    d = f"{args.top}/spamd"
    os.makedirs(d + "/log")
    os.chmod(d, 0o755)
    spamd = labspamd.start(d)
    mcd = Mcd(args, "with.spamd", resolver, workers, "--conf",
              labspamd.conf(d))
    try:
        if not labspamd.await_answer(d, spamd):
            sys.exit("bench: spamd does not answer")
        mcd.up()
        some = [m for m in some if len(m.data) < 256 * 1024][:WITH_SPAMD]
        spamd_alone(labspamd.where(d), some[:20])
        mcd.judge(some[:20])
        alone, ours = [], []
        for i in range(min(args.rounds, 3)):
            for name in ("alone", "ours") if i % 2 else ("ours", "alone"):
                if name == "alone":
                    alone.append(spamd_alone(labspamd.where(d), some))
                else:
                    ours.append(len(some) / mcd.judge(some)[0])
        a, o = statistics.median(alone), statistics.median(ours)
        print(f"  with spamd, {len(some)} mails: {o:.1f} messages/s, spamd "
              f"alone {a:.1f}: {100 * o / a:.0f} percent of its rate",
              flush=True)
    finally:
        mcd.down()
        labspamd.stop(d)


def bench_filter(args):
    reason = why_not()
    if reason:
        print(f"beside rspamd: skipped, {reason}")
        return
    os.chmod(args.top, 0o755)
    words, some = mails()
    workers = os.cpu_count() or 2
    print(f"stage 2 beside rspamd {run(program(), '--version').split()[-1]}: "
          f"{words}: {shares(some)}; {workers} workers each, medians of "
          f"{args.rounds} rounds, order alternating")
    print(f"  disk: {filesystem(args.top)}")
    make_signatures(f"{args.top}/signatures", SIGNATURES)
    os.mkdir(f"{args.top}/third")
    _, resolver = resolver_of_ours()
    rspamd = Rspamd(args.top, resolver.text, workers)
    mcd = Mcd(args, "filters", resolver.text, workers, "--set",
              "filter_spamassassin=no")
    try:
        rspamd.up()
        mcd.up()
        mcd.learn(args.top, some[:TAUGHT])
        beside_rspamd(args, some, mcd, rspamd)
        show_calls(mcd)
        kb = mcd.worker_kb()
        verdict(f"a worker below {PSS_MB} MB PSS with {SIGNATURES} "
                "signatures, after this mail",
                kb and max(kb) < PSS_MB * 1024,
                ", ".join(f"{n / 1024:.1f} MB" for n in kb))
    finally:
        mcd.down()
        rspamd.down()
    with_spamd(args, some, resolver.text, workers)
