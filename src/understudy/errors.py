"""The one exception that a user is meant to read."""


class UserError(Exception):
    """Something the user can put right.

    The message is one sentence that names the file or parameter, the cause and the remedy. The command line prints it
    alone, without a traceback, and exits with status 1.
    """
