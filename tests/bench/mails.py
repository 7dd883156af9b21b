# SPDX-License-Identifier: GPL-2.0-or-later
#
# The mail that filters are measured with: what lies below CORPORA's mail
# folder, or as much that is made here, of the kinds that mail is made of.
import base64
import os
import random
import re

MADE = 1200
SENDER = "a@client.bench.example"
HAM = ("meeting minutes council budget estimate enclosed protocol office "
       "secretary calendar teacher exam course kernel patch driver review "
       "commit branch release thanks please attached report invoice order "
       "delivery tomorrow lunch question answer regards version").split()
SPAM = ("winner lottery casino jackpot bonus deposit wire inheritance pills "
        "discount replica watches unlimited refinance account suspended "
        "verify password click urgent prize claim free offer").split()


class Mail:
    """data has CRLF; sender and ip are what both are told of it."""

    def __init__(self, kind, data, number):
        self.kind = kind
        self.data = re.sub(rb"\r\n|\r|\n", b"\r\n", data)
        if not self.data.endswith(b"\r\n"):
            self.data += b"\r\n"
        self.sender = SENDER
        # Of hosts of documentation, one in ten of which is listed.
        self.ip = f"198.51.100.{number % 250 + 1}"


def text(rng, bag, words):
    return "\r\n".join(" ".join(rng.choice(bag) for _ in range(12))
                       for _ in range(words // 12))


def html(rng, bag, words, spam):
    host = "listed" if spam else "shop"
    return "<html><body>" + "".join(
        f"<p style='color:#333'>{line} <a href='http://www.{host}"
        f"{rng.randrange(40)}.bench.example/{rng.randrange(10**6)}'>"
        f"{rng.choice(bag)}</a></p>\r\n"
        for line in text(rng, bag, words).splitlines()) + "</body></html>"


def parts_of(rng, bag, spam):
    """(type, encoding or None, body) of each part."""
    kind = rng.randrange(10)
    parts = [("text/plain; charset=utf-8", None,
              text(rng, bag, rng.choice((60, 200, 600))))]
    if kind >= 4:
        parts.append(("text/html; charset=utf-8", None,
                      html(rng, bag, rng.choice((120, 400, 1500)), spam)))
    if kind >= 8:
        parts.append(("application/pdf; name=report.pdf", "base64",
                      base64.encodebytes(b"%PDF-1.4\n" + rng.randbytes(
                          rng.choice((8000, 30000)))).decode()))
    return parts


def made_one(rng, number):
    spam = number % 2 == 1
    bag = HAM + SPAM[:4] if not spam else SPAM + HAM[:10]
    parts = parts_of(rng, bag, spam)
    lines = [
        f"Received: from mx.bench.example (mx.bench.example [203.0.113."
        f"{number % 250 + 1}])\r\n\tby relay.bench.example with ESMTP; "
        "Mon, 4 May 2026 10:00:00 +0200",
        f"From: {rng.choice(bag)} <{SENDER}>", "To: user@bench.example",
        f"Subject: {text(rng, bag, 12)}", "MIME-Version: 1.0",
        "Date: Mon, 4 May 2026 10:00:00 +0200",
        f"Message-ID: <{number}.{rng.randrange(10**9)}@client.bench.example>"]
    if len(parts) == 1:
        lines += [f"Content-Type: {parts[0][0]}", "", parts[0][2]]
    else:
        lines += ["Content-Type: multipart/mixed; boundary=bound", ""]
        for kind, encoding, body in parts:
            lines += ["--bound", f"Content-Type: {kind}"]
            if encoding:
                lines.append(f"Content-Transfer-Encoding: {encoding}")
            lines += ["", body]
        lines.append("--bound--")
    return Mail("spam" if spam else "ham",
                "\r\n".join(lines).encode() + b"\r\n", number)


def of_corpora(top):
    found = []
    for folder, _, names in sorted(os.walk(f"{top}/mail")):
        kind = os.path.basename(folder)
        for name in sorted(names) if kind in ("ham", "spam") else ():
            with open(f"{folder}/{name}", "rb") as f:
                found.append((kind, f.read()))
    random.Random(1).shuffle(found)
    return [Mail(kind, data, i) for i, (kind, data) in enumerate(found)]


def mails():
    """(words about them, the mails)"""
    top = os.environ.get("CORPORA", "")
    if top:
        found = of_corpora(top)
        if found:
            return "of the corpora", found
    rng = random.Random(5322)
    return "made", [made_one(rng, i) for i in range(MADE)]
