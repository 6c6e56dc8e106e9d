"""What one scenario may use; everything is gone when it ends."""
import tempfile
import time
import urllib.request

from adaptor import Adaptor
from node import Node
from proxy import Proxy


class World:
    def __init__(self, language, command, binary):
        self.language = language
        self.command = command
        self.binary = binary
        self.opened = []

    def _keep(self, thing):
        self.opened.append(thing)
        return thing

    def node(self, config=""):
        return self._keep(Node(self.binary, config)).start()

    def proxy(self, node):
        return self._keep(Proxy(node.port))

    def client(self, url, environment=None, **options):
        adaptor = Adaptor(self.command, environment)
        self._keep(adaptor)
        adaptor.open(url, **options)
        return adaptor

    def folder(self, name):
        folder = tempfile.TemporaryDirectory(prefix=f"belfry-{name}-")
        self.opened.insert(0, folder)
        folder.close = folder.cleanup
        return folder.name

    def until(self, condition, seconds=15):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"it did not come about within {seconds} s"
            time.sleep(0.03)

    def delete(self, node, path):
        with urllib.request.urlopen(urllib.request.Request(node.url + path, method="DELETE"), timeout=10) as reply:
            reply.read()

    def close(self):
        for thing in reversed(self.opened):
            thing.close()
