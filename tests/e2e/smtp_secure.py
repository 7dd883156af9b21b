#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# TLS, CHUNKING, PROXY and XCLIENT with a whole gateway.
# deadline: 240
import os
import re
import smtplib
import socket
import ssl
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from mclab import Lab, Sink, room
from smtplab import Client, claim, client, run, same, wait_for

CERTS = room("mcgate-certs.")
V2 = b"\r\n\r\n\0\r\nQUIT\n"


def certificate(name):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
         f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout",
         f"{CERTS}/{name}.key", "-out", f"{CERTS}/{name}.pem"],
        check=True, capture_output=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


for host in ("a.example", "b.example", "new.example"):
    certificate(host)
PORTS = {"smtps": free_port(), "proxy": free_port(), "xclient": free_port()}
sink = Sink()
lab = Lab(sink.text, conf=[
    "certificates = (" + ",".join(
        f' {{ cert = "{CERTS}/{n}.pem"; key = "{CERTS}/{n}.key"; }}'
        for n in ("a.example", "b.example")) + " );"],
    listeners=[
        f'name = "smtps"; address = "127.0.0.1:{PORTS["smtps"]}"; '
        'tls = "implicit"; proxy_from = [ "127.0.0.2" ]',
        f'name = "proxy"; address = "127.0.0.1:{PORTS["proxy"]}"; '
        'proxy_from = [ "127.0.0.0/8" ]',
        f'name = "xclient"; address = "127.0.0.1:{PORTS["xclient"]}"; '
        'xclient_from = [ "127.0.0.1" ]'])


class At:
    """The lab at another of its listeners."""

    def __init__(self, name):
        self.smtp = ("127.0.0.1", PORTS[name])


def context(version=None):
    c = ssl.create_default_context()
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    if version:
        c.minimum_version = c.maximum_version = version
    return c


def name_of(sock):
    """A name of the certificate that was shown."""
    der = sock.getpeercert(True)
    found = re.search(rb"(?:a|b|new)\.example", der)
    return found.group(0).decode() if found else ""


