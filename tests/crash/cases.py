# SPDX-License-Identifier: GPL-2.0-or-later
#
# How one case of the crash matrix is played: AREA:SCENARIO:ROLE:CALL:HOW.
# CALL is a point of shim.py, for areas a and b two with a + between them:
# the second is a call of the recovery from the first.
import errno
import os
import random
import shutil
import subprocess
import tempfile
import threading
import time

import shim as shimlib
from gateway import Fault, Gateway, NoLab, Plan, make_model, wait_until

A, H, I = "@one.example", "@held.example", "@two.example"
K = "@kept.example"
Q = "@asked.example"  # by callout
R = "@strict.example"  # spam of its, and all is spam, is refused at once

# name: what is sent at the same time
SCENARIOS = {
    "first": [Plan(["u" + A], 500)],
    "firsts": [Plan(["w" + H, "u" + A, "v" + I], 2000)],
    "one": [Plan(["u" + A], 500)],
    "pair": [Plan(["u" + A], 500), Plan(["v" + A], 3000),
             Plan(["w" + I], 40000)],
    "big": [Plan(["u" + A], 400000)],
    "split": [Plan(["w" + H, "u" + A, "v" + I], 2000)],
    "part": [Plan(["u" + A, "v" + I], 2000)],
    "mixed": [Plan(["u" + A, "once{t}" + A, "bounce" + A, "v" + A], 1500)],
    "defer": [Plan(["once{t}" + A], 800)],
    "sour": [Plan(["bounce" + A, "v" + A], 600)],
    "hold": [Plan(["u" + A, "v" + A], 700)],
    "holds": [Plan(["u" + A, "v" + I], 700)],
    "halt": [Plan(["u" + A, "v" + A], 700)],
    "release": [Plan(["w" + H], 700), Plan(["once{t}" + H], 700)],
    "delete": [Plan(["w" + H], 700)],
    "bdat": [Plan(["u" + A], 40000, chunks=3), Plan(["v" + I], 600, chunks=1)],
    "callout": [Plan(["u{t}" + Q], 600)],
    "fates": [Plan(["u" + A, "bounce" + A, "once{t}" + I, "bounce" + I,
                    "w" + H, "v" + I], 1500)],
    "told": [Plan(["bounce" + A], 600, sender="once{t}" + A)],
    "drain": [Plan(["u" + A], 500), Plan(["once{t}" + A, "v" + I], 900)],
    "refuse": [Plan(["u" + R, "v" + R], 700), Plan(["w" + A], 500)],
    "refuses": [Plan(["u" + A, "v" + R, "w" + I], 1500)],
    "qrelease": [Plan(["w" + K, "x" + K], 700)],
    "qdelete": [Plan(["w" + K, "x" + K], 700)],
}
# how they are answered, where not all are taken
ANSWERS = {"refuse": ["no", "yes"], "drain": ["yes", "yes", "never"]}
# what an administrator does then
FIRST = ("first", "firsts")  # on a spool that has seen no mail
ACTS = {"release": "unhold", "delete": "delete"}
# the same with what is in quarantine, for one recipient of two
KEPT_ACTS = {"qrelease": "release", "qdelete": "delete"}
HELD = ("hold", "holds", "halt")  # by an administrator, before it goes
# the next hop takes nobody at first
REFUSED = ("sour", "drain", "told", *HELD)
ERRORS = {"EIO": errno.EIO, "ENOSPC": errno.ENOSPC, "EMFILE": errno.EMFILE}
VARIANTS = ("drop", "keep", "mix")
ALL_VARIANTS = (*VARIANTS, "late", "last", "holes", "back")
RESTART_REST = 1.5
QUIET_REST = 0.06  # what comes after the last envelope has gone
PERSISTENT = 1 << 30
SIZES = 1000
DISK_BYTES = 4 << 20
DISK_RESERVE = "128k"
# A role that dies again and again is started later and later: a new
# parent takes over before that.
RESTARTS_MAX = 4
PLAYS_MAX = 60  # then a new spool: the ledger grows


