#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Domains and settings as mcctl writes them, with mcd stopped: every way to
# give them, every way to get them wrong, the log of changes, and check.
import json
import os
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from ctlhome import done, home, mcctl, rows, says_no  # noqa: E402
from mclab import claim, same  # noqa: E402
from smtplab import run  # noqa: E402



def fails(code, part, *words):
    before = mcctl("--json", "log", "--last", "10000").stdout
    says_no(code, part, *words)
    claim(mcctl("--json", "log", "--last", "10000").stdout == before,
          "and nothing is changed")


def dests(domain):
    return rows("domain", "show", domain)[0]["dests"]


def domains():
    same(done("--json", "domain", "add", "A.Example", "--dest", "10.0.0.1"),
         '{"ok":true}\n', "what is done says so in JSON")
    same(dests("a.example"), ["10.0.0.1:25,0"], "the port is 25 if not given")
    done("domain", "set", "a.example", "--dest", "MX.a.example:26,20",
         "--dest", "[2001:DB8::1]:27,10", "--dest", "::1",
         "--dest", "192.0.2.1,30")
    same(dests("a.example"), ["[::1]:25,0", "[2001:db8::1]:27,10",
                              "mx.a.example:26,20", "192.0.2.1:25,30"],
         "destinations in the order of their priorities")
    for part, dest in (("destination", ""), ("destination", "a b:25"),
                       ("destination", "mx.a.example:0"),
                       ("destination", "mx.a.example:65536"),
                       ("destination", "mx.a.example:x"),
                       ("destination", "192.0.2.256"),
                       ("destination", "[2001:db8::g]:25"),
                       ("priority", "mx.a.example:25,-1"),
                       ("priority", "mx.a.example:25,65536"),
                       ("priority", "mx.a.example:25,"),
                       ("destination", ":25"),
                       ("destination", "x" * 300)):
        fails(65, part, "domain", "set", "a.example", "--dest", dest)
    fails(65, "there already", "domain", "add", "a.example", "--dest", "x.y")
    fails(65, "did you mean a.example?", "domain", "set", "a.exmaple",
          "--dest", "x.y")
    for verb in ("show", "delete"):
        fails(65, "did you mean a.example?", "domain", verb, "a.exmple")
    same([r["domain"] for r in rows("domain", "list")], ["a.example"],
         "the list has it once")


def aliases():
    done("domain", "add", "b.example", "--alias-of", "a.example")
    done("domain", "add", "c.example", "--alias-of", "b.example")
    same(dests("c.example"), dests("a.example"),
         "an alias goes where its target goes")
    fails(65, "did you mean", "domain", "add", "d.example", "--alias-of",
          "a.exampel")
    fails(65, "leads back", "domain", "set", "a.example", "--alias-of",
          "c.example")
    fails(65, "leads back", "domain", "set", "b.example", "--alias-of",
          "b.example")
    fails(65, "is an alias of it", "domain", "delete", "a.example")
    fails(65, "is an alias of a.example", "setting", "set", "hold_mail",
          "on", "--domain", "b.example")
    for i in range(6):
        done("domain", "add", f"n{i}.example", "--alias-of",
             f"n{i - 1}.example" if i else "c.example")
    fails(65, "more than 8 aliases", "domain", "add", "n9.example",
          "--alias-of", "n5.example")
    for i in reversed(range(6)):
        done("domain", "delete", f"n{i}.example")


def settings():
    def value(*words):
        got = rows("setting", "get", "hold_mail", *words)[0]
        return got["value"], got["from"], got["subject"]

    d = ("--domain", "a.example")
    u = ("--user", "Joe+x@b.example")
    same(value(*u), ("no", "default", ""), "the default")
    done("setting", "set", "hold_mail", "on")
    same(value(*u), ("yes", "global", ""), "a global value")
    done("setting", "set", "hold_mail", "off", *d)
    same(value(*u), ("no", "domain", "a.example"), "a domain's value")
    done("setting", "set", "hold_mail", "true", *u)
    same(value(*u), ("yes", "user", "joe@a.example"),
         "a user's, behind alias and detail, in lower case")
    same(value(*d), ("no", "domain", "a.example"), "the domain's stays")
    shown = rows("setting", "explain", "hold_mail", *u)[0]
    same(shown["written"], ["user joe@a.example: yes", "domain a.example: no",
                            "global: yes", "default: no"],
         "explain shows all levels")
    claim(any("hold_mail=yes (user joe@a.example)" in s for s in
              rows("domain", "show", "a.example")[0]["settings"]),
          "so does domain show")
    done("setting", "unset", "hold_mail", *u)
    done("setting", "unset", "hold_mail", *d)
    same(value(*u), ("yes", "global", ""), "unset: the next level counts")
    done("setting", "unset", "hold_mail")
    listed = rows("setting", "list", *d)
    claim(any(r["name"] == "hold_mail" for r in listed)
          and not any(r["name"] == "expire" for r in listed),
          "a domain's list has what a domain can have", listed)
    claim(len(rows("setting", "list")) > len(listed), "the global has all")


