#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 1800
#
# Mail at half of what the gateway takes, for SOAK_SECONDS (4; by hand
# 1200), while roles are killed at random and the next hop hangs, refuses
# and drops connections in the middle of a message: nothing is lost, the
# audit balances.  Then some time without harm: memory and descriptors stay.
import hashlib
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from flow_chaos import VICTIMS  # noqa: E402
from mclab import (Lab, claim, client, same, strip_received,  # noqa: E402
                   text_mail, wait_for)
from smtplab import Hop, run  # noqa: E402

SECONDS = int(os.environ.get("SOAK_SECONDS", "4"))
PEACE_S = min(SECONDS, 120)
PACE_S = 2 if SECONDS > 60 else 1  # in which the rate is measured
SENDERS = 3
KILL_EVERY_S = (0.5, 3.0)
HANG_S = 3           # how long a next hop says nothing
TROUBLE = 0.02       # the part of commands that end badly
GROWTH_KB = 4096     # between two looks at a gateway that is warm
SPELLS = 4           # of which one has to be flat
DRAIN_S = 120
HARM_S = 60          # more, where all is slow
ASAN = os.environ.get("MCGATE_ASAN") == "yes"  # keeps what is freed


class BadHop(Hop):
    """Hashes of what it took, by recipient; bad while is_bad."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.is_bad = False
        self.over = threading.Event()
        self.troubles = {}
        self.taken = {}
        self.open = set()
        super().__init__(self.act)

    def serve(self, sock, session):
        self.open.add(session)
        super().serve(sock, session)
        self.open.discard(session)

    def act(self, _hop, verb, _line, _session):
        if not self.is_bad or self.dice.random() > TROUBLE:
            return None
        kinds = {"CONNECT": ("refuse", "drop", "hang"),
                 "RCPT": ("refuse", "drop", "hang"),
                 "DATA": ("refuse", "hang"), "BODY": ("drop",),
                 ".": ("refuse", "drop", "hang")}.get(verb)
        if not kinds:
            return None
        kind = self.dice.choice(kinds)
        self.troubles[kind, verb] = self.troubles.get((kind, verb), 0) + 1
        if kind == "hang":
            self.over.wait(HANG_S)
        return "451 4.3.0 not now" if kind == "refuse" else False

    def body(self, f, session):
        data = super().body(f, session)
        return strip_received(data)[0] or data

    def count(self):
        """Takes down what came; the bytes go, their hashes stay."""
        mails, self.mails = self.mails, []
        for commands, body, _ in mails:
            for line in commands:
                if line.startswith("RCPT TO:<"):
                    rcpt = line[9:].partition(">")[0]
                    self.taken.setdefault(rcpt, []).append(
                        hashlib.sha256(body).digest())
        return len(self.taken)


class Load:
    """Senders with a pace; sent has a recipient for each 250."""

    def __init__(self, lab, seed):
        self.lab, self.seed = lab, seed
        self.sent = {}
        self.pause = 0.0
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.send, args=(k,))
                        for k in range(SENDERS)]
        for t in self.threads:
            t.start()

    def send(self, k):
        dice = random.Random(f"{self.seed}.{k}")
        n, c = 0, None
        while not self.stop.wait(self.pause):
            n += 1
            rcpt = f"r{k}.{n}@ours.example"
            data = text_mail(f"{k}.{n}", "x\r\n" * dice.randrange(2000))
            try:
                if c is None or n % 10 == 0:
                    c = client(self.lab)
                if c.mail(data, rcpts=[rcpt])[:3] == "250":
                    self.sent[rcpt] = hashlib.sha256(data).digest()
                else:
                    c = None
            except OSError:
                c = None

    def pace(self, seconds):
        """Half of what went in this time from now on."""
        before = len(self.sent)
        self.stop.wait(seconds)
        rate = (len(self.sent) - before) / seconds
        self.pause = SENDERS / max(rate, 1)
        return rate

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join()


def is_harmed_enough(hop, kills):
    return kills >= SECONDS / KILL_EVERY_S[1] / 2 and \
        {k for k, _ in hop.troubles} == {"refuse", "drop", "hang"}


def kill_some(lab, hop, dice, seconds):
    """For so long, and until there was harm of each kind."""
    kills = 0
    end = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < end or (
            time.monotonic() < end + HARM_S
            and not is_harmed_enough(hop, kills)):
        pause.wait(dice.uniform(*KILL_EVERY_S))
        victim = dice.choice(VICTIMS)
        pid = dice.choice(lab.workers() or [0]) if victim == "worker" \
            else lab.pid(victim)
        if pid:
            lab.kill(pid)
            kills += 1
        hop.count()
    return kills


def look(lab):
    """(descriptors by process, memory in all in kB)"""
    fds, pss = {}, 0
    for pid in [lab.parent(), *lab.family()]:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                pss += sum(int(line.split()[1]) for line in f
                           if line.startswith("Pss:"))
            fds[pid] = sum(is_counted(lab, pid, fd)
                           for fd in os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            pass  # a worker that was recycled
    return fds, pss


def is_counted(lab, pid, fd):
    """Queue keeps folders of the spool open, as it comes to use them."""
    path = os.readlink(f"/proc/{pid}/fd/{fd}")
    return not (path.startswith(f"{lab.dir}/spool/") and os.path.isdir(path))


def is_at_rest(lab, hop, load):
    return lab.is_empty() and hop.count() >= len(load.sent)


def settle(lab, hop, load):
    """All is delivered, and nothing is on its way."""
    lab.run("queue", "retry", "all")
    return wait_for(lambda: is_at_rest(lab, hop, load), DRAIN_S)


def check_mail(lab, hop, load, words):
    claim(settle(lab, hop, load), f"{words}: the queues get empty",
          lab.left(), lab.run("queue", "list").stdout)
    lost = [r for r in load.sent if r not in hop.taken]
    spoilt = [r for r in load.sent
              if any(h != load.sent[r] for h in hop.taken.get(r, []))]
    same(lost[:5], [], f"{words}: each of {len(load.sent)} mails arrived")
    same(spoilt[:5], [], f"{words}: as it was")
    lab.balances(f"{words}: the audit balances", lost_count=0, queued=0)


def harm(lab, hop, seed):
    load = Load(lab, f"{seed}.harm")
    try:
        rate = load.pace(PACE_S)
        hop.is_bad = True
        kills = kill_some(lab, hop, random.Random(seed), SECONDS)
    finally:
        load.end()
        hop.is_bad = False
        hop.over.set()
    print(f"# {rate:.0f} mails/s at most, {len(load.sent)} taken, {kills} "
          f"roles killed, troubles {sum(hop.troubles.values())}", flush=True)
    claim(is_harmed_enough(hop, kills), "there was harm of each kind",
          kills, hop.troubles)
    check_mail(lab, hop, load, "harmed")
    hop.taken.clear()


def spell(lab, hop, seed, words):
    """Mail for a while; how many, descriptors and kB at its end."""
    load = Load(lab, f"{seed}.{words}")
    try:
        load.pace(PACE_S)
        load.stop.wait(PEACE_S / 2)
    finally:
        load.end()
    check_mail(lab, hop, load, words)
    hop.taken.clear()
    files, memory = look_at_rest(lab, hop)
    print(f"# {len(load.sent)} mails: {memory} kB", flush=True)
    return files, memory


def peace(lab, hop, seed):
    """The first spell warms it up, and in a short soak the next ones may:
    what is lost for each mail would be in all of them."""
    after = spell(lab, hop, seed, "warm")
    for i in range(SPELLS):
        before, after = after, spell(lab, hop, seed, f"peace {i + 1}")
        # An instrumented build keeps what was freed, to notice its use.
        is_flat = ASAN or after[1] - before[1] < GROWTH_KB
        if is_flat:
            break
    same({p: n for p, n in after[0].items() if p in before[0]},
         {p: n for p, n in before[0].items() if p in after[0]},
         "descriptors are as many as before")
    claim(is_flat, "memory is flat", before[1], after[1])


def look_at_rest(lab, hop):
    """Once connections that were kept for the next mail are closed."""
    claim(wait_for(lambda: not hop.open, 60), "no connection is left open",
          hop.open)
    return look(lab)


def main():
    seed = random.randrange(1 << 30)
    print(f"# seed {seed}", flush=True)
    hop = BadHop(seed)
    lab = Lab(hop.text, sets={
        "filter_poison_deaths": "10",  # killing workers is no fault of mail
        "smtp_out_reply_time": "1s", "smtp_out_end_time": "1s",
        "retry_max": "2s"})
    harm(lab, hop, seed)
    peace(lab, hop, seed)
    lab.down()


run(main)
