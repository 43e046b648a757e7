"""What the sections of all generators say, whichever way they are trained."""

from typing import Annotated

from pipeline.networks import NETWORKS
from pipeline.params import Count, NotNegative, Positive, one_of
from pipeline.training.loop import Schedule


class GeneratorSchedule(Schedule):
    network: Annotated[str, one_of(NETWORKS)]
    width: Count  # channels or units of the networks' layers
    learning_rate: Positive  # Adam's
    ema_halflife: (
        NotNegative  # images after which old weights count half in the moving average; 0: no averaging
    )
    num_snapshots: Count  # grids of samples kept, evenly spread, to show the training's course
