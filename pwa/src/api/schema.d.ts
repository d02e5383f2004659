// Made by `make api-types` from schemas 421f62336134ddf8: do not edit.
import type { Answers, Document, Json, JsonObject } from '@/domain/record'

export interface components {
    schemas: {
        /** Accepted */
        Accepted: {
            rev: string;
            followers: number;
        };
        /** ActAnswer */
        ActAnswer: {
            /** Format: date-time */
            at: string;
            person: string | null;
            action: string;
            details: JsonObject;
        };
        /** ActsAnswer */
        ActsAnswer: {
            acts: components["schemas"]["ActAnswer"][];
        };
        /** AreasAnswer */
        AreasAnswer: {
            /** Format: date */
            on: string;
            units: components["schemas"]["UnitAnswer"][];
            projects: components["schemas"]["ProjectBody"][];
        };
        /** AskedShown */
        AskedShown: {
            id: string;
            text: string;
            by_name: string;
            /** Format: date-time */
            at: string;
            to: components["schemas"]["PersonName"][];
            replies: components["schemas"]["ReplyShown"][];
        };
        /** AwaitedAnswer */
        AwaitedAnswer: {
            awaited: components["schemas"]["AwaitedFile"][];
            next: string | null;
        };
        /** AwaitedFile */
        AwaitedFile: {
            sha256: string;
            database: string;
            record: string;
        };
        /** BatchDone */
        BatchDone: {
            batch: string;
            decided: number;
            moved: number;
            failed: number;
        };
        /**
         * BatchFilters
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
        BatchFilters: {
            scope?: string | null;
            /** @default  */
            project?: string;
            unit?: string[];
            /** @default  */
            person?: string;
            waiting_days?: number | null;
            newest_days?: number | null;
            /** @default  */
            q?: string;
        };
        /** BatchSample */
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
        /** BatchShown */
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
        /** BatchSkipped */
        BatchSkipped: {
            no_such_candidate: number;
            misfit: number;
            waiting: number;
            nothing_to_decide: number;
            over_limit: number;
        };
        /** BatchUndo */
        BatchUndo: {
            batch: string;
            /** @default  */
            comment?: string;
        };
        /** BatchUndone */
        BatchUndone: {
            undone: number;
            too_late: number;
        };
        /** Branch */
        Branch: {
            rev: string;
            by_name: string;
            /** Format: date-time */
            received_at: string;
            /** Document */
            doc: Document;
        };
        /** BrokenConstraint */
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
        /** CandidateValue */
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
        /** ChangedField */
        ChangedField: {
            path: string;
            label: {
                [key: string]: string;
            };
            row: string | null;
            before: components["schemas"]["ShownValue"];
            after: components["schemas"]["ShownValue"];
        };
        /** CheckedAnswer */
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
            xform: string | null;
            lists: {
                [key: string]: string;
            };
        };
        /** Choice */
        Choice: {
            path: string;
            candidate?: string | null;
            reply?: string | null;
            value?: Json;
            /** @enum {boolean|null} */
            remove?: true | null;
            /** @enum {boolean|null} */
            confirm?: true | null;
            /** @enum {boolean|null} */
            keep?: true | null;
            /** @enum {boolean|null} */
            delete?: true | null;
            stay?: string | null;
        };
        /** ChoiceLabel */
        ChoiceLabel: {
            value: string;
            label: {
                [key: string]: string;
            };
        };
        /** Claim */
        Claim: {
            person: string;
            name: string;
            /** Format: date-time */
            until: string;
            is_me: boolean;
        };
        /** ClaimsShown */
        ClaimsShown: {
            claims: components["schemas"]["Claim"][];
            expires_s: number;
        };
        /** ConflictGroup */
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
        /** ConflictLine */
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
        /** ConflictPage */
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
        /** ConflictQueue */
        ConflictQueue: {
            conflicts: components["schemas"]["ConflictLine"][];
            next: string | null;
            total: number;
            counts: {
                [key: string]: number;
            };
            groups: components["schemas"]["ConflictGroup"][];
        };
        /** ContentAnswer */
        ContentAnswer: {
            sha256: string;
            media_type: string;
            body: string;
        };
        /** Counts */
        Counts: {
            unseen: number;
            seen: number;
        };
        /** Decided */
        Decided: {
            id: string;
            /** @enum {string} */
            state: "received" | "amended" | "approved" | "returned" | "rejected";
        };
        /** DecisionLine */
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
        /** DecisionMade */
        DecisionMade: {
            rev: string | null;
            warnings: components["schemas"]["BrokenConstraint"][];
            page: components["schemas"]["ConflictPage"];
        };
        /** DeviceAnswer */
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
        /** DeviceKey */
        DeviceKey: {
            jwk: JsonObject;
            /** @default  */
            label?: string;
        };
        /** DevicesAnswer */
        DevicesAnswer: {
            enrolments: components["schemas"]["DeviceAnswer"][];
        };
        /** DirectoryAnswer */
        DirectoryAnswer: {
            fingerprint: string;
            directory: JsonObject | null;
        };
        /** Drawn */
        Drawn: {
            /** @enum {string} */
            kind: "point" | "line" | "outline";
            shapes: components["schemas"]["DrawnShape"][];
            pairs: components["schemas"]["ShapePair"][];
        };
        /** DrawnShape */
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
        /** Elsewhere */
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
        /** EnrolmentAnswer */
        EnrolmentAnswer: {
            id: string;
            highest_number: string;
            safe: string;
        };
        /** EntryKey */
        EntryKey: {
            database: string;
            id: string;
            rev: string;
            fingerprint: string;
        };
        /** FileLeftAnswer */
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
        /** FindingAnswer */
        FindingAnswer: {
            code: string;
            sheet: string | null;
            row: number | null;
            message: string;
            params: {
                [key: string]: string;
            };
        };
        /** Following */
        Following: {
            set_aside: components["schemas"]["SetAsideDocument"][];
            waiting: components["schemas"]["WaitingRevisions"][];
        };
        /** FormAnswer */
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
        /** FormCount */
        FormCount: {
            form: string;
            title: {
                [key: string]: string;
            };
            records: number;
        };
        /** FormsAnswer */
        FormsAnswer: {
            forms: components["schemas"]["FormAnswer"][];
        };
        /** GeoJson */
        GeoJson: {
            /** @enum {string} */
            type: "Point" | "LineString" | "Polygon";
            coordinates: unknown[];
        };
        /** GrantAnswer */
        GrantAnswer: {
            /** @enum {string} */
            role: "field_worker" | "supervisor" | "data_manager" | "administrator" | "peer";
            project: string;
            unit: string;
            unit_name: string;
        };
        /** GrantBody */
        GrantBody: {
            /** @enum {string} */
            role: "field_worker" | "supervisor" | "data_manager" | "administrator" | "peer";
            project: string;
            unit: string;
        };
        /** GrantsBody */
        GrantsBody: {
            grants: components["schemas"]["GrantBody"][];
        };
        /** HeldAnswer */
        HeldAnswer: {
            held: components["schemas"]["HeldFile"][];
        };
        /** HeldBody */
        HeldBody: {
            sha256s: string[];
        };
        /** HeldFile */
        HeldFile: {
            sha256: string;
            bytes: number;
            type: string;
            name: string;
        };
        /** HistoryEntry */
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
        /** HistoryLine */
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
        /** LeftOutAnswer */
        LeftOutAnswer: {
            database: string;
            id: string;
            rev: string;
            /** @enum {string} */
            direction: "push" | "pull";
            reason: string;
        };
        /** LoginAnswer */
        LoginAnswer: {
            access_token: string;
            expires_in: number;
            refresh_token: string;
            person: components["schemas"]["PersonAnswer"];
            enrolment: components["schemas"]["EnrolmentAnswer"] | null;
            server: string;
        };
        /** LoginBody */
        LoginBody: {
            username: string;
            password: string;
            enrolment?: components["schemas"]["DeviceKey"] | null;
        };
        /** MeAnswer */
        MeAnswer: {
            person: components["schemas"]["PersonAnswer"];
            enrolment: string | null;
            scopes: string[];
            carried: string[];
            actions: string[];
            server: string;
        };
        /** MediaFile */
        MediaFile: {
            url: string;
            thumb: string;
            type: string;
            name: string;
        };
        /** MemberAnswer */
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
        /** MemberChangeBody */
        MemberChangeBody: {
            name?: string | null;
            /** @enum {null|string} */
            locale?: "vi" | "en" | null;
            birth_year?: number | null;
            active?: boolean | null;
            password?: string | null;
        };
        /** MembersAnswer */
        MembersAnswer: {
            people: components["schemas"]["MemberAnswer"][];
        };
        /** MergedField */
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
        /** MisfitEntry */
        MisfitEntry: {
            path: string;
            reason: string;
            came: string;
            labels: {
                [key: string]: string;
            };
        };
        /** NewBatch */
        NewBatch: {
            dry_run: boolean;
            form?: string | null;
            path?: string | null;
            /** @enum {null|string} */
            kind?: "value" | "delete" | "row" | "exclusive" | "asked" | "parent_unknown" | "form_version" | "constraint" | "place" | "after_approval" | "moved" | null;
            rule?: components["schemas"]["Rule"] | null;
            filters?: components["schemas"]["BatchFilters"];
            token?: string | null;
            /** @default  */
            comment?: string;
        };
        /** NewClaim */
        NewClaim: {
            /** @default false */
            leave?: boolean;
        };
        /** NewDecision */
        NewDecision: {
            rev: string;
            leaves?: string[];
            elsewhere?: components["schemas"]["SeenElsewhere"][];
            choices: components["schemas"]["Choice"][];
            answers?: JsonObject | null;
            form_version?: string | null;
            /** @default  */
            comment?: string;
            /** @default false */
            dry_run?: boolean;
        };
        /** NewMemberBody */
        NewMemberBody: {
            username: string;
            name: string;
            password: string;
            /**
             * @default vi
             * @enum {string}
             */
            locale?: "vi" | "en";
            birth_year?: number | null;
            /** @default [] */
            grants?: components["schemas"]["GrantBody"][];
        };
        /** NewNote */
        NewNote: {
            database: string;
            id: string;
            rev: string;
            fingerprint: string;
            comment: string;
        };
        /** NewPeerBody */
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
            username?: string | null;
            password?: string | null;
        };
        /** NewQuestion */
        NewQuestion: {
            path: string;
            /** @default  */
            text?: string;
            to?: string[] | null;
        };
        /** NewReview */
        NewReview: {
            rev: string;
            /** @enum {string} */
            decision: "approved" | "returned" | "rejected";
            /** @default  */
            comment?: string;
            comments?: {
                [key: string]: string;
            };
            follows?: string[] | null;
        };
        /** NewVerdict */
        NewVerdict: {
            /** @enum {string} */
            verdict: "open" | "unsure" | "same" | "different";
            revs: {
                [key: string]: string;
            };
            saw?: string | null;
            survivor?: string | null;
            take?: string[];
            /** @default  */
            comment?: string;
        };
        /** Note */
        Note: {
            by_name: string;
            /** Format: date-time */
            at: string;
            comment: string;
        };
        /** OpenQuestion */
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
            geometry: components["schemas"]["Drawn"] | null;
            broken: {
                [key: string]: string;
            };
            asked: components["schemas"]["AskedShown"][];
            kept: components["schemas"]["ShownValue"] | null;
            may: ("candidate" | "value" | "confirm" | "delete" | "keep" | "stay")[];
        };
        /** Pair */
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
            agreements: components["schemas"]["Told"][];
            records: components["schemas"]["PairRecord"][];
        };
        /** PairField */
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
        /** PairPage */
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
            agreements: components["schemas"]["Told"][];
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
        /** PairQueue */
        PairQueue: {
            pairs: components["schemas"]["Pair"][];
            next: string | null;
            counts: {
                [key: string]: number;
            };
        };
        /** PairRecord */
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
        /** Parting */
        Parting: {
            revs: {
                [key: string]: string;
            };
            /** @default  */
            comment?: string;
        };
        /** PasswordBody */
        PasswordBody: {
            password: string;
            new_password: string;
        };
        /** PeerAnswer */
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
        /** PeersAnswer */
        PeersAnswer: {
            peers: components["schemas"]["PeerAnswer"][];
            province: string | null;
            token_url: string | null;
            may_manage: boolean;
        };
        /** PersonAnswer */
        PersonAnswer: {
            id: string;
            username: string;
            name: string;
            locale: string;
            grants: components["schemas"]["GrantAnswer"][];
        };
        /** PersonCount */
        PersonCount: {
            id: string;
            name: string;
            records: number;
        };
        /** PersonName */
        PersonName: {
            id: string;
            name: string;
        };
        /** Place */
        Place: {
            longitude: number;
            latitude: number;
        };
        /** Present */
        Present: {
            rev: string;
            by_name: string;
            /** Format: date-time */
            received_at: string;
            is_deleted: boolean;
            /** Document */
            doc: Document;
        };
        /** ProjectBody */
        ProjectBody: {
            id: string;
            name_vi: string;
            name_en: string;
        };
        /** ProjectCount */
        ProjectCount: {
            project: string;
            records: number;
        };
        /** Proposal */
        Proposal: {
            rev: string | null;
            value: components["schemas"]["ShownValue"];
            /** @enum {string} */
            why: "stands" | "more_accurate";
        };
        /** PublishBody */
        PublishBody: {
            /** @constant */
            loaded: true;
            languages: string[];
        };
        /** QuarantineEntry */
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
            /** @enum {null|string} */
            why_not: "parent_waits" | "not_acceptable" | null;
        };
        /** QuarantineQueue */
        QuarantineQueue: {
            entries: components["schemas"]["QuarantineEntry"][];
            next: string | null;
            counts: components["schemas"]["Counts"];
        };
        /** QuestionLine */
        QuestionLine: {
            path: string;
            /** @enum {string} */
            kind: "value" | "delete" | "row" | "exclusive" | "asked" | "parent_unknown" | "form_version" | "constraint" | "place" | "after_approval" | "moved";
            label: {
                [key: string]: string;
            };
            in_row: boolean;
        };
        /** QuestionSent */
        QuestionSent: {
            id: string;
            to: components["schemas"]["PersonName"][];
            page: components["schemas"]["ConflictPage"];
        };
        /** Queue */
        Queue: {
            records: components["schemas"]["RecordLine"][];
            next: string | null;
            counts: {
                [key: string]: number;
            };
        };
        /** QueueFilters */
        QueueFilters: {
            units: components["schemas"]["UnitCount"][];
            projects: components["schemas"]["ProjectCount"][];
            forms: components["schemas"]["FormCount"][];
            people: components["schemas"]["PersonCount"][];
            kinds: {
                [key: string]: number;
            };
        };
        /** RecordLine */
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
        /** RecordPage */
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
            returned: JsonObject | null;
            may_decide: boolean;
            may_approve: boolean;
            /** @enum {null|string} */
            why_not: "not_supervisor" | "own_work" | null;
        };
        /** RefreshBody */
        RefreshBody: {
            refresh_token: string;
        };
        /** ReplyShown */
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
        /** ResolvedAnswer */
        ResolvedAnswer: {
            unit: components["schemas"]["UnitAnswer"];
            today: components["schemas"]["UnitAnswer"][];
        };
        /** Retried */
        Retried: {
            taken: boolean;
        };
        /** Retry */
        Retry: {
            follower: string;
            database: string;
            document: string;
        };
        /** ReviewEntry */
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
        /** Rule */
        Rule: {
            /** @enum {string} */
            take: "later" | "earlier" | "person" | "value" | "confirm" | "delete" | "keep";
            person?: string | null;
            value?: Json;
        };
        /** SampleCandidate */
        SampleCandidate: {
            rev: string;
            value: components["schemas"]["ShownValue"];
            by_name: string;
            /** Format: date-time */
            received_at: string;
        };
        /** SeenElsewhere */
        SeenElsewhere: {
            database: string;
            rev: string;
            leaves?: string[];
        };
        /** SetAsideDocument */
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
        /** ShapePair */
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
        /** ShownValue */
        ShownValue: {
            value: Json;
            is_absent: boolean;
        };
        /** SignInAnswer */
        SignInAnswer: {
            id: string;
            label: string;
            is_device: boolean;
            began_at: string | null;
            used_at: string | null;
            is_this: boolean;
        };
        /** SignInsAnswer */
        SignInsAnswer: {
            sessions: components["schemas"]["SignInAnswer"][];
        };
        /** StatusAnswer */
        StatusAnswer: {
            database: string;
            /** @enum {string} */
            direction: "push" | "pull";
            last_seq: string | null;
            behind: number | null;
            documents: number;
            /** @enum {null|string} */
            trouble: "unreachable" | "slow" | "half" | "garbage" | "sign_in" | "not_allowed" | "no_database" | "full" | "full_here" | "no_media" | "busy" | "failing" | "local" | null;
            told: string | null;
            /** Format: date-time */
            since: string;
            /** Format: date-time */
            checked_at: string;
        };
        /** TokensAnswer */
        TokensAnswer: {
            access_token: string;
            expires_in: number;
            refresh_token: string;
        };
        /** Told */
        Told: {
            /** @enum {string} */
            particular: "name" | "birth_year" | "phone" | "dwelling" | "place";
            /** @enum {string} */
            agreement: "same" | "close" | "far" | "different";
            values: {
                [key: string]: string;
            };
        };
        /** Undo */
        Undo: {
            rev: string;
            leaves?: string[];
            decision: string;
            /** @default  */
            comment?: string;
        };
        /** UnitAnswer */
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
        /** UnitCount */
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
        };
        /** WaitingFor */
        WaitingFor: {
            /** @enum {string} */
            reason: "form_version" | "inputs";
            names: string[];
        };
        /** WaitingRevisions */
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
