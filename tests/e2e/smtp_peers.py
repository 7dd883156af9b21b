#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Sessions of other people's programs: swaks with each extension that it
# has, haproxy in front with both PROXY headers and its health checks.
# deadline: 240
import atexit
import os
import re
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, Sink, claim, room, same, wait_for
from smtplab import Client, run

DIR = room("mcgate-peers.")
os.environ["PATH"] += ":/usr/sbin:/sbin"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


subprocess.run(
    ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
     "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
     "/CN=lab.example", "-addext", "subjectAltName=DNS:lab.example",
     "-keyout", f"{DIR}/key.pem", "-out", f"{DIR}/cert.pem"],
    check=True, capture_output=True)
PORTS = {name: free_port() for name in (
    "smtps", "proxy", "xclient", "front1", "front2", "stats")}
sink = Sink()
lab = Lab(sink.text, conf=[
    f'certificates = ( {{ cert = "{DIR}/cert.pem"; '
    f'key = "{DIR}/key.pem"; }} );'],
    listeners=[
        f'name = "smtps"; address = "127.0.0.1:{PORTS["smtps"]}"; '
        'tls = "implicit"',
        f'name = "proxy"; address = "127.0.0.1:{PORTS["proxy"]}"; '
        'proxy_from = [ "127.0.0.0/8" ]',
        f'name = "xclient"; address = "127.0.0.1:{PORTS["xclient"]}"; '
        'xclient_from = [ "127.0.0.1" ]'])


def header(rcpt):
    got = sink.to(rcpt)
    return got[0].partition(b"\r\n\r\n")[0].decode() if got else ""


def swaks(rcpt, *words, port=None):
    where = ("127.0.0.1", port) if port else lab.smtp
    return subprocess.run(
        ["swaks", "--server", where[0], "--port", str(where[1]), "--ehlo",
         "swaks.example", "--from", "a@client.example", "--to",
         f"{rcpt}@ours.example", "--body", "of swaks", *words],
        capture_output=True, text=True, check=False, timeout=60)


def extensions():
    for name, words, port, with_, client in (
            ("plain", (), None, "ESMTP", "127.0.0.1"),
            ("helo", ("--protocol", "SMTP"), None, "SMTP", "127.0.0.1"),
            ("pipelined", ("--pipeline",), None, "ESMTP", "127.0.0.1"),
            ("starttls", ("--tls",), None, "ESMTPS", "127.0.0.1"),
            ("implicit", ("--tls-on-connect",), PORTS["smtps"], "ESMTPS",
             "127.0.0.1"),
            ("proxy1", ("--proxy-version", "1", "--proxy-family", "TCP4",
                        "--proxy-source", "192.0.2.7",
                        "--proxy-source-port", "4711", "--proxy-dest",
                        "192.0.2.25", "--proxy-dest-port", "25"),
             PORTS["proxy"], "ESMTP", "192.0.2.7"),
            ("proxy2", ("--proxy-version", "2", "--proxy-family", "AF_INET6",
                        "--proxy-protocol", "STREAM", "--proxy-command",
                        "PROXY", "--proxy-source", "2001:db8::7",
                        "--proxy-source-port", "4711", "--proxy-dest",
                        "2001:db8::25", "--proxy-dest-port", "25"),
             PORTS["proxy"], "ESMTP", "2001:db8::7"),
            ("xclient", ("--xclient-addr", "192.0.2.8", "--xclient-name",
                         "told.example"), PORTS["xclient"], "ESMTP",
             "192.0.2.8")):
        got = swaks(name, *words, port=port)
        claim(got.returncode == 0, f"swaks, {name}", got.stdout[-2000:],
              got.stderr)
        text = header(f"{name}@ours.example")
        claim(f" with {with_} id " in text and client in text,
              f"Received says {with_} and {client}", text)
    got = swaks("stranger", "--xclient-addr", "192.0.2.8")
    claim(got.returncode != 0, "XCLIENT of a stranger is refused",
          got.stdout[-1000:])


def haproxy():
    with open(f"{DIR}/haproxy.cfg", "w", encoding="ascii") as f:
        f.write(f"""
global
    stats socket {DIR}/haproxy.sock
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    option smtpchk EHLO check.example
    default-server inter 200ms
listen front1
    bind 127.0.0.1:{PORTS['front1']}
    server gw 127.0.0.1:{PORTS['proxy']} send-proxy check check-send-proxy
listen front2
    bind 127.0.0.1:{PORTS['front2']}
    server gw 127.0.0.1:{PORTS['proxy']} send-proxy-v2 check check-send-proxy
""")
    p = subprocess.Popen(["haproxy", "-f", f"{DIR}/haproxy.cfg", "-db"],
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    atexit.register(p.kill)
    before = len(lab.log())
    for i, name in ((1, "front1"), (2, "front2")):
        claim(wait_for(lambda: is_up(name)),
              f"haproxy finds the gateway well, version {i}", hastats())
        c = Client(type("At", (), {"smtp": ("127.0.0.1", PORTS[name])}),
                   f"127.0.7.{i}")
        same(c.reply()[:3], "220", "through haproxy the greeting comes")
        c.say("EHLO balanced.example")
        same(c.mail(b"Subject: x\r\n\r\nx\r\n",
                    rcpts=[f"ha{i}@ours.example"])[:3], "250",
             "and a mail is taken")
        c.close()
        text = header(f"ha{i}@ours.example")
        claim(f"[127.0.7.{i}]" in text, "Received has the client's address",
              text)
    same(re.findall(r".*(?:warn|error|refuse).*", lab.log()[before:]), [],
         "health checks are no refusal and warn of nothing")
    p.send_signal(signal.SIGTERM)
    p.wait()


def hastats():
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(f"{DIR}/haproxy.sock")
            s.sendall(b"show stat\n")
            return b"".join(iter(lambda: s.recv(65536), b"")).decode()
        except OSError:
            return ""


def servers():
    """A dictionary for each server that haproxy knows, by its front."""
    lines = hastats().lstrip("# ").splitlines()
    names = lines[0].split(",") if lines else []
    return {row["pxname"]: row for row in (
        dict(zip(names, line.split(","))) for line in lines[1:] if line)
        if row.get("svname") == "gw"}


def is_up(front):
    row = servers().get(front, {})
    return row.get("status") == "UP" and row.get("check_status") == "L7OK"


run(extensions, haproxy)
