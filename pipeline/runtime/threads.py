"""Work shared out to threads, for what leaves Python alone meanwhile: reading files, decoding images."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
AHEAD = 64  # results that wait for the one before them, at most


def in_order(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """The results of `function` for all items, in their order, by as many threads as there are cores; however
    many items there are, no more than AHEAD are under way.
    """
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) == AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
