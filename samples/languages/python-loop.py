"""Proves: a long-running interpreter with objects of many kinds goes on, as an
interactive session would: integers, floats, dictionaries, generators, closures,
random numbers, regular expressions, compressed data, garbage collection."""
import gc
import random
import re
import time
import zlib

import sample


def counter():
    total = 0
    while True:
        total += yield total


def main():
    generator = counter()
    next(generator)
    numbers = random.Random(42)
    history = {}
    text = re.compile(r"(\d+)-(\w+)")
    started = time.monotonic()

    sample.ready()
    checksum = 0
    for step in sample.steps(100):
        history[step] = [numbers.random(), {"step": step, "text": f"{step}-word"}]
        history[step].append(history)          # a cycle, for the collector
        total = generator.send(step)
        sample.check(total == step * (step + 1) // 2, f"the generator says {total} at step {step}")
        packed = zlib.compress(repr(history[step][0]).encode() * 50)
        checksum = sample.mix(checksum ^ zlib.crc32(zlib.decompress(packed)))
        match = text.match(history[step][1]["text"])
        sample.check(match and int(match[1]) == step, f"the pattern does not match at step {step}")
        if step % 25 == 0:
            gc.collect()
        time.sleep(0.01)

    again = random.Random(42)
    for step, entry in history.items():
        sample.check(entry[0] == again.random(), f"random number {step} differs")
        sample.check(entry[1]["step"] == step, f"entry {step} differs")
    sample.check(time.monotonic() >= started, "the clock went back")
    sample.ok(checksum)


main()
