# SPDX-License-Identifier: GPL-2.0-or-later
#
# The switchboard of the preload shim (shim.h) from the driver's side, and
# what a disk would hold after a power cut, worked out from the shim's log.
import ctypes
import mmap
import os
import random
import shutil
import subprocess

MAGIC = 0x6D637368696D3031
ROLES = ["parent", "incoming", "queue", "filter", "worker", "lookup",
         "outgoing", "control", "store"]
KINDS = ["open", "write", "close", "fsync", "fdatasync", "rename", "link",
         "unlink", "truncate", "range", "send", "recv", "fcntl",
         "mkdir"]
ALL_KINDS = (1 << len(KINDS)) - 1
FILE_KINDS = ALL_KINDS & ~(1 << KINDS.index("send")) \
    & ~(1 << KINDS.index("recv"))
# what changes the disk or tells somebody: the points of a recovery
CHANGE_KINDS = sum(1 << KINDS.index(k) for k in (
    "write", "fsync", "fdatasync", "rename", "link", "unlink", "truncate",
    "send"))
COUNT, KILL, CUT, FAIL, SHORT = range(5)


class PointLayout(ctypes.Structure):
    _fields_ = [("n", ctypes.c_uint32), ("kinds", ctypes.c_uint32),
                ("glob", ctypes.c_char * 48)]


class Layout(ctypes.Structure):
    _fields_ = [("magic", ctypes.c_uint64), ("armed", ctypes.c_uint32),
                ("action", ctypes.c_uint32), ("role", ctypes.c_uint32),
                ("repeat", ctypes.c_uint32), ("err", ctypes.c_int32),
                ("hits", ctypes.c_uint32), ("hit_kind", ctypes.c_uint32),
                ("trace", ctypes.c_uint32), ("count", ctypes.c_uint32),
                ("dead", ctypes.c_int32), ("space", ctypes.c_int64),
                ("point", PointLayout), ("next", PointLayout),
                ("next_action", ctypes.c_uint32),
                ("unused", ctypes.c_uint32),
                ("tally", (ctypes.c_uint32 * len(KINDS)) * 16),
                ("snapshot", ctypes.c_uint64),
                ("hit_path", ctypes.c_char * 128),
                ("lock", ctypes.c_char * 40)]


class Point:
    """N[.KIND[.GLOB]]: the N-th call of all, of a kind, of paths below the
    spool that match."""

    def __init__(self, text="0", kinds=ALL_KINDS):
        n, _, rest = text.partition(".")
        kind, _, self.glob = rest.partition(".")
        self.n = int(n)
        self.kinds = 1 << KINDS.index(kind) if kind else kinds

    def store(self, at):
        at.n, at.kinds, at.glob = self.n, self.kinds, self.glob.encode()


class Shim:
    """One switchboard file; make_program makes it with its robust
    mutex."""

    def __init__(self, path, make_program):
        self.path = path
        if subprocess.run([make_program, path], check=False).returncode:
            raise RuntimeError("cannot make the shim's switchboard")
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 0)
        if len(self.map) != ctypes.sizeof(Layout):
            raise RuntimeError("the shim's layout has another size")
        self.at = Layout.from_buffer(self.map)
        if self.at.magic != MAGIC:
            raise RuntimeError("the shim's layout does not match")

    def arm(self, action, role, point=None, then=None, then_action=KILL,
            err=0, repeat=0, space=-1):
        a = self.at
        a.armed = 0
        a.action, a.role = action, ROLES.index(role)
        (point or Point()).store(a.point)
        (then or Point()).store(a.next)
        a.next_action = then_action
        a.repeat, a.err, a.hits, a.count, a.dead = repeat, err, 0, 0, 0
        a.space = space
        a.hit_path = b""
        ctypes.memset(a.tally, 0, ctypes.sizeof(a.tally))
        a.armed = 1

    def disarm(self):
        self.at.armed = 0
        self.at.space = -1

    def calls(self, role, kinds):
        row = self.at.tally[ROLES.index(role)]
        return sum(row[k] for k in range(len(KINDS)) if kinds >> k & 1)

    def hits(self):
        return self.at.hits


def copy_base(spool, base):
    """Copies a spool nobody works on; returns its files and inodes."""
    shutil.copytree(spool, base)
    inodes = {}
    for at, _, files in os.walk(spool):
        for name in files:
            path = os.path.join(at, name)
            inodes[os.path.relpath(path, spool)] = str(
                os.stat(path).st_ino)
    return inodes


NEVER = 1 << 62


def folders_of(op):
    """A link leaves the folder of the old name as it is."""
    if op[1] == "L":
        return [os.path.dirname(op[4]) or "."]
    return [os.path.dirname(p) or "." for p in (op[3], op[4])
            if p is not None]


BLOCK = 4096


