"""A private, throw-away MariaDB server: Unix socket only, no root needed."""
import os
import pwd
import shutil
import signal
import subprocess

from . import proc

# A server that starts removes what it takes for left-overs from its tmpdir: servers that share one remove each other's tables.
_CONFIG = """[mysqld]
user={user}
datadir={dir}/data
socket={dir}/sock
pid-file={dir}/pid
log-error={dir}/log
tmpdir={dir}
skip-networking
skip-name-resolve
character-set-server=utf8mb4
collation-server=utf8mb4_unicode_ci
innodb_buffer_pool_size=32M
innodb_log_file_size=8M
innodb_log_buffer_size=2M
key_buffer_size=1M
aria_pagecache_buffer_size=1M
performance_schema=OFF
max_connections=100
innodb_flush_log_at_trx_commit={durable}
innodb_doublewrite=0
sql_mode=STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION
"""


def _find(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/sbin")


def missing():
    """The server's programs that are not here."""
    return [name for name in ("mariadbd", "mariadb-install-db", "mariadb") if not _find(name)]


class Server:
    """One server under dir, with a database and an option file for the program."""

    def __init__(self, dir, durable=False):
        """durable: what was committed is there after kill(), at some cost."""
        self.dir = str(dir)
        os.makedirs(self.dir)
        self.config = f"{self.dir}/my.cnf"
        self.option_file = f"{self.dir}/pickup.cnf"
        self.process = None
        with open(self.config, "w") as f:
            f.write(_CONFIG.format(dir=self.dir, user=pwd.getpwuid(os.geteuid()).pw_name, durable=2 * durable))
        write_private(self.option_file, f"[pickup]\nsocket={self.dir}/sock\nuser=pickup\n"
                                        "password=\"p# w\"\ndatabase=pickup\n")
        subprocess.run([_find("mariadb-install-db"), f"--defaults-file={self.config}", "--skip-test-db", "--force",
                        "--auth-root-authentication-method=normal"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300)

    def start(self):
        self.process = proc.start([_find("mariadbd"), f"--defaults-file={self.config}"], f"{self.dir}/log")
        proc.wait_for(self._answers, 30, f"mariadbd:\n{proc.tail(self.dir + '/log')}", pause=0.02)

    def _answers(self):
        assert self.process.poll() is None, proc.tail(f"{self.dir}/log")
        return os.path.exists(f"{self.dir}/sock") and self._client("SELECT 1", database="").returncode == 0

    def create(self):
        """The program's database and user."""
        self.sql("CREATE DATABASE pickup CHARACTER SET utf8mb4; CREATE USER pickup@localhost IDENTIFIED BY 'p# w';"
                 "GRANT ALL ON pickup.* TO pickup@localhost", database="")

    def _client(self, statements, database):
        return subprocess.run([_find("mariadb"), "--no-defaults", "-S", f"{self.dir}/sock", "-u", "root", "-N", "-B",
                               "--default-character-set=utf8mb4", *([database] if database else [])],
                              input=statements.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)

    def sql(self, statements, database="pickup"):
        """Runs statements as root; gives the rows as lists of text. For set-ups that no interface offers."""
        done = self._client(statements, database)
        assert done.returncode == 0, done.stderr.decode()
        return [line.split("\t") for line in done.stdout.decode().splitlines()]

    def session(self):
        """Another program at the same tables, as root: a Session."""
        return Session([_find("mariadb"), "--no-defaults", "-S", f"{self.dir}/sock", "-u", "root", "-N", "-B", "--unbuffered", "pickup"])

    def status(self, name):
        """A status variable of the server that counts something."""
        return int(self.sql(f"SELECT VARIABLE_VALUE FROM information_schema.global_status WHERE VARIABLE_NAME = '{name}'")[0][0])

    def wait_for_lock(self, or_when=lambda: False):
        """Until somebody waits for a row that another one holds. The table shows what was so at its last reading where that is less than 0.1 s ago:
        who looks more often sees the same for ever."""
        waiting = "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
        proc.wait_for(lambda: or_when() or self.sql(waiting) != [["0"]], 10, "a wait for a lock", pause=0.15)

    def kill(self):
        """As a power cut."""
        if self.process:
            proc.stop(self.process, signal.SIGKILL)
            self.process = None


class Session:
    """A client that stays connected, for transactions that stay open. With `with`: what is open at its end is rolled back."""

    def __init__(self, argv):
        self.client = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, statements):
        self.client.stdin.write(f"{statements};\nSELECT 'end';\n")
        self.client.stdin.flush()
        for line in iter(self.client.stdout.readline, "end\n"):
            assert line, "the client has ended"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.stdin.close()
        self.client.stdout.close()
        self.client.wait(120)


def write_private(path, text):
    """A file that its owner alone may read."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
