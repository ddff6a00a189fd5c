//! Compiles `proto/` to Rust: messages, gRPC clients and servers, proto3 JSON, and the descriptors
//! that reflection serves. No protoc is needed: protox parses the files.

#![allow(clippy::print_stdout, reason = "how a build script talks to cargo")]

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

const SERVICES: [&str; 5] = ["asset", "job", "render", "stitch", "audio"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut files = vec![root.join("common/v1/common.proto")];
    for service in SERVICES {
        files.push(root.join(service).join("v1/service.proto"));
        files.push(root.join(service).join("v1/events.proto"));
    }
    files.push(root.join("asset/v1/legacy.proto"));
    files.push(root.join("job/v1/legacy.proto"));
    files.push(root.join("job/v1/pipeline.proto"));
    files.push(root.join("audio/v1/voice.proto"));
    let descriptors = protox::compile(&files, [&root])?;
    let bytes = descriptors.encode_to_vec();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("filmstrip.descriptors"), &bytes)?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    pbjson_build::Builder::new()
        .register_descriptors(&bytes)?
        .preserve_proto_field_names()
        .ignore_unknown_fields()
        .build(&[".filmstrip"])?;
    Ok(())
}
