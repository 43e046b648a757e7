"""The one exception that means: the user can mend this."""

from collections.abc import Iterator
from contextlib import contextmanager


class InputError(ValueError):
    """A user's mistake, told in one line that names the key or file, the value found and what is allowed.

    `stages.run` prints it without a traceback and exits with code 2.
    """


@contextmanager
def told_of(key: str) -> Iterator[None]:
    """A mistake that comes out of the block is told as one of this key of params.yaml."""
    try:
        yield
    except InputError as error:
        raise InputError(f"params.yaml: {key}: {error}") from error
