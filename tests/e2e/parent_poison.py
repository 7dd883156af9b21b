#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Messages that kill their worker: counted, tried alone, parked; others go
# on, and waiting for somebody else parks nothing.  A build without
# --enable-devel cannot be made to misbehave.
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from parent_lib import (BUILD, Mcd, Sink, await_true, done,  # noqa: E402
                        ok, room, same)


def has_hook():
    with open(os.path.join(BUILD, "config.h"), encoding="utf-8") as f:
        return "MCGATE_DEVEL 1" in f.read()


def queues(m):
    got = m.mcctl("status", "--json")
    try:
        return json.loads(got.stdout)["queues"]
    except (ValueError, KeyError):
        return {}


def held(m):
    got = m.mcctl("queue", "count", "--json")
    try:
        return json.loads(got.stdout)["hold"]
    except (ValueError, KeyError):
        return None


def start(hook, *settings):
    d = room()
    sink = Sink(d)
    m = Mcd(d)
    m.more = ["workers = 2;"]
    m.write_conf()
    m.set("domain", "add", "example.org", "--dest", sink.address)
    for setting in settings:
        m.set("setting", "set", *setting)
    m.start(env={"MCGATE_TEST_WORKER": hook}).await_ready()
    return m, sink


def parked(hook, words, *settings):
    m, sink = start(hook, *settings)
    ok(m.send("x@example.org", "POISON"), f"{words}: it is taken")
    for _ in range(5):
        m.send("x@example.org")
    ok(await_true(lambda: held(m) == 1), f"{words}: it is parked", m.logged())
    ok(await_true(lambda: sink.count() == 5), f"{words}: others go out",
       m.logged())
    ok(await_true(lambda: not any(queues(m).get(q, 1) for q in (
        "incoming", "filtering", "outgoing"))),
       f"{words}: nothing else waits", queues(m))
    deaths = m.logged().count(" scan died: ")
    same(deaths, 2, f"{words}: after two deaths")
    same(m.stop(), 0, "mcd stops with 0")


def waits():
    m, sink = start("hang-on:POISON", ("filter_time", "300ms"))
    ok(m.send("x@example.org", "POISON"), "one that waits is taken")
    ok(m.await_log(" scan lost: ", 3), "its worker is lost again and again",
       m.logged())
    ok(m.send("x@example.org"), "another is taken")
    ok(await_true(lambda: sink.count() == 1), "and goes out", m.logged())
    same(held(m), 0, "nothing is parked")
    same(m.stop(), 0, "mcd stops with 0")


def without_hook():
    m, sink = start("crash-on:POISON")
    ok(m.send("x@example.org", "POISON"), "without the hook it is taken")
    ok(await_true(lambda: sink.count() == 1), "and goes out", m.logged())
    same(m.stop(), 0, "mcd stops with 0")


if has_hook():
    parked("crash-on:POISON", "a crash")
    parked("spin-on:POISON", "computing for ever", ("filter_time", "1s"))
    waits()
else:
    without_hook()
done()
