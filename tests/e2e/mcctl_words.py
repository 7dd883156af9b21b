#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The words of mcctl without a running mcd: what is wrong is said with the
# right exit code, and with the nearest right word where there is one.
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import BUILD, claim, room, same  # noqa: E402
from smtplab import run  # noqa: E402

home = room()
CONF = f"{home}/mcd.conf"


def write_conf(path=CONF, more=""):
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'''hostname = "mx.ours.example";
paths = {{ spool = "{home}/spool"; lib = "{home}/lib"; run = "{home}/run";
	libexec = "{BUILD}/libexec/mcgate"; }};
jail = false;
listeners = ( {{ name = "smtp"; address = "127.0.0.1:2525"; }} );
{more}
''')


def mcctl(*words, conf=CONF, stdout=subprocess.PIPE):
    return subprocess.run([f"{BUILD}/bin/mcctl", "-c", conf, *words],
                          check=False, stdout=stdout, stderr=subprocess.PIPE,
                          text=True, stdin=subprocess.DEVNULL)


def fails(code, part, *words, conf=CONF):
    """The same as text and as JSON."""
    got = mcctl(*words, conf=conf)
    claim(got.returncode == code and part in got.stderr
          and got.stderr.startswith(("mcctl: ", "usage: ")),
          f"{' '.join(words)[:60]}: {code}, says {part!r}",
          got.returncode, got.stderr)
    if got.stderr.startswith("usage: mcctl ["):
        return
    got = mcctl("--json", *words, conf=conf)
    try:
        said = json.loads(got.stderr)
    except ValueError:
        said = {}
    claim(got.returncode == code == said.get("exit")
          and part in said.get("error", ""), "and so does its JSON",
          got.stderr)


def done(*words):
    got = mcctl(*words)
    claim(got.returncode == 0 and not got.stderr, f"{' '.join(words)}: done",
          got.returncode, got.stdout, got.stderr)
    return got.stdout


def usage():
    for code, part, words in (
            (64, "did you mean queue?", ["quue", "list"]),
            (64, "did you mean list?", ["queue", "lits"]),
            (64, "queue", ["queue"]),
            (64, "no such command", ["xyzzy"]),
            (64, "usage: mcctl domain show NAME", ["domain", "show"]),
            (64, "usage: mcctl domain list", ["domain", "list", "x"]),
            (64, "did you mean --dest?", ["domain", "add", "x.example",
                                          "--dets", "y"]),
            (64, "did you mean --json?", ["queue", "list", "--jsno"]),
            (64, "no such option", ["queue", "list", "-q"]),
            (64, "--dest: expected a value", ["domain", "add", "x.example",
                                              "--dest"]),
            (64, "-c: expected a file", ["domain", "list", "-c"]),
            (64, "expected --dest", ["domain", "add", "x.example"]),
            (64, "--domain or --user", ["setting", "list", "--domain",
                                        "a.example", "--user", "b@c.example"]),
            (65, "did you mean hour?", ["history", "--by", "hours"]),
            (65, "--since: ", ["history", "--since", "soon"]),
            (65, "--top: expected", ["stats", "--top", "0"]),
            (65, "is not a domain name", ["stats", "--domain", "a b"]),
            (65, "is not a domain name", ["domain", "add", "-", "--dest",
                                          "x"]),
            (65, "is not a domain name", ["domain", "add", "a b", "--dest",
                                          "x"]),
            (65, "is not a domain name", ["domain", "add", "[127.0.0.1]",
                                          "--dest", "x"])):
        fails(code, part, *words)
    got = subprocess.run([f"{BUILD}/bin/mcctl"], check=False, text=True,
                         capture_output=True)
    claim(got.returncode == 64 and "queue list" in got.stderr,
          "without words: 64 and what there is", got)
    for words in (["--help"], ["queue", "--help"], ["queue", "list",
                                                    "--help"]):
        text = done(*words)
        claim("mcctl queue list" in text, "help shows the command", text)
    claim("queue show" not in done("queue", "list", "--help"),
          "help of one command is of that one")
    claim(done("--version").startswith("mcctl "), "the version")


def configuration():
    fails(78, "No such file", "status", conf=f"{home}/none.conf")
    write_conf(f"{home}/wrong.conf", "hostnmae = 1;")
    fails(78, "did you mean", "status", conf=f"{home}/wrong.conf")
    with open(f"{home}/torn.conf", "w", encoding="ascii") as f:
        f.write('hostname = "x\n')
    fails(78, "torn.conf:", "domain", "list", conf=f"{home}/torn.conf")


def nothing_there():
    """Before the first start."""
    fails(69, "not running", "status")
    fails(69, "not running", "reload")
    for verb in ("retry", "hold", "unhold", "delete"):
        fails(75, "mcd is not running", "queue", verb, "06ab3c8def000001")
    fails(66, "spool", "queue", "count")
    fails(66, "spool", "queue", "list")
    fails(66, "spool", "audit")
    fails(66, "spool", "trace", "x")
    fails(69, "not there", "domain", "list")
    text = done("check")
    claim("not there yet" in text, "check says what mcd will make", text)


def empty_spool():
    os.makedirs(f"{home}/spool")
    fails(66, "ledger", "audit")
    fails(66, "ledger", "trace", "x")
    fails(74, "spool", "queue", "list")
    os.makedirs(f"{home}/spool/ledger")
    for state in ("incoming", "filtering", "outgoing", "hold", "quarantine",
                  "corrupt"):
        for i in range(64):
            os.makedirs(f"{home}/spool/{state}/{i:02x}")
    same(done("queue", "list"), "", "an empty queue lists nothing")
    same(json.loads(done("queue", "count", "--json"))["outgoing"], 0,
         "and counts nothing")
    same(done("trace", "x@y.example"), "", "nor is there a trace")
    claim(json.loads(done("audit", "--json"))["balanced"],
          "nothing balances")
    fails(65, "is not a queue id", "queue", "show", "xyz")
    fails(65, "not in the queue", "queue", "show", "06ab3c8def000001")
    fails(64, "did you mean outgoing?", "queue", "list", "state:outgoign")
    fails(64, "is not known", "queue", "list", "form:x")


def output():
    done("domain", "add", "a.example", "--dest", "mx.a.example")
    with open("/dev/full", "w", encoding="ascii") as full:
        got = mcctl("domain", "list", stdout=full)
    claim(got.returncode == 74 and "No space left" in got.stderr,
          "output that cannot be written is told", got)
    read_end, write_end = os.pipe()
    os.close(read_end)
    got = mcctl("setting", "list", stdout=write_end)
    os.close(write_end)
    claim(got.returncode in (0, -13) and got.stderr == "",
          "a reader that has gone is no matter", got)


write_conf()
run(configuration, nothing_there, usage, empty_spool, output)
