# SPDX-License-Identifier: GPL-2.0-or-later
#
# What benchmarks share: labs without limits, memory and CPU time of
# processes, and verdicts.
import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SRC = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
SIGNATURES = 200000


def run(*words, env=None):
    done = subprocess.run(words, capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, env=env)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


class Lab:
    def __init__(self, args, name, *options):
        self.dir = os.path.join(args.top, name)
        self.build = args.build
        self.options = options
        self.conf = self.dir + "/etc/mcd.conf"

    def make_run(self):
        """The run folder on a tmpfs, as /run of a host is, where there is
        one; what lies in it is made again at each start."""
        path = self.dir + "/run"
        if os.path.lexists(path) or filesystem("/dev/shm")[:5] != "tmpfs":
            return
        os.makedirs(self.dir, exist_ok=True)
        os.chmod(self.dir, 0o755)
        self.run_dir = tempfile.mkdtemp(prefix="mcbench.", dir="/dev/shm")
        os.chmod(self.run_dir, 0o755)
        os.symlink(self.run_dir, path)
        atexit.register(shutil.rmtree, self.run_dir, True)

    def up(self, relay="127.0.0.1:9"):
        self.make_run()
        run(SRC + "/tools/lab", "up", "--no-spamd", "--dir", self.dir,
            "--smtp", "127.0.0.1:0", "--relay-to", relay, "--domain",
            "bench.example", "--build", self.build, "--conf",
            "watchdog_s = 3600;", "--set", "connections_max=5000", "--set",
            "smtp_messages_max=1000000", *self.options)
        with open(self.dir + "/smtp", encoding="ascii") as f:
            self.smtp = f.read().strip()

    def down(self):
        run(SRC + "/tools/lab", "down", "--dir", self.dir)

    def mcctl(self, *words):
        return run(self.build + "/bin/mcctl", "-c", self.conf, *words)

    def status(self):
        return json.loads(self.mcctl("status", "--json"))

    def pids(self, role):
        return [p["pid"] for p in self.status()["processes"]
                if p["role"].split()[0] == role and p["pid"] > 0]


def filesystem(path):
    best = ("", "?")
    with open("/proc/mounts", encoding="ascii") as f:
        for line in f:
            w = line.split()
            if (path + "/").startswith(w[1].rstrip("/") + "/") and \
                    len(w[1]) >= len(best[0]):
                best = (w[1], f"{w[2]} ({w[3]})")
    return best[1]


def stop_hard(lab):
    """Its files stay until the end: see bare.c."""
    with open(lab.dir + "/mcd.pid", encoding="ascii") as f:
        os.killpg(int(f.read()), signal.SIGKILL)
    time.sleep(0.3)


def parent_of(lab):
    with open(lab.dir + "/mcd.pid", encoding="ascii") as f:
        return int(f.read())


def pss_kb(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1))


def stat_of(pid):
    """The fields of /proc/PID/stat behind the name: [0] is the state."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
        return f.read().rpartition(")")[2].split()


def family(pid):
    """A process and all below it."""
    children = {}
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            children.setdefault(int(stat_of(p)[1]), []).append(int(p))
        except OSError:
            pass
    found = [pid]
    for p in found:
        found += children.get(p, [])
    return found


def cpu_s(pid):
    """CPU seconds of a process and all below it, the dead ones too."""
    ticks = 0
    for p in family(pid):
        try:
            ticks += sum(int(n) for n in stat_of(p)[11:15])
        except OSError:
            pass
    return ticks / os.sysconf("SC_CLK_TCK")


def make_signatures(folder, count):
    """So many made signatures, half hashes of files, half bytes."""
    os.mkdir(folder)
    with open(f"{folder}/made.hdb", "w", encoding="ascii") as f:
        for i in range(count // 2):
            f.write(f"{i:032x}:{1000 + i}:Made.Hash-{i}\n")
    with open(f"{folder}/made.ndb", "w", encoding="ascii") as f:
        for i in range(count // 2):
            f.write(f"Made.Body-{i}:0:*:{i * 2654435761 % 2**64:016x}"
                    f"{i:08x}{i * 40503 % 2**32:08x}\n")


faults = []


def verdict(what, good, figure):
    print(f"  {'reached' if good else 'MISSED '} {what}: {figure}")
    if not good:
        faults.append(what)
