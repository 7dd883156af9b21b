#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 400
#
# Real mail through the three queues: what the next hop gets is byte for
# byte what was sent, our Received field aside. With CORPORA set all that is
# below its mail/ folder and its MIME suites; always some hard ones of ours.
import email.utils
import os
import re
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mclab import Lab, Sink, claim, same, strip_received, wait_for  # noqa
from smtplab import run  # noqa

SESSIONS = 6
DELIVERED_S = 120
WRONG_SHOWN = 5

OURS = {
    "empty": b"",
    "one empty line": b"\r\n",
    "header only": b"Subject: a\r\n",
    "header and empty body": b"Subject: a\r\n\r\n",
    "no final newline": b"Subject: a\r\n\r\nno newline",
    "no header": b"\r\nbody\r\n",
    "no colon": b"this is no header\r\nat all\r\n\r\nbody\r\n",
    "begins with a continuation": b" folded\r\nSubject: a\r\n\r\nb\r\n",
    "NUL": b"Subject: a\0b\r\n\r\nNUL \0 in it\0\r\n\0\r\n",
    "8 bit": b"Subject: \xe4\xf6\xfc\r\n\r\n\x80\xff\xfe \xc3\xa4\r\n",
    "every byte": b"Subject: a\r\n\r\n" + bytes(
        b for b in range(256) if b not in (10, 13)) + b"\r\n",
    "dots": b"Subject: a\r\n\r\n.\r\n..\r\n...\r\n.a\r\n.\r\n\r\n.\r\n",
    "a dot first of all": b".\r\n",
    "dots only": b".\r\n.\r\n.",
    "a line of a megabyte": b"Subject: a\r\n\r\n" + b"x" * 1048576 + b"\r\n",
    "a header line of 100,000": b"X-Long: " + b"y" * 100000 + b"\r\n\r\nb\r\n",
    "a header of 300,000 in lines": b"X: y\r\n" * 50000 + b"\r\nb\r\n",
    "a million empty lines": b"Subject: a\r\n\r\n" + b"\r\n" * 1000000,
    "an mbox line": b"From a@b Thu Jan  1 00:00:00 1970\r\nSubject: a\r\n"
                    b"\r\n>From here\r\nFrom here\r\n",
    "a Received of another": b"Received: from a (b)\r\n\tby c; today\r\n"
                             b"Subject: a\r\n\r\nb\r\n",
    "99 Received of others": b"Received: by x\r\n" * 99 + b"\r\nb\r\n",
    "trailing blanks": b"Subject: a \t\r\n \t\r\n\r\nb \t \r\n \r\n",
    "blocks that end in CR": b"Subject: a\r\n\r\n" + (
        b"z" * 8191 + b"\r\n.") * 40,
    "a megabyte": b"Subject: a\r\n\r\n" + (b"k" * 70 + b"\r\n") * 14564,
}


def to_crlf(data):
    """CRLF and nothing else ends a line, also the last."""
    data = re.sub(rb"\r\n|\r|\n", b"\r\n", data)
    return data if not data or data.endswith(b"\r\n") else data + b"\r\n"


class Session:
    """SMTP with pipelining, for many messages."""

    def __init__(self, where):
        self.sock = socket.create_connection(where, 120)
        self.file = self.sock.makefile("rb")
        self.reply()
        self.sock.sendall(b"EHLO client.example\r\n")
        self.reply()

    def reply(self):
        while True:
            line = self.file.readline(4096)
            if not line:
                raise OSError("the gateway closed")
            if line[3:4] != b"-":
                return line.decode("utf-8", "replace").strip()

    def mail(self, data, rcpts, is_8bit):
        lines = ["MAIL FROM:<sender@client.example>"
                 + (" BODY=8BITMIME" if is_8bit else "")]
        lines += [f"RCPT TO:<{r}>" for r in rcpts] + ["DATA", ""]
        self.sock.sendall("\r\n".join(lines).encode())
        replies = [self.reply() for _ in range(len(rcpts) + 2)]
        if not replies[-1].startswith("354"):
            return " / ".join(replies)
        stuffed = (b"\r\n" + data).replace(b"\r\n.", b"\r\n..")[2:]
        self.sock.sendall(stuffed + b".\r\n")
        return self.reply()


def rcpts_of(i):
    """One, two or five recipients, some of another domain."""
    names = [f"m{i}@ours.example"]
    if i % 5 == 1:
        names.append(f"m{i}.copy@ours.example")
    if i % 7 == 2:
        names += [f"m{i}.{k}@{'ours' if k % 2 else 'other'}.example"
                  for k in range(4)]
    return names


