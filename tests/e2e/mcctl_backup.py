#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Settings, what was learnt and the index of quarantine in one file, and
# back; a file that is damaged or of a newer mcgate changes nothing.
import hashlib
import io
import os
import sqlite3
import sys
import tarfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from ctlhome import done, home, mcctl, rows, table  # noqa: E402
from mclab import claim, same  # noqa: E402
from smtplab import run  # noqa: E402

LIB = f"{home}/lib"
WHOLE = f"{home}/whole.mcb"


def state():
    return [table("settings.db", "SELECT * FROM row"),
            table("bayes.db", "SELECT * FROM word ORDER BY 1"),
            table("quarantine.db", "SELECT * FROM quar")]


def learn(kind, text):
    with open(f"{home}/mail", "w", encoding="ascii") as f:
        f.write(f"From: a@b.example\r\nSubject: {text}\r\n"
                f"Message-ID: <{text}@b.example>\r\n\r\n{text} words\r\n")
    done("learn", kind, "--db", LIB, f"{home}/mail")


def there_and_back():
    got = mcctl("backup", f"{home}/none.mcb")
    claim(got.returncode != 0 and not os.path.exists(f"{home}/none.mcb"),
          "without databases there is no backup, and no file", got)
    done("domain", "add", "a.example", "--dest", "10.0.0.1")
    done("setting", "set", "retry_first", "7m")
    learn("spam", "viagra")
    db = sqlite3.connect(f"{LIB}/quarantine.db")
    db.executescript(
        "PRAGMA journal_mode = WAL; CREATE TABLE quar(name TEXT PRIMARY KEY "
        "NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID; "
        "INSERT INTO quar VALUES('06ab3c8def000001', 1);"
        "PRAGMA user_version = 1;")
    before = state()
    # As mcd has them: open, and something in them read.
    held = sqlite3.connect(f"{LIB}/settings.db", isolation_level=None)
    held.execute("BEGIN")
    held.execute("SELECT count(*) FROM row").fetchone()
    made = rows("backup", WHOLE)
    same([r["file"] for r in made], ["settings.db", "bayes.db",
                                     "quarantine.db"], "what is in a backup")
    same(os.stat(WHOLE).st_mode & 0o777, 0o600, "it is its owner's alone")
    with tarfile.open(WHOLE) as tar:
        same(tar.getnames(), ["MANIFEST"] + [r["file"] for r in made],
             "tar reads it")
        for r in made:
            same(hashlib.sha256(tar.extractfile(r["file"]).read())
                 .hexdigest(), r["sha256"], f"the checksum of {r['file']}")
    same(mcctl("backup", WHOLE).returncode, 73, "no file is overwritten: 73")
    done("domain", "add", "b.example", "--dest", "10.0.0.2")
    done("domain", "delete", "a.example")
    done("setting", "unset", "retry_first")
    learn("ham", "report")
    db.execute("DELETE FROM quar")
    db.commit()
    changed = state()
    claim(all(a != b for a, b in zip(before, changed)), "all has changed")
    said = rows("restore", WHOLE, "--dry-run")[0]
    same([said["restored"], said["node"]], [False, 7], "a dry run")
    same(state(), changed, "changes nothing")
    same(rows("restore", WHOLE)[0]["restored"], True, "a restore")
    same(state(), before, "brings all of it back")
    held.execute("COMMIT")
    same(held.execute("SELECT value FROM row WHERE key = "
                      "'global retry_first'").fetchone(), ("7m",),
         "who has them open sees it")
    held.close()
    done("undo")
    same(state()[0], changed[0], "a restore of settings can be undone")
    claim(not [n for n in os.listdir(LIB) if n.startswith("copy.")],
          "no copy is left")


def refuse(name, data, part, code=65):
    path = f"{home}/{name}.mcb"
    with open(path, "wb") as f:
        f.write(data)
    before = state()
    got = mcctl("restore", path)
    claim(got.returncode == code and part in got.stderr,
          f"{name}: {code}, {part!r}", got.returncode, got.stderr)
    same(state(), before, "and nothing is changed")
    claim(not [n for n in os.listdir(LIB) if n.startswith("copy.")],
          "nor is anything left")


def changed_manifest(data, old, new):
    """A backup whose manifest says something else."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar, \
            tarfile.open(fileobj=out, mode="w",
                         format=tarfile.USTAR_FORMAT) as to:
        for m in tar.getmembers():
            body = tar.extractfile(m).read()
            if m.name == "MANIFEST":
                claim(old in body, "the manifest has it", body)
                body = body.replace(old, new)
            m.size = len(body)
            to.addfile(m, io.BytesIO(body))
    return out.getvalue()


def wrong_files():
    with open(WHOLE, "rb") as f:
        whole = f.read()
    got = mcctl("restore", f"{home}/nothing")
    claim(got.returncode == 66 and "No such file" in got.stderr,
          "no such file: 66", got)
    refuse("empty", b"", "ends too soon")
    refuse("text", b"x" * 4096, "not a backup")
    refuse("cut", whole[:len(whole) // 2], "ends too soon")
    middle = bytearray(whole)
    middle[3 * 512 + 1000] ^= 1  # of settings.db
    refuse("flipped", bytes(middle), "checksum")
    refuse("newer-kind", changed_manifest(whole, b"mcgate-backup 1",
                                          b"mcgate-backup 2"),
           "mcgate-backup 2")
    refuse("newer-settings", changed_manifest(
        whole, b"settings.db 1 ", b"settings.db 9 "), "newer mcgate")
    refuse("outside", changed_manifest(
        whole, b"file bayes.db ", b"file ../../x "), "malformed")
    refuse("unknown", changed_manifest(
        whole, b"file bayes.db ", b"file other.db "), "newer mcgate")


run(there_and_back, wrong_files)
