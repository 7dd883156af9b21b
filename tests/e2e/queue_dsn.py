#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 240
#
# What senders are told: bounces, delay warnings and mail that was passed on
# (RFC 3464), as they wish it (RFC 3461), in UTF-8 (RFC 6533), and when
# nobody is told. Notifications are read by Python's email package.
import email
import email.policy
import email.utils
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (Lab, accept, claim, client, same,  # noqa: E402
                   text_mail, wait_for)
from smtplab import Hop, run  # noqa: E402

GTUBE = ("XJS*C4JDBQADN1.NSBN3*2IDNEN*"
         "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X")
DAY_S = 86400


def fates(hop, verb, line, session):
    del session
    if verb != "RCPT":
        return None
    if "<no" in line or "ungültig" in line:
        return "550-5.1.1 no such user,\r\n550 5.1.1 (sorry)"
    if "<wait" in line and not hop.is_free:
        return "452 4.2.2 mailbox full"
    return None


PLAIN = ("PIPELINING", "8BITMIME", "SMTPUTF8")
home = Hop()                      # of senders
far = Hop(fates)                  # of recipients
plain = Hop(fates, offers=PLAIN)  # the same, without DSN
ascii_only = Hop(fates, offers=("PIPELINING", "8BITMIME", "DSN"))
far.is_free = plain.is_free = ascii_only.is_free = False
lab = Lab(far.text, domains=[f"home.example={home.text}",
                             f"plain.example={plain.text}",
                             f"ascii.example={ascii_only.text}"],
          sets={"delay_warning": "1s", "retry_max": "1s"})


def sends(rcpts, sender="ann@home.example", mail="", body="the secret body\r\n",
          **headers):
    """A mail with parameters; each of rcpts is ADDRESS or (ADDRESS, PARAMS)."""
    c = client(lab)
    same(c.say(f"MAIL FROM:<{sender}>{mail}")[:3], "250", f"MAIL{mail}")
    for rcpt in rcpts:
        address, params = rcpt if isinstance(rcpt, tuple) else (rcpt, "")
        same(c.say(f"RCPT TO:<{address}>{params}")[:3], "250",
             f"RCPT <{address}>{params}")
    c.say("DATA")
    c.send(text_mail("a subject", body, **headers) + b".\r\n")
    got = c.reply()
    claim(got.startswith("250"), "the mail is taken", got)
    c.close()
    return got.split()[2]


def fields(block):
    return {name: " ".join(str(value).split()) for name, value
            in block.items()}


def blocks(part):
    """Of a status part; those of RFC 6533 are one text for Python."""
    payload = part.get_payload()
    if len(payload) > 1:
        return [fields(b) for b in payload]
    text = payload[0].as_bytes().decode("utf-8")
    return [fields(email.message_from_string(b)) for b in
            text.strip().replace("\r\n", "\n").split("\n\n")]


class Report:
    """A notification taken to pieces, its frame checked."""

    def __init__(self, mail, utf8=False):
        self.commands, body, _ = mail
        self.raw = body
        self.message = m = email.message_from_bytes(
            body, policy=email.policy.default)
        same(m.get_content_type(), "multipart/report", "multipart/report")
        same(m.get_param("report-type"), "delivery-status",
             "report-type=delivery-status")
        same(m.defects, [], "Python finds no defect")
        self.parts = list(m.iter_parts())
        same([p.get_content_type() for p in self.parts],
             ["text/plain",
              "message/global-delivery-status" if utf8
              else "message/delivery-status",
              "message/global-headers" if utf8 else "text/rfc822-headers"],
             "its three parts")
        self.whole, *self.rcpts = blocks(self.parts[1])

    def header(self):
        """The bytes of the third part."""
        start = self.raw.index(b"\r\nContent-Type: text/rfc822-headers\r\n")
        at = self.raw.index(b"\r\n\r\n", start) + 4
        return self.raw[at:self.raw.index(b"\r\n--=_mcgate-", at)]


def reports(n=1, utf8=False):
    """Waits until all is done; the n notifications that came home."""
    claim(lab.empties(), "all is done", lab.left())
    same(len(home.mails), n, f"{n} notifications came home")
    got = [Report(mail, utf8) for mail in home.mails]
    home.mails.clear()
    return got


