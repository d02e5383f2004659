"""Known mistakes put into the app's own source, in a build alone, to see that worlds of its phones catch them."""

from tests.simulation.app_process import Mistake

#: Each by what it does.
APP_MISTAKES = {
    "what_is_no_longer_assigned_stays_on_the_phone": Mistake(
        "replication/apply.ts",
        "      await sweep(store, state, name, () => true)\n",
        "",
    ),
    "what_was_sent_is_not_frozen": Mistake(
        "replication/request.ts",
        "if (row.frozen === 0) await store.revisions.update",
        "if (row.frozen === 2) await store.revisions.update",
    ),
    "a_page_leaves_out_its_first_document": Mistake(
        "replication/pages.ts",
        "await this.take(changes.docs, (id)",
        "await this.take(changes.docs.slice(1), (id)",
    ),
}
