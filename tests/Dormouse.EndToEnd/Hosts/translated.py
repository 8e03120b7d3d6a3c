"""Two ends of connections that go through address translation: translated.py server PORT | client ADDRESS PORT OUTSIDE-ADDRESS OUTSIDE-PORT

Each connection is in a state of its own, see KINDS; "idle" ones look alike to the kernel, and so does one at each side whose other end is
no part of the computation. Until the file SAMPLE_STOP exists a token goes round, and addresses and options must stay what they are. Then
all that was written is read and compared; the file SAMPLE_STOP says what has become of the connections to the outside: "open" or "reset".
"""
import os
import socket
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from streams import fill, text

KINDS = ("token", "idle", "idle", "unread", "full", "half")
OPTIONS = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE), (socket.SOL_SOCKET, socket.SO_RCVLOWAT)] + [
    (socket.IPPROTO_TCP, option) for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)]
STOP = os.environ["SAMPLE_STOP"]


def exactly(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            sys.exit("the other end is gone")
        data += piece
    return data


def state(connection):
    return [connection.getsockname(), connection.getpeername()] + [connection.getsockopt(*option) for option in OPTIONS]


def say(line):
    print(line, flush=True)


role = sys.argv[1]
far = "client" if role == "server" else "server"
if role == "server":
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", int(sys.argv[2])))
    listener.listen()
    say("listening")
    connections = [listener.accept()[0] for _ in KINDS]
    say("connected")
    outside = listener.accept()[0]
    listener.close()
else:
    connections = [socket.create_connection((sys.argv[2], int(sys.argv[3]))) for _ in KINDS]
    outside = socket.create_connection((sys.argv[4], int(sys.argv[5])))

totals = [0] * len(KINDS)
for number, (kind, connection) in enumerate(zip(KINDS, connections)):
    if number == 1:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 3)
    if number == 2:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 700)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2)
    if kind == "unread":
        totals[number] = 50_000 if role == "server" else 30_000
        connection.sendall(text(role, number, totals[number]))
    if kind == "full":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 200_000)
        totals[number] = fill(connection, text(role, number, 8_000_000))
    if kind == "half" and role == "client":
        totals[number] = 1000
        connection.sendall(text(role, number, 1000))
        connection.shutdown(socket.SHUT_WR)

token_end = connections[0]
before = [state(connection) for connection in connections + [outside]]
say("ready")
token = 1
while token:
    if role == "server":
        token = 0 if os.path.exists(STOP) else token + 1
        token_end.sendall(token.to_bytes(8, "little"))
    got = int.from_bytes(exactly(token_end, 8), "little")
    if role == "server":
        if got != token * 3:
            sys.exit(f"token {token} came back as {got}")
        time.sleep(0.01)
    else:
        token = got
        token_end.sendall((token * 3).to_bytes(8, "little"))
    for connection, what in zip(connections, before):
        if state(connection) != what:
            sys.exit(f"{what} has become {state(connection)}")

token_end.sendall(b"".join(total.to_bytes(8, "little") for total in totals))
theirs = exactly(token_end, 8 * len(KINDS))
for number, (kind, connection) in enumerate(zip(KINDS, connections)):
    if number == 0:
        continue
    total = int.from_bytes(theirs[number * 8:number * 8 + 8], "little")
    if kind == "half" and role == "server":
        data = exactly(connection, total) + connection.recv(1)
        connection.sendall(b"answer")
    else:
        data = exactly(connection, total)
        if kind == "half" and exactly(connection, 6) != b"answer":
            sys.exit("the half closed connection does not answer")
        if kind != "half":
            connection.sendall(b"%d" % number)
            if exactly(connection, 1) != b"%d" % number:
                sys.exit(f"connection {number} is not what it was")
    if data != text(far, number, total):
        sys.exit(f"connection {number}: what was written does not come out")

outside.setblocking(False)
try:
    outcome = "closed" if outside.recv(1) == b"" else "data"
except ConnectionResetError:
    outcome = "reset"
except BlockingIOError:
    outcome = "open"
if outcome != open(STOP).read().strip():
    sys.exit(f"the connection to the outside is {outcome}")
say("content")
