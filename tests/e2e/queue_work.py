#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 240
#
# What administrators do with queued mail, and recipients of one message
# that part ways after the filters: hold_mail and id_header of a domain,
# list, show, hold, unhold, retry and delete.
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (Lab, Sink, accept, claim, same,  # noqa: E402
                   strip_received, text_mail, wait_for)
from smtplab import run  # noqa: E402

sink = Sink()
lab = Lab(sink.text, domains=["held.example", "tagged.example"],
          sets={"retry_first": "1h", "retry_max": "1h",
                "headers_add": "no"},
          domain_sets=["held.example:hold_mail=on",
                       "tagged.example:id_header=on"])


def one(name):
    """The row of a message in the list, or None."""
    rows = [r for r in lab.rows("queue", "list") if r["id"] == name]
    return rows[0] if rows else None


def state(name):
    row = one(name)
    return row["state"] if row else None


def comes_to(name, wanted, words):
    return claim(wait_for(lambda: state(name) == wanted), words, one(name),
                 lab.log())


def is_gone(name):
    return wait_for(lambda: not any(
        f.startswith(name[:16]) for d in ("body", "outgoing", "hold")
        for f in lab.files(d)))


def split():
    data = text_mail("split")
    to = ["a@ours.example", "b@held.example", "c@tagged.example",
          "d@held.example", "e@ours.example"]
    name = accept(lab, data, rcpts=to)
    for rcpt in ("a@ours.example", "e@ours.example"):
        got = sink.to(rcpt)
        same([strip_received(g)[0] for g in got], [data],
             f"{rcpt} gets it as it was")
    got = sink.to("c@tagged.example")
    body, field = strip_received(got[0])
    head, _, rest = body.partition(b"\r\n")
    same(rest, data, "one with id_header gets it whole")
    claim(head.startswith(b"X-MC-ID: " + name.encode()),
          "behind X-MC-ID", head)
    rows = wait_for(lambda: lab.rows("queue", "list", "state:hold"))
    same([sorted(r["rcpt"]) for r in rows],
         [["b@held.example", "d@held.example"]],
         "those with hold_mail are parked, together")
    child = rows[0]["id"]
    same(rows[0]["reason"], "hold_mail", "and the list says why")
    claim(child[:16] == name and child != name, "under a name of its own",
          child)
    same([len(sink.to(r, 0)) for r in ("b@held.example", "d@held.example")],
         [0, 0], "and get nothing")
    lab.balances("while they are held the audit balances", held=2,
                 delivered=3, accepted=5)
    lab.ctl("queue", "unhold", child)
    same([strip_received(g)[0] for r in ("b@held.example", "d@held.example")
          for g in sink.to(r)], [data, data], "until they are unheld")
    claim(lab.empties(), "then nothing is left", lab.left())
    lab.balances("and it balances again", held=0, delivered=5)


def by_user():
    lab.ctl("setting", "set", "hold_mail", "on", "--user",
            "careful@ours.example")
    wait_for(lambda: lab.ctl("setting", "get", "hold_mail", "--user",
                             "careful@ours.example"))
    lab.ctl("setting", "set", "hold_mail", "off", "--user",
            "free@held.example")

    def is_known():
        name = accept(lab, text_mail("user"), rcpts=["careful@ours.example"])
        wait_for(lambda: state(name) == "hold" or is_gone(name))
        was = state(name)
        if was:
            lab.ctl("queue", "delete", name)
        return was == "hold"

    claim(wait_for(is_known), "a setting of a user counts within a second")
    name = accept(lab, text_mail("detail"),
                  rcpts=["Careful+news@ours.example", "x@ours.example"])
    wait_for(lambda: lab.rows("queue", "list", "state:hold"))
    same([r["rcpt"] for r in lab.rows("queue", "list", "state:hold")],
         [["Careful+news@ours.example"]], "also for local+detail")
    lab.ctl("queue", "delete", name)
    before = sink.count()
    accept(lab, text_mail("free"), rcpts=["free@held.example"])
    same(sink.got(before + 1), before + 1,
         "a user's setting goes before his domain's")
    claim(lab.empties(), "all is gone", lab.left())


