"""Processes that never outlive the tests: own session, killed with their parent, stopped by id."""
import ctypes
import os
import signal
import subprocess
import time

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def start(argv, log, env=None, stdin=subprocess.DEVNULL, cwd=None):
    """A process in a session of its own, whose output goes to the file log (appended)."""
    with open(log, "ab") as out:
        return subprocess.Popen([str(a) for a in argv], stdin=stdin, stdout=out, stderr=out, env=env, cwd=cwd,
                                start_new_session=True, preexec_fn=_die_with_parent)


def stop(process, how=signal.SIGTERM, patience=30.0):
    """Ends the process and whatever is left of its group; gives its exit status."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    return process.returncode


def is_alive(pid):
    """Whether pid runs (a zombie does not)."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def is_asleep(pid):
    """Whether it waits for something."""
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rpartition(")")[2].split()[0] == "S"


def freeze(*pids):
    """Stops the processes; gives back once every thread of them stands still."""
    def states(pid):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/stat") as f:
                yield f.read().rpartition(")")[2].split()[0]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: all(state in "Tt" for pid in pids for state in states(pid)), 5, "processes to stop")


def children(pid):
    """The ids of the direct children of pid."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(x) for x in f.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants(pid):
    """The ids of all below pid, parents before children."""
    found = []
    for child in children(pid):
        found += [child] + descendants(child)
    return found


# How many times as long as an idle machine one may take that does much else beside. Where a patience is what is tested: once.
busy = 1


def wait_for(condition, patience=10.0, what="condition", pause=0.01):
    """Polls until condition() gives something true, and gives that; fails with what otherwise. patience: seconds, on an idle machine."""
    patience *= busy
    deadline = time.monotonic() + patience
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience} s in vain for {what}")
        time.sleep(pause)


def quickest(run, below, tries=10):
    """The least seconds that run() took, of so many tries at most: a busy machine adds to what each takes, and takes nothing away. The first one that
    is below ends it. Of use where nothing that is wrong would ever be so quick."""
    least = float("inf")
    for _ in range(tries):
        begun = time.monotonic()
        run()
        least = min(least, time.monotonic() - begun)
        if least < below:
            break
    return least


def catches(pid, number):
    """Whether that process has a handler for the signal; false where it is gone."""
    try:
        with open(f"/proc/{pid}/status") as f:
            caught = next(line for line in f if line.startswith("SigCgt:"))
    except (OSError, StopIteration):
        return False
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def tail(path, lines=30):
    """The end of a log, for failure messages."""
    try:
        with open(path, errors="replace") as f:
            return "".join(f.readlines()[-lines:])
    except OSError as e:
        return f"({e})\n"
