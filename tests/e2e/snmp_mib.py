#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deadline: 120
#
# MCGATE-MIB: its text is clean and knows every object that is served; all
# kinds of question agree on the tree; the numbers are those of mcctl; and
# what is not known is not there.
import atexit
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import (BUILD, SRC, Lab, Sink, accept, claim, room,  # noqa: E402
                   same, text_mail, wait_for)
from smtplab import run  # noqa: E402
from snmplab import Agent, Snmpd  # noqa: E402

SMI = f"{SRC}/tests/data/smi"
BASE = ".1.3.6.1.4.1.8072.9999.9999.25"
STATUS = BASE + ".1.1"
STATS = BASE + ".1.2"
sink = Sink()
DAY = 86400
home = room("mcgate-mib.")


def signatures(name, days):
    """A folder with a file of so many days ago."""
    os.mkdir(f"{home}/{name}")
    shutil.copy(f"{SRC}/share/clamav/eicar.hdb", f"{home}/{name}")
    at = time.time() - days * DAY
    os.utime(f"{home}/{name}/eicar.hdb", (at, at))
    return f"{home}/{name}"


def certificate(days):
    pem = f"{home}/cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
         str(days), "-subj", "/CN=mx.example", "-keyout", pem + ".key",
         "-out", pem], check=True, capture_output=True)
    return pem


lab = Lab(sink.text, domains=("second.example",), conf=(
    f'clamav = {{ dir = "{signatures("av", 2)}"; '
    f'third_party = "{signatures("third", 5)}"; }};',
    'certificates = ( { cert = "%s"; key = "%s.key"; } );' % (
        (certificate(20),) * 2)))
snmpd = Snmpd().up()
agent = Agent(lab, snmpd.address).up()
mibs = room("mcgate-mib.")
atexit.register(lambda: [p.process and p.process.end(signal.SIGKILL)
                         for p in (agent, snmpd)])


def module(*words):
    got = subprocess.run([f"{BUILD}/sbin/mc-snmp-agent", "-m", *words],
                         check=False, capture_output=True, text=True)
    with open(f"{mibs}/MCGATE-MIB", "w", encoding="ascii") as f:
        f.write(got.stdout)
    return got.stdout


def lint():
    got = subprocess.run(["smilint", "-l", "6", f"{mibs}/MCGATE-MIB"],
                         check=False, capture_output=True, text=True,
                         env=dict(os.environ, SMIPATH=SMI))
    return got.stdout + got.stderr


def translate(*words):
    got = subprocess.run(
        ["snmptranslate", "-M", f"{SMI}:{mibs}", "-m",
         "SNMPv2-TC:MCGATE-MIB", *words], check=False,
        capture_output=True, text=True)
    return [n.strip() for n in got.stdout.splitlines() if n.strip()]


def text():
    with open(f"{SRC}/lib/core/stats.def", encoding="ascii") as f:
        rows = len(re.findall(r"^(?:COUNTER|GAUGE)\(", f.read(), re.M))
    got = module()
    same(lint(), "", "smilint has nothing to say, at level 6")
    same(len(re.findall(r"::= \{ mcStats \d+ \}", got)), rows,
         "each row of stats.def is an object")
    with open(f"{mibs}/MCGATE-MIB", "w", encoding="ascii") as f:
        f.write(got.replace("SYNTAX Counter64", "SYNTAX Counter65", 1))
    claim(lint() != "", "and smilint sees what is wrong")
    same(translate("-On", "MCGATE-MIB::mcInMessages.0"), [STATS + ".2.0"],
         "snmptranslate knows the names")
    module()


def column(oid):
    return list(snmpd.walk(f"{BASE}.{oid}").values())


