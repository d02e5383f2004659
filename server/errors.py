"""Every error that a client can meet: one table from code to status and title (RFC 9457 problem details).

Stages raise `Problem("code", parameter=…)`; the app answers `application/problem+json` with the code and the
parameters, and the phone turns these into a sentence in its person's language.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """HTTP status and title of one code."""

    status: int
    title: str


KINDS: dict[str, Kind] = {
    "not_signed_in": Kind(401, "Sign in first"),
    "not_allowed": Kind(403, "Your role does not allow this"),
    "not_found": Kind(404, "There is nothing here"),
    "invalid_request": Kind(400, "The request does not have the expected form"),
    "method_not_allowed": Kind(405, "This address does not take that method"),
    "too_large": Kind(413, "The request is larger than this server takes"),
    "too_many_requests": Kind(429, "Too many requests for a while"),
    "internal": Kind(500, "Something went wrong on the server"),
    "disk_full": Kind(507, "The server has no space left"),
    "database_away": Kind(503, "The server can't reach its database for a moment"),
    "wrong_password": Kind(401, "The name or the password is wrong"),
    "account_locked": Kind(423, "Too many wrong passwords: wait a while"),
    "account_closed": Kind(403, "This account is closed"),
    "enrolment_of_another": Kind(409, "This device's key belongs to somebody else"),
    "enrolment_revoked": Kind(403, "This device is no longer trusted"),
    "weak_password": Kind(422, "This password is too easy to guess"),
    "username_taken": Kind(409, "Somebody has this name already"),
    "grants_needed": Kind(422, "Only who administers the whole province has people without any role"),
    "last_administrator": Kind(409, "Somebody must administer the whole province: give another person that role first"),
    "sign_in_at_province": Kind(401, "This hub holds no password of yours: sign in at the province once"),
    "unknown_grant": Kind(422, "There is no such project or area"),
    "project_taken": Kind(409, "There is such a project already"),
    "peer_taken": Kind(409, "There is a peer of this name already"),
    "hub_only_reads": Kind(409, "This server is a hub: only the province writes this"),
    "hub_does_not_decide": Kind(409, "This server is a hub: conflicts are decided at the province"),
    "record_moved_on": Kind(409, "The record has changed since you looked at it"),
    "decided_meanwhile": Kind(409, "Somebody has decided about this record since you looked at it"),
    "own_work": Kind(403, "Nobody approves their own work"),
    "not_waiting": Kind(409, "It does not wait any more: somebody has let it in"),
    "parent_waits": Kind(409, "What this one changed waits itself: look at that first"),
    "not_acceptable": Kind(409, "It says what no phone may decide, and can only be kept"),
    "waits_for_more": Kind(409, "Something else is the matter with it as well: look at it once more"),
    "conflict_moved": Kind(409, "Somebody has changed what you decide about since you looked at it"),
    "unknown_choice": Kind(422, "This field does not offer that choice"),
    "answer_misfit": Kind(422, "The question cannot hold this answer"),
    "nothing_to_decide": Kind(409, "Nobody is asked about this any more"),
    "undo_too_late": Kind(409, "Something new has been said about it since"),
    "nobody_to_ask": Kind(422, "There is nobody to ask"),
    "form_not_here": Kind(409, "The form's version has not come to this server"),
    "batch_gone": Kind(409, "This selection has been applied, has expired or is somebody else's"),
    "pair_said": Kind(409, "Somebody has said meanwhile what these two records are"),
    "pair_joined": Kind(409, "One of the two records is joined to another already"),
    "pair_not_joined": Kind(409, "These two records are not joined"),
    "pair_apart": Kind(409, "These two records cannot be joined yet"),
    "unsupported_encoding": Kind(415, "The body may only be plain or gzip"),
    "body_bomb": Kind(413, "The body inflates far beyond its size"),
    "body_not_gzip": Kind(400, "The body is not gzip"),
    "body_truncated": Kind(400, "The body ends too early"),
    "malformed_json": Kind(400, "The body is not strict JSON"),
    "envelope": Kind(400, "The exchange does not have the expected form"),
    "app_too_old": Kind(400, "The app is older than this server understands"),
    "server_too_old": Kind(400, "This server is older than the app"),
    "enrolment_mismatch": Kind(403, "The token belongs to another device"),
    "seal_missing": Kind(403, "What is sent must be sealed by the device"),
    "seal_invalid": Kind(403, "The seal does not fit what was sent"),
    "media_hash_mismatch": Kind(422, "The content is not what was announced"),
    "media_too_large": Kind(413, "The content is larger than this server takes"),
    "media_quota": Kind(429, "Too many files are unfinished, or named by no record"),
    "no_thumbnail": Kind(404, "There is no small picture of this content"),
    "tus_version": Kind(412, "This version of tus is not spoken here"),
    "upload_busy": Kind(423, "Another request is sending this content"),
    "upload_header": Kind(400, "A header of the upload is missing or wrong"),
    "upload_metadata": Kind(400, "The upload does not say what it is"),
    "upload_offset": Kind(409, "The upload stands elsewhere"),
    "form_version_exists": Kind(409, "This version is published already, with other content"),
    "form_of_another_project": Kind(409, "The form belongs to another project"),
    "form_not_loaded": Kind(422, "The form was not loaded in every language that it has"),
    "not_recording": Kind(422, "Somebody chosen does not record in this project"),
    "upload_too_long": Kind(413, "More was sent than was announced"),
}


class Problem(Exception):
    """An error for the client; `code` stands in `KINDS`, `params` are what the sentence needs."""

    def __init__(self, code: str, detail: str | None = None, **params: object) -> None:
        """Refuse codes that the table does not hold, so that none reaches a client unexplained."""
        self.kind = KINDS[code]
        self.code = code
        self.detail = detail
        self.params = params
        super().__init__(detail or self.kind.title)
