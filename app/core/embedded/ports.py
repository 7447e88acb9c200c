"""TCP ports on 127.0.0.1: is one free, which one to take, and who sits on a busy one."""

from __future__ import annotations

import random
import socket

import psutil

LOOPBACK = "127.0.0.1"

# Below the range from which kernels take the source ports of outgoing connections (32768 on Linux, 49152 elsewhere).
# In that range a client that retries while its server is down can be given the server's own port as its source and
# end up connected to itself, with the port busy for good.
SERVER_PORTS = range(20_000, 32_000)
ATTEMPTS = 200


def is_free(port: int) -> bool:
    """Whether a server could listen there now. SO_REUSEADDR as servers set it: old closed connections do not count."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def pick() -> int:
    """A free port, chosen at random so that launchers that start together rarely want the same."""
    for port in random.SystemRandom().sample(SERVER_PORTS, ATTEMPTS):
        if is_free(port):
            return port
    raise OSError(f"no free port among {ATTEMPTS} tried between {SERVER_PORTS.start} and {SERVER_PORTS.stop}")


def holder(port: int) -> str:
    """Who listens there, in words; other users' processes may be hidden from us."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return "another process"
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
            try:
                return f"pid {connection.pid} ({psutil.Process(connection.pid).name()})"
            except psutil.NoSuchProcess:
                break
    return "another process"
