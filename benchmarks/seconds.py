"""The seconds that each stage took last, as MLflow knows them, to benchmarks/seconds.json: what `make repro`
orders stages by in a fresh clone.
"""

import json

from pipeline.tracking import runs
from stages.repro import SECONDS

if __name__ == "__main__":
    seconds = {stage: round(times["seconds"], 1) for stage, times in sorted(runs.stage_seconds().items())}
    SECONDS.write_text(json.dumps(seconds, indent=2) + "\n")
