"""How long to wait before the same request is sent again."""
from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Retry:
    """Exponential backoff with jitter; Retry-After of the node is the least wait."""

    #: Seconds before the second try; doubles with each further one. Default 0.2.
    base: float = 0.2
    #: Longest wait in seconds. Default 10.
    cap: float = 10.0
    #: After so many seconds the last error is raised. Default 30; 0 tries once.
    give_up_after: float = 30.0

    def delay(self, tries: int, at_least: float | None = None) -> float:
        """Seconds to wait after the `tries`-th try (from 1): half fixed, half random, so that clients spread."""
        backoff = min(self.cap, self.base * 2.0 ** min(tries - 1, 30))
        wait: float = backoff * random.uniform(0.5, 1.0)
        return max(wait, at_least * random.uniform(1.0, 1.1)) if at_least else wait
