"""The one exception that means: the user can mend this."""


class InputError(ValueError):
    """A user's mistake, told in one line that names the key or file, the value found and what is allowed.

    `stages.run` prints it without a traceback and exits with code 2.
    """
