"""A peer that is a layer, and the other end of its visits."""

from benchmarks.peers.peer import Peer


class Pipe:
    """The end of a visit: hands out `asked`, one after the other, and keeps what is sent."""

    def __init__(self, *asked):
        self.asked, self.sent = list(asked), []

    def recv(self):
        return self.asked.pop(0)

    def send(self, what):
        self.sent.append(what)


def toy(**more):
    return Peer("toy", "a layer", lambda place, tell: None, network=lambda names: names["layer"], **more)
