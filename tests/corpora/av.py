#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 1200
"""Files with the test virus in every wrapping, archives that cannot be read,
and bombs, of the shared corpora, where CORPORA names them: each gets the
verdict that it is there for, soon and in little memory."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from suites import IS_ASAN, MCCTL, claim, finish, row, skip, suite  # noqa

# What a scanner without the file's format may say besides.
WANT = {
    "virus": ("virus",), "encrypted": ("encrypted",), "clean": ("clean",),
    "virus-or-too-deep": ("virus", "limits"),
    "virus-or-unreadable": ("virus", "encrypted", "limits"),
    "unreadable": ("encrypted", "limits"),
    "clean-or-unreadable": ("clean", "encrypted", "limits"),
    "unreadable-or-clean": ("clean", "encrypted", "limits"),
    "bounded": ("clean", "virus", "encrypted", "limits"),
}
SECONDS = 600 if IS_ASAN else 150
MB_MAX = 1024


def memory_mb(pid):
    """Of a process and its children, as far as they are there."""
    total, ids = 0, [str(pid)]
    while ids:
        at = ids.pop()
        try:
            with open(f"/proc/{at}/smaps_rollup", encoding="ascii") as f:
                total += sum(int(x.split()[1]) for x in f
                             if x.startswith("Pss:"))
            with open(f"/proc/{at}/task/{at}/children",
                      encoding="ascii") as f:
                ids += f.read().split()
        except OSError:
            pass
    return total >> 10


def judge(path):
    """(first word, seconds, MB at the most)."""
    began, most = time.monotonic(), 0
    with subprocess.Popen([MCCTL, "test", "virus", path], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as p:
        while p.poll() is None:
            most = max(most, memory_mb(p.pid))
            if time.monotonic() - began > SECONDS:
                p.kill()
                return "timeout", SECONDS, most
            time.sleep(0.05)
        words = p.stdout.read().split()
    return words[0] if words else "nothing", time.monotonic() - began, most


def generated():
    with open(suite("av/cases.jsonl"), encoding="utf-8") as f:
        cases = [json.loads(line) for line in f]
    kinds = {"viruses found": [], "bombs bounded": [], "others": []}
    slowest = largest = 0
    for case in cases:
        word, seconds, megabytes = judge(suite("av", case["file"]))
        slowest, largest = max(slowest, seconds), max(largest, megabytes)
        kind = ("viruses found" if case["expect"] == "virus" else
                "bombs bounded" if case["expect"] == "bounded" else "others")
        good = word in WANT[case["expect"]] and (IS_ASAN or
                                                 megabytes < MB_MAX)
        kinds[kind].append((good, f"{case['id']}: {word}, not "
                            f"{case['expect']}, {megabytes} MB"))
    for kind, got in kinds.items():
        passed = sum(good for good, _ in got)
        claim(got and passed == len(got),
              f"av generated, {kind}: {passed} of {len(got)}",
              [words for good, words in got if not good])
        row(f"av {kind}", passed, len(got))
    print(f"# slowest {slowest:.1f} s, largest {largest} MB")


def clamav():
    """No signatures of them here: each is read to the end."""
    names = sorted(os.listdir(suite("av/clamav")))
    bad = []
    for name in names:
        word, _, megabytes = judge(suite("av/clamav", name))
        if word not in ("clean", "virus", "encrypted", "limits") or (
                megabytes >= MB_MAX and not IS_ASAN):
            bad.append(f"{name}: {word}, {megabytes} MB")
    claim(names and not bad, f"files of ClamAV: {len(names)} are read", bad)
    row("av of ClamAV, no crash", len(names) - len(bad), len(names))


skip("files with viruses and bombs")
generated()
clamav()
finish()
