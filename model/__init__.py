"""The project's own detector: its network, training, evaluation and export."""

import os

# Idle OpenMP threads sleep instead of spinning, so a training leaves a shared machine usable. It has
# to be set before torch loads its OpenMP runtime.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Nothing leaves the machine: see `services`.
os.environ.update(ORT_DISABLE_TELEMETRY="1")
