"""Proves: multiprocessing goes on: a pool of forked workers, queues with their feeder
threads, a shared array, a lock, and a manager-free pipe."""
import multiprocessing
import time

import sample


def work(inbox, outbox, shared, lock):
    for item in iter(inbox.get, None):
        with lock:
            shared[0] += 1
        outbox.put((item, sample.mix(item)))


def answer(pipe):
    while (item := pipe.recv()) is not None:
        pipe.send(item * 2)


def main():
    context = multiprocessing.get_context("fork")
    inbox, outbox = context.Queue(), context.Queue()
    shared, lock = context.Array("q", 4), context.Lock()
    here, there = context.Pipe()
    workers = [context.Process(target=work, args=(inbox, outbox, shared, lock)) for _ in range(3)]
    workers.append(context.Process(target=answer, args=(there,)))
    for worker in workers:
        worker.start()

    with context.Pool(2) as pool:
        sample.ready()
        sent = 0
        results = {}
        for step in sample.steps(100):
            inbox.put(step)
            sent += 1
            while not outbox.empty():
                item, value = outbox.get()
                sample.check(item not in results, f"item {item} came twice")
                results[item] = value
            here.send(step)
            sample.check(here.recv() == step * 2, "the pipe answers wrongly")
            squares = pool.map(sample.mix, range(step, step + 4))
            sample.check(squares == [sample.mix(i) for i in range(step, step + 4)], "the pool computed something else")
            time.sleep(0.005)

        while len(results) < sent:
            item, value = outbox.get(timeout=20)
            results[item] = value
        for _ in range(3):
            inbox.put(None)
        here.send(None)
        for worker in workers:
            worker.join(20)
            sample.check(worker.exitcode == 0, f"a worker ended with {worker.exitcode}")
    sample.check(sorted(results) == list(range(sent)), "items are missing")
    sample.check(all(results[i] == sample.mix(i) for i in results), "a result is wrong")
    sample.check(shared[0] == sent, f"the shared counter is {shared[0]}, not {sent}")
    sample.ok(sent)


main()
