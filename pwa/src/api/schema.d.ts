// Made by `make api-types` from schemas 2801cff6d1248e1b: do not edit.
import type { Answers, Document, Json, JsonObject } from '@/domain/record'

export interface components {
    schemas: {
        /**
         * Accepted
         * @description The result of an acceptance: the revision itself, and how many that had waited only for it.
         */
        Accepted: {
            rev: string;
            followers: number;
        };
        /**
         * Ack
         * @description The outcome of one revision.
         */
        Ack: {
            /** @description Null for a document that carries none. */
            number: string | null;
            rev: string;
            /** @enum {string} */
            outcome: "stored" | "duplicate" | "quarantined" | "refused";
            /** @description Why it is not stored: `sync/contract/reasons.py`. */
            reason: string | null;
        };
        /**
         * ActAnswer
         * @description An entry of the audit trail.
         */
        ActAnswer: {
            /** Format: date-time */
            at: string;
            person: string | null;
            action: string;
            details: JsonObject;
        };
        /**
         * ActsAnswer
         * @description Entries about one person, newest first.
         */
        ActsAnswer: {
            acts: components["schemas"]["ActAnswer"][];
        };
        /**
         * AreasAnswer
         * @description The units of a day, and the projects.
         */
        AreasAnswer: {
            /** Format: date */
            on: string;
            units: components["schemas"]["UnitAnswer"][];
            projects: components["schemas"]["ProjectBody"][];
        };
        /**
         * AskedShown
         * @description A question that was sent to those who know, with what came back so far.
         */
        AskedShown: {
            id: string;
            text: string;
            by_name: string;
            /** Format: date-time */
            at: string;
            to: components["schemas"]["PersonName"][];
            replies: components["schemas"]["ReplyShown"][];
        };
        /**
         * AwaitedAnswer
         * @description A page of what is awaited; `next` is where the following one begins, None at the end.
         */
        AwaitedAnswer: {
            awaited: components["schemas"]["AwaitedFile"][];
            next: string | null;
        };
        /**
         * AwaitedFile
         * @description A file that a record names and that has not come.
         */
        AwaitedFile: {
            sha256: string;
            database: string;
            record: string;
        };
        /**
         * BatchDone
         * @description The result of a batch: `moved` were left alone since somebody was faster. `batch` takes it back.
         */
        BatchDone: {
            batch: string;
            decided: number;
            moved: number;
            failed: number;
        };
        /**
         * BatchFilters
         * @description Further filters beside form, question and cause; as in the queue.
         */
        BatchFilters: {
            /** @default null */
            scope?: string | null;
            /** @default  */
            project?: string;
            unit?: string[];
            /** @default  */
            person?: string;
            /** @default null */
            waiting_days?: number | null;
            /** @default null */
            newest_days?: number | null;
            /** @default  */
            q?: string;
        };
        /**
         * BatchSample
         * @description One of the conflicts as it would be decided.
         */
        BatchSample: {
            database: string;
            record: string;
            title: string;
            unit_name: string;
            path: string;
            row: string | null;
            candidates: components["schemas"]["SampleCandidate"][];
            result: components["schemas"]["ShownValue"];
            warnings: string[];
        };
        /**
         * BatchShown
         * @description The result of a dry run. Applying `token` before `expires_at` decides exactly these, and none that came since.
         */
        BatchShown: {
            token: string;
            /** Format: date-time */
            expires_at: string;
            matching: number;
            will_decide: number;
            skipped: components["schemas"]["BatchSkipped"];
            warnings: number;
            samples: components["schemas"]["BatchSample"][];
        };
        /**
         * BatchSkipped
         * @description Why some would not be decided: no such candidate, a value that doesn't fit, something that has not come yet,
         *     no open question any more, or more than one batch takes.
         */
        BatchSkipped: {
            no_such_candidate: number;
            misfit: number;
            waiting: number;
            nothing_to_decide: number;
            over_limit: number;
        };
        /**
         * BatchUndo
         * @description Takes back what a batch decided.
         */
        BatchUndo: {
            batch: string;
            /** @default  */
            comment?: string;
        };
        /**
         * BatchUndone
         * @description How much was taken back; of the rest somebody has said something new since.
         */
        BatchUndone: {
            undone: number;
            too_late: number;
        };
        /**
         * Branch
         * @description Another leaf of the record, kept beside the winner.
         */
        Branch: {
            rev: string;
            by_name: string;
            /** Format: date-time */
            received_at: string;
            /** Document */
            doc: Document;
        };
        /**
         * BrokenConstraint
         * @description A constraint of the form that the answers would break; `message` is the form's own, empty where it has none.
         */
        BrokenConstraint: {
            path: string;
            label: {
                [key: string]: string;
            };
            row: string | null;
            message: {
                [key: string]: string;
            };
        };
        /**
         * CandidateValue
         * @description The value that one revision gives the field, and its author; `device` is the phone's label.
         *
         *     `is_decision`: somebody decided it. `recorded_at` is the phone's clock, `received_at` the server's. `changed` are
         *     the answers that differ from what they were before, where the answers are chosen between as a whole.
         */
        CandidateValue: {
            rev: string;
            value: components["schemas"]["ShownValue"];
            is_decision: boolean;
            is_deleted: boolean;
            is_after_approval: boolean;
            is_parent_unknown: boolean;
            by_person: string | null;
            by_name: string;
            device: string;
            recorded_at: string;
            /** Format: date-time */
            received_at: string;
            changed: components["schemas"]["ChangedField"][];
        };
        /**
         * ChangeAnswer
         * @description One cell that would be, or has been, written otherwise; row 1 has the headers.
         */
        ChangeAnswer: {
            sheet: string;
            row: number;
            column: string;
            before: string;
            after: string;
        };
        /**
         * ChangedField
         * @description A field that a revision changed, or in which two sides differ.
         */
        ChangedField: {
            path: string;
            label: {
                [key: string]: string;
            };
            row: string | null;
            before: components["schemas"]["ShownValue"];
            after: components["schemas"]["ShownValue"];
        };
        /**
         * CheckedAnswer
         * @description The check of an upload; without an `id` it cannot be published.
         */
        CheckedAnswer: {
            id: string | null;
            project: string;
            form: string | null;
            version: string | null;
            title: {
                [key: string]: string;
            };
            languages: string[];
            errors: components["schemas"]["FindingAnswer"][];
            warnings: components["schemas"]["FindingAnswer"][];
            accepted: components["schemas"]["ProposalAnswer"][];
            difference: components["schemas"]["DifferenceAnswer"] | null;
            xform: string | null;
            lists: {
                [key: string]: string;
            };
        };
        /**
         * Choice
         * @description The decision about one field: exactly one member beside `path`.
         *
         *     `candidate` takes what that revision says, `reply` what that reply says, `value` what was typed (null: blank),
         *     `remove` leaves the answer, row, choice or file out, `confirm` keeps what stands; `keep` leaves a row in, with what
         *     all edits say of it. Of the whole record (path ""): `keep` lets it live, `delete` deletes it, `stay` leaves it in
         *     that database and takes it out of the others.
         */
        Choice: {
            path: string;
            /** @default null */
            candidate?: string | null;
            /** @default null */
            reply?: string | null;
            /** @default null */
            value?: Json;
            /** @default null */
            remove?: true | null;
            /** @default null */
            confirm?: true | null;
            /** @default null */
            keep?: true | null;
            /** @default null */
            delete?: true | null;
            /** @default null */
            stay?: string | null;
        };
        /**
         * ChoiceLabel
         * @description One of the answers that a question offers.
         */
        ChoiceLabel: {
            value: string;
            label: {
                [key: string]: string;
            };
        };
        /**
         * Claim
         * @description Somebody has the conflict open, and will be taken to have left it at `until`.
         */
        Claim: {
            person: string;
            name: string;
            /** Format: date-time */
            until: string;
            is_me: boolean;
        };
        /**
         * ClaimsShown
         * @description People who have the conflict open; a claim ends after `expires_s` seconds unless it is renewed.
         */
        ClaimsShown: {
            claims: components["schemas"]["Claim"][];
            expires_s: number;
        };
        /**
         * ConflictGroup
         * @description Questions alike: of one cause about one question of one form, in whatever record and row (`*` in the path).
         *
         *     A record counts once, however many of its rows are asked about.
         */
        ConflictGroup: {
            /** @enum {string} */
            kind: "value" | "delete" | "row" | "exclusive" | "asked" | "parent_unknown" | "form_version" | "constraint" | "place" | "after_approval" | "moved";
            form: string;
            form_title: {
                [key: string]: string;
            };
            path: string;
            label: {
                [key: string]: string;
            };
            questions: number;
            records: number;
        };
        /**
         * ConflictLine
         * @description A record with open questions; `since` is when the one that has waited longest came up.
         */
        ConflictLine: {
            database: string;
            record: string;
            form: string;
            form_title: {
                [key: string]: string;
            };
            title: string;
            project: string;
            unit: string;
            unit_name: string;
            /** Format: date-time */
            since: string;
            people: components["schemas"]["PersonName"][];
            questions: components["schemas"]["QuestionLine"][];
            claims: components["schemas"]["Claim"][];
        };
        /**
         * ConflictPage
         * @description One record with all that a person needs to decide about it; `doc` is what stands, to be opened in the form.
         *
         *     A decision names `rev` and `leaves`, so that nothing that came meanwhile is overwritten.
         */
        ConflictPage: {
            database: string;
            record: string;
            rev: string;
            leaves: string[];
            form: string;
            form_version: string;
            form_title: {
                [key: string]: string;
            };
            title: string;
            project: string;
            unit: string;
            unit_name: string;
            languages: string[];
            waiting: components["schemas"]["WaitingFor"] | null;
            may_decide: boolean;
            /** Document */
            doc: Document;
            questions: components["schemas"]["OpenQuestion"][];
            merged: components["schemas"]["MergedField"][];
            history: components["schemas"]["HistoryLine"][];
            decisions: components["schemas"]["DecisionLine"][];
            claims: components["schemas"]["Claim"][];
            elsewhere: components["schemas"]["Elsewhere"][];
            media: {
                [key: string]: components["schemas"]["MediaFile"];
            };
        };
        /**
         * ConflictQueue
         * @description A page of the queue; `counts` are records by cause under the filters other than `kind`, `groups` biggest first.
         *
         *     `groups` come with the first page only.
         */
        ConflictQueue: {
            conflicts: components["schemas"]["ConflictLine"][];
            next: string | null;
            total: number;
            counts: {
                [key: string]: number;
            };
            groups: components["schemas"]["ConflictGroup"][];
        };
        /**
         * ContentAnswer
         * @description A content as a hub fetches it, in base64.
         */
        ContentAnswer: {
            sha256: string;
            media_type: string;
            body: string;
        };
        /**
         * Contribution
         * @description A person's act on a record: an edit, or a decision about some of its fields.
         */
        Contribution: {
            name: string;
            /**
             * @description Paths of fields.
             * @default []
             */
            decided?: string[];
            /** @default  */
            comment?: string;
        };
        /**
         * Counts
         * @description How many entries nobody has looked at yet, and how many wait although somebody has.
         */
        Counts: {
            unseen: number;
            seen: number;
        };
        /**
         * DatabaseChanges
         * @description The winners that changed after the phone's `since`, in the order of the feed.
         */
        DatabaseChanges: {
            docs: Document[];
            /** @description How far the phone has read with these. */
            since: string;
            /** @description Whether another exchange would bring more. */
            more: boolean;
            /**
             * @description Of all that the phone then holds, without order; only at the end of the feed.
             * @default null
             */
            digest?: string | null;
            /**
             * @description What others did to records since this person's last edit, by the record's id; the oldest first.
             * @default {}
             */
            by?: {
                [key: string]: components["schemas"]["Contribution"][];
            };
        };
        /**
         * Decided
         * @description The state of a record after a decision.
         */
        Decided: {
            id: string;
            /** @enum {string} */
            state: "received" | "amended" | "approved" | "returned" | "rejected";
        };
        /**
         * DecisionLine
         * @description A decision that was made, the newest first; `may_undo` while nobody has decided the same fields after it.
         *
         *     `stays` is the name of the area in which the record was to stay, of a decision about its place: it is taken back
         *     wherever it was written.
         */
        DecisionLine: {
            rev: string;
            by_person: string | null;
            by_name: string;
            /** Format: date-time */
            at: string;
            paths: string[];
            comment: string;
            may_undo: boolean;
            is_undone: boolean;
            stays: string | null;
        };
        /**
         * DecisionMade
         * @description The result of a decision: its revision, fields to look at again, and the page as it is now.
         *
         *     `rev` is None in a dry run. Where nothing was written to this record but only to the same one elsewhere, it is the
         *     revision there.
         */
        DecisionMade: {
            rev: string | null;
            warnings: components["schemas"]["BrokenConstraint"][];
            page: components["schemas"]["ConflictPage"];
        };
        /**
         * Device
         * @description Facts about a phone for administrators; null where its browser doesn't say.
         */
        Device: {
            /** @description The app's version. */
            app: string;
            /** @default null */
            free_bytes?: number | null;
            /**
             * @description Whether the browser promised to keep the app's store.
             * @default null
             */
            persistent?: boolean | null;
        };
        /**
         * DeviceAnswer
         * @description An enrolment, as an administrator sees it; the last three are what the phone says of itself, or null.
         */
        DeviceAnswer: {
            id: string;
            label: string;
            /** Format: date-time */
            registered_at: string;
            revoked_at: string | null;
            exchanged_at: string | null;
            highest_number: string;
            app: string | null;
            free_bytes: number | null;
            persistent: boolean | null;
        };
        /**
         * DeviceKey
         * @description The public key of a device that signs in.
         */
        DeviceKey: {
            jwk: JsonObject;
            /** @default  */
            label?: string;
        };
        /**
         * DevicesAnswer
         * @description A person's devices, newest first.
         */
        DevicesAnswer: {
            enrolments: components["schemas"]["DeviceAnswer"][];
        };
        /**
         * DifferenceAnswer
         * @description What a form asks otherwise than the version of it that is live.
         */
        DifferenceAnswer: {
            version: string;
            questions: components["schemas"]["QuestionDifferenceAnswer"][];
        };
        /**
         * DirectoryAnswer
         * @description The directory of a hub; None where the hub has it already.
         */
        DirectoryAnswer: {
            fingerprint: string;
            directory: JsonObject | null;
        };
        /**
         * DrawnShape
         * @description A place as one revision (None: the base) recorded it; changes are against the base.
         *
         *     `geojson` is None where it cannot be read. Areas are the ellipsoid's, to 0.001 %.
         */
        DrawnShape: {
            rev: string | null;
            geojson: components["schemas"]["GeoJson"] | null;
            area_m2: number | null;
            length_m: number | null;
            accuracy_m: number | null;
            change_m2: number | null;
            change_percent: number | null;
            vertices: number;
            is_valid: boolean;
        };
        /**
         * EffectAnswer
         * @description What publishing would do: `looked_at` of the form's `records` were lifted, and came out as the rest says.
         */
        EffectAnswer: {
            phones: number;
            silent: number;
            records: number;
            looked_at: number;
            same: number;
            changes: number;
            sets_aside: number;
            waits: number;
        };
        /**
         * Elsewhere
         * @description The same record in another area; who decides where it stays names `rev` and `leaves`.
         *
         *     `changed` are the answers in which it differs: before as the page's own area has them, after as this one.
         */
        Elsewhere: {
            database: string;
            unit: string;
            unit_name: string;
            project: string;
            rev: string;
            leaves: string[];
            title: string;
            by_name: string;
            /** Format: date-time */
            received_at: string;
            /** Document */
            doc: Document;
            changed: components["schemas"]["ChangedField"][];
            may_decide: boolean;
        };
        /**
         * EnrolmentAnswer
         * @description The device's numbers as the server knows them.
         */
        EnrolmentAnswer: {
            id: string;
            highest_number: string;
            safe: string;
        };
        /**
         * EntryKey
         * @description Names one entry of the queue: the same id can wait with several contents, so its fingerprint belongs to it.
         */
        EntryKey: {
            database: string;
            id: string;
            rev: string;
            fingerprint: string;
        };
        /**
         * FileLeftAnswer
         * @description A file that could not be carried; `reason` is a code.
         */
        FileLeftAnswer: {
            /** @enum {string} */
            direction: "push" | "pull";
            database: string;
            record: string;
            name: string;
            sha256: string;
            /** @enum {string} */
            reason: "wrong_bytes" | "damaged" | "too_large" | "not_taken";
            told: string;
        };
        /**
         * FindingAnswer
         * @description One thing that is wrong, where the author finds it.
         */
        FindingAnswer: {
            code: string;
            sheet: string | null;
            row: number | null;
            message: string;
            params: {
                [key: string]: string;
            };
            proposal: components["schemas"]["ProposalAnswer"] | null;
        };
        /**
         * Following
         * @description The documents that followers could not take.
         */
        Following: {
            set_aside: components["schemas"]["SetAsideDocument"][];
            waiting: components["schemas"]["WaitingRevisions"][];
        };
        /**
         * FormAnswer
         * @description A published version.
         */
        FormAnswer: {
            form: string;
            version: string;
            project: string;
            title: {
                [key: string]: string;
            };
            languages: string[];
            /** @enum {string} */
            status: "live" | "retired";
            loaded_in_browser: boolean;
            /** Format: date-time */
            published_at: string;
            xform: string;
            lists: {
                [key: string]: string;
            };
        };
        /**
         * FormCount
         * @description How many records of a form wait.
         */
        FormCount: {
            form: string;
            title: {
                [key: string]: string;
            };
            records: number;
        };
        /**
         * FormsAnswer
         * @description The published versions of the projects that the person works in.
         */
        FormsAnswer: {
            forms: components["schemas"]["FormAnswer"][];
        };
        /**
         * GeoJson
         * @description A place as RFC 7946 has it.
         */
        GeoJson: {
            /** @enum {string} */
            type: "Point" | "LineString" | "Polygon";
            coordinates: unknown[];
        };
        /**
         * GrantAnswer
         * @description A grant with the unit's name.
         */
        GrantAnswer: {
            /** @enum {string} */
            role: "field_worker" | "supervisor" | "data_manager" | "administrator" | "peer";
            project: string;
            unit: string;
            unit_name: string;
        };
        /**
         * GrantBody
         * @description A role in a project (`*`: every one) and a unit.
         */
        GrantBody: {
            /** @enum {string} */
            role: "field_worker" | "supervisor" | "data_manager" | "administrator" | "peer";
            project: string;
            unit: string;
        };
        /**
         * GrantsBody
         * @description All the grants that a person shall have.
         */
        GrantsBody: {
            grants: components["schemas"]["GrantBody"][];
        };
        /**
         * HeldAnswer
         * @description Those of the asked files that are here.
         */
        HeldAnswer: {
            held: components["schemas"]["HeldFile"][];
        };
        /**
         * HeldBody
         * @description The contents that another server asks for.
         */
        HeldBody: {
            sha256s: string[];
        };
        /**
         * HeldFile
         * @description A content that is here, and what a record calls it.
         */
        HeldFile: {
            sha256: string;
            bytes: number;
            type: string;
            name: string;
        };
        /**
         * HistoryEntry
         * @description A revision of a record: what kind of act it is, whose, and when it came.
         */
        HistoryEntry: {
            /** @enum {string} */
            kind: "edit" | "merge" | "resolved" | "decision" | "undo" | "joined" | "parted";
            rev: string;
            parent: string | null;
            by_person: string | null;
            by_name: string;
            recorded_at: string;
            /** Format: date-time */
            received_at: string;
            is_deleted: boolean;
            is_winner: boolean;
            is_branch: boolean;
            is_published: boolean;
        };
        /**
         * HistoryLine
         * @description A revision: who, when, what changed. `merge` and `resolved` are the machine's, the rest somebody's.
         */
        HistoryLine: {
            rev: string;
            parent: string | null;
            merged: string[];
            /** @enum {string} */
            kind: "edit" | "merge" | "resolved" | "decision" | "undo" | "joined" | "parted";
            by_person: string | null;
            by_name: string;
            device: string;
            recorded_at: string;
            /** Format: date-time */
            received_at: string;
            is_deleted: boolean;
            is_winner: boolean;
            is_branch: boolean;
            changed: components["schemas"]["ChangedField"][];
            comment: string;
            decided: string[];
            undoes: string[];
        };
        /**
         * Holding
         * @description Work that stays on the phone after this request.
         */
        Holding: {
            /**
             * @description Saves that the server lacks and this request doesn't bring.
             * @default []
             */
            unsent?: string[];
            /**
             * @description Saves that will never come: given up, or erased.
             * @default []
             */
            discarded?: string[];
            /**
             * @description How many.
             * @default 0
             */
            drafts?: number;
            /**
             * @description How many files have not arrived.
             * @default 0
             */
            media?: number;
        };
        /**
         * LeftOutAnswer
         * @description A revision that one side will not have.
         */
        LeftOutAnswer: {
            database: string;
            id: string;
            rev: string;
            /** @enum {string} */
            direction: "push" | "pull";
            reason: string;
        };
        /**
         * LoginAnswer
         * @description A sign-in.
         */
        LoginAnswer: {
            access_token: string;
            expires_in: number;
            refresh_token: string;
            person: components["schemas"]["PersonAnswer"];
            enrolment: components["schemas"]["EnrolmentAnswer"] | null;
            server: string;
        };
        /**
         * LoginBody
         * @description A name and a password, and the device's key where there is one.
         */
        LoginBody: {
            username: string;
            password: string;
            /** @default null */
            enrolment?: components["schemas"]["DeviceKey"] | null;
        };
        /**
         * MeAnswer
         * @description The person who is signed in, and the databases that their phone carries.
         */
        MeAnswer: {
            person: components["schemas"]["PersonAnswer"];
            enrolment: string | null;
            scopes: string[];
            carried: string[];
            actions: string[];
            server: string;
        };
        /**
         * MediaFile
         * @description Where a file can be fetched that some side of the conflict names.
         */
        MediaFile: {
            url: string;
            thumb: string;
            type: string;
            name: string;
        };
        /**
         * MemberAnswer
         * @description Somebody, as an administrator sees them.
         */
        MemberAnswer: {
            id: string;
            username: string;
            name: string;
            locale: string;
            grants: components["schemas"]["GrantAnswer"][];
            birth_year: number | null;
            active: boolean;
            /** Format: date-time */
            created_at: string;
            signed_in_at: string | null;
        };
        /**
         * MemberChangeBody
         * @description Changes to a person; absent members stay. A name and a language can't be taken away.
         */
        MemberChangeBody: {
            name?: string;
            /** @enum {string} */
            locale?: "vi" | "en";
            /** @default null */
            birth_year?: number | null;
            /** @default null */
            active?: boolean | null;
            /** @default null */
            password?: string | null;
        };
        /**
         * MembersAnswer
         * @description Everybody that the asking administrator may see, sorted by given name.
         */
        MembersAnswer: {
            people: components["schemas"]["MemberAnswer"][];
        };
        /**
         * MergedField
         * @description A field that was brought together without asking, and does not come from the winner's own line.
         */
        MergedField: {
            path: string;
            label: {
                [key: string]: string;
            };
            row: string | null;
            value: components["schemas"]["ShownValue"];
            /** @enum {string} */
            how: "only" | "alike" | "policy" | "stands" | "recomputed";
            rev: string | null;
            by_name: string;
        };
        /**
         * MisfitEntry
         * @description One answer that its form cannot hold: where (JSON Pointer from the document), why, what came, what was asked.
         */
        MisfitEntry: {
            path: string;
            reason: string;
            came: string;
            labels: {
                [key: string]: string;
            };
        };
        /**
         * NewBatch
         * @description A dry run (`form`, `path`, `kind` and `rule`), or what applies one that was seen (`token`), and nothing else.
         *
         *     `path` is a question as the queue's groups name it, with `*` for any row.
         */
        NewBatch: {
            dry_run: boolean;
            /** @default null */
            form?: string | null;
            /** @default null */
            path?: string | null;
            /** @default null */
            kind?: ("value" | "delete" | "row" | "exclusive" | "asked" | "parent_unknown" | "form_version" | "constraint" | "place" | "after_approval" | "moved") | null;
            /** @default null */
            rule?: components["schemas"]["Rule"] | null;
            /**
             * @default {
             *       "scope": null,
             *       "project": "",
             *       "unit": [],
             *       "person": "",
             *       "waiting_days": null,
             *       "newest_days": null,
             *       "q": ""
             *     }
             */
            filters?: components["schemas"]["BatchFilters"];
            /** @default null */
            token?: string | null;
            /** @default  */
            comment?: string;
        };
        /**
         * NewClaim
         * @description Says that one has the conflict open, or with `leave` that one has left it.
         */
        NewClaim: {
            /** @default false */
            leave?: boolean;
        };
        /**
         * NewDecision
         * @description A manager's decision on the record as it stood at `rev`, with the branches (`leaves`) that the page showed.
         *
         *     Where a record is to `stay`, `elsewhere` says which revisions of it the page showed in each other area.
         *
         *     `answers` are the whole answers as the form left them after the choices were opened in it; what they change beside
         *     the choices is decided too. With `dry_run` nothing is written, and the answer tells which constraints would break.
         */
        NewDecision: {
            rev: string;
            leaves?: string[];
            elsewhere?: components["schemas"]["SeenElsewhere"][];
            choices: components["schemas"]["Choice"][];
            /** @default null */
            answers?: Answers | null;
            /** @default null */
            form_version?: string | null;
            /** @default  */
            comment?: string;
            /** @default false */
            dry_run?: boolean;
        };
        /**
         * NewMemberBody
         * @description A new person.
         */
        NewMemberBody: {
            username: string;
            name: string;
            password: string;
            /**
             * @default vi
             * @enum {string}
             */
            locale?: "vi" | "en";
            /** @default null */
            birth_year?: number | null;
            /** @default [] */
            grants?: components["schemas"]["GrantBody"][];
        };
        /**
         * NewNote
         * @description That somebody has seen an entry, and what they made of it.
         */
        NewNote: {
            database: string;
            id: string;
            rev: string;
            fingerprint: string;
            comment: string;
        };
        /**
         * NewPeerBody
         * @description A peer to be added.
         */
        NewPeerBody: {
            name: string;
            url: string;
            /**
             * @default [
             *       "*"
             *     ]
             */
            scopes?: string[];
            /**
             * @default both
             * @enum {string}
             */
            direction?: "both" | "push" | "pull";
            /**
             * @default continuous
             * @enum {string}
             */
            mode?: "continuous" | "once";
            /**
             * @default none
             * @enum {string}
             */
            auth?: "none" | "password" | "token";
            /** @default null */
            username?: string | null;
            /** @default null */
            password?: string | null;
        };
        /**
         * NewQuestion
         * @description Asks those who know about one field; `to` are the authors of its candidates where it is left out.
         */
        NewQuestion: {
            path: string;
            /** @default  */
            text?: string;
            /** @default null */
            to?: string[] | null;
        };
        /**
         * NewReview
         * @description A supervisor's decision about exactly `rev`; `comments` are pinned to answers by JSON Pointer.
         *
         *     `follows` are the review documents that the person saw; without it, all that the server knows.
         */
        NewReview: {
            rev: string;
            /** @enum {string} */
            decision: "approved" | "returned" | "rejected";
            /** @default  */
            comment?: string;
            comments?: {
                [key: string]: string;
            };
            /** @default null */
            follows?: string[] | null;
        };
        /**
         * NewVerdict
         * @description A verdict on a pair, by somebody who has seen these revisions; `survivor` and `take` go with *same*.
         *
         *     `saw` is the `at` of the page that was looked at: None where nobody had said anything about the pair.
         */
        NewVerdict: {
            /** @enum {string} */
            verdict: "open" | "unsure" | "same" | "different";
            revs: {
                [key: string]: string;
            };
            /** @default null */
            saw?: string | null;
            /** @default null */
            survivor?: string | null;
            take?: string[];
            /** @default  */
            comment?: string;
        };
        /**
         * Note
         * @description A person's note on an entry that they have seen.
         */
        Note: {
            by_name: string;
            /** Format: date-time */
            at: string;
            comment: string;
        };
        /**
         * OpenQuestion
         * @description A field that people disagree about. Candidates are the greatest first; the first one stands meanwhile.
         *
         *     `row` is what the row is called that the field lies in, `base` what the field was before all of them. `kept` is a
         *     row that somebody took out as all edits have it: what `keep` chooses.
         */
        OpenQuestion: {
            path: string;
            /** @enum {string} */
            kind: "value" | "delete" | "row" | "exclusive" | "asked" | "parent_unknown" | "form_version" | "constraint" | "place" | "after_approval" | "moved";
            label: {
                [key: string]: string;
            };
            row: string | null;
            parents: {
                [key: string]: string;
            }[];
            type: string;
            choices: components["schemas"]["ChoiceLabel"][];
            list_file: string | null;
            base: components["schemas"]["ShownValue"];
            candidates: components["schemas"]["CandidateValue"][];
            proposal: components["schemas"]["Proposal"];
            geometry: components["schemas"]["PlaceComparison"] | null;
            broken: {
                [key: string]: string;
            };
            asked: components["schemas"]["AskedShown"][];
            kept: components["schemas"]["ShownValue"] | null;
            may: ("candidate" | "value" | "confirm" | "delete" | "keep" | "stay")[];
        };
        /**
         * Pair
         * @description Two records that may be of one household, the older first, and what people made of it.
         *
         *     `survivor` is the one that stays, where they are the same.
         */
        Pair: {
            database: string;
            one: string;
            other: string;
            form: string;
            form_title: {
                [key: string]: string;
            };
            project: string;
            unit: string;
            unit_name: string;
            score: number;
            /** @enum {string} */
            verdict: "open" | "unsure" | "same" | "different";
            survivor: string | null;
            by_name: string;
            at: string | null;
            comment: string;
            agreements: components["schemas"]["ParticularAgreement"][];
            records: components["schemas"]["PairRecord"][];
        };
        /**
         * PairField
         * @description One field that either record tells; `is_taken` proposes that it comes from the record that goes.
         */
        PairField: {
            path: string;
            label: {
                [key: string]: string;
            };
            row: string | null;
            parents: {
                [key: string]: string;
            }[];
            type: string;
            choices: components["schemas"]["ChoiceLabel"][];
            values: {
                [key: string]: components["schemas"]["ShownValue"];
            };
            is_same: boolean;
            is_taken: boolean;
        };
        /**
         * PairPage
         * @description A pair as it is decided: both records whole, and field by field in the words of the one suggested to stay.
         *
         *     `can_join` is false while one of them waits for something, or where there is no way between their form versions.
         */
        PairPage: {
            database: string;
            one: string;
            other: string;
            form: string;
            form_title: {
                [key: string]: string;
            };
            project: string;
            unit: string;
            unit_name: string;
            score: number;
            /** @enum {string} */
            verdict: "open" | "unsure" | "same" | "different";
            survivor: string | null;
            by_name: string;
            at: string | null;
            comment: string;
            agreements: components["schemas"]["ParticularAgreement"][];
            records: components["schemas"]["PairRecord"][];
            may_decide: boolean;
            suggested: string;
            can_join: boolean;
            fields: components["schemas"]["PairField"][];
            docs: {
                [key: string]: JsonObject;
            };
            media: {
                [key: string]: components["schemas"]["MediaFile"];
            };
        };
        /**
         * PairQueue
         * @description A page of pairs, most alike first; `counts` by verdict under the other filters.
         */
        PairQueue: {
            pairs: components["schemas"]["Pair"][];
            next: string | null;
            counts: {
                [key: string]: number;
            };
        };
        /**
         * PairRecord
         * @description One of the two records.
         */
        PairRecord: {
            record: string;
            rev: string;
            title: string;
            by_name: string;
            /** Format: date-time */
            received_at: string;
            state: string;
            is_published: boolean;
        };
        /**
         * ParticularAgreement
         * @description How one particular of two records compares; `values` by record, on the page of a pair only.
         */
        ParticularAgreement: {
            /** @enum {string} */
            particular: "name" | "birth_year" | "phone" | "dwelling" | "place";
            /** @enum {string} */
            agreement: "same" | "close" | "far" | "different";
            values: {
                [key: string]: string;
            };
        };
        /**
         * Parting
         * @description That a record stands for itself again.
         */
        Parting: {
            revs: {
                [key: string]: string;
            };
            /** @default  */
            comment?: string;
        };
        /**
         * PasswordBody
         * @description A person's change of their own password.
         */
        PasswordBody: {
            password: string;
            new_password: string;
        };
        /**
         * PeerAnswer
         * @description A peer, how far it is, and what is the matter with it.
         *
         *     `files_waiting` is how many files one side has and the other awaits; `files_missing` how many are not here at all.
         */
        PeerAnswer: {
            id: string;
            name: string;
            url: string;
            /** @enum {string} */
            kind: "replica" | "province";
            /** @enum {string} */
            direction: "both" | "push" | "pull";
            /** @enum {string} */
            mode: "continuous" | "once";
            /** @enum {string} */
            auth: "none" | "password" | "token";
            username: string | null;
            scopes: string[];
            behind: number;
            held: number;
            statuses: components["schemas"]["StatusAnswer"][];
            left_out_count: number;
            left_out: components["schemas"]["LeftOutAnswer"][];
            files_waiting: number;
            files_missing: number;
            files_left_count: number;
            files_left: components["schemas"]["FileLeftAnswer"][];
        };
        /**
         * PeersAnswer
         * @description The peers that one may see, and the province where this server is its hub.
         *
         *     `token_url` is the one address that takes tokens; `may_manage` whether one may add and remove peers.
         */
        PeersAnswer: {
            peers: components["schemas"]["PeerAnswer"][];
            province: string | null;
            token_url: string | null;
            may_manage: boolean;
        };
        /**
         * PersonAnswer
         * @description Somebody, as they see themselves.
         */
        PersonAnswer: {
            id: string;
            username: string;
            name: string;
            locale: string;
            grants: components["schemas"]["GrantAnswer"][];
        };
        /**
         * PersonCount
         * @description How many records wait about which this person said something.
         */
        PersonCount: {
            id: string;
            name: string;
            records: number;
        };
        /**
         * PersonName
         * @description Somebody, by id and name.
         */
        PersonName: {
            id: string;
            name: string;
        };
        /**
         * Place
         * @description The commune's representative point, in degrees (WGS 84).
         */
        Place: {
            longitude: number;
            latitude: number;
        };
        /**
         * PlaceComparison
         * @description All that is known of a place that people recorded differently.
         */
        PlaceComparison: {
            /** @enum {string} */
            kind: "point" | "line" | "outline";
            shapes: components["schemas"]["DrawnShape"][];
            pairs: components["schemas"]["ShapePair"][];
        };
        /**
         * Present
         * @description The document that the database has under the same id: the winner.
         */
        Present: {
            rev: string;
            by_name: string;
            /** Format: date-time */
            received_at: string;
            is_deleted: boolean;
            /** Document */
            doc: Document;
        };
        /**
         * Problem
         * @description An error (RFC 9457); `params` is what the sentence about it needs.
         */
        Problem: {
            type: string;
            title: string;
            status: number;
            detail: string;
            /** @enum {string} */
            code: "account_closed" | "account_locked" | "answer_misfit" | "app_too_old" | "batch_gone" | "body_bomb" | "body_not_gzip" | "body_truncated" | "conflict_moved" | "database_away" | "decided_meanwhile" | "disk_full" | "enrolment_mismatch" | "enrolment_of_another" | "enrolment_revoked" | "envelope" | "form_not_here" | "form_not_loaded" | "form_of_another_project" | "form_version_exists" | "grants_needed" | "hub_does_not_decide" | "hub_only_reads" | "internal" | "invalid_request" | "last_administrator" | "malformed_json" | "media_hash_mismatch" | "media_quota" | "media_too_large" | "method_not_allowed" | "no_thumbnail" | "nobody_to_ask" | "not_acceptable" | "not_allowed" | "not_found" | "not_recording" | "not_signed_in" | "not_waiting" | "nothing_to_decide" | "own_work" | "pair_apart" | "pair_joined" | "pair_not_joined" | "pair_said" | "parent_waits" | "peer_taken" | "project_taken" | "record_moved_on" | "seal_invalid" | "seal_missing" | "server_too_old" | "sign_in_at_province" | "too_large" | "too_many_requests" | "tus_version" | "undo_too_late" | "unknown_choice" | "unknown_grant" | "unsupported_encoding" | "upload_busy" | "upload_header" | "upload_metadata" | "upload_offset" | "upload_too_long" | "username_taken" | "waits_for_more" | "weak_password" | "wrong_password";
            params: JsonObject;
        };
        /**
         * ProjectBody
         * @description A project.
         */
        ProjectBody: {
            id: string;
            name_vi: string;
            name_en: string;
        };
        /**
         * ProjectCount
         * @description How many records of a project wait.
         */
        ProjectCount: {
            project: string;
            records: number;
        };
        /**
         * Proposal
         * @description A proposal: the value that stands meanwhile, or the more accurate point; nothing is decided by it.
         */
        Proposal: {
            rev: string | null;
            value: components["schemas"]["ShownValue"];
            /** @enum {string} */
            why: "stands" | "more_accurate";
        };
        /**
         * ProposalAnswer
         * @description What would be written instead, accepted by its key; without changes the file itself is taken as it is.
         */
        ProposalAnswer: {
            key: string;
            changes: components["schemas"]["ChangeAnswer"][];
        };
        /**
         * PublishBody
         * @description The author's browser has loaded the form: in which languages it could show it.
         */
        PublishBody: {
            /** @constant */
            loaded: true;
            languages: string[];
        };
        /**
         * Push
         * @description One revision of one document.
         */
        Push: {
            db: string;
            /** Document */
            doc: Document;
            /**
             * @description Parent first, back to the last that the server acknowledged.
             * @default []
             */
            ancestors?: string[];
        };
        /**
         * QuarantineEntry
         * @description A revision that is kept aside: what came, why it waits, what stands, and where the two differ.
         *
         *     `differs` are JSON Pointers into the documents. `is_form_known` is false where nobody can tell whether answers fit.
         */
        QuarantineEntry: {
            database: string;
            id: string;
            rev: string;
            fingerprint: string;
            reason: string;
            project: string;
            unit: string;
            unit_name: string;
            by_name: string;
            recorded_at: string;
            /** Format: date-time */
            received_at: string;
            form: string;
            form_version: string;
            form_title: {
                [key: string]: string;
            };
            is_form_known: boolean;
            title: string;
            is_deleted: boolean;
            /** Document */
            doc: Document;
            present: components["schemas"]["Present"] | null;
            differs: string[];
            misfits: components["schemas"]["MisfitEntry"][];
            notes: components["schemas"]["Note"][];
            may_accept: boolean;
            why_not: ("parent_waits" | "not_acceptable") | null;
        };
        /**
         * QuarantineQueue
         * @description A page of the queue, the newest first; `counts` are under the filters other than `seen`.
         */
        QuarantineQueue: {
            entries: components["schemas"]["QuarantineEntry"][];
            next: string | null;
            counts: components["schemas"]["Counts"];
        };
        /**
         * QuestionDifferenceAnswer
         * @description One thing that differs from the version that is live; `path` is the old version's where the question is gone.
         */
        QuestionDifferenceAnswer: {
            kind: ("added" | "removed" | "renamed" | "type" | "label" | "choices_added" | "choices_removed" | "list_file") | ("relevant" | "constraint" | "required" | "calculate" | "readonly");
            path: string;
            before: string;
            after: string;
        };
        /**
         * QuestionLine
         * @description One field of a record that people disagree about; `row` tells whether it lies in a row of a repeat.
         */
        QuestionLine: {
            path: string;
            /** @enum {string} */
            kind: "value" | "delete" | "row" | "exclusive" | "asked" | "parent_unknown" | "form_version" | "constraint" | "place" | "after_approval" | "moved";
            label: {
                [key: string]: string;
            };
            in_row: boolean;
        };
        /**
         * QuestionSent
         * @description The question as it goes to phones.
         */
        QuestionSent: {
            id: string;
            to: components["schemas"]["PersonName"][];
            page: components["schemas"]["ConflictPage"];
        };
        /**
         * Queue
         * @description A page of the queue; `next` goes on where it ends; `counts` are under the filters other than `state`.
         */
        Queue: {
            records: components["schemas"]["RecordLine"][];
            next: string | null;
            counts: {
                [key: string]: number;
            };
        };
        /**
         * QueueFilters
         * @description Filters that the queue offers now, each with the number of records; none that would be empty.
         */
        QueueFilters: {
            units: components["schemas"]["UnitCount"][];
            projects: components["schemas"]["ProjectCount"][];
            forms: components["schemas"]["FormCount"][];
            people: components["schemas"]["PersonCount"][];
            kinds: {
                [key: string]: number;
            };
        };
        /**
         * RecordLine
         * @description A record in the queue; `branches` counts its live leaves.
         */
        RecordLine: {
            database: string;
            id: string;
            rev: string;
            form: string;
            form_version: string;
            title: string;
            /** @enum {string} */
            state: "received" | "amended" | "approved" | "returned" | "rejected";
            by_name: string;
            decided_by_name: string | null;
            recorded_at: string;
            /** Format: date-time */
            received_at: string;
            unit: string;
            unit_name: string;
            project: string;
            flags: ("outside_area" | "poor_gps" | "clock_suspect" | "missing_media" | "unreadable_media" | "conflict" | "constraint_broken" | "calculation_unfit")[];
            is_corrected: boolean;
            is_deleted: boolean;
            branches: number;
        };
        /**
         * RecordPage
         * @description One record with all that a reviewer decides on; `returned` is the revision that this one corrects.
         *
         *     `sent_at` is when the worker's edit came that it is shown as, `received_at` when what a desk made of it did.
         */
        RecordPage: {
            database: string;
            id: string;
            rev: string;
            form: string;
            form_version: string;
            title: string;
            /** @enum {string} */
            state: "received" | "amended" | "approved" | "returned" | "rejected";
            by_name: string;
            decided_by_name: string | null;
            recorded_at: string;
            /** Format: date-time */
            received_at: string;
            unit: string;
            unit_name: string;
            project: string;
            flags: ("outside_area" | "poor_gps" | "clock_suspect" | "missing_media" | "unreadable_media" | "conflict" | "constraint_broken" | "calculation_unfit")[];
            is_corrected: boolean;
            is_deleted: boolean;
            /** Format: date-time */
            sent_at: string;
            /** Document */
            doc: Document;
            published_rev: string | null;
            area: components["schemas"]["Place"] | null;
            history: components["schemas"]["HistoryEntry"][];
            reviews: components["schemas"]["ReviewEntry"][];
            branches: components["schemas"]["Branch"][];
            returned: Document | null;
            may_decide: boolean;
            may_approve: boolean;
            why_not: ("not_supervisor" | "own_work") | null;
        };
        /**
         * RefreshBody
         * @description A refresh token.
         */
        RefreshBody: {
            refresh_token: string;
        };
        /**
         * ReplyShown
         * @description Somebody's reply; `value` may be chosen as it is. `was_asked`: the question was sent to them.
         */
        ReplyShown: {
            id: string;
            by_person: string | null;
            by_name: string;
            /** Format: date-time */
            at: string;
            has_value: boolean;
            value: components["schemas"]["ShownValue"];
            text: string;
            was_asked: boolean;
        };
        /**
         * ResolvedAnswer
         * @description The unit that a code meant on a day, and the units that it is part of today.
         */
        ResolvedAnswer: {
            unit: components["schemas"]["UnitAnswer"];
            today: components["schemas"]["UnitAnswer"][];
        };
        /**
         * Retried
         * @description Whether the document could be taken.
         */
        Retried: {
            taken: boolean;
        };
        /**
         * Retry
         * @description A document that is to be tried again.
         */
        Retry: {
            follower: string;
            database: string;
            document: string;
        };
        /**
         * ReviewEntry
         * @description A decision as it was written; `stands` while no later one about the same revision answers it.
         */
        ReviewEntry: {
            id: string;
            rev: string;
            /** @enum {string} */
            decision: "approved" | "returned" | "rejected";
            comment: string;
            comments: {
                [key: string]: string;
            };
            by: string;
            by_name: string;
            at: string;
            follows: string[];
            stands: boolean;
        };
        /**
         * Rule
         * @description How each of them is decided: the candidate that was received later or earlier, the one by a person, a value,
         *     what stands; or of whole records, that they are deleted or kept.
         */
        Rule: {
            /** @enum {string} */
            take: "later" | "earlier" | "person" | "value" | "confirm" | "delete" | "keep";
            /** @default null */
            person?: string | null;
            /** @default null */
            value?: Json;
        };
        /**
         * SampleCandidate
         * @description One side of a conflict that would be decided.
         */
        SampleCandidate: {
            rev: string;
            value: components["schemas"]["ShownValue"];
            by_name: string;
            /** Format: date-time */
            received_at: string;
        };
        /**
         * SeenElsewhere
         * @description The record in another area as the page showed it.
         */
        SeenElsewhere: {
            database: string;
            rev: string;
            leaves?: string[];
        };
        /**
         * SetAsideDocument
         * @description A document that a follower could not take: its lists or tables lack it until it can.
         */
        SetAsideDocument: {
            follower: string;
            database: string;
            document: string;
            record: string;
            title: string;
            error: string;
            attempts: number;
            /** Format: date-time */
            since: string;
            /** Format: date-time */
            last_at: string;
        };
        /**
         * ShapePair
         * @description How two of the places lie to each other; `overlap_percent` is the shared part of both together.
         */
        ShapePair: {
            a: string | null;
            b: string;
            overlap_m2: number | null;
            overlap_percent: number | null;
            only_a_m2: number | null;
            only_b_m2: number | null;
            union_m2: number | null;
            distance_m: number;
        };
        /**
         * ShownValue
         * @description The value of a field, as it is shown.
         */
        ShownValue: {
            value: Json;
            is_absent: boolean;
        };
        /**
         * SignInAnswer
         * @description One's own sign-in, on an enrolled device or in a program; moments that nobody knows are null.
         */
        SignInAnswer: {
            id: string;
            label: string;
            is_device: boolean;
            began_at: string | null;
            used_at: string | null;
            is_this: boolean;
        };
        /**
         * SignInsAnswer
         * @description One's own sign-ins: this one first, then the last used first.
         */
        SignInsAnswer: {
            sessions: components["schemas"]["SignInAnswer"][];
        };
        /**
         * StatusAnswer
         * @description How far one database is.
         */
        StatusAnswer: {
            database: string;
            /** @enum {string} */
            direction: "push" | "pull";
            last_seq: string | null;
            behind: number | null;
            documents: number;
            trouble: ("unreachable" | "slow" | "half" | "garbage" | "sign_in" | "not_allowed" | "no_database" | "full" | "full_here" | "no_media" | "busy" | "failing" | "local") | null;
            told: string | null;
            /** Format: date-time */
            since: string;
            /** Format: date-time */
            checked_at: string;
        };
        /**
         * StatusBody
         * @description Whether new records may be begun with a version.
         */
        StatusBody: {
            /** @enum {string} */
            status: "live" | "retired";
        };
        /**
         * SyncAnswer
         * @description The answer to a `SyncRequest`.
         */
        SyncAnswer: {
            /** @constant */
            protocol: 2;
            /** @description Another one than before says that this server was restored from a backup and may lack what it acknowledged. */
            epoch: string;
            server_time: string;
            tokens: components["schemas"]["Tokens"] | null;
            /** @description One for each pushed revision, and final outcomes of what was quarantined. */
            acks: components["schemas"]["Ack"][];
            /** @description Databases without changes are left out. */
            changes: {
                [key: string]: components["schemas"]["DatabaseChanges"];
            };
            /** @description What the phone is assigned; null where it showed no token. */
            carry: string[] | null;
            /** @description The save up to which a verified backup has everything, where backups are made. */
            safe: string;
            /** @description The greatest number that has reached the server. */
            highest_number: string;
            /**
             * @description Numbers that neither arrived nor are said to be held or discarded, `2,5-7`: to be sent again, where there.
             * @default
             */
            missing?: string;
            /** @description The server's id. */
            server: string;
            /** @description After how many seconds the phone should ask again. */
            next_s: number;
        };
        /**
         * SyncRequest
         * @description A whole exchange of one enrolment.
         */
        SyncRequest: {
            /** @constant */
            protocol: 2;
            enrolment: string;
            /** @description The phone's own count of its requests, one more each time. What a request says of its phone counts once, and never after a later one's. */
            exchange: string;
            /**
             * @description The refresh token, where the access token has run out.
             * @default null
             */
            refresh?: string | null;
            /**
             * @description How far the phone has read each database that it carries.
             * @default {}
             */
            since?: {
                [key: string]: string;
            };
            /**
             * @description Parents stand before their children.
             * @default []
             */
            push?: components["schemas"]["Push"][];
            /**
             * @description A detached JWS by the device's key: `sync/contract/seal.py`.
             * @default null
             */
            seal?: string | null;
            /**
             * @default {
             *       "unsent": [],
             *       "discarded": [],
             *       "drafts": 0,
             *       "media": 0
             *     }
             */
            holding?: components["schemas"]["Holding"];
            /**
             * @description Saves whose final outcome the phone has stored.
             * @default []
             */
            verdicts?: string[];
            /** @default null */
            device?: components["schemas"]["Device"] | null;
            /**
             * @description How large the answer may be, compressed; one document always fits.
             * @default 250000
             */
            max_bytes?: number;
        };
        /**
         * TesterAnswer
         * @description Somebody who tries a form.
         */
        TesterAnswer: {
            id: string;
            name: string;
        };
        /**
         * Tokens
         * @description New credentials in place of those that ran out.
         */
        Tokens: {
            access_token: string;
            /** @description Seconds. */
            expires_in: number;
            refresh_token: string;
        };
        /**
         * TokensAnswer
         * @description New tokens.
         */
        TokensAnswer: {
            access_token: string;
            expires_in: number;
            refresh_token: string;
        };
        /**
         * TrialAnswer
         * @description A form on trial; only who publishes it is told who tries it.
         */
        TrialAnswer: {
            id: string;
            form: string;
            version: string;
            project: string;
            title: {
                [key: string]: string;
            };
            languages: string[];
            xform: string;
            lists: {
                [key: string]: string;
            };
            /** Format: date-time */
            begun_at: string;
            /** Format: date-time */
            ends_at: string;
            is_mine: boolean;
            people: components["schemas"]["TesterAnswer"][];
        };
        /**
         * TrialBody
         * @description Who tries a form from now on; nobody ends its trial.
         */
        TrialBody: {
            people: string[];
        };
        /**
         * TrialsAnswer
         * @description The forms that somebody tries, and those of the projects in which they publish.
         */
        TrialsAnswer: {
            trials: components["schemas"]["TrialAnswer"][];
        };
        /**
         * Undo
         * @description Takes a decision back: what it settled is open again.
         */
        Undo: {
            rev: string;
            leaves?: string[];
            decision: string;
            /** @default  */
            comment?: string;
        };
        /**
         * UnitAnswer
         * @description A place in a time; `id` is what grants and scopes name.
         */
        UnitAnswer: {
            id: string;
            code: string;
            kind: string;
            name: string;
            district: string | null;
            longitude: string | null;
            latitude: string | null;
            valid_from: string | null;
            valid_to: string | null;
        };
        /**
         * UnitCount
         * @description How many records of a unit wait.
         */
        UnitCount: {
            unit: string;
            unit_name: string;
            records: number;
        };
        /** UploadBody */
        UploadBody: {
            project: string;
            /** Format: binary */
            file: string;
            /** @default [] */
            lists?: string[];
            /** @default [] */
            accept?: string[];
        };
        /**
         * WaitingFor
         * @description Why the branches stand apart: form versions or revisions that have not come to this server.
         */
        WaitingFor: {
            /** @enum {string} */
            reason: "form_version" | "inputs";
            names: string[];
        };
        /**
         * WaitingRevisions
         * @description How many revisions of machines wait in a database for what they were made of, and since when.
         */
        WaitingRevisions: {
            database: string;
            reason: string;
            count: number;
            /** Format: date-time */
            since: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}

export type Schemas = components['schemas']
