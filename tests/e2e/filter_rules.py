#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Spam is tagged, quarantined or deleted as a domain has it, and the points
# of a finding are changed by one command while mail flows.
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, Sink, accept, claim, same, text_mail  # noqa: E402
from mclab import wait_for  # noqa: E402
from smtplab import run  # noqa: E402

GTUBE = ("XJS*C4JDBQADN1.NSBN3*2IDNEN*"
         "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X")
sink = Sink()
lab = Lab(sink.text, domains=["kept.example", "gone.example", "own.example"],
          domain_sets=["kept.example:spam_action=quarantine",
                       "gone.example:spam_action=delete"])


def arrived(to, word):
    """The message to an address that holds word, once it is there."""
    wait_for(lambda: any(word.encode() in m for m in sink.to(to)))
    return next((m for m in sink.to(to) if word.encode() in m), b"")


def mail(word, spam=True):
    return text_mail(f"about {word}", (GTUBE if spam else f"only {word}") + "\r\n")


def send(word, to, spam=True):
    return accept(lab, mail(word, spam), rcpts=to)


def actions():
    send("clean1", ["r@own.example"], spam=False)
    data = arrived("r@own.example", "clean1")
    claim(b"\r\nSubject: about clean1\r\n" in data, "ham has its subject",
          data)
    claim(b"\r\nX-MC-Status: clean\r\n" in data, "and says that it is clean",
          data)
    name = send("spam1", ["r@own.example", "r@kept.example",
                          "r@gone.example"])
    data = arrived("r@own.example", "spam1")
    claim(b"\r\nSubject: {Spam?} about spam1\r\n" in data,
          "spam is tagged", data)
    claim(b"\r\nX-MC-SpamCheck: spam, gtube (" in data and
          b"spam decisive)" in data, "with the filter that says so", data)
    claim(wait_for(lambda: lab.rows("queue", "count")[0]["quarantine"] == 1),
          "one domain keeps it", lab.log())
    claim(wait_for(lambda: lab.logs(rf"{name} verdict action=discard "
                                    rf"rcpts=1 reason=")),
          "another deletes it, and the log says why", lab.log())
    same([rcpts for _, rcpts, _ in sink.all()
          if not set(rcpts) <= {"r@own.example"}], [], "neither gets it")


def rules():
    got = lab.rows("rule", "show", "GTUBE", "--domain", "own.example")[0]
    same((got["points"], got["from"]), (None, "filter"),
         "a finding has the points of its filter")
    lab.ctl("rule", "set", "GTUBE", "0", "--domain", "own.example")
    got = lab.rows("rule", "show", "GTUBE", "--user", "r@own.example")[0]
    same((got["points"], got["from"], got["subject"]),
         ("0.0", "domain", "own.example"), "until they are replaced")
    same([(r["name"], r["points"], r["level"], r["subject"])
          for r in lab.rows("rule", "list")],
         [("GTUBE", "0.0", "domain", "own.example")], "which is listed")
    send("spam2", ["r@own.example"])
    data = arrived("r@own.example", "spam2")
    claim(b"\r\nSubject: about spam2\r\n" in data,
          "the next mail passes, without a restart", data)
    lab.ctl("rule", "reset", "GTUBE", "--domain", "own.example")
    send("spam3", ["r@own.example"])
    data = arrived("r@own.example", "spam3")
    claim(b"\r\nSubject: {Spam?} about spam3\r\n" in data,
          "and is tagged again when that is taken back", data)


def errors():
    for words, code, part in [
            (["set", "GTUBE", "many"], 65, "is not a number such as 2.5"),
            (["set", "GTUBE", "1000.5"], 65, "expected -1000.0 to 1000.0"),
            (["set", "G TUBE", "1"], 65, "expected a name of letters"),
            (["set", "", "1"], 65, "expected a name of letters"),
            (["set", "GTUBE", "1", "--domain", "none.example"], 65,
             "not known"),
            (["reset", "GTUBE"], 65, "has no points of its own"),
            (["set", "GTUBE"], 64, ""), (["shwo"], 64, "show")]:
        got = lab.run("rule", *words)
        claim(got.returncode == code and part in got.stderr,
              f"rule {' '.join(words)}: {code}, says {part!r}",
              got.returncode, got.stderr)


def order(*words):
    return [r["name"] for r in lab.rows("filter", "list", *words)]


def filters():
    was = order()
    claim(was.index("bayes") < was.index("clamspam") <
          was.index("spamassassin"), "filters are listed in their order", was)
    lab.ctl("filter", "order", "spamassassin", "bayes", "--domain",
            "own.example")
    now = order("--domain", "own.example")
    same((now.index("spamassassin"), now.index("bayes"),
          now.index("clamspam")),
         (was.index("bayes"), was.index("spamassassin"),
          was.index("clamspam")), "two take each other's places")
    same(order(), was, "for one domain only")
    lab.ctl("filter", "disable", "gtube", "--domain", "own.example")
    send("spam4", ["r@own.example"])
    claim(b"{Spam?}" not in arrived("r@own.example", "spam4"),
          "one that is disabled is not asked")
    lab.ctl("filter", "enable", "gtube", "--domain", "own.example")
    send("spam5", ["r@own.example"])
    claim(b"{Spam?}" in arrived("r@own.example", "spam5"), "until it is again")
    lab.ctl("filter", "set", "bayes", "weight", "0.5")
    got = lab.rows("filter", "show", "gtube")[0]
    same((got["on"], got["order"], got["breaker"], got["spam"] >= 4),
         ("yes", 5, "closed", True), "one is shown with what it did")
    same(lab.rows("filter", "show", "bayes")[0]["weight"], "0.5",
         "and what is set of it")
    same(lab.rows("setting", "get", "filter_bayes_weight")[0]["from"],
         "global", "which is a setting as others are")
    lab.ctl("setting", "unset", "filter_bayes_weight")
    for words, part in [
            (["show", "bays"], "did you mean bayes"),
            (["set", "bayes", "wieght", "1"], "did you mean weight"),
            (["set", "bayes", "order", "100"], "1 to 99"),
            (["set", "bayes", "size", "1k", "--domain", "own.example"],
             "has no value per domain"),
            (["order", "bayes", "bays"], "did you mean bayes")]:
        got = lab.run("filter", *words)
        claim(got.returncode == 65 and part in got.stderr,
              f"filter {' '.join(words)}: says {part!r}", got.stderr)
    got = lab.run("filter", "order", "bayes", "bayes")
    claim(got.returncode == 64 and "twice" in got.stderr, "named twice", got)


def deleted():
    lab.ctl("rule", "set", "GTUBE", "1", "--domain", "kept.example")
    lab.ctl("domain", "delete", "kept.example")
    same(lab.rows("rule", "list"), [], "a domain takes its rules with it")
    lab.balances(discarded=1, quarantined=1)


run(actions, rules, errors, filters, deleted)
