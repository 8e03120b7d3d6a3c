"""What the Python samples share; the same variables as sample.h."""
import os
import sys
import tempfile

_STOP = os.environ.get("SAMPLE_STOP")
_done = 0


def directory():
    return os.environ.get("SAMPLE_DIR") or tempfile.mkdtemp(prefix="dormouse-sample-")


def ready():
    print("ready", flush=True)


def steps(default):
    """Counts until it is time to verify: SAMPLE_STOP exists, or SAMPLE_STEPS are done."""
    global _done
    limit = int(os.environ.get("SAMPLE_STEPS", default))
    while not os.path.exists(_STOP) if _STOP else _done < limit:
        _done += 1
        yield _done - 1


def check(condition, message):
    if not condition:
        sys.stdout.flush()
        os.write(2, (message + "\n").encode())
        os._exit(1)


def ok(checksum):
    print(f"ok checksum {checksum & 0xFFFFFFFFFFFFFFFF:016x} steps {_done}", flush=True)


def mix(value):
    """splitmix64, as in sample.h."""
    mask = 0xFFFFFFFFFFFFFFFF
    value = (value + 0x9E3779B97F4A7C15) & mask
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & mask
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & mask
    return value ^ (value >> 31)
