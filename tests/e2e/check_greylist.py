#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Greylisting: who is put off, by which words, and who is not; what is known,
# of greylisting and of callouts, is known after an end and after a crash.
import json
import os
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, claim, same, text_mail, wait_for  # noqa: E402
from smtplab import Client, Hop, run  # noqa: E402

A, BESIDE, OTHER, RELAY = "127.0.1.1", "127.0.1.9", "127.0.2.1", "127.0.9.1"
PUT_OFF = ("451 4.7.1 Greylisted, try again in {} seconds; "
           "postmaster@ours.example helps")
hop = Hop(lambda hop, verb, line, session:
          "550 5.1.1 nobody here" if verb == "RCPT" and
          "@open.example" in line and "<good" not in line else None)
lab = Lab(hop.text, domains=["open.example"],
          sets={"greylist_delay": "2s", "greylist_client_passes": "3"},
          domain_sets=["ours.example:greylist=yes",
                       "open.example:rcpt_check=callout"])


def ask(rcpt, source=A, sender="a@client.example"):
    c = Client(lab, source)
    c.reply()
    c.say("EHLO client.example")
    c.say(f"MAIL FROM:<{sender}>")
    got = c.say(f"RCPT TO:<{rcpt if '@' in rcpt else rcpt + '@ours.example'}>")
    c.say("QUIT")
    c.close()
    return got


def is_put_off(got):
    return got in (PUT_OFF.format(n) for n in (1, 2, 3))


def passes(*args, **words):
    return claim(wait_for(lambda: ask(*args, **words)[:3] == "250"),
                 f"after the delay {args[0]} passes", ask(*args, **words))


def known(word=""):
    return {r["triplet"]: r["state"]
            for r in lab.rows("greylist", "list", word)}


def stats(name):
    path = f"{lab.dir}/lib/seen.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return db.execute("SELECT count(*) FROM seen WHERE key LIKE ?",
                          (f"%{name}%",)).fetchone()[0]


def put_off():
    claim(is_put_off(ask("r1")), "the first mail of three is put off",
          ask("r1"))
    claim(is_put_off(ask("r1")), "so is one that comes too early")
    claim(lab.logs(r"- refuse check=greylist client=127\.0\.1\.1 .*code=451 "
                   r"why=\"not seen before\""), "the log says so", lab.log())
    same(known("r1"), {"127.0.1.0/24 a@client.example r1@ours.example":
                       "waiting"}, "mcctl lists who waits")
    same(ask("postmaster")[:3], "250", "postmaster is reached")
    same(ask("abuse")[:3], "250", "so is abuse")
    same(ask("good@open.example")[:3], "250", "a domain without greylisting")
    claim(is_put_off(ask("r1", OTHER)), "another network waits for itself")
    claim(is_put_off(ask("r1", sender="")), "the null sender as any other")
    rows = [json.loads(line) for line in lab.ctl(
        "--json", "test", "smtp", "--from-ip", "192.0.2.9", "--from",
        "a@client.example", "--to", "r1@ours.example").splitlines()]
    row = next(r for r in rows if r["check"] == "greylist")
    same((row["result"], row["detail"], row["knob"]),
         ("refuse", "not seen before", "greylist"), "mcctl test smtp tells")
    same(known("192.0.2"), {}, "and nothing of it is kept")
    passes("r1", BESIDE)
    same(ask("r1")[:3], "250", "and from then on, at once")
    same(known("a@client.example r1")
         ["127.0.1.0/24 a@client.example r1@ours.example"], "known",
         "mcctl says that it is known")


def relays():
    lab.ctl("relay", "add", RELAY)
    claim(wait_for(lambda: ask("r9", RELAY)[:3] == "250"),
          "a relay host is not put off")


def clients():
    for rcpt in ("r2", "r3"):
        ask(rcpt)
    for rcpt in ("r2", "r3"):
        passes(rcpt)
    same(ask("r4")[:3], "250", "after three that came again the client "
         "passes at once")
    claim("client known" in known("127.0.1.0/24").values(),
          "mcctl says why", known())


def restarts():
    """What is known is, whatever ended control."""
    same([ask("good@open.example")[:3], ask("bad@open.example")[:3]],
         ["250", "550"], "callouts tell of two recipients")
    claim(wait_for(lambda: stats("bad@open.example") == 1 and
                   stats("r3@ours.example") == 1),
          "within seconds it is written")
    for words, end in (("a crash", lab.crash), ("an end", lab.down)):
        asked = hop.sessions
        end()
        lab.start_mcd()
        claim(wait_for(lambda: ask("r1")[:3] == "250"),
              f"after {words} a triplet is known", lab.log())
        same(ask("r5", BESIDE)[:3], "250", "and the client")
        claim(is_put_off(ask(words.replace(" ", "-"), "127.0.3.1")),
              "and others are put off")
        same(known("127.0.2.0/24"),
             {"127.0.2.0/24 a@client.example r1@ours.example": "waiting"},
             "and who waits")
        same([ask("good@open.example")[:3], ask("bad@open.example")[:3]],
             ["250", "550"], "and what callouts have said")
        same(hop.sessions, asked, "without asking again")


def flushed():
    got = lab.rows("greylist", "flush", "127.0.2.0")[0]["forgotten"]
    same((got, known("127.0.2.0")), (1, {}), "one is flushed")
    claim(lab.rows("greylist", "flush")[0]["forgotten"] > 3, "or all")
    same(known(), {}, "and nobody is known")
    claim(is_put_off(ask("r1")), "all wait again")
    claim(wait_for(lambda: stats("r3@ours.example") == 0),
          "nor does the file know")


def spf_and_roles():
    lab.ctl("setting", "set", "greylist_spf", "yes")
    claim(wait_for(lambda: is_put_off(ask("r7"))),
          "without an SPF pass a mail is put off", ask("r7"))
    lab.kill(lab.pid("control"))
    claim(wait_for(lambda: is_put_off(ask("r8")), 20),
          "control dies and comes again: as before", ask("r8"))


def damaged():
    lab.down()
    for end in ("", "-wal", "-shm"):
        if os.path.exists(f"{lab.dir}/lib/seen.db{end}"):
            with open(f"{lab.dir}/lib/seen.db{end}", "wb") as f:
                f.write(b"not a database, but long enough to be one" * 99)
    lab.start_mcd()
    claim(lab.logs("seen.db.*put aside as seen.db.bad"),
          "a damaged file is put aside and that is said", lab.log())
    claim(wait_for(lambda: is_put_off(ask("r1"))), "and all begins anew")
    c = Client(lab, OTHER)
    c.reply()
    c.say("EHLO client.example")
    same(c.mail(text_mail("x"), rcpts=["good@open.example"])[:3], "250",
         "mail goes on")
    c.close()
    lab.balances(delivered=1)


run(put_off, relays, clients, restarts, flushed, spf_and_roles, damaged)
