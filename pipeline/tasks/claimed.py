"""The section `claim` of params.yaml: of which task `make claim` makes the page, and how much of it."""

from pipeline.runtime.params import Count, Section


class Settings(Section):
    task: str  # by class, with an entry in regressions, engressions, cgans and flows
    whole: str  # the task that it is a short form of, with such entries too; `task` itself: it is none
    num_samples: Count = 250  # test conditions at most, by which the dial's errors are taken

    @property
    def left_out(self) -> str:
        """The task that the report shows nothing of, as it is a short form of another; "" if none is."""
        return self.task if self.task != self.whole else ""
