"""What Ultralytics reads when it is imported: with these settings it keeps to itself."""

import os
import sys
from pathlib import Path

SETTINGS_FOLDER = "settings"


def keep_to_itself() -> None:
    """Keep Ultralytics' settings in its environment, and let it install, download and report nothing.

    A variable that a person has set stays as it is.
    """
    os.environ.setdefault("YOLO_CONFIG_DIR", str(Path(sys.prefix) / SETTINGS_FOLDER))
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_OFFLINE", "true")
