//! Pages about flows.
