"""Names and sentences for made-up records; every one says that it is made up."""

import random

FAMILIES = (
    "Lò",
    "Quàng",
    "Lường",
    "Cà",
    "Tòng",
    "Vàng",
    "Giàng",
    "Sùng",
    "Mùa",
    "Hạng",
    "Thào",
    "Nguyễn",
    "Trần",
    "Phàn",
)
WOMEN = ("Hoa", "Mai", "Dợ", "Say", "Pà", "Liên", "Thu", "Xuân", "Nhung", "Mỷ", "Chía", "Hương")
MEN = ("Hùng", "Páo", "Dế", "Sơn", "Phong", "Chớ", "Tuấn", "Thanh", "Lử", "Ình", "Bình", "Quân")
VILLAGES = (
    "Bản Nà Lốm",
    "Bản Huổi Hạ",
    "Bản Pú Tửu",
    "Bản Nậm Pố",
    "Bản Háng Sua",
    "Bản Tả Cơ",
    "Bản Na Sản",
    "Bản Hồng Ngài",
    "Thôn Trung Tâm",
    "Bản Huổi Po",
    "Bản Xà Phình",
    "Bản Nậm Khăn",
)
REMARKS = (
    "Đường vào bản khó đi khi mưa",
    "Cần cán bộ ghé lại sau vụ thu hoạch",
    "Gia đình đề nghị hỗ trợ giống",
    "Khu vực có sóng điện thoại yếu",
    "Đã đối chiếu với trưởng bản",
)


def person(chance: random.Random) -> str:
    """Return a person's name, marked."""
    is_woman = chance.random() < 0.5
    given = chance.choice(WOMEN if is_woman else MEN)
    return f"{chance.choice(FAMILIES)} {'Thị' if is_woman else 'Văn'} {given} (demo)"


def village(chance: random.Random) -> str:
    """Return a village's name, marked."""
    return f"{chance.choice(VILLAGES)} (demo)"


def place(chance: random.Random) -> str:
    """Return what a site, a house for guests or a product may be called, marked."""
    return f"{chance.choice(VILLAGES).partition(' ')[2]} {chance.randrange(1, 30)} (demo)"


def remark(chance: random.Random) -> str:
    """Return a remark, marked."""
    return f"{chance.choice(REMARKS)} (demo)"
