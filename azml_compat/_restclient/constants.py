"""The status words of a run at the private path from where scripts import them."""

from __future__ import annotations

_Statuses = list[str]  # inside the class, `list` is a method


class RunStatus:
    """The status words of a run, as `run.status` gives them."""

    NOT_STARTED = "NotStarted"
    QUEUED = "Queued"
    PREPARING = "Preparing"
    PROVISIONING = "Provisioning"
    STARTING = "Starting"
    RUNNING = "Running"
    CANCEL_REQUESTED = "CancelRequested"
    CANCELED = "Canceled"
    FINALIZING = "Finalizing"
    COMPLETED = "Completed"
    FAILED = "Failed"
    UNAPPROVED = "Unapproved"
    NOT_RESPONDING = "NotResponding"
    PAUSING = "Pausing"
    PAUSED = "Paused"

    @classmethod
    def list(cls) -> _Statuses:
        """List every status word."""
        return [
            *cls.get_running_statuses(),
            *cls.get_post_processing_statuses(),
            *cls.get_terminal_statuses(),
        ]

    @classmethod
    def get_running_statuses(cls) -> _Statuses:
        """List the words of a run that has yet to do its work; `azureml.core.run.RUNNING_STATES`."""
        return [
            cls.NOT_STARTED,
            cls.QUEUED,
            cls.PREPARING,
            cls.PROVISIONING,
            cls.STARTING,
            cls.RUNNING,
            cls.UNAPPROVED,
            cls.NOT_RESPONDING,
            cls.PAUSING,
            cls.PAUSED,
        ]

    @classmethod
    def get_post_processing_statuses(cls) -> _Statuses:
        """List the words of a run that is being ended; `azureml.core.run.POST_PROCESSING_STATES`."""
        return [cls.CANCEL_REQUESTED, cls.FINALIZING]

    @classmethod
    def get_terminal_statuses(cls) -> _Statuses:
        """List the words of a run that has ended, for good or ill."""
        return [cls.COMPLETED, cls.FAILED, cls.CANCELED]
