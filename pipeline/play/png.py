"""Images as PNG files, which keep every pixel."""

import base64
from io import BytesIO

from PIL import Image
from torch import Tensor


def png(image: Tensor) -> bytes:
    """The file of one image in RGB or grey, (3 or 1, H, W) uint8."""
    pixels, buffer = image.permute(1, 2, 0).contiguous().numpy(), BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def uri(image: Tensor) -> str:
    """The same as a page takes it."""
    return f"data:image/png;base64,{base64.b64encode(png(image)).decode()}"


def uris(images: Tensor) -> list[str]:
    """Of images (N, 3 or 1, H, W) uint8."""
    return [uri(image) for image in images]
