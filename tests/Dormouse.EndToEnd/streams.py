"""What the talking programs of the tests write: text that tells who has written it and where, and as much as fits."""
import time


def text(who, conversation, count):
    pattern = b"".join(b"%s %d %08d\n" % (who.encode(), conversation, line) for line in range(5000))
    return (pattern * (count // len(pattern) + 1))[:count]


def fill(connection, data):
    """Writes until nothing fits, and nothing has for a while."""
    connection.setblocking(False)
    sent, quiet = 0, 0
    while quiet < 20:
        try:
            sent += connection.send(data[sent:sent + 65536])
            quiet = 0
        except BlockingIOError:
            quiet += 1
            time.sleep(0.01)
    connection.setblocking(True)
    return sent
