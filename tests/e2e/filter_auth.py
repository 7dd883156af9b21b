#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# SPF, DKIM and DMARC of the sender: what they are worth, what is said of
# them in Authentication-Results, and that nobody else says it for us.
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from dnslab import SILENT, Dns  # noqa: E402
from mclab import Sink, accept, same  # noqa: E402
from smtplab import BUILD, Lab, claim, run, wait_for  # noqa: E402

# Of keys that are nowhere else: the mail may not be changed by a byte.
SIGNED = (
    b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=signed.example;\r\n"
    b" i=@signed.example; q=dns/txt; s=sel; t=1700000000; h=from : subject;\r\n"
    b" bh=yZQq1c8wjBl0fZ4Wc/oraMCAG1mZJv5v/hlvyFy+t6A=;\r\n"
    b" b=vYoirvXE3C+gUXooEPawWqBHkQLHI7F9mgTYsvyKW5cvIfBQofv1XOl9Culhgi4WQEXE+\r\n"
    b" 3gYUXB/ehcS7Kq1AJv429wVo09YWgb9znA89/v6NmsTlJ0EoYEhPBLTw5Iq1fgRGjXR2fEr\r\n"
    b" oMOFcFPhiyK/ZL4sRo6C3OSu8N6aWC8=\r\n"
    b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
    b" d=signed.example; i=@signed.example; q=dns/txt; s=ed; t=1700000000;\r\n"
    b" h=from : subject; bh=yZQq1c8wjBl0fZ4Wc/oraMCAG1mZJv5v/hlvyFy+t6A=;\r\n"
    b" b=03tVwAaABZ4JWmojMTY/sb7fQzC6ZfPr1EThGrv8q+IhVe8M/5X/yEor0zuoMA018RC4s\r\n"
    b" I+kLjlqkjUh6+YPCw==\r\n"
    b"From: Ann <ann@signed.example>\r\n"
    b"To: r@ours.example\r\n"
    b"Subject: signed\r\n"
    b"Date: Wed, 25 Nov 2026 03:00:00 +0000\r\n"
    b"Message-ID: <1@signed.example>\r\n"
    b"\r\n"
    b"Hello.\r\n"
)
RSA = ("MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDATdi0nE5O68tftrb0gZAg"
       "VpLJVKelffdsKpEh8MRE8Y4Sln/LtAhaDq06DY4wOSoYLQZitek1BQxpX7jb"
       "loylW6woXrSYOanj85mukJJo8D1OO2Hryp+sFObLVawesKXsG7YdswSTZ6nT"
       "WEoE6ZrMc8AQkacTccJFVtSgH+aYSwIDAQAB")
ED25519 = "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w="
dns = Dns({
    "signed.example": {"A": "192.0.2.1"},
    "sel._domainkey.signed.example": {"TXT": f"v=DKIM1; p={RSA}"},
    "ed._domainkey.signed.example":
        {"TXT": f"v=DKIM1; k=ed25519; p={ED25519}"},
    "_dmarc.signed.example": {"TXT": "v=DMARC1; p=reject"},
    "spf.example": {"A": "192.0.2.1",
                    "TXT": "v=spf1 ip4:127.0.0.1 -all"},
    "_dmarc.spf.example": {"TXT": "v=DMARC1; p=quarantine"},
    "forged.example": {"A": "192.0.2.1", "TXT": "v=spf1 -all"},
    "_dmarc.forged.example": {"TXT": "v=DMARC1; p=reject"},
    "plain.example": {"A": "192.0.2.1"},
    "slow.example": {"A": "192.0.2.1"},
    "_dmarc.slow.example": SILENT,
})
sink = Sink()
lab = Lab(sink.text, resolver=dns.text, auth_results_name="mx.ours.example")



def mail(subject, author):
    return (f"From: {author}\r\nSubject: {subject}\r\n\r\n"
            f"text\r\n").encode()


def send(data, sender, **words):
    name = accept(lab, data, sender=sender, **words)
    wait_for(lambda: any(name in line and " done" in line
                         for line in lab.log().splitlines()))
    return name


def field(data):
    """Our Authentication-Results, unfolded."""
    head = data.split(b"\r\n\r\n")[0].replace(b"\r\n\t", b" ").decode()
    found = [line.partition(": ")[2] for line in head.split("\r\n")
             if line.lower().startswith("authentication-results:")]
    return found[0] if found else ""


def arrived(word):
    wait_for(lambda: any(word in m for _, _, m in sink.all()))
    return next((m for _, _, m in sink.all() if word in m), b"")


