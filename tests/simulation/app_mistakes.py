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
    "what_one_server_has_no_other_is_sent": Mistake(
        "replication/request.ts",
        "const receipt = own.receipts[server]",
        "const receipt = own.receipts[server] ?? Object.values(own.receipts)[0]",
    ),
    "everybodys_saves_go_under_who_is_signed_in": Mistake(
        "replication/request.ts",
        "store.revisions.where('[enrolment+number]').between([enrolment, 0], [enrolment, Infinity]).toArray()",
        "enrolment === '' ? [] : store.revisions.toArray()",
    ),
    "an_answer_is_for_whoever_is_signed_in": Mistake(
        "replication/receipts.ts",
        "return session?.enrolment === enrolment.id && session.person.id === enrolment.person",
        "return session !== undefined && enrolment.id !== ''",
    ),
    "a_photo_is_done_with_its_first_piece": Mistake(
        "replication/media.ts",
        "while (offset < kept.blob.size) {",
        "while (offset < Math.min(PIECE_BYTES, kept.blob.size)) {",
    ),
    "a_photo_at_one_server_is_sent_to_no_other": Mistake(
        "replication/media.ts",
        "store.uploads.filter((upload) => siteOf(upload, session.server).done === 0)",
        "store.uploads.filter((upload) => upload.done === 0)",
    ),
    "photos_that_a_server_has_lost_are_not_sent_again": Mistake(
        "replication/receipts.ts",
        "const { [server]: _, ...sites } = upload.sites",
        "const sites = server === '' ? {} : upload.sites",
    ),
    "what_is_asked_of_a_poor_link_never_shrinks": Mistake(
        "replication/link.ts",
        "return bytes === 0 ? 1 / 4 : Math.min(1 / 4, (bytes * fitting) / before)",
        "return bytes === 0 ? 1 : Math.max(1, (bytes * fitting) / before)",
    ),
}
