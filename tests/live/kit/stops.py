"""Why a run ends before its end."""


class Refused(Exception):
    """Nothing was created."""


class TimeUp(BaseException):
    """The time limit is reached. No `except Exception` on the way, such as botocore's around a request, may take it for a failure."""


class Interrupted(BaseException):
    """A signal asks this process to end; the same holds."""


class Missing(Exception):
    """Something cannot be done here: the program does not have it, or the endpoint is an emulator that does not."""


class Failed(Exception):
    """Something was seen to be otherwise than it should be."""
