"""What keeps these tests cheap."""

import pytest
import torch

from model.training import starting


@pytest.fixture(autouse=True)
def few_calibration_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "CALIBRATION_PICTURES", 2)
    torch.set_num_threads(1)
