#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Trying it out: mcctl test message has the running workers judge a file and
# explains it as mcctl explain does, nothing being queued; mcctl test virus
# does without mcd.
import io
import json
import os
import subprocess
import sys
import zipfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, Sink, accept, claim, room, same, text_mail  # noqa: E402
from mclab import wait_for  # noqa: E402
from smtplab import BUILD, run  # noqa: E402

GTUBE = ("XJS*C4JDBQADN1.NSBN3*2IDNEN*"
         "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X")
# In two halves, so that no scanner takes this file away.
EICAR = (rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" +
         b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")
sink = Sink()
# Each has a policy of its own.
POLICIES = ["kept.example:spam_action=quarantine",
            "gone.example:spam_action=delete", "low.example:threshold=0",
            "off.example:filter_gtube=no", "glad.example:threshold=9",
            "mild.example:threshold=9"]
lab = Lab(sink.text, domains=[p.partition(":")[0] for p in POLICIES],
          domain_sets=POLICIES)
files = room()


def put(name, data):
    path = f"{files}/{name}"
    with open(path, "wb") as f:
        f.write(data)
    return path


def tried(path, *words):
    return [json.loads(line) for line in
            lab.ctl("test", "message", path, "--json", *words).splitlines()]


SPAM = put("spam", text_mail("s", GTUBE + "\r\n").replace(b"\r\n", b"\n"))
HAM = put("ham", text_mail("h", "plain\r\n"))
VIRUS = put("virus", text_mail("v", EICAR.decode() + "\r\n"))
TO = ("--from", "a@client.example", "--ip", "192.0.2.1", "--helo", "h.example",
      "--to", "a@ours.example", "--to", "k@kept.example",
      "--to", "b@ours.example")


def without_time(decisions):
    """What two scans of one message have in common."""
    for d in decisions:
        d.pop("id")
        d.pop("time")
        for f in d["filters"]:
            f.pop("time_us")
    return decisions


def message():
    got = tried(SPAM, *TO)
    same([(d["rcpts"], d["verdict"], d["action"]) for d in got],
         [(["a@ours.example", "b@ours.example"], "spam", "deliver"),
          (["k@kept.example"], "spam", "quarantine")],
         "an action for each recipient")
    same([d["verdict"] for p in (HAM, VIRUS) for d in tried(p, *TO[:8])],
         ["ham", "virus"], "other messages are judged as well")
    words = lab.ctl("test", "message", SPAM, *TO)
    for part in ("for", "GTUBE", "decisive", "sum", "put into quarantine",
                 "a@ours.example, b@ours.example"):
        claim(part in words, f"people read {part!r}", words)
    same(len(tried(HAM)), 1, "all of it but the file can be left out")
    got = lab.piped(GTUBE, "test", "message", "-", "--json")
    same(json.loads(got.stdout)["verdict"], "spam", "standard input")
    claim(lab.is_empty() and sink.count() == 0 and
          " accepted " not in lab.log(), "nothing was queued", lab.left())


def as_real():
    name = accept(lab, text_mail("s", GTUBE + "\r\n"),
                  rcpts=["a@ours.example", "k@kept.example"])

    def real():
        return [json.loads(line) for line in lab.run(
            "explain", name, "--json").stdout.splitlines()]

    wait_for(lambda: len(real()) == 2)
    same(without_time(tried(SPAM, "--from", "a@client.example", "--ip",
                            "127.0.0.1", "--helo", "client.example", "--to",
                            "a@ours.example", "--to", "k@kept.example")),
         without_time(real()), "a trial says what real mail is told")


def decided(decisions):
    """{recipient: what was decided on it and why}"""
    return {rcpt: {k: v for k, v in d.items() if k != "rcpts"}
            for d in without_time(decisions) for rcpt in d["rcpts"]}


def independent():
    """Allowed by one, with points of its own at another: alone, in company
    and in any order."""
    lab.ctl("list", "allow", "add", "a@client.example", "--domain", "glad.example")
    lab.ctl("rule", "set", "GTUBE", "0", "--domain", "mild.example")
    rcpts = ["a@ours.example"] + ["r@" + p.partition(":")[0]
                                  for p in POLICIES]
    for path, words in ((SPAM, "spam"), (HAM, "ham"), (VIRUS, "a virus")):
        def judged(some, path=path):
            return decided(tried(path, *TO[:6], *(
                word for r in some for word in ("--to", r))))

        alone = {r: judged([r])[r] for r in rcpts}
        if words == "spam":
            same([(alone[r]["verdict"], alone[r]["action"]) for r in rcpts],
                 [("spam", "deliver"), ("spam", "quarantine"),
                  ("spam", "discard"), ("spam", "deliver"),
                  ("ham", "deliver"), ("ham", "deliver"),
                  ("ham", "deliver")], "they differ when each is alone")
        same(judged(rcpts), alone, f"{words}: so they do in company")
        same(judged(rcpts[::-1]), alone, "in the other order")
        same({r: d for k in range(len(rcpts))
              for r, d in judged([rcpts[k], rcpts[k - 2]]).items()}, alone,
             "and whoever else gets it")


def what_if():
    got = tried(HAM, "--to", "k@kept.example", "--what-if", "threshold=0",
                "--what-if", "spam_action=delete")[0]
    same((got["verdict"], got["action"],
          [(s["name"], s["value"], s["from"]) for s in got["settings"]]),
         ("spam", "discard", [("threshold", "0.0", "what-if"),
                              ("spam_action", "delete", "what-if")]),
         "what if other settings held, before the domain's own")
    got = tried(SPAM, "--to", "k@kept.example", "--what-if",
                "filter_gtube=no")[0]
    same((got["verdict"], [f for f in got["filters"]
                           if f["filter"] == "gtube"]), ("ham", []),
         "a filter that is off is not asked")
    same(tried(SPAM, "--to", "k@kept.example")[0]["action"], "quarantine",
         "and nothing of it stays")


def errors():
    for words, code, part in [
            ([f"{files}/none"], 66, "none"),
            ([HAM, "--ip", "house"], 65, "--ip"),
            ([HAM, "--what-if", "threshold"], 64, "SETTING=VALUE"),
            ([HAM, "--what-if", "treshold=4"], 65, "threshold"),
            ([HAM, "--what-if", "threshold=x"], 65, "threshold")]:
        got = lab.run("test", "message", *words)
        claim(got.returncode == code and part in got.stderr,
              f"test message {' '.join(words[1:])}: {code}, says {part!r}",
              got.returncode, got.stderr)
    lab.down()
    got = lab.run("test", "message", HAM)
    same((got.returncode, "not running" in got.stderr), (69, True),
         "without mcd it says so")


def zipped(data, encrypted):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        z.writestr("a.txt", data)
    raw = bytearray(out.getvalue())
    if encrypted:  # the bit that says so, in both headers
        for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            raw[raw.index(mark) + at] |= 1
    return bytes(raw)


def virus():
    for name, data, want in [
            ("eicar", EICAR, "virus Eicar-Test-Signature"),
            ("mail", text_mail("v", EICAR.decode()),
             "virus Eicar-Test-Signature"),
            ("zip", zipped(EICAR, False), "virus Eicar-Test-Signature"),
            ("secret", zipped(b"x" * 100, True), "encrypted"),
            ("plain", b"hello\n", "clean"), ("empty", b"", "clean")]:
        out = lab.ctl("test", "virus", put(name, data))
        claim(out.split()[0] == want.split()[0] and out.startswith(want),
              f"test virus {name}: {want}", out)
    out = lab.ctl("test", "virus", "--json", f"{files}/eicar")
    same(json.loads(out)["verdict"], "virus", "as JSON")
    out = subprocess.run([f"{BUILD}/bin/mcctl", "test", "virus",
                          f"{files}/eicar"], check=False,
                         capture_output=True, text=True).stdout
    claim(out.startswith("virus Eicar-Test-Signature"),
          "without a mcd.conf too", out)
    got = lab.run("test", "virus", f"{files}/none")
    same(got.returncode, 66, "no file, no verdict")


run(message, as_real, independent, what_if, errors, virus)
