"""Draw the app's icons as PNG from the same shapes as public/icons/icon.svg: a sun over terraced fields.

Run once after changing the drawing: `python pwa/scripts/icons.py`. The files are committed, so that a build needs no Python.
"""

import math
from pathlib import Path

from PIL import Image, ImageDraw

ICONS = Path(__file__).parent.parent / "public" / "icons"
SKY, SUN = "#1d4a37", "#e0a526"
#: Each terrace: colour, height of its left edge, its crest and its right edge, in 512ths.
TERRACES = (
    ("#3f8466", 300, 262, 236),
    ("#dcebe2", 366, 330, 316),
    ("#e0a526", 424, 394, 386),
    ("#1d4a37", 474, 448, 446),
)
OVERSAMPLING = 4


def draw(size: int, *, is_maskable: bool) -> Image.Image:
    """Return the icon; a maskable one fills its square, with everything that matters inside the safe circle."""
    side = size * OVERSAMPLING
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    brush = ImageDraw.Draw(image)
    unit = side / 512
    if is_maskable:
        brush.rectangle((0, 0, side, side), fill=SKY)
    else:
        brush.rounded_rectangle((0, 0, side - 1, side - 1), 96 * unit, fill=SKY)
    brush.ellipse([unit * edge for edge in (198, 110, 314, 226)], fill=SUN)
    for colour, left, middle, right in TERRACES:
        crest = [
            (x * unit, unit * (left + (right - left) * x / 512 + (middle - (left + right) / 2) * math.sin(x / 512 * 2 * math.pi)))
            for x in range(0, 513, 8)
        ]
        brush.polygon([*crest, (side, side), (0, side)], fill=colour)
    if not is_maskable:
        corners = Image.new("L", (side, side), 0)
        ImageDraw.Draw(corners).rounded_rectangle((0, 0, side - 1, side - 1), 96 * unit, fill=255)
        image.putalpha(corners)
    return image.resize((size, size), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    draw(192, is_maskable=False).save(ICONS / "icon-192.png", optimize=True)
    draw(512, is_maskable=False).save(ICONS / "icon-512.png", optimize=True)
    draw(512, is_maskable=True).save(ICONS / "icon-maskable-512.png", optimize=True)
