#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Where mail goes: by order, evenly, by MX, outwards by MX and smarthosts,
# and what becomes of it where there is no way; what mcctl says of it.
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from smtplab import (BUILD, Hop, Lab, Names, claim, client, fate, run, same,
                     send, together, wait_for)

NAMES = {
    "client.example": {"A": "127.0.0.1"},
    "x.example": {"A": "127.0.0.1"},
    "far.example": {"MX": [(20, "mx3.far.example"), (10, "mx2.far.example"),
                           (10, "mx4.far.example")]},
    "mx2.far.example": {"A": "127.0.0.2"},
    "mx3.far.example": {"A": "127.0.0.3", "AAAA": "100::3"},
    "mx4.far.example": {"A": "127.0.0.4"},
    "alone.example": {"A": "127.0.0.3"},
    "null.example": {"MX": [(0, ".")]},
    "back.example": {"MX": [(10, "lab.example"), (20, "mx3.far.example")]},
    "sick.example": None,
    "lab.example": {"A": "127.0.0.9"},
}


def mcctl(lab, *words):
    got = subprocess.run(
        [f"{BUILD}/bin/mcctl", "-c", f"{lab.dir}/etc/mcd.conf", "--json",
         *words], check=False, capture_output=True, text=True,
        stdin=subprocess.DEVNULL)
    return got.returncode, [json.loads(x) for x in got.stdout.splitlines()], \
        got.stderr


def outward(lab, hop):
    for to, words in (("x@far.example", "to the exchanger that is there"),
                      ("x@alone.example", "to a domain without MX"),
                      ("x@[127.0.0.3]", "to an address")):
        name = send(lab, rcpts=[to])
        line = fate(lab, name, "delivered", "2.0.0", "250", to)
        claim("127.0.0.3]" in line, words, line)
    # One message with the fates of four domains.
    name = send(lab, rcpts=["x@none.example", "x@null.example",
                            "x@back.example", "x@sick.example"])
    fate(lab, name, "bounced", "5.1.2", "domain none.example is not known",
         "x@none.example")
    fate(lab, name, "bounced", "5.1.10", "domain null.example takes no mail",
         "x@null.example")
    fate(lab, name, "bounced", "5.4.6", "mail for back.example loops back",
         "x@back.example")
    fate(lab, name, "deferred", "4.4.3", "domain sick.example has mail exch",
         "x@sick.example")
    smart = Hop(host="127.0.0.5")
    lab.ctl("smarthost", "add", f"127.0.0.6:{smart.port},1")
    lab.ctl("smarthost", "add", f"{smart.text},2")
    same([(r["host"], r["priority"]) for r in mcctl(
        lab, "smarthost", "list")[1]],
         [(f"127.0.0.6:{smart.port}", 1), (smart.text, 2)],
         "smarthosts are listed, best first")
    name = send(lab, rcpts=["y@else.example"])
    line = fate(lab, name, "delivered", "2.0.0", "250", "y@else.example")
    claim("relay=127.0.0.5[" in line, "and used, the first that is there",
          line)
    code, rows, _ = mcctl(lab, "test", "addr", "y@else.example")
    claim(code == 0 and "by a smarthost" in rows[0]["why"] and
          rows[0]["ours"] is False, "test addr says so", rows)
    same(mcctl(lab, "smarthost", "delete", "127.0.0.7:25")[0], 65,
         "one that is none cannot be deleted")
    lab.ctl("smarthost", "delete", f"127.0.0.6:{smart.port}")
    lab.ctl("smarthost", "delete", smart.text)
    c = client(lab)
    lab.ctl("relay", "delete", "127.0.0.1")
    claim(wait_for(lambda: client(lab).begin(
        rcpts=["x@far.example"]).startswith("550")),
          "others may not send outwards")
    c.close()


def balanced(lab, hops):
    lab.ctl("domain", "set", "even.example",
            *[word for hop in hops for word in ("--dest", hop.text)])
    c = client(lab)
    for _ in range(30):
        c.mail(b"Subject: x\r\n\r\n", rcpts=["r@even.example"])
    c.close()
    claim(wait_for(lambda: sum(len(h.mails) for h in hops) == 30),
          "all are delivered")
    claim(all(len(h.mails) >= 3 for h in hops), "each has its share",
          [len(h.mails) for h in hops])


def put_off(lab):
    first = Hop(lambda hop, verb, line, session:
                "450 4.2.0 not now" if verb == "RCPT" else None)
    second = Hop()
    lab.ctl("domain", "set", "off.example", "--dest", f"{first.text},1",
            "--dest", f"{second.text},2")
    to = "r@off.example"
    name = send(lab, rcpts=[to])
    line = fate(lab, name, "delivered", "2.0.0", "250", to)
    claim(f":{second.port} " in line and first.sessions == 1,
          "who is put off by the first is taken by the second", line)
    first.answer = lambda hop, verb, line, session: \
        "554 5.3.2 go away" if verb == "CONNECT" else None
    name = send(lab, rcpts=[to])
    fate(lab, name, "delivered", "2.0.0", "250", to)


