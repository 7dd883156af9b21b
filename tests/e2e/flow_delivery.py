#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 240
#
# What becomes of mail: delivered, deferred and then delivered, bounced;
# recipients of one message with different fates; aliases; no bounce of a
# bounce.
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (Lab, Sink, accept, claim, parse, same, send,  # noqa: E402
                   strip_received, text_mail, wait_for)
from smtplab import Hop, client, run  # noqa: E402

sink = Sink()
third = Hop()
lab = Lab(sink.text, domains=["client.example", "other.example",
                              f"third.example={third.text}"])
lab.ctl("domain", "add", "alias.example", "--alias-of", "ours.example")


def delivered():
    data = text_mail("plain")
    name = accept(lab, data, rcpts=["one@ours.example"])
    got = sink.to("one@ours.example")
    same(len(got), 1, "a message is delivered, once")
    body, field = strip_received(got[0])
    same(body, data, "as it was sent")
    claim(field and field.group(2).decode() == name,
          "behind our Received with its id")
    claim(lab.empties(), "nothing of it is left in the spool", lab.left())
    claim("delivered" in lab.ctl("trace", name), "trace says so",
          lab.ctl("trace", name))


def deferred():
    name = accept(lab, text_mail("later"), rcpts=["once1@ours.example"])
    claim(lab.logs(rf"{name} deliver .*status=deferred"), "a 451 defers it", lab.log())
    same(len(sink.to("once1@ours.example")), 1, "then it is delivered")
    claim(lab.empties(), "and gone", lab.left())
    words = re.findall(r"accepted|deferred|delivered", lab.ctl("trace", name))
    same(words, ["accepted", "deferred", "delivered"], "trace tells all")


def check_report(report, name):
    same(report.get_content_type(), "multipart/report",
         "the sender gets a multipart/report")
    same(report.get_param("report-type"), "delivery-status",
         "of type delivery-status")
    same([p.get_content_type() for p in report.iter_parts()],
         ["text/plain", "message/delivery-status", "text/rfc822-headers"],
         "with its three parts")
    text, status, header = report.iter_parts()
    claim("bounce1@ours.example" in text.get_content(),
          "people read who did not get it", text.get_content())
    whole, rcpt = status.get_payload()
    same(whole["Reporting-MTA"], "dns; lab.example", "Reporting-MTA")
    same(rcpt["Final-Recipient"], "rfc822; bounce1@ours.example",
         "Final-Recipient")
    same(rcpt["Action"], "failed", "Action")
    same(rcpt["Status"], "5.1.1", "Status is the next hop's")
    claim("no such user" in (rcpt["Diagnostic-Code"] or ""),
          "Diagnostic-Code has its words", rcpt["Diagnostic-Code"])
    claim("Subject: returned" in header.get_content(),
          "the header of the message is there", header.get_content())
    claim("the secret body" not in report.as_string(), "its body is not")
    same(report["Auto-Submitted"], "auto-replied", "Auto-Submitted")
    claim(report["Date"] and report["Message-ID"] and report["From"],
          "it has Date, Message-ID and From", report.as_string()[:800])
    same(report["To"], "b1@client.example", "it is addressed to the sender")
    claim(name in report.as_string(), "it names the queue id")


def bounced():
    name = accept(lab, text_mail("returned", "the secret body\r\n"),
                  sender="b1@client.example", rcpts=["bounce1@ours.example"])
    got = sink.to("b1@client.example")
    if not same(len(got), 1, "a 550 makes one bounce"):
        return
    sender = [s for s, rcpts, _ in sink.all() if "b1@client.example" in rcpts]
    same(sender, [""], "its own sender is the null path")
    check_report(parse(got[0]), name)
    claim(lab.empties(), "nothing is left", lab.left())


def no_bounce_of_bounce():
    before = sink.count()
    name = accept(lab, text_mail("null"), sender="",
                  rcpts=["bounce2@ours.example"])
    claim(lab.logs(rf"{name} bounced"), "a null sender's mail is refused")
    claim(lab.empties(), "and goes", lab.left())
    same(sink.count(), before, "nobody is told")
    name = accept(lab, text_mail("double"), sender="bounce3@client.example",
                  rcpts=["bounce4@ours.example"])
    claim(lab.logs(rf"{name} deliver .*status=bounced"), "a bounce")
    claim(lab.empties(), "that bounces goes", lab.left())
    same(sink.count(), before, "and nobody is told of that")


def null_sender():
    accept(lab, text_mail("a bounce of others"), sender="",
           rcpts=["null@ours.example"])
    sink.to("null@ours.example")
    got = [s for s, r, _ in sink.all() if "null@ours.example" in r]
    same(got, [""], "the null sender stays null")


