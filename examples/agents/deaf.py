"""An agent that lives and does nothing: it says that it is there, and ignores whatever it is woken for."""
import time

from protocol import SESSION, call

while call(f"/v1/sessions/{SESSION}:heartbeat", {}) is not None:
    time.sleep(2)
