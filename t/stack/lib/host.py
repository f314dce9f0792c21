"""A shared host, and somebody on it who types doc/shared-host.md."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess

from . import http, mariadb, page

CONNECTIONS = 5
# What hosts give: all that means something to some reader of the option file.
PASSWORD = r"""# "it's" \ given; """


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Host:
    """What the host gives: a home directory, a database, a port, cron."""

    def __init__(self, source, folder, archive, connections=CONNECTIONS, durable=False):
        self.page = page.blocks(source / "doc/shared-host.md")
        self.folder, self.port, self.connections = folder, free_port(), connections
        self.person = page.Person(folder / "kiran.k-7")
        self.pickup = f"{self.person.home}/pickup"
        self.db = mariadb.Server(folder / "db", durable)
        self.call = http.HttpClient(("tcp", "127.0.0.1", self.port))
        shutil.copy(archive, self.person.home)
        for path in pathlib.Path(self.person.home).glob("*.tar.gz"):
            path.chmod(0o644)

    def up(self):
        self.db.start()
        os.chmod(f"{self.folder}/db", 0o711)
        self.db.sql(f"CREATE DATABASE web7 CHARACTER SET utf8mb4; CREATE USER web7@localhost IDENTIFIED BY {self._literal()} WITH MAX_USER_CONNECTIONS {self.connections};"
                    "GRANT ALL ON web7.* TO web7@localhost", database="")
        self.shell = page.Shell(self.person)
        # As careless as an account can be.
        self.shell.type("umask 0")

    @staticmethod
    def _literal():
        return "'" + PASSWORD.replace("\\", "\\\\").replace("'", "''") + "'"

    def block(self, start):
        """The page's next block, which must begin so: what is between would have been left out."""
        text = self.page.pop(0)
        assert text.startswith(start), f"the page goes on with:\n{text}\nand not with: {start}"
        return text

    def type(self, start, timeout=60):
        """Types the page's next block. The port alone is ours."""
        return self.shell.type(self.block(start).replace("127.0.0.1:8080", f"127.0.0.1:{self.port}"), timeout)

    def set_up(self):
        """From the archive to services that are ready to be started; gives what was printed at last."""
        self.type("cd ~ && tar", 900)
        self.type("address=127.0.0.1:8080")
        options = self.block("[pickup]")
        for there, ours in (("host=localhost", f"socket={self.db.dir}/sock"), ("user=…", "user=web7"), ("…", PASSWORD.replace("\\", "\\\\"),), ("…", "web7")):
            assert there in options
            options = options.replace(there, ours, 1)
        # The file is there, and keeps its mode.
        with open(f"{self.pickup}/etc/db.cnf", "r+") as f:
            f.write(options)
        said = self.type("bin/pickup migrate")
        self.type("cat >left")
        return said

    def cron(self, line, times):
        """As cron runs the line of the table that begins so: by sh, at home, in an environment of its own."""
        found = [command.removeprefix(times) for command in line.splitlines() if command.startswith(times)]
        assert len(found) == 1 and "%" not in found[0]
        return self.person.run(["sh", "-c", found[0].strip()], stdin=subprocess.DEVNULL)

    def hold(self, count):
        """Takes that many of the connections; gives what to close."""
        held = contextlib.ExitStack()
        for _ in range(count):
            client = subprocess.Popen(["mariadb", "--no-defaults", "-S", f"{self.db.dir}/sock", "-u", "web7", f"-p{PASSWORD}", "-N", "-B", "--unbuffered", "web7"],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            held.callback(client.communicate)
            client.stdin.write("SELECT 1;\n")
            client.stdin.flush()
            assert client.stdout.readline() == "1\n"
        return held

    def used(self):
        return int(self.db.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'web7'", database="")[0][0])

    def left(self):
        """What runs of theirs, but for their terminal."""
        return {pid: what for pid, what in self.person.processes().items() if pid != self.shell.process.pid}

    def is_ready(self):
        with contextlib.suppress(OSError):
            return self.call("GET", "/readyz").status == 200

    def stop(self):
        """Also where a test failed half-way."""
        with contextlib.suppress(Exception):
            self.shell.close()
        self.person.kill()
        self.db.kill()
