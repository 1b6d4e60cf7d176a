"""A time limit that strikes wherever the run is, and signals that do."""

import contextlib
import signal
import time

from kit.stops import Interrupted, TimeUp

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def limited(seconds, interruptible=True):
    """The block ends with TimeUp after so many seconds, and with Interrupted at a signal. From the end of the block on, signals are ignored."""

    stop = []

    def strike(number, _):
        if not stop:
            stop.append(TimeUp(f"the time limit of {seconds / 60:.0f} minutes is reached") if number == signal.SIGALRM else Interrupted(signal.Signals(number).name))
        # Only the first one counts: what follows is the clean-up, and nothing may end that. But Python drops what is raised within a callback, such as
        # those around a fork: so it knocks each second until someone has heard it, who calls `calm`.
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 1, 1)
        raise stop[0]

    calm()
    for number in (*(SIGNALS if interruptible else ()), signal.SIGALRM):
        signal.signal(number, strike)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        calm()


def calm():
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number in (*SIGNALS, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)


def wait_until(done, pause, limit):
    """The first true answer, or None after `limit` seconds."""
    end = time.monotonic() + limit
    while True:
        answer = done()
        if answer:
            return answer
        if time.monotonic() > end:
            return None
        time.sleep(pause)