def with_holes(data, at, rng):
    """At least one of its blocks is zero; the first of the file begins at
    0, data at at."""
    blocks = range(at // BLOCK, (at + len(data) + BLOCK - 1) // BLOCK)
    lost = {b for b in blocks if rng.random() < 0.3}
    if data and not lost:
        lost = {rng.choice(blocks)}
    out = bytearray(data)
    for b in lost:
        low = max(b * BLOCK - at, 0)
        high = min((b + 1) * BLOCK - at, len(out))
        out[low:high] = bytes(high - low)
    return bytes(out)


class Disk:
    """Replays a log into names and contents.  An operation on names holds
    once either of its folders was synced after it; contents hold as they
    were at the last good sync.  After a failed sync of a file or folder
    what did not hold then never will.  All that was there at the start
    holds (base: a copy of it)."""

    def __init__(self, log, base=None, inodes=None):
        self.snap_dir = log + ".d"
        self.ops = []  # [position, kind, ident, old, new, is_durable]
        self.synced = {}  # ident -> snapshot path
        self.live = {}  # path -> ident, as the processes saw it
        self.idents = {}  # inode -> current ident
        self.failed = set()  # idents whose sync has failed
        for path, inode in (inodes or {}).items():
            ident = (inode, -1)
            self.idents[inode] = self.live[path] = ident
            self.synced[ident] = os.path.join(base, path)
            self.ops.append([-1, "C", ident, None, path, True])
        self.read(log)

    def read(self, log):
        position = 0
        with open(log, "rb") as f:
            for raw in f:
                here, position = position, position + len(raw)
                if not raw.endswith(b"\n"):
                    break
                self.line(here, raw.decode("utf-8", "replace").split())

    def line(self, here, w):
        kind = w[0]
        if kind == "C":
            ident = (w[1], here)
            self.idents[w[1]] = ident
            self.live[w[2]] = ident
            self.ops.append([here, kind, ident, None, w[2], False])
        elif kind == "S":
            ident = self.idents.get(w[1])
            if ident is not None and ident not in self.failed:
                self.synced[ident] = f"{self.snap_dir}/{w[2]}"
        elif kind == "F":
            self.failed.add(self.idents.get(w[1]))
        elif kind == "M":
            self.ops.append([here, kind, None, None, w[1], False])
        elif kind == "X":
            for op in self.ops:
                if not op[5] and w[1] in folders_of(op):
                    op[0] = NEVER
        elif kind == "D":
            self.folder_synced(w[1], int(w[2]))
        elif kind in "RL":
            ident = self.live.get(w[1])
            if kind == "R":
                self.live.pop(w[1], None)
            self.live[w[2]] = ident
            self.ops.append([here, kind, ident, w[1], w[2], False])
        elif kind == "U":
            ident = self.live.pop(w[1], None)
            self.ops.append([here, kind, ident, w[1], None, False])

    def folder_synced(self, folder, position):
        for op in self.ops:
            if op[5] or op[0] >= position:
                continue
            if folder in folders_of(op):
                op[5] = True

    def names(self, keep):
        """keep(op) says of each operation that is not durable whether the
        disk has it."""
        names = {}
        for op in self.ops:
            if not (op[5] or keep(op)):
                continue
            _, kind, ident, old, new, _ = op
            if kind == "M":
                continue
            if kind in "RU" and names.get(old) == ident:
                del names[old]
            if new is not None:
                names[new] = ident
        return names

    def rebuild(self, spool, kept, variant, seed=0):
        """Makes folder kept what a disk would hold.  drop: nothing that
        was not synced; keep: all names, but no unsynced contents; mix: a
        random part of the names, torn contents; late, last: of the names
        that were not synced only the later half, the last one; holes: all names, contents
        with parts that are zero; back: all names, bodies that have gone
        too."""
        rng = random.Random(seed)
        open_ops = [id(op) for op in self.ops if not op[5]]
        late = set(open_ops[(len(open_ops) + 1) // 2:])
        keep = {"drop": lambda op: False, "keep": lambda op: True,
                "mix": lambda op: rng.random() < 0.5,
                "late": lambda op: id(op) in late,
                "last": lambda op: id(op) == open_ops[-1],
                "holes": lambda op: True,
                "back": lambda op: op[1] != "U"
                or not op[3].startswith("body/")}[variant]
        shutil.rmtree(kept, ignore_errors=True)
        os.mkdir(kept, 0o700)
        self.make_folders(spool, kept, keep)
        for path, ident in self.names(keep).items():
            to = os.path.join(kept, path)
            if ident is None or not os.path.isdir(os.path.dirname(to)):
                continue
            held = b""
            if ident in self.synced:
                with open(self.synced[ident], "rb") as f:
                    held = f.read()
            if variant in ("mix", "holes"):
                held += self.torn_tail(spool, ident, held, rng,
                                       variant == "holes")
            with open(to, "wb") as f:
                f.write(held)

    def make_folders(self, spool, kept, keep):
        """Those that were not made in the log were there before it."""
        made = {op[4]: op for op in self.ops if op[1] == "M"}
        for at, dirs, _ in os.walk(spool):
            at = os.path.normpath(os.path.relpath(at, spool))
            for d in sorted(dirs):
                path = os.path.normpath(os.path.join(at, d))
                op = made.get(path)
                if op is not None and not op[5] and not keep(op):
                    continue
                if os.path.isdir(os.path.join(kept, at)):
                    os.mkdir(os.path.join(kept, path), 0o700)

    def torn_tail(self, spool, ident, held, rng, has_holes):
        """Part of what was written behind the last sync, if the file can
        still be read: its begin, or all but some blocks."""
        for name, other in self.live.items():
            if other != ident:
                continue
            try:
                with open(os.path.join(spool, name), "rb") as f:
                    now = f.read()
            except OSError:
                return b""
            if now.startswith(held):
                more = now[len(held):]
                if has_holes or rng.random() < 0.5:
                    return with_holes(more, len(held), rng)
                return more[:rng.randrange(len(more) + 1)]
        return b""
