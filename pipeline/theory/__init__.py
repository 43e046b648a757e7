"""What the theory says exactly, beside what the code and small networks do: in one dimension, every integral
can be taken.

normals.py has the densities, saturation.py and divergence.py the two facts about the losses, discriminator.py
a D that is trained until it nears the best one. bayes.py has the posterior, and pairs.py, regression.py and
duel.py the two networks that are asked for it.
"""
