"""scikit-learn's callback hooks around a fit and each of its epochs; before version 1.9 it has none."""

from collections.abc import Callable

from linclf._estimator.described import Described
from linclf._training.model import LinearModel
from linclf._training.monitor import Reached

Attributes = Callable[[LinearModel], dict]  # the attributes to publish for a model


class FitCallbacks:
    """Opens a task for the fit and one for each epoch; X and y are as the user would score them."""

    def __init__(self, estimator: Described, arguments: dict, attributes: Attributes) -> None:
        self.estimator, self.arguments, self.attributes = estimator, arguments, attributes

    def start(self, total: int) -> None:
        if not self.estimator.has_callbacks:
            return
        self.context = self.estimator._init_callback_context(max_subtasks=total)
        self.context.call_on_fit_task_begin(estimator=self.estimator, **self.arguments)

    def begin(self) -> None:
        if self.estimator.has_callbacks:
            self.task = self.context.subcontext(task_name="epoch")
            self.task.call_on_fit_task_begin(estimator=self.estimator, **self.arguments)

    def end(self, model: Reached) -> bool:
        """Returns whether a callback asks to stop."""
        return self.estimator.has_callbacks and self.task.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=lambda: self.attributes(model()),
            **self.arguments,
        )

    def finish(self, attributes: dict) -> None:
        if not self.estimator.has_callbacks:
            return
        self.context.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=lambda: attributes, **self.arguments
        )
