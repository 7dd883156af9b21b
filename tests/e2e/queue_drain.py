#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 120
#
# mcctl drain and undrain: new mail is answered 421, what is under way is
# taken, the queues are tried at once, a restart changes nothing of it, and
# it is said when it is safe to stop.
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (Client, Lab, Sink, accept, claim, client,  # noqa: E402
                   same, text_mail, wait_for)
from smtplab import run  # noqa: E402

sink = Sink()
lab = Lab(sink.text, sets={"retry_first": "1h", "retry_max": "1h"})


def greeting():
    c = Client(lab)
    words = c.reply()
    return words, c


def status():
    return json.loads(lab.run("--json", "status").stdout)


def attempts():
    rows = lab.rows("queue", "list")
    return rows[0]["attempts"] if rows else None


def drain():
    sink.refuse()
    accept(lab, text_mail("waits"), rcpts=["waits@ours.example"])
    claim(wait_for(lambda: attempts() == 1), "a message waits for an hour")
    idle, busy = client(lab), client(lab)
    same(busy.begin(rcpts=["busy@ours.example"])[:3], "354",
         "another is being received")
    got = lab.run("--json", "drain")
    same(got.returncode, 0, "drain")
    said = json.loads(got.stdout)
    same([said["draining"], said["safe_to_stop"]], [True, False],
         "says that it is not safe to stop")
    words, c = greeting()
    claim(words.startswith("421 4.3.2"), "who connects is told 421", words)
    claim(c.is_closed(), "and that is all")
    words = idle.say("MAIL FROM:<a@client.example>")
    claim(words.startswith("421 4.3.2"), "an open session at its next MAIL",
          words)
    claim(idle.is_closed(), "and is over then")
    busy.send(text_mail("busy") + b".\r\n")
    same(busy.reply()[:3], "250", "what was under way is taken")
    words = busy.say("MAIL FROM:<a@client.example>")
    same(words[:3], "421", "and nothing behind it")
    claim(wait_for(lambda: max((r["attempts"] for r in
                                lab.rows("queue", "list")), default=0) == 2),
          "what waited is tried at once", lab.rows("queue", "list"))
    claim(wait_for(lambda: status()["left"] == 2), "status counts what is left",
          status())
    got = lab.run("drain", "--wait", "--timeout", "1s")
    claim(got.returncode == 75 and "safe to stop: no" in got.stdout,
          "drain --wait ends when its time is over", got)
    claim("safe to stop: no" in lab.run("status").stdout, "status says so too")


def restart():
    lab.down()
    lab.start_mcd()
    claim(wait_for(lambda: greeting()[0].startswith("421")),
          "a restart does not open it again", lab.log()[-2000:])
    sink.accept()
    lab.ctl("queue", "retry", "all")
    got = lab.run("drain", "--wait", "--timeout", "20s")
    claim(got.returncode == 0 and "safe to stop: yes" in got.stdout,
          "drain --wait waits until it is safe to stop", got)
    same(sink.got(2), 2, "then all is delivered")
    now = status()
    same([now["left"], now["safe_to_stop"]], [0, True], "status knows it")


def undrain():
    same(lab.run("undrain").returncode, 0, "undrain")
    claim(wait_for(lambda: greeting()[0].startswith("220")),
          "takes mail again")
    accept(lab, text_mail("again"))
    same(sink.got(3), 3, "and delivers it")
    claim("drain" in lab.ctl("log"), "the log of changes has both",
          lab.ctl("log"))
    same(status()["safe_to_stop"], False, "it is not draining any more")
    lab.balances()
    lab.down()
    got = lab.run("drain")
    claim(got.returncode == 69 and "when it is started" in got.stderr,
          "one that does not run will drain", got)


def words():
    for args in (["drain", "--wait=1"], ["drain", "--timeout", "soon"],
                 ["drain", "now"], ["drain", "--timeout"],
                 ["undrain", "--wait"]):
        same(lab.run(*args).returncode, 64, f"mcctl {' '.join(args)}: usage")


run(words, drain, restart, undrain)