def deferred(rcpt="later@ours.example", **words):
    """A message that waits for an hour."""
    sink.refuse()
    name = accept(lab, text_mail("deferred"), rcpts=[rcpt], **words)
    claim(wait_for(lambda: (one(name) or {}).get("attempts") == 1),
          "a message is deferred", one(name))
    sink.accept()
    return name


def hold_and_unhold():
    name = deferred()
    lab.ctl("queue", "hold", name)
    comes_to(name, "hold", "hold parks it")
    claim(one(name)["reason"].startswith("held by "), "and says by whom",
          one(name))
    lab.ctl("queue", "hold", name)
    same(state(name), "hold", "to hold it again is no error")
    before = sink.count()
    claim(lab.run("queue", "retry", name).returncode != 0,
          "what is held is not retried")
    lab.ctl("queue", "retry", "all")
    same(sink.count(), before, "not by retry all either")
    lab.balances("the audit knows it as held", held=1)
    lab.down()
    same(lab.rows("queue", "list")[0]["state"], "hold",
         "a stopped gateway lists it")
    lab.up()
    comes_to(name, "hold", "it is held after a restart too")
    lab.ctl("queue", "unhold", name)
    same(sink.got(before + 1), before + 1, "unhold delivers it at once")
    claim(lab.empties(), "and it is gone", lab.left())
    words = lab.ctl("trace", name)
    claim("held" in words and "released" in words, "trace tells of both",
          words)


def retry():
    names = [deferred(f"later{i}@ours.example") for i in range(3)]
    before = sink.count()
    lab.ctl("queue", "retry", names[1])
    same(sink.got(before + 1), before + 1, "retry of one delivers that one")
    claim(is_gone(names[1]), "and no other", lab.left())
    same(sorted(r["id"] for r in lab.rows("queue", "list")),
         sorted([names[0], names[2]]), "the others still wait")
    lab.ctl("queue", "retry", "all")
    same(sink.got(before + 3), before + 3, "retry all delivers the rest")
    claim(lab.empties(), "nothing is left", lab.left())


def delete():
    name, other = deferred("gone@ours.example"), deferred()
    before = sink.count()
    lab.ctl("queue", "delete", name)
    claim(is_gone(name), "delete removes a message and its body",
          lab.left())
    lab.balances("the audit knows it as deleted", queued=1)
    claim(lab.run("queue", "delete", "all").returncode != 0,
          "all at once is refused")
    lab.ctl("queue", "hold", other)
    lab.ctl("queue", "delete", other)
    claim(lab.empties(), "one that is held can be deleted", lab.left())
    same(sink.count(), before, "nothing of them was delivered")
    claim("deleted" in lab.ctl("trace", name), "trace says so",
          lab.ctl("trace", name))


def words():
    for verb in ("show", "retry", "hold", "unhold", "delete"):
        got = lab.run("queue", verb, "0123456789abcdef")
        claim(got.returncode == 65 and "not in the queue" in got.stderr,
              f"queue {verb} of an unknown id says so", got)
        got = lab.run("queue", verb, "../../etc/passwd")
        claim(got.returncode == 65 and "not a queue id" in got.stderr,
              f"queue {verb} of what is no id says so", got)


