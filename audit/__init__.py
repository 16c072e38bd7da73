"""The access log: what an event is, and the promise that it will be in the log.

This package imports nothing of `screening`, so that an auditor can use it without trusting or installing the service.

| module | what |
|---|---|
| `canonical` | canonical JSON, commitments, leaf hashes, times and keys as the log writes them |
| `catalogue` | every class of event, with its stable tag and number |
| `events` | sealing and strict reading of events; the catalogue's classes too |
| `promise` | the signed promise that an act is answered with |
| `merkle` | the log's tree: growing it, proofs of inclusion and consistency, and their verifiers |
| `note` | signed notes and cosignatures, read in one form only |
| `checkpoint` | what the log's key and a quorum of its witnesses say the tree is |
"""
