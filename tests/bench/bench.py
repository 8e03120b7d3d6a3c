"""Measures Dormouse against the bare machine in one run and prints target and verdict.

usage: bench.py [SECTION]...    sections: launch idle mpi threads gigabyte forest connections size coordination hosts

Every figure is a ratio, or a time, of things measured in turns in this run, so that a slow or busy machine does not decide; what
costs processor time and waits for nobody is measured in processor time. Targets are those of the project. The columns of
peers are measured too where they are installed (dmtcp_launch; criu as root); else they show, in brackets, what was measured on the
same kind of machine. Results go to build/bench/results.json and results.md."""
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import peers
from computation import BIN, Computation
from jobs import HostsJob, can_make_hosts
from members import Members

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SAMPLES = os.path.join(ROOT, "build", "samples")
MICRO = os.path.join(ROOT, "build", "bench", "micro")
rows = []


def row(what, measured, target="", good=True, dmtcp="", criu=""):
    rows.append({"what": what, "measured": measured, "target": target, "good": good, "dmtcp": dmtcp, "criu": criu})
    verdict = "" if not target else "ok" if good else "MISSED"
    print(f"{what:<46}{measured:>16}  {target:<12}{verdict:<8}{dmtcp:<16}{criu}", flush=True)


def given(text):
    return f"({text})" if text else ""


def ratio_row(what, native, ours, limit, dmtcp=""):
    row(what, f"{ours / native:.2f}x", f"<= {limit:.2f}x", ours / native <= limit + 0.004, dmtcp)


def attempt(peer, measure, otherwise):
    """What a peer needs, as text; what is known of it where it is not installed or does not do it."""
    if not peer.installed:
        return given(otherwise)
    try:
        return measure()
    except (OSError, subprocess.SubprocessError, ValueError) as problem:
        return f"fails ({type(problem).__name__})"


def best_pair(native, ours, most=12, enough=4):
    """The least of each, taken in turns until `enough` rounds in a row have made neither less by a hundredth."""
    a, b = native(), ours()
    quiet = 0
    for _ in range(most - 1):
        c, d = native(), ours()
        quiet = 0 if c < a * 0.99 or d < b * 0.99 else quiet + 1
        a, b = min(a, c), min(b, d)
        if quiet == enough:
            break
    return a, b


def seconds(command, **options):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)
    return time.perf_counter() - start


def clock(text):
    """Nanoseconds by the clock of what micro prints."""
    return float(text.split()[0])


def work(text):
    """Nanoseconds of processor time."""
    return float(text.split()[1])


def micro(prefix, name, which, **options):
    return which(subprocess.run([*prefix, MICRO, name], check=True, capture_output=True, text=True, **options).stdout)


def launch():
    with Computation() as computation:
        a, b = best_pair(lambda: micro([], "spawn", clock), lambda: micro(computation.launcher([]), "spawn", clock, env=computation.environment))
        row("short program started by a member, over native", f"{(b - a) / 1e6:.2f} ms", "<= 3 ms", (b - a) / 1e6 <= 3, dmtcp_spawn(a))
        a, b = best_pair(lambda: seconds(["/bin/true"]), lambda: seconds(computation.launcher(["/bin/true"]), env=computation.environment), most=40, enough=10)
        row("dmlaunch /bin/true, over native", f"{(b - a) * 1000:.2f} ms", "<= 15 ms", b - a <= 0.015)


def dmtcp_spawn(native):
    def measure():
        with peers.Dmtcp() as dmtcp:
            return f"{(min(micro(dmtcp.launcher([]), 'spawn', clock) for _ in range(3)) - native) / 1e6:.1f} ms"
    return attempt(peers.Dmtcp, measure, "19 ms")


def idle():
    with Computation() as computation:
        for name, what, limit, known in [
                ("fork", "fork and wait", 2, "10x"), ("malloc", "malloc", 1.01, "9x"), ("malloc-2", "malloc, two threads", 1.01, "31x"),
                ("pipe", "write and read of a pipe", 1.01, "3x"), ("open", "open and close", 1.01, "7.6x"),
                ("thread", "pthread_create and join", 1.01, ""), ("compute", "compute", 1.01, ""), ("connect", "connect and accept", 1.05, "")]:
            a, b = best_pair(lambda: micro([], name, work), lambda: micro(computation.launcher([]), name, work, env=computation.environment))
            ratio_row(what, a, b, limit, dmtcp_ratio(name, a, known))


def dmtcp_ratio(name, native, known):
    def measure():
        with peers.Dmtcp() as dmtcp:
            return f"{min(micro(dmtcp.launcher([]), name, work) for _ in range(3)) / native:.1f}x"
    return attempt(peers.Dmtcp, measure, known)


