#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 240
#
# mcctl beside a running mcd and without it: the same answers from the
# queue and from the spool, from history.db and from the ledger; pages,
# status, the account under load, and who does not behave at the socket.
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (BUILD, Lab, Sink, accept, claim, client,  # noqa: E402
                   is_alive, same, send, text_mail, wait_for)
from smtplab import run  # noqa: E402

ROWS = 450  # more than two pages
sink = Sink()
lab = Lab(sink.text, sets={"retry_first": "1h", "retry_max": "1h"})


def timeless(rows):
    """Without what differs from one look to the next."""
    return [{k: v for k, v in r.items() if k not in
             ("age_s", "next_s", "active_s", "oldest_s")} for r in rows]


def fill():
    """Deferred messages, on one connection."""
    sink.refuse()
    c = client(lab)
    for i in range(ROWS):
        c.mail(text_mail(f"number {i}", Message_ID=f"<{i}@client.example>"),
               sender=f"s{i % 7}@client.example",
               rcpts=[f"r{i}@ours.example"] + ["two@ours.example"] * (i == 3))
    c.close()
    claim(wait_for(lambda: lab.rows("queue", "count")[0]["outgoing"] == ROWS
                   and all(r["attempts"] for r in
                           lab.rows("queue", "list"))),
          "all are deferred", lab.rows("queue", "count"))
    claim(wait_for(lambda: len(lab.rows("trace", "number 449")) == 3),
          "and their history is written", lab.log())


