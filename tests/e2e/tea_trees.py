"""Ancient Shan tea trees of Sín Chải, as a field worker measures them: answers to the form `shan_tea_tree`."""

from tests.e2e.filling import Answer, Here, Photo, Today, pick

FORM = "shan_tea_tree"


def tea_tree(number: int, height_m: str = "7,4") -> dict[str, Answer]:
    """Return the answers about tree `number`, in the form's order."""
    return {
        "survey_date": Today(),
        "commune": pick("03226", search="sin chai"),
        "former_commune": pick("c03226"),
        "village": "Hấu Chua",
        "consent": pick("yes"),
        "consent_method": pick("spoken"),
        "tree_code": f"SC-{number:04d}",
        "keeper_name": "Sùng A Chớ",
        "is_heritage": pick("no"),
        "tree_point": Here(),
        "height_m": height_m,
        "canopy_ns_m": "5.2",
        "canopy_ew_m": "4.8",
        "base_girth_cm": "168",
        "age_class": pick("100_200"),
        "stem_girth_cm": "92",
        "stem_state": pick("sound"),
        "vigour": pick("strong"),
        "damages": pick("moss", "borers"),
        "sprayed": pick("no"),
        "is_picked": pick("no"),
        "photo_whole": Photo(number * 2),
        "photo_trunk": Photo(number * 2 + 1),
    }