def values():
    for i in range(3):
        accept(lab, text_mail(f"number {i}"))
    accept(lab, text_mail("another"), rcpts=["r@second.example"])
    sink.got(4)
    claim(wait_for(lambda: snmpd.text(STATS + ".2.0") == "4"),
          "messages taken are counted", snmpd.walk(STATS), agent.log())
    claim(wait_for(lambda: snmpd.ask("snmpget", STATS + ".2.0")[1][0][1]
                   == "Counter64"), "as Counter64")
    same(snmpd.text(STATUS + ".2.0"), "1", "mcd is running")
    claim(wait_for(lambda: len(column("1.5.1.4")) == 2 and
                   column("1.6.1.5") == ["4"]),
          "rows of domains and next hops come", snmpd.walk(BASE))
    tree = snmpd.walk(BASE)
    names = dict(zip(tree, translate("-OS", *tree)))
    same([n for n in names.values()
          if not re.match(r"MCGATE-MIB::mc\w+\.(?:0|['\"].*['\"])$", n)], [],
         "each object of the walk has its name in the module")
    same(len(names), len(tree), "so all of them")
    rows = {}
    for oid, name in names.items():
        found = re.match(r"MCGATE-MIB::(mc\w+)\.['\"](.*)['\"]$", name)
        if found:
            rows[found.groups()] = tree[oid]
    want = {p["role"]: p["pid"] for p in
            lab.rows("status")[0]["processes"]}
    same({k[1]: int(v) for k, v in rows.items() if k[0] == "mcProcessPid"},
         want, "the table of processes is that of mcctl status")
    same({k[1]: v for k, v in rows.items() if k[0] == "mcDomainDelivered"},
         {"ours.example": "3", "second.example": "1"},
         "domains have their rows")
    same([v for k, v in rows.items() if k[0] == "mcHopDelivered"], ["4"],
         "and next hops")


def questions():
    def quiet(tree):
        # Ages go on between one walk and the next, and a next hop that
        # answers is given more at a time.
        return {o: v for o, v in tree.items() if not re.match(
            re.escape(BASE) +
            r"\.1\.(?:1\.[45]\.|1\.7\.|4\.1\.6\.|6\.1\.4\.|2\.)", o)}

    whole = snmpd.walk(BASE)
    same(quiet(snmpd.walk(BASE, "snmpbulkwalk")), quiet(whole),
         "walk and bulk walk agree")
    oids = list(whole)
    same(oids, sorted(oids, key=lambda o: [int(x) for x in
                                           o.strip(".").split(".")]),
         "in order")
    above = [o[:o.rindex(".")] for o in oids]
    want = [next(o for o in oids if o.startswith(a + ".")) for a in above]
    found = []
    for i in range(0, len(above), 40):
        found += snmpd.ask("snmpgetnext", *above[i:i + 40])[1]
    same([r[0] for r in found], want, "getnext finds from above each")
    some = oids[::7]
    same(snmpd.get(*some)[0], True, "get of many at once")
    for oid in (BASE, STATS, STATS + ".2", STATS + ".2.1", STATS + ".9999.0",
                BASE + ".1.5.1.4.3.97.98.99", BASE + ".7"):
        claim(snmpd.text(oid).startswith("No Such"),
              f"get of {oid[len(BASE):] or 'the base'}: no such",
              snmpd.text(oid))
    same(snmpd.ask("snmpset", STATS + ".2.0", "C", "1")[1], [],
         "a set is refused")


def ages():
    """Days that there were when the lab began, and maybe one more or less."""
    for number, days, words in ((92, 2, "signatures of the antivirus"),
                                (94, 5, "third-party signatures"),
                                (95, 19, "the certificate")):
        got = snmpd.text(f"{STATS}.{number}.0")
        claim(got.isdigit() and (days - 1) * DAY < int(got) <
              (days + 2) * DAY, f"{words}: days", got)
    claim(snmpd.text(f"{STATS}.93.0").isdigit(), "the engine has its age")


