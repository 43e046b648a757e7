"""The networks, by name. Each module has a `Generator` and a `Discriminator` of one signature:

    Generator(num_latents, num_conditions, width, image_shape)    (z, c) -> x
    Discriminator(num_conditions, width, image_shape)             (x, c) -> logits

with latents z (N, Z), condition c (N, K), images x (N, C, H, W) in [-1, 1], logits (N,). Z = 0 makes the
generator a regression network; made for K = 0, either is unconditional, and a discriminator then ignores any
c it is given.
"""

from types import ModuleType

from pipeline.networks import dcgan, mlp

NETWORKS: dict[str, ModuleType] = {"mlp": mlp, "dcgan": dcgan}