def relayed_bounce():
    """A sender that is none of ours: there is no route to tell him."""
    name = accept(lab, text_mail("far"), sender="x@elsewhere.example",
                  rcpts=["bounce5@ours.example"])
    claim(lab.logs(rf"{name} deliver .*status=bounced"), "a sender of elsewhere is bounced")
    rows = wait_for(lambda: lab.rows("queue", "list",
                                     "rcpt:x@elsewhere.example"))
    if not same(len(rows or []), 1, "his bounce waits in the queue"):
        return
    same(rows[0]["sender"], "", "from the null sender")
    lab.ctl("queue", "delete", rows[0]["id"])
    claim(lab.empties(), "until it is deleted", lab.left())


def fates(hop, verb, line, session):
    del hop, session
    if verb == "RCPT" and "no@" in line:
        return "550 5.1.1 no such user here"
    if verb == "RCPT" and "full@" in line and not fates.is_free:
        return "452 4.2.2 mailbox full"
    return None


fates.is_free = False


def told(sender):
    """The recipients that a sender was told of by now."""
    return sorted(
        rcpt["Final-Recipient"]
        for body in sink.to(sender) for part in parse(body).iter_parts()
        if part.get_content_type() == "message/delivery-status"
        for rcpt in part.get_payload()[1:])


def parted():
    third.answer = fates
    to = ["yes@ours.example", "bounce6@ours.example", "once6@ours.example",
          "yes@other.example", "yes@third.example", "no@third.example",
          "full@third.example"]
    before = len(third.mails)
    name = accept(lab, text_mail("to many"), sender="m@client.example",
                  rcpts=to)
    same(len(sink.to("yes@ours.example")), 1, "of seven: one is delivered")
    same(len(sink.to("yes@other.example")), 1, "one of another domain too")
    same(len(sink.to("once6@ours.example")), 1, "a deferred one later")
    claim(lab.logs(rf"{name} deliver .*full@third\.example> .*status=deferred"),
          "a full one waits", lab.log())
    claim(wait_for(lambda: [r["rcpt"] for r in lab.rows("queue", "list")]
                   == [["full@third.example"]]),
          "and is all that is left of it", lab.rows("queue", "list"))
    fates.is_free = True
    claim(wait_for(lambda: len(third.mails) >= before + 2),
          "and is delivered at last", third.mails)
    claim(lab.empties(), "nothing is left", lab.left())
    # Results that come at the same time are told in one notification.
    same(told("m@client.example"),
         ["rfc822; bounce6@ours.example", "rfc822; no@third.example"],
         "the two refusals are told, each of them once")
    for rcpt in ("yes@ours.example", "yes@other.example"):
        same(len(sink.to(rcpt)), 1, f"{rcpt} got one copy")
    third.answer = lambda *args: None


def aliased():
    accept(lab, text_mail("alias"), rcpts=["ann@alias.example"])
    same(len(sink.to("ann@ours.example")), 1,
         "an alias domain's mail goes to its domain")
    accept(lab, text_mail("case"), rcpts=["Bob.Case@OURS.Example"])
    same(len(sink.to("Bob.Case@ours.example")), 1,
         "a local part keeps its case, a domain does not")
    same(send(lab, text_mail("x"), rcpts=["x@nowhere.example"])[:3], "550",
         "another domain is refused")


def notify_never():
    before = sink.count()
    c = client(lab)
    c.say("MAIL FROM:<nn@client.example> ENVID=my+2Bid")
    c.say("RCPT TO:<bounce8@ours.example> NOTIFY=NEVER")
    c.say("RCPT TO:<bounce9@ours.example> NOTIFY=FAILURE "
          "ORCPT=rfc822;o+2B9@first.example")
    c.say("DATA")
    c.send(text_mail("dsn") + b".\r\n")
    claim(c.reply().startswith("250"), "NOTIFY and ORCPT are taken")
    got = sink.to("nn@client.example")
    claim(lab.empties(), "it ends", lab.left())
    same(sink.count(), before + 1, "NOTIFY=NEVER is told to nobody")
    whole, rcpt, *more = [p for p in parse(got[0]).iter_parts() if
                          p.get_content_type() == "message/delivery-status"
                          ][0].get_payload()
    same(more, [], "one recipient is told of")
    same(whole["Original-Envelope-Id"], "my+id", "ENVID is given back")
    same(rcpt["Original-Recipient"], "rfc822; o+9@first.example",
         "ORCPT is given back")


def all_is_told():
    a = lab.audit()
    lab.balances("the audit balances", queued=0, held=0, duplicates=0,
                 damaged_lines=0, unrecorded=0)
    same(a["accepted"], sum(a[k] for k in (
        "delivered", "bounced", "discarded", "deleted", "held",
        "quarantined", "queued", "parked")), "and its sum is right")


run(delivered, deferred, bounced, null_sender, no_bounce_of_bounce,
    relayed_bounce, parted, aliased, notify_never, all_is_told)
