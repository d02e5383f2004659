"""Thumbnails, made within a cap on pixels: draft → exif_transpose → thumbnail → WebP.

`draft` lets the JPEG decoder scale while it decodes, which costs a tenth of decoding whole; turning comes before
scaling, because phones keep photos lying on their side and say so in EXIF.
"""

import io
import warnings
from pathlib import Path

from PIL import Image, ImageOps

THUMBNAIL_PIXELS = 320
MAX_PIXELS = 60_000_000
#: Only decoders that photos need: every further one is a door.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


def thumbnail(path: Path) -> bytes | None:
    """Return a WebP that fits in 320 × 320, or None where the file is no image that can be opened."""
    try:
        with warnings.catch_warnings():
            # Our own cap decides about size.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    return None
                image.draft("RGB", (THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
                upright = ImageOps.exif_transpose(image)
                upright.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
                kept = io.BytesIO()
                upright.convert("RGBA" if "A" in upright.getbands() else "RGB").save(kept, "WEBP", quality=75, method=4)
                return kept.getvalue()
    # Pillow's decoders raise all of these on hostile or torn files.
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, Image.DecompressionBombError):
        return None
