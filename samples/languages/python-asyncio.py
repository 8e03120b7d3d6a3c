"""Proves: an asyncio program goes on: event loop (epoll, self-pipe), timers, streams
over TCP loopback, a subprocess with pipes, and an executor thread."""
import asyncio
import time

import sample


async def echo(reader, writer):
    while line := await reader.readline():
        writer.write(b"echo " + line)
        await writer.drain()
    writer.close()


async def ask(port, number, stop):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    while not stop.is_set():
        writer.write(b"%d %d\n" % (number, count))
        answer = await reader.readline()
        sample.check(answer == b"echo %d %d\n" % (number, count), f"connection {number}: {answer!r} to {count}")
        count += 1
        await asyncio.sleep(0.001)
    writer.close()
    return count


async def tick(stop):
    late = 0
    while not stop.is_set():
        start = time.monotonic()
        await asyncio.sleep(0.05)
        took = time.monotonic() - start
        sample.check(took >= 0.049, f"sleep(0.05) took {took}")
        late = max(late, took)
    return late


async def converse(stop):
    child = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    count = 0
    while not stop.is_set():
        child.stdin.write(b"line %d\n" % count)
        answer = await child.stdout.readline()
        sample.check(answer == b"line %d\n" % count, f"cat answers {answer!r}")
        count += 1
        await asyncio.sleep(0.002)
    child.stdin.close()
    sample.check(await child.wait() == 0, "cat failed")
    return count


async def main():
    stop = asyncio.Event()
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    tasks = [asyncio.create_task(ask(port, i, stop)) for i in range(5)]
    tasks += [asyncio.create_task(tick(stop)), asyncio.create_task(converse(stop))]
    await asyncio.sleep(0.1)

    sample.ready()
    for step in sample.steps(100):
        value = await asyncio.get_running_loop().run_in_executor(None, sample.mix, step)
        sample.check(value == sample.mix(step), "the executor computed something else")
        await asyncio.sleep(0.01)

    stop.set()
    results = await asyncio.gather(*tasks)
    sample.check(all(result > 0 for result in results), f"a task did nothing: {results}")
    server.close()
    sample.ok(0)


asyncio.run(main())
