"""A computation that is measured."""
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

BIN = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "build", "bin")


class Computation:
    """A coordinator in a directory of its own, and what runs under it."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="dormouse-bench-")
        self.environment = dict(os.environ, DORMOUSE_RUNTIME_DIR=os.path.join(self.directory, "runtime"),
                                DORMOUSE_BENCH=self.directory, TMPDIR=self.directory)
        self.output = os.path.join(self.directory, "output")
        self.started = []

    def __enter__(self):
        os.mkdir(self.environment["DORMOUSE_RUNTIME_DIR"], 0o700)
        self.log = os.path.join(self.directory, "coordinator.log")
        self.start([os.path.join(BIN, "dmcoordinator"), "-q", "-p", "0", "--port-file", "port", "--ckptdir", self.directory,
                    "--log", self.log, "--log-level", "debug"])
        self.wait("the coordinator", lambda: os.path.exists(os.path.join(self.directory, "port")))
        self.port = open(os.path.join(self.directory, "port")).read().strip()
        return self

    def __exit__(self, *_):
        self.kill(everything=True)
        for process in self.started:
            process.wait()
        shutil.rmtree(self.directory)

    def start(self, command):
        with open(self.output, "ab") as output, open(os.path.join(self.directory, "errors"), "ab") as errors:
            process = subprocess.Popen(command, env=self.environment, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        self.started.append(process)
        return process

    def launcher(self, command):
        return [os.path.join(BIN, "dmlaunch"), "-j", "-p", self.port, *command]

    def launch(self, command):
        open(self.output, "w").close()
        process = self.start(self.launcher(command))
        self.wait("ready", lambda: "ready" in open(self.output).read())
        self.wait("a process that has joined", lambda: self.peers() > 0)
        return process

    def peers(self):
        return int(re.search(r"NUM_PEERS=(\d+)", self.run([os.path.join(BIN, "dmcommand"), "-p", self.port, "--status"]))[1])

    def token(self):
        """What proves that one belongs to it, as the runtime directory has it."""
        for path in glob.glob(os.path.join(self.environment["DORMOUSE_RUNTIME_DIR"], "*")):
            if found := re.search(r'"token":"([0-9a-f]{64})"', open(path).read()):
                return bytes.fromhex(found[1])
        raise SystemExit("bench: the coordinator has left no token")

    def run(self, command):
        return subprocess.run(command, env=self.environment, cwd=self.directory, check=True, capture_output=True, text=True).stdout

    def checkpoint(self):
        start = time.time()
        report = json.loads(self.run([os.path.join(BIN, "dmcommand"), "-p", self.port, "--checkpoint", "--json"]))
        report["seconds"] = time.time() - start
        return report

    def drains(self):
        """Seconds between the barriers before and after each drain so far."""
        return [float(found) / 1000 for found in re.findall(r"Write entered from Drain;.* ([0-9.]+) ms after the last", open(self.log).read())]

    def restart(self):
        start = time.time()
        self.start([os.path.join(BIN, "dmrestart"), "-q", "-j", "-p", self.port, *glob.glob(os.path.join(self.directory, "ckpt_*.img"))])
        return start

    def processes(self):
        mark = f"DORMOUSE_BENCH={self.directory}\0".encode()
        for path in glob.glob("/proc/[0-9]*/environ"):
            try:
                with open(path, "rb") as environ:
                    if mark in environ.read():
                        yield int(path.split("/")[2])
            except OSError:
                pass

    def kill(self, everything=False):
        while victims := [pid for pid in self.processes() if everything or pid != self.started[0].pid]:
            for pid in victims:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            for process in self.started:
                process.poll()
            time.sleep(0.005)
        if not everything:
            self.wait("the coordinator to see the end", lambda: self.peers() == 0)

    def gaps(self):
        """Pairs of CLOCK_REALTIME seconds between which the program stood still, as it saw itself."""
        return [(int(a) / 1e9, int(b) / 1e9) for a, b in re.findall(r"^gap (\d+) (\d+)$", open(self.output).read(), re.M)]

    def wait(self, what, condition):
        deadline = time.time() + 60
        while not condition():
            if time.time() > deadline:
                raise SystemExit(f"bench: waited 60 s for {what}\n{open(os.path.join(self.directory, 'errors')).read()}")
            time.sleep(0.002)
