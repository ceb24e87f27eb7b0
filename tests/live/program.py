"""A program that a test has started, and how to end it whole."""

import os
import signal
import subprocess

from machine import descendants


class Program:
    """A process that the test started, with all below it."""

    def __init__(self, label, process):
        self.label, self.process, self.pid = label, process, process.pid

    def pids(self):
        return descendants(self.pid)

    def send(self, number):
        for pid in self.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def stop(self):
        mine = self.pids()
        while True:
            self.send(signal.SIGKILL)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                continue
            break
        for pid in mine:  # orphans are the test's to reap
            try:
                os.waitpid(pid, 0)
            except ChildProcessError:
                pass

    def is_running(self):
        return self.process.poll() is None
