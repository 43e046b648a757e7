"""The library, one line a room; a room imports only from itself and those above it (tests/test_layout.py).

    kernels     operations on maps in fewer passes over memory, in C
    runtime     errors, params.yaml, files, randomness, compute, several processes, fingerprints
    data        raw files -> prepared data sets
    tasks       a data set -> questions: conditions, and the images that answer them
    networks    the networks, by name
    sampling    a trained network -> images; weights on disk
    methods     how a network learns: losses, steps, stabilisers
    training    the loop around a step, its checkpoints
    metrics     is it the same distribution?
    theory      what is known exactly, beside what small networks learn
    tracking    MLflow: runs, and models to be served; nothing else imports it
    report      the page and its figures
    play        the playground: a server on this machine, its page, and one that is recorded

Stages (../stages) are the commands; they import the library, and nothing imports them.
"""