def zabbix():
    """The template: what its importer insists on, and what it asks for."""
    tool = runpy.run_path(f"{SRC}/tools/zabbix-template")
    export = tool["export"]()
    path = f"{mibs}/template.yaml"
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(tool["yaml"](export)) + "\n")
    template = export["zabbix_export"]["templates"][0]
    items = template["items"]
    rules = template["discovery_rules"]
    parts = [p for r in rules for p in r["item_prototypes"]]
    keys = [i["key"] for i in (*items, *parts)]
    same(len(keys), len(set(keys)), "keys of the template are there once")
    found = re.findall(r"'uuid': '(\S+)'", str(export["zabbix_export"]))
    same([u for u in found if found.count(u) > 1 or not re.fullmatch(
        "[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}", u)], [],
        "ids are of version 4, each once")
    asked = re.findall(r"/mcgate by SNMP/((?:[^,()\[]|\[[^]]*\])+)",
                       str(items) + str(rules))
    same([k for k in asked if k not in keys], [],
         "triggers ask for items that there are")
    tree = snmpd.walk(BASE)
    oids = [i["snmp_oid"].replace("{$MCGATE.OID}", BASE) for i in items
            if "OID}" in i.get("snmp_oid", "")]
    same([o for o in oids if o not in tree and o != STATUS + ".6.0"], [],
         "each object it asks for is served")
    tables = [re.search(r"\{\$MCGATE.OID\}(.*)\]", r["snmp_oid"])[1]
              for r in rules]
    same([n for n in translate("-OS", *(BASE + t for t in tables))
          if not re.fullmatch(r"MCGATE-MIB::mc\w+Name", n)], [],
         "and discovers by the names of each table")
    checker = f"{os.environ.get('CORPORA', '')}/tools/check_zabbix.py"
    if os.path.exists(checker):
        got = subprocess.run([sys.executable, checker, path], check=False,
                             capture_output=True, text=True)
        same(got.returncode, 0, "the shared check finds nothing")


def counters():
    lab.crash()
    claim(wait_for(lambda: snmpd.text(STATUS + ".2.0") == "4"),
          "mcd killed: the status says so", snmpd.walk(STATUS))
    same(snmpd.walk(STATS), {}, "and there are no numbers")
    same([o for o in snmpd.walk(BASE) if not re.search(
        r"\.25\.1\.[13]\.", o)], [], "nor rows but those of events")
    lab.start_mcd()
    claim(wait_for(lambda: snmpd.text(STATUS + ".2.0") == "1"),
          "mcd up again", snmpd.walk(STATUS))
    same(snmpd.text(STATS + ".2.0"), "4",
         "a counter that was not saved does not go back")
    accept(lab, text_mail("one more"))
    claim(wait_for(lambda: snmpd.text(STATS + ".2.0") == "5"),
          "and goes on", snmpd.text(STATS + ".2.0"))
    lab.down()
    with open(f"{lab.dir}/run/stats", "wb") as f:
        f.write(b"of another version")
    claim(wait_for(lambda: snmpd.text(STATUS + ".2.0") == "6"
                   and snmpd.walk(STATS) == {}),
          "a mapping that cannot be read: said, and no numbers",
          snmpd.walk(STATUS))


def base():
    agent.down()
    with open(f"{lab.dir}/etc/mcd.conf", "a", encoding="ascii") as f:
        f.write('snmp = { base_oid = "1.3.6.1.4.1.4711"; };\n')
    agent.up()
    claim(wait_for(lambda: snmpd.text(".1.3.6.1.4.1.4711.1.1.2.0") == "6"),
          "the base is a knob", agent.log())
    same(snmpd.walk(BASE), {}, "and there is nothing at the old one")
    module("-c", f"{lab.dir}/etc/mcd.conf")
    same(lint(), "", "its module is clean as well")
    same(translate("-On", "MCGATE-MIB::mcStatusState.0"),
         [".1.3.6.1.4.1.4711.1.1.2.0"], "and says where it is")


run(text, values, questions, ages, zabbix, counters, base)
