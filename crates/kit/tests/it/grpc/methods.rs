//! Each method of the protos is said to be repeatable or not.

use kit::grpc::idempotency::{Method, paths};
use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorSet, MethodDescriptorProto};
use protos::asset::v1::CreateClientRequest;

struct Declared {
    path: String,
    method: MethodDescriptorProto,
    request: DescriptorProto,
}

fn declared() -> Vec<Declared> {
    let all = FileDescriptorSet::decode(protos::FILE_DESCRIPTOR_SET).unwrap();
    let message = |name: &str| {
        let found = all.file.iter().find_map(|file| {
            let local = name.strip_prefix(&format!(".{}.", file.package()))?;
            file.message_type.iter().find(|message| message.name() == local)
        });
        found.unwrap_or_else(|| panic!("no message {name}")).clone()
    };
    let mut declared = Vec::new();
    for file in &all.file {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                let request = message(method.input_type());
                declared.push(Declared { path, method: method.clone(), request });
            }
        }
    }
    declared
}

fn has_field(message: &DescriptorProto, name: &str, number: Option<i32>) -> bool {
    message
        .field
        .iter()
        .any(|field| field.name() == name && number.is_none_or(|number| field.number() == number))
}

#[test]
fn every_method_is_classified() {
    for Declared { path, method, request } in declared() {
        let streams = method.server_streaming();
        let name = method.name();
        let of_an_import = path.contains(".LegacyService/") && ["Import", "FetchBytes"].contains(&name);
        let fits = match Method::of(&path) {
            Method::Reads => {
                !streams
                    && ["Get", "List", "Read", "Preview", "Check"].iter().any(|verb| name.starts_with(verb))
            }
            Method::Keyed => {
                !streams && (has_field(&request, "key", None) || name == "ReceiveWebhook" || of_an_import)
            }
            Method::Command => !streams && has_field(&request, "command_id", Some(1)),
            Method::Stream => streams,
            Method::Upload => method.client_streaming() && !streams,
            Method::Unknown => false,
        };
        // A stream of requests cannot be kept for another try.
        let fits = fits && method.client_streaming() == (Method::of(&path) == Method::Upload);
        assert!(fits, "{path} is missing or wrong in crates/kit/src/grpc/idempotency.rs");
    }
}

#[test]
fn every_classified_method_exists() {
    let declared: Vec<String> = declared().into_iter().map(|declared| declared.path).collect();
    let ours = paths().filter(|path| path.starts_with("/filmstrip."));
    for path in ours {
        assert!(declared.iter().any(|declared| declared == path), "{path}");
    }
}

#[test]
fn a_command_is_repeatable_under_its_id() {
    let method = Method::of("/filmstrip.asset.v1.AssetService/CreateClient");
    let request = |command_id: &str| {
        let name = Some("n".to_owned());
        CreateClientRequest { command_id: command_id.to_owned(), name, ..Default::default() }.encode_to_vec()
    };
    assert!(method.is_repeatable(&request("c-1")));
    assert!(!method.is_repeatable(&request("")));
    assert!(!Method::Unknown.is_repeatable(&request("c-1")));
    assert!(!Method::Upload.is_repeatable(&request("c-1")));
}
