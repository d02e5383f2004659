"""Made-up households of which some were recorded twice, with the truth about which: what finding is measured on.

Villages are as close, names as few and telephones as shared as they are in the uplands: a quarter of the people of a
village have one family name, brothers build beside each other, a telephone is a neighbour's. What a second worker
writes differs as second records do: without diacritics, with a letter mistyped, without the middle name, the wife named
instead of the husband, another year of birth, another telephone, GPS tens of metres off. None of them exist.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from sync.matching.duplicates import Identifier
from sync.matching.text_normalisation import fold

VILLAGE_HOUSEHOLDS = 80
#: Of all households, how many were recorded twice.
TWICE = 0.03

_FAMILIES = """Lò Quàng Lường Cà Tòng Vàng Giàng Sùng Mùa Hạng Thào Ly Lầu Chớ Vừ Nguyễn Trần Phạm Phàn Tẩn
Khoàng Pờ"""
_MIDDLES = "A Văn Thị Minh Xuân Thanh Chờ Nhìa Bả Dúa Khua Pà"
_GIVEN = """Páo Dế Sơn Phong Chớ Tuấn Thanh Lử Ình Bình Quân Hùng Hoa Mai Dợ Say Pà Liên Thu Xuân Nhung Mỷ Chía Hương
Của Dơ Nếnh Sáu Súa Tủa Vàng Xá Ban Biên Chiến Chung Cương Dung Dũng Giang Hà Hải Hạnh Hiền Hiệp Inh Kháng Kiên Lan
Lâm Lả Lềnh Linh Long Lợi Minh Muôn Nam Nga Ngọc Phương Pó Pủa Sình Sử Tâm Thào Thắng Thoan Thơm Tính Tom Tươi Và Việt
Xôm Yên"""
FAMILIES, MIDDLES, GIVEN = _FAMILIES.split(), _MIDDLES.split(), _GIVEN.split()


@dataclass(frozen=True, slots=True)
class Household:
    """What is true of a household, and where its house stands."""

    name: str
    wife: str
    birth_year: int
    phone: str
    dwelling: str
    latitude: float
    longitude: float


Told = dict[Identifier, str]


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """What records tell, by id in the order of arrival, and the pairs among them that are of one household."""

    records: tuple[tuple[str, Told], ...]
    truth: frozenset[tuple[str, str]]


def labelled_set(households: int, seed: int = 1) -> LabelledSet:
    """Return the records of this many households of one area, always the same for a seed."""
    chance = random.Random(seed)
    records: list[tuple[str, Told]] = []
    truth: set[tuple[str, str]] = set()
    for village in range(0, households, VILLAGE_HOUSEHOLDS):
        for household in _village(chance, min(VILLAGE_HOUSEHOLDS, households - village)):
            first = f"{len(records):08}"
            records.append((first, _recorded(chance, household, careless=0.1)))
            if chance.random() < TWICE:
                again = f"{len(records):08}"
                records.append((again, _recorded(chance, household, careless=0.45)))
                truth.add((first, again))
    chance.shuffle(records)
    return LabelledSet(tuple(records), frozenset(truth))


def _village(chance: random.Random, size: int) -> list[Household]:
    latitude, longitude = chance.uniform(20.9, 22.5), chance.uniform(102.2, 103.6)
    clans = chance.sample(FAMILIES, 4)
    houses: list[Household] = []
    for number in range(size):
        family = chance.choices(clans, (5, 3, 2, 1))[0]
        house = Household(
            f"{family} {chance.choice(MIDDLES)} {chance.choice(GIVEN)}",
            f"{chance.choice(FAMILIES)} Thị {chance.choice(GIVEN)}",
            chance.randint(1945, 2003),
            f"0{chance.choice('35789')}{chance.randrange(10**8):08}" if chance.random() < 0.7 else "",
            f"{chance.randrange(10**5):05}-{number:03}" if chance.random() < 0.3 else "",
            latitude + chance.gauss(0, 0.0018),
            longitude + chance.gauss(0, 0.0018),
        )
        if houses and chance.random() < 0.12:
            house = _beside(chance, house, houses[-1])
        houses.append(house)
    return houses


def _beside(chance: random.Random, house: Household, neighbour: Household) -> Household:
    """Return the house of a brother: the family's name, the next yard, sometimes the same telephone."""
    family, middle, _ = neighbour.name.split()
    return replace(
        house,
        name=f"{family} {middle} {chance.choice(GIVEN)}",
        birth_year=neighbour.birth_year + chance.randint(-6, 6),
        phone=neighbour.phone if chance.random() < 0.3 else house.phone,
        latitude=neighbour.latitude + chance.gauss(0, 0.0002),
        longitude=neighbour.longitude + chance.gauss(0, 0.0002),
    )


def _recorded(chance: random.Random, of: Household, *, careless: float) -> Told:
    def slips() -> bool:
        return chance.random() < careless

    return {
        "name": _misheard(chance, of, slips),
        "birth_year": "" if slips() and slips() else str(of.birth_year + (chance.choice((-1, 1, 5)) if slips() else 0)),
        "phone": "" if slips() else of.phone.replace("0", "+84", 1) if slips() else of.phone,
        "dwelling": "" if slips() else of.dwelling,
        "place": " ".join(str(degrees + chance.gauss(0, 0.00015)) for degrees in (of.latitude, of.longitude)),
    }


def _misheard(chance: random.Random, of: Household, slips: Callable[[], bool]) -> str:
    name = of.name
    roll = chance.random()
    if not slips():
        return name
    if roll < 0.35:
        return fold(name)
    if roll < 0.55:
        family, _, given = name.split()
        return f"{family} {given}"
    if roll < 0.75:
        return of.wife
    at = chance.randrange(1, len(name) - 1)
    return name[:at] + chance.choice("aeiounhg") + name[at + 1 :]
