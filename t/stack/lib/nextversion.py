"""The version after this one, as far as anybody can know it: this source with what a later one adds, compiled. Another number, a route, a setting, a
column that each new order fills, and so tables that this version does not need. What differs is compiled anew, the rest is libpickup.a's."""
import os
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest

NUMBER = "9.9.9"
ROUTE = "/api/v1/drawers"
SETTING = "PICKUP_DRAWERS"
DRAWER = "of the next version"

# Each kind of statement that the rule allows: a column with a default and one without, an index, a table, and rows filled in pieces.
EXPANSION = """-- What a later version might add.
ALTER TABLE orders ADD COLUMN drawer VARCHAR(20) NOT NULL DEFAULT 'none', ADD COLUMN drawn_at DATETIME(6) NULL, ALGORITHM=INSTANT;
ALTER TABLE orders ADD INDEX drawer (drawer, id), ALGORITHM=INPLACE, LOCK=NONE;
ALTER TABLE order_items ADD COLUMN shelf INT NULL, ALGORITHM=INSTANT;
ALTER TABLE outbox ADD COLUMN urgency INT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;
ALTER TABLE users ADD COLUMN nickname VARCHAR(40) NULL, ALGORITHM=INSTANT;
CREATE TABLE drawers (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, order_id BIGINT UNSIGNED NOT NULL) ENGINE=InnoDB;
INSERT INTO drawers (order_id) SELECT id FROM orders LIMIT 100;
UPDATE orders SET drawer = 'first' WHERE drawer = 'none' ORDER BY id LIMIT 100;
"""


def _more(match):
    return f"{match[1]}{int(match[2]) + 1}"


# File, what must be found there once, what comes in its place.
_CHANGES = [
    ("route.c", r'(\t\{ HTTP_GET, )"/healthz"', rf'\1"{ROUTE}", WHO_PUBLIC, BODY_NONE, ep_healthz, "Of a later version" }},\n\g<0>'),
    ("conf_value.h", r"(#define CONF_SETTINGS )(\d+)", _more),
    ("conf_value.c", r'\tINT\("RETRY_AFTER_S", ', r'\tINT("DRAWERS", retry_after_s, "5", 1, 3600, "seconds", "Of a later version."),\n\g<0>'),
    ("db_sql.h", r"(#define SQL_SCHEMA_NEEDED )(\d+)", _more),
    ("db_sql.c", r'(INSERT INTO orders \()(shop_id, customer_id, customer_name, order_type, [^)]*\)"\s*" VALUES \()',
     rf"\1drawer, drawn_at, \2'{DRAWER}', UTC_TIMESTAMP(6), "),
]
# What holds one of these values; struct conf is the same, so no other file sees a difference.
_COMPILED = ["main.c", "route.c", "conf.c", "conf_value.c", "db_sql.c", "migrate.c", "tool_check_db.c"]


def _libraries():
    if "PICKUP_LIBS" in os.environ:
        return shlex.split(os.environ["PICKUP_LIBS"])
    for client in ("mysqlclient", "libmariadb"):
        found = subprocess.run(["pkg-config", "--cflags", "--libs", client, "fcgi", "json-c", "libcurl", "libsodium", "libcrypto"], capture_output=True, text=True)
        if found.returncode == 0:
            return shlex.split(found.stdout)
    pytest.skip("can't tell how to link: PICKUP_LIBS")


def build(binary, source, folder):
    """Puts the program into folder; gives its path. Skips where binary is not in the folder in which it was built."""
    library = pathlib.Path(binary).parent / "libpickup.a"
    if not library.exists():
        pytest.skip(f"no libpickup.a beside {binary}")
    src = folder / "src"
    shutil.copytree(source / "src", src, ignore=shutil.ignore_patterns("*.o", ".deps"))
    src.chmod(0o700)        # make distcheck's are read-only
    for file, there, instead in _CHANGES:
        (src / file).chmod(0o600)
        text, count = re.subn(there, instead, (src / file).read_text())
        assert count == 1, f"{there} is {count} times in {file}"
        (src / file).write_text(text)
    compiler = shlex.split(os.environ.get("PICKUP_CC", "cc -std=c17 -D_GNU_SOURCE"))
    done = subprocess.run([*compiler, "-w", "-O0", f'-DPACKAGE_VERSION="{NUMBER}"', '-DPICKUP_SQLDIR="/nonexistent"', "-iquote", src, "-o", folder / "next",
                           *(src / name for name in _COMPILED), library, *_libraries()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder / "next"


def migrations(source, folder):
    """The folder with this version's files and the next one's; and that one's name."""
    folder.mkdir()
    for file in (source / "sql").glob("[0-9]*.sql"):
        (folder / file.name).write_bytes(file.read_bytes())
    name = f"{len(list(folder.iterdir())) + 1:03}_expansion.sql"
    (folder / name).write_text(EXPANSION)
    return folder, name
