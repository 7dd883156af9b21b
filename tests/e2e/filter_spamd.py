#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The filter spamassassin and a spamd that behaves, and one that does not:
# gone, silent, cut off, endless, of another kind, restarted in the middle.
# Mail goes on or waits as the failure policy says, and nothing is lost.
import os
import re
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, Sink, accept, claim, same, text_mail  # noqa: E402
from mclab import room, wait_for  # noqa: E402
from smtplab import run  # noqa: E402
from spamdlab import Stub, report  # noqa: E402

sink = Sink()
spamd = Stub()
lab = Lab(sink.text, conf=[f'spamd = {{ socket = "{spamd.text}"; '
                           "connections = 2; };", "workers = 3;"],
          domains=["late.example", "hold.example"],
          sets={"filter_spamassassin_time": "1500ms", "breaker_failures": "0",
                "breaker_time": "2s"},
          domain_sets=["late.example:filter_spamassassin_failure=later",
                       "hold.example:filter_spamassassin_failure=hold"])
count = iter(range(1000))


def arrives(to="r@ours.example", word=None):
    word = word or f"word{next(count)}"
    accept(lab, text_mail(f"about {word}", word + "\r\n"), rcpts=[to])
    return arrived(to, word)


def arrived(to, word):
    wait_for(lambda: any(word.encode() in m for m in sink.to(to)))
    found = next((m for m in sink.to(to) if word.encode() in m), b"")
    return found.replace(b"\r\n\t", b" ")  # unfolded


def behaves():
    spamd.answer = report({"FRT_SOMA": 7.5, "MISSING_DATE": 0.001},
                          " 7.5 FRT_SOMA       BODY: soma\n")
    data = arrives(word="somma1")
    claim(b"\r\nSubject: {Spam?} about somma1\r\n" in data,
          "points of rules make mail spam", data)
    claim(b"spamassassin (2 rules, spamd says 7.5/5.0, score 7.501, " in data,
          "and the field says so", data)
    question = spamd.asked[-1]
    claim(question.startswith(b"REPORT SPAMC/1.5\r\nContent-length: ") and
          b"\r\n\r\nReturn-Path: <a@client.example>\r\nReceived: from "
          b"client.example (" in question and b"somma1" in question,
          "spamd gets the whole message, and who has sent it", question)
    lab.ctl("rule", "set", "FRT_SOMA", "0.1")
    data = arrives(word="somma2")
    claim(b"\r\nSubject: about somma2\r\n" in data,
          "one rule's points are changed at once", data)
    lab.ctl("rule", "reset", "FRT_SOMA")
    spamd.answer = report({})
    claim(b"{Spam?}" not in arrives(), "no rules, no points")
    spamd.answer = report({f"RULE_{i}": 0.05 for i in range(300)})
    claim(b"score 15.0, " in arrives(), "rules beyond those shown count too")


def misbehaves():
    good = report({"BAD": 9.0})
    for name, answer in [
            ("cut in its head", good[:40]),
            ("cut in its report", good[:-5]),
            ("empty", b""),
            ("of another kind", b"HTTP/1.1 200 OK\r\n\r\n"),
            ("an error of spamd", b"SPAMD/1.0 76 Bad header line\r\n"),
            ("of another template", good.replace(b"mcgate 1", b"Spamdete")),
            ("too long", b"SPAMD/1.1 0 EX_OK\r\n" + b"x" * 1000000),
            ("longer than it says", good + b"more"),
            ("points that are none", good.replace(b"BAD=9", b"BAD=x")),
            ("silence", lambda conn: conn.recv(1) and threading.Event()
             .wait(3)),
            ("a connection that is closed", lambda conn: None)]:
        spamd.answer = answer
        data = arrives()
        claim(b"spamassassin (could not tell, position" in data and
              b"{Spam?}" not in data, f"{name}: no opinion, mail goes on",
              data)
    fails = iter([b"", good])
    spamd.answer = lambda conn: (conn.recv(1000000),
                                 conn.sendall(next(fails)))
    claim(b"score 9.0" in arrives(), "restarted in the middle: asked again")


def gone():
    spamd.close()
    claim(b"could not tell" in arrives(), "nobody listens: mail goes on")
    accept(lab, text_mail("later"), rcpts=["r@late.example"])
    accept(lab, text_mail("hold"), rcpts=["r@hold.example"])
    claim(wait_for(lambda: lab.rows("queue", "count")[0]["hold"] == 1),
          "or is held", lab.log())
    same(lab.rows("queue", "count")[0]["filtering"] +
         lab.rows("queue", "count")[0]["incoming"], 1, "or waits")
    spamd.answer = report({})
    spamd.listen()
    lab.ctl("queue", "unhold", "all")
    claim(wait_for(lambda: len(sink.to("r@late.example", 0)) == 1),
          "what waits is judged when spamd is back", lab.log())
    claim(wait_for(lambda: len(sink.to("r@hold.example", 0)) == 1),
          "what was held goes when it is told to", lab.log())


