//! The process `filmstrip-gateway`: the public API alone, as one of any number of replicas.

mod config;

fn main() -> std::process::ExitCode {
    process::edge::<config::Process>()
}