def by_mx(lab, hop):
    before = len(hop.mails)
    name = send(lab)
    line = fate(lab, name, "delivered", "2.0.0", "250")
    claim("relay=mx3.far.example[127.0.0.3]" in line,
          "a domain of ours by the MX of a name", line)
    code, rows, _ = mcctl(lab, "test", "addr", "r+x@ours.example")
    claim(code == 0 and rows[0]["ours"] and rows[0]["dest_mode"] == "mx" and
          rows[0]["route"][-1].startswith("mx3.far.example[127.0.0.3]"),
          "test addr shows the way", rows)
    same(sorted(re.sub(r"\[.*", "", x) for x in rows[0]["route"][:2]),
         ["mx2.far.example", "mx4.far.example"], "best exchangers first")
    code, rows, err = mcctl(lab, "dest", "test", "ours.example")
    steps = [r["step"] for r in rows]
    claim(code == 0 and steps.count("failed") >= 2 and
          "greeting" in steps and "MAIL" in steps,
          "dest test shows each step", rows, err)
    claim(any(r["step"] == "offers" and r["text"] == "PIPELINING"
              for r in rows), "and what is offered", rows)
    same(len(hop.mails), before + 1, "without any mail")
    code, _, err = mcctl(lab, "dest", "test", "nobody.example")
    claim(code == 69 and "not known" in err, "or why there is none", err)
    lab.ctl("domain", "set", "ours.example", "--dest",
            "%s:%d" % lab.smtp)
    name = send(lab)
    fate(lab, name, "bounced", "5.4.6", "mail for ours.example loops back")


def dsn(lab, hop):
    send(lab, params=" RET=HDRS ENVID=QQ", rcpts=["r@plain.example"])
    hop.got(1)
    claim("MAIL FROM:<a@client.example> " in hop.mails[0][0][0] and
          "RET=HDRS ENVID=QQ" in hop.mails[0][0][0],
          "what is asked of DSN goes on", hop.mails[0][0])


ODD = ("\n.\n", "\n.\r", "\r.\n", "\r.\r", "\n.\r\n", "\r.\r\n", "\r\n.\n",
       "\r\n.\r", "\r\n\0.\r\n", "\r\n.\0\r\n", "\r\n.\r\r\n",
       "\r\r\n.\r\r\n", "\r\n.\t\r\n", "\r\n. \r\n", "\r\n..\r\n",
       "\n\n.\r\n", "\r\n .\r\n", "\r\n.\x0b\r\n", "\x85.\x85",
       "\r\n\xef\xbc\x8e\r\n")


def smuggled(lab, hop):
    """What could end a message for some server leaves as text of one."""
    taken = 0
    for odd in ODD:
        c = client(lab)
        c.begin(rcpts=["r@smuggle.example"])
        c.send((f"Subject: outer\r\n\r\nouter{odd}MAIL FROM:<s@x.example>\r\n"
                "RCPT TO:<r@smuggle.example>\r\nDATA\r\nsmuggled\r\n.\r\n"
                ).encode("latin-1"))
        taken += c.reply().startswith("250")
        c.close()
    claim(taken > len(ODD) / 2, "most are taken", taken)
    same(hop.got(taken), taken, "each leaves as one message")
    claim(wait_for(lab.is_empty), "and nothing else does", lab.log())
    same(len(hop.mails), taken, "not one more")
    for commands, body, _ in hop.mails:
        text = body.replace(b"\r\n", b"")
        if b"\r" in text or b"\n" in text or b"smuggled" not in text:
            claim(False, "no bare CR or LF leaves", body)
    same({x for commands, _, _ in hop.mails for x in commands
          if x.startswith("MAIL") and "s@x.example" in x}, set(),
         "nobody else sends")


def main():
    hop, plain, odd = Hop(host="127.0.0.3"), Hop(), Hop()
    even = [Hop(), Hop()]
    lab = Lab(f"far.example:{hop.port}", resolver=Names(NAMES).text,
              smtp_out_port=hop.port, retry_first="1h",
              smtp_bare_newline_mend="yes",
              domains=[f"plain.example={plain.text}", "off.example",
                       f"smuggle.example={odd.text}", "even.example"],
              domain_sets=["ours.example:dest_mode=mx",
                           "even.example:dest_mode=balance"])
    lab.ctl("relay", "add", "127.0.0.1")
    smuggled(lab, odd)
    together(lambda: balanced(lab, even), lambda: put_off(lab),
             lambda: by_mx(lab, hop), lambda: dsn(lab, plain))
    outward(lab, hop)
    lab.end()


run(main)
