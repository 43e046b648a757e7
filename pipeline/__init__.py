"""The library, in reading order; a module imports only from what stands above it (tests/test_layout.py checks
that).

    errors        the exception that means: the user can mend this
    params        one section of params.yaml -> a typed, frozen object
    randomness    every random number is a function of (seed, purpose, step)
    files         files that appear whole or not at all; one writer at a time; hashes
    compute       threads, precision, and the settings that make the processor fast and repeatable
    images        [-1, 1] in memory, uint8 on disk; grids
    progress      the bar
    idx           the file format of MNIST
    sources       wheel | mirror | folder -> raw files, hash-checked
    digits        the prepared digits, as tensors
    preparation   raw files -> prepared digits, split
    conditions    what a conditional model is told
    networks      generators and discriminators, by name
    judge         the classifier whose features FID is taken in
    losses        adversarial losses: pure functions of logits
    weights       networks on disk
    sampling      generators -> images
    training      steps (adversarial, regression, classifier), the loop around them, checkpoints
    metrics       is it the same distribution?
    figures       numbers and images -> pictures
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
    "idx",
    "sources",
    "digits",
    "preparation",
    "conditions",
    "networks",
    "judge",
    "losses",
    "weights",
    "sampling",
    "training",
    "metrics",
    "figures",
    "report",
    "tracking",
)
