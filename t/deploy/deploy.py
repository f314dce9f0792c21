"""deploy.py - the package's life, step by step; each builds on those before it, so the first failure (but that of a judge of the package) ends the run.
Owns: the steps, TAP. Does not own: trees.py, machine.py, what a client does (inside.py). Started by: run."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from machine import Machine, Overlay, run_in, with_us
from trees import MIRROR, RELEASE, trees

SRC = os.environ["PICKUP_SRC"]
SITE = "ln -s ../sites-available/pickup /etc/nginx/sites-enabled/pickup"
SITE_FILE = "/etc/nginx/sites-available/pickup"
# A certificate; then the three steps that the site tells of.
CERTIFICATE = """mkdir -m 755 /etc/pickup/tls && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \\
-keyout /etc/pickup/tls/privkey.pem -out /etc/pickup/tls/fullchain.pem 2>&1 && chmod 600 /etc/pickup/tls/privkey.pem"""
HTTPS = rf"""cp {SITE_FILE} /opt/site && sed -i -e 's/listen 80 backlog=4096;/listen 443 ssl http2 backlog=4096;/' \
-e 's|# include /etc/pickup/tls.conf;|include /etc/pickup/tls.conf;|' -e '/^#server {{/,/^#}}/s/^#//' {SITE_FILE}"""
# What admins may have changed, and expect to find as they left it.
SETTINGS = f"{SITE_FILE} /etc/pickup/push.conf /etc/pickup/pickup.params /etc/default/pickup"
WORKERS = 8
# What a purge may leave: what other packages keep of what happened, and the service's user.
NOT_OURS = re.compile(r"^/(proc|sys|dev|run|tmp|root|opt|var/(cache|log|tmp)|var/lib/(dpkg|apt|mysql|nginx|systemd/(?!deb))|etc/(passwd|group|shadow|gshadow)-?$)")


class Life:
    def __init__(self, scratch, log):
        self.scratch, self.log = scratch, log
        self.overlays, self.machine = [], None

    # ---- helpers ----

    def overlay(self, name, tree):
        o = Overlay(f"{self.scratch}/{name}", tree)
        self.overlays.append(o)
        return o.root

    def sh(self, script, **more):
        return self.machine.sh(script, **more)

    def out(self, script):
        return self.sh(script).stdout.strip()

    def reload(self):
        """nginx takes its files; none of the processes of before takes a connection any more, which it tells by their names."""
        self.out("""main=$(cat /run/nginx.pid); old=$(cat /proc/$main/task/$main/children)
            systemctl reload nginx || exit 1
            for pid in $old; do
                tries=0
                while [ -e /proc/$pid/cmdline ] && ! grep -aq 'shutting down' /proc/$pid/cmdline; do
                    tries=$((tries + 1)); [ $tries -lt 600 ] || exit 1
                    sleep 0.05
                done
            done""")

    def refuses(self, script):
        return self.sh(script, check=False).returncode != 0

    def until(self, what, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if what():
                return
            time.sleep(0.1)
        raise AssertionError(f"not within {seconds} s")

    def is_ready(self):
        return self.sh("curl -sf -o /dev/null --max-time 5 http://127.0.0.1/readyz", check=False).returncode == 0

    def shows(self, *arguments):
        return self.out(f"curl -s --max-time 5 {' '.join(arguments)}")

    def valid(self):
        told = self.out("nginx -t 2>&1")
        assert "[warn]" not in told, told

    def workers(self):
        return int(self.out("systemctl list-units --plain --no-legend --state=running 'pickup-worker@*' | wc -l"))

    def walk(self):
        return json.loads(self.out("python3 /opt/inside.py walk"))

    def under_load(self, act):
        load = self.machine.start("python3", "/opt/inside.py", "load")
        try:
            assert load.stdout.readline() == "ready\n"
            time.sleep(1.5)
            act()
            time.sleep(1.5)
            load.stdin.write("enough\n")
            load.stdin.flush()
            result = json.loads(load.stdout.readline())
        finally:
            load.kill()
            load.wait()
        note(f"{result}")
        assert result["placed"] > 20, result
        assert result["failed"] == 0 and result["unheard"] == 0 and result["closed"] == 0, result

    def install(self, deb, options=""):
        name = os.path.basename(deb)
        shutil.copy(deb, f"{self.machine.root}/opt/{name}")
        return self.out(f"apt-get -q -y -o Dpkg::Options::=--force-confold {options} install /opt/{name} 2>&1")

    def files(self):
        found = self.out("find / -xdev -printf '%p\\n' 2>/dev/null").splitlines()
        return {f for f in found if not NOT_OURS.match(f)}

    # ---- steps ----

    def builds(self):
        """builds from a clean tree, and once more with a higher version"""
        tree = self.overlay("build", self.builder)
        self.debs = []
        for version, options in (("0.0.1~deploy1", ""), ("0.0.1~deploy2", "nocheck ")):
            source = f"{tree}/build/{version}/pickup"
            os.makedirs(source)
            copy_source(source)
            subprocess.run(["sed", "-i", f"1s/(.*)/({version})/", f"{source}/debian/changelog"], check=True)
            subprocess.run(["sed", "-i", f"s/^AC_INIT.*/AC_INIT([pickup], [{version}])/", f"{source}/configure.ac"], check=True)
            # The later one has another configuration, too.
            subprocess.run(["sed", "-i", f"$a # Of {version}.", f"{source}/nginx/push.conf"], check=True)
            status = run_in(tree, f"cd /build/{version}/pickup && DEB_BUILD_OPTIONS='{options}parallel=2' dpkg-buildpackage -us -uc -b", self.log)
            assert status == 0, "dpkg-buildpackage failed"
            self.debs.append(f"{tree}/build/{version}/pickup_{version}_{arch()}.deb")
        self.build_tree = tree

    def is_clean(self):
        """lintian finds no error and no warning"""
        with open(f"{self.scratch}/lintian", "w") as f:
            status = run_in(self.build_tree, "lintian --allow-root --fail-on error,warning /build/*1/*.changes", f)
        assert status == 0, open(f"{self.scratch}/lintian").read()

    def is_pure(self):
        """piuparts installs, upgrades, removes and purges it, and finds nothing left"""
        if not shutil.which("piuparts"):
            return "piuparts is missing: ./bootstrap deploy"
        # The version before is in an archive of its own. Nobody may stand in that: piuparts ends whoever does.
        archive = f"{self.build_tree}/archive"
        os.mkdir(archive)
        shutil.copy(self.debs[0], archive)
        assert run_in(self.build_tree, "cd /archive && dpkg-scanpackages . >Packages", self.log) == 0
        with open(f"{self.scratch}/piuparts", "w") as f:
            status = subprocess.run(["nice", "piuparts", "--existing-chroot", self.plain, "--mirror", f"{MIRROR} main", "--distribution", RELEASE,
                                     "--extra-repo", f"deb [trusted=yes] file:{archive} ./", "--bindmount", archive, "--no-eatmydata",
                                     self.debs[1]], cwd="/", stdin=subprocess.DEVNULL, stdout=f, stderr=f, preexec_fn=with_us).returncode
        assert status == 0, "".join(line for line in open(f"{self.scratch}/piuparts") if "ERROR" in line or "FAIL" in line)
        return None

    def installs(self):
        """installs on a machine that runs; nothing fails before there is a database"""
        root = self.overlay("machine", self.tree)
        self.machine = Machine(root, f"pickup{os.getpid()}", self.log)
        shutil.copy(f"{SRC}/t/deploy/inside.py", f"{root}/opt/inside.py")
        self.before = self.files()
        self.out("nginx -t 2>&1")
        told = self.install(self.debs[0])
        assert "pickup-setup-db" in told, told
        self.until(lambda: not self.refuses("test -S /run/pickup/pub.sock"))
        assert self.out("systemctl is-active pickup-push pickup.target") == "active\nactive"
        assert self.workers() == 0
        assert self.out("systemctl --failed --plain --no-legend | grep pickup || true") == ""
        assert "deploy1" in self.out("pickup --version")

    def secrets(self):
        """secrets are made at install time, each another, and nobody else can read them"""
        for key in ("token", "ticket"):
            assert self.out(f"stat -c '%U:%G %a' /etc/pickup/{key}.key") == "root:pickup 640"
            assert self.refuses(f"runuser -u www-data -- cat /etc/pickup/{key}.key")
            assert int(self.out(f"wc -c </etc/pickup/{key}.key")) >= 40
        assert self.refuses("cmp -s /etc/pickup/token.key /etc/pickup/ticket.key")
        for folder in ("/run/pickup", "/var/lib/pickup/uploads", "/var/lib/pickup/push"):
            assert self.refuses(f"runuser -u nobody -- ls {folder}"), folder
        for name in ("pub", "sub"):
            assert not self.refuses(f"curl -s --unix-socket /run/pickup/{name}.sock http://push/")
            assert self.refuses(f"runuser -u nobody -- curl -s --unix-socket /run/pickup/{name}.sock http://push/"), name

    def database(self):
        """pickup-setup-db says what it will do, does nothing unasked, and makes the database"""
        plan = self.out("pickup-setup-db --dry-run")
        for text in ("CREATE DATABASE", "CREATE USER", "GRANT", "/etc/pickup/db.cnf", "pickup migrate"):
            assert text in plan, plan
        assert self.sh("pickup-setup-db </dev/null", check=False).returncode == 64
        assert self.sh("runuser -u nobody -- pickup-setup-db --yes", check=False).returncode == 77
        assert self.out("mariadb -NBe 'SHOW DATABASES LIKE \"pickup\"'") == ""
        self.out("systemctl stop mariadb")
        assert self.sh("pickup-setup-db --yes", check=False).returncode == 69
        self.out("test ! -e /etc/pickup/db.cnf && systemctl start mariadb")
        self.out("pickup-setup-db --yes")
        assert self.out("stat -c '%U:%G %a' /etc/pickup/db.cnf") == "root:pickup 640"
        assert self.refuses("runuser -u nobody -- mariadb --no-defaults -u pickup -e 'SELECT 1'")
        self.out("pickup-setup-db --yes")
        self.until(lambda: self.workers() == WORKERS)
        self.out("runuser -u pickup -- pickup check --params /etc/pickup/pickup.params")

    def site(self):
        """the front is a site that one link enables, beside the default one and without"""
        self.out(SITE)
        self.valid()
        self.out("printf 'server { listen 80; server_name other.example; return 200 other; }' >/etc/nginx/sites-enabled/other")
        self.out("rm /etc/nginx/sites-enabled/default")
        self.reload()
        self.until(self.is_ready)
        self.valid()
        assert self.shows("-H 'Host: other.example' http://127.0.0.1/") == "other"
        self.out("rm /etc/nginx/sites-enabled/other")
        self.reload()
        # nchan is the push nginx's; the system's need not have it.
        nchan = "/etc/nginx/modules-enabled/50-mod-nchan.conf"
        self.out(f"mv {nchan} /opt/")
        self.valid()
        self.out(f"mv /opt/{os.path.basename(nchan)} {nchan}")

    def https(self):
        """HTTPS in the three steps that the site tells of"""
        self.out(f"{CERTIFICATE} && {HTTPS} && grep -q '^# HTTPS, in three steps' {SITE_FILE}")
        self.out("mkdir -p /var/lib/pickup/acme/.well-known/acme-challenge && echo proof >/var/lib/pickup/acme/.well-known/acme-challenge/one")
        self.valid()
        self.reload()
        ours = "--cacert /etc/pickup/tls/fullchain.pem"
        self.until(lambda: self.shows(f"{ours} -o /dev/null -w '%{{http_code}} %{{http_version}}' https://localhost/readyz") == "200 2")
        assert (self.shows("-o /dev/null -w '%{http_code} %{redirect_url}' http://localhost/api/v1/shops/?token=secret")
                == "308 https://localhost/api/v1/shops/?token=secret")
        assert self.shows("http://localhost/.well-known/acme-challenge/one") == "proof"
        time.sleep(1.2)     # the log is buffered
        assert self.refuses("grep -r secret /var/log/nginx")
        self.out(f"mv /opt/site {SITE_FILE}")
        self.reload()
        self.out("rm -r /etc/pickup/tls")
        self.until(self.is_ready)

    def full_disk(self):
        """where the logs' disk is full all goes on"""
        self.out("mount -t tmpfs -o size=64k none /var/log/nginx")
        self.reload()
        self.sh("cat /dev/zero >/var/log/nginx/zeros", check=False)
        self.walk()
        self.out("umount -l /var/log/nginx")
        self.reload()
        self.until(self.is_ready)

    def serves(self):
        """register, shop, order, message, photo, page"""
        note(f"{self.walk()}")
        restarts = self.out("systemctl show -P NRestarts pickup-worker@1 pickup-worker@8 pickup-relay pickup-push").split()
        assert restarts == ["0"] * 4, restarts

    def hardened(self):
        """systemd finds nothing wrong with the units, and little exposed"""
        self.out("systemd-analyze verify --man=no pickup.target pickup.socket pickup-worker@1.service pickup-relay.service pickup-push.service 2>&1")
        for unit in ("pickup-worker@1.service", "pickup-relay.service", "pickup-push.service"):
            found = self.out(f"systemd-analyze security --no-pager --threshold=20 {unit}")
            note(re.search(r"Overall exposure level.*", found).group())
        for unit in ("pickup-worker@1", "pickup-relay", "pickup-push"):
            assert int(self.out(f"systemctl show -P MemoryMax {unit}")) <= 2**30
            pid = self.out(f"systemctl show -P MainPID {unit}")
            assert self.out(f"stat -c %U /proc/{pid}") == "pickup"
            assert "CapEff:\t0000000000000000" in self.out(f"cat /proc/{pid}/status")

    def comes_back(self):
        """each unit that is killed comes back, and works"""
        for unit in ("pickup-worker@1", "pickup-worker@5", "pickup-relay", "pickup-push"):
            pid = self.out(f"systemctl show -P MainPID {unit}")
            self.out(f"kill -9 {pid}")
            self.until(lambda: self.out(f"systemctl show -P MainPID {unit}") not in ("0", pid))
            self.until(lambda: self.workers() == WORKERS)
            time.sleep(0.5)
            self.walk()

    def count(self):
        """the number of workers is one setting"""
        for n in (3, WORKERS):
            self.out(f"sed -i 's/^WORKERS=.*/WORKERS={n}/' /etc/default/pickup && systemctl daemon-reload && systemctl start pickup.target"
                     " && systemctl restart 'pickup-worker@*.service'")
            self.until(lambda: self.workers() == n)
        for slip in ("0", "-1", "9999", "many", "", "$(reboot)"):
            self.out(f"sed -i 's/^WORKERS=.*/WORKERS={slip}/' /etc/default/pickup && systemctl daemon-reload")
            self.out("systemctl restart 'pickup-worker@*.service'")
            self.until(lambda: self.workers() == WORKERS)
        self.out(f"sed -i 's/^WORKERS=.*/WORKERS={WORKERS}/' /etc/default/pickup && systemctl daemon-reload")
        self.walk()

    def reboots(self):
        """after a reboot all is there"""
        self.machine.reboot()
        self.until(self.is_ready, 30)
        self.until(lambda: self.workers() == WORKERS)
        self.walk()

    def ends_at_once(self):
        """idle workers end at once, however often they are restarted"""
        for _ in range(15):
            begun = time.monotonic()
            self.out("systemctl restart 'pickup-worker@*.service'")
            # One that does not hear of it is killed after 90.
            assert time.monotonic() - begun < 30

    def restarts(self):
        """workers and relay restart under load, and no request fails"""
        self.under_load(lambda: self.out("systemctl restart 'pickup-worker@*.service' pickup-relay"))

    def upgrades(self):
        """an upgrade under load fails no request and closes no subscription"""
        pid = self.out("systemctl show -P MainPID pickup-worker@1 pickup-relay").split()
        self.out(f"sed -i '$a # Changed by hand.' {SETTINGS} && systemctl reload nginx")
        self.edited = self.out(f"cksum {SETTINGS} /etc/pickup/*.key")
        self.under_load(lambda: self.install(self.debs[1]))
        assert "deploy2" in self.out("pickup --version")
        self.out("grep -q deploy2 /etc/pickup/push.conf.dpkg-dist")
        assert not set(pid) & set(self.out("systemctl show -P MainPID pickup-worker@1 pickup-relay").split())
        assert self.workers() == WORKERS

    def goes_back(self):
        """so does the way back to the version before"""
        self.under_load(lambda: self.install(self.debs[0], "--allow-downgrades"))
        assert "deploy1" in self.out("pickup --version")

    def keeps_old(self):
        """a version that can't serve does not take the place of one that does"""
        self.out("chmod 0600 /etc/pickup/token.key && chown root:root /etc/pickup/token.key")
        pid = self.out("systemctl show -P MainPID pickup-worker@1")
        told = self.install(self.debs[1])
        assert "not ready" in told, told
        assert self.out("systemctl show -P MainPID pickup-worker@1") == pid
        self.out("chmod 0640 /etc/pickup/token.key && chown root:pickup /etc/pickup/token.key && systemctl restart 'pickup-worker@*.service'")
        self.until(self.is_ready)

    def interrupted(self):
        """an upgrade that was cut off fails no request, and may be taken up again"""
        def halfway():
            self.out(f"dpkg --unpack /opt/{os.path.basename(self.debs[0])} && systemctl restart pickup-worker@1 pickup-relay")
            self.sh("timeout -s KILL 0.7 dpkg --force-confold --configure pickup", check=False)
            self.out("dpkg --force-confold --configure -a")
        self.under_load(halfway)
        assert "deploy1" in self.out("pickup --version")
        assert self.workers() == WORKERS

    def removes(self):
        """removed, nothing runs; settings, secrets and photos stay"""
        self.out("apt-get -q -y remove pickup 2>&1")
        assert self.refuses("pgrep -u pickup")
        assert self.out("systemctl list-units --plain --no-legend 'pickup*'") == ""
        self.out("test -e /etc/pickup/pickup.params && test -e /etc/pickup/token.key && test -d /var/lib/pickup/uploads && nginx -t 2>&1")

    def returns(self):
        """installed again, it goes on with what it had"""
        self.install(self.debs[0])
        self.until(self.is_ready)
        self.until(lambda: self.workers() == WORKERS)
        self.walk()
        assert self.out(f"cksum {SETTINGS} /etc/pickup/*.key") == self.edited

    def purges(self):
        """purged, nothing is left, and nginx goes on"""
        self.out("apt-get -q -y purge pickup 2>&1")
        left = self.files() - self.before
        assert not left, sorted(left)
        self.out("nginx -t 2>&1 && systemctl is-active nginx")
        assert self.refuses("test -e /run/pickup") and self.refuses("ls /var/log/nginx | grep pickup")

    STEPS = (builds, is_clean, is_pure, installs, secrets, database, site, serves, https, full_disk, hardened, comes_back, count, reboots, ends_at_once,
             restarts, upgrades, goes_back, keeps_old, interrupted, removes, returns, purges)

    def tell_more(self):
        if self.machine and self.machine.process.poll() is None:
            self.sh("systemctl --no-pager status 'pickup*'; journalctl --no-pager -n 300; tail /var/log/nginx/*error.log", check=False)

    def end(self):
        if self.machine:
            self.machine.stop()
        for o in self.overlays:
            o.unmount()


