"""Fixtures of the black-box tests, and their TAP report.

api     a private database, workers on a FastCGI socket, a relay and a stand-in for the push nginx: no nginx needed
world   a shop, its keeper and a customer to read with, shared by tests that change nothing
stack   everything, nginx included, as ./bootstrap sets it up, but for limits that a busy machine may reach; single: the same with one nginx
All of them live as long as one test process. Tests make shops and users of their own, so none disturbs another."""
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import types

import pytest

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = pathlib.Path(os.environ.get("PICKUP_SRC", HERE.parent.parent)).resolve()
sys.path.insert(0, str(HERE))

from lib import mariadb, openapi, proc  # noqa: E402
from lib.api import PATIENT, Api  # noqa: E402
from lib.stack import Stack  # noqa: E402


def _binary():
    if "PICKUP_BIN" in os.environ:
        return pathlib.Path(os.environ["PICKUP_BIN"]).resolve()
    for folder in (SOURCE, SOURCE / "build"):
        if (folder / "pickup").is_file():
            return folder / "pickup"
    raise pytest.UsageError("no pickup binary: build it, or name it in PICKUP_BIN")


# Tests wait for what must come, and lose nothing by waiting long where it does not. How soon it comes, t/faults judges.
proc.busy = 6

# What takes long, or needs more, is run by commands that name it: `make check-memory`, `make check-host`, `make check-settings`.
collect_ignore = ["test_memory.py", "test_shared_host.py", "test_cors.py", "test_directives.py", "test_directives_push.py", "test_limits.py",
                  "test_passes_on.py", "test_settings_each.py", "test_settings_relay.py"]


@pytest.fixture(scope="session")
def source():
    return SOURCE


@pytest.fixture(scope="session", autouse=True)
def binary():
    """The program under test; what it answers is judged by the description of the API that it holds."""
    program = _binary()
    openapi.use(program)
    return program


@pytest.fixture(scope="session")
def scratch():
    """A short-named folder (Unix socket paths are limited to 107 bytes), gone afterwards."""
    base = os.environ.get("TMPDIR", "/tmp")
    folder = tempfile.mkdtemp(prefix="pickup-t.", dir=base if len(base) < 40 else "/tmp")
    yield pathlib.Path(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _running(thing):
    """A fixture body: what was started is stopped, also where starting failed half-way."""
    try:
        thing.up()
        yield thing
    finally:
        thing.stop()


@pytest.fixture(scope="session")
def make_api(binary, source, scratch):
    """make_api(name, settings): another set of its own, stopped with the session at the latest."""
    if mariadb.missing():
        pytest.skip(f"not installed: {', '.join(mariadb.missing())}")
    made = []

    def make(name, settings=None, **more):
        folder = scratch / name
        folder.mkdir()
        made.append(Api(binary, source, folder, settings, **more))
        made[-1].up()
        return made[-1]

    yield make
    for api in made:
        api.stop()


@pytest.fixture(scope="session")
def api(make_api):
    return make_api("api")


@pytest.fixture(scope="session")
def world(api):
    """For tests that change nothing of the shop, or do not mind other orders in it."""
    shop = api.tools.shop(("60.00", None), ("0.10", None), ("19.99", None))
    return types.SimpleNamespace(shop=shop, keeper=shop.keeper, customer=api.tools.user(), stranger=api.tools.user(),
                                 other=api.tools.shop(("5.00", None)))


@pytest.fixture(scope="module")
def single(binary, source, scratch):
    """As stack, with one nginx for everything."""
    yield from _running(Stack(binary, source, scratch / "single", PATIENT, PICKUP_SINGLE="on", PICKUP_WORKERS="2"))


@pytest.fixture(scope="session")
def stack(binary, source, scratch):
    yield from _running(Stack(binary, source, scratch / "stack", PATIENT))


@pytest.fixture(scope="session")
def shipped(binary, source, scratch):
    """As stack, with each setting as it is shipped: for tests of settings."""
    yield from _running(Stack(binary, source, scratch / "shipped"))


class _Tap:
    """One TAP line a test on file descriptor PICKUP_TAP_FD, in the process that collects the reports."""

    def __init__(self, fd):
        self.out, self.count = os.fdopen(fd, "w", buffering=1), 0

    def line(self, is_ok, report, directive="", text=""):
        self.count += 1
        name = report.nodeid.replace("#", "\\#").replace("t/stack/", "")
        self.out.write(f"{'ok' if is_ok else 'not ok'} {self.count} - {name}{directive}\n")
        for line in text.splitlines():
            self.out.write(f"# {line}\n")

    def pytest_runtest_logreport(self, report):
        if report.skipped and report.when in ("setup", "call"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.line(True, report, f" # SKIP {reason.removeprefix('Skipped: ')}")
        elif report.failed:
            self.line(False, report, "" if report.when == "call" else f" ({report.when})", str(report.longreprtext))
        elif report.when == "call":
            self.line(True, report)

    def pytest_sessionfinish(self, session):
        self.out.write(f"1..{self.count}\n")


def pytest_configure(config):
    for how in (signal.SIGINT, signal.SIGTERM):     # also where we were started with it ignored
        signal.signal(how, signal.default_int_handler)
    config.addinivalue_line("markers", "takes_away: takes parts of the stack away on purpose")
    if "PICKUP_TAP_FD" in os.environ and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Tap(int(os.environ["PICKUP_TAP_FD"])), "pickup-tap")
