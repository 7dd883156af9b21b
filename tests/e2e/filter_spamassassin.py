#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 240
#
# A false positive mended by hand, with Debian's spamd and rules of the test:
# a mail with the Italian "somma" that a rule against a drug's name scores
# over the threshold passes after one command, without a restart of anything.
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import spamdlab  # noqa: E402

if not spamdlab.SPAMD:
    print("1..0 # SKIP no spamd here")
    sys.exit(0)

from mclab import Lab, Sink, accept, claim, same, text_mail  # noqa: E402
from mclab import wait_for  # noqa: E402
from smtplab import run  # noqa: E402

RULES = r"""
replace_start <
replace_end >
replace_tag A [a4@]
replace_tag M [m]
replace_tag O [o0]
replace_tag S [s5$]
replace_inter W2 [\W_]{0,2}
replace_post P2 {1,2}
body FRT_SOMA /(?!soma\b)<inter W2><post P2><S><O><M><A>/i
describe FRT_SOMA ReplaceTags: Soma, a drug that is written in many ways so that it is not found
score FRT_SOMA 6.5
replace_rules FRT_SOMA
header HAS_SUBJECT exists:Subject
score HAS_SUBJECT -0.25
""" + "".join(f"body MANY_{i} /many rules/\nscore MANY_{i} 0.011\n"
              for i in range(60))

sink = Sink()
spamd = spamdlab.Real(RULES)
lab = Lab(sink.text, conf=[f'spamd = {{ socket = "{spamd.text}"; }};'],
          domains=["other.example"])


def arrives(word, text, to="r@ours.example"):
    name = accept(lab, text_mail(word, text + "\r\n"), rcpts=[to])
    wait_for(lambda: any(word.encode() in m for m in sink.to(to)))
    found = next((m for m in sink.to(to) if word.encode() in m), b"")
    return name, found.replace(b"\r\n\t", b" ")


def is_tagged(word, to="r@ours.example"):
    return b"\r\nSubject: {Spam?} " in \
        arrives(word, "Ecco la somma di tutto il sommario.", to)[1]


def false_positive():
    name, data = arrives("word1", "Ecco la somma di tutto.")
    claim(b"\r\nSubject: {Spam?} word1\r\n" in data,
          "la somma is taken for spam", data)
    claim(b"spamassassin (2 rules, spamd says 6.2/5.0, score 6.25, " in data,
          "with the points of its rules", data)
    text = lab.ctl("explain", name)
    claim("FRT_SOMA" in text and "6.5" in text and "ReplaceTags: Soma, a drug "
          "that is written in many ways" in text, "each explained", text)
    claim("HAS_SUBJECT" in text and "-0.25" in text, "also those for it", text)


def mended():
    pid = spamd.process.pid
    started = lab.rows("status")[0]["since"]
    lab.ctl("rule", "set", "FRT_SOMA", "0.1", "--domain", "other.example")
    claim(not is_tagged("word2", "r@other.example"),
          "one rule for one domain: the next passes there")
    claim(is_tagged("word3"), "and there only")
    lab.ctl("rule", "set", "FRT_SOMA", "0.1")
    claim(not is_tagged("word4"), "for all: the next passes everywhere")
    lab.ctl("rule", "reset", "FRT_SOMA")
    claim(is_tagged("word5"), "until it is taken back")
    same((spamd.process.pid, spamd.process.poll(),
          lab.rows("status")[0]["since"]), (pid, None, started),
         "nothing was restarted")


def many():
    _, data = arrives("word6", "many rules")
    claim(b"spamassassin (61 rules" in data and b"score 0.41, " in data,
          "a long list of rules comes back whole", data)


def restarted():
    spamd.stop()
    _, data = arrives("word7", "somma")
    claim(b"could not tell" in data and b"{Spam?}" not in data,
          "spamd is stopped: mail goes on", data)
    spamd.start()
    claim(is_tagged("word8"), "and started: judged again")
    lab.balances()


run(false_positive, mended, many, restarted)
