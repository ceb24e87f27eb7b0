"""A slowd of canned replies on a Unix socket, for the tests of slowctl. It speaks Varlink as far as slowctl does
and can misbehave on purpose. It checks what it is sent: a call that the interface does not allow is a failure."""

import json
import os
import socket
import threading

INTERFACE = "io.slowd.Diagnostics."


class Silent:
    """Takes the call and never answers."""


class Close:
    """Hangs up instead of answering."""


class Raw:
    """Answers with these bytes."""

    def __init__(self, data):
        self.data = data


class Error:
    def __init__(self, name, parameters=None):
        self.name, self.parameters = name, parameters or {}


class Stream(list):
    """Several replies, all but the last with `continues`; ends by hanging up."""


class FakeSlowd:
    """replies: method -> parameters, Error, Raw, Close, Silent, Stream, a function of the call's parameters, or a
    list of those of which each call takes the next (the last one is repeated)."""

    def __init__(self, directory, replies):
        self.path = os.path.join(directory, "socket")
        self.replies, self.calls, self.problems = replies, [], []
        self.taken = {}
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(16)
        self.stopped = threading.Event()
        self.connections = []
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join(5)
        os.unlink(self.path)

    def accept(self):
        while not self.stopped.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            thread = threading.Thread(target=self.serve, args=(connection,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def serve(self, connection):
        buffer = b""
        with connection:
            while not self.stopped.is_set():
                try:
                    data = connection.recv(65536)
                except OSError:
                    return
                if not data:
                    return
                buffer += data
                while b"\0" in buffer:
                    message, buffer = buffer.split(b"\0", 1)
                    try:
                        if not self.answer(connection, json.loads(message)):
                            return
                    except OSError:
                        return

    def next_reply(self, method, parameters):
        reply = self.replies.get(method)
        if isinstance(reply, list) and not isinstance(reply, Stream):
            index = self.taken.get(method, 0)
            self.taken[method] = index + 1
            reply = reply[min(index, len(reply) - 1)]
        return reply(parameters) if callable(reply) and not isinstance(reply, type) else reply

    def answer(self, connection, call):
        """False to hang up."""
        self.calls.append(call)
        if not call.get("method", "").startswith(INTERFACE):
            self.problems.append(f"not of this interface: {call}")
            return False
        method, parameters = call["method"][len(INTERFACE):], call.get("parameters") or {}
        reply = self.next_reply(method, parameters)
        if reply is None:
            self.problems.append(f"unexpected: {call}")
            return False
        if reply is Close:
            return False
        if reply is Silent:
            self.stopped.wait()
            return False
        if isinstance(reply, Raw):
            connection.sendall(reply.data)
            return True
        if isinstance(reply, Error):
            self.send(connection, {"error": reply.name, "parameters": reply.parameters})
            return True
        if isinstance(reply, Stream):
            for parameters in reply:
                self.send(connection, {"parameters": parameters, "continues": True})
            return False
        # With `more`, slowd keeps the stream open until something changes.
        self.send(connection, {"parameters": reply, "continues": True} if call.get("more") else {"parameters": reply})
        return True

    @staticmethod
    def send(connection, message):
        connection.sendall(json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\0")
