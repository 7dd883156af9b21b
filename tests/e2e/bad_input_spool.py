#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 240
#
# Files of the spool that are damaged, of a newer version, or none of ours:
# they are parked and reported, and the mail beside them comes through.
import glob
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (Lab, Sink, accept, claim, same, sealed,  # noqa: E402
                   strip_received, text_mail, wait_for)
from smtplab import run  # noqa: E402

sink = Sink()


def rewrite(path, change):
    with open(path, "rb") as f:
        data = f.read()
    with open(path, "wb") as f:
        f.write(change(data))


def flipped(data):
    at = len(data) // 2
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def newer(data):
    return sealed(re.sub(rb"^mcgate-envelope: \d+\n",
                         b"mcgate-envelope: 99\nwhat-is-this: new\n", data))


def other_name(data):
    return sealed(re.sub(rb"name: \w{16}", b"name: 0123456789abcdef", data))


def no_rcpt(data):
    return sealed(re.sub(rb"rcpt[a-z-]*: .*\n", b"", data))


def unknown_key(data):
    return sealed(data.replace(b"\nend: ", b"\nsurprise: 1\nend: "))


ENVELOPES = {
    "an envelope with a flipped bit": flipped,
    "one that is cut short": lambda data: data[:-20],
    "an empty one": lambda data: b"",
    "one full of NUL": lambda data: bytes(len(data)),
    "one of a newer version": newer,
    "one with another's name": other_name,
    "one with an unknown key": unknown_key,
    "one of 70 MB": lambda data: data + b"x" * 70_000_000,
}
BODIES = {
    "a body that is short": lambda data: data[:-1],
    "an empty one": lambda data: b"",
    "one that is gone": None,
}


def deferred(lab, count):
    """Messages that wait, with their recipients."""
    sink.refuse()
    found = {}
    for i in range(count):
        rcpt = f"{lab.tag}{i}@ours.example"
        found[accept(lab, text_mail(rcpt), rcpts=[rcpt])] = rcpt
    for name in found:
        lab.logs(f"{name} deliver .*status=deferred")
    lab.down()
    sink.accept()
    return found


def lab_of(tag):
    lab = Lab(sink.text)
    lab.tag = tag
    return lab


def good_one(lab, name, rcpt, words):
    same([strip_received(g)[0] for g in sink.to(rcpt)], [text_mail(rcpt)],
         words)
    del lab, name


def envelopes():
    lab = lab_of("env")
    found = deferred(lab, len(ENVELOPES) + 1)
    names = list(found)
    for name, change in zip(names, ENVELOPES.values()):
        rewrite(lab.path("outgoing", name), change)
    lab.up()
    good_one(lab, names[-1], found[names[-1]],
             "mail beside damaged envelopes is delivered")
    log = lab.log()
    for name, words in zip(names, ENVELOPES):
        claim(re.search(f"{name} parked from=outgoing reason=", log),
              f"{words} is parked, and reported", log)
        claim(lab.path("corrupt", name), "kept in corrupt", lab.left())
        claim(lab.path("body", name), "with its body", lab.left())
        same(len(sink.to(found[name], 0)), 0, "and not delivered")
    claim(re.search(rf"{names[4]} parked .*version 99", log),
          "a newer version is called so", log)
    a = lab.audit()
    claim(a["balanced"] and a["parked"] == len(ENVELOPES) and
          a["lost_count"] == 0, "the audit knows them as parked", a)
    listed = lab.rows("queue", "list", "state:corrupt")
    same(sorted(r["id"] for r in listed), sorted(names[:-1]),
         "the queue lists them")
    # As from a newer gateway: it is not lost to one that can read it.
    lab.down()
    rewrite(lab.path("corrupt", names[4]), lambda data: sealed(data.replace(
        b"envelope: 99\nwhat-is-this: new\n", b"envelope: 2\n")))
    lab.up()
    lab.ctl("queue", "unhold", names[4])
    good_one(lab, names[4], found[names[4]],
             "one that can be read again is released by unhold")
    for name in names[:4] + names[5:-1]:
        lab.ctl("queue", "delete", name)
    claim(lab.empties(), "the others are deleted at last", lab.left())
    lab.balances()
    lab.down()


def nobody():
    """Whom it was for only the ledger knows; so the audit misses it."""
    lab = lab_of("nobody")
    name = list(deferred(lab, 1))[0]
    rewrite(lab.path("outgoing", name), no_rcpt)
    lab.up()
    claim(lab.logs(f"{name} parked from=outgoing reason=.*no recipient"),
          "an envelope without recipients is parked, and reported",
          lab.log())
    same(lab.audit()["lost"][0].split(" ")[:2],
         [name, "nobody0@ours.example"], "and the audit names who is missing")
    lab.down()


def bodies():
    lab = lab_of("body")
    found = deferred(lab, len(BODIES) + 1)
    names = list(found)
    for name, change in zip(names, BODIES.values()):
        path = lab.path("body", name)
        if change:
            rewrite(path, change)
        else:
            os.unlink(path)
    lab.up()
    good_one(lab, names[-1], found[names[-1]],
             "mail beside damaged bodies is delivered")
    for name, words in zip(names, BODIES):
        claim(lab.logs(f"{name} parked from=outgoing reason="),
              f"{words} is parked, and reported", lab.log())
        same(len(sink.to(found[name], 0)), 0, "and not delivered")
        claim(lab.run("queue", "unhold", name).returncode != 0,
              "nor released by unhold")
    a = lab.audit()
    claim(a["balanced"] and a["parked"] == len(BODIES),
          "the audit knows them as parked", a)
    lab.down()


