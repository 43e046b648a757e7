"""A training step without PyTorch's compiler, which is there when asked for."""

import subprocess
import sys

STEP = """
import sys
import torch
from pipeline.runtime import compiler, size

compiler.put_off()
layer = torch.nn.Conv2d(1, 1, 3)
optimizer = torch.optim.AdamW(layer.parameters(), 0.1, fused=True)
assert size.num_flops(lambda: layer(torch.zeros(1, 1, 3, 3))) == 18
layer(torch.ones(1, 1, 3, 3)).sum().backward()
optimizer.step()
optimizer.zero_grad()
optimizer.load_state_dict(optimizer.state_dict())
assert "torch._dynamo.eval_frame" not in sys.modules
"""
LATER = """
doubled = torch.compile(lambda x: 2 * x, backend="eager")
assert doubled(torch.ones(1)) == 2
import torch._dynamo.config
assert torch._dynamo.config.cache_size_limit
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_steps_and_counts_do_not_import_the_compiler() -> None:
    done = run(STEP)
    assert done.returncode == 0, done.stderr


def test_the_compiler_is_there_when_asked_for() -> None:
    done = run(STEP + LATER)
    assert done.returncode == 0, done.stderr
