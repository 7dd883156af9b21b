#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# DNS lists in the filters: of the client, of the host behind a relay, of
# what mail leads to, allow-lists, and whom mail is taken from unasked.  The
# lists are nsd's, asked through unbound.
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from dnslab import reverse  # noqa: E402
from mclab import Lab, Sink, claim, queue_id, same, text_mail  # noqa: E402
from mclab import wait_for  # noqa: E402
from rbllab import Nsd, Unbound  # noqa: E402
from smtplab import Client, run  # noqa: E402

BAD, GOOD, WHITE, RELAY, HOST = (f"192.0.2.{i}" for i in (66, 1, 77, 5, 8))
BAD6 = "2001:db8::66"
TEST6 = reverse("::ffff:127.0.0.2", "x").removesuffix(".x")


def entry(ip, *replies):
    name = reverse(ip, "x").removesuffix(".x")
    return [f"{name} A {reply}" for reply in replies]


TESTS = ["2.0.0.127 A 127.0.0.2", f"{TEST6} A 127.0.0.2"]
nsd = Nsd({
    "bad.example": [*TESTS, *entry(BAD, "127.0.0.2", "127.0.0.11"),
                    *entry(BAD6, "127.0.0.2"),
                    *entry("10.1.2.3", "127.0.0.2")],
    "uri.example": ["TEST A 127.0.0.14", "evil.example A 127.0.0.10",
                    "xn--strae-oqa.example A 127.0.0.2",
                    "only.host.example A 127.0.0.2",
                    "2.0.0.127 A 127.0.0.14", *entry(BAD, "127.0.0.8")],
    "white.example": ["2.0.0.127 A 127.0.10.0", f"{TEST6} A 127.0.10.0",
                      *entry(WHITE, "127.0.10.3"), *entry(GOOD, "127.0.10.0")],
    "example": ["client MX 10 mx.client", "mx.client A 192.0.2.1",
                "spf TXT \"v=spf1 ip4:192.0.2.0/24 -all\"", "spf MX 10 mx.client"],
})
resolver = Unbound({"example": nsd.port})
sink = Sink()
lab = Lab(sink.text, smtp_with='xclient_from = [ "127.0.0.1" ];',
          resolver=resolver.text, sets={"client_names": "no", "filter_auth": "no"})


def send(word, ip=GOOD, body="text\r\n", sender="a@client.example", **fields):
    """One mail of a client; its fields as they arrive."""
    c = Client(lab)
    c.reply()
    c.say("XCLIENT ADDR=" + ("IPV6:" if ":" in ip else "") + ip)
    c.say("EHLO client.example")
    rcpt = f"{word}@ours.example"
    got = c.mail(text_mail(word, body, **fields), sender=sender, rcpts=[rcpt])
    c.close()
    if not got.startswith("250"):
        raise RuntimeError(f"{word}: {got}")
    data = sink.to(rcpt)[0]
    return data.split(b"\r\n\r\n")[0].decode("utf-8", "replace").replace(
        "\r\n\t", " ").replace("\r\n ", " ") + "\n", queue_id(got)


def field(head, name):
    return next((line.split(": ", 1)[1] for line in head.splitlines()
                 if line.startswith(name + ": ")), "")


def check(word, score, part="", **how):
    head, name = send(word, **how)
    got = field(head, "X-MC-Score")
    claim(got.split("/")[0].split(" ")[0] == score and
          part in field(head, "X-MC-SpamCheck"),
          f"{word}: {score}, {part or 'nothing'}", head, lab.log()[-3000:])
    return head, name


def lists():
    lab.ctl("rbl", "add", "bad", "--zone", "bad.example", "--lists",
            "ip4,ip6", "--use", "prerbl", "--replies",
            "127.0.0.2=3.0/SBL,127.0.0.10-11=1.5/PBL")
    lab.ctl("rbl", "add", "uri", "--zone", "uri.example", "--lists",
            "ip4,domain,host", "--use", "urirbl", "--replies",
            "127.0.0.bit2=2.5/BLACK,127.0.0.bit4=0.5/GREY,127.0.0.bit8=1.0/RED")
    lab.ctl("rbl", "add", "white", "--zone", "white.example", "--lists",
            "ip4,ip6", "--use", "trusted", "--points", "-5.0", "--replies",
            "127.0.*.0=0.0/NONE,127.0.*.2-3/HIGH")
    claim(wait_for(lambda: [r["misses"] for r in lab.rows("rbl", "list")] ==
                   [0, 0, 0] and lab.rows("rbl", "test", BAD)),
          "three lists")


