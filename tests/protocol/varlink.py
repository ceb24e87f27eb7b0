"""A raw Varlink client and a running slowd, for the tests beside it. Standard library only; knows nothing of
slowd's own code."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import time

DIAGNOSTICS = "io.slowd.Diagnostics"
SERVICE = "org.varlink.service"


class Client:
    """One connection."""

    def __init__(self, path, timeout=10):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.socket.close()

    def send_raw(self, data):
        self.socket.sendall(data)

    def send(self, method, parameters=None, **flags):
        call = {"method": method, **flags}
        if parameters is not None:
            call["parameters"] = parameters
        self.send_raw(json.dumps(call).encode() + b"\0")

    def receive(self):
        """The next reply, or None at the end of the stream."""
        while b"\0" not in self.buffer:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                return None
            if not data:
                assert not self.buffer, "the stream ends within a message: %r" % self.buffer
                return None
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, parameters=None, **flags):
        self.send(method, parameters, **flags)
        return self.receive()

    def is_cut_off(self, within):
        """Whether the server ends the connection within so many seconds, without answering anything."""
        self.socket.settimeout(within)
        try:
            return self.receive() is None
        except socket.timeout:
            return False
        except BrokenPipeError:
            return True


def call(path, method, parameters=None):
    """One call on a connection of its own; the parameters of its reply, which must be no error."""
    with Client(path) as client:
        reply = client.call(method, parameters)
    assert reply is not None and "error" not in reply, reply
    return reply["parameters"]


class Daemon:
    """A slowd of its own: socket, state and configuration in a new directory."""

    def __init__(self, program, state="healthy", arguments=(), config=None, environment=None, wait=True,
                 **popen):
        self.directory = tempfile.TemporaryDirectory(prefix="slowd-test-")
        os.chmod(self.directory.name, 0o755)  # other users connect as well
        self.path = os.path.join(self.directory.name, "socket")
        self.config_path = os.path.join(self.directory.name, "slowd.conf")
        self.state_path = os.path.join(self.directory.name, "fake-state")
        self.log_path = os.path.join(self.directory.name, "log")
        self.set_config(config or "")
        self.set_state(state)
        command = [program, "--interval=0.2", "--socket=" + self.path, "--config=" + self.config_path,
                   "--state-directory=" + os.path.join(self.directory.name, "state"), *arguments]
        environment = {**os.environ, "SLOWD_FAKE_STATE": self.state_path, **(environment or {})}
        self.log_file = open(self.log_path, "wb")
        self.process = subprocess.Popen(command, env=environment, stderr=self.log_file, **popen)
        if wait:
            self.wait_ready()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        try:
            self.end()
        finally:
            self.log_file.close()
            self.directory.cleanup()

    def end(self, number=signal.SIGTERM):
        """Its exit status after a signal; that it ends at all within the time is part of every test."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def set_state(self, state):
        """What slowd-fake publishes from the next tick on."""
        self.write(self.state_path, state)

    def set_config(self, text):
        self.write(self.config_path, text)

    @staticmethod
    def write(path, text):
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def wait_until(self, what, timeout=15):
        """Waits for something to become true; an AssertionError with the log if it does not."""
        end = time.monotonic() + timeout
        while not what():
            assert self.process.poll() is None, "slowd has ended: " + self.log()
            assert time.monotonic() < end, "not within %d s; log: %s" % (timeout, self.log())
            time.sleep(0.02)

    def is_ready(self):
        try:
            with Client(self.path) as client:
                return "error" not in client.call(DIAGNOSTICS + ".Status")
        except (FileNotFoundError, ConnectionRefusedError, ConnectionResetError, TypeError):
            return False

    def wait_ready(self):
        self.wait_until(self.is_ready)

    def status(self):
        return call(self.path, DIAGNOSTICS + ".Status")
