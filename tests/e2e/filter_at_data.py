#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# at_data = refuse: spam and viruses are refused while the sender waits, when
# all recipients want that, and nothing of them stays; in doubt mail is taken
# and judged later.
import os
import re
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, Sink, accept, claim, room, same, send  # noqa: E402
from mclab import text_mail, wait_for  # noqa: E402
from smtplab import run  # noqa: E402

GTUBE = ("XJS*C4JDBQADN1.NSBN3*2IDNEN*"
         "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X")
# In two halves, so that no scanner takes this file away.
EICAR = ("X5O!P%@AP[4\\PZX54(P^)7CC)7}$"
         "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")
CRASH = "crash-here-please"
sink = Sink()
empty = room()
os.chmod(empty, 0o755)
lab = Lab(sink.text, domains=["strict.example", "open.example"],
          domain_sets=["strict.example:at_data=refuse",
                       "open.example:threshold=4"],
          conf=[f'clamav = {{ dir = "{empty}"; third_party = ""; }};'],
          env={"MCGATE_TEST_WORKER": f"crash-on:{CRASH}"})
STRICT, OTHER, OPEN = "a@strict.example", "b@strict.example", "c@open.example"
ID = re.compile(r"message ([0-9a-hjkmnp-tv-z]{16}) refused")


def refused():
    # One that is judged: from then on looks are to be had.
    name = accept(lab, text_mail("ham", "first\r\n"), rcpts=[OPEN])
    claim(lab.logs(rf"{name} verdict", 30), "the filters are there")
    for body, words in ((GTUBE, "spam"), (EICAR, "a virus")):
        reply = send(lab, text_mail("s", body + "\r\n"), rcpts=[STRICT, OTHER])
        found = ID.search(reply)
        claim(reply.startswith("550 5.7.1 ") and found and
              f"taken for {words};" in reply,
              f"{words} is refused, by a number", reply)
        claim(found and lab.logs(rf"{found.group(1)} refused at_data .*reason"),
              "which the log has, and why", lab.log()[-2000:])
        claim(found and wait_for(
            lambda n=found.group(1): not lab.path("body", n)),
            "nothing of it stays", lab.left())
    same(lab.run("--json", "audit").returncode, 0, "it never was ours")


def taken():
    name = accept(lab, text_mail("ham", "hello\r\n"), rcpts=[STRICT])
    claim(lab.logs(rf"{name} verdict action=deliver", 30), "ham is taken",
          lab.log()[-2000:])
    calls = lab.rows("filter", "show", "gtube")[0]
    name = accept(lab, text_mail("ham", "again\r\n"), rcpts=[STRICT, OTHER])
    claim(lab.logs(rf"{name} verdict action=deliver", 30) and
          sink.to(STRICT, 2), "and delivered", lab.log()[-2000:])
    claim(wait_for(lambda: lab.rows("filter", "show", "gtube")[0]["calls"] ==
                   calls["calls"] + 1), "judged once, not twice",
          calls, lab.rows("filter", "show", "gtube"))


def shared():
    name = accept(lab, text_mail("s", GTUBE + "\r\n"), rcpts=[STRICT, OPEN])
    claim(lab.logs(rf"{name} verdict action=quarantine rcpts=1", 30) and
          lab.logs(rf"{name} verdict action=deliver rcpts=1", 30),
          "what another recipient takes is kept from those who refuse it",
          lab.log()[-2000:])
    lab.ctl("setting", "set", "at_data_else", "usual", "--domain",
            "strict.example")
    name = accept(lab, text_mail("s", GTUBE + "\r\n"), rcpts=[STRICT, OPEN])
    claim(lab.logs(rf"{name} verdict action=deliver rcpts=1", 30, 2),
          "or tagged, where that is set", lab.log()[-2000:])
    lab.ctl("setting", "unset", "at_data_else", "--domain", "strict.example")


def in_doubt():
    """Workers that do not answer, one that dies, none at all."""
    lab.ctl("setting", "set", "at_data_time", "200ms")
    stopped = lab.workers()
    for pid in stopped:
        lab.kill(pid, signal.SIGSTOP)
    name = accept(lab, text_mail("s", GTUBE + "\r\n"), rcpts=[STRICT])
    claim(lab.logs(rf"{name} at_data: no verdict in time"),
          "when the time is over it is taken", lab.log()[-2000:])
    for pid in stopped:
        lab.kill(pid, signal.SIGCONT)
    claim(lab.logs(rf"{name} verdict action=quarantine", 30),
          "and judged later", lab.log()[-2000:])
    lab.ctl("setting", "unset", "at_data_time")
    name = accept(lab, text_mail("dies", f"{CRASH}\r\n"), rcpts=[STRICT])
    claim(lab.logs(rf"{name} parked reason=poison", 30),
          "what kills its worker is taken, and parked", lab.log()[-2000:])
    tmp = f"{lab.dir}/run/scan/tmp"
    os.rename(tmp, tmp + ".away")
    lab.kill(lab.pid("filter"))
    name = accept(lab, text_mail("s", GTUBE + "\r\n"), rcpts=[STRICT])
    claim(name, "while the filters cannot tell it is taken")
    os.rename(tmp + ".away", tmp)
    lab.ctl("reload")
    claim(lab.logs(rf"{name} verdict action=quarantine", 30),
          "and judged when they can", lab.log()[-3000:])


def off():
    lab.ctl("setting", "unset", "at_data", "--domain", "strict.example")
    name = accept(lab, text_mail("s", GTUBE + "\r\n"), rcpts=[STRICT])
    claim(lab.logs(rf"{name} verdict action=deliver", 30),
          "where it is off spam is tagged", lab.log()[-2000:])


run(refused, taken, shared, in_doubt, off)
