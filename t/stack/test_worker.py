"""A worker that is told to end while it has a request in hand."""
import json
import os
import signal
import socket
import struct

from lib import fcgi, proc
from lib.api import Workers
from lib.http import cgi_params


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def is_waiting(pid):
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rpartition(")")[2].split()[0] == "S"


def test_a_body_that_is_still_coming(api, binary, scratch):
    workers = Workers(binary, scratch, api.workers.params, name="ending", count=1)
    process, body = workers.processes[0], json.dumps({"phone_number": "+919999999", "password": "not this one"}).encode()
    headers = {"Content-Type": "application/json"}
    params = cgi_params("POST", "/api/v1/auth/login", headers, body)
    try:
        assert b"Status: 401" in fcgi.request(workers.path, params, body)[0]     # and its database is there
        proc.wait_for(lambda: is_waiting(process.pid), 5, "the next accept")
        idle = descriptors(process.pid)
        with socket.socket(socket.AF_UNIX) as conn:
            conn.settimeout(10)
            conn.connect(workers.path)
            conn.sendall(struct.pack("!BBHHBBHB5x", 1, 1, 1, 8, 0, 0, 1, 0) + b"".join(fcgi._records(4, fcgi._pairs(params)))
                         + struct.pack("!BBHHBB", 1, 5, 1, len(body), 0, 0) + body[:10])
            proc.wait_for(lambda: descriptors(process.pid) > idle and is_waiting(process.pid), 5, "the worker to want the rest")
            process.send_signal(signal.SIGTERM)
            conn.sendall(body[10:] + struct.pack("!BBHHBB", 1, 5, 1, 0, 0, 0))
            assert b"Status: 401" in conn.recv(4096)
        assert process.wait(5) == 0
    finally:
        workers.stop()
