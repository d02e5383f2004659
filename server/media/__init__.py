"""Photos, sounds and files of records: resumable upload, kept by content, handed out by the rights on their records."""
