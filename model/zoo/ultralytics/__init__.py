"""Ultralytics beside us: GB-YOLO as its model definitions, and its detectors as rows of a table.

Ultralytics is AGPL-3.0 and lives in an environment of its own (`scripts/setup.sh --ultralytics`). Only
`plugin`, `__main__` and `program` import it, and only programs of that environment import them.
"""
