"""machine.py - a Debian that boots: an overlay over a tree, and systemd-nspawn.
Owns: mounts, the nspawn process, commands inside. Does not own: the trees (trees.py), what is tested (deploy.py)."""
import contextlib
import ctypes
import os
import signal
import subprocess
import time


class Overlay:
    """A tree that may be written to; what is written goes away with the folder."""
    def __init__(self, folder, tree):
        self.root = f"{folder}/root"
        for part in ("root", "upper", "work"):
            os.makedirs(f"{folder}/{part}", exist_ok=True)
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={tree},upperdir={folder}/upper,workdir={folder}/work", self.root],
                       check=True)

    def unmount(self):
        subprocess.run(["umount", "-l", self.root], check=False)


def with_us():
    """In a child: it ends when this process does, however that does."""
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)


class Group:
    """A control group of its own: machines that ran at the same time in one would find each other's processes in their units."""
    def __init__(self, name):
        self.folders = []
        for line in open("/proc/self/cgroup"):
            _, what, path = line.rstrip("\n").split(":", 2)
            top = {"": "/sys/fs/cgroup/unified", "name=systemd": "/sys/fs/cgroup/systemd"}.get(what)
            if top == "/sys/fs/cgroup/unified" and not os.path.isdir(top):
                top = "/sys/fs/cgroup"
            if top and os.path.exists(f"{top}{path}/cgroup.procs"):
                self.folders.append(f"{top}{path.rstrip('/')}/{name}")
                os.makedirs(self.folders[-1], exist_ok=True)

    def enter(self):
        for folder in self.folders:
            with open(f"{folder}/cgroup.procs", "w") as f:
                f.write(str(os.getpid()))

    def remove(self):
        for folder in self.folders:
            for inner, _, _ in os.walk(folder, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(inner)


def nspawn(root, *arguments):
    # No network: nothing is asked of anybody.
    return ["systemd-nspawn", "-q", "-D", root, "--register=no", "--keep-unit", "--private-network", *arguments]


def run_in(root, command, log, timeout=900):
    """A command in a tree that was not booted; its status."""
    done = subprocess.run(["nice", *nspawn(root, "--pipe", "/bin/sh", "-c", command)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                          timeout=timeout, preexec_fn=with_us)
    return done.returncode


class Machine:
    def __init__(self, root, name, log):
        self.root, self.name, self.log, self.group = root, name, log, Group(name)
        self.boot()

    def enter(self):
        with_us()
        self.group.enter()

    def boot(self):
        self.leader = None
        self.process = subprocess.Popen(nspawn(self.root, "-M", self.name, "-b"), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        start_new_session=True, preexec_fn=self.enter)
        self.wait_until_up()

    def _find_leader(self):
        """Its init: the child of nspawn that has a process 1's view."""
        try:
            children = open(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read().split()
        except OSError:
            return None
        for child in children:
            try:
                status = open(f"/proc/{child}/status").read()
            except OSError:
                continue
            if any(line.startswith("NSpid:") and line.split()[-1] == "1" for line in status.splitlines()):
                return int(child)
        return None

    def wait_until_up(self, seconds=90):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            self.leader = self._find_leader()
            if self.leader:
                state = self.sh("systemctl is-system-running", check=False).stdout.strip()
                if state in ("running", "degraded"):
                    return
            time.sleep(0.1)
        raise RuntimeError("the machine did not come up")

    def command(self, *arguments):
        return ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "--root", "--wd", "env", "-i",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
                "HOME=/root", *arguments]

    def run(self, *arguments, check=True, timeout=180, **more):
        done = subprocess.run(self.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=timeout, **more)
        self.log.write(f"$ {' '.join(arguments)}\n{done.stdout}")
        self.log.flush()
        if check and done.returncode != 0:
            raise RuntimeError(f"status {done.returncode} of {' '.join(arguments)}: {done.stdout[-2000:]}")
        return done

    def sh(self, script, **more):
        return self.run("sh", "-c", script, **more)

    def start(self, *arguments):
        """A command that runs beside; its output is to be read from it."""
        return subprocess.Popen(self.command(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
                                preexec_fn=with_us)

    def reboot(self):
        self.sh("systemctl reboot", check=False)
        # It leaves the starting anew to whoever started it, and says so by this status.
        if self.process.wait(120) != 133:
            raise RuntimeError("the machine did not ask to be started again")
        self.boot()

    def stop(self):
        if self.process.poll() is None and self.leader:
            self.sh("systemctl poweroff", check=False)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.group.remove()