class Pool:
    """Gateways: one of each kind a thread, for case after case."""

    def __init__(self, build, top, keep, model=None):
        self.build, self.top, self.keep = build, top, keep
        self.lock = threading.Lock()
        self.local = threading.local()
        self.all = []
        self.model = model

    def new(self):
        with self.lock:
            if self.model is None:
                make_model(self.build, self.top + "/model", "127.0.0.1:9")
                self.model = self.top + "/model"
            g = Gateway(self.build, self.top, len(self.all) + 1, self.model)
            self.all.append(g)
        return g

    def get(self, kind, is_first=False):
        """is_first: on a spool that was made just now; else one that has
        seen mail, and is clean."""
        g = getattr(self.local, kind, None)
        try:
            if g is None:
                g = self.new()
                setattr(self.local, kind, g)
                g.start(disk=DISK_BYTES if kind == "small" else None)
                if kind == "small":
                    g.set_knob("spool_reserve", DISK_RESERVE)
            elif kind == "small" and g.most_restarts >= RESTARTS_MAX:
                g.restart()
            elif kind != "small" and (g.plays >= PLAYS_MAX or is_first):
                g.kill()
                g.start()
                g.drop_homes()
            elif g.most_restarts >= RESTARTS_MAX:
                g.restart()
            if g.plays == 0 and not is_first:
                warm_up(g)
        except Fault as e:
            raise NoLab(f"no lab: {e}") from None
        g.plays += 1
        return g

    def drop(self, kind, name):
        """After a red case: nothing of it may reach the next."""
        g = getattr(self.local, kind, None)
        if g is None:
            return
        setattr(self.local, kind, None)
        if self.keep and g.home:
            for what in ("log/mcd.log", "trace"):
                if os.path.exists(f"{g.home}/{what}"):
                    shutil.copy(f"{g.home}/{what}", self.top + "/"
                                + name.replace("/", "_") + "."
                                + os.path.basename(what))
        try:
            g.close()
        except (Fault, OSError) as e:
            print(f"# {e}", flush=True)
        if not self.keep:
            shutil.rmtree(g.dir, ignore_errors=True)

    def close(self):
        for g in self.all:
            try:
                g.close()
            except (Fault, OSError) as e:
                print(f"# {e}", flush=True)


def point_of(text, kinds):
    return shimlib.Point("0" if text == "end" else text, kinds)


