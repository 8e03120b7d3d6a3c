"""Proves: Python threads with locks, conditions, queues, thread-local data and
timed waits go on; every queued item arrives once and in order."""
import queue
import threading
import time

import sample

WORKERS = 6
local = threading.local()


def work(number, inbox, outbox):
    local.count = 0
    local.number = number
    while True:
        try:
            item = inbox.get(timeout=0.05)
        except queue.Empty:
            continue
        if item is None:
            break
        local.count += 1
        sample.check(local.number == number, "thread-local data is another thread's")
        outbox.put((number, item, sample.mix(item)))
    outbox.put((number, None, local.count))


def main():
    outbox = queue.Queue()
    inboxes = [queue.Queue(maxsize=8) for _ in range(WORKERS)]
    threads = [threading.Thread(target=work, args=(i, inboxes[i], outbox)) for i in range(WORKERS)]
    for thread in threads:
        thread.start()

    sample.ready()
    sent = 0
    for step in sample.steps(200):
        for inbox in inboxes:
            inbox.put(step)
        sent += 1
        time.sleep(0.005)
    for inbox in inboxes:
        inbox.put(None)
    for thread in threads:
        thread.join()

    following = [0] * WORKERS
    counts = {}
    checksum = 0
    while not outbox.empty():
        number, item, value = outbox.get()
        if item is None:
            counts[number] = value
            continue
        sample.check(item == following[number], f"worker {number}: item {item} instead of {following[number]}")
        sample.check(value == sample.mix(item), f"worker {number}: wrong result")
        following[number] += 1
        checksum ^= sample.mix(value + number)
    sample.check(all(counts[i] == following[i] == sent for i in range(WORKERS)), f"sent {sent}, worked {counts}")
    sample.ok(checksum)


main()
