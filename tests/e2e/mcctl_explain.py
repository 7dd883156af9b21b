#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Why a message was judged as it was: kept in the ledger and the history,
# said in words and as JSON, while mcd runs and while it does not.
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, Sink, accept, claim, same, text_mail  # noqa: E402
from mclab import wait_for  # noqa: E402
from smtplab import run  # noqa: E402

GTUBE = ("XJS*C4JDBQADN1.NSBN3*2IDNEN*"
         "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X")
sink = Sink()
lab = Lab(sink.text, domains=["kept.example"],
          domain_sets=["kept.example:spam_action=quarantine",
                       "kept.example:threshold=7.5"])
names = {}


def explain(*words):
    return [json.loads(line) for line in
            lab.run("explain", *words, "--json").stdout.splitlines()]


def once(name, *words):
    """The decisions, when they have come into the history."""
    wait_for(lambda: explain(name, *words))
    return explain(name, *words)


def spam():
    name = accept(lab, text_mail("s", GTUBE + "\r\n"),
                  rcpts=["a@ours.example", "k@kept.example",
                         "b@ours.example"])
    names["spam"] = name
    got = once(name)
    same([(d["rcpts"], d["verdict"], d["action"], d["threshold"])
          for d in got],
         [(["a@ours.example", "b@ours.example"], "spam", "deliver", 5.0),
          (["k@kept.example"], "spam", "quarantine", 7.5)],
         "each decision has its recipients")
    same([[(s["name"], s["value"], s["from"]) for s in d["settings"]]
          for d in got],
         [[("threshold", "5.0", "default"), ("spam_action", "tag", "default")],
          [("threshold", "7.5", "domain"),
           ("spam_action", "quarantine", "domain")]],
         "and says whose settings decided")
    gtube = [f for f in got[0]["filters"] if f["filter"] == "gtube"][0]
    same((gtube["class"], gtube["did"], gtube["findings"][0]["name"]),
         ("spam", "decisive", "GTUBE"), "and the filter with its evidence")
    same(sum(f["points"] for f in got[0]["filters"]), got[0]["score"],
         "points add up")
    same(once(name, "K@kept.example")[0]["rcpts"], ["k@kept.example"],
         "one recipient alone can be asked for")
    words = lab.ctl("explain", name, "a@ours.example")
    for part in ("verdict", "delivered, marked", "as shipped", "decisive",
                 "GTUBE", "sum", "spam from 5.0 on"):
        claim(part in words, f"people read {part!r}", words)
    words = lab.ctl("explain", name, "k@kept.example")
    claim("put into quarantine" in words and "set for the domain" in words,
          "and whose setting it was", words)


def ham():
    name = accept(lab, text_mail("h", "plain\r\n"), rcpts=["a@ours.example"])
    names["ham"] = name
    got = once(name)
    same([(d["verdict"], d["action"]) for d in got], [("ham", "deliver")],
         "ham is explained as well")
    row = [r for r in lab.rows("trace", name) if r["event"] == "judged"][0]
    same((row["verdict"], row["action"], row["threshold"]),
         ("ham", "deliver", "5.0"), "a trace has verdict and score")
    claim("verdict=ham action=deliver" in
          lab.ctl("trace", name), "for people too")


def rule():
    """A rule that an administrator has set is told as one."""
    lab.ctl("rule", "set", "GTUBE", "0.5", "--domain", "ours.example")
    name = accept(lab, text_mail("r", GTUBE + "\r\n"),
                  rcpts=["a@ours.example"])
    got = once(name)[0]
    gtube = [f for f in got["filters"] if f["filter"] == "gtube"][0]
    claim(gtube["points"] == 0.5 and
          gtube["findings"][0]["own_points"] > 0.5,
          "with the points that the filter gives", gtube)
    claim("a rule says 0.5" in lab.ctl("explain", name), "in words")


def stopped():
    before = {k: explain(n) for k, n in names.items()}
    lab.down()
    same({k: explain(n) for k, n in names.items()}, before,
         "the same while mcd is stopped")


def errors():
    for words, code, part in [
            (["06ab3c8def000001"], 65, "no decision is known"),
            ([names["ham"], "x@ours.example"], 65, "for x@ours.example"),
            (["hello"], 65, "is not a queue id"), ([], 64, "explain")]:
        got = lab.run("explain", *words)
        claim(got.returncode == code and part in got.stderr,
              f"explain {' '.join(words)}: {code}, says {part!r}",
              got.returncode, got.stderr)


run(spam, ham, rule, stopped, errors)
