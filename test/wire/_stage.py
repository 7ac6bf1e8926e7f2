"""Small scenes that several clients play on two servers, to compare what everybody was told.

A scene is a list of lines `who: command; command`. After each line everybody's replies are
collected. `@who` in a command is the number of that client, `who: (close)` ends it, `who: (wait)`
waits for one reply as long as it takes. A client whose name ends with 2 or 3 speaks that protocol.
"""
import difflib
import select

from _checks import Skip, expect_that
from _differences import show
from _server import Server, redis_server, roxdb

OPTIONS = {"appendonly": "no"}


class Stage:
    """One server and its clients by name, made when they first speak."""

    def __init__(self, program, protocol=2, options=None):
        self.server = Server(program, options or OPTIONS)
        self.protocol = protocol
        self.control = self.server.connect()
        self.clients = {}
        self.ids = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self.clients.values():
            client.close()
        self.server.close()

    def client(self, name):
        if name not in self.clients:
            protocol = int(name[-1]) if name[-1] in "23" else self.protocol
            self.clients[name] = self.server.connect(protocol)
            self.ids[name] = self.clients[name].call("CLIENT", "ID")
        return self.clients[name]

    def settle(self):
        """When the second answer is here, all that was sent before has been executed and answered:
        the first may share its turn of the server's loop with it."""
        self.control.call("PING")
        self.control.call("PING")

    def replies(self):
        """What has come for anybody, in order of names."""
        said = []
        for name, client in sorted(self.clients.items()):
            while select.select([client.socket], [], [], 0)[0]:
                try:
                    client._fill()
                except ConnectionError:
                    said.append("%s is closed" % name)
                    break
            while client.buffer:
                said.append("%s <- %s" % (name, show(client.read_raw())))
            if said and said[-1] == "%s is closed" % name:
                client.close()
        self.clients = {name: client for name, client in self.clients.items()
                        if client.socket.fileno() >= 0}
        return said

    def play(self, scene):
        """The transcript of a scene."""
        transcript = []
        for line in scene.strip().split("\n"):
            name, _, words = line.strip().partition(": ")
            transcript.append("%s: %s" % (name, words))
            if words == "(wait)":  # for a reply, as long as it takes
                transcript.append("%s <- %s" % (name, show(self.client(name).read_raw())))
                continue
            client = self.client(name)
            if words == "(close)":
                client.close()
                del self.clients[name]
            else:
                requests = [request.split() for request in words.split("; ")]
                client.send_commands([[self.ids.get(word[1:], word) if word[:1] == "@" else word
                                       for word in request] for request in requests])
            self.settle()
            transcript += self.replies()
        return transcript


def compare(scene, protocols=(2, 3), options=None):
    if redis_server() is None:
        raise Skip("redis-server is not installed")
    for protocol in protocols:
        transcripts = []
        for program in (redis_server(), roxdb()):
            with Stage(program, protocol, options) as stage:
                transcripts.append(stage.play(scene))
        differing = difflib.unified_diff(*transcripts, "redis-server", "RoxDB", n=6, lineterm="")
        expect_that(transcripts[0] == transcripts[1],
                    "\n    ".join(["RESP%d" % protocol] + list(differing)))
