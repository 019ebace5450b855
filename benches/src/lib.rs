//! What the instrument costs.
