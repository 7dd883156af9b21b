#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# mcd's options, its configuration when it is wrong, and a second mcd in
# the same place.
import os
import socket
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mclab import claim, room, same  # noqa: E402
from parent_lib import MCD, Mcd  # noqa: E402
from smtplab import done  # noqa: E402


def mode(path):
    return oct(stat.S_IMODE(os.lstat(path).st_mode))


def run(*words):
    return subprocess.run([MCD, *words], capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL)


def options():
    for words, name in ((["-z"], "an unknown option"),
                        (["word"], "a word that is no option"),
                        (["-c"], "-c without a file"),
                        (["-x", "nobody"], "-x with an unknown role"),
                        (["-x", "queue"], "-x from a person's hand")):
        got = run(*words)
        same(got.returncode, 64, f"{name}: exit 64")
        claim(got.stderr != "", f"{name}: it is said why")
    got = run("-V")
    claim(got.returncode == 0 and got.stdout.startswith("mcd "),
          "-V prints the version", got.stdout)


def wrong_conf():
    m = Mcd()
    got = run("-c", m.dir + "/nothing")
    claim(got.returncode == 78 and "/nothing" in got.stderr,
          "a configuration that is not there: exit 78, named", got.stderr)
    got = m.run("-t")
    claim(got.returncode == 0 and "nothing is wrong" in got.stdout,
          "-t finds nothing wrong", got.stdout + got.stderr)
    claim(not os.path.exists(m.paths["run"]), "-t makes nothing")
    m.more = ["wrokers = 3;"]
    m.write_conf()
    for words in ((), ("-t",)):
        got = m.run(*words)
        line = len(open(m.conf, encoding="utf-8").read().splitlines())
        claim(got.returncode == 78 and f"mcd.conf:{line}:" in got.stderr
              and '"workers"' in got.stderr,
              f"a mistyped key: exit 78, its line, the right one {words}",
              got.stderr)
    m.more = []
    for key, path, needle in (
            ("libexec", m.dir, "mcd-filter"),
            ("run", m.dir + "/" + "r" * 120, "paths.run")):
        was = m.paths[key]
        m.paths[key] = path
        m.write_conf()
        got = m.run()
        claim(got.returncode == 78 and needle in got.stderr,
              f"paths.{key} that cannot be: exit 78", got.stderr)
        m.paths[key] = was
    m.write_conf('x = "' + "y" * 2000000 + '";')
    same(m.run().returncode, 78, "a configuration too large: exit 78")


def busy_port():
    m = Mcd()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(1)
        address = f"127.0.0.1:{s.getsockname()[1]}"
        m.listeners = [("smtp", address)]
        m.write_conf()
        got = m.run()
    claim(got.returncode == 69 and address in got.stderr,
          "an address in use: exit 69, named", got.stderr)


def files():
    m = Mcd().start().await_ready()
    same(mode(m.paths["run"] + "/stats"), "0o640", "the stats file is 0640")
    same(mode(m.paths["run"] + "/control"), "0o660",
         "the control socket is 0660")
    same(mode(m.paths["spool"]), "0o700", "the spool is 0700")
    same(mode(m.paths["lib"]), "0o2770", "the databases' folder is 2770")
    with open(m.paths["run"] + "/mcd.pid", encoding="ascii") as f:
        same(f.read(), f"{m.pid}\n", "the pid file holds its pid")
    return m


def second(m):
    got = m.run()
    claim(got.returncode == 75 and f"process {m.pid}" in got.stderr,
          "a second mcd in the same run folder: exit 75, the first named",
          got.stderr)
    other = Mcd()
    other.paths["spool"] = m.paths["spool"]
    other.write_conf()
    got = other.run()
    claim(got.returncode == 75 and m.paths["spool"] in got.stderr,
          "a second mcd on the same spool: exit 75, which is named",
          got.stderr)
    claim(m.send("x@nowhere.example") is False and m.process.poll() is None,
          "the first runs on")
    same(m.stop(), 0, "and stops with 0")
    with open(m.paths["run"] + "/mcd.pid", encoding="ascii") as f:
        same(f.read(), "", "the pid file is empty then")
    m.start().await_ready(2)
    same(m.stop(), 0, "mcd starts again in the same place")


def deep_folders():
    m = Mcd()
    for key in ("spool", "lib", "run"):
        m.paths[key] = f"{room()}/a/b/{key}"
    m.write_conf()
    m.start().await_ready()
    claim(all(os.path.isdir(m.paths[k]) for k in ("spool", "lib", "run")),
          "folders are made with those above them")
    same(m.stop(), 0, "mcd stops with 0")


options()
wrong_conf()
busy_port()
second(files())
deep_folders()
done()
