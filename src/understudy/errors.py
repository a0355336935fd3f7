"""The exception that a user is meant to read, and the one by which a training says that it has failed."""


class UserError(Exception):
    """Something the user can put right.

    The message is one sentence that names the file or parameter, the cause and the remedy. The command line prints it
    alone, without a traceback, and exits with status 1.
    """


class Diverged(Exception):
    """A training has failed; the message says how. It is taken up again from its last good checkpoint."""
