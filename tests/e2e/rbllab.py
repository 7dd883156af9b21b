# SPDX-License-Identifier: GPL-2.0-or-later
#
# DNS lists of a test: nsd has their zones, unbound asks it, and servers that
# are slow or dead, for whatever zone the test says.  Free ports of loopback,
# folders of their own.
import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile

from smtplab import wait_for

NSD, UNBOUND = "/usr/sbin/nsd", "/usr/sbin/unbound"


def free_port():
    """One that is free for UDP and TCP."""
    while True:
        with socket.socket() as tcp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                try:
                    udp.bind(("127.0.0.1", port))
                    return port
                except OSError:
                    continue


class Server:
    """A program that serves DNS at 127.0.0.1:port until the test ends."""

    def __init__(self, name, words, port):
        self.port = port
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log)
        atexit.register(self.stop)
        if not wait_for(self.is_up):
            self.log.seek(0)
            raise RuntimeError(f"{name}: {self.log.read()!r}")

    def is_up(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()


def room(name):
    d = tempfile.mkdtemp(prefix=f"mcgate-{name}.")
    atexit.register(shutil.rmtree, d, True)
    return d


class Nsd(Server):
    """zones: {"list.example": ["2.0.0.127 A 127.0.0.2", ...]}, TTL 1 s."""

    def __init__(self, zones, ttl=1):
        self.dir = room("nsd")
        self.ttl = ttl
        self.serial = 0
        self.zones = zones
        port = free_port()
        for zone in zones:
            self.write(zone)
        with open(f"{self.dir}/nsd.conf", "w", encoding="ascii") as f:
            f.write(f"server:\n ip-address: 127.0.0.1@{port}\n"
                    f" username: \"\"\n chroot: \"\"\n zonesdir: {self.dir}\n"
                    f" pidfile: {self.dir}/pid\n database: \"\"\n"
                    f" xfrdfile: {self.dir}/xfrd\n zonelistfile: "
                    f"{self.dir}/list\n xfrdir: {self.dir}\n"
                    " server-count: 1\n reuseport: no\n"
                    "remote-control:\n control-enable: no\n")
            for zone in zones:
                f.write(f"zone:\n name: {zone}\n zonefile: {zone}\n")
        super().__init__("nsd", [NSD, "-d", "-c", f"{self.dir}/nsd.conf"],
                         port)

    def write(self, zone):
        self.serial += 1
        with open(f"{self.dir}/{zone}.new", "w", encoding="ascii") as f:
            f.write(f"$ORIGIN {zone}.\n$TTL {self.ttl}\n@ SOA ns h "
                    f"{self.serial} 1 1 1 {self.ttl}\n@ NS ns\n"
                    "ns A 127.0.0.1\n")
            f.write("".join(f"{line}\n" for line in self.zones[zone]))
        os.rename(f"{self.dir}/{zone}.new", f"{self.dir}/{zone}")

    def change(self, zone, lines):
        """Another content from now on."""
        self.zones[zone] = lines
        self.write(zone)
        self.process.send_signal(signal.SIGHUP)


class Unbound(Server):
    """
    A resolver that asks servers (zone: port) and nobody else. is_alone: it
    says at once of all other names that there is no such name.
    """

    def __init__(self, servers, ttl=1, is_alone=False):
        self.dir = room("unbound")
        port = free_port()
        with open(f"{self.dir}/conf", "w", encoding="ascii") as f:
            f.write(f"server:\n interface: 127.0.0.1@{port}\n"
                    " do-ip6: no\n username: \"\"\n chroot: \"\"\n"
                    f" directory: {self.dir}\n pidfile: {self.dir}/pid\n"
                    " use-syslog: no\n module-config: iterator\n"
                    " do-not-query-localhost: no\n"
                    f" cache-max-ttl: {ttl}\n"
                    f" cache-max-negative-ttl: {ttl}\n infra-host-ttl: 1\n")
            if is_alone:
                f.write(' local-zone: "." static\n local-data: ". 3600 SOA '
                        f'a. a. 1 1 1 1 {ttl}"\n')
                for zone in servers:
                    f.write(f" local-zone: {zone} transparent\n")
            f.write("remote-control:\n control-enable: no\n")
            for zone, at in servers.items():
                f.write(f"stub-zone:\n name: {zone}\n"
                        f" stub-addr: 127.0.0.1@{at}\n")
            # What is nobody's is asked of a port where nobody is.
            f.write("forward-zone:\n name: .\n forward-addr: 127.0.0.1@9\n")
        super().__init__("unbound", [UNBOUND, "-d", "-c", f"{self.dir}/conf"],
                         port)
        self.text = f"127.0.0.1@{port}"