def mpi():
    for kind in ("openmpi", "mpich"):
        options = ["--allow-run-as-root", "--oversubscribe"] if kind == "openmpi" else []
        command = [f"mpirun.{kind}", *options, "-np", "2", os.path.join(SAMPLES, f"stencil.{kind}"), "1000", "1000"]
        environment = dict(os.environ, SAMPLE_SECONDS="1")
        with Computation() as computation:
            computation.environment["SAMPLE_SECONDS"] = "1"
            def inner(text): return float(re.search(r"^seconds ([0-9.]+)$", text, re.M)[1])
            a, b = best_pair(lambda: inner(subprocess.check_output(command, env=environment, text=True)),
                             lambda: inner(computation.run(computation.launcher(command))), most=10, enough=3)
            ratio_row(f"MPI stencil, 2 ranks, {kind}", a, b, 1.01)


def threads():
    with Computation() as computation:
        computation.environment["SAMPLE_STOP"] = os.path.join(computation.directory, "stop")
        computation.launch([os.path.join(SAMPLES, "threads-200")])
        still = [computation.checkpoint()["standstillMicroseconds"] / 1000 for _ in range(9)]
        row("200 idle threads, stand-still (median of 9)", f"{statistics.median(still):.1f} ms", "<= 20 ms", statistics.median(still) <= 20)


def gigabyte():
    mebibytes = 1024
    with Computation() as computation:
        plain = os.path.join(computation.directory, "plain")
        writes, reads, reports, wakes = [], [], [], []
        computation.launch([MICRO, "watch", str(mebibytes)])
        for _ in range(4):
            writes.append([float(word) for word in subprocess.check_output([MICRO, "write", plain, str(mebibytes)]).split()])
            reads.append(float(subprocess.check_output([MICRO, "read", plain, str(mebibytes)])))
            os.unlink(plain)
            reports.append(computation.checkpoint())
        for _ in range(4):
            computation.kill()
            open(computation.output, "w").close()
            start = computation.restart()
            computation.wait("the program to wake", lambda: any(to > start for _, to in computation.gaps()))
            wakes.append(max(to for _, to in computation.gaps()) - start)
        still = min(report["standstillMicroseconds"] for report in reports) / 1e6
        safe = min(report["durationMicroseconds"] for report in reports) / 1e6
        write, synced, read, wake = min(write for write, _ in writes), min(synced for _, synced in writes), min(reads), min(wakes)
        row("1 GiB: write(2), with fsync(2)", f"{write:.2f}, {synced:.2f} s")
        row("1 GiB: stand-still, speed against write(2)", f"{still:.2f} s {write / still:.2f}", ">= 0.80", write / still >= 0.8,
            dmtcp_gigabyte(mebibytes), criu_gigabyte(mebibytes))
        row("1 GiB: safe on disk, speed against fsync too", f"{safe:.2f} s {synced / safe:.2f}", ">= 0.80", synced / safe >= 0.8)
        row("1 GiB: read(2) into populated memory", f"{read:.2f} s")
        row("1 GiB: restart to first instruction, speed", f"{wake:.2f} s {read / wake:.2f}", ">= 0.80", read / wake >= 0.8, given("0.9-1.0 s"), given("0.6-0.9 s"))