def starttls():
    for version, words in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
                           (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        s = smtplib.SMTP(*lab.smtp, local_hostname="client.example")
        s.starttls(context=context(version))
        same(s.sock.version(), words, "STARTTLS")
        s.ehlo()
        claim("starttls" not in s.esmtp_features, "is offered once")
        s.sendmail("a@client.example", f"{words}@ours.example",
                   "Subject: x\r\n\r\nx\r\n")
        s.quit()
        body = sink.to(f"{words}@ours.example")[0]
        claim(re.search(rb"\(using " + words.encode() +
                        rb" with cipher \S+, \d+ bits\)\r\n\tby \S+ with "
                        rb"ESMTPS id ", body), "Received says so",
              body[:300])
        claim(lab.logs(rf"accepted .* tls={words} cipher=\S+"),
              "and the log")


def injected():
    c = client(lab)
    c.send("STARTTLS\r\nEHLO evil.example\r\n")
    same(c.reply(), "554 5.5.1 Text behind STARTTLS, closing",
         "text behind STARTTLS")
    claim(c.is_closed(), "ends the session")
    c = client(lab)
    same(c.say("STARTTLS")[:3], "220", "STARTTLS")
    c.send("EHLO evil.example\r\n")
    try:
        got = c.sock.recv(1000)
    except ConnectionError:
        got = b""
    claim(b"250" not in got, "a command instead of a handshake is none", got)


def by_name():
    for asked, shown in (("a.example", "a.example"),
                         ("b.example", "b.example"),
                         ("c.example", "a.example"), (None, "a.example")):
        with socket.create_connection(("127.0.0.1", PORTS["smtps"])) as raw:
            with context().wrap_socket(raw, server_hostname=asked) as s:
                same(name_of(s), shown, f"the certificate for {asked}")
                same(s.recv(3), b"220", "implicit TLS, then the greeting")


def chunks():
    c = client(lab)
    c.say("MAIL FROM:<a@client.example>")
    c.say("RCPT TO:<chunk@ours.example>")
    c.send(b"BDAT 14\r\nSubject: x\r\n\r\nBDAT 9 LAST\r\n.\r\nQUIT\r\n")
    same(c.reply(), "250 2.0.0 14 bytes taken", "BDAT")
    same(c.reply()[:3], "250", "and its last chunk")
    claim(sink.to("chunk@ours.example")[0].endswith(
        b"Subject: x\r\n\r\n.\r\nQUIT\r\n"), "come out as they were")


def smuggled():
    """Only CRLF.CRLF ends a message, whatever stands in its place."""
    ends = [a + "." + b for a in ("\n", "\r", "\r\n", "\r\n\0", "\r\r\n")
            for b in ("\n", "\r", "\0\r\n", "\r\r\n", "\t\r\n", "\x0b\r\n")]
    got = {}
    for end in ends + ["\n.\r\n", "\r.\r\n", "\x85.\x85"]:
        c = client(lab)
        c.begin(rcpts=["smuggle@ours.example"])
        c.send(f"Subject: x\r\n\r\nx{end}MAIL FROM:<b@client.example>\r\n"
               "RCPT TO:<smuggle@ours.example>\r\nDATA\r\nx\r\n.\r\n")
        first = c.reply()[:3]
        if first not in ("250", "550") or c.say("NOOP") != "250 2.0.0 Ok":
            got[end] = first
        c.close()
    same(got, {}, "nothing but CRLF.CRLF ends a message")


def proxied():
    heads = {b"PROXY TCP4 192.0.2.7 192.0.2.1 1 25\r\n": "192.0.2.7",
             b"PROXY TCP6 2001:db8::7 2001:db8::1 1 25\r\n": "2001:db8::7",
             V2 + b"\x21\x11\0\x0c\xc0\0\2\x08\xc0\0\2\x01\0\1\0\x19":
             "192.0.2.8"}
    for i, (head, who) in enumerate(heads.items()):
        c = Client(At("proxy"))
        c.send(head)
        same(c.reply()[:3], "220", "a greeting behind a header")
        c.say("EHLO client.example")
        c.mail(b"x\r\n", rcpts=[f"p{i}@ours.example"])
        claim(lab.logs(rf"accepted .* client={re.escape(who)} "),
              f"the client is {who}", lab.log()[-500:])
    for head in (b"PROXY UNKNOWN\r\n", V2 + b"\x20\0\0\0"):
        c = Client(At("proxy"))
        c.send(head)
        same(c.reply()[:3], "220", "a health check is greeted")
        c.close()
    Client(At("proxy")).close()
    claim(not re.search(r"warn: .*(proxy_from|refused)", lab.log()),
          "and nothing is warned of", lab.log()[-500:])
    c = Client(At("proxy"))
    c.send("EHLO client.example\r\n")
    claim(c.is_closed(), "no header: closed")
    raw = socket.socket()
    raw.bind(("127.0.0.2", 0))
    raw.connect(("127.0.0.1", PORTS["smtps"]))
    ours, far = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context().wrap_bio(ours, far)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    raw.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.1 1 25\r\n" + far.read())
    claim(raw.recv(1)[:1] == b"\x16",
          "a header and a handshake in one segment")
    raw.close()


def xclient():
    c = client(At("xclient"))
    same(c.say("XCLIENT NAME=h.example ADDR=192.0.2.9 HELO=h.example")[:3],
         "220", "XCLIENT")
    c.say("EHLO client.example")
    c.mail(b"x\r\n", rcpts=["x@ours.example"])
    claim(b"(h.example [192.0.2.9])" in sink.to("x@ours.example")[0],
          "the client is another")
    same(client(lab).say("XCLIENT NAME=h.example")[:3], "550",
         "but not from everywhere")


def renewed():
    old = smtplib.SMTP(*lab.smtp, local_hostname="client.example")
    old.starttls(context=context())

    def replace(text):
        with open(f"{CERTS}/a.example.key", "w", encoding="ascii") as f:
            f.write(text)
    with open(f"{CERTS}/new.example.key", encoding="ascii") as f:
        key = f.read()
    replace(key)
    got = lab.run("reload")
    claim(got.returncode != 0 and "does not belong" in got.stderr,
          "a key of another certificate is told at a reload", got.stderr)
    os.replace(f"{CERTS}/new.example.pem", f"{CERTS}/a.example.pem")
    lab.ctl("reload")

    def shown():
        with socket.create_connection(("127.0.0.1", PORTS["smtps"])) as raw:
            with context().wrap_socket(raw) as s:
                return name_of(s)
    claim(wait_for(lambda: shown() == "new.example"),
          "a new certificate is shown from then on")
    same(old.noop()[0], 250, "and no session ends for it")
    old.quit()


run(starttls, injected, by_name, chunks, smuggled, proxied, xclient, renewed)