def body_while_running():
    """A body that goes while mcd runs."""
    lab = lab_of("run")
    sink.refuse()
    name = accept(lab, text_mail("x"), rcpts=["run0@ours.example"])
    lab.logs(f"{name} deliver .*status=deferred")
    rewrite(lab.path("body", name), lambda data: data[:-5])
    other = accept(lab, text_mail("x"), rcpts=["run1@ours.example"])
    lab.logs(f"{other} deliver .*status=deferred")
    os.unlink(lab.path("outgoing", other))
    sink.accept()
    accept(lab, text_mail("y"), rcpts=["run2@ours.example"])
    same(len(sink.to("run2@ours.example")), 1,
         "files are spoilt while mcd runs: other mail goes on")
    claim(lab.logs(f"{name} parked"), "the damaged one is parked", lab.log())
    same(len(sink.to("run0@ours.example", 0)), 0, "and not delivered")
    claim(lab.run("status").returncode == 0, "mcd is well",
          lab.run("status"))
    lab.down()


def no_files():
    """What stands in the place of a file, or in a folder of ours."""
    lab = lab_of("odd")
    found = deferred(lab, 2)
    names = list(found)
    path = lab.path("outgoing", names[0])
    folder = os.path.dirname(path)
    os.unlink(path)
    os.mkfifo(path)
    os.mkdir(folder + "/0123456789abcdeg")
    os.symlink("/etc/passwd", folder + "/0123456789abcdef")
    with open(folder + "/README", "w", encoding="ascii") as f:
        f.write("not ours\n")
    os.mkdir(f"{lab.dir}/spool/outgoing/zz")
    with open(f"{lab.dir}/spool/hold/stray", "w", encoding="ascii") as f:
        f.write("x")
    with open(lab.path("body", names[1]) + ".bak", "wb") as f:
        f.write(b"not ours either")
    lab.up()
    good_one(lab, names[1], found[names[1]],
             "beside FIFO, folder, link and strays mail is delivered")
    claim(lab.logs("stray"), "strays are reported", lab.log())
    claim(os.path.exists(folder + "/README"), "and left alone")
    claim(os.path.exists("/etc/passwd"), "what a link points to is left")
    same(lab.run("queue", "list").returncode, 0, "the list is whole")
    lab.down()


def ledger_file(lab):
    return sorted(glob.glob(f"{lab.dir}/spool/ledger/*"))[-1]


def ledger():
    lab = lab_of("led")
    found = deferred(lab, 3)
    names = list(found)
    with open(ledger_file(lab), "ab") as f:
        f.write(b"rubbish\n\0\0\0\n2026-11-23T14:05:09.123456Z accepted x\n")
    rewrite(ledger_file(lab), lambda data: data.replace(
        b"accepted " + names[0].encode(), b"acXepted " + names[0].encode()))
    lab.up()
    for name in names:
        good_one(lab, name, found[name], "mail of a damaged ledger is "
                 "delivered")
    claim(lab.logs("ledger .* line=.* damaged"), "damage is reported",
          lab.log()[-4000:])
    claim(lab.empties(), "nothing is left", lab.left())
    a = lab.audit()
    claim(a.get("balanced") and a["delivered"] == 3 and
          a["damaged_lines"] > 0, "the audit balances, and tells of damage",
          a)
    lab.down()


def newer_ledger():
    """As after a downgrade within the hour."""
    lab = lab_of("newled")
    found = deferred(lab, 2)
    path = ledger_file(lab)
    rewrite(path, lambda data: data.replace(
        b"mcgate-ledger: 2\n", b"mcgate-ledger: 99\n"))
    with open(path, "rb") as f:
        before = f.read()
    lab.up()
    for name, rcpt in found.items():
        good_one(lab, name, rcpt, "mail beside a newer ledger is delivered")
    claim(lab.logs("version 99.*newer"), "its version is reported",
          lab.log()[-4000:])
    claim(lab.empties(), "nothing is left", lab.left())
    with open(path, "rb") as f:
        same(f.read() == before, True, "nothing was added to it")
    got = lab.run("audit")
    claim(got.returncode != 0 and "version 99" in got.stderr,
          "the audit refuses it with a plain word", got)
    lab.down()


def lost_ledger():
    """The ledger is gone: what is in the spool is mail all the same."""
    lab = lab_of("gone")
    found = deferred(lab, 2)
    shutil.rmtree(f"{lab.dir}/spool/ledger")
    lab.up()
    for name, rcpt in found.items():
        good_one(lab, name, rcpt, "mail without a ledger is delivered")
    claim(wait_for(lab.is_empty), "nothing is left", lab.left())
    lab.balances()
    lab.down()


run(envelopes, nobody, bodies, body_while_running, no_files, ledger, newer_ledger,
    lost_ledger)
