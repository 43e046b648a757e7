"""The library, in reading order; a module imports only from what stands above it (tests/test_layout.py checks
that).

    errors        the exception that means: the user can mend this
    params        one section of params.yaml -> a typed, frozen object
    randomness    every random number is a function of (seed, purpose, step)
    files         files that appear whole or not at all; one writer at a time; hashes
    compute       threads, precision, and the settings that make the processor fast and repeatable
    images        [-1, 1] in memory, uint8 on disk; grids
    progress      the bar
    size          parameters and operations of a network
    idx           the file format of MNIST
    penguins      a table of animals -> flipper lengths
    sources       wheel | mirror | folder -> raw files, hash-checked
    digits        the prepared digits, as tensors
    preparation   raw files -> prepared digits, split
    stacked       three digits as the channels of one picture: a thousand modes
    conditions    what a conditional model is told
    clusters      hidden classes, by k-means
    networks      generators and discriminators, by name
    judge         the classifier whose features FID is taken in
    losses        adversarial losses: pure functions of logits
    penalties     on the discriminator's slope, on weights
    augmentation  of all that a discriminator sees
    weights       networks on disk
    sampling      generators -> images
    toys          points from mixtures of which every mode is known
    training      steps (adversarial, regression, classifier), the loop around them, checkpoints
    theory        what can be known exactly, beside what small networks learn
    metrics       is it the same distribution?
    figures       numbers and images -> pictures
    figures_toys  clouds of points over what a discriminator makes of the plane
    figures_theory  what is known exactly, and what networks make of it
    report        the page
    tracking      the only package that imports MLflow

Stages (../stages) are the commands; they import the library, and nothing imports them.
"""

LAYERS = (
    "errors",
    "params",
    "randomness",
    "files",
    "compute",
    "images",
    "progress",
    "size",
    "idx",
    "penguins",
    "sources",
    "digits",
    "preparation",
    "stacked",
    "conditions",
    "clusters",
    "networks",
    "judge",
    "losses",
    "penalties",
    "augmentation",
    "weights",
    "sampling",
    "toys",
    "training",
    "theory",
    "metrics",
    "figures",
    "figures_toys",
    "figures_theory",
    "report",
    "tracking",
)
