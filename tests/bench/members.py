"""Members that have nothing to save: what a checkpoint costs that is coordination alone. See docs/PROTOCOL.md."""
import collections
import hashlib
import hmac
import os
import select
import socket
import struct
import time

SERVER_HELLO, CLIENT_HELLO, MEMBER_HELLO = 50, 51, 1
REQUESTED, SUSPENDED, REACHED, RELEASED, INVENTORY, CANDIDATES, WRITTEN, COMMIT, COMMITTED, ABORT, FINISHED = 3, 4, 6, 7, 8, 9, 10, 11, 12, 14, 15
SUSPEND, DRAIN, WRITE = 1, 2, 3


def text(value):
    return struct.pack("<H", len(value)) + value.encode()


def frame(kind, payload):
    return struct.pack("<IH", len(payload), kind) + payload


class Member:
    def __init__(self, number, port, token):
        self.number = number
        self.incoming = b""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        kind, payload = self.wait()
        assert kind == SERVER_HELLO, kind
        nonce = os.urandom(16)
        proof = hmac.new(token, b"client" + payload[6:22] + nonce + b"\1", hashlib.sha256).digest()
        hello = text(f"host{number % 64}") + text(f"host{number % 64}") + struct.pack("<iiQI", number + 2, 1, number, os.getuid())
        hello += text("program") + text("/usr/bin/program") + struct.pack("<BQII", 0, 0, 0, 0)
        self.socket.sendall(frame(CLIENT_HELLO, payload[:6] + b"\1" + nonce + proof) + frame(MEMBER_HELLO, hello))
        self.wait()
        self.socket.setblocking(False)

    def frames(self):
        while len(self.incoming) >= 6:
            size, kind = struct.unpack_from("<IH", self.incoming)
            if len(self.incoming) < 6 + size:
                return
            payload, self.incoming = self.incoming[6:6 + size], self.incoming[6 + size:]
            yield kind, payload

    def wait(self):
        while True:
            for one in self.frames():
                return one
            data = self.socket.recv(4096)
            if not data:
                raise OSError("the coordinator has closed the connection")
            self.incoming += data

    def answer(self, kind, payload):
        epoch = payload[:4]
        if kind == REQUESTED:
            self.generation, = struct.unpack_from("<I", payload, 4)
            return frame(SUSPENDED, epoch + struct.pack("<II", 1, 0))
        if kind == RELEASED and payload[4] == SUSPEND:
            return frame(INVENTORY, epoch + struct.pack("<II", 0, 0))
        if kind == CANDIDATES:
            return frame(REACHED, epoch + bytes([DRAIN]))
        if kind == RELEASED and payload[4] == DRAIN:
            return frame(REACHED, epoch + bytes([WRITE]))
        if kind == RELEASED and payload[4] == WRITE:
            name = f"ckpt_program_{self.number}.img"
            return frame(WRITTEN, epoch + text(f"/nowhere/{name}.tmp") + text(name) + struct.pack("<QQQH", 0, 0, 0, 0))
        if kind == COMMIT:
            return frame(COMMITTED, epoch)
        if kind == ABORT:
            raise OSError(f"the checkpoint failed: {payload[6:].decode()}")
        return b""


class Members:
    """As many of them as are wanted, in this process."""

    def __init__(self, count, port, token):
        self.poll = select.epoll()
        self.members = {}
        for number in range(count):
            member = Member(number, port, token)
            self.members[member.socket.fileno()] = member
            self.poll.register(member.socket, select.EPOLLIN)

    def close(self):
        for member in self.members.values():
            member.socket.close()

    def play(self):
        """Takes part in one checkpoint that somebody asks for. Returns the seconds from the first message of each kind to
        the last of the same kind: what a barrier takes."""
        finished = 0
        first, last = {}, collections.defaultdict(float)
        while finished < len(self.members):
            ready = self.poll.poll(30)
            if not ready:
                raise OSError("nothing from the coordinator for 30 s")
            for fd, _ in ready:
                member = self.members[fd]
                data = member.socket.recv(65536)
                if not data:
                    raise OSError("the coordinator has closed the connection")
                member.incoming += data
                answers = b""
                for kind, payload in member.frames():
                    barrier = (kind, payload[4] if kind == RELEASED else 0)
                    now = time.perf_counter()
                    first.setdefault(barrier, now)
                    last[barrier] = now
                    answers += member.answer(kind, payload)
                    finished += kind == FINISHED
                if answers:
                    member.socket.sendall(answers)
        order = sorted(first, key=first.get)
        return {one: first[after] - first[one] for one, after in zip(order, order[1:])}
