#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# mcctl user, threshold and action: short ways to what settings, lists and
# rules have, with the same checks.
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from ctlhome import rows, says_no  # noqa: E402
from mclab import claim, same  # noqa: E402
from smtplab import run  # noqa: E402



def thresholds():
    rows("threshold", "set", "6.5")
    rows("threshold", "set", "7", "--domain", "a.example")
    rows("threshold", "set", "9", "--out")
    same({r["name"]: (r["value"], r["from"])
          for r in rows("threshold", "show", "--domain", "a.example")},
         {"threshold": ("7.0", "domain"), "out_threshold": ("9.0", "global")},
         "thresholds of a domain, and where they are from")
    same(rows("setting", "get", "threshold")[0]["value"], "6.5",
         "they are settings")
    says_no(65, "", "threshold", "set", "many")
    says_no(65, "has no value per user", "threshold", "set", "3", "--out",
          "--user", "joe@a.example")
    says_no(64, "usage: mcctl threshold set", "threshold", "set")


def actions():
    rows("action", "set", "spam", "quarantine", "--domain", "a.example")
    same(rows("setting", "get", "spam_action", "--domain", "a.example")[0]
         ["value"], "quarantine", "an action is a setting")
    shown = {r["name"]: r["value"] for r in rows("action", "show")}
    claim({"spam_action", "virus_action", "block_action",
           "out_spam_action"} <= set(shown), "all of them are shown", shown)
    same(shown["spam_action"], "tag", "those of all where nobody is named")
    says_no(65, 'action "spma": not known; did you mean spam?', "action",
          "set", "spma", "tag")
    says_no(65, "spam_action", "action", "set", "spam", "burn")


def users():
    rows("user", "set", "Joe@A.example", "threshold", "4", "spam_action",
         "delete")
    rows("list", "allow", "add", "news@b.example", "--user", "joe@a.example")
    rows("rule", "set", "BAYES_99", "1.5", "--user", "joe@a.example")
    rows("user", "set", "jane@c.example", "hold_mail", "yes")
    shown = rows("user", "show", "joe@a.example")[0]
    same([shown["user"], shown["threshold"], shown["spam_action"]],
         ["joe@a.example", "4.0", "delete"], "what it comes to")
    same(sorted(shown["settings"]), ["spam_action=delete", "threshold=4.0"],
         "settings of its own")
    same(shown["lists"], ["allow news@b.example"], "entries of lists")
    same(len(shown["rules"]), 1, "points of rules")
    same([r["user"] for r in rows("user", "list", "a.example")],
         ["joe@a.example"], "who has something in a domain")
    same(sorted(r["user"] for r in rows("user", "list")),
         ["jane@c.example", "joe@a.example"], "and anywhere")
    says_no(64, "has no value", "user", "set", "joe@a.example", "threshold",
          "3", "hold_mail")
    says_no(65, "did you mean threshold?", "user", "set", "joe@a.example",
          "treshold", "3")
    says_no(65, "not known", "user", "show", "joe@nowhere.example")
    rows("user", "delete", "joe@a.example")
    same([r["user"] for r in rows("user", "list")], ["jane@c.example"],
         "all of it is forgotten")
    same(rows("user", "show", "joe@a.example")[0]["threshold"], "7.0",
         "the domain's counts again")
    says_no(65, "has nothing of its own", "user", "delete", "joe@a.example")
    rows("undo")
    same(len(rows("user", "show", "joe@a.example")[0]["settings"]), 2,
         "and can be brought back")


rows("domain", "add", "a.example", "--dest", "10.0.0.1")
rows("domain", "add", "c.example", "--dest", "10.0.0.1")
run(thresholds, actions, users)
