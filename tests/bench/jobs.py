"""An MPI job across several hosts (tests/hosts/hosts.sh), to be measured. Root only."""
import json
import os
import shutil
import subprocess
import tempfile
import time

from computation import BIN

ROOT = os.path.dirname(os.path.dirname(BIN))
HOSTS = os.path.join(ROOT, "tests", "hosts", "hosts.sh")


def can_make_hosts():
    return os.getuid() == 0 and os.path.exists("/usr/sbin/sshd")


class HostsJob:
    """Ranks of Open MPI on the hosts a and b."""

    def __init__(self, ranks, program):
        self.directory = tempfile.mkdtemp(prefix="dormouse-bench-")
        self.hosts = subprocess.Popen([HOSTS, "serve", self.directory, "a", "b"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.shared = os.path.join(self.directory, "shared")
        self.command = ["mpirun.openmpi", "--oversubscribe", "-host", f"a:{ranks // 2},b:{ranks - ranks // 2}", "-np", str(ranks), program]

    def __enter__(self):
        if self.hosts.stdout.readline() != "ready\n":
            raise SystemExit("bench: hosts.sh made no hosts")
        output = os.path.join(self.shared, "output")
        environment = dict(os.environ, PATH=f"{BIN}:{os.environ['PATH']}", SAMPLE_STOP=os.path.join(self.shared, "stop"))
        with open(output, "w") as file:
            self.job = subprocess.Popen([HOSTS, "run", self.directory, "a", "mouse", "dmlaunch", "-p", "7801", "--ckptdir", self.shared, *self.command],
                                        stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment)
        deadline = time.time() + 60
        while "ready" not in open(output).read():
            if time.time() > deadline or self.job.poll() is not None:
                raise SystemExit(f"bench: the job across hosts does not start: {open(output).read()}")
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self.hosts.stdin.close()
        self.hosts.wait()
        self.job.wait()
        shutil.rmtree(self.directory)

    def checkpoint(self):
        start = time.time()
        report = subprocess.run([HOSTS, "run", self.directory, "a", "mouse", os.path.join(BIN, "dmcommand"), "-p", "7801", "--checkpoint", "--json"],
                                check=True, capture_output=True, text=True).stdout
        return dict(json.loads(report), seconds=time.time() - start)
