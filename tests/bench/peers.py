"""Other systems of the kind, measured in the same run on the same programs, where they are installed."""
import os
import re
import shutil
import subprocess
import tempfile
import time


class Dmtcp:
    """DMTCP without gzip: its images would otherwise take ten times as long."""
    name = "DMTCP"
    installed = shutil.which("dmtcp_launch") is not None

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="dmtcp-bench-")
        port_file = os.path.join(self.directory, "port")
        subprocess.run(["dmtcp_coordinator", "--daemon", "--coord-port", "0", "--port-file", port_file, "--ckptdir", self.directory],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.directory)
        self.port = open(port_file).read().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["dmtcp_command", "--coord-port", self.port, "--quit"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.directory, ignore_errors=True)

    def launcher(self, command):
        return ["dmtcp_launch", "--quiet", "--no-gzip", "--join-coordinator", "--coord-port", self.port, "--ckptdir", self.directory, *command]

    def checkpoint(self):
        """Seconds until the command says that all is done."""
        start = time.time()
        subprocess.run(["dmtcp_command", "--coord-port", self.port, "--bcheckpoint"], check=True, stdout=subprocess.DEVNULL)
        return time.time() - start

    def image_bytes(self):
        return sum(os.path.getsize(os.path.join(self.directory, name)) for name in os.listdir(self.directory) if name.endswith(".dmtcp"))


class Criu:
    """CRIU, which needs root; the program goes on after the dump."""
    name = "CRIU"
    installed = shutil.which("criu") is not None and os.geteuid() == 0

    def dump(self, pid):
        """Seconds of a dump of this process and its children into a new directory, which is removed."""
        directory = tempfile.mkdtemp(prefix="criu-bench-")
        start = time.time()
        subprocess.run(["criu", "dump", "-t", str(pid), "-D", directory, "--shell-job", "--leave-running", "--tcp-established"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        took = time.time() - start
        size = sum(os.path.getsize(os.path.join(directory, name)) for name in os.listdir(directory))
        shutil.rmtree(directory)
        return took, size


def longest_gap(output, since):
    """The longest time for which `micro watch` has seen itself stand still since then."""
    gaps = [(int(a) / 1e9, int(b) / 1e9) for a, b in re.findall(r"^gap (\d+) (\d+)$", open(output).read(), re.M)]
    return max((to - begin for begin, to in gaps if to > since), default=0)
