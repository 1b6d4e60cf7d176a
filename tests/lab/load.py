"""A bounded load: so many callers, each of which invokes a function again as soon as it has answered."""

import collections
import threading
import time


class Load:
    def __init__(self, function, callers):
        self.function, self.over, self.lock = function, threading.Event(), threading.Lock()
        # When each invocation began and ended, its outcome, and the host that it used.
        self.done = []
        self.threads = [threading.Thread(target=self.call) for _ in range(callers)]

    def call(self):
        while not self.over.is_set():
            began = time.monotonic()
            host, outcome = self.function.invoke()
            with self.lock:
                self.done.append((began, time.monotonic(), outcome, host))
            # One that was refused at once would otherwise be nothing but refusals.
            time.sleep(0.05)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def warm(self):
        """Waits until callers have had answers to what they asked from now on, however long new environments take; returns the moment."""
        began = time.monotonic()
        while time.monotonic() < began + 60:
            with self.lock:
                answered = sum(at >= began for at, *_ in self.done)
            if answered >= 2 * len(self.threads):
                return time.monotonic()
            time.sleep(0.05)
        raise AssertionError("the load does not come to its speed")

    def outcomes(self, since=0.0, until=float("inf")):
        """How often each outcome came, of invocations that began and ended in a span: by SQLSTATE or the driver's own class."""
        with self.lock:
            done = list(self.done)
        return collections.Counter(outcome.split(" ", 1)[0] for began, ended, outcome, _ in done if since <= began and ended <= until)

    def others(self, *expected):
        """Outcomes that are none of these, in full."""
        with self.lock:
            return sorted({outcome for _, _, outcome, _ in self.done if not outcome.startswith(expected)})