def near(text, seconds, words):
    """A date of RFC 5322 that is about so far from now."""
    at = email.utils.parsedate_to_datetime(text).timestamp()
    claim(abs(at - time.time() - seconds) < 120, words, text)


def bounce():
    begun = int(time.time())
    name = sends(["no1@ours.example", "yes@ours.example"],
                 mail=" RET=FULL ENVID=env+2B1",
                 Message_ID="<original@home.example>", X_Long="x" * 200)
    r, = reports()
    m, commands = r.message, r.commands
    claim(commands[0].startswith("MAIL FROM:<> "), "from the null sender",
          commands)
    same(commands[1], "RCPT TO:<ann@home.example>", "to the sender")
    same([m["To"], m["From"], m["MIME-Version"], m["Auto-Submitted"],
          m["In-Reply-To"], m["References"]],
         ["ann@home.example",
          "Mail Delivery System <MAILER-DAEMON@lab.example>", "1.0",
          "auto-replied", "<original@home.example>",
          "<original@home.example>"], "its header")
    same(m["Subject"], "Your message could not be delivered", "its subject")
    near(m["Date"], 0, "Date is now")
    claim(m["Message-ID"].endswith("@lab.example>") and
          name not in m["Message-ID"], "Message-ID is its own",
          m["Message-ID"])
    near(r.whole.pop("Arrival-Date"), 0, "Arrival-Date")
    same(r.whole, {"Reporting-MTA": "dns; lab.example", "X-Mcgate-ID": name,
                   "Original-Envelope-Id": "env+1"},
         "what is said of the message")
    same(len(r.rcpts), 1, "one recipient is told of")
    rcpt = r.rcpts[0]
    at = email.utils.parsedate_to_datetime(rcpt.pop("Last-Attempt-Date"))
    claim(begun <= at.timestamp() <= time.time() + 1, "Last-Attempt-Date", at)
    same(rcpt, {"Final-Recipient": "rfc822; no1@ours.example",
                "Action": "failed", "Status": "5.1.1",
                "Remote-MTA": "dns; [127.0.0.1]",
                "Diagnostic-Code":
                "smtp; 550 5.1.1 no such user, (sorry)"},
         "what is said of the recipient")
    text = r.parts[0].get_content()
    for word in ("no1@ours.example", "no such user", name):
        claim(word in text, f"people read {word}", text)
    claim("yes@ours.example" not in text, "and not of the other", text)
    same(r.header(), text_mail(
        "a subject", "", Message_ID="<original@home.example>",
        X_Long="x" * 200).rpartition(b"\r\n")[0], "the header as it was")
    claim(b"secret body" not in r.raw, "nothing of the body, whatever RET")
    claim(max(map(len, r.raw.split(b"\r\n"))) <= 998, "no line is too long")


def notify():
    """Who is told is the sender's wish, recipient by recipient."""
    sends([("no2@ours.example", " NOTIFY=NEVER"),
           ("no3@ours.example", " NOTIFY=DELAY"),
           ("no4@ours.example", " NOTIFY=SUCCESS"),
           ("no5@ours.example", " NOTIFY=SUCCESS,FAILURE "
            "ORCPT=rfc822;first+2Blast@first.example"),
           "no6@ours.example"])
    r, = reports()
    same([(x["Final-Recipient"], x.get("Original-Recipient"))
          for x in r.rcpts],
         [("rfc822; no5@ours.example", "rfc822; first+last@first.example"),
          ("rfc822; no6@ours.example", None)],
         "of five failures two are told, with ORCPT")


def delay():
    name = sends(["wait1@ours.example",
                  ("wait2@ours.example", " NOTIFY=FAILURE"),
                  ("wait3@ours.example", " NOTIFY=DELAY"),
                  ("wait4@ours.example", " NOTIFY=NEVER")])
    claim(home.got(1), "a delay is told", lab.log())
    seen = len(lab.log())
    claim(wait_for(lambda: lab.log()[seen:].count(
        f"{name} deliver ") >= 8), "and it is tried again and again")
    far.is_free = True
    r, = reports()
    far.is_free = False
    same(r.message["Subject"], "Your message has not been delivered yet",
         "its subject, once")
    same([(x["Final-Recipient"], x["Action"], x["Status"],
           x["Diagnostic-Code"]) for x in r.rcpts],
         [(f"rfc822; wait{i}@ours.example", "delayed", "4.2.2",
           "smtp; 452 4.2.2 mailbox full") for i in (1, 3)],
         "of those who wait and want to know")
    near(r.rcpts[0]["Will-Retry-Until"], 5 * DAY_S,
         "Will-Retry-Until is the end of its time")


