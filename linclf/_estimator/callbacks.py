"""scikit-learn's callback hooks around each epoch."""


class EpochCallbacks:
    """Opens a task before an epoch and closes it after; X and y are those that the user would score."""

    def __init__(self, estimator, context, classes, arguments):
        self.estimator, self.context, self.classes, self.arguments = estimator, context, classes, arguments
        self.task = None

    def begin(self):
        self.task = self.context.subcontext(task_name="epoch")
        self.task.call_on_fit_task_begin(estimator=self.estimator, **self.arguments)

    def end(self, session):
        """Returns whether a callback asks to stop."""

        def attributes():
            return self.estimator._fitted(*session.published(), self.classes, session)

        return self.task.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=attributes, **self.arguments
        )
