//! Simulations of what carries messages between services.

mod relay;
mod stream;
