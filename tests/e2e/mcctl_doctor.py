#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# mcctl doctor: each probe when all is well, when something is missing, and
# when it is there and does not answer; pyzord is Debian's, DCC and Razor are
# stubs.
import json
import os
import shutil
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from dnslab import Dns  # noqa: E402
from mclab import Lab, claim, room, same, wait_for  # noqa: E402
from smtplab import run  # noqa: E402
from spamdlab import Stub, report  # noqa: E402

dns = Dns({})
spamd = Stub()
home = room("mcgate-doctor.")
tools = room("mcgate-tools.")
third = room("mcgate-sigs.")
lab = Lab("127.0.0.1:9", conf=[
    f'spamd = {{ socket = "{spamd.text}"; home = "{home}"; }};',
    f'clamav = {{ dir = "{home}"; third_party = "{third}"; }};',
    f'snmp = {{ agentx = "unix:{home}/agentx"; }};'],
    env={"PATH": f"{tools}:/usr/bin:/bin", "SNMPCONFPATH": home},
    starts=False)
lab.words += ["--resolver", dns.text]
lab.up()


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def probe(name, at=0):
    """result, found and todo of a probe, and doctor's exit status."""
    got = subprocess.run(
        [f"{os.environ['MCGATE_BUILDDIR']}/bin/mcctl", "-c",
         f"{lab.dir}/etc/mcd.conf", "--json", "doctor", name],
        capture_output=True, text=True, check=False, env=lab.env)
    row = json.loads(got.stdout.splitlines()[at])
    return row["result"], row["found"], row["todo"], got.returncode


def says(name, result, part, words):
    got = probe(name)
    claim(got[0] == result and part in got[1] + " " + got[2] and
          (got[3] == 69) == (result == "FAULT") and
          (result == "ok") == (got[2] == ""), words, got)


def tool(name, text):
    with open(f"{tools}/{name}", "w", encoding="ascii") as f:
        f.write("#!/bin/sh\n" + text)
    os.chmod(f"{tools}/{name}", 0o755)


def of_spamd():
    spamd.answer = lambda conn: conn.sendall(
        b"SPAMD/1.5 0 PONG\r\n" if conn.recv(4) == b"PING"
        else (conn.recv(100000), report({}))[1])
    says("spamd", "ok", "answers", "spamd that is well")
    spamd.answer = b"SPAMD/1.5 0 PONG\r\n"
    says("spamd", "FAULT", "mcgate.cf", "spamd without our report")
    spamd.answer = b"HTTP/1.1 400\r\n"
    says("spamd", "FAULT", "is not spamd", "something else there")
    spamd.close()
    says("spamd", "FAULT", "start spamd", "nobody there")


def of_tools():
    if not shutil.which("razor-check"):
        says("razor", "note", "apt-get install razor", "no Razor")
    tool("razor-check", "cat >/dev/null; exit 1\n")
    says("razor", "ok", "answers", "Razor that answers")
    tool("razor-check", "echo 'Razor2 check skipped: no servers'; exit 2\n")
    says("razor", "FAULT", "razor-admin", "Razor that does not")
    if not shutil.which("cdcc"):
        says("dcc", "note", "not in Debian", "no DCC, which Debian lacks")
    tool("cdcc", "echo '# 127.0.0.1,- RTT-1000 32768 ms  a'\n")
    says("dcc", "ok", "answers", "DCC that answers")
    tool("cdcc", "echo 'no working DCC servers'; exit 1\n")
    says("dcc", "FAULT", "cdcc info", "DCC that does not")


