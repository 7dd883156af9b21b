#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Mail in quarantine: lists and what chooses from them, the mail as harmless
# text, release to all or some, delete, learn; and its time, which ends.
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, Sink, accept, claim, same, text_mail  # noqa: E402
from mclab import wait_for  # noqa: E402
from smtplab import run  # noqa: E402

GTUBE = ("XJS*C4JDBQADN1.NSBN3*2IDNEN*"
         "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X")
# In two halves, so that no scanner takes this file away.
EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$"
         "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")
sink = Sink()
lab = Lab(sink.text, domains=["other.example"],
          sets={"spam_action": "quarantine"})


def spam(subject, *to, text=""):
    return accept(lab, text_mail(subject, f"{text}{GTUBE}\r\n"),
                  rcpts=to or ("r@ours.example",))


def listed(*words):
    return [r["id"] for r in lab.rows("quarantine", "list", *words)]


def comes(names, *words):
    """Whether a list comes to be of these names; store may be starting."""
    def is_so():
        got = lab.run("--json", "quarantine", "list", *words)
        return got.returncode in (0, 75) and sorted(names) == sorted(
            json.loads(row)["id"] for row in got.stdout.splitlines())
    return wait_for(is_so)


def lists():
    first = spam("cheap =?utf-8?q?th=C3=A9rmos?=", "r@ours.example")
    second = spam("dear friend", "x@other.example", "y@other.example")
    third = accept(lab, text_mail("a file", EICAR + "\r\n"),
                   sender="evil@bad.example")
    claim(comes([first, second, third]), "the list has them all",
          lab.log()[-3000:])
    same(listed(), sorted([first, second, third], reverse=True),
         "the newest first")
    same(listed("--limit", "1"), [third], "a limit is kept")
    for words, want in ((["virus"], [third]),
                        (["kind:spam"], [first, second]),
                        (["domain:other.example"], [second]),
                        (["domain:example"], []),
                        (["rcpt:Y@other"], [second]),
                        (["from:evil@"], [third]),
                        (["subject:thérmos", "subject:CHEAP"], [first]),
                        (["subject:cheap", "subject:friend"], []),
                        (["older:1h"], []),
                        (["newer:1h", "spam"], [first, second])):
        same(sorted(listed(*words)), sorted(want), f"chosen by {words}")
    got = lab.run("quarantine", "list", "spim")
    claim(got.returncode == 64 and "did you mean spam" in got.stderr,
          "a kind that is none is refused", got)
    row = lab.rows("quarantine", "show", third)[0]
    same((row["kind"], row["sender"], row["rcpt"], row["reason"]),
         ("virus", "evil@bad.example", ["r@ours.example"],
          "virus Eicar-Test-Signature.UNOFFICIAL"), "it is shown why")
    claim("GTUBE" in lab.ctl("quarantine", "show", second) and
          "antivirus" in lab.ctl("quarantine", "show", second),
          "for a person with the evidence of each filter")
    same(lab.run("quarantine", "show", "0" * 16).returncode, 65,
         "one that is not there is said to be so")
    lab.balances(quarantined=4)


def view():
    name = spam("look \x1b[2J at this",
                text="\x1b]0;owned\x07\x1b[1;1H \u202e gnp.exe\r\n\x9b1m\r\n")
    claim(wait_for(lambda: name in listed()), "one more is there")
    got = lab.ctl("quarantine", "view", name)
    claim(GTUBE in got and "gnp.exe" in got, "the text is shown", got)
    same([c for c in got if (ord(c) < 32 and c != "\n") or
          0x7f <= ord(c) < 0xa0 or ord(c) == 0x202e], [],
         "and nothing in it moves the cursor")
    path = f"{lab.dir}/raw"
    lab.ctl("quarantine", "view", name, "--raw", path)
    with open(path, "rb") as f:
        claim(b"Subject: look \x1b[2J at this\r\n" in f.read(),
              "its bytes go to a file as they are")
    claim(lab.run("quarantine", "view", name, "--raw",
                  path).returncode == 73, "which is never one there was")
    lab.ctl("quarantine", "delete", name)


