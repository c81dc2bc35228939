"""Letters for the map: Pillow's own font, and for what it cannot write one of the machine's, if that can. Never boxes instead of letters."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from PIL import ImageFont

# With letters beyond English, and with Chinese ones: Linux (DejaVu, Noto, WenQuanYi, Source Han), Windows, macOS. Pillow looks in the
# system's font folders.
SYSTEM_FONTS = (
    "DejaVuSans.ttf",
    "LiberationSans-Regular.ttf",
    "arial.ttf",
    "Arial.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansSC-Regular.otf",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC[wght].ttf",
    "SourceHanSansSC-Regular.otf",
    "SourceHanSansCN-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "msyh.ttc",
    "simhei.ttf",
    "simsun.ttc",
    "PingFang.ttc",
    "STHeiti Light.ttc",
    "Hiragino Sans GB.ttc",
    "Arial Unicode.ttf",
)
CHINESE = "哈尔滨"
_MISSING = "\U0010fffd"
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Written(NamedTuple):
    """A text, and a font that has all its letters."""

    text: str
    font: Font


@cache
def built_in(size: int) -> Font:
    """Pillow's own font."""
    return ImageFont.load_default(size)


@cache
def font_for(text: str, size: int, names: tuple[str, ...] = SYSTEM_FONTS) -> Font | None:
    """The built-in font, or the first of this machine's `names` that has every letter of the text; None if there is none."""
    if writes(built_in(size), text):
        return built_in(size)
    return next((font for font in _there(size, names) if writes(font, text)), None)


def written(text: str, size: int) -> Written:
    """The text as this machine can write it: a question mark for every letter that none of its fonts has."""
    font = font_for(text, size)
    if font is not None:
        return Written(text, font)
    plain = built_in(size)
    return Written("".join(letter if writes(plain, letter) else "?" for letter in text), plain)


def writes(font: Font, text: str) -> bool:
    """Whether the font has every letter of the text: none looks like the sign for a missing one."""
    missing = _look(font, _MISSING)
    return all(_look(font, letter) != missing for letter in text if not letter.isspace())


@cache
def _look(font: Font, letter: str) -> bytes:
    return bytes(font.getmask(letter))


@cache
def _there(size: int, names: tuple[str, ...]) -> tuple[Font, ...]:
    """Those of the fonts that this machine has."""
    found: list[Font] = []
    for name in names:
        try:
            found.append(ImageFont.truetype(name, size))
        except OSError:
            continue
    return tuple(found)