def pages():
    rows = lab.rows("queue", "list")
    names = [r["id"] for r in rows]
    same(len(names), ROWS, "queue list gives all pages")
    same(names, sorted(set(names)), "each once, oldest first")
    text = lab.ctl("queue", "list").splitlines()
    same(len(text), ROWS + 1, "one header for all pages")
    claim(text[0].split()[:2] == ["ID", "STATE"] and len(
        {line.index("outgoing") for line in text[1:]}) == 1,
        "and all are aligned", text[:2])
    same(len(lab.rows("queue", "list", "from:s1@")), len(range(1, ROWS, 7)),
         "a filter goes over all pages")
    p = subprocess.Popen([f"{BUILD}/bin/mcctl", "-c",
                          f"{lab.dir}/etc/mcd.conf", "queue", "list"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.readline()
    p.stdout.close()
    err = p.stderr.read()
    claim(p.wait() in (0, -signal.SIGPIPE) and err == b"",
          "a reader that has seen enough ends it", p.returncode, err)


QUESTIONS = [["queue", "list"], ["queue", "list", "from:s1@", "older:0s"],
             ["queue", "list", "rcpt:two@"], ["queue", "list", "state:hold"],
             ["queue", "count"], ["trace", "r7@ours.example"],
             ["trace", "R7@OURS.example"], ["trace", "s3@client.example"],
             ["trace", "<12@client.example>"], ["trace", "12@client.example"],
             ["trace", "NUMBER 44"], ["trace", "numb* 12"],
             ["trace", "127.0.0.1"], ["history"], ["stats"],
             ["trace", "nobody@ours.example"]]


def questions():
    first = lab.rows("queue", "list")[3]["id"]
    return QUESTIONS + [["queue", "show", first], ["trace", first],
                        ["trace", first + ".1"]]


def both():
    """The same questions with mcd and without."""
    asked = questions()
    with_mcd = [timeless(lab.rows(*q)) for q in asked]
    same(len(with_mcd[asked.index(["trace", "s3@client.example"])]),
         3 * len(range(3, ROWS, 7)) + 3,
         "a sender's trace has all events of its messages")
    same([r["rcpt"] for r in with_mcd[-3][0]["recipients"]],
         ["r3@ours.example", "two@ours.example"],
         "queue show has all recipients")
    lab.down()
    for q, want in zip(asked, with_mcd):
        got = timeless(lab.rows(*q))
        if q[:2] == ["queue", "list"]:
            got.sort(key=lambda r: r["id"])
        claim(got == want, f"{' '.join(q)}: the same without mcd",
              [a for a in got if a not in want][:2],
              [a for a in want if a not in got][:2])
    got = lab.run("queue", "retry", "all")
    claim(got.returncode == 75 and "not running" in got.stderr,
          "what needs mcd says so: 75", got)


def tallies():
    """Sums of history.db, which nobody needs to run for."""
    sums = lab.rows("history", "--by", "month")
    same((sum(r["accepted"] for r in sums), sum(r["deferred"] for r in sums)),
         (ROWS + 1, ROWS + 1), "history counts recipients")
    claim(all(r["since"] % 3600 == 0 and r["month"][4] == "-" for r in sums),
          "by the month", sums)
    same([(r["domain"], r["of"], r["accepted"]) for r in lab.rows("stats")],
         [("ours.example", "recipients", ROWS + 1)], "stats, by domain")
    same([(r["of"], r["accepted"]) for r in
          lab.rows("stats", "--domain", "CLIENT.example")],
         [("senders", ROWS + 1)], "what a domain has sent")
    same(sum(r["accepted"] for r in
             lab.rows("history", "--domain", "client.example", "--senders")),
         ROWS + 1, "and by the hour")
    same(lab.rows("stats", "--senders", "--top", "1")[0]["domain"],
         "client.example", "who sends the most")
    claim(wait_for(lambda: lab.run("status", "-x").stdout == "all is well\n"),
          "nothing is wrong", lab.run("status", "-x"))
    claim(wait_for(lambda: lab.run("status", "-x", "--json").stdout == ""),
          "which is no row", lab.run("status", "-x", "--json"))
    text = lab.ctl("stats").splitlines()
    claim(text[0].split()[:3] == ["DOMAIN", "OF", "ACCEPTED"] and
          len(text) == 2, "as a table", text)


def stopped():
    got = lab.run("status")
    claim(got.returncode == 69 and "DOWN since" in got.stdout,
          "status of one that is down: since when, and 69", got)
    got = lab.run("status", "-x")
    claim(got.returncode == 69 and "mcd: down since" in got.stdout
          and "to do: start it" in got.stdout, "and what to do", got)
    said = json.loads(lab.run("status", "--json").stdout)
    claim(not said["running"] and not said["intake_open"]
          and all(p["state"] == "down" for p in said["processes"])
          and said["queues"]["outgoing"] == ROWS,
          "in JSON too, with the queues when last seen", said)
    same(lab.run("reload").returncode, 69, "reload needs mcd: 69")


def pid_of(role, but=0):
    """Of one that is there; 0 would be this test itself."""
    pid = wait_for(lambda: lab.pid(role) not in (0, but)
                   and lab.pid(role))
    if not pid:
        raise RuntimeError(f"no {role}: {lab.log()}")
    return pid


def is_traced(rows=3):
    return len(lab.rows("trace", "r7@ours.example")) == rows


def history():
    """history.db is made from the ledger, and made again."""
    db = f"{lab.dir}/lib/history.db"
    for end in ("", "-wal", "-shm"):
        if os.path.exists(db + end):
            os.unlink(db + end)
    lab.start_mcd()
    claim(wait_for(is_traced), "a missing history is made again", lab.log())
    lab.down()
    with open(db, "r+b") as f:
        f.seek(0)
        f.write(b"garbage" * 1000)
    lab.start_mcd()
    claim(wait_for(is_traced), "so is a damaged one", lab.log())
    claim(any(n.startswith("history.db.damaged.")
              for n in os.listdir(f"{lab.dir}/lib")), "which is kept aside")
    store = pid_of("store")
    lab.kill(store)
    pid_of("store", store)
    name = accept(lab, text_mail("after the death"),
                  rcpts=["late@ours.example"])
    claim(wait_for(lambda: len(lab.rows("trace", name)) == 3),
          "a store that dies goes on where it was", lab.log())
    same(len(lab.rows("trace", "r7@ours.example")), 3,
         "and writes nothing twice")


def busy(pid, seconds=1.0):
    """CPU time it takes, as a share of the time."""
    def ticks():
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            fields = f.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    before = ticks()
    wait_for(lambda: False, seconds)
    return (ticks() - before) / os.sysconf("SC_CLK_TCK") / seconds


def at_rest():
    """A ledger file that is finished, and no newer one: nothing to do."""
    lab.down()
    folder = f"{lab.dir}/spool/ledger"
    # Of last week: what is much older is swept away.
    week = time.strftime("%Y%m%d", time.gmtime(time.time() - 7 * 86400))
    for name in sorted(os.listdir(folder)):
        os.rename(f"{folder}/{name}", f"{folder}/{week}{name[8:]}")
    os.unlink(f"{lab.dir}/lib/history.db")
    lab.start_mcd()
    claim(wait_for(is_traced), "an old ledger is read", lab.log())
    for role in ("store", "queue"):
        used = busy(pid_of(role))
        claim(used < 0.3, f"{role} rests when all is read", used)
    name = accept(lab, text_mail("newer"), rcpts=["new@ours.example"])
    claim(wait_for(lambda: len(lab.rows("trace", name)) == 3),
          "and wakes for what comes", lab.log())


def edit_history(*statements):
    db = sqlite3.connect(f"{lab.dir}/lib/history.db")
    for sql, *values in statements:
        db.execute(sql, values)
    db.commit()
    db.close()


def ahead():
    """The clock was far ahead for a while, and is right again."""
    lab.down()
    folder = f"{lab.dir}/spool/ledger"
    now = max(os.listdir(folder))
    future = f"2090{now[4:]}"
    os.rename(f"{folder}/{now}", f"{folder}/{future}")
    edit_history(["UPDATE file SET name = ? WHERE name = ?", future, now],
                 ["UPDATE position SET file = ?", future])
    lab.start_mcd()
    name = accept(lab, text_mail("right"), rcpts=["right@ours.example"])

    def is_in():
        return len(lab.rows("trace", name)) == 3

    claim(wait_for(is_in), "what comes after the clock was put right is "
          "in the history", lab.rows("trace", name), lab.log())
    lab.down()
    edit_history(["UPDATE position SET file = ?, offset = "
                  "(SELECT offset FROM file WHERE name = ?)", future, future],
                 ["DELETE FROM file WHERE name >= ? AND name < ?", now,
                  future],
                 ["DELETE FROM event WHERE id = ?", name])
    lab.start_mcd()
    claim(wait_for(is_in), "and what came while store stood there",
          lab.rows("trace", name), lab.log())
    claim(wait_for(lambda: len(lab.rows("trace", "new@ours.example")) == 3),
          "nothing of that file is twice",
          lab.rows("trace", "new@ours.example"))
    claim(wait_for(is_traced), "nor of an older one",
          lab.rows("trace", "r7@ours.example"))


def account():
    """Beside a gateway that takes and delivers mail all the time."""
    sink.accept()
    lab.ctl("queue", "retry", "all")
    stop = threading.Event()
    sent = []

    def pump(n):
        c = client(lab)
        while not stop.is_set():
            reply = c.mail(text_mail("pump"), rcpts=[
                f"p{n}.{len(sent)}@ours.example", f"q{n}@ours.example"])
            if reply.startswith("250"):
                sent.append(reply)
        c.close()

    pumps = [threading.Thread(target=pump, args=(n,)) for n in range(3)]
    for t in pumps:
        t.start()
    wait_for(lambda: len(sent) > 20)
    seen = [lab.audit() for _ in range(8)]
    stop.set()
    for t in pumps:
        t.join()
    claim(all(a.get("balanced") for a in seen),
          "the account balances at each look under load",
          [a for a in seen if not a.get("balanced")])
    claim(seen[-1]["accepted"] > seen[0]["accepted"] > 2 * 20,
          "and grows", seen[0], seen[-1])
    claim(lab.empties(60), "all is delivered", lab.left())
    lab.balances("at the end it balances", unrecorded=0, queued=0,
                 damaged_lines=0,
                 delivered=2 * len(sent) + ROWS + 1 + 3)


def lost():
    """
    A message that is taken away is missed. Its envelope alone would be made
    again of what the body says.
    """
    sink.refuse()
    name = accept(lab, text_mail("gone"), rcpts=["gone@ours.example"])
    lab.logs(f"{name} deferred")
    lab.down()
    os.unlink(lab.path("outgoing", name))
    os.unlink(lab.path("body", name))
    got = lab.run("audit", "--json")
    a = json.loads(got.stdout)
    claim(got.returncode == 1 and not a["balanced"] and a["lost_count"] == 1
          and a["lost"][0].startswith(f"{name} gone@ours.example "),
          "a lost message is named: 1", got)
    got = lab.run("audit")
    claim(got.returncode == 1 and f"lost: {name} gone@" in got.stdout,
          "as text too", got)


def no_answer(got):
    return got.returncode in (69, 75) and got.stderr != ""


def control_dies():
    lab.start_mcd()
    pid = pid_of("control")
    lab.kill(pid, signal.SIGSTOP)
    got = lab.run("setting", "set", "id_header", "on")
    claim(got.returncode == 0 and "does not use it yet" in got.stderr,
          "a change is written beside a control that hangs, and it is said",
          got)
    lab.kill(pid)
    claim(pid_of("control", pid) and not is_alive(pid),
          "control is started again")
    claim(wait_for(lambda: send(lab, text_mail("x"),
                                rcpts=["x@nowhere.example"])
                   .startswith("550")), "and answers", lab.log())
    same(lab.rows("setting", "get", "id_header")[0]["value"], "yes",
         "with the change")


def at_once():
    """What mcctl has written counts when it returns."""
    def rcpt():
        c = client(lab)
        c.say("MAIL FROM:<a@client.example>")
        reply = c.say("RCPT TO:<x@now.example>")
        c.close()
        return reply[:3]

    same(rcpt(), "550", "a domain that is not there")
    lab.ctl("domain", "add", "now.example", "--dest", sink.text)
    same(rcpt(), "250", "is taken once it is added")
    lab.ctl("domain", "delete", "now.example")
    same(rcpt(), "550", "and no more once it is deleted")


def nobody_waits_for():
    """Connections that say nothing, too many of them, and nonsense."""
    path = f"{lab.dir}/run/control"

    def connect():
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.settimeout(20)
        s.connect(path)
        return s

    for bad in (b"\0", b"\xff" * 65536, b"\xa0\0\0\0\1\0\0\0",
                b"\x01\0\0\0\1\0\0\0" + b"\0" * 40):
        s = connect()
        s.send(bad)
        try:
            same(s.recv(65536), b"", "nonsense closes its connection")
        except ConnectionResetError:
            claim(True, "nonsense closes its connection")
        s.close()
    many = [connect() for _ in range(70)]
    closed = [s for s in many[64:] if wait_for(lambda s=s: is_closed(s), 10)]
    same(len(closed), 6, "more than 64 are closed at once")
    for s in many:
        s.close()
    claim(wait_for(lambda: lab.run("queue", "count").returncode == 0),
          "and others are served again", lab.log())
    claim(lab.logs(r"more than 64 connections"), "it is said")


def is_closed(s):
    s.setblocking(False)
    try:
        return s.recv(10) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def crashed():
    lab.crash()
    got = lab.run("status")
    claim(got.returncode == 69, "one that was killed is not running: 69",
          got)
    lab.start_mcd()
    claim(wait_for(lambda: lab.rows("status")[0]["intake_open"]),
          "and takes mail after its start", lab.log())
    text = lab.ctl("status")
    claim(re.search(r"mcd: running since .* \(\d+s\)", text)
          and "intake: open" in text, "status for people", text)


run(fill, pages, tallies, both, stopped, history, at_rest, ahead, account,
    lost, control_dies, at_once, nobody_waits_for, crashed)
