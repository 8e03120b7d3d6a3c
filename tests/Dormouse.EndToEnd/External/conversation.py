"""Two ordinary programs in the middle of four conversations: conversation.py server|client ADDRESS PORT GOFILE

Each conversation is a connection in a state of its own; both sides stop there, say "ready", and go on when GOFILE exists:
  0  the client has said all and closed its sending side; the server has read nothing of it
  1  the server has said more than fits into all buffers, and closed its sending side; the client has read nothing of it
  2  both have closed their sending sides, neither has read anything
  3  both have written until nothing more fits, and neither has read anything
Then all is read and compared, byte by byte, and answered where a side is still open.
"""
import os
import socket
import sys
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from streams import fill, text

SHORT, LONG = 100_000, 12_000_000


def read_all(connection):
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def main():
    role, address, port, go_file = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    other = "client" if role == "server" else "server"
    if role == "server":
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server((address, port), family=family, dualstack_ipv6=address == "::")
        print("listening", flush=True)
        connections = [listener.accept()[0] for _ in range(4)]
        listener.close()
    else:
        connections = [socket.create_connection((address, port)) for _ in range(4)]

    # Whoever wakes the connections sets it on all.
    for number, connection in enumerate(connections):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, number % 2)
    ends = []  # of writers that wait for room

    def say(conversation, count, close):
        def write():
            connections[conversation].sendall(text(role, conversation, count))
            if close:
                connections[conversation].shutdown(socket.SHUT_WR)
        ends.append(threading.Thread(target=write))
        ends[-1].start()

    if role == "client":
        say(0, SHORT, True)
    else:
        say(1, LONG, True)
    say(2, SHORT, True)
    filled = fill(connections[3], text(role, 3, LONG))
    print("ready", flush=True)
    while not os.path.exists(go_file):
        time.sleep(0.01)
    reuse = [connection.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) for connection in connections]
    assert reuse == [0, 1, 0, 1], reuse

    def finish():
        connections[3].sendall(text(role, 3, LONG)[filled:])
        connections[3].shutdown(socket.SHUT_WR)

    ends.append(threading.Thread(target=finish))
    ends[-1].start()
    expected = [text(other, 0, SHORT), text(other, 1, LONG), text(other, 2, SHORT), text(other, 3, LONG)]
    order = [3, 2, 0, 1] if role == "server" else [3, 2, 1, 0]
    for conversation in order:
        connection = connections[conversation]
        if (role, conversation) == ("client", 1):
            say(1, SHORT, True)  # still open in this direction
        if (role, conversation) == ("server", 0):
            say(0, LONG, True)
        want = {("server", 1): text(other, 1, SHORT), ("client", 0): text(other, 0, LONG)}.get((role, conversation), expected[conversation])
        got = read_all(connection)
        if got != want:
            where = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
            sys.exit(f"{role}: conversation {conversation}: {len(got)} bytes of {len(want)}, different at {where}")
    for thread in ends:
        thread.join()
    print("ok", flush=True)


main()
