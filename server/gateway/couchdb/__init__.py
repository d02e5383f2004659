"""The CouchDB replication API under `/db`: the door for every replica that speaks CouchDB's protocol.

    door       an ASGI app: who asks, which verb, errors in CouchDB's words, compression
    router     raw paths to verbs
    caller     Basic, bearer token or cookie to a person; `databases` what they see
    parse_…    documents on their way in: members, revisions; `admission` what is held back; `storing` writes them
    write_…    documents on their way out, put together from stored bytes
    attach…    attachments on their way in and out, and each by its own path
    …          a file for each verb

What one door stores, the other serves under the same revision ids.
"""
