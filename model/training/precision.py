"""Whether a device computes in bfloat16 itself; where it does not, training in it is many times slower."""

import torch


def computes_bf16(device: torch.device) -> bool:
    """Whether the device's own instructions multiply in bfloat16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return any(has for name, has in torch.cpu.get_capabilities().items() if name.endswith("bf16"))
