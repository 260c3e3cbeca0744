//! The MySQL and MariaDB engine of `mig`.
