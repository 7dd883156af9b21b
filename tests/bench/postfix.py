# SPDX-License-Identifier: GPL-2.0-or-later
#
# mcd beside Debian's Postfix, on one disk in one run: smtp-source sends,
# the server takes and delivers, smtp-sink counts.  Both deliver while they
# take; nothing is held back for either.  What is taken is what smtp-source
# saw answered 250, and all of it has to be counted at the sink.
import os
import pwd
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from benchlab import Lab, cpu_s, filesystem, parent_of, run, verdict

RCPT = "user@bench.example"
SIZES = {4096: 2000, 51200: 1000}  # bytes: messages a round
QUICK = 5  # the part of them where one round is enough
# words, sessions, connections used again
LOADS = (("new connections, 20", 20, False),
         ("new connections, 50", 50, False),
         ("reused connections, 20", 20, True))
LIMITS = (20, 50, 100, 200)  # of processes, tried until it helps no more
DRAIN_S = 300
BAR = 1.5

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
mail_owner = {owner}
setgid_group = {group}
myhostname = postfix.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relayhost = [127.0.0.1]:{sink}
alias_maps =
alias_database =
local_recipient_maps =
local_transport = error:nothing is local
disable_dns_lookups = yes
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_recipient_restrictions =
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_client_message_rate_limit = 0
smtpd_client_recipient_rate_limit = 0
smtpd_tls_security_level = none
smtp_tls_security_level = none
in_flow_delay = 0
default_process_limit = {limit}
default_destination_concurrency_limit = {limit}
initial_destination_concurrency = {limit}
qmgr_message_active_limit = 40000
qmgr_message_recipient_limit = 40000
maillog_file = {dir}/log/maillog
maillog_file_prefixes = {dir}
"""

MASTER_CF = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def await_port(port, what):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), 2) as s:
                s.recv(512)
                s.sendall(b"QUIT\r\n")
                s.recv(512)
                return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"bench: {what} does not answer")


class CountingSink:
    """smtp-sink and the number of messages that it has taken."""

    def __init__(self, args):
        self.port = free_port()
        self.out = tempfile.TemporaryFile(dir=args.top)
        words = ["smtp-sink", "-c"]
        if os.geteuid() == 0:
            words += ["-u", "nobody"]
        self.process = subprocess.Popen(
            [*words, f"inet:127.0.0.1:{self.port}", "1024"],
            stdin=subprocess.DEVNULL, stdout=self.out,
            stderr=subprocess.DEVNULL)
        await_port(self.port, "smtp-sink")

    def count(self):
        size = os.fstat(self.out.fileno()).st_size
        tail = os.pread(self.out.fileno(), 64, max(0, size - 64))
        found = re.findall(rb"mesg=(\d+)\r", tail)
        return int(found[-1]) if found else 0

    def reaches(self, n):
        """When it did, or None."""
        end = time.monotonic() + DRAIN_S
        while self.count() < n:
            if time.monotonic() > end or self.process.poll() is not None:
                return None
            time.sleep(0.005)
        return time.monotonic()

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.out.close()


class Postfix:
    """An instance of its own: configuration, queue, data and log."""
    name = "postfix"

    def __init__(self, args, sink, limit):
        self.dir = tempfile.mkdtemp(prefix="postfix.", dir=args.top)
        os.chmod(self.dir, 0o755)
        self.port = free_port()
        self.etc = self.dir + "/etc"
        owner = pwd.getpwnam("postfix")
        for d in ("etc", "queue", "data", "log"):
            os.mkdir(f"{self.dir}/{d}")
            os.chmod(f"{self.dir}/{d}", 0o755)
        os.chown(self.dir + "/data", owner.pw_uid, owner.pw_gid)
        words = {"dir": self.dir, "owner": "postfix", "group": "postdrop",
                 "sink": sink.port, "limit": limit, "port": self.port}
        for name, text in (("main", MAIN_CF), ("master", MASTER_CF)):
            with open(f"{self.etc}/{name}.cf", "w", encoding="ascii") as f:
                f.write(text.format(**words))

    def up(self):
        run("postfix", "-c", self.etc, "start")
        await_port(self.port, "postfix")
        with open(self.dir + "/queue/pid/master.pid", encoding="ascii") as f:
            self.pid = int(f.read())

    def down(self):
        run("postfix", "-c", self.etc, "abort")
        shutil.rmtree(self.dir, ignore_errors=True)

    def shown(self):
        return run("postconf", "-c", self.etc, "-n")


class Mcd:
    name = "mcd"

    def __init__(self, args, sink, number):
        self.sink = sink
        self.lab = Lab(args, f"mcd.{number}", "--set", "dest_concurrency=100")

    def up(self):
        self.lab.up(relay=f"127.0.0.1:{self.sink.port}")
        self.port = int(self.lab.smtp.rpartition(":")[2])
        self.pid = parent_of(self.lab)

    def down(self):
        self.lab.down()
        shutil.rmtree(self.lab.dir, ignore_errors=True)


def load(server, sink, size, messages, sessions, is_reused):
    """(taken a second, delivered a second, CPU seconds a message)"""
    base = sink.count()
    before = cpu_s(server.pid)
    words = ["smtp-source", "-4", "-s", str(sessions), "-m", str(messages),
             "-l", str(size), "-f", "load@load.example", "-t", RCPT]
    began = time.monotonic()
    run(*words, *(["-d"] if is_reused else []),
        f"inet:127.0.0.1:{server.port}")
    taken = time.monotonic() - began
    end = sink.reaches(base + messages)
    if end is None:
        sys.exit(f"bench: {server.name}: {messages} were answered 250, "
                 f"{sink.count() - base} came to the sink")
    used = cpu_s(server.pid) - before
    time.sleep(0.2)  # what would come twice
    if sink.count() != base + messages:
        sys.exit(f"bench: {server.name}: {messages} were answered 250, "
                 f"{sink.count() - base} came to the sink")
    return messages / taken, messages / (end - began), used / messages


def one_round(server, sink, size, messages, what):
    os.sync()
    server.up()  # where this fails nothing runs, and its words are told
    try:
        # Both have their processes started and their names looked up.
        load(server, sink, size, 100, what[1], what[2])
        return load(server, sink, size, messages, what[1], what[2])
    finally:
        server.down()


def choose_limit(args, sink):
    """The least process limit beyond which Postfix takes no more."""
    best, best_rate = 0, 0.0
    for limit in LIMITS:
        rates = [one_round(Postfix(args, sink, limit), sink, 4096, 1500,
                           LOADS[1])[0]
                 for _ in range(min(args.rounds, 3))]
        rate = statistics.median(rates)
        print(f"  postfix with {limit:3} processes: {rate:6.0f} messages/s "
              "taken")
        if rate > best_rate * 1.03:
            best, best_rate = limit, rate
    return best


def compare(args, sink, limit, size, messages, what):
    got = {"mcd": [], "postfix": []}
    for i in range(args.rounds):
        for name in ("mcd", "postfix") if i % 2 else ("postfix", "mcd"):
            server = Postfix(args, sink, limit) if name == "postfix" \
                else Mcd(args, sink, f"{size}.{what[0]}.{i}".replace(" ", "-"))
            got[name].append(one_round(server, sink, size, messages, what))
    medians = {n: [statistics.median(r[k] for r in got[n])
                   for k in range(3)] for n in got}
    ours, theirs = medians["mcd"], medians["postfix"]
    ratios = [ours[k] / theirs[k] for k in range(2)]
    print(f"  {size // 1024:3} KB {what[0]:22} "
          f"taken {ours[0]:6.0f} {theirs[0]:6.0f} {ratios[0]:5.2f}   "
          f"delivered {ours[1]:6.0f} {theirs[1]:6.0f} {ratios[1]:5.2f}   "
          f"CPU {ours[2] * 1000:5.2f} {theirs[2] * 1000:5.2f} ms",
          flush=True)
    return ratios


def why_not():
    """The reason for which this cannot be measured here, or None."""
    if os.geteuid() != 0:
        return "Postfix has to be started by root"
    for name in ("postfix", "postconf", "smtp-source", "smtp-sink"):
        if shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin") is None:
            return f"{name} is not here: install postfix"
    try:
        pwd.getpwnam("postfix")
    except KeyError:
        return "no user postfix: install postfix"
    return None


def bench_postfix(args):
    reason = why_not()
    if reason:
        print(f"beside Postfix: skipped, {reason}")
        return
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    os.chmod(args.top, 0o755)
    print(f"beside Postfix {run('postconf', '-h', 'mail_version')}: messages "
          f"a second, mcd, postfix, ratio; medians of {args.rounds} rounds, "
          "order alternating")
    print(f"  disk: {filesystem(args.top)}")
    sink = CountingSink(args)
    try:
        limit = LIMITS[1] if args.rounds < 3 else choose_limit(args, sink)
        shown = Postfix(args, sink, limit)
        print("  postconf -n:\n    " + shown.shown().replace("\n", "\n    "))
        part = QUICK if args.rounds == 1 else 1
        ratios = [compare(args, sink, limit, size, messages // part, what)
                  for size, messages in SIZES.items() for what in LOADS]
    finally:
        sink.stop()
    for k, words in enumerate(("taken", "delivered")):
        least = min(r[k] for r in ratios)
        verdict(f"{words}: at least {BAR} of Postfix in each row",
                least >= BAR, f"{least:.2f} in the worst")
