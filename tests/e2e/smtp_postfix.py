#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's Postfix beside the gateway: as a peer that hands mail in, and as
# the next hop, with TLS, SMTPUTF8 and DSN both ways; and its smtp-source.
# deadline: 240
import atexit
import os
import pwd
import re
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, Sink, claim, room, same, wait_for
from smtplab import Client, run

os.environ["PATH"] += ":/usr/sbin:/sbin"
if os.geteuid() != 0:
    print("1..0 # SKIP Postfix can only be started by root")
    sys.exit(0)

DIR = room("mcgate-postfix.")
MAIN_CF = """
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
mail_owner = postfix
setgid_group = postdrop
myhostname = postfix.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relayhost = [127.0.0.1]:{gateway}
transport_maps = inline:{{ {{ pf.example = smtp:[127.0.0.1]:{sink} }} }}
alias_maps =
alias_database =
local_recipient_maps =
local_transport = error:nothing is local
disable_dns_lookups = yes
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_recipient_restrictions =
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_tls_security_level = may
smtpd_tls_cert_file = {dir}/cert.pem
smtpd_tls_key_file = {dir}/key.pem
smtp_tls_security_level = may
smtputf8_enable = yes
maillog_file =
syslog_name = mcgate-test
"""
MASTER_CF = """
127.0.0.1:{port} inet n - n - 20 smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - 20 smtp
relay unix - - n - 20 smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start_postfix(gateway, relay):
    owner = pwd.getpwnam("postfix")
    for d in ("etc", "queue", "data"):
        os.mkdir(f"{DIR}/{d}", 0o755)
    os.chown(f"{DIR}/data", owner.pw_uid, owner.pw_gid)
    words = {"dir": DIR, "gateway": gateway, "sink": relay, "port": PORT}
    for name, text in (("main", MAIN_CF), ("master", MASTER_CF)):
        with open(f"{DIR}/etc/{name}.cf", "w", encoding="ascii") as f:
            f.write(text.format(**words))
    got = subprocess.run(["postfix", "-c", f"{DIR}/etc", "start"],
                         capture_output=True, text=True, check=False)
    atexit.register(subprocess.run, ["postfix", "-c", f"{DIR}/etc", "abort"],
                    capture_output=True, check=False)
    return claim(got.returncode == 0, "Postfix starts", got.stderr)


def answers():
    try:
        socket.create_connection(("127.0.0.1", PORT), 5).close()
        return True
    except OSError:
        return False


subprocess.run(
    ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
     "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
     "/CN=lab.example", "-keyout", f"{DIR}/key.pem", "-out",
     f"{DIR}/cert.pem"], check=True, capture_output=True)
PORT = free_port()
sink = Sink()
lab = Lab(sink.text, domains=[f"pf.example=127.0.0.1:{PORT}"], conf=[
    f'certificates = ( {{ cert = "{DIR}/cert.pem"; '
    f'key = "{DIR}/key.pem"; }} );'])


def starts():
    start_postfix(lab.smtp[1], int(sink.text.rpartition(":")[2]))
    claim(wait_for(answers), "and answers")


def mail(where, body, **words):
    c = Client(type("At", (), {"smtp": where}))
    c.reply()
    c.say("EHLO client.example")
    got = c.mail(body, **words)
    c.close()
    return claim(got.startswith("250"), "a mail is taken", got)


def as_peer():
    """What Postfix hands in, as it comes out."""
    mail(("127.0.0.1", PORT), b"Subject: in\r\n\r\n.\r\nx\r\n",
         rcpts=["in@ours.example"])
    got = sink.to("in@ours.example")
    claim(got and re.search(
        rb"Received: from postfix\.example \([^)]*\)\r\n\t\(using TLSv1\.3 "
        rb"[^\r\n]*\r\n\tby \S+ with ESMTPS id ", got[0]),
          "Postfix hands it in with TLS", got)
    claim(got and got[0].endswith(b"\r\n\r\n.\r\nx\r\n"), "dots and all")
    mail(("127.0.0.1", PORT), "Subject: \u00e4\r\n\r\nx\r\n".encode(),
         sender="\u00e4@client.example", rcpts=["utf8@ours.example"],
         params=" BODY=8BITMIME SMTPUTF8")
    got = sink.to("utf8@ours.example")
    claim(got and b" with UTF8SMTPS id " in got[0],
          "and with SMTPUTF8 where it needs that", got)


def as_hop():
    mail(lab.smtp, b"Subject: out\r\n\r\n.\r\nx\r\n",
         rcpts=["out@pf.example"])
    claim(lab.logs(rf"to=<out@pf\.example> relay=\S+:{PORT} .* "
                   rf"tls=\"?TLSv1\.3.* dsn=2\.0\.0 status=sent \"250 2\.0\.0 "
                   rf"Ok: queued as"), "Postfix takes it, with TLS",
          lab.log())
    got = sink.to("out@pf.example")
    claim(got and got[0].endswith(b"\r\n\r\n.\r\nx\r\n"),
          "and passes it on as it was", got)
    mail(lab.smtp, "Subject: \u00e4\r\n\r\nx\r\n".encode(),
         sender="\u00e4@client.example", rcpts=["u\u00e4@pf.example"],
         params=" BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=e1")
    claim(lab.logs(rf"relay=\S+:{PORT} .* status=sent", times=2),
          "so with SMTPUTF8 and DSN", lab.log())


def source():
    """Its load generator, five sessions at a time."""
    got = subprocess.run(
        ["smtp-source", "-s", "5", "-m", "50", "-l", "4096", "-f",
         "a@client.example", "-t", "source@ours.example",
         f"inet:{lab.smtp[0]}:{lab.smtp[1]}"], capture_output=True,
        text=True, check=False, timeout=120)
    same(got.returncode, 0, "smtp-source sends fifty mails")
    same(len(sink.to("source@ours.example", 50)), 50, "and all arrive")
    lab.balances()


run(starts, as_peer, as_hop, source)
