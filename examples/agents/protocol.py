"""What the three agents need of the worker protocol: a call, and who they are. Nothing but the standard library."""
import json
import os
import urllib.error
import urllib.request

URL = os.environ["BELFRY_URL"]
SESSION = os.environ["BELFRY_SESSION"]


def call(path, body):
    """The answer of the node; None when it refuses."""
    request = urllib.request.Request(
        URL + path,
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Belfry-Session-Token": os.environ["BELFRY_TOKEN"]},
    )
    try:
        with urllib.request.urlopen(request, timeout=40) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        print(f"{path}: {error.code} {error.read().decode()}", flush=True)
        return None
