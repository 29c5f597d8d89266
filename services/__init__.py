"""Sightline's services: from a camera to a count."""

import os

# Nothing leaves the machine: ONNX Runtime tells its makers of each start and model, under a number that it
# gives the machine. This has to be set before it is loaded.
os.environ.update(ORT_DISABLE_TELEMETRY="1")
