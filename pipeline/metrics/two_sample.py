"""Can a fresh classifier tell drawn images from real ones?

The classifier two-sample test of Lopez-Paz and Oquab 2017, arXiv:1610.06545: train on one half of both sets,
test on the other. An accuracy of 0.5 says that this classifier found no difference, 1 that each image gives
itself away. Unlike FID it knows no features but those it learns, so it also sees what a classifier of digits
is blind to.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW

from pipeline.data.images import to_float
from pipeline.methods.optimisation import descend, warmup_linear_decay
from pipeline.runtime import randomness

# The test's power rests on these, so they are part of the metric's definition.
WIDTH = 16  # channels of the first convolution
BATCH_SIZE = 128  # images, half of them drawn
LEARNING_RATE = 0.003  # the highest; it rises over the first fifth of the steps and falls to 0
NUM_CALIBRATION = 1000  # training images of either kind that set the threshold

WEIGHTS = "two-sample weights"  # purpose of random numbers
TEST_BATCH = 500  # images at once; has no effect on the result


def accuracy(drawn: Tensor, real: Tensor, num_steps: int, seed: int) -> float:
    """The share of held-out images, drawn and real, that the classifier puts on the right side; 0.5 is best.

    Both are (N, C, H, W) uint8, N at least 2; of the larger set a random part as large as the smaller counts.
    The seed decides on halves, weights and batches.
    """
    num = min(len(drawn), len(real)) // 2
    (drawn_train, drawn_test), (real_train, real_test) = (
        pixels[randomness.permutation(len(pixels), seed, f"two-sample {name}")[: 2 * num]].split(num)
        for name, pixels in (("drawn", drawn), ("real", real))
    )
    classifier = trained(drawn_train, real_train, num_steps, seed)
    few = (logits(classifier, images[:NUM_CALIBRATION]) for images in (drawn_train, real_train))
    threshold = best_threshold(*few)
    taken_for_drawn = (logits(classifier, images) > threshold for images in (drawn_test, real_test))
    hits, false_alarms = (int(flags.sum()) for flags in taken_for_drawn)
    return (hits + num - false_alarms) / (2 * num)


class Classifier(nn.Module):
    """Three convolutions and a linear layer on the mean of the last map; one logit an image, high for drawn.

    The batch normalisation is what makes so short a training strong: without it, good samples pass.
    """

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width, kernel, stride in ((WIDTH, 4, 2), (2 * WIDTH, 3, 1), (4 * WIDTH, 4, 2)):
            convolution = nn.Conv2d(num_channels, width, kernel, stride, 1, bias=False)
            layers += [convolution, nn.BatchNorm2d(width), nn.ReLU()]
            num_channels = width
        self.convolutions, self.head = nn.Sequential(*layers), nn.Linear(num_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.head(self.convolutions(x).mean((2, 3)))
        return result.squeeze(1)


def trained(drawn: Tensor, real: Tensor, num_steps: int, seed: int) -> nn.Module:
    """A classifier of drawn (N, C, H, W) from as many real images, uint8, in evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(randomness.derive(seed, WEIGHTS))
        classifier = Classifier(drawn.shape[1]).to(memory_format=torch.channels_last)
    optimizer = AdamW(classifier.parameters(), LEARNING_RATE, fused=True)
    size = min(BATCH_SIZE // 2, len(drawn))
    target = torch.cat([torch.ones(size), torch.zeros(size)])
    for step in range(num_steps):
        chosen = randomness.batch_indices(len(drawn), size, seed, step)
        x = to_float(torch.cat([drawn[chosen], real[chosen]])).contiguous(memory_format=torch.channels_last)
        loss = F.binary_cross_entropy_with_logits(classifier(x), target)
        descend(optimizer, loss, LEARNING_RATE * warmup_linear_decay(step, num_steps))
    return classifier.eval()


def best_threshold(drawn: Tensor, real: Tensor) -> Tensor:
    """Where to part logits (N,) of training images: at the 5 %, ... 95 % quantile with the fewest errors.

    It is seldom 0: with its own statistics in place of a batch's, the network's logits are shifted.
    """
    candidates = torch.cat([drawn, real]).quantile(torch.linspace(0.05, 0.95, 19))
    hits, passes = (drawn[:, None] > candidates).double(), (real[:, None] <= candidates).double()
    return candidates[(hits.mean(0) + passes.mean(0)).argmax()]


@torch.inference_mode()
def logits(classifier: nn.Module, pixels: Tensor) -> Tensor:
    """(N, C, H, W) uint8 -> (N,)."""
    return torch.cat([classifier(to_float(batch)) for batch in pixels.split(TEST_BATCH)])
