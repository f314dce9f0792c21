"""Everything, nginx included, as ./bootstrap sets it up in a folder of its own."""
import os
import re
import signal
import subprocess

import pytest

from . import logs, proc
from .api import Calls, Tools, clean_environment
from .http import HttpClient


class Stack(Calls):
    """An instance under dir. Its parts are killed and reloaded by process id; the supervisor brings them back."""

    demo_password = "pickup-demo-1"

    def __init__(self, binary, source, dir, settings=None, **options):
        """settings: instead of those that are shipped. options: more of bootstrap's environment, as PICKUP_SINGLE="on"."""
        self.settings, self.options = settings or {}, options
        self.binary, self.source, self.dir = str(binary), str(source), str(dir)
        self.process = None
        self.listen = f"{dir}/front.sock"
        self.log = f"{dir}.log"
        super().__init__(HttpClient(("unix", self.listen)), None)

    def environment(self):
        kept = {n: os.environ[n] for n in ("PICKUP_NGINX", "PICKUP_NCHAN", "PICKUP_DEPS_CACHE") if n in os.environ}
        return {**clean_environment(), **kept, "PICKUP_BIN": self.binary, "PICKUP_LISTEN": f"unix:{self.listen}",
                "PICKUP_WORKERS": "4", "PICKUP_DB_POOL": "32M", "PICKUP_DB_LOG": "8M", **self.options}

    def up(self):
        self.setup()
        self.run()

    def setup(self):
        """The folder with its settings and an empty database, nothing running yet."""
        setup = subprocess.run([f"{self.source}/bootstrap", "setup", self.dir], env=self.environment(), stdin=subprocess.DEVNULL,
                               capture_output=True, timeout=300)
        text = (setup.stdout + setup.stderr).decode(errors="replace")
        if setup.returncode and ("is missing;" in text or "no nginx with" in text):
            pytest.skip(text.strip().splitlines()[-1])
        assert setup.returncode == 0, text
        with open(f"{self.dir}/pickup.params") as f:
            params = f.read()
        for name, value in self.settings.items():
            params, found = re.subn(rf"(?m)^fastcgi_param {name} .*;$", f"fastcgi_param {name} {value};", params)
            assert found == 1, name
        with open(f"{self.dir}/pickup.params", "w") as f:
            f.write(params)

    def run(self):
        # What an earlier life in this folder said must not be taken for this one's.
        open(self.log, "w").close()
        self.process = proc.start([f"{self.source}/bootstrap", "up", self.dir], self.log, env=self.environment())
        proc.wait_for(self._is_up, 60, "bootstrap up", pause=0.05)
        with open(f"{self.dir}/etc/token.key", "rb") as f:
            self.key = f.read().rstrip(b"\n")
        self.tools = Tools(self.binary, f"{self.dir}/pickup.params", self.key)

    def _is_up(self):
        assert self.process.poll() is None, proc.tail(self.log)
        with open(self.log) as f:
            return any(line.startswith("ready") for line in f)

    def stop(self):
        if self.process:
            status = proc.stop(self.process, signal.SIGTERM, 20)
            self.process = None
            left = [pid for part in ("front", "push", "single", "relay", "workers", "mariadbd") if (pid := self.pid(part))]
            assert status == 0 and not left, (status, left, proc.tail(self.log))
            logs.judge(f"{self.dir}/log")

    # --- parts

    def pid(self, part):
        """The process id of front, push, relay, workers or mariadbd; None while it is down."""
        try:
            with open(f"{self.dir}/{part}.pid") as f:
                pid = int(f.read())
        except (FileNotFoundError, ValueError):
            return None
        return pid if proc.is_alive(pid) else None

    def nginx_worker(self, part):
        """The id of the (one) process that serves under the push or single master."""
        children = proc.children(self.pid(part))
        assert len(children) == 1, children
        return children[0]

    def kill(self, part, how=signal.SIGKILL):
        pid = self.pid(part)
        os.kill(pid, how)
        return pid

    def reload(self, part):
        os.kill(self.pid(part), signal.SIGHUP)

    def back(self, part, than):
        """Waits until another process than that one is the part."""
        return proc.wait_for(lambda: (p := self.pid(part)) and p != than and p, 10, f"{part} to come back")

    def service(self, part, *options):
        """s6-svc on a part: "-d" down, "-u" up."""
        subprocess.run(["s6-svc", *options, f"{self.dir}/service/{part}"], check=True, timeout=60)

    def ready(self):
        def is_ready():
            try:
                return self.call("GET", "/readyz").status == 200
            except OSError:
                return False
        proc.wait_for(is_ready, 20, "readyz")

    def worker_pids(self):
        """The processes that answer requests."""
        return [p for p in proc.descendants(self.pid("workers")) if not proc.children(p)]

    def push_status(self):
        """The counters of the push instance, as numbers where they are."""
        text = HttpClient(("unix", f"{self.dir}/pub.sock"))("GET", "/status").body.decode()
        return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}

    def tail(self, name):
        return proc.tail(f"{self.dir}/log/{name}.log")

    def login(self, number):
        answer = self.call("POST", "/api/v1/auth/login", json={"phone_number": number, "password": self.demo_password})
        assert answer.status == 200, answer
        return answer.json()
