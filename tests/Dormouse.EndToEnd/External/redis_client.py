"""An ordinary client of redis that knows nothing of checkpoints: redis_client.py HOST PORT STOPFILE

On one connection, which it never makes anew, it sends numbered requests of many lengths, some hundred of them under way at a time,
reads slowly, and compares every byte of every answer. When STOPFILE exists it takes the last answers and says how many there were.
"""
import os
import socket
import sys
import threading
import time

UNDER_WAY = 300


def body_of(number):
    return b"%d:" % number + bytes([97 + number % 26]) * (number * 7919 % 3000)


def write(connection, stop_file, window, sent):
    while not os.path.exists(stop_file):
        window.acquire()
        body = body_of(len(sent))
        connection.sendall(b"*2\r\n$4\r\nECHO\r\n$%d\r\n%s\r\n" % (len(body), body))
        sent.append(None)
    connection.shutdown(socket.SHUT_WR)


def main():
    host, port, stop_file = sys.argv[1:]
    connection = socket.create_connection((host, int(port)))
    window, sent = threading.Semaphore(UNDER_WAY), []
    writer = threading.Thread(target=write, args=(connection, stop_file, window, sent))
    writer.start()
    stream = connection.makefile("rb", buffering=4096)
    received, longest, last = 0, 0.0, time.monotonic()
    while received < len(sent) or writer.is_alive():
        body = body_of(received)
        expected = b"$%d\r\n%s\r\n" % (len(body), body)
        answer = stream.read(len(expected))
        if answer == b"" and received == len(sent):
            break
        if answer != expected:
            sys.exit(f"answer {received} is {answer[:60]!r} instead of {expected[:60]!r}")
        now = time.monotonic()
        longest, last = max(longest, now - last), now
        received += 1
        window.release()
        if received % 100 == 0:
            print("answers", received, flush=True)
            time.sleep(0.01)
    writer.join()
    print(f"ok, {received} answers, the longest pause {longest:.1f} s", flush=True)


main()