def selected():
    a = deferred("sel.a@ours.example", sender="jo@client.example")
    b = deferred("sel.b@ours.example", sender="al@client.example")
    for words_, want in ((["from:JO@"], [a]), (["rcpt:sel.b"], [b]),
                         (["state:outgoing"], [a, b]), (["state:hold"], []),
                         (["older:1h"], []), (["rcpt:sel", "from:al"], [b])):
        same([r["id"] for r in lab.rows("queue", "list", *words_)], want,
             f"queue list {' '.join(words_)}")
    for options, want in ((["-f", "^jo@"], [a]), (["-f", "client.example$"],
                                                [a, b]),
                          (["-r", "sel.b@ours"], [b]), (["-fjo"], [a]),
                          (["--rcpt=sel", "-f", "al"], [b]),
                          (["-f", "^$"], []), (["-o", "1h"], []),
                          (["-y", "1h"], [a, b]), (["-s", "1M"], []),
                          (["-s", "-1M"], [a, b]), (["-z"], []),
                          (["-x"], [a, b]), (["-x", "-r", "sel.b"], [b])):
        words_ = " ".join(options)
        same([r["id"] for r in lab.rows("queue", "list", *options)], want,
             f"queue list {words_}")
        same(lab.ctl("queue", "list", "-i", *options).split(), want,
             f"queue list -i {words_}")
        same(lab.ctl("queue", "list", "-c", *options).strip(),
             f"{len(want)} matches out of 2 messages",
             f"queue list -c {words_}")
    for options in (["-z", "-x"], ["-i", "-c"], ["-f", "a b"], ["-s", "big"],
                    ["-o", "soon"], ["-q"], ["-f"], ["-f", "x" * 1001]):
        same(lab.run("queue", "list", *options).returncode, 64,
             f"queue list {' '.join(options)[:20]}: usage")
    same([[r["name"], r["total"], r["below_5m"]]
          for r in lab.rows("queue", "shape")],
         [["TOTAL", 2, 2], ["ours.example", 2, 2]], "queue shape")
    same([[r["name"], r["total"]]
          for r in lab.rows("queue", "shape", "--sender", "-f", "jo")],
         [["TOTAL", 1], ["jo@client.example", 1]],
         "queue shape of one sender")
    shown = lab.rows("queue", "show", a)[0]
    to = shown["recipients"][0]
    same([shown["sender"], shown["state"], to["rcpt"]],
         ["jo@client.example", "outgoing", "sel.a@ours.example"],
         "queue show")
    claim("451" in to["status"], "with the last answer", shown)
    counts = lab.rows("queue", "count")[0]
    same([counts[k] for k in ("incoming", "filtering", "outgoing", "hold")],
         [0, 0, 2, 0], "queue count")
    lab.ctl("queue", "hold", "all")
    same(lab.rows("queue", "count")[0]["hold"], 2, "hold all")
    lab.ctl("queue", "unhold", "all")
    claim(lab.empties(), "unhold all lets them go", lab.left())
    lab.balances("at the end the audit balances", queued=0, held=0)


def piped():
    """The ids of one command are the messages of the next."""
    ids = [deferred(f"pipe{i}@ours.example", sender="pipe@client.example")
           for i in range(60)]
    other = deferred("other@ours.example")
    listed = lab.ctl("queue", "list", "-f", "pipe@", "-i")
    same(listed.split(), ids, "queue list -i")
    same(json.loads(lab.piped(listed, "--json", "queue", "hold", "-").stdout),
         {"changed": 60, "gone": 0}, "queue hold - holds them")
    same(lab.ctl("queue", "list", "-z", "-c").split()[0], "60", "all of them")
    got = lab.piped(listed + "0000000000000000 x\n", "queue", "delete", "-")
    claim(got.returncode == 0 and "changed: 60" in got.stdout and
          "gone: 1" in got.stdout, "queue delete - deletes them", got)
    same(lab.piped("", "queue", "delete", "-").returncode, 0,
         "nothing is nothing to do")
    same([r["id"] for r in lab.rows("queue", "list")], [other],
         "and no other")
    got = lab.piped(f"{other}\n../x\n", "queue", "delete", "-")
    claim(got.returncode == 65 and "line 2" in got.stderr,
          "a line that is no id is named", got)
    same([r["id"] for r in lab.rows("queue", "list")], [other],
         "and nothing is done")
    got = lab.run("--json", "queue", "hold", other, ids[0])
    same([got.returncode, json.loads(got.stdout)],
         [0, {"changed": 1, "gone": 1}], "several ids as arguments")
    lab.down()
    for options, want in ((["-f", "a@client"], [other]), (["-x"], []),
                          (["-z", "-r", "^other@"], [other])):
        same(lab.ctl("queue", "list", "-i", *options).split(), want,
             f"with mcd stopped: queue list -i {' '.join(options)}")
    same(lab.ctl("queue", "list", "-c", "-x").strip(),
         "0 matches out of 1 messages", "with mcd stopped: queue list -c")
    same([[r["name"], r["total"]] for r in lab.rows("queue", "shape", "hold")],
         [["TOTAL", 1], ["ours.example", 1]], "with mcd stopped: queue shape")
    got = lab.piped(other, "queue", "delete", "-")
    claim(got.returncode == 75 and "not running" in got.stderr,
          "with mcd stopped nothing is changed", got)


run(split, by_user, hold_and_unhold, retry, delete, words, selected, piped)