class Case:
    def __init__(self, name):
        self.name = name
        parts = name.split(":")
        if len(parts) != 5 or parts[0] not in "abcd":
            raise ValueError(f"{name}: not AREA:SCENARIO:ROLE:CALL:HOW")
        self.area, self.scenario, self.role, self.call, self.how = parts
        self.kind = "small" if self.scenario == "disk" else "plain"
        first, _, then = self.call.partition("+")
        kinds = shimlib.FILE_KINDS if self.area == "c" else \
            shimlib.ALL_KINDS
        self.at_end = first == "end"
        self.then_end = then == "end"
        self.point = point_of(first, kinds)
        self.then = point_of(then, shimlib.CHANGE_KINDS) if then else None

    def play(self, pool):
        """Returns whether the call was reached; Fault is red."""
        g = pool.get(self.kind, self.scenario in FIRST)
        return {"a": self.kill, "b": self.cut, "c": self.fail,
                "d": self.fill}[self.area](g)

    # a: kill

    def kill(self, g):
        g.shim.arm(shimlib.KILL, self.role, self.point, self.then)
        sent = play(g, self.scenario)
        if self.role == "parent":
            wait_until(lambda: g.shim.hits() or not g.queued(), 60,
                       "a kill or an end")
        if self.role == "parent" and g.shim.hits():
            wait_until(lambda: not g.is_up(), 20, "the parent's death")
            g.restart(keeps_shim=True)
        wanted = 2 if self.then else 1
        g.wait_quiet()
        g.wait_running()
        reached = g.shim.hits() >= wanted
        g.shim.disarm()
        if self.role == "parent" and g.shim.hits() and not g.is_up():
            g.restart()  # its call came when all was done
        g.judge(sent, True)
        return reached

    # b: power cut

    def cut(self, g):
        first, _, _ = self.how.partition("/")
        if self.scenario not in FIRST:  # all of its log counts
            g.checkpoint()
        is_first = first in ERRORS or first == "kill"
        # every answer was given before anything died
        self.is_told = self.at_end or self.then_end and first in ERRORS
        restarts = g.restarts if first == "kill" else None
        if is_first:
            g.shim.arm(shimlib.KILL if first == "kill" else shimlib.FAIL,
                       self.role, self.point, self.then, shimlib.CUT,
                       err=ERRORS.get(first, 0))
        else:
            g.shim.arm(shimlib.CUT, self.role, self.point)
        sent = play(g, self.scenario)
        if g.has_lost_peer():
            self.is_told = False
        at_end = self.then_end if is_first else self.at_end
        if not wait_cut(g, 2 if is_first else 1, at_end, restarts):
            g.judge(sent, first == "kill")
            return False
        reached = True
        before = g.take_delivered()
        if self.then is None or is_first:
            self.after_cut(g, sent, before)
        else:
            reached = self.cut_again(g, sent, before)
        g.drop_homes()
        return reached

    def seed(self, *more):
        return ":".join([self.name, *more])

    def after_cut(self, g, sent, before):
        disk = shimlib.Disk(g.trace_log, g.base, g.inodes)
        old = g.home
        variants = self.variants()
        for variant in variants:
            spool = f"{g.dir}/disk"
            disk.rebuild(old + "/spool", spool, variant,
                         self.seed(variant))
            g.start(spool=spool)
            try:
                got = judge_with(g, sent, before, not self.is_told)
                if variant == "back" and self.at_end and \
                        len(got) > len(before):
                    raise Fault("delivered again, though all was done")
            except Fault as e:
                raise Fault(f"[{variant}] {e}") from None
            if variant != variants[-1]:
                g.kill()

    def variants(self):
        """What the disk may hold: one reading, or three."""
        alone = self.how.rpartition("/")[2].rstrip("0123456789")
        return [alone] if alone in ALL_VARIANTS else VARIANTS

    def cut_again(self, g, sent, before):
        """The power goes again while mcd recovers from the first cut."""
        variant = random.Random(self.name).choice(VARIANTS)
        disk = shimlib.Disk(g.trace_log, g.base, g.inodes)
        spool = f"{g.dir}/disk"
        disk.rebuild(g.home + "/spool", spool, variant,
                     self.seed(variant))
        g.start(spool, lambda: g.shim.arm(
            shimlib.CUT, self.role, self.then))
        if not wait_cut(g, 1, self.then_end):
            judge_with(g, sent, before, True)
            return False
        self.after_cut(g, sent, before + g.take_delivered())
        return True

    # c: calls that fail

    def fail(self, g):
        restarts = g.restarts
        name, _, repeat = self.how.partition("+")
        if self.then is not None:  # in the recovery from a kill
            g.shim.arm(shimlib.KILL, self.role, self.point, self.then,
                       shimlib.FAIL, err=ERRORS[name],
                       repeat=int(repeat or 0))
            restarts = -1
        elif name == "short":
            g.shim.arm(shimlib.SHORT, self.role, self.point)
        else:
            g.shim.arm(shimlib.FAIL, self.role, self.point,
                       err=ERRORS[name], repeat=PERSISTENT if
                       repeat == "all" else int(repeat or 0))
        sent = play(g, self.scenario)
        if repeat == "all":
            try:
                g.wait_quiet(0.7)
            except Fault:
                pass
        else:
            g.wait_quiet()
        reached = g.shim.hits() > (1 if self.then else 0)
        g.shim.disarm()
        g.wait_quiet()
        g.wait_running()
        g.judge(sent, g.restarts != restarts or g.has_lost_peer(),
                may_leave=True)
        return reached

    # d: no space

    def fill(self, g):
        if self.kind == "small":
            return self.fill_disk(g)
        restarts = g.restarts
        rng = random.Random(self.call)
        space = rng.randrange(2000, 400000)
        size = max(300, int(space * rng.uniform(0.2, 1.3)))
        g.shim.arm(shimlib.COUNT, "queue", space=space)
        sent = g.send_all([Plan(["u" + A], size), Plan(["v" + A], 600)])
        g.shim.disarm()
        g.wait_quiet()
        g.wait_running()
        g.judge(sent, g.restarts != restarts or g.has_lost_peer(),
                may_leave=True)
        return any(m.answer != "yes" for m in sent) or size < space


    def fill_disk(self, g):
        restarts = g.restarts
        rng = random.Random(self.call)
        st = os.statvfs(g.home + "/spool")
        space = st.f_bavail * st.f_frsize
        sizes = [max(300, int(space * rng.uniform(0.3, 1.1))),
                 rng.randrange(300, 9000), rng.randrange(300, space // 2)]
        sent = g.send_all([Plan(["u" + A], n) for n in sizes])
        g.wait_quiet()
        g.wait_running()
        g.judge(sent, g.restarts != restarts or g.has_lost_peer(),
                may_leave=True)
        return any(m.answer != "yes" for m in sent)


def wait_cut(g, wanted, at_end, restarts=None):
    """Waits for the shim to cut the power, or cuts it once all is quiet;
    False when the shim's call never came.  restarts: how many there were
    before its first call, which kills a role; its start comes before the
    quiet."""
    wait_until(lambda: g.shim.hits() >= wanted or not g.is_up()
               or not g.queued(), 60, "a cut or an end")
    if restarts is not None and g.shim.hits() == 1:
        wait_until(lambda: g.shim.hits() >= wanted or not g.is_up()
                   or (g.all_running() and g.restarts > restarts), 60,
                   "a role that starts again")
    if at_end:
        g.wait_running()
    # one that was killed is not back at once
    rest = RESTART_REST if 0 < g.shim.hits() < wanted else QUIET_REST
    deadline = time.monotonic() + rest
    while g.shim.hits() < wanted and time.monotonic() < deadline:
        time.sleep(0.01)
    is_cut = g.shim.hits() >= wanted and not at_end
    if is_cut:
        wait_until(lambda: not g.is_up(), 20, "the cut")
    if is_cut or at_end:
        g.kill()
        is_cut = True
    g.shim.disarm()
    return is_cut


def judge_with(g, sent, before, has_died):
    """Judges with what had been delivered before; returns all of it."""
    got = list(before)
    take = g.take_delivered

    def take_more():
        got.extend(take())
        return list(got)

    g.take_delivered = take_more
    try:
        g.judge(sent, has_died)
    finally:
        g.take_delivered = take
    return got


def warm_up(g):
    sent = play(g, "one")
    g.wait_quiet()
    g.judge(sent, False)
    g.plays = 1


def play(g, scenario):
    plan = [p.for_token(f"{g.prefix}x{g.tokens}")
            for p in SCENARIOS[scenario]]
    g.set_refuse(scenario in REFUSED)
    sent = g.send_all(plan)
    if scenario in REFUSED:
        g.wait_deferred(sent)
    if scenario == "drain":
        g.drain()
    if scenario in HELD:
        g.hold(sent)
    g.set_refuse(False)
    if scenario == "drain":
        drained(g, sent)
    if scenario == "told":
        g.hold_report()
    if scenario == "halt":
        g.halt(sent)
    if scenario in ACTS:
        g.act(sent, ACTS[scenario])
    if scenario in KEPT_ACTS:
        g.act_kept(sent, KEPT_ACTS[scenario])
    return sent


def drained(g, sent):
    """What is sent while it drains is not taken, and it empties."""
    late = g.send_all([Plan(["late" + A], 500)])
    sent += late
    if g.is_up() and not g.shim.hits():
        if late[0].answer != "never":
            raise Fault(f"taken while it drains: {late[0].text}")
        wait_until(lambda: g.shim.hits() or not g.is_up()
                   or not g.queued(), 60, "a drained gateway")
    g.undrain()


def count_calls(g, scenario):
    """{role: (all, files, changes)} of one play."""
    g.shim.arm(shimlib.COUNT, "queue")
    sent = play(g, scenario)
    g.wait_quiet()
    answers = [m.answer for m in sent]
    if answers != ANSWERS.get(scenario, ["yes"] * len(sent)):
        raise Fault(f"answered {[m.text for m in sent]}")
    g.judge(sent, False)
    out = {r: tuple(g.shim.calls(r, k) for k in (
        shimlib.ALL_KINDS, shimlib.FILE_KINDS,
        1 << shimlib.KINDS.index("write"))) for r in shimlib.ROLES}
    g.shim.disarm()
    return out


def no_disk():
    """Why a small file system cannot be mounted, or None."""
    if os.geteuid() != 0:
        return "only root may mount"
    top = tempfile.mkdtemp(prefix="mccrash.")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k",
                           "tmpfs", top], capture_output=True, text=True,
                          check=False)
    if done.returncode == 0:
        subprocess.run(["umount", top], check=True)
    os.rmdir(top)
    return None if done.returncode == 0 else \
        done.stderr.strip() or "cannot mount"
