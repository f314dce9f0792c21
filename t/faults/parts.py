"""What a run adds to the stack: a proxy before the push instance, a second relay, a small disk for the database.

Owns: setting these up and ending them, their switches. Does not own: when they are used (faults.py)."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading

from lib import proc

HERE = pathlib.Path(__file__).resolve().parent
DISK_BYTES = 2 << 30    # of memory, where it is used


def set_param(path, name, value):
    """Gives a setting of a params file another value."""
    text, n = re.subn(rf"(?m)^fastcgi_param {name} .*;$", f'fastcgi_param {name} "{value}";', pathlib.Path(path).read_text())
    assert n == 1, f"{name} stands {n} times in {path}"
    pathlib.Path(path).write_text(text)


class Misbehaving:
    """proxy.py before the push instance. To be made after the stack's setup and before its start."""

    def __init__(self, stack):
        set_param(f"{stack.dir}/pickup.params", "PICKUP_PUSH_URLS", f"unix:{stack.dir}/proxy.sock")
        self.lock = threading.Lock()
        with open(f"{stack.dir}/log/proxy.log", "ab") as log:
            self.process = subprocess.Popen([sys.executable, f"{HERE}/proxy.py", f"{stack.dir}/proxy.sock", f"{stack.dir}/pub.sock"], text=True,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True)

    def behave(self, mode):
        with self.lock:
            self.process.stdin.write(mode + "\n")
            self.process.stdin.flush()
            said = self.process.stdout.readline().strip()
        assert said == mode, f"the proxy said {said!r} to {mode!r}"

    def stop(self):
        assert self.process.poll() is None, f"the proxy ended with {self.process.returncode}"
        self.process.kill()
        self.process.wait()


def start_standby(stack):
    """A second relay, kept alive by the supervisor as the first, with a wake-up socket of its own and so another name."""
    params, at = f"{stack.dir}/standby.params", f"{stack.dir}/service/standby"
    shutil.copy(f"{stack.dir}/pickup.params", params)
    set_param(params, "PICKUP_RELAY_SOCKET", f"{stack.dir}/standby.sock")
    shutil.copytree(f"{stack.dir}/service/relay", at, ignore=shutil.ignore_patterns("supervise", "event"))
    run = pathlib.Path(at, "run")
    text = run.read_text()
    for old, new in (("log/relay.log", "log/standby.log"), ("relay.pid", "standby.pid"), ("rm -f relay.sock", "rm -f standby.sock"),
                     ("/pickup.params", "/standby.params")):
        assert old in text, f"no {old} in {run}"
        text = text.replace(old, new)
    run.write_text(text)
    subprocess.run(["s6-svscanctl", "-a", f"{stack.dir}/service"], check=True, timeout=10)
    proc.wait_for(lambda: "standing by" in stack.tail("standby"), 15, "the second relay to stand by", pause=0.05)


class Disk:
    """A file system of its own under the database's folder; it is as full as we say. To be made after the stack's setup and before its start."""

    def __init__(self, stack):
        """why: the reason where there is none. The mount is seen by this run's processes alone (see run), and ends with them."""
        self.dir, self.why = f"{stack.dir}/data", "not made yet"

    def make(self):
        if not os.environ.get("PICKUP_FAULTS_UNSHARED"):
            self.why = "no mount namespace of our own"
            return
        before = f"{self.dir}.before"
        os.rename(self.dir, before)
        os.mkdir(self.dir, 0o700)
        done = self.mount("-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0700", "pickup")
        if done.returncode:
            self.why = done.stderr.strip()
            os.rmdir(self.dir)
            os.rename(before, self.dir)
            return
        self.why = None
        shutil.copytree(before, self.dir, dirs_exist_ok=True)
        shutil.rmtree(before)

    def end(self):
        """With all that is on it, also where somebody still runs on it; so that the folder can be removed."""
        if not self.why:
            subprocess.run(["umount", "--lazy", self.dir], check=True, timeout=10)

    def mount(self, *options):
        return subprocess.run(["mount", *options, self.dir], capture_output=True, text=True, timeout=10)

    def used(self):
        found = os.statvfs(self.dir)
        return (found.f_blocks - found.f_bfree) * found.f_frsize

    def fill(self, left):
        """Leaves so many bytes. False: did not succeed, as the database was faster."""
        return any(self.mount("-o", f"remount,size={self.used() + left}").returncode == 0 for _ in range(5))

    def free(self):
        done = self.mount("-o", f"remount,size={DISK_BYTES}")
        assert done.returncode == 0, done.stderr
