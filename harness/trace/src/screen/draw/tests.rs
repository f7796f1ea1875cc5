//! What is drawn, of made-up figures.