def relayed():
    """Of success tells who is last to understand the wish."""
    far.mails.clear()
    plain.mails.clear()
    wish = " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;o@first.example"
    sends([("yes@ours.example", wish), ("yes@plain.example", wish),
           "other@plain.example",
           ("never@plain.example", " NOTIFY=FAILURE")],
          mail=" RET=HDRS ENVID=id2")
    r, = reports()
    claim(" RET=HDRS ENVID=id2" in far.mails[0][0][0],
          "a next hop with DSN gets RET and ENVID", far.mails)
    same(far.mails[0][0][1], f"RCPT TO:<yes@ours.example>{wish}",
         "NOTIFY and ORCPT")
    words = [line for commands, _, _ in plain.mails for line in commands]
    claim(not any(w in line for w in ("RET=", "ENVID", "NOTIFY", "ORCPT")
                  for line in words), "one without gets none", words)
    same(r.message["Subject"], "Your message was passed on", "its subject")
    same([(x["Final-Recipient"], x["Original-Recipient"], x["Action"],
           x["Status"]) for x in r.rcpts],
         [("rfc822; yes@plain.example", "rfc822; o@first.example",
           "relayed", "2.1.9")], "and we tell of it")


def nobody():
    accept(lab, text_mail("null"), sender="", rcpts=["no7@ours.example"])
    sends([("no8@ours.example", " NOTIFY=SUCCESS,FAILURE,DELAY")], sender="")
    reports(0)
    sends(["no9@ours.example"], sender="no10@ours.example")
    reports(0)
    accept(lab, text_mail("spam", GTUBE + "\r\n"), sender="ann@home.example",
           rcpts=["no11@ours.example"])
    reports(0)
    claim(lab.logs(r"rcpt=<no11@ours\.example>.*status=bounced|"
                   r"no11@ours\.example> .*status=bounced"),
          "spam was refused by its next hop", lab.log())


def utf8():
    """RFC 6533, where the original used SMTPUTF8."""
    name = sends([("ungültig@ours.example",
                   " ORCPT=utf-8;ung\\x{FC}ltig@first.example")],
                 sender="jörg@home.example", mail=" SMTPUTF8",
                 X_Name="Jörg")
    r, = reports(utf8=True)
    claim(r.commands[0].startswith("MAIL FROM:<>") and
          "SMTPUTF8" in r.commands[0], "it goes by SMTPUTF8", r.commands)
    same(r.commands[1], "RCPT TO:<jörg@home.example>", "to the sender")
    same(r.whole["X-Mcgate-ID"], name, "the message")
    same([(x["Final-Recipient"], x["Original-Recipient"], x["Status"])
          for x in r.rcpts],
         [("utf-8; ungültig@ours.example", "utf-8; ungültig@first.example",
           "5.1.1")], "the recipient")
    claim("ungültig@ours.example" in r.parts[0].get_content(),
          "people read his name")
    claim("X-Name: Jörg".encode() in r.raw, "the header as it was")
    sends(["ünï@ascii.example"], sender="ann@home.example", mail=" SMTPUTF8")
    r, = reports(utf8=True)
    same([(x["Final-Recipient"], x["Action"], x["Status"])
          for x in r.rcpts],
         [("utf-8; ünï@ascii.example", "failed", "5.6.7")],
         "a next hop without SMTPUTF8 is told as 5.6.7")


def balances():
    a = lab.audit()
    lab.balances("the audit balances", queued=0, held=0, duplicates=0,
                 damaged_lines=0, unrecorded=0)
    same(a["accepted"], a["delivered"] + a["bounced"],
         "all is delivered or bounced, notifications too")


run(bounce, notify, delay, relayed, nobody, utf8, balances)
