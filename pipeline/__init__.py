"""The library, in reading order; a module imports only from what stands above it (tests/test_layout.py checks
that).

    errors        the exception that means: the user can mend this
    params        one section of params.yaml -> a typed, frozen object
    randomness    every random number is a function of (seed, purpose, step)
    files         files that appear whole or not at all; one writer at a time; hashes
    own_files     what the user keeps must lie where no stage writes
    imports       which of the project's files a stage runs
    compute       device, threads, precision, and the settings that make them fast and repeatable
    parallel      several processes that share a training
    images        [-1, 1] in memory, uint8 on disk; grids
    progress      the bar
    size          parameters and operations of a network
    idx           the file format of MNIST
    openmoji      a drawing as SVG -> its picture and its layers
    pairs         the user's own paired images
    captions      text -> rows of word numbers
    penguins      a table of animals -> flipper lengths
    sources       wheel | mirror | folder -> raw files, hash-checked
    digits        the prepared digits, as tensors
    preparation   raw files -> prepared digits, split
    drawings      the prepared drawings, as tensors
    drawing_preparation  raw drawings -> prepared ones, split by base drawing
    stacked       three digits as the channels of one picture: a thousand modes
    conditions    what a conditional model is told
    tasks         drawings -> conditions with pictures, one function a task
    clusters      hidden classes, by k-means
    gradients     of pictures, and of slopes, for less
    networks      generators and discriminators, by name
    judge         the classifier whose features FID is taken in
    observer      the same for drawings, trained without labels
    losses        adversarial losses: pure functions of logits
    reconstruction  how near draws are to the truth, and how far from each other
    penalties     on the discriminator's slope, on weights
    augmentation  of all that a discriminator sees
    weights       networks on disk
    sampling      generators -> images
    toys          points from mixtures of which every mode is known
    training      steps (adversarial, regression, classifier), the loop around them, checkpoints
    theory        what can be known exactly, beside what small networks learn
    metrics       is it the same distribution?
    figures       numbers and images -> pictures
    figures_images  pictures drawn for conditions, in rows; calibration
    figures_tones  six right answers, and where samples fall among them
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
    "own_files",
    "imports",
    "compute",
    "parallel",
    "images",
    "progress",
    "size",
    "idx",
    "openmoji",
    "pairs",
    "captions",
    "penguins",
    "sources",
    "digits",
    "preparation",
    "drawings",
    "drawing_preparation",
    "stacked",
    "conditions",
    "tasks",
    "clusters",
    "gradients",
    "networks",
    "judge",
    "observer",
    "losses",
    "reconstruction",
    "penalties",
    "augmentation",
    "weights",
    "sampling",
    "toys",
    "training",
    "theory",
    "metrics",
    "figures",
    "figures_images",
    "figures_tones",
    "figures_toys",
    "figures_theory",
    "report",
    "tracking",
)
