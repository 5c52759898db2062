"""Progress on stderr: a bar on a terminal or in a notebook if rich is installed, otherwise a line a step."""

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def step_reporter(show: bool | None, n_steps: int) -> Iterator[Callable[[str], object]]:
    """Yield a function to call with the name of each step; show=None prints only if a person is looking."""
    redraws = sys.stderr.isatty() or _in_notebook()
    if show is False or (show is None and not redraws):
        yield lambda step: None
        return
    bar = _progress_bar() if redraws else None
    numbers = itertools.count()
    if bar is None:
        yield lambda step: print(f"[{next(numbers) + 1}/{n_steps}] {step}", file=sys.stderr, flush=True)
        return
    with bar:
        task = bar.add_task("", total=n_steps)
        yield lambda step: bar.update(task, completed=next(numbers), description=step)


def _in_notebook() -> bool:
    """Whether this is a Jupyter kernel in which rich can redraw, for which it needs ipywidgets."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    kinds = {kind.__name__ for kind in type(shell).__mro__}  # Colab's is a subclass
    return "ZMQInteractiveShell" in kinds and find_spec("ipywidgets") is not None


def _progress_bar() -> "Progress | None":
    """A progress bar on stderr, or None if rich is not installed."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    except ImportError:
        return None
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=Console(stderr=True), transient=True)
