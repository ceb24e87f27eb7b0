#!/usr/bin/env python3
"""A file system over raw /dev/fuse that answers as slowly as it is told to: a network mount whose server is far away, or,
with SIGSTOP, gone. Directories are those of TREE; every file holds SIZE bytes of zeros and may be written to.

    slowfs.py MOUNT-POINT [--delay=MSEC] [--type=sshfs] [--source=server:/export] [--threads=N]"""

import argparse
import ctypes
import errno
import os
import signal
import stat
import struct
import sys
import threading
import time

FORGET, LOOKUP, GETATTR, SETATTR, OPEN, READ, WRITE, STATFS, RELEASE = 2, 1, 3, 4, 14, 15, 16, 17, 18
FSYNC, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, INTERRUPT, CREATE, DESTROY, BATCH_FORGET = (
    20, 25, 26, 27, 28, 29, 36, 35, 38, 42)
TREE = ("projects", "photos", "mail")
SIZE = 1 << 24
MAX_WRITE = 1 << 17
_libc = ctypes.CDLL(None, use_errno=True)


class Nodes:
    """Every name that is looked up exists: directories are those of TREE, anything else is a file."""

    def __init__(self):
        self.lock = threading.Lock()
        self.numbers, self.kinds = {}, {1: stat.S_IFDIR | 0o755}

    def find(self, parent, name):
        with self.lock:
            number = self.numbers.setdefault((parent, name), len(self.numbers) + 2)
            is_directory = parent == 1 and name in TREE
            self.kinds[number] = stat.S_IFDIR | 0o755 if is_directory else stat.S_IFREG | 0o644
            return number

    def attributes(self, number):
        mode = self.kinds.get(number, stat.S_IFREG | 0o644)
        now = int(time.time())
        return struct.pack("<6Q10I", number, SIZE, SIZE // 512, now, now, now, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


class Server:
    def __init__(self, descriptor, delay):
        self.descriptor, self.delay, self.nodes = descriptor, delay, Nodes()

    def entry(self, number):
        # nothing is cached: each look is a question to the server, as with noac
        return struct.pack("<4Q2I", number, 0, 0, 0, 0, 0) + self.nodes.attributes(number)

    def listing(self, offset, size):
        names = [".", "..", *TREE, *(f"file{i}" for i in range(20))]
        out = b""
        for at, name in enumerate(names[offset:], offset + 1):
            raw = name.encode()
            record = struct.pack("<2Q2I", at + 1, at, len(raw), 0) + raw
            record += b"\0" * (-len(record) % 8)
            if len(out) + len(record) > size:
                break
            out += record
        return out

    def answer(self, opcode, node, body):
        if opcode == LOOKUP:
            return self.entry(self.nodes.find(node, body.rstrip(b"\0").decode("utf-8", "replace")))
        if opcode in (GETATTR, SETATTR):
            return struct.pack("<Q2I", 0, 0, 0) + self.nodes.attributes(node)
        if opcode in (OPEN, OPENDIR):
            return struct.pack("<Q2I", 1, 0, 0)
        if opcode == CREATE:
            name = body[16:].rstrip(b"\0").decode("utf-8", "replace")
            return self.entry(self.nodes.find(node, name)) + struct.pack("<Q2I", 1, 0, 0)
        if opcode == READ:
            return b"\0" * struct.unpack_from("<2QI", body)[2]
        if opcode == READDIR:
            _, offset, size = struct.unpack_from("<2QI", body)
            return self.listing(offset, size)
        if opcode == WRITE:
            return struct.pack("<2I", struct.unpack_from("<2QI", body)[2], 0)
        if opcode == STATFS:
            return struct.pack("<5Q10I", 1 << 20, 1 << 19, 1 << 19, 1000, 500, 4096, 255, 4096, *[0] * 7)
        if opcode in (FLUSH, RELEASE, RELEASEDIR, FSYNC, DESTROY):
            return b""
        return -errno.ENOSYS

    def serve(self):
        while True:
            try:
                request = os.read(self.descriptor, MAX_WRITE + 4096)
            except OSError as error:
                if error.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                    continue
                return  # ENODEV: it is unmounted
            _, opcode, unique, node = struct.unpack_from("<2I2Q", request)
            if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
                continue
            if opcode == INIT:
                reply = struct.pack("<4I2H2I2HI7I", 7, 31, 1 << 17, 1, 12, 9, MAX_WRITE, 1, 32, 0, *[0] * 8)
            else:
                if self.delay:
                    time.sleep(self.delay)
                reply = self.answer(opcode, node, request[40:])
            code, data = (reply, b"") if isinstance(reply, int) else (0, reply)
            try:
                os.write(self.descriptor, struct.pack("<IiQ", 16 + len(data), code, unique) + data)
            except OSError as error:
                if error.errno == errno.ENODEV:
                    return


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("--delay", type=float, default=0, help="milliseconds before each answer")
    parser.add_argument("--type", default="sshfs")
    parser.add_argument("--source", default="files.example.org:/export")
    parser.add_argument("--threads", type=int, default=4)
    arguments = parser.parse_args()
    descriptor = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={descriptor},rootmode=40000,user_id=0,group_id=0,allow_other"
    kind = f"fuse.{arguments.type}".encode()
    if _libc.mount(arguments.source.encode(), arguments.path.encode(), kind, 6, options.encode()) < 0:
        sys.exit(f"{arguments.path}: {os.strerror(ctypes.get_errno())}")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # the kernel aborts what is mounted
    server = Server(descriptor, arguments.delay / 1000)
    threads = [threading.Thread(target=server.serve, daemon=True) for _ in range(arguments.threads)]
    for thread in threads:
        thread.start()
    print("mounted", flush=True)
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
