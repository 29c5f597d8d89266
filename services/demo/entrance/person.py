"""A visitor's head, put together; pure."""

from services.demo.entrance.cloud import Cloud
from services.demo.entrance.face import skull
from services.demo.entrance.hair import around_the_face
from services.demo.entrance.looks import Look, Wear
from services.demo.entrance.masks import mask


def head_cloud(look: Look) -> Cloud:
    """The head with hair, glasses, hat and mask."""
    parts = [skull(look), *around_the_face(look)]
    if look.wear is not Wear.NONE:
        parts.append(mask(look))
    return Cloud.joined(parts)