def of_pyzor():
    if not shutil.which("pyzord"):
        same("skipped", "skipped", "no pyzord here # SKIP")
        return
    port = free_udp_port()
    os.makedirs(f"{home}/.pyzor", exist_ok=True)
    with open(f"{home}/.pyzor/servers", "w", encoding="ascii") as f:
        f.write(f"127.0.0.1:{port}\n")
    with open(f"{home}/pyzord.access", "w", encoding="ascii") as f:
        f.write("ALL : anonymous : allow\n")
    with open(f"{home}/log", "wb") as log:
        server = subprocess.Popen(
            ["pyzord", f"--homedir={home}", "-a", "127.0.0.1", "-p",
             str(port), "-e", "gdbm", f"--dsn={home}/pyzord.db"],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        claim(wait_for(lambda: probe("pyzor")[0] == "ok"),
              "Debian's pyzord answers", probe("pyzor"),
              open(f"{home}/log", encoding="utf-8").read())
    finally:
        server.kill()
        server.wait()
    says("pyzor", "FAULT", ".pyzor/servers", "and when it has ended, does not")


def of_ages():
    says("signatures", "warning", "freshclam", "no signatures")
    open(f"{home}/daily.cvd", "w", encoding="ascii").close()
    says("signatures", "ok", "old", "fresh ones")
    old = time.time() - 5 * 86400
    os.utime(f"{home}/daily.cvd", (old, old))
    says("signatures", "warning", "5d", "old ones")
    says("third-party", "note", "clamav-unofficial-sigs", "no third-party")
    open(f"{third}/a.ndb", "w", encoding="ascii").close()
    says("third-party", "ok", "old", "fresh third-party ones")
    says("sa-update", "warning", "those of its package", "no rules")
    os.makedirs(f"{home}/4.000001")
    open(f"{home}/4.000001/updates.cf", "w", encoding="ascii").close()
    says("sa-update", "ok", "old", "fresh rules")


def of_host():
    says("resolver", "ok", dns.text, "DNS answers")
    dns.is_down = True
    says("filters", "ok", "none of", "no filter is left out")
    for sub in ("spool", "lib"):
        os.chmod(f"{lab.dir}/{sub}", 0o700)
    says("permissions", "ok", "mode", "folders are closed")
    os.chmod(f"{lab.dir}/spool", 0o755)
    says("permissions", "FAULT", "chmod", "the spool is open to all")
    os.chmod(f"{lab.dir}/spool", 0o700)
    claim(probe("disk")[0] in ("ok", "warning", "FAULT") and
          "free (" in probe("disk")[1], "the disk has room", probe("disk"))
    says("certificates", "note", "without TLS", "no certificate")
    got = lab.run("doctor", "spmad")
    claim(got.returncode == 65 and "did you mean spamd" in got.stderr,
          "a wrong word is named", got)
    got = lab.run("doctor")
    claim(got.returncode == 69 and got.stdout.count("\n") >= 12 and
          "FAULT" in got.stdout, "all of it as a table", got.stdout)


def certificate():
    pem = f"{home}/cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
         "5", "-subj", "/CN=mx.example", "-keyout", pem + ".key", "-out",
         pem], check=True, capture_output=True)
    with open(f"{lab.dir}/etc/mcd.conf", "a", encoding="utf-8") as f:
        f.write(f'certificates = ( {{ cert = "{pem}"; key = "{pem}.key"; }}'
                " );\n")
    says("certificates", "warning", " days left", "one that ends soon")


def of_snmp():
    """The way to snmpd, a listener of our own here, and what it shows."""
    says("snmp", "note", "apt-get install snmpd", "no snmpd")
    with open(f"{home}/snmpd.conf", "w", encoding="ascii") as f:
        f.write("view systemonly included .1.3.6.1.2.1.1\n")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(f"{home}/agentx")
        says("snmp", "FAULT", "start snmpd", "a socket that nobody has")
        s.listen(8)
        same(probe("snmp")[:2], ("ok", f"{home}/agentx: snmpd takes "
                                 "subagents"), "one that is listened at")
        claim("no view of snmpd shows .1.3.6.1.4.1.2021.8" in
              probe("snmp", 1)[1] and "included .1.3.6.1.4.1.2021.8" in
              probe("snmp", 1)[2], "a view that hides the queues",
              probe("snmp", 1))
        os.mkdir(f"{home}/snmpd.conf.d")
        with open(f"{home}/snmpd.conf.d/a.conf", "w",
                  encoding="ascii") as f:
            f.write("# view a included .1.3.6.1.4.1.8072\n"
                    "view\tsystemonly  included .1.3.6.1.4.1.2021\n"
                    "view a included .1.3.6.1.4.1.80\n")
        same(probe("snmp", 1)[:2],
             ("FAULT", f"{home}: no view of snmpd shows "
              ".1.3.6.1.4.1.8072.9999.9999.25"), "one that hides the MIB")
        with open(f"{home}/snmpd.conf.d/b.conf", "w",
                  encoding="ascii") as f:
            f.write("view systemonly included .1.3.6.1.4.1.8072.9999\n")
        same(probe("snmp", 1)[0], "ok", "one that shows both")


run(of_snmp, of_spamd, of_tools, of_pyzor, of_ages, of_host, certificate)