def copy_source(to):
    """What git knows or would; of an unpacked archive, all but what builds make."""
    if not os.path.exists(f"{SRC}/.git"):
        shutil.copytree(SRC, to, dirs_exist_ok=True, symlinks=True, ignore=shutil.ignore_patterns(".deps-cache", "build", "build-*", "run"))
        return
    files = subprocess.run(["git", "-C", SRC, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, check=True)
    for name in files.stdout.decode().split("\0"):
        if name and os.path.lexists(f"{SRC}/{name}"):
            os.makedirs(os.path.dirname(f"{to}/{name}"), exist_ok=True)
            shutil.copy2(f"{SRC}/{name}", f"{to}/{name}", follow_symlinks=False)


def arch():
    return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()


def note(text):
    print(f"# {text}", flush=True)


def leave(*_):
    sys.exit(1)


def main():
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, leave)
    scratch = tempfile.mkdtemp(prefix="pickup-deploy.")
    failed = None
    with open(f"{scratch}/log", "w") as log:
        life = Life(scratch, log)
        try:
            print(f"1..{len(Life.STEPS)}", flush=True)
            try:
                life.plain, life.tree, life.builder = trees(log)
            except (subprocess.CalledProcessError, OSError) as e:
                print(f"Bail out! the trees can't be made: {e}; see {scratch}/log", flush=True)
                failed = "trees"
                return 1
            for i, step in enumerate(Life.STEPS, 1):
                if failed not in (None, "is_clean", "is_pure"):
                    print(f"not ok {i} - {step.__doc__} # not tried after the failure", flush=True)
                    continue
                begun = time.monotonic()
                try:
                    skipped = step(life)
                    print(f"ok {i} - {step.__doc__}{f' # SKIP {skipped}' if skipped else ''}", flush=True)
                    note(f"{time.monotonic() - begun:.1f} s")
                except Exception as e:  # pylint: disable=broad-except
                    failed = step.__name__
                    print(f"not ok {i} - {step.__doc__}", flush=True)
                    note(f"{type(e).__name__} at line {e.__traceback__.tb_next and e.__traceback__.tb_next.tb_lineno}: "
                         + str(e).replace("\n", "\n# "))
                    note(f"log: {scratch}/log")
                    life.tell_more()
        finally:
            life.end()
            if not failed and "--keep" not in sys.argv:
                shutil.rmtree(scratch, ignore_errors=True)
            elif "--keep" not in sys.argv:
                for name in os.listdir(scratch):
                    if name not in ("log", "lintian", "piuparts"):
                        shutil.rmtree(f"{scratch}/{name}", ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
