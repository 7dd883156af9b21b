# SPDX-License-Identifier: GPL-2.0-or-later
#
# A DNS server of a test: answers from a dictionary, fails or is silent where
# the test says so, and counts what it was asked.  UDP on loopback.
import socket
import threading

TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX",
         16: "TXT", 28: "AAAA"}
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
FAIL = "SERVFAIL"  # instead of a name's records
SILENT = "silent"


def wire(name):
    return b"".join(bytes((len(label),)) + label.encode("ascii")
                    for label in name.rstrip(".").split(".") if label) + b"\0"


def rdata(kind, value):
    if kind == "A":
        return socket.inet_pton(socket.AF_INET, value)
    if kind == "AAAA":
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == "MX":
        preference, _, host = value.partition(" ")
        return int(preference).to_bytes(2, "big") + wire(host)
    if kind == "TXT":
        data = value.encode()
        return b"".join(bytes((len(data[i:i + 255]),)) + data[i:i + 255]
                        for i in range(0, len(data) or 1, 255))
    return wire(value)  # PTR, CNAME, NS


def reverse(ip, zone=""):
    """The name of an address in a DNS list, or below in-addr and ip6.arpa."""
    if ":" in ip:
        packed = socket.inet_pton(socket.AF_INET6, ip).hex()
        return ".".join(reversed(packed)) + "." + (zone or "ip6.arpa")
    return ".".join(reversed(ip.split("."))) + "." + (zone or "in-addr.arpa")


class Dns:
    """
    records: {"a.example": {"MX": "10 mx.a.example", "A": ["192.0.2.1"]}}.
    A name that maps to FAIL or SILENT is so for each type; one that is not
    there does not exist, unless another exists below it.
    """

    def __init__(self, records):
        self.records = {k.lower(): v for k, v in records.items()}
        self.asked = []  # (name, type)
        self.ttl = 60
        self.is_down = False
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.text = f"127.0.0.1@{self.sock.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, client_at = self.sock.recvfrom(4096)
            try:
                reply = self.answer(query)
            except (IndexError, UnicodeError):
                continue
            if reply:
                self.sock.sendto(reply, client_at)

    def count(self, name):
        return sum(asked == name.lower() for asked, _ in self.asked)

    def answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1"))
            at += query[at] + 1
        question = query[12:at + 5]
        name = ".".join(labels).lower()
        kind = TYPES.get(int.from_bytes(question[-4:-2], "big"), "?")
        self.asked.append((name, kind))
        found = self.records.get(name)
        if self.is_down or found == SILENT:
            return None
        rcode, records = NOERROR, []
        if found == FAIL:
            rcode = SERVFAIL
        elif found is None:
            if not any(n.endswith("." + name) for n in self.records):
                rcode = NXDOMAIN
        else:
            records = found.get(kind, [])
            if isinstance(records, str):
                records = [records]
        return self.packet(query, question, rcode, kind, records)

    def packet(self, query, question, rcode, kind, records):
        data = b"".join(
            b"\xc0\x0c" + question[-4:-2] + b"\0\1" +
            self.ttl.to_bytes(4, "big") + len(d).to_bytes(2, "big") + d
            for d in (rdata(kind, r) for r in records))
        return (query[:2] + bytes((0x85, 0x80 + rcode, 0, 1)) +
                len(records).to_bytes(2, "big") + b"\0\0\0\0" + question +
                data)