def release():
    both = spam("for both", "p@ours.example", "q@ours.example")
    claim(wait_for(lambda: both in listed()), "two recipients wait")
    got = lab.run("quarantine", "release", both, "--rcpt", "p@ours.example",
                  "--rcpt", "nobody@ours.example")
    claim(got.returncode == 65 and "nothing was done" in got.stderr,
          "an address that is none of them stops it", got)
    rows = lab.rows("quarantine", "release", both, "--rcpt",
                    "P@ours.example")
    same([(r["rcpt"], r["result"]) for r in rows],
         [("p@ours.example", "delivered")], "one of two is released")
    claim(rows[0]["status"].startswith("250"),
          "and what the next hop said is said", rows)
    same([r for _, r, m in sink.all() if b"for both" in m],
         [["p@ours.example"]], "the other does not get it")
    claim(comes([f"{both}.1"], "rcpt:q@ours"), "and is still there",
          lab.log()[-3000:])
    sink.refuse("451 4.3.0 not now")
    got = lab.run("--json", "quarantine", "release", f"{both}.1")
    claim(got.returncode == 75 and '"result": "deferred"' in got.stdout and
          "451 4.3.0 not now" in got.stdout,
          "a next hop that says later is quoted", got.stdout, got.stderr)
    sink.accept()
    lab.ctl("queue", "retry", "all")
    claim(wait_for(lambda: sink.to("q@ours.example")), "and gets it in time")
    body = sink.to("q@ours.example")[0]
    claim(body.endswith(text_mail("for both", GTUBE + "\r\n")),
          "it goes as it came, under our fields", body)
    claim(any(r["event"] == "released" and r["who"] for r in
              lab.rows("trace", both)), "the ledger has who released it")


def delete():
    name = spam("to be deleted", "d@ours.example", "e@ours.example")
    claim(wait_for(lambda: name in listed()), "one to be deleted")
    lab.ctl("quarantine", "delete", name, "--rcpt", "d@ours.example")
    claim(comes([name], "rcpt:e@ours") and comes([], "rcpt:d@ours"),
          "one of its recipients is gone")
    lab.ctl("quarantine", "delete", name)
    claim(wait_for(lambda: name not in listed()), "then it is gone")
    same(lab.run("quarantine", "delete", name).returncode, 65,
         "and cannot be deleted twice")


def learn():
    name = listed("spam")[0]
    got = lab.rows("quarantine", "learn", "spam", name)[0]
    same((got["messages"], got["learnt"]), (1, 1), "it is learnt as spam")
    same(lab.rows("learn", "status")[0]["spam"], 1,
         "in the same database as all that is learnt")


def without_mcd():
    before = listed()
    lab.down()
    same(listed(), before, "the list without mcd is the same")
    same(listed("subject:thérmos"), [before[-1]], "and chooses the same")
    claim("friend" in lab.ctl("quarantine", "view", before[-2]),
          "mail is shown without it")
    same(lab.run("quarantine", "release", before[0]).returncode, 75,
         "a release waits for it")
    for name in os.listdir(f"{lab.dir}/lib"):
        if name.startswith("quarantine.db"):
            os.unlink(f"{lab.dir}/lib/{name}")
    lab.start_mcd()
    claim(comes(before), "an index that was lost is made again",
          lab.log()[-3000:])


def time_is_over():
    lab.ctl("setting", "set", "quarantine_keep_spam", "1s")
    claim(wait_for(lambda: [r["kind"] for r in
                            lab.rows("quarantine", "list")] == ["virus"], 20),
          "spam goes when its time is over, a virus stays",
          lab.log()[-3000:])
    lab.balances(quarantined=1, lost_count=0)


run(lists, view, release, delete, learn, without_mcd, time_is_over)
