"""Servers on this machine, for the time of a test."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager


@contextmanager
def a_server(command, address, log, **environment):
    """Start a server, wait until it answers, and end it at the end; `command` and `address` are for a port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("w") as out:
        server = subprocess.Popen(
            command(port), env={**os.environ, **environment}, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        wait_for(address(port), server, log)
        yield port
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(20)


def wait_for(address, server, log):
    for _ in range(240):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            assert server.poll() is None, f"the server has ended:\n{log.read_text()}"
            time.sleep(0.25)
    raise AssertionError(f"the server doesn't answer at {address}:\n{log.read_text()}")
