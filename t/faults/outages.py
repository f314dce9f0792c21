"""Faults of the database: away, frozen, refusing, full; and the backlog. Parts of the table in faults.py.

A fault of these gives the time in which nothing can have been had from the database, (from, to), True where there is no such time,
False where it hit nothing."""
import os
import signal
import socket
import subprocess
import time

import database
from history import MADE_UP, Backlog

SOCKETS = 16            # more than the least that max_connections can be
BACKLOG_ROWS, CHUNK = 100000, 4000
PATIENCE_S = 60
NOTICE_S = 15           # in which a database on a full disk needs room, mostly


def root(stack, statements, patience=10):
    """Whether they were carried out, as the server's administrator."""
    try:
        return subprocess.run(["mariadb", "--no-defaults", f"--socket={stack.dir}/mariadbd.sock", "--connect-timeout=2", "-N", "-B", "-e", statements],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=patience).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def away(scene):
    """Killed, and not started again for 1 to 4 s."""
    stack, pid = scene.stack, scene.stack.pid("mariadbd")
    if not pid:
        return False
    try:
        stack.service("mariadbd", "-d")
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        while stack.pid("mariadbd") == pid:
            time.sleep(0.01)
        began = time.monotonic()
        time.sleep(scene.rng.uniform(1, 4))
        return began, time.monotonic()
    finally:
        stack.service("mariadbd", "-u")


def occupy(path):
    """Connections that say nothing: each counts until the server's connect_timeout."""
    held = []
    for _ in range(SOCKETS):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(2)
        held.append(sock)
        sock.connect(path)
    return held


def refuse(scene):
    """All connections that max_connections allows are taken, by others, for 1 to 4 s."""
    stack, pid, held = scene.stack, scene.stack.pid("mariadbd"), []
    try:
        held = occupy(f"{stack.dir}/mariadbd.sock")
        if not root(stack, "SET GLOBAL max_connections = 10; KILL HARD USER pickup@localhost"):
            return False
        began = time.monotonic()
        time.sleep(scene.rng.uniform(1, 4))
        ended = time.monotonic()
        return (began, ended) if stack.pid("mariadbd") == pid else True
    except OSError:
        return False
    finally:
        for sock in held:
            sock.close()
        end = time.monotonic() + PATIENCE_S
        # One that was killed meanwhile has the value of its configuration.
        while not root(stack, "SET GLOBAL max_connections = 200") and stack.pid("mariadbd") == pid:
            assert time.monotonic() < end, "max_connections can't be set back"
            time.sleep(0.05)


def says_full(log, size):
    """Whether what stands in the log after so many bytes tells that there was no room."""
    with open(log, errors="replace") as f:
        f.seek(size)
        text = f.read()
    return "is full" in text or "No space left" in text


def full(scene):
    """No room is left, or little, until 0.5 to 3 s after the database has noticed: its files have room inside, more of it the larger they are."""
    left, rest, end = scene.rng.choice([0, 0, scene.rng.randint(0, 1 << 20)]), scene.rng.uniform(0.5, 3), time.monotonic() + NOTICE_S
    log = f"{scene.stack.dir}/log/mariadbd.log"
    size = os.path.getsize(log)
    try:
        if not scene.disk.fill(left):
            return False
        while not says_full(log, size):
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        time.sleep(rest)
        return True
    finally:
        scene.disk.free()


def pile_up(scene):
    """100,000 rows for 2,000 customers and one shop, in transactions of 4,000; at times with the relays down meanwhile."""
    stack, relays = scene.stack, ("relay", "standby") if scene.rng.random() < 0.5 else ()
    for relay in relays:
        stack.service(relay, "-d")
    try:
        end, wanted = time.monotonic() + PATIENCE_S, sum(b.count for b in scene.backlogs) + BACKLOG_ROWS
        while sum(b.count for b in scene.backlogs if b.is_certain) < wanted and time.monotonic() < end:
            batch = Backlog(scene.backlog_shop, MADE_UP + CHUNK * len(scene.backlogs), CHUNK)
            scene.backlogs.append(batch)
            batch.is_certain = database.ask(stack, batch.statement()) is not None
            if not batch.is_certain:
                time.sleep(0.5)
        return True
    finally:
        for relay in relays:
            stack.service(relay, "-u")
