"""The contract: members of documents and who may write them, roles, the wire, reasons. Every door asks it."""
