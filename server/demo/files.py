"""Made-up files for made-up records: pictures that say so in large letters, a hum, and a line of text."""

import io
import math
import random
import struct
import wave

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 960, 720
TYPES = {"image": "image/jpeg", "audio": "audio/wav", "file": "text/plain"}


def made_up(kind: str, chance: random.Random) -> bytes:
    """Return a file's content; `kind` is image, audio or file."""
    match kind:
        case "image":
            return _picture(chance)
        case "audio":
            return _hum(chance)
        case _:
            return f"demo {chance.getrandbits(64):016x}\n".encode()


def _picture(chance: random.Random) -> bytes:
    """Return a JPEG of hills under a sky with «demo» across it."""
    image = Image.new("RGB", (WIDTH, HEIGHT), (196, 216, 226))
    draw = ImageDraw.Draw(image)
    for layer in range(4):
        base, height = HEIGHT * (0.42 + 0.15 * layer), 90 - 12 * layer
        first, second = chance.uniform(0, 6.3), chance.uniform(0, 6.3)
        ridge = [
            (x, base + height * (math.sin(x / 170 + first) + 0.4 * math.sin(x / 47 + second)))
            for x in range(0, WIDTH + 12, 12)
        ]
        shade = (40 + 26 * layer + chance.randrange(12), 92 + 22 * layer, 60 + 8 * layer)
        draw.polygon([*ridge, (WIDTH, HEIGHT), (0, HEIGHT)], fill=shade)
    text = f"demo {chance.randrange(100_000):05}"
    draw.text((WIDTH / 2, HEIGHT / 4), text, fill=(60, 60, 60), font=ImageFont.load_default(96), anchor="mm")
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=72)
    return kept.getvalue()


def _hum(chance: random.Random) -> bytes:
    rate, pitch = 8000, chance.randrange(200, 400)
    samples = (int(6000 * math.sin(2 * math.pi * pitch * step / rate)) for step in range(rate))
    kept = io.BytesIO()
    with wave.open(kept, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return kept.getvalue()
