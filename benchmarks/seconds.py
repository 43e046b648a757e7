"""The seconds that each stage took last, as MLflow knows them, to benchmarks/seconds.json: what `make repro`
orders stages by in a fresh clone.
"""

import json

from pipeline.tracking import runs
from stages.repro import SECONDS, plan

if __name__ == "__main__":
    graph, _ = plan()
    known = sorted(runs.stage_seconds().items())
    seconds = {stage: round(times["seconds"], 1) for stage, times in known if stage in graph}
    SECONDS.write_text(json.dumps(seconds, indent=2) + "\n", "utf-8")
