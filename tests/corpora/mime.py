#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 900
"""Structure of the messages of the shared corpora, where CORPORA names them:
leaf parts against an independent reader's, payloads that other scanners do
not find, and whatever else is there must be read without a crash."""
import collections
import concurrent.futures
import json
import os
import subprocess
import sys

CORPORA = os.environ.get("CORPORA", "")
MCCTL = os.path.join(os.environ.get("MCGATE_BUILDDIR", "."), "bin/mcctl")
count = failed = 0


def claim(good, words, *notes):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {words}")
    for note in notes:
        print("#", note)


def read(raw):
    """What mcctl sees of a message; None when it did not say."""
    done = subprocess.run([MCCTL, "test", "mime", "-"], input=raw,
                          capture_output=True, check=False)
    if done.returncode != 0 or done.stderr:
        return None
    return json.loads(done.stdout)


def read_all(raws):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(read, raws))


def load(path):
    with open(os.path.join(CORPORA, path), "rb") as file:
        return file.read()


def first_reading(seen):
    return [p for p in seen["parts"] if not p["other_reading"]]


def difference(want, seen):
    """The first thing that is not as the oracle has it, or None."""
    if seen is None:
        return "crash"
    parts = first_reading(seen)
    if len(parts) != len(want["parts"]):
        return f"parts {len(want['parts'])} != {len(parts)}"
    for w, p in zip(want["parts"], parts):
        for key in ("type", "size", "sha256"):
            if w[key] != p[key]:
                return f"{key} {w[key]} != {p[key]}"
        if (w["filename"] or None) != p["name"]:
            return f"filename {w['filename']!r} != {p['name']!r}"
    return None


def oracle():
    rows = [json.loads(line)
            for line in load("oracles/real_mime.jsonl").splitlines()]
    raws = [load("mail/" + r["file"]) for r in rows]
    seen = read_all(raws)
    notes = []
    subjects = ambiguous = 0
    for row, view in zip(rows, seen):
        why = difference(row, view)
        if why:
            notes.append(f"{row['file']}: {why}")
        if view:
            same = (row["subject"] or "").split() == (
                view["subject"] or "").split()
            subjects += same
            if not same:
                notes.append(f"{row['file']}: subject {row['subject']!r} "
                             f"!= {view['subject']!r}")
            ambiguous += view["ambiguous"]
            if view["ambiguous"]:
                notes.append(f"{row['file']}: ambiguous {view['symptoms']}")
    wrong = sum(1 for n in notes if ": subject" not in n and
                ": ambiguous" not in n)
    share = 100 * (1 - wrong / len(rows))
    print(f"# | {'mime parts as read by others':<28} "
          f"{len(rows) - wrong:>4} of {len(rows)}")
    claim(share >= 99, f"{len(rows) - wrong} of {len(rows)} messages have "
          f"the parts an independent reader sees ({share:.2f}%)", *notes)
    claim(subjects >= 0.99 * len(rows), f"{subjects} subjects are the same")
    claim(ambiguous <= 0.01 * len(rows),
          f"{ambiguous} messages of everyday mail are called ambiguous")


def hides():
    rows = [json.loads(line) for line in
            load("suites/mime/mime-is-broken.cases.jsonl").splitlines()]
    seen = read_all([load("suites/mime/" + r["file"]) for r in rows])
    # The payload as the plain case carries it.
    plain = next(v for r, v in zip(rows, seen) if r["id"].endswith(
        "multipart-basic-singlepart-b64h-basic-base64-basic"))
    payload = plain["parts"][-1]["sha256"]
    result = collections.Counter()
    notes = []
    for row, view in zip(rows, seen):
        if view is None:
            result["crash"] += 1
            notes.append(f"{row['id']}: crash")
            continue
        if row["kind"] == "hide-content":
            found = any(p["sha256"] == payload for p in view["parts"])
        else:
            want = ".png" if row["id"].endswith(".png") else ".zip"
            found = any(n.rstrip("\"'").endswith(want)
                        for p in view["parts"] for n in p["names"])
        if found:
            result["found"] += 1
            result["valid found"] += row["expect"] == "payload-found"
        elif view["ambiguous"] and row["expect"] != "payload-found":
            result["refused"] += 1
            notes.append(f"{row['id']}: refused {view['symptoms']}")
        else:
            result["missed"] += 1
            notes.append(f"{row['id']} {row['file']}: missed "
                         f"{view['symptoms']}")
    print(f"# | {'mime-is-broken found, refused':<28} "
          f"{result['found'] + result['refused']:>4} of {len(rows)}")
    claim(result["missed"] + result["crash"] == 0,
          f"of {len(rows)} hidden payloads {result['found']} are found, "
          f"{result['refused']} refused, {result['missed']} missed", *notes)


def survives():
    names = []
    for top in ("suites/mime", "suites/av", "suites/html", "mail"):
        for folder, _, files in os.walk(os.path.join(CORPORA, top)):
            names += [os.path.join(folder, f) for f in files]
    names = [n for n in names if os.path.getsize(n) < 20 << 20]
    if os.environ.get("MCGATE_ASAN") != "yes":
        names = [n for n in names if "/mail/" not in n]
    seen = read_all([load(n) for n in sorted(names)])
    bad = [n for n, v in zip(sorted(names), seen) if v is None]
    print(f"# | {'mime, files read, no crash':<28} "
          f"{len(names) - len(bad):>4} of {len(names)}")
    claim(not bad, f"{len(names)} files of the corpora are read to the end",
          *bad)


def main():
    if not CORPORA:
        print("1..0 # SKIP CORPORA does not name the shared corpora")
        return 0
    oracle()
    hides()
    survives()
    print(f"1..{count}")
    return 1 if failed else 0


sys.exit(main())
