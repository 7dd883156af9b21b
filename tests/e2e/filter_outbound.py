#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Mail of our own hosts that goes outwards: judged by a policy of its own,
# parked with a reason, reported once and then together, and let go or
# deleted by hand.
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (Lab, Sink, accept, claim, parse, same,  # noqa: E402
                   send, text_mail, wait_for)
from smtplab import run  # noqa: E402

# In halves, so that nobody takes this file away.
GTUBE = ("XJS*C4JDBQADN1.NSBN3*2IDNEN*"
         "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X")
EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$" +
         "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")
JOE, FAR = "joe@ours.example", "x@far.example"
TO_REPORT = "postmaster@ours.example"
sink = Sink()
lab = Lab(sink.text, domains=["lax.example", "quiet.example",
                              "strict.example"],
          domain_sets=["lax.example:out_spam_action=deliver",
                       "strict.example:at_data=refuse",
                       "lax.example:out_report_to=boss@lax.example",
                       "quiet.example:out_report_to="])


def spam(subject, sender=JOE, body=GTUBE):
    return accept(lab, text_mail(subject, f"{body}\r\n"), sender=sender,
                  rcpts=[FAR])


def held(name):
    """Its row in the list of what is held."""
    def rows():
        return [r for r in lab.rows("queue", "list", "hold")
                if r["id"] == name]
    return (wait_for(rows) or [{}])[0]


def delivered(name):
    return [body for body in sink.to(FAR, 0) if name.encode() in body]


def ham():
    name = spam("about lunch", body="at one?")
    claim(wait_for(lambda: delivered(name)), "mail that is none goes out")
    lax = spam("lax", "a@lax.example")
    claim(wait_for(lambda: delivered(lax)),
          "spam too, where the sender's domain lets it")
    claim(b"Subject: lax\r\n" in delivered(lax)[0], "it is not tagged")


def parked():
    name = spam("cheap\N{EURO SIGN} pills")
    row = held(name)
    claim(row.get("state") == "hold" and
          row["reason"].startswith("spam ") and "gtube" in row["reason"],
          "spam is held, and the list says why", row)
    got = sink.to(TO_REPORT)
    same(len(got), 1, "its postmaster is told")
    mail = parse(got[0])
    text = mail.get_content()
    same((mail["Subject"], mail["Auto-Submitted"], mail["To"]),
         ("1 outbound mail was parked", "auto-generated", TO_REPORT),
         "by a mail for people")
    claim(all(x in text for x in (
        f"{name}, now in hold", f"<{JOE}>", f"1, the first <{FAR}>",
        "cheap", "[127.0.0.1]", "gtube", "mcctl queue unhold ID")),
        "with all that is to be known", text)
    claim(text.isascii() and all(len(x) < 200 for x in text.splitlines()),
          "and nothing else", text)
    virus = spam("a virus", body=EICAR)
    row = held(virus)
    claim(row.get("reason", "").startswith("virus "), "a virus is held", row)
    quiet = spam("quiet", "q@quiet.example")
    claim(held(quiet), "where nobody is to be told as well")
    foreign = spam("foreign", "somebody@else.example")
    claim(held(foreign), "and whoever it says it is from")
    claim(sink.to("postmaster@lax.example"),
          "of a stranger the first of our postmasters is told")
    more = spam("more of it")
    claim(held(more), "a second one is held too")
    return name, virus, quiet, foreign, more


def inbound_is_another_matter():
    name = accept(lab, text_mail("in", f"{EICAR}\r\n"), rcpts=[JOE])
    claim(lab.logs(f"{name} verdict action=quarantine"),
          "a virus that comes in is in quarantine")


def at_data():
    """The sender's domain says whether his mail is looked at while he
    waits; of mail to us the recipient's does, whoever sends it."""
    ours, strict = "s@strict.example", "r@strict.example"
    for body, words in ((EICAR, "a virus"), (GTUBE, "spam")):
        reply = send(lab, text_mail("out", f"{body}\r\n"), sender=ours,
                     rcpts=[FAR])
        claim(reply.startswith("550 5.7.1 ") and f"taken for {words};" in
              reply, f"{words} that would go out is refused", reply)
        reply = send(lab, text_mail("in", f"{body}\r\n"), sender=JOE,
                     rcpts=[strict])
        claim(reply.startswith("550 5.7.1 "),
              f"{words} to a domain that refuses is refused, though a relay "
              "host sends it", reply)
    name = accept(lab, text_mail("in", f"{EICAR}\r\n"), sender=ours,
                  rcpts=[JOE])
    claim(lab.logs(f"{name} verdict action=quarantine"),
          "from a domain that refuses to one that does not it is taken")


def by_hand(name, virus):
    lab.ctl("queue", "unhold", name)
    claim(wait_for(lambda: delivered(name)), "unhold lets it go on")
    lab.ctl("queue", "delete", virus)
    claim(wait_for(lambda: not held_now(virus)), "delete deletes it")


def held_now(name):
    return any(r["id"] == name for r in lab.rows("queue", "list", "hold"))


def together():
    """What came after the first report is told at a stop at the latest."""
    same(len(sink.to(TO_REPORT, 0)), 1, "no second report so soon")
    lab.down()
    lab.start_mcd()
    got = sink.to(TO_REPORT, 2)
    same(len(got), 2, "those that followed are told of together")
    text = parse(got[-1]).get_content()
    claim(parse(got[-1])["Subject"] == "2 outbound mails were parked" and
          "a virus" in text and "more of it" in text and
          "quiet" not in text,
          "all of them but those of which nobody is told", text)
    same(sink.to("boss@lax.example", 0), [], "none of what was delivered")


def main():
    lab.ctl("relay", "add", "127.0.0.1")
    lab.ctl("smarthost", "add", sink.text)
    ham()
    names = parked()
    inbound_is_another_matter()
    at_data()
    together()
    by_hand(*names[:2])
    lab.ctl("queue", "delete", *names[2:])
    lab.balances("the audit balances", lost_count=0)
    lab.down()


run(main)
