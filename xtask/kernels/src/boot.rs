//! One boot: a virtual machine from its start to its end, with a deadline for each step.
