#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 180
#
# What root gives up: users, jails and rights of each role, and the owners
# and modes of what lies on disk.
import grp
import os
import pwd
import signal
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../e2e"))
from mclab import Sink, claim, room, same, wait_for  # noqa: E402
from parent_lib import MCCTL, ROLES, Mcd, children  # noqa: E402
from smtplab import done  # noqa: E402

# Users that every system has.
USERS = {"main": "mail", "net": "nobody", "queue": "games", "scan": "daemon"}
USER_OF = {"incoming": "net", "outgoing": "net", "lookup": "net",
           "queue": "queue", "filter": "scan", "control": "main",
           "store": "main"}


def status_lines(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return dict(line.rstrip("\n").split(":\t", 1)
                    for line in f if ":\t" in line)


def check_process(pid, name, user, home):
    pw = pwd.getpwnam(user)
    s = status_lines(pid)
    same(s["Uid"].split(), [str(pw.pw_uid)] * 4, f"{name} is {user}")
    same(s["Gid"].split(), [str(pw.pw_gid)] * 4, f"{name} has its group")
    same(s["Groups"].split(), [str(pw.pw_gid)], f"{name} has no other group")
    for key in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        claim(int(s[key], 16) == 0, f"{name} has no capability ({key})",
              s[key])
    same(s["NoNewPrivs"].strip(), "1", f"{name} cannot gain rights")
    same(os.readlink(f"/proc/{pid}/root"), home, f"{name} is in its jail")
    same(os.readlink(f"/proc/{pid}/cwd"), home, f"{name} stands in it")


def check_roles(m):
    homes = {"queue": m.paths["spool"], "control": m.paths["lib"],
             "store": m.paths["lib"], "filter": m.paths["run"] + "/scan"}
    empty = m.paths["run"] + "/empty"
    for role, pid in sorted(m.roles().items()):
        check_process(pid, role, USERS[USER_OF[role]],
                      homes.get(role, empty))
    wait_for(lambda: len(m.workers()) == 2)
    for pid in m.workers():
        wait_for(lambda p=pid: status_lines(p)["Seccomp"].strip() == "2")
        check_process(pid, "worker", USERS["scan"], homes["filter"])
        same(status_lines(pid)["Seccomp"].strip(), "2",
             "a worker has a filter of system calls")
        fds = os.listdir(f"/proc/{pid}/fd")
        claim(set(fds) == {"0", "1", "2", "3"},
              "a worker has its channel and nothing else", fds)
    same(os.listdir(empty), [], "the empty jail is empty")


def check_path(path, user, group, mode, words):
    st = os.lstat(path)
    got = (pwd.getpwuid(st.st_uid).pw_name, grp.getgrgid(st.st_gid).gr_name,
           oct(stat.S_IMODE(st.st_mode)))
    same(got, (user, group, oct(mode)), words)


def group_of(user):
    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name


def check_files(m):
    p = m.paths
    main, queue = group_of(USERS["main"]), group_of(USERS["queue"])
    check_path(p["run"], "root", "root", 0o755, "the run folder is root's")
    check_path(p["run"] + "/empty", "root", "root", 0o755,
               "so is the empty jail")
    check_path(p["run"] + "/control", "root", main, 0o660,
               "the control socket is for one group")
    check_path(p["run"] + "/stats", "root", main, 0o640,
               "the stats file is for one group")
    check_path(p["run"] + "/mcd.pid", "root", "root", 0o644,
               "the pid file is root's")
    check_path(p["lib"], USERS["main"], main, 0o2770,
               "the databases' folder is user_main's")
    check_path(p["lib"] + "/settings.db", USERS["main"], main, 0o660,
               "settings.db too")
    check_path(p["spool"], USERS["queue"], queue, 0o700,
               "the spool is user_queue's")
    strange = []
    uid = pwd.getpwnam(USERS["queue"]).pw_uid
    files = 0
    for folder, dirs, names in os.walk(p["spool"]):
        for name in dirs + names:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            files += name in names
            if st.st_uid != uid or st.st_mode & 0o077:
                strange.append(path + " " + oct(st.st_mode))
    claim(files >= 2, "a message that is held is in the spool", files)
    same(strange, [], "all of the spool is its own and closed to others")


def as_user(user, *words):
    pw = pwd.getpwnam(user)

    def become():
        os.setgroups([])
        os.setgid(pw.pw_gid)
        os.setuid(pw.pw_uid)
    return subprocess.run(words, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, preexec_fn=become)


def who_may_ask(m):
    got = as_user(USERS["main"], MCCTL, "-c", m.conf, "queue", "count")
    same(got.returncode, 0, "user_main may ask mcd")
    got = as_user(USERS["net"], MCCTL, "-c", m.conf, "queue", "count")
    claim(got.returncode not in (0, 1), "another user may not", got.stdout)
    claim(got.stderr.strip() != "", "and is told so", got.stderr)


def wrong_users():
    for user, words in (("no-such-user", "is not known"), ("root", "is root")):
        m = Mcd(jail=True, users={**USERS, "scan": user})
        got = m.run()
        claim(got.returncode == 78 and f'"{user}"' in got.stderr
              and words in got.stderr,
              f"a user that {words}: exit 78, named", got.stderr)


def shared_folder():
    d = room()
    os.chmod(d, 0o1777)
    m = Mcd(jail=True, users=USERS)
    m.paths["run"] = d
    m.write_conf()
    got = m.run()
    claim(got.returncode == 73 and d in got.stderr,
          "a folder that is for everybody is not taken over", got.stderr)
    same(oct(stat.S_IMODE(os.stat(d).st_mode)), "0o1777", "nor changed")


def no_right_to_jail():
    m = Mcd(jail=True, users=USERS)
    m.start(wrapper=["setpriv", "--bounding-set", "-sys_chroot"])
    same(m.wait(), 77, "root that may not chroot: exit 77")
    claim("chroot" in m.logged(), "it is said why", m.logged())


def without_jail():
    m = Mcd(jail=False).start().await_ready()
    claim("jail = false: roles keep root" in m.logged(),
          "jail = false is warned of", m.logged())
    same(status_lines(m.roles()["incoming"])["Uid"].split()[0], "0",
         "roles then keep root")
    same(m.stop(), 0, "mcd stops with 0")


def held(m):
    """One message that stays in the spool."""
    m.set("setting", "set", "hold_mail", "on")
    return wait_for(lambda: m.send("x@example.org"))


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP only root can give up root")
        return
    d = room()
    sink = Sink()
    m = Mcd(d, jail=True, users=USERS)
    m.more = ["workers = 2;"]
    m.write_conf()
    os.mkdir(m.paths["lib"])
    m.start().await_ready()
    same(status_lines(m.pid)["Uid"].split(), ["0"] * 4, "the parent is root")
    check_roles(m)
    m.set("domain", "add", "example.org", "--dest", sink.text)
    m.without_dns()
    claim(wait_for(lambda: m.send("x@example.org")),
          "mail is taken in jails", m.logged())
    claim(wait_for(lambda: sink.count() == 1), "and delivered", m.logged())
    m.process.send_signal(signal.SIGHUP)
    m.await_ready(2)
    claim(m.process.poll() is None, "a reload works in jails", m.logged())
    for role in ROLES:
        # It may be on its way back from the death of the one before.
        before = wait_for(lambda r=role: m.roles().get(r))
        os.kill(before, signal.SIGKILL)
        wait_for(lambda r=role, b=before: m.roles().get(r) not in (None, b))
    wait_for(lambda: len(m.roles()) == len(ROLES)
               and all(p["state"] == "running" for p in m.status().values()))
    check_roles(m)
    claim(held(m), "a message is held", m.logged())
    wait_for(lambda: "action=hold" in m.logged())
    check_files(m)
    who_may_ask(m)
    claim(not any(children(p) for r, p in m.roles().items() if r != "filter"),
          "no role but filter has children")
    same(m.stop(), 0, "mcd stops with 0")
    wrong_users()
    shared_folder()
    no_right_to_jail()
    without_jail()
    done()


main()
