#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Sessions with a whole gateway: what it says, takes and refuses, and that
# what it takes comes out at the next hop.
# deadline: 240
import os
import re
import resource
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from smtplab import (Client, Hop, Lab, claim, client, run, same, wait_for,
                     without_received)

ASAN = os.environ.get("MCGATE_ASAN") == "yes"
hop = Hop()
lab = Lab(hop.text, message_size_max="64k", smtp_rcpt_max="100",
          smtp_messages_max="10", smtp_errors_max="5",
          smtp_pipelining_strict="no")
BODY = b"Subject: hello\r\nMessage-ID: <1@client.example>\r\n\r\n.dot\r\n"


def greeting():
    c = Client(lab)
    same(c.reply(), "220 lab.example ESMTP mcgate", "the greeting")
    c.send("EHLO client.example\r\n")
    got = [c.line()]
    while got[-1][3:4] == "-":
        got.append(c.line())
    same(sorted(line[4:] for line in got[1:]),
         ["8BITMIME", "CHUNKING", "DSN", "ENHANCEDSTATUSCODES", "PIPELINING",
          "SIZE 65536", "SMTPUTF8"], "EHLO tells what works, no more")
    same(c.say("QUIT"), "221 2.0.0 Bye", "QUIT is answered")
    claim(c.is_closed(), "and closes")


def one_mail():
    c = client(lab)
    got = c.mail(BODY)
    found = re.fullmatch(r"250 2\.0\.0 (\w{16}) queued", got)
    claim(found, "a mail is taken, and its id told", got)
    same(hop.got(1), 1, "it comes out")
    commands, body, _ = hop.mails[0]
    same(without_received(body), BODY, "as it was, byte for byte")
    name = found.group(1) if found else "?"
    claim(re.match(
        rb"Received: from client\.example \(\[127\.0\.0\.1\]\)\r\n"
        rb"\tby lab\.example with ESMTP id " + name.encode() +
        rb"\r\n\tfor <r@ours\.example>;\r\n"
        rb"\t\w{3}, \d\d? \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}\r\n", body),
        "behind our Received field", body[:400])
    same([x for x in commands if x[:4] in ("MAIL", "RCPT")],
         [f"MAIL FROM:<a@client.example> SIZE={len(body)}",
          "RCPT TO:<r@ours.example>"], "with its envelope")
    claim(lab.logs(rf"{name} accepted from=<a@client\.example> "
                   r"client=127\.0\.0\.1 helo=client\.example "
                   rf"size={len(BODY)} rcpts=1 msgid=<1@client\.example>"),
          "and a line in the log", lab.log())


