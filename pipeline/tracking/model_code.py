"""The code of every registered model: MLflow keeps a copy of this file beside the weights and runs it to load
them. What it imports is the installed package.
"""

from pipeline.tracking.served import announce

announce()
