"""A gate between scripts and a server, for tests of what happens while that is away."""

from __future__ import annotations

import contextlib
import socket
import threading


class Gate:
    """Stands between scripts and a server, with an address of its own, and can be shut."""

    def __init__(self, server):
        self._target = ("127.0.0.1", int(server.rpartition(":")[2]))
        self._listener = None
        self._open_sockets = set()
        self._hangs = False
        self._port = 0
        self.open()
        self.address = f"http://127.0.0.1:{self._port}"

    def open(self):
        """Let requests through."""
        self.shut()
        listener = socket.create_server(("127.0.0.1", self._port), backlog=50)
        self._port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def shut(self):
        """Refuse connections, and break those that there are."""
        self._hangs = False
        for open_socket in [self._listener, *self._open_sockets]:
            self._close(open_socket)
        self._listener = None
        self._open_sockets.clear()

    def hang(self):
        """Take connections, and answer nothing."""
        self.open()
        self._hangs = True

    @staticmethod
    def _close(open_socket):
        if open_socket is not None:
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
            open_socket.close()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self._open_sockets.add(client)
            if self._hangs:
                continue
            server = socket.create_connection(self._target)
            self._open_sockets.add(server)
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        for each in (source, target):
            self._open_sockets.discard(each)
            self._close(each)
