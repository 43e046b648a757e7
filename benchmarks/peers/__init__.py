"""Public implementations beside ours, each run as its authors wrote it, from clones that the user makes.

    python -m benchmarks.peers CLONES     -> benchmarks/peers.csv and the tables of benchmarks/peers.md

A peer's program runs in a process of its own. Between two of its steps, when it asks its DataLoader for the
next batch, it is visited: its images are counted, its weights copied, its samples drawn, out of the program's
own variables (program.py, visits.py). Ours are visited in the same way, between two steps of the loop that
stages train in.

    peer        what is known of each program, and how to run it and draw from it
    program     another's script or notebook, run unmodified and visited
    visits      what is done between steps: rates, snapshots, samples
    judge       FID, errors, and what real images score in their place
    inputs      our data in the files that others read
    entrants    who takes part: a module for each of them, and ours
    processes   programs in turns, or side by side on cores of their own
    rows        what was measured: a table that is added to
    page        the tables that are made of it
"""
