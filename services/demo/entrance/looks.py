"""How one visitor looks: skin, hair, clothes and how a mask is worn; pure, from the seed."""

import random
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from services.demo.entrance.cloud import Colour
from services.demo.entrance.head import HeadShape

SKINS: tuple[Colour, ...] = (
    (172, 196, 232),
    (150, 182, 224),
    (125, 162, 212),
    (104, 142, 192),
    (84, 118, 166),
    (62, 90, 134),
    (46, 66, 102),
)
HAIRS: tuple[Colour, ...] = (
    (28, 26, 26),
    (32, 38, 48),
    (36, 56, 84),
    (66, 108, 150),
    (120, 160, 190),
    (150, 152, 154),
)
EYES: tuple[Colour, ...] = ((35, 45, 70), (30, 38, 55), (120, 100, 70), (80, 105, 85))
CLOTHES: tuple[Colour, ...] = (
    (62, 52, 46),
    (52, 48, 140),
    (130, 84, 44),
    (205, 205, 205),
    (74, 108, 72),
    (70, 150, 190),
    (104, 66, 104),
    (42, 42, 46),
    (150, 140, 122),
    (96, 96, 100),
)
TROUSERS: tuple[Colour, ...] = ((92, 64, 44), (48, 44, 42), (34, 34, 36), (112, 118, 124), (84, 100, 120))


class Wear(Enum):
    """How a mask is worn."""

    NONE = "no_mask"
    RIGHT = "mask"
    NOSE_FREE = "mask_incorrect, under the nose"
    UNDER_CHIN = "mask_incorrect, under the chin"

    @property
    def class_name(self) -> str:
        """The class of a face that wears it so."""
        return self.value.partition(",")[0]


@dataclass(frozen=True)
class Fabric:
    """What a mask is made of: its colour, the colour of its pattern or border, folds, and a beak."""

    colour: Colour
    second: Colour
    kind: Literal["surgical", "respirator", "cloth", "striped", "dotted"]


FABRICS: tuple[Fabric, ...] = (
    Fabric((212, 186, 134), (236, 232, 224), "surgical"),
    Fabric((222, 200, 160), (238, 236, 230), "surgical"),
    Fabric((190, 205, 170), (232, 236, 228), "surgical"),
    Fabric((232, 232, 230), (240, 240, 240), "surgical"),
    Fabric((52, 50, 50), (70, 68, 68), "surgical"),
    Fabric((236, 236, 236), (205, 208, 210), "respirator"),
    Fabric((48, 48, 50), (70, 70, 72), "respirator"),
    Fabric((44, 42, 44), (44, 42, 44), "cloth"),
    Fabric((104, 64, 42), (104, 64, 42), "cloth"),
    Fabric((72, 70, 160), (72, 70, 160), "cloth"),
    Fabric((96, 120, 84), (96, 120, 84), "cloth"),
    Fabric((188, 170, 206), (188, 170, 206), "cloth"),
    Fabric((196, 196, 200), (96, 70, 50), "striped"),
    Fabric((110, 74, 46), (214, 214, 216), "dotted"),
)


@dataclass(frozen=True)
class VisitorLook:
    """One visitor."""

    seed: int
    height_m: float
    shape: HeadShape
    skin: Colour
    hair: Colour
    eyes: Colour
    hair_style: Literal["short", "long", "bald", "bun"]
    beard: Literal["none", "stubble", "full"]
    glasses: Literal["none", "thin", "thick"]
    hat: Literal["none", "cap", "beanie", "helmet"]
    hat_colour: Colour
    top: Colour
    under: Colour
    is_jacket: bool
    trousers: Colour
    bag: Colour | None
    wear: Wear
    fabric: Fabric

    @classmethod
    def draw(cls, seed: int, wear: Wear) -> "VisitorLook":
        """A random person who wears a mask as asked for."""
        rng = random.Random(f"sightline-visitor-{seed}")
        is_man = rng.random() < 0.5
        style = rng.choice(
            ("short", "short", "short", "bald") if is_man else ("long", "long", "bun", "short")
        )
        return cls(
            seed=seed,
            height_m=rng.uniform(1.66, 1.84) if is_man else rng.uniform(1.58, 1.74),
            shape=_shape(rng, is_man),
            skin=_varied(rng, rng.choice(SKINS), 0.06),
            hair=_varied(rng, rng.choice(HAIRS), 0.15),
            eyes=rng.choice(EYES),
            hair_style=style,  # type: ignore[arg-type]  # one of its styles
            beard=rng.choice(("none", "none", "stubble", "full")) if is_man else "none",
            glasses=rng.choice(("none", "none", "none", "thin", "thick")),
            hat=rng.choice(("none",) * 6 + ("cap", "beanie", "helmet")),
            hat_colour=rng.choice(CLOTHES),
            top=_varied(rng, rng.choice(CLOTHES), 0.1),
            under=rng.choice(CLOTHES),
            is_jacket=rng.random() < 0.5,
            trousers=rng.choice(TROUSERS),
            bag=rng.choice(CLOTHES) if rng.random() < 0.3 else None,
            wear=wear,
            fabric=rng.choice(FABRICS),
        )


def _shape(rng: random.Random, is_man: bool) -> HeadShape:
    return HeadShape(
        width=rng.uniform(0.94, 1.05),
        jaw=rng.uniform(0.97, 1.08) if is_man else rng.uniform(0.9, 1.0),
        nose=rng.uniform(0.75, 1.3),
        nose_width=rng.uniform(0.85, 1.35),
        lips=rng.uniform(0.6, 1.5),
        eyes=rng.uniform(0.9, 1.15),
        brows=rng.uniform(0.9, 1.4) if is_man else rng.uniform(0.6, 1.0),
    )


def _varied(rng: random.Random, colour: Colour, share: float) -> Colour:
    factor = rng.uniform(1 - share, 1 + share)
    return min(255.0, colour[0] * factor), min(255.0, colour[1] * factor), min(255.0, colour[2] * factor)