def wrong_settings():
    for part, words in (
            ("did you mean retry_first?", ["retry_frist", "5m"]),
            ("1s to 1d", ["retry_first", "0s"]),
            ("1s to 1d", ["retry_first", "25h"]),
            ("not a duration", ["retry_first", "5x"]),
            ("not a duration", ["retry_first", ""]),
            ("hold_mail", ["hold_mail", "maybe"]),
            ("64k", ["message_size_max", "1"]),
            ("connections_max", ["connections_max", "99999999999999999999"]),
            ("no value per domain", ["retry_first", "5m", "--domain",
                                     "a.example"]),
            ("no value per user", ["dest_concurrency", "5", "--user",
                                   "x@a.example"]),
            ("did you mean a.example?", ["hold_mail", "on", "--domain",
                                         "a.exampl"]),
            ("did you mean a.example?", ["hold_mail", "on", "--user",
                                         "x@a.exampl"]),
            ("is not an address", ["hold_mail", "on", "--user", "nobody"]),
            ("is not a domain name", ["hold_mail", "on", "--domain",
                                      "a b"])):
        fails(65, part, "setting", "set", *words)
    fails(65, "did you mean retry_max?", "setting", "get", "retry_maks")


def deleting():
    done("setting", "set", "hold_mail", "on", "--user", "joe@a.example")
    done("setting", "set", "id_header", "on", "--domain", "a.example")
    done("domain", "add", "aa.example", "--dest", "x.example")
    done("setting", "set", "id_header", "on", "--domain", "aa.example")
    done("domain", "delete", "c.example")
    done("domain", "delete", "b.example")
    done("domain", "delete", "a.example")
    db = sqlite3.connect(f"{home}/lib/settings.db")
    left = sorted(k for (k,) in db.execute(
        "SELECT key FROM row WHERE key LIKE '%a.example%'"))
    db.close()
    same(left, ["aa.example", "aa.example x.example:25",
                "domain aa.example id_header"],
         "a deleted domain takes its rows with it, and no others")


def changes():
    last = rows("log", "--last", "1")[0]
    same([last["node"], last["kind"], last["key"], last["new"]],
         [7, "domain", "a.example", None], "the last change is the last row")
    claim(last["who"] and last["time"].endswith("Z"), "with who and when")
    serials = [r["serial"] for r in rows("log", "--last", "100000")]
    same(serials, list(range(1, len(serials) + 1)), "no serial is missing")
    claim(all("aa.example" in r["key"] for r in rows("log", "aa.example")),
          "a word chooses")
    fails(65, "--last", "log", "--last", "0")
    fails(65, "--last", "log", "--last", "many")
    os.environ["SUDO_USER"] = "jane"
    fails(64, '"retry_max" has no value', "setting", "set", "retry_first",
          "8m", "retry_max")
    fails(65, "nonsense", "setting", "set", "retry_first", "8m", "retry_max",
          "nonsense")
    done("setting", "set", "retry_max", "2h", "retry_first", "7m")
    same(rows("setting", "get", "retry_max")[0]["value"], "2h",
         "several values are set at once")
    done("setting", "unset", "retry_max")
    del os.environ["SUDO_USER"]
    who = rows("log", "--last", "1")[0]["who"]
    same(who == "jane", os.geteuid() == 0, "sudo's word counts for root only")


def table():
    """Columns, with the widths of what they hold."""
    lines = done("domain", "list").splitlines()
    same(lines[0].split(), ["DOMAIN", "ALIAS-OF", "DESTS"], "a table's head")
    same(len(lines), 2, "and its rows")
    same(lines[0].index("ALIAS-OF"), lines[1].index("-"), "are aligned")
    same(done("--no-headers", "domain", "list").split(), lines[1].split(),
         "--no-headers")


def many():
    """Ten thousand domains are listed in no time."""
    db = sqlite3.connect(f"{home}/lib/settings.db")
    for i in range(10000):
        db.execute("INSERT INTO row VALUES('domain', ?, '')",
                   (f"m{i:05d}.example",))
        db.execute("INSERT INTO row VALUES('dest', ?, '0')",
                   (f"m{i:05d}.example 192.0.2.1:25",))
    db.commit()
    got = rows("domain", "list")
    same(len(got), 10001, "all are there")
    same(got[5]["dests"], ["192.0.2.1:25,0"], "with their destinations")
    db.execute("DELETE FROM row WHERE key LIKE 'm%'")
    db.commit()
    db.close()


def check():
    claim("FAULT" not in done("check"), "check finds no fault")
    db = sqlite3.connect(f"{home}/lib/settings.db")
    db.execute("INSERT INTO row VALUES('setting', 'global retry_max', 'x')")
    db.commit()
    got = mcctl("--json", "check")
    found = [json.loads(line) for line in got.stdout.splitlines()]
    claim(got.returncode == 78 and any(
        r["what"] == "settings.db" and r["result"] == "FAULT"
        and "retry_max" in r["text"] for r in found),
        "a senseless row is a fault: 78", got)
    db.execute("DELETE FROM row WHERE key = 'global retry_max'")
    db.execute("PRAGMA user_version = 99")
    db.commit()
    db.close()
    got = mcctl("check")
    claim(got.returncode == 78 and "newer" in got.stdout,
          "a newer database is a fault", got)
    got = mcctl("domain", "list")
    claim(got.returncode == 78 and "newer" in got.stderr,
          "other commands refuse it: 78", got)
    os.chmod(f"{home}/lib", 0o777)
    got = mcctl("check")
    claim("lets others in" in got.stdout, "so is a folder open to all", got)


run(domains, aliases, settings, wrong_settings, deleting, changes, table,
    many, check)
