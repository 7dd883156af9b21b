#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 240
#
# Stop, reload and crash under mail: a session lives through a reload, a
# message under way is finished at a stop, and after kill -9 of all at any
# moment each message that was answered 250 is delivered, and audited.
import os
import random
import signal
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (Lab, Sink, claim, client, same,  # noqa: E402
                   strip_received, text_mail, wait_for)
from smtplab import Client, run  # noqa: E402

ROUNDS = 6
SENDERS = 4
sink = Sink()


def reload_in_data():
    lab = Lab(sink.text)
    c = client(lab)
    data = text_mail("reloaded", "one\r\ntwo\r\nthree\r\n")
    c.begin(rcpts=["reload@ours.example"])
    c.send(data[:-12])
    for i in range(3):
        ready = lab.log().count("ready generation=")
        lab.kill(lab.parent(), signal.SIGHUP)
        claim(lab.logs("ready generation=", times=ready + 1),
              f"reload {i + 1} in the middle of DATA", lab.log())
    c.send(data[-12:] + b".\r\n")
    claim(c.reply().startswith("250"), "the message is taken")
    same(c.mail(data, rcpts=["reload2@ours.example"])[:3], "250",
         "and the session takes another")
    for rcpt in ("reload@ours.example", "reload2@ours.example"):
        same([strip_received(g)[0] for g in sink.to(rcpt)], [data],
             f"{rcpt} gets it whole")
    claim(not lab.run("reload").returncode, "mcctl reload")
    same(c.say("NOOP")[:3], "250", "keeps the session as well")
    lab.empties()
    lab.balances(delivered=2)
    lab.down()


def wrong_reload():
    lab = Lab(sink.text)
    path = f"{lab.dir}/etc/mcd.conf"
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "a", encoding="utf-8") as f:
        f.write("workers = many;\n")
    line = text.count("\n") + 1
    c = client(lab)
    lab.kill(lab.parent(), signal.SIGHUP)
    claim(lab.logs(f"mcd.conf:{line}: "),
          "a wrong file at a reload: its line is said", lab.log())
    same(c.mail(text_mail("wrong"), rcpts=["wrong@ours.example"])[:3], "250",
         "the session goes on")
    same(len(sink.to("wrong@ours.example")), 1, "and mail is delivered")
    got = lab.run("reload")
    claim(got.returncode != 0 and f"mcd.conf:{line}" in got.stderr,
          "mcctl says what is wrong", got)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    lab.ctl("reload")
    lab.down()


def stop_in_data():
    lab = Lab(sink.text)
    idle = client(lab)
    busy = client(lab)
    data = text_mail("finished")
    busy.begin(rcpts=["stop@ours.example"])
    busy.send(data[:20])
    parent = lab.parent()
    lab.kill(parent, signal.SIGTERM)
    same(idle.reply()[:3], "421", "SIGTERM: an idle session gets 421")
    claim(idle.is_closed(), "and is closed")
    busy.send(data[20:] + b".\r\n")
    same(busy.reply()[:3], "250", "a message under way is taken")
    same(busy.reply()[:3], "421", "then that session gets 421 too")
    lab.down()
    lab.up()
    same([strip_received(g)[0] for g in sink.to("stop@ours.example")],
         [data], "what was taken last is delivered, if only by the next mcd")
    lab.empties()
    lab.balances(accepted=1, delivered=1)
    lab.down()


def cut_in_data():
    """A client that goes in DATA leaves nothing behind."""
    lab = Lab(sink.text)
    for i in range(20):
        c = client(lab)
        c.begin(rcpts=["cut@ours.example"])
        c.send(text_mail("cut")[:10 + i * 3])
        c.close()
    claim(lab.empties(), "20 clients go within DATA: nothing is left",
          lab.left())
    c = client(lab)
    c.begin(rcpts=["slow@ours.example"])
    lab.crash()
    lab.up()
    claim(lab.empties(), "a body that was never committed goes at the start",
          lab.left())
    same(len(sink.to("cut@ours.example", 0)), 0, "none is delivered")
    lab.balances(accepted=0)
    lab.down()


def send_until(lab, stop, tag, sent, lock):
    """Sends mail; sent gets {recipient: (answer, data)}."""
    n = 0
    while not stop.is_set():
        n += 1
        rcpt = f"{tag}.{n}@ours.example"
        data = text_mail(rcpt, "x" * random.randrange(40000) + "\r\n")
        is_ended, got = False, ""
        try:
            c = Client(lab)
            c.reply()
            c.say("EHLO client.example")
            if c.begin(rcpts=[rcpt, "copy." + rcpt]).startswith("354"):
                c.send(data)
                is_ended = True
                c.send(b".\r\n")
                got = c.reply()
            c.close()
        except OSError:
            pass
        # A role may go between durable and the answer (RFC 1047).
        is_open = is_ended and got[:1] in ("", "4")
        answer = "yes" if got.startswith("250") else \
            "unknown" if is_open else "no"
        with lock:
            sent[rcpt] = (answer, data)


def crashes():
    lab = Lab(sink.text)
    sent, lock = {}, threading.Lock()
    seed = random.randrange(1 << 30)
    print(f"# seed {seed}", flush=True)
    dice = random.Random(seed)
    for i in range(ROUNDS):
        stop = threading.Event()
        threads = [threading.Thread(target=send_until, args=(
            lab, stop, f"c{i}.{k}", sent, lock)) for k in range(SENDERS)]
        for t in threads:
            t.start()
        want = len(sent) + dice.randrange(5, 60)
        wait_for(lambda: len(sent) >= want)
        if i % 2:
            lab.kill(lab.pid("queue"))
            wait_for(lambda: len(sent) >= want + 20)
        lab.crash()
        stop.set()
        for t in threads:
            t.join()
        lab.up()
    wait_for(lab.is_empty, 60)
    taken = [r for r, (answer, _) in sent.items() if answer == "yes"]
    claim(len(taken) > 20, f"{ROUNDS} crashes, {len(taken)} mails taken")
    check_crashed(lab, sent, taken)
    lab.down()


def check_crashed(lab, sent, taken):
    claim(lab.is_empty(), "the queues get empty", lab.left())
    got = {}
    for _, rcpts, body in sink.all():
        for r in rcpts:
            got.setdefault(r, []).append(strip_received(body)[0])
    lost = [r for r in taken for x in (r, "copy." + r) if x not in got]
    same(lost[:5], [], "each that was answered 250 is delivered, to both")
    spoilt = [r for r, (_, data) in sent.items()
              if any(b != data for b in got.get(r, []))]
    same(spoilt[:5], [], "each is whole")
    ghosts = [r for r, (answer, _) in sent.items()
              if answer == "no" and r in got]
    same(ghosts[:5], [], "none that was refused is delivered")
    a = lab.audit()
    claim(a["balanced"] and a["queued"] == 0 and a["lost_count"] == 0 and
          a["accepted"] == a["delivered"], "the audit balances", a)


run(reload_in_data, wrong_reload, stop_in_data, cut_in_data, crashes)
