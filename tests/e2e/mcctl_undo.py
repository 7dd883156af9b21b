#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What commands changed is taken back by undo, and never over what somebody
# else has changed since; of two administrators the second is told.
import json
import os
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from ctlhome import done, home, mcctl, rows, says_no, settings  # noqa: E402
from mclab import claim, same  # noqa: E402
from smtplab import run  # noqa: E402



def fails(part, *words):
    before = settings()
    says_no(65, part, *words)
    same(settings(), before, "and nothing is changed")


def last():
    return rows("log", "--last", "1")[0]["serial"]


def by_another(serial, who="jane"):
    """As if the change had been made by somebody else."""
    db = sqlite3.connect(f"{home}/lib/settings.db")
    db.execute("UPDATE change SET who = ? WHERE serial = ?", (who, serial))
    db.commit()
    db.close()


def one_change():
    done("domain", "add", "a.example", "--dest", "10.0.0.1", "--dest",
         "10.0.0.2,10")
    before = settings()
    done("setting", "set", "retry_first", "7m")
    shown = rows("undo")
    same([shown[0]["key"], shown[0]["was"], shown[0]["is"]],
         ["global retry_first", "7m", None], "undo shows what it took back")
    same(settings(), before, "and all is as before")
    done("undo")
    same(rows("setting", "get", "retry_first")[0]["value"], "7m",
         "an undo is a change, and is taken back by the next one")
    done("setting", "set", "retry_first", "7m")
    done("setting", "set", "retry_first", "8m")
    done("undo")
    same(rows("setting", "get", "retry_first")[0]["value"], "7m",
         "what a command did not change is not its change")


def whole_commands():
    before = settings()
    done("domain", "set", "a.example", "--dest", "10.0.0.1", "--dest",
         "10.0.0.3,5")
    serial = last()
    changed = settings()
    done("undo")
    same(settings(), before, "all rows of a command are taken back, also those "
         "that it wrote twice")
    done("undo", str(serial + 1))
    same(settings(), changed, "any serial of a command means all of it")
    done("domain", "delete", "a.example")
    done("undo")
    same(settings(), changed, "a deleted domain comes back with its rows")


def changed_since():
    done("setting", "set", "retry_first", "9m")
    first = last()
    done("setting", "set", "retry_max", "9h")
    done("setting", "set", "retry_first", "10m")
    fails('retry_first" was changed since by', "undo", str(first))
    for serial in (first + 1, first + 2, first):
        done("undo", str(serial))
    same(rows("setting", "get", "retry_first")[0]["value"], "7m",
         "what was changed twice goes back in reverse")
    fails("has that serial", "undo", "99999")
    fails("expected a serial", "undo", "x")
    fails("expected a serial", "undo", "0")


def what_depends():
    done("domain", "add", "b.example", "--dest", "10.0.0.1")
    added = last()
    done("setting", "set", "hold_mail", "yes", "--domain", "b.example")
    setting = last()
    fails("other rows depend on it", "undo", str(added))
    done("domain", "delete", "b.example")
    fails("was changed since", "undo", str(setting))
    done("domain", "add", "b.example", "--dest", "10.0.0.1")
    done("setting", "set", "hold_mail", "yes", "--domain", "b.example")
    done("setting", "unset", "hold_mail", "--domain", "b.example")
    unset = last()
    done("domain", "delete", "b.example")
    fails("not a domain of ours", "undo", str(unset))


def two_administrators():
    done("setting", "set", "retry_first", "3m")
    by_another(last())
    fails("the last change is not yours: jane", "undo")
    got = mcctl("setting", "set", "retry_first", "4m")
    claim(got.returncode == 0
          and 'retry_first" had been changed by jane' in got.stderr
          and "to 3m" in got.stderr and f"undo {last()}" in got.stderr,
          "who changes what another has just changed is told", got.stderr)
    done("undo", str(last()))
    claim(True, "his own change goes back to it without a word")
    got = mcctl("--json", "setting", "set", "retry_first", "4m")
    claim("jane" not in got.stderr, "one that was told is not told again",
          got.stderr)
    done("setting", "set", "retry_max", "3h")
    db = sqlite3.connect(f"{home}/lib/settings.db")
    db.execute("UPDATE change SET who = 'jane', at = at - 1200000000 "
               "WHERE serial = ?", (last(),))
    db.commit()
    db.close()
    done("setting", "set", "retry_max", "4h")
    claim(True, "of what was changed long ago nothing is said")
    done("domain", "set", "a.example", "--dest", "10.0.0.9")
    for r in rows("log", "--last", "3"):
        by_another(r["serial"], "joe")
    got = mcctl("--json", "domain", "set", "a.example", "--dest", "10.0.0.8")
    said = [json.loads(line)["warning"] for line in got.stderr.splitlines()]
    claim(got.returncode == 0 and said and all("joe" in s for s in said),
          "also where a command writes several rows", got.stderr)


done("domain", "add", "zero.example", "--dest", "10.0.0.1")
run(one_change, whole_commands, changed_since, what_depends,
    two_administrators)
