"""The people of the demo province: every role, labelled, all with one password that is printed.

Three people of Sín Chải work beside each other, so that two phones meet on one record.
"""

from dataclasses import dataclass

from server.areas.grants import EVERY_PROJECT, PROVINCE, Grant

#: Printed at every start: a demo has no secrets.
PASSWORD = "nuong-demo-2026"  # noqa: S105

SIN_CHAI = "03226-2025"
DIEN_BIEN_PHU = "03127-2025"
MUONG_LAY = "03151-2025"
SIN_THAU = "03158-2025"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody made up; `about` says in Vietnamese and English what they do."""

    username: str
    name: str
    about: str
    grants: tuple[Grant, ...]
    birth_year: int


def _works(project: str, *units: str) -> tuple[Grant, ...]:
    return tuple(Grant("field_worker", project, unit) for unit in units)


PEOPLE = (
    DemoPerson("hoa", "Lò Thị Hoa (demo)", "cán bộ nông lâm Sín Chải / field worker", _works("agri", SIN_CHAI), 1994),
    DemoPerson("pao", "Giàng A Páo (demo)", "cán bộ nông lâm Sín Chải / field worker", _works("agri", SIN_CHAI), 1990),
    DemoPerson(
        "mai",
        "Quàng Thị Mai (demo)",
        "cán bộ nông lâm Sín Thầu, Mường Lay / field worker",
        _works("agri", SIN_THAU, MUONG_LAY),
        1997,
    ),
    DemoPerson(
        "binh",
        "Nguyễn Văn Bình (demo)",
        "cán bộ du lịch Điện Biên Phủ, Sín Chải / field worker",
        _works("tourism", DIEN_BIEN_PHU, SIN_CHAI),
        1988,
    ),
    DemoPerson(
        "son",
        "Lường Văn Sơn (demo)",
        "phụ trách duyệt nông lâm / supervisor",
        (Grant("supervisor", "agri", PROVINCE),),
        1979,
    ),
    DemoPerson(
        "lan",
        "Trần Thị Lan (demo)",
        "phụ trách duyệt du lịch / supervisor",
        (Grant("supervisor", "tourism", PROVINCE),),
        1982,
    ),
    DemoPerson(
        "quan",
        "Cà Văn Quân (demo)",
        "quản lý dữ liệu / data manager",
        (Grant("data_manager", EVERY_PROJECT, PROVINCE),),
        1985,
    ),
    DemoPerson(
        "admin",
        "Vàng Thị Dợ (demo)",
        "quản trị / administrator",
        (Grant("administrator", EVERY_PROJECT, PROVINCE),),
        1981,
    ),
)

FIELD_WORKERS = tuple(person for person in PEOPLE if any(grant.role == "field_worker" for grant in person.grants))
SUPERVISORS = tuple(person for person in PEOPLE if any(grant.role == "supervisor" for grant in person.grants))

#: Which project each form of `forms/` belongs to.
FORM_PROJECTS = {
    "household_crop": "agri",
    "forest_plot": "agri",
    "rubber_contribution": "agri",
    "shan_tea_tree": "agri",
    "disease_report": "agri",
    "homestay_ocop": "tourism",
    "heritage_site": "tourism",
}
