"""Counts words: a worker for runs such as {"name": "word-count", "payload": {"text": "one two three"}}."""
import signal
import sys

from belfry import Attempt, Client, Worker


def count_words(attempt: Attempt) -> dict[str, int]:
    text = attempt.payload["text"]
    attempt.log(f"counting {len(text)} characters")
    words = text.split()
    for done, _ in enumerate(words, 1):
        attempt.raise_if_cancelled()  # cancel, lost lease, stop of this worker: give up soon
        attempt.progress(done / len(words))
    return {"words": len(words)}


if __name__ == "__main__":
    with Client(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:7420") as client:
        Worker(client, count_words, agent_type="word-counter", slots=4).run(stop_on=(signal.SIGTERM, signal.SIGINT))
