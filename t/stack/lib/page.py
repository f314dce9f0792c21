"""A page of the documentation, its indented blocks, and a shell of somebody else in which they are run."""
import contextlib
import os
import pwd
import select
import signal
import subprocess
import textwrap
import time

from . import proc


def blocks(path):
    """The indented blocks, in order. Lines between two that are indented belong to one block where they are empty."""
    found, at = [], []
    with open(path) as f:
        for line in [*f, "\n", "end\n"]:
            if line.startswith("    ") or (at and line == "\n"):
                at.append(line)
            elif at:
                found.append(textwrap.dedent("".join(at)).strip("\n") + "\n")
                at = []
    return found


class Person:
    """Somebody without rights: where we are root a user id that nobody has, else ourselves. home is theirs."""

    def __init__(self, home):
        self.home, self.ids = str(home), {}
        os.mkdir(self.home, 0o711)
        if os.geteuid() == 0:
            uid = self._free_id()
            os.chown(self.home, uid, uid)
            self.ids = {"user": uid, "group": uid, "extra_groups": []}
        # As cron gives it; whoever signs in has no less.
        self.environment = {"HOME": self.home, "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LC_ALL": "C.UTF-8"}

    @staticmethod
    def _free_id():
        taken = {p.pw_uid for p in pwd.getpwall()}
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    taken.add(os.stat(f"/proc/{name}").st_uid)
                except FileNotFoundError:
                    pass
        return next(uid for uid in range(61000 + os.getpid() % 500, 64000) if uid not in taken)

    def start(self, argv, **more):
        return subprocess.Popen(argv, env=self.environment, cwd=self.home, **{"stdin": subprocess.DEVNULL, **self.ids, **more})

    def run(self, argv, timeout=60, **more):
        process = self.start(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
        try:
            return process.communicate(timeout=timeout)[0], process.returncode
        finally:
            process.kill()

    def write(self, path, text, mode=0o600):
        with open(path, "w") as f:
            os.fchmod(f.fileno(), mode)
            if self.ids:
                os.fchown(f.fileno(), self.ids["user"], self.ids["group"])
            f.write(text)

    def _owns(self, pid):
        """By the user id where that is theirs alone; else by the folder that a process works in, or HOME, which nginx overwrites."""
        if self.ids:
            return os.stat(f"/proc/{pid}").st_uid == self.ids["user"]
        with open(f"/proc/{pid}/environ", "rb") as f:
            return f"{os.readlink(f'/proc/{pid}/cwd')}/".startswith(f"{self.home}/") or f"HOME={self.home}".encode() in f.read().split(b"\0")

    def processes(self):
        """What runs of theirs: id and command line."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if self._owns(pid):
                    with open(f"/proc/{pid}/cmdline", "rb") as f:
                        found[int(pid)] = f.read().replace(b"\0", b" ").decode(errors="replace")
        return {pid: command for pid, command in found.items() if command}      # zombies have none

    def kill(self, but=()):
        """All of it at once, as a host that loses its power; what is started meanwhile too."""
        def is_over():
            left = [pid for pid in self.processes() if pid not in but]
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not left
        proc.wait_for(is_over, 10, "nothing to run")


class Shell:
    """Their terminal: what is typed stays in force, as the folder and variables."""

    def __init__(self, person):
        self.process = person.start(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.count = 0

    def type(self, text, timeout=60):
        """Runs a block, command by command; gives what it printed. Fails where one of them does."""
        self.count += 1
        mark = f"end-of-block-{self.count}"
        self.process.stdin.write(f"trap 'failed=$BASH_COMMAND' ERR; failed=; {{\n{text}\n}} </dev/null || failed=${{failed:-status $?}}; echo; echo {mark} \"$failed\"\n".encode())
        self.process.stdin.flush()
        out, until = b"", time.monotonic() + timeout
        while f"\n{mark} ".encode() not in out or not out.endswith(b"\n"):
            left = until - time.monotonic()
            assert left > 0 and select.select([self.process.stdout], [], [], left)[0], f"not done in {timeout} s:\n{text}\n{out.decode()[-3000:]}"
            piece = os.read(self.process.stdout.fileno(), 65536)
            assert piece, f"the shell ended at:\n{text}\n{out.decode()[-3000:]}"
            out += piece
        said, _, failed = out.decode(errors="replace").rpartition(f"\n{mark} ")
        assert not failed.strip(), f"failed: {failed}\nof:\n{text}\n{said[-3000:]}"
        return said

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