def explained(name):
    def look():
        return subprocess.run(
            [f"{BUILD}/bin/mcctl", "-c", f"{lab.dir}/etc/mcd.conf",
             "explain", name, "--json"], check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    wait_for(look)
    got = json.loads(look().splitlines()[0])
    return got, [f for f in got["filters"] if f["filter"] == "auth"][0]


def both_keys():
    name = send(SIGNED, "ann@signed.example")
    data = arrived(b"\r\nHello.\r\n")
    same(field(data), "mx.ours.example; spf=none reason=\"no SPF record\" "
         "smtp.mailfrom=ann@signed.example; dkim=pass "
         "header.d=signed.example header.s=sel header.a=rsa-sha256; "
         "dkim=pass header.d=signed.example header.s=ed "
         "header.a=ed25519-sha256; dmarc=pass header.from=signed.example "
         "(p=reject dis=none)", "a signed mail has our results")
    claim(data.endswith(SIGNED), "and is what it was below them", data)
    got, auth = explained(name)
    same((auth["detail"], got["score"]),
         ("spf none, dkim pass, dmarc pass", 0), "and no points")
    claim("AUTH_DMARC_PASS" in [f["name"] for f in auth["findings"]],
          "the evidence is explained", auth)


def changed():
    name = send(SIGNED.replace(b"Hello.", b"Other."), "ann@signed.example")
    data = arrived(b"\r\nOther.\r\n")
    claim(" dkim=fail " in field(data) and " dmarc=fail " in field(data),
          "one that was changed fails", field(data))
    got, auth = explained(name)
    same(sorted((f["name"], f["points"]) for f in auth["findings"]),
         [("AUTH_DKIM_FAIL", 0.1), ("AUTH_DKIM_FAIL", 0.1),
          ("AUTH_DMARC_REJECT", 4.0)], "which has points")
    same(got["verdict"], "ham", "and decides nothing as shipped")


def spf():
    name = send(mail("by spf", "a@spf.example"), "a@spf.example")
    same(explained(name)[1]["detail"], "spf pass, dkim none, dmarc pass",
         "SPF speaks for its domain")
    name = send(mail("forged", "a@forged.example"),
                "a@forged.example")
    got, auth = explained(name)
    same((auth["detail"], auth["points"], got["verdict"]),
         ("spf fail, dkim none, dmarc fail", 5.5, "spam"),
         "one that forges both is spam")
    name = send(mail("plain", "a@plain.example"),
                "a@plain.example")
    same(explained(name)[1]["points"], 0, "who says nothing has no points")


def follow():
    lab.ctl("setting", "set", "dmarc_reject", "quarantine")
    name = accept(lab, SIGNED.replace(b"Hello.", b"Third."),
                  sender="ann@signed.example")
    got, _ = explained(name)
    same((got["verdict"], got["action"], got["settings"][1]["name"],
          got["settings"][1]["from"]),
         ("spam", "quarantine", "dmarc_reject", "global"),
         "p=reject is followed where a setting says so")
    name = send(SIGNED, "ann@signed.example")
    same(explained(name)[0]["action"], "deliver", "a pass is not touched")
    lab.ctl("setting", "unset", "dmarc_reject")


def foreign():
    forged = b"Authentication-Results: MX.ours.example; spf=pass\r\n"
    other = b"Authentication-Results: mx.other.example; spf=pass\r\n"
    send(forged + other + mail("claims", "a@plain.example"),
         "a@plain.example")
    data = arrived(b"Subject: claims\r\n")
    claim(forged not in data and other in data,
          "a field that claims to be ours goes, others stay", data)
    send(forged * 150 + mail("many", "a@plain.example"), "a@plain.example")
    data = arrived(b"Subject: many\r\n")
    claim(b"; spf=pass" not in data, "however many there are", data)
    lab.ctl("setting", "set", "auth_results", "no")
    send(forged + mail("quiet", "a@plain.example"),
         "a@plain.example")
    data = arrived(b"Subject: quiet\r\n")
    claim(b"Authentication-Results" not in data,
          "also where ours is not added", data)
    lab.ctl("setting", "set", "auth_results_foreign", "yes")
    send(forged + mail("loud", "a@plain.example"),
         "a@plain.example")
    claim(forged in arrived(b"Subject: loud\r\n"),
          "unless a setting leaves them")


def unsure():
    name = send(mail("slow", "a@slow.example"), "a@slow.example")
    got, auth = explained(name)
    same((auth["class"], auth["did"], auth["points"]), ("unknown", "skip", 0),
         "no answer is no opinion")
    claim("could not tell: DNS did not answer" in lab.ctl("explain", name),
          "and said in words", lab.ctl("explain", name))
    same(got["verdict"], "ham", "the mail goes on")


run(both_keys, changed, spf, follow, foreign, unsure)
