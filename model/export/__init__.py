"""ONNX files: written from a checkpoint, and read again as the start of a training."""
