#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 400
#
# settings.db missing, damaged, newer, locked or somebody else's, at the
# start and while mcd runs: it is said, mail is taken by what was read
# before or answered LATER, and none is lost or refused for it.
import os
import shutil
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (Lab, Sink, accept, claim, same, send,  # noqa: E402
                   text_mail, wait_for)
from smtplab import run  # noqa: E402

sink = Sink()


def database(lab):
    return f"{lab.dir}/lib/settings.db"


def files(lab):
    return [database(lab) + end for end in ("", "-wal", "-shm")]


def take_away(lab):
    for path in files(lab):
        if os.path.exists(path):
            os.unlink(path)


def put_back(lab):
    take_away(lab)
    shutil.copy(lab.dir + "/settings.kept", database(lab))


def keep(lab):
    """A whole copy, as an administrator's backup."""
    a = sqlite3.connect(database(lab))
    b = sqlite3.connect(lab.dir + "/settings.kept")
    a.backup(b)
    a.close()
    b.close()


def newer(lab):
    db = sqlite3.connect(database(lab))
    db.execute("PRAGMA user_version = 99")
    db.close()


def garbage(lab):
    take_away(lab)
    with open(database(lab), "wb") as f:
        f.write(b"this is no database\n" * 1000)


def torn(lab):
    """Overwritten in place, as a bad disk would."""
    db = sqlite3.connect(database(lab))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    with open(database(lab), "r+b") as f:
        size = os.path.getsize(database(lab))
        f.seek(4096)
        f.write(b"\xa5" * (size - 4096))


def foreign(lab):
    take_away(lab)
    db = sqlite3.connect(database(lab))
    db.execute("CREATE TABLE theirs(x)")
    db.commit()
    db.close()


FAULTS = {
    "missing": (take_away, "not there|no domain"),
    "garbage": (garbage, "not a database"),
    "torn": (torn, "damaged"),
    "newer": (newer, "newer mcgate"),
    "of another program": (foreign, "some other program"),
}


def waiting(lab, i):
    """Mail that was taken before, and is in the queue."""
    sink.refuse()
    name = accept(lab, text_mail("before"), rcpts=[f"before{i}@ours.example"])
    lab.logs(f"{name} deliver .*status=deferred")
    sink.accept()
    return f"before{i}@ours.example"


def goes_on(lab, name, i):
    """After the file is back: all is as before."""
    rcpt = f"after{i}@ours.example"
    claim(wait_for(lambda: send(lab, text_mail("after"), rcpts=[rcpt])
                   .startswith("250")),
          f"{name}: put back, mail is taken again", lab.log())
    same(len(sink.to(rcpt)), 1, f"{name}: and delivered")


def running(name, spoil, words, i):
    lab = Lab(sink.text)
    keep(lab)
    before = waiting(lab, i)
    spoil(lab)
    claim(lab.logs(f"settings\\.db.*{words}|{words}.*settings\\.db", 10),
          f"{name} while mcd runs: it is said", lab.log())
    codes = {send(lab, text_mail("x"), rcpts=[f"x{i}@ours.example"])[:3]
             for _ in range(5)}
    claim(codes <= {"250", "451"}, f"{name}: mail is taken or LATER", codes)
    got = lab.run("domain", "list")
    claim(got.returncode != 0 or "ours.example" in got.stdout
          or name == "missing", f"{name}: mcctl makes no list up", got)
    same(len(sink.to(before)), 1, f"{name}: mail of before is delivered")
    put_back(lab)
    goes_on(lab, name, f"r{i}")
    claim(lab.empties(), f"{name}: nothing is left", lab.left())
    lab.balances(f"{name}: the audit balances", bounced=0)
    lab.down()


def starting(name, spoil, words, i):
    """mcd starts beside it; the port answers, but takes no mail."""
    lab = Lab(sink.text)
    keep(lab)
    sink.refuse()
    accept(lab, text_mail("before"), rcpts=[f"start{i}@ours.example"])
    lab.down()
    sink.accept()
    spoil(lab)
    lab.start_mcd()
    claim(lab.logs(f"settings\\.db.*{words}|{words}.*settings\\.db", 10),
          f"{name} at the start: it is said", lab.log())
    codes = {send(lab, text_mail("x"), rcpts=[f"x{i}@ours.example"])[:3]
             for _ in range(3)}
    same(codes, {"451"}, f"{name} at the start: mail is LATER")
    same(lab.files("corrupt"), [], f"{name}: nothing is parked for it")
    put_back(lab)
    wait_for(lambda: send(lab, text_mail("back"), rcpts=["b@ours.example"])
             .startswith("250"))
    # Without settings its next attempt was set by the defaults.
    lab.ctl("queue", "retry", "all")
    same(len(sink.to(f"start{i}@ours.example")), 1,
         f"{name}: put back, mail of before is delivered")
    goes_on(lab, name, f"s{i}")
    claim(lab.empties(), f"{name}: nothing is left", lab.left())
    lab.balances(f"{name}: the audit balances", bounced=0)
    lab.down()


def all_faults():
    for i, (name, (spoil, words)) in enumerate(FAULTS.items()):
        running(name, spoil, words, i)
        starting(name, spoil, words, i)


def locked():
    lab = Lab(sink.text)
    db = sqlite3.connect(database(lab), isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    accept(lab, text_mail("locked"), rcpts=["locked@ours.example"])
    same(len(sink.to("locked@ours.example")), 1,
         "while another holds the lock mail is taken and delivered")
    got = lab.run("setting", "set", "id_header", "on")
    claim(got.returncode == 75 and "lock" in got.stderr,
          "mcctl says that it is locked, and to try again", got)
    db.execute("ROLLBACK")
    db.close()
    lab.ctl("setting", "set", "id_header", "on")

    def is_tagged():
        accept(lab, text_mail("tag"), rcpts=["tag@ours.example"])
        return any(b"\r\nX-MC-ID: " in m for m in sink.to("tag@ours.example"))

    claim(wait_for(is_tagged), "afterwards a change counts", lab.log())
    lab.empties()
    lab.balances()
    lab.down()


def senseless_rows():
    """Rows that no mcctl would write are skipped and told."""
    lab = Lab(sink.text)
    db = sqlite3.connect(database(lab))
    db.executemany("INSERT OR REPLACE INTO row VALUES(?, ?, ?)", [
        ("setting", "global retry_first", "soon"),
        ("setting", "global no_such_knob", "1"),
        ("setting", "user nobody hold_mail", "on"),
        ("dest", "ours.example nonsense", "x"),
        ("domain", "loop.example", "loop.example"),
        ("nothing", "known", "here")])
    db.commit()
    db.close()
    claim(lab.logs("retry_first"), "a senseless value is told", lab.log())
    accept(lab, text_mail("rows"), rcpts=["rows@ours.example"])
    same(len(sink.to("rows@ours.example")), 1, "all else holds")
    got = send(lab, text_mail("x"), rcpts=["x@loop.example"])
    claim(got[:3] in ("550", "451"), "an alias of itself harms nothing", got)
    lab.empties()
    lab.balances()
    lab.down()


run(all_faults, locked, senseless_rows)