def limited():
    wait_for(lambda: spamd.open == 0)  # who was silent is so for a while
    spamd.most = 0
    spamd.answer = lambda conn: (conn.recv(1000000), threading.Event()
                                 .wait(0.2), spamd.leaves(conn),
                                 conn.sendall(report({})))
    for i in range(9):
        accept(lab, text_mail(f"many{i}"), rcpts=["m@ours.example"])
    same(len(sink.to("m@ours.example", 9)), 9, "many at a time are judged")
    claim(spamd.most <= 2, "over as many connections as may be", spamd.most)
    # A worker that dies with a connection gives it back.
    stop = threading.Event()
    spamd.answer = lambda conn: stop.wait(20)
    lab.ctl("setting", "set", "filter_spamassassin_time", "60s")
    for i in range(2):
        accept(lab, text_mail(f"dies{i}"), rcpts=["d@ours.example"])
    claim(wait_for(lambda: spamd.open == 2), "two hold one each")
    spamd.answer = report({})
    for pid in (lab.pid(f"worker {i}") for i in (1, 2, 3)):
        lab.kill(pid)
    stop.set()
    same(len(sink.to("d@ours.example", 2)), 2,
         "and both are judged though their workers died")
    lab.ctl("setting", "set", "filter_spamassassin_time", "1500ms")


def socket_of_a_path():
    path = room("mcgate-socket.") + "/s"
    other = Stub(path)
    other.answer = report({"BY_PATH": 6.0})
    conf = f"{lab.dir}/etc/mcd.conf"
    with open(conf, encoding="utf-8") as f:
        text = f.read().replace(spamd.text, path)
    with open(conf, "w", encoding="utf-8") as f:
        f.write(text)
    lab.ctl("reload")
    claim(b"score 6.0" in arrives(), "a unix socket, from a reload on")
    other.close()
    claim(b"could not tell" in arrives(), "closed: no opinion")
    other.listen()
    claim(b"score 6.0" in arrives(), "made anew: found again")
    with open(conf, "w", encoding="utf-8") as f:
        f.write(text.replace(path, ""))
    lab.ctl("reload")
    claim(b"spamassassin (" not in arrives(), "none set up: nothing is said")
    with open(conf, "w", encoding="utf-8") as f:
        f.write(text.replace(path, "somewhere"))
    got = lab.run("check")
    claim(got.returncode == 78 and "spamd.socket" in got.stderr + got.stdout
          and "ADDR@PORT" in got.stderr + got.stdout, "a wrong word is named",
          got)
    with open(conf, "w", encoding="utf-8") as f:
        f.write(text)


def figures():
    for row in lab.rows("filter", "list"):
        if row["name"] == "spamassassin":
            return row
    return {}


def breaks():
    with open(f"{lab.dir}/etc/mcd.conf", "r+", encoding="utf-8") as f:
        text = re.sub(r'socket = "[^"]*"', f'socket = "{spamd.text}"',
                      f.read())
        f.seek(0)
        f.truncate()
        f.write(text)
    lab.ctl("reload")
    spamd.answer = report({"BACK": 6.0})
    lab.ctl("setting", "set", "breaker_failures", "2")
    claim(wait_for(lambda: b"score 6.0" in arrives()), "works at first")
    spamd.close()
    before = figures()
    for i in range(2):
        claim(b"could not tell" in arrives(), f"failure {i + 1}")
    claim(wait_for(lambda: figures()["breaker"] == "open"),
          "two in a row: it is left out", lab.log())
    after = figures()
    same((after["errors"] - before["errors"], after["calls"] -
          before["calls"]), (2, 2), "and counted")
    got = lab.ctl("status")
    claim("spamassassin LEFT OUT" in got and "mcctl doctor" in got,
          "status says so, and what to do", got)
    lab.ctl("setting", "set", "breaker_time", "60s")
    spamd.listen()
    claim(b"could not tell" in arrives(), "it is not asked")
    claim(wait_for(lambda: figures()["left_out"] > after["left_out"]),
          "which is counted")
    lab.ctl("setting", "set", "breaker_time", "2s")
    claim(wait_for(lambda: b"score 6.0" in arrives()),
          "after its time one message tries it, and all use it again")
    claim(wait_for(lambda: figures()["breaker"] == "closed"), "closed")
    claim("LEFT OUT" not in lab.ctl("status"), "status says nothing of it")


def ends():
    lab.balances()


run(behaves, misbehaves, gone, limited, socket_of_a_path, breaks, ends)
