"""trees.py - folders that hold Debian 12, made once and kept below the cache; the network is needed for that only.
Owns: debootstrap, what is installed in them, the lock. Does not own: overlays over them (machine.py). Used by: deploy.py."""
import fcntl
import os
import shutil
import subprocess

RELEASE = "bookworm"
MIRROR = os.environ.get("PICKUP_DEBIAN_MIRROR", "http://deb.debian.org/debian")
SOURCES = f"""deb {MIRROR} {RELEASE} main
deb {MIRROR} {RELEASE}-updates main
deb {MIRROR}-security {RELEASE}-security main
"""
# A machine on which somebody installs the package: what it depends on is there, so that the tests need no network; and a client.
MACHINE = """systemd-sysv dbus procps iproute2 adduser tzdata nginx libnginx-mod-nchan mariadb-server mariadb-client libfcgi0ldbl libmariadb3
libjson-c5 libcurl4 libsodium23 libssl3 curl openssl python3 python3-websockets""".split()
# On top of it: what builds and judges a package.
BUILDER = """build-essential debhelper autoconf automake pkg-config lintian libfcgi-dev libmariadb-dev libjson-c-dev libcurl4-openssl-dev
libsodium-dev libssl-dev libcriterion-dev""".split()


def _run(log, *command):
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, check=True)


def _install(log, tree, packages):
    _run(log, "chroot", tree, "apt-get", "-q", "update")
    _run(log, "chroot", tree, "apt-get", "-q", "install", "-y", "--no-install-recommends", *packages)
    _run(log, "chroot", tree, "apt-get", "-q", "clean")


def _make_plain(log, tree):
    _run(log, "debootstrap", "--variant=minbase", RELEASE, tree, MIRROR)
    with open(f"{tree}/etc/apt/sources.list", "w") as f:
        f.write(SOURCES)


def _make_machine(log, plain, tree):
    _run(log, "cp", "-a", plain, tree)
    # No server is started in a tree that is only being made.
    with open(f"{tree}/usr/sbin/policy-rc.d", "w") as f:
        f.write("#!/bin/sh\nexit 101\n")
    os.chmod(f"{tree}/usr/sbin/policy-rc.d", 0o755)
    _install(log, tree, MACHINE)
    os.unlink(f"{tree}/usr/sbin/policy-rc.d")
    # The machine's name is the one that it is started with.
    if os.path.exists(f"{tree}/etc/hostname"):
        os.unlink(f"{tree}/etc/hostname")


def _make(log, cache, name, recipe, fill):
    """A tree that is whole has its recipe beside it; another recipe makes another tree."""
    tree, mark = f"{cache}/{name}", f"{cache}/{name}.recipe"
    if os.path.isdir(tree) and os.path.exists(mark) and open(mark).read() == recipe:
        return tree
    for old in (mark, tree, f"{tree}.new"):
        if os.path.isdir(old):
            shutil.rmtree(old)
        elif os.path.exists(old):
            os.unlink(old)
    fill(f"{tree}.new")
    os.rename(f"{tree}.new", tree)
    with open(mark, "w") as f:
        f.write(recipe)
    return tree


def _make_builder(log, machine, tree):
    _run(log, "cp", "-a", machine, tree)
    _install(log, tree, BUILDER)


def trees(log):
    """The paths of three trees: plain, machine's, builder's. Raises CalledProcessError; the log tells more."""
    cache = os.path.join(os.environ["PICKUP_DEPS_CACHE"], "deploy")
    os.makedirs(cache, exist_ok=True)
    with open(f"{cache}/lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        plain = _make(log, cache, "plain", SOURCES, lambda tree: _make_plain(log, tree))
        machine = _make(log, cache, "machine", f"{SOURCES}{MACHINE}\n", lambda tree: _make_machine(log, plain, tree))
        builder = _make(log, cache, "builder", f"{SOURCES}{MACHINE}\n{BUILDER}\n", lambda tree: _make_builder(log, machine, tree))
    return plain, machine, builder
