"""Who takes part, theirs with ours beside them."""

from benchmarks.peers import ours, pix2pix, pytorch_examples, pytorch_gan, smalldiffusion, torchcfm
from benchmarks.peers.peer import Peer

IN_ORDER = (
    pytorch_gan.PEER,
    pytorch_examples.PEER,
    ours.DCGAN,
    *pix2pix.PEERS,
    ours.SKETCH,
    torchcfm.PEER,
    smalldiffusion.PEER,
    ours.FLOW,
    *ours.LIMITS,
)
PEERS: dict[str, Peer] = {peer.name: peer for peer in IN_ORDER}
