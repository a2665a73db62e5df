"""Says what is being done: a line in a terminal, nothing in a log file, or what a callback makes of it."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    # Gets the text of the step under way; None when nothing is.
    Listener = Callable[[str | None], object]

DELAY_S = 1.0


class Progress:
    """Tells one listener which step is under way; steps may lie inside each other.

    Examples
    --------
    >>> told = []
    >>> progress = Progress(told.append)
    >>> with progress.step("Reading"), progress.step("Sorting"):
    ...     pass
    >>> told
    ['Reading', 'Sorting', 'Reading', None]
    """

    def __init__(self, listener: Listener | None = None) -> None:
        self._listener = listener
        self._steps: list[str] = []

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Name the step that the block does."""
        self._steps.append(text)
        self._tell()
        try:
            yield
        finally:
            self._steps.pop()
            self._tell()

    def _tell(self) -> None:
        if self._listener is not None:
            self._listener(self._steps[-1] if self._steps else None)


def quiet() -> Progress:
    """Build a reporter that says nothing."""
    return Progress()


def make_progress(progress: bool | Callable[[str | None], object] | Progress | None = None) -> Progress:
    """Build the reporter for a `progress=` argument.

    Parameters
    ----------
    progress
        None: a line in a terminal, silent elsewhere and with JOURNEYMINE_PROGRESS=0. False: silent. True: a
        line even if standard error is not a terminal. A function: called with the text of the step under way,
        and with None when nothing is. A `Progress`: used as it is.
    """
    if isinstance(progress, Progress):
        return progress
    if progress is None:
        progress = (
            sys.stderr is not None and sys.stderr.isatty() and os.environ.get("JOURNEYMINE_PROGRESS") != "0"
        )
    if callable(progress):
        return Progress(progress)
    return Progress(_Line() if progress else None)


class _Line:
    """One line with a spinner; shown only if the work takes longer than a second."""

    def __init__(self) -> None:
        self._status: Any = None
        self._timer: threading.Timer | None = None
        self._text = ""

    def __call__(self, text: str | None) -> None:
        if text is None:
            self._stop()
            return
        self._text = text
        if self._status is not None:
            self._status.update(_plain(text))
        elif self._timer is None:
            self._timer = threading.Timer(DELAY_S, self._start)
            self._timer.daemon = True
            self._timer.start()

    def _start(self) -> None:
        from rich.console import Console

        self._status = Console(stderr=True).status(_plain(self._text))
        self._status.start()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
            self._timer = None
        if self._status is not None:
            self._status.stop()
            self._status = None


def _plain(text: str) -> Any:
    from rich.text import Text

    return Text(f"{text} …")
