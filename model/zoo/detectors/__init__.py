"""The one-stage and two-stage detectors of the papers, trained alike and measured alike."""
