//! What code may ask of whoever runs it: identity, budget, clock, deadlines, randomness.