def prerbl():
    check("clean", "0.0")
    check("listed", "4.5", "prerbl (score 4.5, position", ip=BAD)
    check("listed6", "3.0", "prerbl (score 3.0, position", ip=BAD6)
    check("private", "0.0", ip="10.1.2.3")
    lab.ctl("rule", "set", "RBL_BAD_PBL", "0.5")
    check("rule", "3.5", "prerbl (score 3.5", ip=BAD)
    lab.ctl("rule", "reset", "RBL_BAD_PBL")
    rows = {r["name"]: r for r in lab.rows("rbl", "list")}
    same([(n, rows[n]["errors"], rows[n]["state"]) for n in sorted(rows)],
         [("bad", 0, "on"), ("uri", 0, "on"), ("white", 0, "on")],
         "all lists are well")
    same((rows["bad"]["hits"], rows["uri"]["hits"]), (3, 0),
         "hits are counted a list")


def relayed():
    by = f"from x (x [{BAD}]) by relay.example with ESMTP; now"
    check("notbelieved", "0.0", ip=RELAY, Received=by)
    lab.ctl("trusted", "add", "relay", RELAY)
    check("behind", "4.5", "prerbl (score 4.5", ip=RELAY, Received=by)
    check("forged", "0.0", ip=RELAY, Received=(
        f"from x (x [{GOOD}]) by relay.example with ESMTP; now\r\n"
        f"Received: from y (y [{BAD}]) by x with ESMTPSA; now"))
    head, _ = check("auth", "-5.0", "trusted (by relay", ip=RELAY, Received=(
        f"from x (x [{BAD}]) by relay.example with ESMTPSA; now"))
    claim("ham decisive" in field(head, "X-MC-SpamCheck"),
          "who said to a relay who he is decides", head)


def urirbl():
    check("link", "3.5", "urirbl (score 3.5",
          body="see http://www.evil.example/x and http://fine.example\r\n")
    check("html", "3.5", "urirbl (score 3.5", Content_Type="text/html",
          body="<a href='http://a.evil.example'>b</a>"
               "<a href='http://b.evil.example'>c</a>\r\n")
    check("host", "2.5", "urirbl (score 2.5",
          body="http://only.host.example/ http://other.host.example/\r\n")
    check("address", "1.0", "urirbl (score 1.0", body=f"http://{BAD}/\r\n")
    check("odd", "1.0", "urirbl (score 1.0", body="http://3221226050/\r\n")
    check("redirect", "3.5", "urirbl (score 3.5",
          body="http://go.example/?u=http%3A%2F%2Fevil.example%2Fx\r\n")
    check("idn", "2.5", "urirbl (score 2.5",
          Content_Type="text/plain; charset=utf-8",
          Content_Transfer_Encoding="quoted-printable",
          body="http://stra=C3=9Fe.example/\r\n")
    check("field", "3.5", "urirbl (score 3.5",
          Reply_To="<joe@evil.example>")


def trusted():
    head, _ = check("white", "-5.0", "trusted (", ip=WHITE,
                    body="http://evil.example\r\n")
    claim("ham decisive" in field(head, "X-MC-SpamCheck") and
          "urirbl" not in field(head, "X-MC-SpamCheck"),
          "an allow-list decides, and no more is asked", head)
    lab.ctl("relay", "add", HOST)
    check("ownhost", "2.5", "urirbl", ip=HOST,
          body="http://only.host.example/\r\n")
    lab.ctl("relay", "delete", HOST)
    lab.ctl("trusted", "add", "host", "192.0.2.8/31", "--note", "theirs")
    check("host1", "-5.0", "trusted (192.0.2.8 in 192.0.2.8/31", ip=HOST,
          body="http://evil.example\r\n")
    lab.ctl("rule", "set", "TRUSTED_HOST", "0")
    check("host0", "3.5", "urirbl", ip=HOST, body="http://evil.example\r\n")
    lab.ctl("trusted", "add", "spf", "Spf.example")
    check("spf", "-5.0", "trusted (spf.example by spf.example",
          sender="a@spf.example", body="http://evil.example\r\n")
    same([(r["kind"], r["what"], r["note"])
          for r in lab.rows("trusted", "list")],
         [("host", "192.0.2.8/31", "theirs"), ("relay", RELAY + "/32", ""),
          ("spf", "spf.example", "")], "they are listed")
    lab.ctl("trusted", "delete", "spf", "spf.example")
    check("nospf", "3.5", "urirbl", sender="a@spf.example",
          body="http://evil.example\r\n")
    lab.balances()


run(lists, prerbl, relayed, urirbl, trusted)
