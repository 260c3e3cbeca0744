//! Sessions, transactions, the lease, the journal.
