"""The HTTP server: threads, keep-alive, the loopback only."""

import socket
from wsgiref.simple_server import WSGIServer

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.environment import Refused

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Handler(WSGIRequestHandler):
    """Answers without a line in the log, and lets a fault cut the line."""

    disable_nagle_algorithm = True  # head and body are two writes: without this each answer waits 40 ms for an ACK

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""

    def get_environ(self) -> Document:
        """Add the way to cut the line."""
        environ: Document = super().get_environ()
        environ["sandbox.cut"] = self._cut
        return environ

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]  # a socket, whatever typeshed says


class Server(ThreadedWSGIServer):
    """Ends at once: a hanging answer does not hold the process."""

    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore people who hang up."""


def open_server(host: str, port: int, application: WSGIHandler) -> WSGIServer:
    """Listen on the loopback.

    Raises  Refused: another address is asked for, or the port is taken.
    """
    if host not in LOOPBACK:
        raise Refused(f"The Stripe sandbox listens on 127.0.0.1 only, not on {host}.")
    try:
        server = Server((host, port), Handler, ipv6=host == "::1")
    except OSError as problem:
        raise Refused(f"Port {port} is taken; choose another with --port ({problem.strerror}).") from problem
    server.set_app(application)
    return server
