//! Statistics of few runs: exact tests and intervals, pure and without a clock or a file.
