"""The people and forms of the end-to-end tests, made through the commands that an operator would use."""

from dataclasses import dataclass

from tests.e2e.live_server import ROOT, LiveServer

PASSWORD = "mua-gat-thang-muoi"
FORMS = {
    "agri": ("household_crop", "forest_plot", "rubber_contribution", "shan_tea_tree", "disease_report"),
    "tourism": ("homestay_ocop", "heritage_site"),
}


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who signs in."""

    username: str
    name: str
    role: str
    project: str
    unit: str
    locale: str = "vi"


WORKER = Member("pao", "Mùa A Páo", "field_worker", "agri", "03226")
SUPERVISOR = Member("ban", "Lò Thị Ban", "supervisor", "agri", "11")
ADMINISTRATOR = Member("thanh", "Nguyễn Văn Thành", "administrator", "*", "11")
EVERYBODY = (WORKER, SUPERVISOR, ADMINISTRATOR)

#: Where the worker's records go.
SCOPE = "agri-03226-2025"


def seed(server: LiveServer) -> None:
    """Migrate the server's database, add everybody and publish every form of the demo."""
    server.run("migrate")
    for member in EVERYBODY:
        add(server, member)
    publishing = [
        ("form", "publish", str(ROOT / f"server/demo/forms/{form}.xlsx"), "--project", project)
        for project, forms in FORMS.items()
        for form in forms
    ]
    # Two at once: nothing else goes on, as everybody waits for the province.
    for number in range(0, len(publishing), 2):
        server.run_beside(*publishing[number : number + 2])


def add(server: LiveServer, member: Member) -> None:
    """Give somebody an account with the password of everybody."""
    server.run(
        *("person", "add", member.username, "--name", member.name, "--locale", member.locale),
        *("--role", member.role, "--project", member.project, "--unit", member.unit),
        typed=f"{PASSWORD}\n",
    )
