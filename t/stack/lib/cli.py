"""The program's command line against a private database: no workers, no relay."""
import secrets
import subprocess

import pytest

from . import mariadb
from .api import PATIENT, clean_environment, phone, write_params


class Cli:
    """The program against a private database of its own."""

    def __init__(self, binary, source, dir):
        self.binary, self.source, self.dir = str(binary), str(source), str(dir)
        self.key = secrets.token_hex(32).encode()
        mariadb.write_private(f"{dir}/token.key", self.key)
        self.settings = {"PICKUP_DB_OPTION_FILE": f"{dir}/db/pickup.cnf", "PICKUP_TOKEN_KEY_FILE": f"{dir}/token.key",
                         "PICKUP_RELAY_SOCKET": f"{dir}/relay.sock", "PICKUP_PUSH_URLS": f"unix:{dir}/push.sock",
                         "PICKUP_RELAY_POLL_MS": "50", "PICKUP_RELAY_LEASE_S": "6", **PATIENT,
                         "PICKUP_PASSWORD_MEMORY_KIB": "8192", "PICKUP_PASSWORD_PASSES": "1"}
        self.params = self.write_settings("pickup.params")

    def write_settings(self, name, **changed):
        path = f"{self.dir}/{name}"
        write_params(path, {**self.settings, **changed})
        return path

    def run(self, *argv, stdin=None, env=None, params=None):
        argv = [self.binary, *map(str, argv)]
        if params != "":
            argv += ["--params", params or self.params]
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, env={**clean_environment(), **(env or {})},
                              **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}))

    def good(self, *argv, **more):
        done = self.run(*argv, **more)
        assert done.returncode == 0, (argv, done)
        return done.stdout

    def bad(self, status, *argv, **more):
        """Refused with that status and nothing on standard output; gives the lines that say why."""
        done = self.run(*argv, **more)
        assert done.returncode == status and done.stdout == "", (argv, done)
        lines = done.stderr.splitlines()
        assert lines, argv
        return lines

    def id(self, *argv, **more):
        text = self.good(*argv, **more)
        assert text.strip().isdigit() and text.count("\n") == 1, text
        return int(text)

    def rows(self, *argv):
        """A printed table as dicts."""
        head, *lines = self.good(*argv).splitlines()
        names = head.split("\t")
        cells = [line.split("\t") for line in lines]
        assert all(len(c) == len(names) for c in cells), (names, cells)
        return [dict(zip(names, c)) for c in cells]

    def user(self, *more, role="customer"):
        return self.id("user", "create", "--name", "Kiran Kumar", "--phone", phone(), "--role", role, *more)

    def shop(self):
        return self.id("shop", "create", "--owner", self.user(role="shopkeeper"), "--name", "Corner Shop")

    def user_row(self, id):
        return self.rows("user", "list", "--after", id - 1, "--limit", 1)[0]


def migrated(binary, source, dir):
    """A fixture's body: a Cli whose tables are made, until the tests are done."""
    if mariadb.missing():
        pytest.skip(f"not installed: {', '.join(mariadb.missing())}")
    dir.mkdir()
    cli = Cli(binary, source, dir)
    cli.db = mariadb.Server(f"{dir}/db")
    try:
        cli.db.start()
        cli.db.create()
        cli.good("migrate", "--dir", f"{source}/sql")
        yield cli
    finally:
        cli.db.kill()
