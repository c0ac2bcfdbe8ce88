"""A network between us and a program that can be cut without a word: packets are lost, no reset and no "unreachable" arrives.

    with CutNetwork() as net, Postgres(address=net.address, wrapper=net.wrapper) as pg, Daemon(postgres=pg) as d:
        net.cut(); ...; net.mend()

Two network namespaces, ours -- router -- far: the router stops forwarding. Needs root; can_cut() says why not.
"""
import os
import shutil
import subprocess

# Of the range for benchmarks (RFC 2544), which nobody has; two networks of four addresses for each process.
BLOCK = os.getpid() % 8192 * 8
NEAR, NEAR_ROUTER, FAR, FAR_ROUTER = ("198.18.%d.%d" % divmod(BLOCK + n, 256) for n in (1, 2, 5, 6))


def ip(*arguments, check=True):
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise RuntimeError("ip %s: %s" % (" ".join(arguments), done.stderr.strip()))
    return done


def can_cut():
    """None, or why the network cannot be cut here."""
    if os.getuid() != 0 or not shutil.which("ip"):
        return "needs root and ip (iproute2) for network namespaces"
    name = "xd-try-%d" % os.getpid()
    done = ip("netns", "add", name, check=False)
    if done.returncode == 0:
        ip("netns", "del", name)
    return None if done.returncode == 0 else "no network namespaces: " + done.stderr.strip()


class CutNetwork:
    address = FAR

    def __init__(self):
        self.router, self.far, self.link = ("xd-%s-%d" % (name, os.getpid()) for name in ("router", "far", "near"))
        self.link = self.link[-15:]
        self.wrapper = ["ip", "netns", "exec", self.far]

    def __enter__(self):
        try:
            for name in (self.router, self.far):
                ip("netns", "add", name)
                ip("-n", name, "link", "set", "lo", "up")
            ip("link", "add", self.link, "type", "veth", "peer", "name", "near", "netns", self.router)
            ip("-n", self.router, "link", "add", "far", "type", "veth", "peer", "name", "router", "netns", self.far)
            for namespace, link, address in (([], self.link, NEAR), (["-n", self.router], "near", NEAR_ROUTER),
                                             (["-n", self.router], "far", FAR_ROUTER), (["-n", self.far], "router", FAR)):
                ip(*namespace, "address", "add", address + "/30", "dev", link)
                ip(*namespace, "link", "set", link, "up")
            ip("-n", self.far, "route", "add", "default", "via", FAR_ROUTER)
            ip("route", "add", FAR + "/32", "via", NEAR_ROUTER)
            self.mend()
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        ip("link", "del", self.link, check=False)
        for name in (self.far, self.router):
            ip("netns", "del", name, check=False)

    def _forward(self, value):
        ip("netns", "exec", self.router, "sh", "-c", "echo %d > /proc/sys/net/ipv4/ip_forward" % value)

    def cut(self):
        self._forward(0)

    def mend(self):
        self._forward(1)
