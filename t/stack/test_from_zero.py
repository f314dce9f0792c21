"""The script that starts from nothing, with curl alone: t/from-zero. What it waits a minute for is hurried along in the database."""
import getpass
import shutil
import subprocess
import threading

import pytest


def test_from_zero(stack, source):
    if not shutil.which("curl"):
        pytest.skip("no curl")
    done = threading.Event()

    def hurry():
        while not done.wait(0.2):
            subprocess.run(["mariadb", "--no-defaults", "-S", f"{stack.dir}/mariadbd.sock", "-u", getpass.getuser(), "pickup", "-e",
                            # The photo's order is accepted: its minute is not over.
                            "UPDATE order_deadlines d JOIN orders o ON o.id = d.order_id SET d.accept_by = d.accept_by - INTERVAL 1 HOUR"
                            " WHERE o.list_image_url IS NULL"], check=False, timeout=120, capture_output=True)
    thread = threading.Thread(target=hurry)
    thread.start()
    try:
        run = subprocess.run([source / "t/from-zero", "http://localhost"], env={"PATH": "/usr/bin:/bin", "CURL_SOCKET": stack.listen},
                             capture_output=True, text=True, timeout=600)
    finally:
        done.set()
        thread.join()
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr
    assert run.stderr == ""
    sections = [line for line in run.stdout.splitlines() if line.startswith("== ")]
    assert len(sections) == 7
    assert "Bread" in run.stdout.rpartition("== The export")[2]
