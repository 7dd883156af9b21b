#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 120
#
# mcctl run by root leaves nothing of root's, reads the spool as its owner,
# and works before the first start; others get what their group allows.
import json
import os
import pwd
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../e2e"))
from mclab import claim, room, same, wait_for  # noqa: E402
from parent_lib import MCCTL, Mcd  # noqa: E402
from smtplab import run  # noqa: E402

USERS = {"main": "mail", "net": "nobody", "queue": "games", "scan": "daemon"}

m = Mcd(jail=True, users=USERS)


def owner(path):
    st = os.lstat(path)
    return pwd.getpwuid(st.st_uid).pw_name, oct(stat.S_IMODE(st.st_mode))


def as_user(user, *words):
    pw = pwd.getpwnam(user)

    def become():
        os.setgroups([])
        os.setgid(pw.pw_gid)
        os.setuid(pw.pw_uid)
    return subprocess.run([MCCTL, "-c", m.conf, *words], capture_output=True,
                          text=True, check=False, stdin=subprocess.DEVNULL,
                          preexec_fn=become)


def before_the_start():
    same(m.mcctl("domain", "add", "a.example", "--dest",
                 "127.0.0.1:9").returncode, 0,
         "root adds a domain before mcd ever ran")
    same(owner(m.paths["lib"]), ("mail", "0o2770"), "the folder is mcd's")
    for name in os.listdir(m.paths["lib"]):
        same(owner(f"{m.paths['lib']}/{name}"), ("mail", "0o660"),
             f"so is {name}")
    got = as_user("nobody", "domain", "list")
    claim(got.returncode == 77 and "settings.db" in got.stderr,
          "a user without the right to it: 77", got)
    got = as_user("mail", "domain", "list")
    claim(got.returncode == 0 and "a.example" in got.stdout,
          "the owner may", got)


def not_taken():
    """A folder that others use is not made mcd's."""
    for mode, name, words in ((0o1777, None, "one that all may write"),
                              (0o755, "theirs", "one with other files")):
        d = room()
        os.chmod(d, mode)
        if name:
            open(f"{d}/{name}", "wb").close()
        other = Mcd(jail=True, users=USERS)
        other.paths["lib"] = d
        other.write_conf()
        other.mcctl("domain", "add", "a.example", "--dest", "127.0.0.1:9")
        same(owner(d), ("root", oct(mode)), f"{words} stays as it is")


def running():
    m.start()
    m.await_ready()
    for words in (["queue", "count"], ["status"], ["trace", "x@y.example"]):
        got = as_user("nobody", *words)
        claim(got.returncode == 77 and "permission denied" in got.stderr,
              f"{words[0]}: refused for who is not in the group: 77", got)
        same(as_user("mail", *words).returncode, 0, "and done for who is")
    got = as_user("nobody", "domain", "add", "b.example", "--dest", "x.y")
    same(got.returncode, 77, "nor may others change anything")
    same(m.mcctl("setting", "set", "hold_mail", "on").returncode, 0,
         "root may")
    claim(wait_for(lambda: m.mcctl("check").returncode == 0),
          "and check finds no fault", m.mcctl("check"))


def names():
    """Who asked is in the log: of the caller, not of whom it became."""
    got = json.loads(m.mcctl("--json", "log", "--last", "1").stdout)
    same(got["who"], os.environ.get("SUDO_USER", "root"), "changes have it")
    m.mcctl("reload")
    as_user("mail", "reload")
    for who in ("root", "mail"):
        claim(m.await_log(f"reload asked by={who}"),
              f"reload by {who} is logged so, from within the jail",
              m.logged())


def stopped():
    """The spool is read as its owner, and left as it is."""
    m.stop()
    os.symlink("/etc/shadow", m.paths["spool"] + "/hold/00/06ab3c8def000001")
    for words in (["queue", "count"], ["queue", "list"], ["audit"],
                  ["trace", "x"]):
        got = m.mcctl(*words)
        claim(got.returncode == 0 and "root:" not in got.stdout + got.stderr,
              f"{words[0]} by root, mcd stopped", got)
        got = as_user("mail", *words)
        claim(got.returncode == 77, f"{words[0]} by another: 77", got)
    left = [os.path.join(d, n) for d, _, names_ in os.walk(m.paths["spool"])
            for n in names_ if owner(os.path.join(d, n))[0] == "root"
            and not os.path.islink(os.path.join(d, n))]
    same(left, [], "nothing of root's is left in the spool")


run(before_the_start, not_taken, running, names, stopped)
