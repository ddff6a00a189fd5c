//! The process `filmstrip-stitch`: this service alone, as one of any number of replicas.

mod config;

fn main() -> std::process::ExitCode {
    process::service::<config::Process>()
}