def pipelined():
    c = client(lab)
    before = len(hop.mails)
    one = (b"MAIL FROM:<a@client.example>\r\nRCPT TO:<r@ours.example>\r\n"
           b"RCPT TO:<r@else.example>\r\nRCPT TO:<s@ours.example>\r\n"
           b"DATA\r\n" + BODY.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    c.send(one * 3 + b"QUIT\r\n")
    same(c.codes(22), ["250", "250", "550", "250", "354", "250"] * 3 +
         ["221", "", "", ""], "three mails and QUIT in one segment")
    same(hop.got(before + 3), before + 3, "all come out")


def half_closed():
    c = client(lab)
    before = len(hop.mails)
    c.send(b"MAIL FROM:<>\r\nRCPT TO:<r@ours.example>\r\nDATA\r\nx\r\n.\r\n")
    c.sock.shutdown(socket.SHUT_WR)
    same(c.codes(4), ["250", "250", "354", "250"],
         "a client that closes its half gets its answers")
    claim(c.is_closed(), "and is closed then")
    same(hop.got(before + 1), before + 1, "its mail is delivered")


def parameters():
    c = client(lab)
    before = len(hop.mails)
    c.mail(b"\xc3\xa4\r\n", sender="\xe4@client.example",
           rcpts=["\xf6@ours.example"], params=" SMTPUTF8 BODY=8BITMIME "
           "RET=HDRS ENVID=q1")
    same(hop.got(before + 1), before + 1, "a mail with all parameters")
    mail = hop.mails[-1][0][0] if hop.mails else ""
    same(re.sub(r"SIZE=\d+", "SIZE=n", mail),
         "MAIL FROM:<\xe4@client.example> SIZE=n BODY=8BITMIME SMTPUTF8 "
         "RET=HDRS ENVID=q1", "keeps them")


def refusals():
    c = client(lab)
    same(c.say("MAIL FROM:<a@b.example> SIZE=65537"),
         "552 5.3.4 Message too large", "SIZE= too large")
    same(c.begin(rcpts=["r@else.example"]),
         "550 5.7.1 Relaying denied: mail for this domain is not taken here; "
         "postmaster@lab.example helps", "a domain that is not ours")
    same(c.say("RSET")[:3], "250", "the session goes on")
    same(c.mail(b"x" * 70 + b"\r\n" + (b"y" * 78 + b"\r\n") * 1000),
         "552 5.3.4 Message too large", "a message too large")
    same(c.mail(b"a\nb\r\n"), "550 5.6.11 Bare CR or LF in the message; "
         "RFC 5321 allows only CRLF", "a bare LF")
    same(c.mail(b"Received: x\r\n" * 101 + b"\r\n"),
         "554 5.4.6 Too many Received fields: this message loops", "a loop")
    c.close()
    c = client(lab)
    for _ in range(5):
        got = c.say("FROB")
    same(c.reply(), "421 4.7.0 Too many errors, closing", "too many errors")
    claim(c.is_closed(), "end the session")


def limits():
    c = client(lab)
    rcpts = "".join(f"RCPT TO:<r{i}@ours.example>\r\n" for i in range(120))
    c.send("MAIL FROM:<a@client.example>\r\n" + rcpts)
    same(c.codes(121), ["250"] * 101 + ["452"] * 20,
         "recipients up to the limit are taken")
    c.close()
    c = client(lab)
    for _ in range(10):
        c.mail(BODY)
    same(c.say("MAIL FROM:<>"),
         "421 4.7.0 Too many messages in one session, closing",
         "so are messages of one session")
    claim(c.is_closed(), "which then ends")
    c = client(lab)
    c.send(b"x" * 5000 + b"\r\nNOOP\r\n")
    same([c.reply(), c.reply()],
         ["500 5.5.2 Line too long", "250 2.0.0 Ok"],
         "an endless line is skipped")


def lost_in_data():
    wait_for(lab.is_empty)
    c = client(lab)
    same(c.begin()[:3], "354", "a client in DATA")
    c.send(b"x" * 100000)
    claim(wait_for(lambda: lab.files("body")), "whose body is being written")
    c.close()
    claim(wait_for(lab.is_empty), "goes away: nothing is left",
          lab.files("body"))
    c = client(lab)
    c.say("MAIL FROM:<>")
    c.say("RCPT TO:<r@ours.example>")
    claim(wait_for(lambda: lab.files("body")), "a client before DATA")
    c.say("QUIT")
    claim(wait_for(lab.is_empty), "says QUIT: nothing is left")


def per_client():
    lab.ctl("setting", "set", "connections_per_client", "3")
    held = []

    def is_refused():
        c = Client(lab)
        got = c.reply()
        held.append(c)
        if got.startswith("421"):
            return got
        for old in held:
            old.close()
        held.clear()
        for _ in range(3):
            held.append(client(lab))
        return ""
    same(wait_for(is_refused),
         "421 4.7.0 Too many connections, try again later",
         "more connections than one client may have")
    other = Client(lab, "127.0.0.2")
    same(other.reply()[:3], "220", "another client has its own")
    other.close()
    for c in held:
        c.close()
    lab.ctl("setting", "set", "connections_per_client", "0")


def times():
    lab.ctl("setting", "set", "smtp_command_time", "1s")
    lab.ctl("setting", "set", "smtp_data_time", "1s")
    lab.ctl("setting", "set", "connections_max", "2")

    def is_short():
        a, b, c = Client(lab), Client(lab), Client(lab)
        got = [x.reply() for x in (a, b, c)]
        same_time = got[2].startswith("421")
        if same_time:
            same(a.reply(), "421 4.4.2 Timeout, closing",
                 "a silent client is timed out")
            claim(a.is_closed(), "and closed")
        for x in (a, b, c):
            x.close()
        return same_time
    claim(wait_for(is_short), "connections in all have a limit")
    lab.ctl("setting", "set", "connections_max", "1000")
    c = wait_for(lambda: [x for x in [client(lab)] if x.begin()[:3] == "354"])
    c[0].send(b"half a line")
    same(c[0].reply(), "421 4.4.2 Timeout, closing", "so is one in DATA")
    claim(wait_for(lab.is_empty), "of which nothing is left")


def same_recipient_twice():
    c = client(lab)
    before = len(hop.mails)
    same(c.mail(BODY, rcpts=["t@ours.example"] * 3)[:3], "250",
         "a recipient given three times is taken")
    same(hop.got(before + 1), before + 1, "and delivered")
    same(hop.mails[-1][0].count("RCPT TO:<t@ours.example>"), 1, "once")


def many_idle():
    pid = lab.pid("incoming")

    def dirty_kb():
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            return int(re.search(r"Private_Dirty:\s+(\d+)", f.read())[1])
    before = dirty_kb()
    held = [client(lab) for _ in range(500)]
    claim(dirty_kb() - before < 500 * 4 or ASAN,
          "an idle session takes less than 4 kB", before, dirty_kb())
    for c in held:
        c.close()


def out_of_descriptors():
    pid = lab.pid("incoming")
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)

    def in_use():
        return len(os.listdir(f"/proc/{pid}/fd"))
    wait_for(lambda: in_use() < 50)
    used = in_use()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 10, hard))
    held = [Client(lab) for _ in range(30)]
    got = [c.reply()[:3] for c in held]
    claim(got.count("220") >= 1 and got.count("421") >= 10 and
          got.count("220") + got.count("421") == 30,
          "out of descriptors: some are served, the rest told so", got)
    for c in held:
        c.close()
    claim(wait_for(lambda: client(lab).say("NOOP")[:3] == "250"),
          "and it recovers")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


run(greeting, one_mail, pipelined, half_closed, parameters, refusals, limits,
    lost_in_data, per_client, same_recipient_twice, many_idle,
    out_of_descriptors, times)