def send_all(lab, mails, refused):
    todo, lock = list(reversed(list(enumerate(mails)))), threading.Lock()

    def work():
        try:
            session = Session(lab.smtp)
            while True:
                with lock:
                    if not todo:
                        return
                    i, (name, data) = todo.pop()
                has_8bit = any(b > 127 for b in data[:4096])
                got = session.mail(data, rcpts_of(i), has_8bit and i % 2 == 0)
                if not got.startswith("250"):
                    refused.append(f"{name}: {got}")
        except OSError as e:
            refused.append(f"a session: {e}")

    threads = [threading.Thread(target=work) for _ in range(SESSIONS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def judge(data, sent):
    """What is wrong with what arrived, or None."""
    body, field = strip_received(data)
    if field is None:
        return f"no well-formed Received of ours: {data[:200]!r}"
    when = email.utils.parsedate_to_datetime(field.group(3).decode())
    if abs(when.timestamp() - time.time()) > 3600:
        return f"the date of Received is wrong: {field.group(3)!r}"
    if field.group(1) != b"[127.0.0.1]":
        return f"the client in Received is wrong: {field.group(1)!r}"
    if body != sent:
        at = next((i for i, (a, b) in enumerate(zip(body, sent)) if a != b),
                  min(len(body), len(sent)))
        return (f"{len(body)} bytes, {len(sent)} were sent, first other at "
                f"{at}: {body[at:at + 40]!r}, sent {sent[at:at + 40]!r}")
    return None


def check_all(sink, mails):
    """(recipients that got it right, what was wrong)"""
    right, wrong = {}, []
    for sender, rcpts, data in sink.all():
        i = int(re.match(r"m(\d+)", rcpts[0]).group(1))
        fault = judge(data, mails[i][1])
        if sender != "sender@client.example":
            fault = f"the sender became {sender}"
        if fault:
            wrong.append(f"{mails[i][0]}: {fault}")
            continue
        for r in rcpts:
            right[r] = right.get(r, 0) + 1
    return right, wrong


def through(mails, words):
    if not claim(mails, f"{words}: there is some"):
        return
    print(f"# {words}: {len(mails)} messages", flush=True)
    sink = Sink()
    lab = Lab(sink.text, domains=["other.example"],
              sets={"dest_concurrency": "20", "headers_add": "no",
                    "filter_antivirus": "no",
                    "subject_tag": ""})
    refused = []
    send_all(lab, mails, refused)
    same(refused[:WRONG_SHOWN], [], f"{words}: each is answered 250")
    claim(wait_for(lab.is_empty, DELIVERED_S),
          f"{words}: the queues get empty", lab.left(), lab.log())
    right, wrong = check_all(sink, mails)
    same(wrong[:WRONG_SHOWN], [],
         f"{words}: each leaves byte for byte as it came")
    want = {r: 1 for i in range(len(mails)) for r in rcpts_of(i)}
    missing = sorted(set(want.items()) ^ set(right.items()))
    same(missing[:WRONG_SHOWN], [],
         f"{words}: each recipient gets it, and once")
    lab.balances(f"{words}: the audit balances", delivered=len(want),
                 accepted=len(want), duplicates=0)
    lab.down()
    sink.stop()


def files_below(top):
    found = []
    for folder, _, names in sorted(os.walk(top)):
        found += [os.path.join(folder, n) for n in sorted(names)]
    return found


def is_message(path):
    """What a suite holds beside messages: their parts and oracles."""
    with open(path, "rb") as f:
        head = f.read(65536)
    return re.search(rb"^[!-9;-~]+[ \t]*:", head, re.M) is not None and \
        not path.endswith((".json", ".jsonl", ".md"))


def read_mails(paths):
    mails = []
    for path in paths:
        with open(path, "rb") as f:
            mails.append((os.path.basename(path), to_crlf(f.read())))
    return mails


def test_ours():
    through([(name, to_crlf(data)) for name, data in OURS.items()],
            "made for it")


def test_corpora():
    top = os.environ.get("CORPORA")
    if not top:
        claim(True, "real mail # SKIP CORPORA is not set")
        return
    through(read_mails(files_below(f"{top}/mail")), "real mail")
    through(read_mails(p for p in files_below(f"{top}/suites/mime")
                       if is_message(p)), "MIME suites")


run(test_ours, test_corpora)