def started(command, output, **options):
    """A program of ours under somebody else, once it is ready."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=open(output, "w"), stderr=subprocess.DEVNULL, **options)
    for _ in range(3000):
        if "ready" in open(output).read():
            return process
        time.sleep(0.01)
    raise OSError("it does not get ready")


def dmtcp_gigabyte(mebibytes):
    def measure():
        with peers.Dmtcp() as dmtcp:
            output = os.path.join(dmtcp.directory, "output")
            started(dmtcp.launcher([MICRO, "watch", str(mebibytes)]), output)
            since = time.time()
            dmtcp.checkpoint()
            time.sleep(0.1)
            return f"{peers.longest_gap(output, since):.2f} s"
    return attempt(peers.Dmtcp, measure, "0.9-3.7 s")


def criu_gigabyte(mebibytes):
    def measure():
        with tempfile.NamedTemporaryFile() as output:
            process = started([MICRO, "watch", str(mebibytes)], output.name, start_new_session=True)
            since = time.time()
            try:
                peers.Criu().dump(process.pid)
                time.sleep(0.1)
            finally:
                process.kill()
                process.wait()
            return f"{peers.longest_gap(output.name, since):.2f} s"
    return attempt(peers.Criu, measure, "0.6-3.3 s")


def forest():
    with Computation() as computation:
        computation.launch([MICRO, "forest", "64", "4"])
        computation.wait("64 processes", lambda: computation.peers() == 64)
        reports = [computation.checkpoint() for _ in range(5)]
        best = min(report["durationMicroseconds"] for report in reports) / 1e6
        row(f"{len(reports[0]['images'])} processes of 4 MiB: checkpoint", f"{best:.2f} s", "<= 0.50 s", best <= 0.5, dmtcp_forest())
        best = min(report["standstillMicroseconds"] for report in reports) / 1e6
        row("64 processes of 4 MiB: stand-still", f"{best:.2f} s")


def dmtcp_forest():
    def measure():
        with peers.Dmtcp() as dmtcp:
            started(dmtcp.launcher([MICRO, "forest", "64", "4"]), os.path.join(dmtcp.directory, "output"))
            return f"{min(dmtcp.checkpoint() for _ in range(3)):.2f} s"
    return attempt(peers.Dmtcp, measure, "3.4 s")


def connections():
    with Computation() as computation:
        computation.launch([MICRO, "connections", "2"])
        few = min(computation.checkpoint()["standstillMicroseconds"] for _ in range(5)) / 1000
    with Computation() as computation:
        computation.launch([MICRO, "connections", "1000"])
        many = min(computation.checkpoint()["standstillMicroseconds"] for _ in range(5)) / 1000
        drain = min(computation.drains()) * 1000
        row("1,000 TCP connections: drain", f"{drain:.1f} ms", "<= 50 ms", drain <= 50)
        row("1,000 TCP connections: stand-still, over that of two", f"{many - few:.1f} ms")


def size():
    with Computation() as computation:
        computation.environment["SAMPLE_STOP"] = os.path.join(computation.directory, "stop")
        computation.launch([os.path.join(SAMPLES, "hello")])
        mebibytes = computation.checkpoint()["images"][0]["imageBytes"] / (1 << 20)
        row("image of a 30-line program", f"{mebibytes:.2f} MiB", "<= 1 MiB", mebibytes <= 1, dmtcp_size())


def dmtcp_size():
    def measure():
        with peers.Dmtcp() as dmtcp:
            environment = dict(os.environ, SAMPLE_STOP=os.path.join(dmtcp.directory, "stop"))
            started(dmtcp.launcher([os.path.join(SAMPLES, "hello")]), os.path.join(dmtcp.directory, "output"), env=environment)
            dmtcp.checkpoint()
            return f"{dmtcp.image_bytes() / (1 << 20):.1f} MiB"
    return attempt(peers.Dmtcp, measure, "23 MiB")


def coordination():
    resource.setrlimit(resource.RLIMIT_NOFILE, (16384, max(16384, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    for count in (2, 8, 32, 128, 512, 5000):
        with Computation() as computation:
            members = Members(count, int(computation.port), computation.token())
            durations, barriers = [], []
            for _ in range(5 if count <= 512 else 3):
                command = subprocess.Popen([BIN + "/dmcommand", "-p", computation.port, "--checkpoint", "--json"], env=computation.environment, stdout=subprocess.PIPE, text=True)
                barriers.append(max(members.play().values()))
                durations.append(json.loads(command.communicate()[0])["durationMicroseconds"] / 1000)
            members.close()
            row(f"{count} members without images: checkpoint", f"{min(durations):.1f} ms")
    row(f"{count} members: the longest barrier", f"{min(barriers) * 1000:.0f} ms", "<= 200 ms", min(barriers) <= 0.2)


def hosts():
    if not can_make_hosts():
        row("8 ranks on 2 hosts", "needs root")
        return
    with HostsJob(8, os.path.join(SAMPLES, "stencil.openmpi")) as job:
        reports = [job.checkpoint() for _ in range(5)]
        row("8 ranks on 2 hosts: stand-still", f"{min(report['standstillMicroseconds'] for report in reports) / 1e6:.2f} s")
        row("8 ranks on 2 hosts: checkpoint in all", f"{min(report['seconds'] for report in reports):.2f} s")


def load():
    """How many other programs want to run, on average over the last minute, for each processor."""
    return os.getloadavg()[0] / os.cpu_count()


def write_results(busy):
    with open(os.path.join(ROOT, "build", "bench", "results.json"), "w") as results:
        json.dump({"load": busy, "rows": rows}, results, indent=1)
    with open(os.path.join(ROOT, "build", "bench", "results.md"), "w") as table:
        table.write("| what | measured | target | | DMTCP | CRIU |\n| --- | ---: | --- | --- | --- | --- |\n")
        for one in rows:
            verdict = "" if not one["target"] else "ok" if one["good"] else "missed"
            table.write(f"| {one['what']} | {one['measured']} | {one['target']} | {verdict} | {one['dmtcp']} | {one['criu']} |\n")


def main():
    sections = [launch, idle, mpi, threads, gigabyte, forest, connections, size, coordination, hosts]
    names = sys.argv[1:] or [section.__name__ for section in sections]
    busy = load()
    if busy > 0.3:
        print(f"bench: other programs run here (load {busy:.1f} for each processor): what is measured by the clock may be wrong.", flush=True)
    print(f"{'':<46}{'measured':>16}  {'target':<12}{'':<8}{'DMTCP':<16}CRIU")
    for section in sections:
        if section.__name__ in names:
            try:
                section()
            except (SystemExit, subprocess.CalledProcessError) as problem:
                said = (getattr(problem, "stderr", None) or str(problem)).strip()
                row(section.__name__, "failed", "no failure", False, said)
    write_results(busy)
    judged = [one for one in rows if one["target"]]
    print(f"{sum(one['good'] for one in judged)} of {len(judged)} targets reached; the table is in build/bench/results.md")


main()
