"""Processes: started, read from outside, and ended by their ids."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time

PATIENCE_S = 20.0


class Started:
    """A running process, and whatever it starts in its session."""

    def __init__(self, command, **options):
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.DEVNULL)
        self.process = subprocess.Popen(command, start_new_session=True, **options)
        self.pid = self.process.pid

    def pids(self):
        """All processes of its session that have not ended."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text(errors="replace").rsplit(")", 1)[1].split()
                if int(fields[3]) == self.pid and fields[0] != "Z":
                    found.append(int(entry.name))
        return found

    def cpu_ns(self):
        """CPU time of the session's processes that run now."""
        return sum(cpu_ns(pid) for pid in self.pids())

    def end(self):
        for by in (signal.SIGTERM, signal.SIGKILL):
            for pid in self.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, by)
            deadline = time.monotonic() + 5
            while self.pids() and time.monotonic() < deadline:
                self.process.poll()
                time.sleep(0.02)
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def cpu_ns(pid):
    """A process's CPU time. Its clock's id is made from its own as glibc's clock_getcpuclockid
    does: the complement, three bits up, and 2 for the scheduler's count."""
    with contextlib.suppress(OSError):
        return time.clock_gettime_ns((~pid << 3) | 2)
    return 0


def run_to_end(command, **options):
    """Output and CPU nanoseconds of a program that ends by itself."""
    with Started(command, stdout=subprocess.PIPE, text=True, **options) as started:
        output = started.process.stdout.read()
        _, status, usage = os.wait4(started.pid, 0)
        started.process.returncode = os.waitstatus_to_exitcode(status)
    if started.process.returncode:
        raise RuntimeError(f"{command[0]} failed with {started.process.returncode}: {output[-300:]}")
    return output, int((usage.ru_utime + usage.ru_stime) * 1e9)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for_port(port):
    wait_until(lambda: not refused(port), f"port {port} to listen")


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return True
    return False


def wait_until(condition, what, patience_s=PATIENCE_S):
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {patience_s:.0f} s for {what}")
        time.sleep(0.05)
